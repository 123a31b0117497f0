import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  type Written,
  exchangeOf,
  mistakesOf,
  policyStep,
  servicesOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { CONFIG_PATH, type Provider, answering, startProvider } from "../../tokens/provider.fixture.ts";
import { NOW, OTHER_RSA, RSA, b64, jwkOf, token } from "../../tokens/testing.ts";
import { createClient } from "../../transport/node/index.ts";
import { configurationUrl } from "../../tokens/entra.ts";
import { validateAzureAdToken } from "./policy.ts";

const TENANT = "11111111-2222-4333-8444-555555555555";
const OTHER = "99999999-2222-4333-8444-555555555555";
const CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad";
const APP = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const V2 = (tenant: string): string => `https://login.microsoftonline.com/${tenant}/v2.0`;
const V1 = (tenant: string): string => `https://sts.windows.net/${tenant}/`;
const CLAIMS = { iss: V2(TENANT), tid: TENANT, aud: APP, azp: APP, exp: NOW + 600, ver: "2.0" };

const client = createClient();
let entra: Provider;

beforeAll(async () => {
  entra = await startProvider([jwkOf(RSA.publicKey, { kid: "k1" })]);
});
beforeEach(() => {
  entra.issuer = V2(TENANT);
  entra.asked.length = 0;
});
afterAll(async () => {
  await client.close();
  await entra.close();
});

const issued = (more: object = {}, pair = RSA): string =>
  token("RS256", pair.privateKey, {
    header: { alg: "RS256", kid: "k1", typ: "JWT" },
    payload: { ...CLAIMS, ...more },
  });
const apps = (element: string, ...ids: unknown[]): Written["children"] => ({
  [element]: [{ children: { "application-id": ids.map((text) => ({ text })) } }],
});

async function judge(
  text: string,
  written: Written = {},
  headers = ["Authorization", `Bearer ${text}`],
): Promise<string> {
  const attributes = { "tenant-id": TENANT, "authentication-endpoint": entra.url, ...written.attributes };
  const exchange = exchangeOf({ headers }, snapshotOf(), servicesOf({ client }));
  try {
    await policyStep(validateAzureAdToken, { ...written, attributes }).run(exchange, null);
    return "ok";
  } catch (error) {
    const { source, status, reason } = error as { source: string; status: number; reason: string };
    return source === "validate-azure-ad-token" && status === 401 ? reason : String(error);
  }
}

const ISSUER = "TokenIssuerNotAllowed";
const VALUE = "TokenClaimValueNotAllowed";

test.each<[string, object, Written, string]>([
  ["v2", {}, {}, "ok"],
  ["v1", { iss: V1(TENANT), azp: undefined, appid: APP, ver: "1.0" }, {}, "ok"],
  ["another tenant", { iss: V2(OTHER), tid: OTHER }, {}, ISSUER],
  ["another tenant, v1", { iss: V1(OTHER), tid: OTHER }, {}, ISSUER],
  ["another tenant in tid", { tid: OTHER }, {}, ISSUER],
  ["no tid", { tid: undefined }, {}, "ok"],
  ["no issuer", { iss: undefined }, {}, ISSUER],
  ["the template as issuer", { iss: V2("{tenantid}") }, {}, ISSUER],
  [
    "the tenant as URL",
    {},
    { attributes: { "tenant-id": () => `https://login.microsoftonline.com/${TENANT}/` } },
    "ok",
  ],
  ["the tenant by its domain", {}, { attributes: { "tenant-id": "contoso.onmicrosoft.com" } }, "ok"],
  ["the tenant in capitals", {}, { attributes: { "tenant-id": TENANT.toUpperCase() } }, "ok"],
  ["expired", { exp: NOW }, {}, "TokenExpired"],
  ["never expires", { exp: undefined }, {}, "JwtInvalid"],
  [
    "a caller that is accepted",
    {},
    { children: apps("client-application-ids", OTHER, APP.toUpperCase()) },
    "ok",
  ],
  ["a caller by expression", {}, { children: apps("client-application-ids", () => APP) }, "ok"],
  ["another caller", {}, { children: apps("client-application-ids", OTHER) }, VALUE],
  ["a caller of v1", { azp: undefined, appid: APP }, { children: apps("client-application-ids", APP) }, "ok"],
  [
    "another caller of v1",
    { azp: undefined, appid: OTHER },
    { children: apps("client-application-ids", APP) },
    VALUE,
  ],
  ["azp before appid", { azp: OTHER, appid: APP }, { children: apps("client-application-ids", APP) }, VALUE],
  ["no caller", { azp: undefined }, { children: apps("client-application-ids", APP) }, VALUE],
  ["several callers", { azp: [OTHER, APP] }, { children: apps("client-application-ids", APP) }, VALUE],
  ["a backend that is accepted", {}, { children: apps("backend-application-ids", APP) }, "ok"],
  ["another backend", {}, { children: apps("backend-application-ids", OTHER) }, "TokenAudienceNotAllowed"],
  [
    "no audience",
    { aud: undefined },
    { children: apps("backend-application-ids", OTHER) },
    "TokenAudienceNotAllowed",
  ],
  ["an audience", {}, { children: { audiences: [{ children: { audience: [{ text: APP }] } }] } }, "ok"],
  [
    "another audience",
    {},
    { children: { audiences: [{ children: { audience: [{ text: "api://x" }] } }] } },
    "TokenAudienceNotAllowed",
  ],
  [
    "claims",
    { roles: ["a"] },
    {
      children: {
        "required-claims": [
          { children: { claim: [{ attributes: { name: "roles" }, children: { value: [{ text: "a" }] } }] } },
        ],
      },
    },
    "ok",
  ],
  [
    "claims missing",
    {},
    { children: { "required-claims": [{ children: { claim: [{ attributes: { name: "roles" } }] } }] } },
    "TokenClaimNotFound",
  ],
])("%s", async (_name, claims, written, expected) => {
  expect(await judge(issued(claims), written)).toBe(expected);
});

test.each<[string, object, string, string]>([
  ["organizations", {}, "organizations", "ok"],
  ["organizations, v1", { iss: V1(TENANT) }, "organizations", "ok"],
  ["organizations, another tenant", { iss: V2(OTHER), tid: OTHER }, "Organizations", "ok"],
  ["organizations, a person", { iss: V2(CONSUMERS), tid: CONSUMERS }, "organizations", ISSUER],
  ["common, a person", { iss: V2(CONSUMERS), tid: CONSUMERS }, "common", "ok"],
  ["consumers, a person", { iss: V2(CONSUMERS), tid: CONSUMERS }, "consumers", "ok"],
  ["consumers, a tenant", {}, "consumers", ISSUER],
  ["issuer and tid differ", { tid: OTHER }, "common", ISSUER],
  ["no tid", { tid: undefined }, "common", ISSUER],
  ["tid is no GUID", { iss: V2("x"), tid: "x" }, "common", ISSUER],
])("for many tenants: %s", async (_name, claims, tenant, expected) => {
  entra.issuer = V2("{tenantid}");
  expect(await judge(issued(claims), { attributes: { "tenant-id": tenant } })).toBe(expected);
});

test.each<[string, string, Written, string[] | undefined, string]>([
  ["absent", "", {}, [], "TokenNotPresent"],
  ["another scheme", issued.name, {}, ["Authorization", "Basic YTpi"], "TokenNotPresent"],
  ["no scheme", "", {}, ["Authorization", "a.b.c"], "TokenNotPresent"],
  ["unsigned", `${b64({ alg: "none" })}.${b64(CLAIMS)}.`, {}, undefined, "TokenSignatureInvalid"],
  ["a header of one's own", "", { attributes: { "header-name": "X-Token" } }, ["X-Token", "x"], "JwtInvalid"],
])("where it is: %s", async (_name, text, written, headers, expected) => {
  expect(await judge(text, written, headers)).toBe(expected);
});

test("where it is: a value, and the variable", async () => {
  const exchange = exchangeOf({}, snapshotOf(), servicesOf({ client }));
  const attributes = {
    "tenant-id": TENANT,
    "authentication-endpoint": entra.url,
    "token-value": () => issued(),
    "output-token-variable-name": "jwt",
  };
  await policyStep(validateAzureAdToken, { attributes }).run(exchange, null);
  expect((exchange.variables.get("jwt") as { first: (name: string) => string }).first("tid")).toBe(TENANT);
});

test("another's signature, and Entra being down", async () => {
  expect(await judge(issued({}, OTHER_RSA))).toBe("TokenSignatureInvalid");
  entra.answers.set(`/${TENANT}/v2.0${CONFIG_PATH}`, answering(500, ""));
  expect(await judge(issued())).toBe("TokenSignatureKeyNotFound");
  entra.answers.clear();
});

test.each([
  [
    "https://login.microsoftonline.com",
    TENANT,
    `https://login.microsoftonline.com/${TENANT}/v2.0/.well-known/openid-configuration`,
  ],
  [
    "login.microsoftonline.us/",
    " Contoso.com ",
    "https://login.microsoftonline.us/contoso.com/v2.0/.well-known/openid-configuration",
  ],
  [
    "https://login.microsoftonline.com/",
    `https://sts.windows.net/${TENANT}/`,
    `https://login.microsoftonline.com/${TENANT}/v2.0/.well-known/openid-configuration`,
  ],
  ["https://x", "../../evil?a#b", "https://x/..%2F..%2Fevil%3Fa%23b/v2.0/.well-known/openid-configuration"],
])("configuration of %s, %s", (endpoint, tenant, expected) => {
  expect(configurationUrl(endpoint, tenant)).toBe(expected);
});

test.each<[string, Record<string, unknown>, string[]]>([
  ["nothing wrong", {}, []],
  [
    "two places",
    { "header-name": "a", "token-value": "b" },
    ["only one of header-name, query-parameter-name and token-value may be given"],
  ],
  ["an endpoint that is none", { "authentication-endpoint": "https://" }, ['"https://" is not a URL']],
  ["a staleness that is none", { "jwks-max-stale": "x" }, ['"x" is not a time']],
])("said when it is saved: %s", (_name, attributes, expected) => {
  expect(mistakesOf(validateAzureAdToken, { attributes: { "tenant-id": TENANT, ...attributes } })).toEqual(
    expected,
  );
});
