import { constants, createHash, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { PFX_MODERN } from "../../compiler/runtime/library/crypto.fixtures.ts";
import { type OpenedCertificate, openCertificate } from "../../gateway/certificate.ts";
import { CredentialError } from "../../gateway/identity.ts";
import { FakeClock } from "../../gateway/testing.ts";
import { createClient } from "../../transport/node/index.ts";
import type { Client } from "../../transport/transport.ts";
import { makeIdentities } from "./identities.ts";
import { readIdentitySettings } from "./settings.ts";
import { type Reply, type Seen, type StandIn, startStandIn } from "./stand-in.fixture.ts";

const RESOURCE = "https://cognitiveservices.azure.com";
const TENANT = "11111111-1111-1111-1111-111111111111";
const TOKEN = { access_token: "eyJ.a.b", token_type: "Bearer" };

let client: Client;
let standIn: StandIn;
let folder: string;
beforeAll(async () => {
  client = createClient();
  standIn = await startStandIn(() => ({}));
  folder = mkdtempSync(join(tmpdir(), "headgate-identity-"));
});
afterAll(async () => {
  await client.close();
  await standIn.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  standIn.seen.length = 0;
});

function identitiesIn(environment: Record<string, string>, clock = new FakeClock()) {
  return makeIdentities(
    { client, clock, random: () => 0.5, log: () => {} },
    readIdentitySettings(environment),
  );
}

/** As the real ones do: a wrong question gets no token. */
function strict(
  check: (seen: Seen) => string | null,
  good: object = { ...TOKEN, expires_in: "3600", expires_on: "1700003600" },
): StandIn["answer"] {
  return (seen): Reply => {
    const wrong = check(seen);
    return wrong === null
      ? { body: good }
      : { status: 400, body: { error: "invalid_request", error_description: wrong } };
  };
}

const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

describe("instance metadata", () => {
  const environment = () => ({ AZURE_POD_IDENTITY_AUTHORITY_HOST: standIn.url });
  const metadata = strict(({ method, path, query, headers }) =>
    method !== "GET" || path !== "/metadata/identity/oauth2/token"
      ? "not found"
      : headers["metadata"] !== "true"
        ? "Required metadata header not specified"
        : headers["x-forwarded-for"] !== undefined
          ? "forwarded"
          : query.get("api-version") !== "2018-02-01"
            ? "api-version"
            : (query.get("resource") ?? "") === ""
              ? "resource"
              : null,
  );

  test.each([
    [RESOURCE, null, "api-version=2018-02-01&resource=https%3A%2F%2Fcognitiveservices.azure.com"],
    ["https://vault.azure.net/", null, "api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net%2F"],
    ["api://a b&c=d", "id/1", "api-version=2018-02-01&resource=api%3A%2F%2Fa%20b%26c%3Dd&client_id=id%2F1"],
  ])("%s, %s", async (resource, clientId, query) => {
    standIn.answer = metadata;
    expect(await identitiesIn(environment()).azureToken(resource, clientId)).toBe(TOKEN.access_token);
    expect(standIn.seen.map(({ target }) => target)).toEqual([`/metadata/identity/oauth2/token?${query}`]);
  });

  test("100 concurrent requests cost one call; each resource and each identity has its own", async () => {
    standIn.answer = metadata;
    const identities = identitiesIn(environment());
    const get = (): (string | Promise<string>)[] => [
      identities.azureToken(RESOURCE, null),
      identities.azureToken(RESOURCE, "user"),
      identities.azureToken(`${RESOURCE}/`, null),
    ];
    await Promise.all(Array.from({ length: 100 }, get).flat());
    expect(standIn.seen).toHaveLength(3);
    expect(get()).toEqual(Array(3).fill(TOKEN.access_token));
  });

  test.each<[number, Record<string, string>, number]>([
    [404, {}, 375],
    [410, {}, 375],
    [429, { "retry-after": "2" }, 2000],
    [429, { "retry-after": "86400" }, 4000],
    [500, {}, 375],
    [503, {}, 375],
  ])("%d is asked again, after a while", async (status, headers, waitMs) => {
    const clock = new FakeClock();
    standIn.answer = (seen) => (standIn.seen.length === 1 ? { status, headers } : metadata(seen));
    const got = identitiesIn(environment(), clock).azureToken(RESOURCE, null);
    for (;;) {
      await new Promise((done) => setImmediate(done));
      if (standIn.seen.length === 1 && clock.waits[0] === waitMs) break;
    }
    await new Promise((done) => setImmediate(done));
    clock.advance(waitMs);
    expect(await got).toBe(TOKEN.access_token);
    expect(standIn.seen).toHaveLength(2);
  });

  test("400 is not asked again, and says why", async () => {
    standIn.answer = () => ({
      status: 400,
      body: { error: "invalid_request", error_description: "Identity not found" },
    });
    const got = identitiesIn(environment()).azureToken(RESOURCE, "nobody");
    await expect(got).rejects.toThrow(
      /^There is no token for https:\/\/cognitiveservices\.azure\.com: the instance metadata service \(no IDENTITY_ENDPOINT.*\) answered 400: Identity not found\.$/,
    );
    expect(standIn.seen).toHaveLength(1);
  });

  test.each<[string, Reply]>([
    ["no JSON", { body: "<html>" }],
    ["no token", { body: { expires_in: 1 } }],
    ["a token with a line break", { body: { access_token: "a\r\nX: y", expires_in: 3600 } }],
    ["no word on how long", { body: TOKEN }],
    ["a token that has run out", { body: { ...TOKEN, expires_on: 1_600_000_000 } }],
    ["more than anybody reads", { body: `{"a":"${"x".repeat(300_000)}"}` }],
    ["a redirect", { status: 302, headers: { location: "/elsewhere" } }],
  ])("%s is no token", async (_name, reply) => {
    standIn.answer = () => reply;
    await expect(identitiesIn(environment()).azureToken(RESOURCE, null)).rejects.toBeInstanceOf(
      CredentialError,
    );
  });
});

test("expires_on says when it ends, not expires_in", async () => {
  const clock = new FakeClock();
  standIn.answer = () => ({
    body: { ...TOKEN, expires_in: "86400", expires_on: String(clock.ms / 1000 + 1200) },
  });
  const identities = identitiesIn({ AZURE_POD_IDENTITY_AUTHORITY_HOST: standIn.url }, clock);
  await identities.azureToken(RESOURCE, null);
  clock.advance(1_199_999 - 600_000);
  identities.azureToken(RESOURCE, null);
  expect(standIn.seen).toHaveLength(1);
  clock.advance(600_001);
  await identities.azureToken(RESOURCE, null);
  expect(standIn.seen).toHaveLength(2);
});

test.each([null, "user"])("App Service and Container Apps, client id %s", async (clientId) => {
  standIn.answer = strict(({ method, path, query, headers }) =>
    method !== "GET" || path !== "/msi/token"
      ? "not found"
      : headers["x-identity-header"] !== "853b9a84"
        ? "X-IDENTITY-HEADER"
        : query.get("api-version") !== "2019-08-01"
          ? "api-version"
          : query.get("client_id") !== clientId
            ? "client_id"
            : query.get("resource") !== RESOURCE
              ? "resource"
              : null,
  );
  // The platform's own comes before an application's.
  const environment = {
    IDENTITY_ENDPOINT: `${standIn.url}/msi/token`,
    IDENTITY_HEADER: "853b9a84",
    AZURE_TENANT_ID: TENANT,
    AZURE_CLIENT_ID: "x",
    AZURE_CLIENT_SECRET: "x",
  };
  expect(await identitiesIn(environment).azureToken(RESOURCE, clientId)).toBe(TOKEN.access_token);
});

describe("as an application", () => {
  const entra = (proof: (form: URLSearchParams) => string | null, clientId = "app"): StandIn["answer"] =>
    strict(
      ({ method, path, form, headers }) =>
        method !== "POST" || path !== `/${TENANT}/oauth2/v2.0/token`
          ? "not found"
          : headers["content-type"] !== "application/x-www-form-urlencoded"
            ? "content-type"
            : form.get("grant_type") !== "client_credentials"
              ? "grant_type"
              : form.get("client_id") !== clientId
                ? "AADSTS700016: Application not found"
                : form.get("scope") !== `${RESOURCE}/.default`
                  ? "scope"
                  : proof(form),
      { ...TOKEN, expires_in: 3599, ext_expires_in: 3599 },
    );
  const assertionOf = (form: URLSearchParams): string =>
    form.get("client_assertion_type") === "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
      ? (form.get("client_assertion") ?? "")
      : "";
  const environment = (more: Record<string, string>) => ({
    AZURE_AUTHORITY_HOST: `${standIn.url}/`,
    AZURE_TENANT_ID: TENANT,
    AZURE_CLIENT_ID: "app",
    ...more,
  });

  test("workload identity: the federated token as the file has it now", async () => {
    let expected = "first";
    standIn.answer = entra((form) =>
      assertionOf(form) === expected
        ? null
        : "AADSTS700024: Client assertion is not within its valid time range",
    );
    const clock = new FakeClock();
    const identities = identitiesIn(
      environment({ AZURE_FEDERATED_TOKEN_FILE: file("token", "first\n") }),
      clock,
    );
    expect(await identities.azureToken(RESOURCE, null)).toBe(TOKEN.access_token);
    expected = "second";
    file("token", "second");
    clock.advance(3_600_000);
    expect(await identities.azureToken(RESOURCE, null)).toBe(TOKEN.access_token);
  });

  test("client-id names another application", async () => {
    standIn.answer = entra(() => null, "other");
    expect(
      await identitiesIn(environment({ AZURE_FEDERATED_TOKEN_FILE: file("token", "t") })).azureToken(
        `${RESOURCE}/.default`,
        "other",
      ),
    ).toBe(TOKEN.access_token);
  });

  test("a secret", async () => {
    standIn.answer = entra((form) =>
      form.get("client_secret") === "s3cr+t&=" ? null : "AADSTS7000215: Invalid client secret provided",
    );
    expect(
      await identitiesIn(environment({ AZURE_CLIENT_SECRET: "s3cr+t&=" })).azureToken(RESOURCE, null),
    ).toBe(TOKEN.access_token);
  });

  test.each(["pem", "pfx"])("a certificate: an assertion signed with its key (%s)", async (format) => {
    const pfx = Buffer.from(PFX_MODERN, "base64");
    const { client: pem, certificate } = openCertificate(pfx, "secret") as OpenedCertificate;
    standIn.answer = entra((form) => {
      const [header = "", claims = "", signature = ""] = assertionOf(form).split(".");
      const { alg, typ, ...rest } = JSON.parse(Buffer.from(header, "base64url").toString()) as Record<
        string,
        string
      >;
      if (alg !== "PS256" || typ !== "JWT") return "header";
      if (rest["x5t#S256"] !== createHash("sha256").update(certificate.raw).digest("base64url"))
        return "AADSTS700027: thumbprint";
      const { aud, iss, sub, jti, nbf, exp } = JSON.parse(
        Buffer.from(claims, "base64url").toString(),
      ) as Record<string, string>;
      if (aud !== `${standIn.url}/${TENANT}/oauth2/v2.0/token` || iss !== "app" || sub !== "app" || !jti)
        return "claims";
      if (Number(nbf) > 1_700_000_000 || Number(exp) !== 1_700_000_600) return "time";
      const key = { key: certificate.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
      return verify("sha256", Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url"))
        ? null
        : "signature";
    });
    const content = format === "pem" ? Object.values(pem!).join("\n") : pfx;
    const identities = identitiesIn(
      environment({
        AZURE_CLIENT_CERTIFICATE_PATH: file(`app.${format}`, content),
        AZURE_CLIENT_CERTIFICATE_PASSWORD: "secret",
      }),
    );
    expect(await identities.azureToken(RESOURCE, null)).toBe(TOKEN.access_token);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ["no tenant", { AZURE_CLIENT_ID: "a", AZURE_CLIENT_SECRET: "s" }, /AZURE_TENANT_ID is not set/],
    ["no application", { AZURE_TENANT_ID: TENANT, AZURE_CLIENT_SECRET: "s" }, /AZURE_CLIENT_ID/],
    [
      "no token file",
      { AZURE_FEDERATED_TOKEN_FILE: "/nowhere" },
      /The file of AZURE_FEDERATED_TOKEN_FILE \(\/nowhere\) cannot be read/,
    ],
    ["no certificate", { AZURE_CLIENT_CERTIFICATE_PATH: "/nowhere" }, /AZURE_CLIENT_CERTIFICATE_PATH/],
  ])("%s", async (_name, given, message) => {
    await expect(identitiesIn(given).azureToken(RESOURCE, null)).rejects.toThrow(message);
  });
});
