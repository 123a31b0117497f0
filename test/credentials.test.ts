/** The credential manager from outside: tokens for policies, consents through the callback, what outlives a restart. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { commandLine } from "../src/cli/index.ts";
import { application } from "../src/start.ts";
import { type Files, type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { IDENTITY_SECRET, type IdentityProvider, startIdentityProvider } from "./identity-provider.ts";

const TENANT = "11111111-2222-4333-8444-555555555555";
const ALICE = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
let idp: IdentityProvider;
let serviceUrl: string;
let dataDir: string;
const closing: (() => Promise<unknown> | void)[] = [];

beforeEach(async () => {
  idp = await startIdentityProvider();
  const upstream = createServer((request, response) => response.end(request.headers.authorization ?? "none"));
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  serviceUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  dataDir = mkdtempSync(join(tmpdir(), "headgate-credentials-"));
  closing.push(
    () => rmSync(dataDir, { recursive: true, force: true }),
    () => void upstream.close(),
    () => idp.close(),
  );
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function provider(identityProvider: string, grant: object, name = "p"): Files {
  return {
    [`authorizationProviders/${name}/authorizationProviderInformation.json`]: {
      properties: {
        displayName: name,
        identityProvider,
        oauth2: {
          redirectUrl: "https://authorization-manager.consent.azure-apim.net/redirect/apim/mine",
          grantTypes: { authorizationCode: grant },
        },
      },
    },
  };
}

function connection(properties: object = { oauth2grantType: "AuthorizationCode" }, name = "c"): Files {
  return {
    [`authorizationProviders/p/authorizations/${name}/authorizationInformation.json`]: {
      properties: { authorizationType: "OAuth2", ...properties },
    },
  };
}

function accessPolicy(name: string, properties: object): Files {
  return {
    [`authorizationProviders/p/authorizations/c/accessPolicies/${name}/accessPolicyInformation.json`]: {
      properties,
    },
  };
}

const generic = (more: object = {}): object => ({
  clientId: "us",
  clientSecret: "{{idp-secret}}",
  scopes: "read,write",
  authorizationUrl: `${idp.url}/t/oauth2/authorize?audience=all`,
  tokenUrl: `${idp.url}/t/oauth2/token`,
  ...more,
});

/** Ids come from headers, as in the published labs, so that one API serves many. */
const GET = (more = ""): string => `
  <get-authorization-context provider-id='@(context.Request.Headers["providerId"][0])'
    authorization-id='@(context.Request.Headers["authId"][0])' context-variable-name="auth" ${more} />
  <set-header name="Authorization" exists-action="override">
    <value>@{
      var auth = (Authorization)context.Variables["auth"];
      return auth == null ? "nobody" : "Bearer " + auth.AccessToken + " " + (string)auth.Claims["token_type"] + " " + auth.Claims.GetValueOrDefault("expires_in", 0L);
    }</value>
  </set-header>`;

async function start(files: Files, more = "", environment = {}): Promise<TestGateway> {
  const gateway = await testGateway(
    {
      ...api("echo", serviceUrl, ["GET /hello"], {
        policy: policy({
          inbound: GET(more),
          onError:
            '<set-header name="X-Error"><value>@(context.LastError.Reason + ": " + context.LastError.Message)</value></set-header>',
        }),
      }),
      "policy.xml":
        "<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>",
      "namedValues/idp-secret/namedValueInformation.json": {
        properties: { displayName: "idp-secret", secret: true, value: "s3cret+/" },
      },
      ...files,
    },
    { dataDir, environment },
  );
  closing.push(() => gateway.close());
  const redirectUrls = [`${gateway.url}/authorization-manager/redirect/p`];
  idp.clients.set("us", { secret: "s3cret+/", redirectUrls });
  return gateway;
}

async function call(gateway: TestGateway, headers: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(`${gateway.url}/echo/hello`, {
    headers: { providerId: "p", authId: "c", ...headers },
  });
  const text = await answer.text();
  return answer.status === 200 ? text : `${answer.status} ${answer.headers.get("x-error")}`;
}

/** What the browser does: to the provider and back, never further. */
async function visit(link: string): Promise<Response> {
  const there = await fetch(link, { redirect: "manual" });
  expect(there.status).toBe(302);
  return fetch(there.headers.get("location")!, { redirect: "manual" });
}

test("client credentials: 30 calls at once cost one token, with the client's secret from a named value", async () => {
  const gateway = await start({
    ...provider("oauth2", {}),
    ...connection({ oauth2grantType: "ClientCredentials", parameters: generic() }),
  });
  const all = new Set(await Promise.all(Array.from({ length: 30 }, () => call(gateway))));
  expect(idp.asked).toEqual(["client_credentials 200"]);
  expect([...all]).toEqual([`Bearer ${idp.lastAccessToken} Bearer 3600`]);
  const claims = JSON.parse(Buffer.from(idp.lastAccessToken!.split(".")[1]!, "base64url").toString());
  expect(claims).toMatchObject({ sub: "us", scp: "read write" });
  // Nobody consented to it, so it is not kept.
  expect(readdirSync(dataDir)).not.toContain("credentials.db");
});

test("Microsoft Entra by its own parameters: tenant, resource, where it is", async () => {
  const gateway = await start({
    ...provider("aad", {}),
    ...connection({
      oauth2grantType: "ClientCredentials",
      parameters: {
        clientId: "us",
        clientSecret: "s3cret+/",
        loginUri: idp.url,
        tenantId: TENANT,
        resourceUri: "https://graph.example",
      },
    }),
  });
  await call(gateway);
  const claims = JSON.parse(Buffer.from(idp.lastAccessToken!.split(".")[1]!, "base64url").toString());
  expect(claims).toMatchObject({ tid: TENANT, aud: "https://graph.example" });
});

describe.each([
  ["with a secret", "oauth2", {}],
  ["with PKCE and a secret", "oauth2pkce", {}],
  ["with PKCE alone", "OAuth2PKCE", { clientSecret: "" }],
])("consent %s", (_name, kind, grant) => {
  it("link, provider, callback, call; and it outlives the process", async () => {
    const files = { ...provider(kind, generic(grant)), ...connection() };
    const gateway = await start(files);
    if ("clientSecret" in grant) idp.clients.set("us", { ...idp.clients.get("us")!, secret: null });
    expect(await call(gateway)).toMatch(
      /^500 CredentialUnavailable: Nobody has given consent for the connection p\/c yet/,
    );
    const link = gateway.loginLink("P", "C", null);
    expect(new URL(link).searchParams.get("audience")).toBe("all");
    const landed = await visit(link);
    expect(landed.status).toBe(200);
    expect(await landed.text()).toContain("p/c is connected");
    expect(await call(gateway)).toBe(`Bearer ${idp.lastAccessToken} Bearer 3600`);
    await gateway.close();
    const again = await start(files);
    if ("clientSecret" in grant) idp.clients.set("us", { ...idp.clients.get("us")!, secret: null });
    expect(await call(again)).toBe(`Bearer ${idp.lastAccessToken} Bearer 3600`);
    expect(idp.asked).toEqual(["authorization_code 200"]);
  });
});

test("consent to a client that proves itself with the gateway's own identity", async () => {
  const [path, content] = Object.entries(provider("aad", { clientId: "us", loginUri: idp.url }))[0]!;
  const federated = JSON.parse(
    JSON.stringify(content).replace(
      '"authorizationCode"',
      '"authorizationCodeWithFederatedIdentityCredentials"',
    ),
  );
  const gateway = await start({ [path]: federated, ...connection() }, "", {
    IDENTITY_ENDPOINT: `${idp.url}/msi/token`,
    IDENTITY_HEADER: IDENTITY_SECRET,
  });
  idp.clients.set("us", { ...idp.clients.get("us")!, secret: null, federated: true });
  // The provider wants a challenge of clients without a secret, unless they are federated.
  expect((await visit(gateway.loginLink("p", "c", null))).status).toBe(200);
  expect(await call(gateway)).toBe(`Bearer ${idp.lastAccessToken} Bearer 3600`);
});

test("what is kept is sealed, and its owner's alone", async () => {
  const gateway = await start({ ...provider("oauth2", generic()), ...connection() });
  await visit(gateway.loginLink("p", "c", null));
  await gateway.close();
  for (const file of readdirSync(dataDir).filter((name) => name.startsWith("credentials"))) {
    expect(`${file} ${(statSync(join(dataDir, file)).mode & 0o777).toString(8)}`).toBe(`${file} 600`);
    expect(readFileSync(join(dataDir, file)).includes(idp.lastAccessToken!.slice(0, 20))).toBe(false);
  }
  expect(readdirSync(dataDir)).toEqual(expect.arrayContaining(["credentials.db", "credentials.key"]));
});

test("the person is sent on to where the link said", async () => {
  const gateway = await start({ ...provider("oauth2", generic()), ...connection() });
  const landed = await visit(gateway.loginLink("p", "c", "https://portal.example/done?x=1"));
  expect(landed.status).toBe(302);
  expect(landed.headers.get("location")).toBe("https://portal.example/done?x=1");
});

test.each<[string, (back: URL) => void, number, string]>([
  ["a state that was changed", (back) => back.searchParams.set("state", "x.y"), 400, "cannot be used"],
  [
    "a state of our making with another signature",
    (back) => back.searchParams.set("state", `${back.searchParams.get("state")!.split(".")[0]}.AAAA`),
    400,
    "cannot be used",
  ],
  ["no state", (back) => back.searchParams.delete("state"), 400, "cannot be used"],
  ["another provider's callback", (back) => (back.pathname += "x"), 400, "cannot be used"],
  ["no code", (back) => back.searchParams.delete("code"), 400, "sent no code"],
  ["a code that is not the provider's", (back) => back.searchParams.set("code", "x"), 502, "invalid_grant"],
  [
    "an error with markup in it",
    (back) => back.searchParams.set("error", "<script>alert(1)</script>"),
    400,
    "The provider says: &#60;script&#62;",
  ],
])("the callback refuses %s", async (_name, change, status, text) => {
  const gateway = await start({ ...provider("oauth2pkce", generic()), ...connection() });
  const there = await fetch(gateway.loginLink("p", "c", null), { redirect: "manual" });
  const back = new URL(there.headers.get("location")!);
  change(back);
  const landed = await fetch(back);
  const page = await landed.text();
  expect([landed.status, page.includes(text)]).toEqual([status, true]);
  expect(page).not.toMatch(/s3cret|<script/);
  expect(landed.headers.get("cache-control")).toBe("no-store");
  expect(await call(gateway)).toMatch(/^500 CredentialUnavailable/);
});

test("a link works once, also when the person said no", async () => {
  const gateway = await start({ ...provider("oauth2", generic()), ...connection() });
  const link = gateway.loginLink("p", "c", null);
  idp.denies = "access_denied";
  expect(await (await visit(link)).text()).toContain("The provider says: access_denied");
  idp.denies = null;
  expect((await visit(link)).status).toBe(400);
  expect((await visit(gateway.loginLink("p", "c", null))).status).toBe(200);
});

test("a connection that leaves the configuration takes its tokens along", async () => {
  const files = { ...provider("oauth2", generic()), ...connection() };
  const gateway = await start(files);
  await visit(gateway.loginLink("p", "c", null));
  gateway.remove("authorizationProviders/p/authorizations/c");
  expect(await gateway.reload()).toEqual([]);
  expect(await call(gateway)).toMatch(/^500 AuthorizationNotFound: There is no connection p\/c/);
  for (const [path, content] of Object.entries(connection())) gateway.write(path, JSON.stringify(content));
  await gateway.reload();
  expect(await call(gateway)).toMatch(/^500 CredentialUnavailable: Nobody has given consent/);
});

test.each<[string, string, (gateway: TestGateway) => unknown]>([
  ["no such connection", "c2", () => {}],
  ["no consent", "c", () => {}],
])("ignore-error: %s leaves null", async (_name, authId) => {
  const gateway = await start({ ...provider("oauth2", generic()), ...connection() }, 'ignore-error="true"');
  expect(await call(gateway, { authId })).toBe("nobody");
});

test("a provider that is down, or that does not know us, is said in the policy's error", async () => {
  const gateway = await start({
    ...provider("oauth2", {}),
    ...connection({ oauth2grantType: "ClientCredentials", parameters: generic({ clientId: "them" }) }),
    ...connection({ oauth2grantType: "ClientCredentials", parameters: generic() }, "down"),
  });
  expect(await call(gateway)).toBe(
    "500 CredentialUnavailable: the token endpoint of p answered 401 (invalid_client: no such client, or a wrong secret)",
  );
  idp.down = 503;
  expect(await call(gateway, { authId: "down" })).toBe(
    "500 CredentialUnavailable: the token endpoint of p answered 503",
  );
});

describe("identity-type jwt", () => {
  const AUDIENCE = "https://azure-api.net/authorization-manager";
  const files = (): Files => ({
    ...provider("oauth2", {}),
    ...connection({ oauth2grantType: "ClientCredentials", parameters: generic() }),
    ...accessPolicy("alice", { tenantId: TENANT, objectId: ALICE.toUpperCase() }),
    ...accessPolicy("app", { tenantId: TENANT, objectId: "a-group", appIds: ["the-app"] }),
  });
  const JWT =
    'identity-type="jwt" identity="@(context.Request.Headers.GetValueOrDefault(&quot;X-Identity&quot;, &quot;&quot;))"';

  test.each<[string, (() => string) | string, RegExp]>([
    ["whom a policy names", () => idp.issue(TENANT, { aud: AUDIENCE, oid: ALICE }), /^Bearer /],
    [
      "in a group, through the app",
      () => idp.issue(TENANT, { aud: AUDIENCE, oid: "b", groups: ["x", "a-group"], azp: "the-app" }),
      /^Bearer /,
    ],
    [
      "in a group, through another app",
      () => idp.issue(TENANT, { aud: AUDIENCE, oid: "b", groups: ["a-group"], azp: "x" }),
      /^500 AccessDenied.*names the one/,
    ],
    [
      "somebody else",
      () => idp.issue(TENANT, { aud: AUDIENCE, oid: "b" }),
      /^500 AccessDenied.*names the one/,
    ],
    [
      "of another tenant",
      () => idp.issue("other", { aud: AUDIENCE, oid: ALICE }),
      /^500 AccessDenied.*names the tenant/,
    ],
    [
      "with a token for something else",
      () => idp.issue(TENANT, { aud: "api", oid: ALICE }),
      /^500 AccessDenied/,
    ],
    [
      "with a token that has run out",
      () => idp.issue(TENANT, { aud: AUDIENCE, oid: ALICE, exp: 1 }),
      /^500 AccessDenied/,
    ],
    [
      "with a token that nobody signed",
      () => idp.issue(TENANT, { aud: AUDIENCE, oid: ALICE }).replace(/\.[^.]*$/, "."),
      /^500 AccessDenied/,
    ],
    ["with nothing", "", /^500 AccessDenied.*identity is empty/],
    ["with nonsense", "nonsense", /^500 AccessDenied/],
  ])("%s", async (_name, token, expected) => {
    const gateway = await start(files(), JWT, { AZURE_AUTHORITY_HOST: idp.url });
    expect(await call(gateway, { "X-Identity": typeof token === "string" ? token : token() })).toMatch(
      expected,
    );
  });
});

test.each<[string, Files, string[]]>([
  [
    "an unknown provider",
    { ...provider("gitub", {}), ...connection() },
    ['HG5521 credential provider `p` has the unknown `identityProvider` "gitub"'],
  ],
  [
    "nothing to ask",
    { ...provider("oauth2", { clientId: "x" }), ...connection() },
    [
      "HG5520 the credential connection `p/c` cannot be used: it has no `tokenUrl`",
      "HG5520 the credential connection `p/c` cannot be used: it has no `authorizationUrl`",
    ],
  ],
  [
    "no client",
    { ...provider("github", {}), ...connection() },
    ["HG5520 the credential connection `p/c` cannot be used: it has no `clientId`"],
  ],
  [
    "no instance",
    { ...provider("servicenow", { clientId: "x" }), ...connection() },
    ["HG5520 the credential connection `p/c` cannot be used: it has no `instanceName`"],
  ],
  [
    "no URL",
    {
      ...provider("oauth2", { clientId: "x", tokenUrl: "/token", authorizationUrl: "https://x.example" }),
      ...connection(),
    },
    [
      "HG5520 the credential connection `p/c` cannot be used: its `tokenUrl` is not an absolute http or https URL: `/token`",
    ],
  ],
  [
    "a named value that is not there",
    { ...provider("github", { clientId: "{{clinet}}" }), ...connection() },
    ["HG5503 the named value `clinet` does not exist"],
  ],
  ["nothing wrong without secrets", { ...provider("github", { clientId: "x" }), ...connection() }, []],
])("a folder with %s", async (_name, files, expected) => {
  const gateway = await start({});
  for (const [path, content] of Object.entries(files)) gateway.write(path, JSON.stringify(content));
  const problems = await gateway.reload();
  expect(problems.map(({ code, message }) => `${code} ${message}`)).toEqual(expected);
});

describe("headgate login", () => {
  async function run(...args: string[]): Promise<{ code: number; out: string; errors: string }> {
    const texts = { out: "", errors: "" };
    const into = (name: keyof typeof texts): Writable =>
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          texts[name] += chunk.toString();
          done();
        },
      });
    const code = await commandLine(
      { ...application, stdout: into("out"), stderr: into("errors"), environment: {} },
      ["login", ...args, "--data-dir", dataDir],
    );
    return { code, ...texts };
  }

  it("prints a link that works", async () => {
    const gateway = await start({ ...provider("oauth2", generic()), ...connection() });
    const { code, out, errors } = await run("p/c");
    expect([code, errors]).toEqual([
      0,
      expect.stringContaining(`${gateway.url}/authorization-manager/redirect/p`),
    ]);
    expect((await visit(out.trim())).status).toBe(200);
  });

  it.each([
    ["p/d", 1, "There is no connection p/d"],
    ["p", 64, "PROVIDER/AUTHORIZATION"],
    ["p/cc", 1, "nobody signs in for it"],
  ])("%s exits with %d", async (name, expected, text) => {
    await start({
      ...provider("oauth2", generic()),
      ...connection(),
      ...connection({ oauth2grantType: "ClientCredentials", parameters: generic() }, "cc"),
    });
    const { code, errors } = await run(name);
    expect([code, errors]).toEqual([expected, expect.stringContaining(text)]);
  });
});
