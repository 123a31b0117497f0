/**
 * Policies as the authorization server of an MCP server: the constructs are those of the published lab
 * `mcp-client-authorization`, the words our own (`labs/mcp-client-authorization/`).
 */
import { createCipheriv } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import {
  Browser,
  McpClient,
  type Metadata,
  type Page,
  type Registered,
  type Stage,
  startStage,
} from "./oauth-dance.ts";

const folder = join(import.meta.dirname, "labs/mcp-client-authorization");
let stage: Stage;
let metadata: Metadata;

beforeAll(async () => {
  const documents = Object.fromEntries(
    readdirSync(folder).map((file) => [file.replace(/\.xml$/, ""), readFileSync(join(folder, file), "utf8")]),
  );
  stage = await startStage(() => documents);
  metadata = await new McpClient().discover(stage.gateway.url);
});
afterAll(() => stage.close());

interface Dancer {
  readonly client: McpClient;
  readonly browser: Browser;
  readonly registered: Registered;
  /** The consent page. */
  readonly page: Page;
}

async function begin(name?: string): Promise<Dancer> {
  const [client, browser] = [new McpClient(), new Browser()];
  const registered = await client.register(metadata, name);
  const page = await browser.open(client.authorizationUrl(metadata, registered.client_id), {}, client.isBack);
  return { client, browser, registered, page };
}

async function finish({ client, browser, page }: Dancer): Promise<string> {
  const back = await browser.submit(page, "allow", client.isBack);
  expect(back.url.href.split("?")[0]).toBe(client.redirectUrl);
  expect(back.url.searchParams.get("state")).toBe(client.state);
  return back.url.searchParams.get("code")!;
}

test("discovery, registration, consent, sign-in, code, token, call", async () => {
  const { url } = stage.gateway;
  expect(metadata).toMatchObject({ issuer: url, registration_endpoint: `${url}/register` });
  const dancer = await begin();
  const { client, browser, registered } = dancer;
  expect(registered).toMatchObject({ redirect_uris: [client.redirectUrl], client_name: "Inspector" });
  expect(stage.store.get(registered.client_id)).toMatchObject({ client_uri: "https://client.example" });

  expect([dancer.page.status, dancer.page.headers.get("x-frame-options")]).toEqual([200, "DENY"]);
  expect(dancer.page.text).toContain("<li><code>openid</code></li>");
  const code = await finish(dancer);
  expect(browser.trail.map((at) => at.replace(url, "").replace(stage.idp.url, "idp"))).toEqual([
    "/consent",
    "/authorize",
    "idp/contoso/oauth2/v2.0/authorize",
    "/oauth-callback",
    client.redirectUrl,
  ]);
  // The state was for one use.
  expect([...browser.cookies.get(url)!.keys()]).toEqual(["__Host-APPROVED"]);

  const answer = await client.token(metadata, registered.client_id, code);
  expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
  const { access_token: bearer, ...rest } = (await answer.json()) as { access_token: string };
  expect(rest).toEqual({
    token_type: "Bearer",
    expires_in: 3600,
    refresh_token: "",
    scope: "openid profile email",
  });

  const called = await client.call(url, bearer);
  expect(await called.json()).toMatchObject({ result: { tools: [{ name: "weather" }] } });
  expect(stage.toolCalls.at(-1)).toBe(`Bearer ${stage.idp.lastAccessToken}`);
});

describe("the tools refuse", () => {
  const sealed = (text: string): string => {
    const cipher = createCipheriv("aes-256-cbc", stage.key, stage.iv);
    return Buffer.concat([cipher.update(text), cipher.final()]).toString("base64");
  };
  it.each<[string, () => string | null]>([
    ["a call without a token", () => null],
    ["a token that is none", () => "abc"],
    ["a token of another key", () => Buffer.alloc(32, 7).toString("base64")],
    ["a session that was never begun", () => sealed("0123456789abcdef0123456789abcdef")],
  ])("%s", async (_name, bearer) => {
    const calls = stage.toolCalls.length;
    const answer = await new McpClient().call(stage.gateway.url, bearer());
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([
      401,
      expect.stringMatching(/^Bearer realm="tools"/),
    ]);
    expect(stage.toolCalls.length).toBe(calls);
  });
});

test("an approval is remembered: the second time nobody is asked", async () => {
  const dancer = await begin();
  await finish(dancer);
  const { client, browser, registered } = dancer;
  browser.trail.length = 0;
  await browser.open(client.authorizationUrl(metadata, registered.client_id), {}, () => true);
  expect(browser.trail[0]).toBe(`${stage.idp.url}/contoso/oauth2/v2.0/authorize`);
  // Another client of the same person is asked for; both are remembered then.
  const other = { ...(await begin()), browser };
  const link = other.client.authorizationUrl(metadata, other.registered.client_id);
  const page = await browser.open(link, {}, other.client.isBack);
  await finish({ ...other, page });
  const cookie = browser.cookies.get(stage.gateway.url)!.get("__Host-APPROVED")!;
  const clients = JSON.parse(Buffer.from(cookie, "base64").toString()) as string[];
  expect(clients).toEqual(
    [registered, other.registered].map((one) => `${one.client_id}:${client.redirectUrl}`),
  );
});

test("a refusal is remembered", async () => {
  const { client, browser, registered, page } = await begin();
  const refused = await browser.submit(page, "deny");
  expect([refused.status, refused.text.includes("You have said no.")]).toEqual([403, true]);
  const again = await browser.open(client.authorizationUrl(metadata, registered.client_id));
  expect([again.status, again.text.includes("You have said no before.")]).toEqual([403, true]);
});

describe("the consent form cannot be sent", () => {
  it("twice", async () => {
    const dancer = await begin();
    await finish(dancer);
    expect((await dancer.browser.submit(dancer.page, "allow")).status).toBe(403);
  });

  it.each<[string, (form: URLSearchParams) => void, Record<string, string>]>([
    ["from elsewhere", () => {}, { Origin: "https://evil.example" }],
    ["from elsewhere, by what the browser says", () => {}, { "Sec-Fetch-Site": "cross-site" }],
    ["from nowhere", () => {}, { Origin: "" }],
    ["with a token of another's making", (form) => form.set("csrf_token", "x"), {}],
    ["without a token", (form) => form.delete("csrf_token"), {}],
    ["for another client", (form) => form.set("client_id", "x"), {}],
    ["for another address", (form) => form.set("redirect_uri", "http://127.0.0.1:33418/callbacl"), {}],
  ])("%s", async (_name, change, headers) => {
    const { browser, page } = await begin();
    const answer = await browser.submit(page, "allow", undefined, change, headers);
    expect([answer.status, answer.headers.get("set-cookie")]).toEqual([403, null]);
  });

  it("but with a Referer in place of an Origin", async () => {
    const { browser, client, page } = await begin();
    const referer = { Origin: "", Referer: page.url.href };
    expect((await browser.submit(page, "allow", client.isBack, undefined, referer)).status).toBe(302);
  });
});

test("what the client says of itself is no markup", async () => {
  const { page } = await begin("<script>alert('x')</script>");
  expect(page.text).toContain("<code>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</code>");
});

test("nobody knows a client that has not registered", async () => {
  const there = await new Browser().open(new McpClient().authorizationUrl(metadata, "stranger"));
  expect([there.status, there.text.includes("Nobody knows stranger.")]).toEqual([403, true]);
  const page = await new Browser().open(`${stage.gateway.url}/consent?client_id=a%26b`);
  expect([page.status, page.text.includes("Nobody knows a&amp;b.")]).toEqual([403, true]);
});

test("a registration outlives the gateway's cache: the store is asked", async () => {
  const client = new McpClient();
  stage.store.set("kept", { id: "kept", client_name: "Kept", redirect_uris: [client.redirectUrl] });
  const browser = new Browser();
  const page = await browser.open(client.authorizationUrl(metadata, "kept"));
  expect(page.text).toContain("<code>Kept</code>");
  const code = await finish({ client, browser, page, registered: { client_id: "kept", redirect_uris: [] } });
  expect((await client.token(metadata, "kept", code)).status).toBe(200);
});

test.each<[string, (link: URL) => void]>([
  ["no client", (link) => link.searchParams.delete("client_id")],
  ["no challenge", (link) => link.searchParams.delete("code_challenge")],
  ["no state", (link) => link.searchParams.delete("state")],
])("authorize refuses %s", async (_name, change) => {
  const link = new McpClient().authorizationUrl(metadata, "any");
  change(link);
  const page = await new Browser().open(link);
  expect([page.status, JSON.parse(page.text)]).toMatchObject([400, { error: "invalid_request" }]);
});

test.each<[string, (browser: Browser, gateway: string) => void]>([
  ["no cookie", (browser, gateway) => void browser.cookies.get(gateway)!.delete("__Host-CONSENT_STATE")],
  [
    "a cookie with another state",
    (browser, gateway) =>
      void browser.cookies
        .get(gateway)!
        .set("__Host-CONSENT_STATE", Buffer.from('{"state":"other"}').toString("base64")),
  ],
  [
    "a cookie that cannot be read",
    (browser, gateway) => void browser.cookies.get(gateway)!.set("__Host-CONSENT_STATE", "%%"),
  ],
])("the callback refuses %s", async (_name, change) => {
  const { browser, page, client } = await begin();
  const there = await browser.submit(page, "allow", (url) => url.pathname === "/oauth-callback");
  change(browser, stage.gateway.url);
  const answer = await browser.open(there.url, {}, client.isBack);
  expect([answer.status, JSON.parse(answer.text)]).toEqual([400, { error: "invalid_state" }]);
});

test.each<[string, (form: { client: string; code: string; verifier: string }) => void, number, string]>([
  ["another verifier", (form) => (form.verifier = "x".repeat(43)), 400, "invalid_grant"],
  ["no verifier", (form) => (form.verifier = ""), 400, "invalid_grant"],
  ["another code", (form) => (form.code = "x"), 400, "invalid_grant"],
  ["another client", (form) => (form.client = "x"), 401, "invalid_client"],
])("the token endpoint refuses %s", async (_name, change, status, error) => {
  const dancer = await begin();
  const form = {
    client: dancer.registered.client_id,
    code: await finish(dancer),
    verifier: dancer.client.verifier,
  };
  change(form);
  const answer = await dancer.client.token(metadata, form.client, form.code, form.verifier);
  expect([answer.status, await answer.json()]).toEqual([status, { error }]);
});

test.each([
  ["/register", "POST, OPTIONS"],
  ["/.well-known/oauth-authorization-server", "GET, OPTIONS"],
])("a browser may ask for %s first", async (path, methods) => {
  const answer = await fetch(stage.gateway.url + path, {
    method: "OPTIONS",
    headers: { Origin: "https://client.example", "Access-Control-Request-Method": "POST" },
  });
  expect([answer.status, answer.headers.get("access-control-allow-methods")]).toEqual([200, methods]);
});
