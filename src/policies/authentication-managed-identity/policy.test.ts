import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TestGateway, api, policy, testGateway } from "../../../test/gateway.ts";
import { type Reply, type StandIn, startStandIn } from "../../backends/identity/stand-in.fixture.ts";
import { CredentialError, type Identities } from "../../gateway/identity.ts";
import { type Written, exchangeOf, policyStep, servicesOf, snapshotOf } from "../../gateway/testing.ts";
import { authenticationManagedIdentity } from "./policy.ts";

function exchangeWith(azureToken: Identities["azureToken"]) {
  const services = servicesOf();
  const identities = { ...services.identities, azureToken };
  return exchangeOf(
    { headers: ["authorization", "Bearer caller"] },
    snapshotOf(),
    servicesOf({ identities }),
  );
}

const step = (attributes: Written["attributes"]) => policyStep(authenticationManagedIdentity, { attributes });
const kept: Identities["azureToken"] = (resource, clientId) => `${resource}|${clientId ?? ""}`;
const fetched: Identities["azureToken"] = (resource, clientId) =>
  Promise.resolve(`${resource}|${clientId ?? ""}`);
const paused: Identities["azureToken"] = () => {
  throw new CredentialError("no identity");
};
const refused: Identities["azureToken"] = () => Promise.reject(new CredentialError("no identity"));
const broken: Identities["azureToken"] = () => Promise.reject(new TypeError("our mistake"));

test.each<[Written["attributes"], string, string | undefined]>([
  [{ resource: "https://a.example" }, "Bearer https://a.example|", undefined],
  [{ resource: () => " https://a.example/ " }, "Bearer https://a.example/|", undefined],
  [{ resource: "r", "client-id": "me" }, "Bearer r|me", undefined],
  [{ resource: "r", "client-id": () => "" }, "Bearer r|", undefined],
  [{ resource: "r", "output-token-variable-name": "t" }, "Bearer caller", "r|"],
])("%j", async (attributes, header, variable) => {
  for (const azureToken of [kept, fetched]) {
    const exchange = exchangeWith(azureToken);
    const outcome = step(attributes).run(exchange, null);
    expect(outcome instanceof Promise).toBe(azureToken === fetched);
    await outcome;
    expect(exchange.request.headers.getAll("Authorization")).toEqual([header]);
    expect(exchange.variables.get("t")).toBe(variable);
  }
});

test("inside send-request it is that request's", () => {
  const exchange = exchangeWith(kept);
  const own = exchangeOf().request;
  step({ resource: "r" }).run(exchange, own);
  expect(own.headers.get("authorization")).toBe("Bearer r|");
  expect(exchange.request.headers.get("authorization")).toBe("Bearer caller");
});

test.each<[string, Identities["azureToken"], string, string]>([
  ["refused", refused, "r", "CredentialUnavailable"],
  ["within a pause", paused, "r", "CredentialUnavailable"],
  ["no resource", kept, " ", "InvalidResource"],
])("%s: 500, or without a token where errors are ignored", async (_name, azureToken, resource, reason) => {
  const run = async (ignoreError: boolean, exchange = exchangeWith(azureToken)) => {
    await step({
      resource: () => resource,
      "output-token-variable-name": "t",
      "ignore-error": ignoreError,
    }).run(exchange, null);
    return exchange;
  };
  await expect(run(false)).rejects.toMatchObject({
    source: "authentication-managed-identity",
    reason,
    status: 500,
  });
  const exchange = await run(true);
  expect(exchange.variables.has("t")).toBe(false);
  expect(exchange.request.headers.getAll("authorization")).toEqual(["Bearer caller"]);
});

test("a mistake of ours is not ignored", async () => {
  const run = async () => step({ resource: "r", "ignore-error": true }).run(exchangeWith(broken), null);
  await expect(run()).rejects.toBeInstanceOf(TypeError);
});

// ── Over the wire ─────────────────────────────────────────────────────────────────────────────────────────────────

describe("through a gateway", () => {
  let platform: StandIn;
  let upstream: StandIn;
  let gateway: TestGateway;
  let healthy = true;

  beforeAll(async () => {
    platform = await startStandIn(({ headers, query }): Reply => {
      if (headers["x-identity-header"] !== "secret" || query.get("api-version") !== "2019-08-01")
        return { status: 401 };
      if (!healthy || query.get("resource") === "bad")
        return { status: 400, body: { message: "No such resource." } };
      return {
        body: {
          access_token: `${query.get("resource")}.token`,
          expires_on: "32503680000",
          token_type: "Bearer",
        },
      };
    });
    upstream = await startStandIn(({ headers }) => ({ body: headers["authorization"] ?? "none" }));
    const mi = (attributes: string): string => `<authentication-managed-identity ${attributes} />`;
    const onError =
      "<set-header name='x-error'><value>@(context.LastError.Source + \" \" + context.LastError.Reason)</value></set-header>";
    const files = (name: string, inbound: string) =>
      api(name, upstream.url, ["GET /x"], { policy: policy({ inbound, onError }) });
    gateway = await testGateway(
      {
        ...files("plain", mi('resource="plain"')),
        ...files("many", mi('resource="many"')),
        ...files(
          "variable",
          `${mi('resource="v" output-token-variable-name="t"')}<set-header name="Authorization"><value>@("Own " + (string)context.Variables["t"])</value></set-header>`,
        ),
        ...files("bad", mi('resource="bad"')),
        ...files("ignored", mi('resource="bad" ignore-error="true"')),
        ...files(
          "send",
          `<send-request response-variable-name="r"><set-url>${upstream.url}/own</set-url>${mi('resource="own"')}</send-request>
           <return-response><set-body>@(((IResponse)context.Variables["r"]).Body.As&lt;string>())</set-body></return-response>`.replace(
            "&lt;",
            "<",
          ),
        ),
      },
      { environment: { IDENTITY_ENDPOINT: `${platform.url}/token`, IDENTITY_HEADER: "secret" } },
    );
  });
  afterAll(async () => {
    await gateway.close();
    await platform.close();
    await upstream.close();
  });
  beforeEach(() => {
    healthy = true;
    upstream.seen.length = 0;
    platform.seen.length = 0;
  });

  const call = async (name: string) => {
    const response = await fetch(`${gateway.url}/${name}/x`, { headers: { authorization: "Bearer caller" } });
    return { status: response.status, body: await response.text(), error: response.headers.get("x-error") };
  };

  test.each([
    ["plain", "Bearer plain.token"],
    ["variable", "Own v.token"],
    ["ignored", "Bearer caller"],
    ["send", "Bearer own.token"],
  ])("%s", async (name, body) => {
    expect(await call(name)).toEqual({ status: 200, body, error: null });
  });

  test("no token, no request", async () => {
    const { status, body, error } = await call("bad");
    expect([status, error]).toEqual([500, "authentication-managed-identity CredentialUnavailable"]);
    expect(body).not.toContain("resource");
    expect(upstream.seen).toEqual([]);
  });

  test("100 at once ask once, and later ones not at all, whatever has become of the platform", async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => call("many")));
    expect(new Set(all.map(({ body }) => body))).toEqual(new Set(["Bearer many.token"]));
    healthy = false;
    await gateway.reload();
    expect((await call("many")).body).toBe("Bearer many.token");
    expect(platform.seen).toHaveLength(1);
  });
});
