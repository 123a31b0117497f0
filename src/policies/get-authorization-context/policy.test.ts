import { expect, test } from "vitest";
import "../../compiler/runtime/library/index.ts";
import { Authorization } from "../../compiler/runtime/library/credentials.ts";
import { textOf } from "../../compiler/runtime/values.ts";
import type { Connection, ConnectionToken, Connections } from "../../gateway/connections.ts";
import { GatewayError } from "../../gateway/errors.ts";
import { CredentialError } from "../../gateway/identity.ts";
import {
  type Written,
  exchangeOf,
  mistakesOf,
  policyStep,
  servicesOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { getAuthorizationContext } from "./policy.ts";

const TOKEN: ConnectionToken = {
  accessToken: "secret",
  claims: { token_type: "Bearer", expires_in: 3600, ratio: 0.5, admin: true, none: null, team: { id: 1 } },
};

function connection(managed: boolean): Connection {
  return { id: "P/C", key: "p/c", access: { managed, policies: [] } } as unknown as Connection;
}

const BASE = { "provider-id": "p", "authorization-id": "C", "context-variable-name": "auth" };

async function run(
  attributes: Written["attributes"],
  token: Connections["token"] = () => TOKEN,
  managed = true,
): Promise<unknown> {
  const services = servicesOf({ connections: { token, entra: "https://entra.example" } });
  const exchange = exchangeOf({}, snapshotOf({ connections: [connection(managed)] }), services);
  try {
    const step = policyStep(getAuthorizationContext, { attributes: { ...BASE, ...attributes } });
    await step.run(exchange, null);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return `${error.status} ${error.reason}`;
  }
  return exchange.variables.get("auth");
}

test("the variable holds the token, and the other members of the response with their types", async () => {
  const authorization = await run({});
  expect(authorization).toBeInstanceOf(Authorization);
  const { accessToken } = authorization as Authorization;
  expect(accessToken).toBe("secret");
});

test.each([
  ["token_type", "Bearer"],
  ["expires_in", "3600"],
  ["ratio", "0.5"],
  ["admin", "True"],
  ["none", ""],
  ["team", '{\n  "id": 1\n}'],
])("the claim %s", async (name, expected) => {
  const { claims } = (await run({})) as Authorization;
  expect(textOf(claims.find(name))).toBe(expected);
});

const unavailable: Connections["token"] = () => Promise.reject(new CredentialError("no"));
const atOnce: Connections["token"] = () => {
  throw new CredentialError("no");
};

test.each<[string, Written["attributes"], Connections["token"] | undefined, boolean, unknown]>([
  ["no such provider", { "provider-id": () => "x" }, undefined, true, "500 AuthorizationNotFound"],
  ["no such connection", { "authorization-id": "x" }, undefined, true, "500 AuthorizationNotFound"],
  ["a connection that is not the gateway's", {}, undefined, false, "500 AccessDenied"],
  ["no token", {}, unavailable, true, "500 CredentialUnavailable"],
  ["no token, which is known", {}, atOnce, true, "500 CredentialUnavailable"],
  ["an identity type that is none", { "identity-type": () => "x" }, undefined, true, "500 InvalidIdentity"],
  [
    "a jwt without a token",
    { "identity-type": "jwt", identity: () => "" },
    undefined,
    true,
    "500 AccessDenied",
  ],
  ["no token, ignored", { "ignore-error": true }, unavailable, true, null],
  ["no connection, ignored", { "ignore-error": () => true, "authorization-id": "x" }, undefined, true, null],
])("%s", async (_name, attributes, token, managed, expected) =>
  expect(await run(attributes, token, managed)).toBe(expected),
);

test("our own mistakes are not ignored", async () => {
  const bug = (): never => {
    throw new TypeError("ours");
  };
  await expect(run({ "ignore-error": true }, bug)).rejects.toThrow("ours");
});

test.each<[Written["attributes"], string[]]>([
  [BASE, []],
  [{ ...BASE, "identity-type": "jwt", identity: "x" }, []],
  [{ ...BASE, "identity-type": "jwt" }, ['identity-type="jwt" needs a token']],
])("mistakes of %j", (attributes, expected) =>
  expect(mistakesOf(getAuthorizationContext, { attributes })).toEqual(expected),
);
