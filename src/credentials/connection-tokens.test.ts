import { afterEach, beforeEach, expect, test } from "vitest";
import { type Reply, type Seen, type StandIn, startStandIn } from "../backends/identity/stand-in.fixture.ts";
import type { Connection } from "../gateway/connections.ts";
import { servicesOf } from "../gateway/testing.ts";
import { createClient } from "../transport/node/index.ts";
import { ConnectionTokens } from "./connection-tokens.ts";
import type { TokenSet } from "./token-answer.ts";
import { type Vault, memoryVault } from "./vault.ts";

const MINUTE = 60_000;
const client = createClient();
let idp: StandIn;
let issued: number;
let vault: Vault;

beforeEach(async () => {
  issued = 0;
  vault = memoryVault();
  idp = await startStandIn(() => token());
});
afterEach(() => idp.close());

function token(more: object = {}): Reply {
  return { body: { access_token: `t${++issued}`, expires_in: 3600, ...more } };
}

function connectionOf(changed: Partial<Connection> = {}): Connection {
  return {
    id: "p/c",
    key: "p/c",
    provider: "p",
    grant: "clientCredentials",
    clientId: "us",
    clientSecret: "secret",
    clientAuthentication: "body",
    scope: "a b",
    authorizationUrl: null,
    tokenUrl: `${idp.url}/token`,
    refreshUrl: `${idp.url}/refresh`,
    pkce: false,
    authorizationParameters: {},
    tokenParameters: {},
    redirectUrl: null,
    access: { managed: true, policies: [] },
    fingerprint: "1",
    ...changed,
  };
}

const code = (changed: Partial<Connection> = {}): Connection =>
  connectionOf({ grant: "authorizationCode", authorizationUrl: `${idp.url}/authorize`, ...changed });

function tokensOf() {
  const services = servicesOf({ client });
  const world = { ...services, egress: { allow: [], loopback: true } };
  return { tokens: new ConnectionTokens(world, vault, "https://entra.example"), ...services };
}

function consented(now: number, more: Partial<TokenSet> = {}): TokenSet {
  return {
    accessToken: "first",
    refreshToken: "r1",
    issuedAt: now,
    expiresAt: now + 60 * MINUTE,
    claims: {},
    ...more,
  };
}

const accessToken = async (tokens: ConnectionTokens, connection: Connection): Promise<string> =>
  (await tokens.token(connection)).accessToken;
const asked = (): string[] => idp.seen.map(({ path, form }: Seen) => `${path} ${form.get("grant_type")}`);
/** What runs behind the requests' backs has run. */
async function settled(count: number): Promise<void> {
  for (let i = 0; i < 1000 && idp.seen.length < count; i++) await new Promise((done) => setImmediate(done));
  for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done));
  expect(idp.seen.length).toBe(count);
}

test("a token serves until three minutes before its end, then a new one comes behind the request's back", async () => {
  const { tokens, clock } = tokensOf();
  const connection = connectionOf();
  expect(await accessToken(tokens, connection)).toBe("t1");
  expect(Object.fromEntries(idp.seen[0]!.form)).toEqual({
    grant_type: "client_credentials",
    scope: "a b",
    client_id: "us",
    client_secret: "secret",
  });
  clock.advance(57 * MINUTE - 1);
  expect(tokens.token(connection)).toMatchObject({ accessToken: "t1" });
  await settled(1);
  clock.advance(1);
  expect(tokens.token(connection)).toMatchObject({ accessToken: "t1" });
  expect(tokens.token(connection)).toMatchObject({ accessToken: "t1" });
  await settled(2);
  expect(tokens.token(connection)).toMatchObject({ accessToken: "t2" });
});

test("one that lasts three minutes or less serves until its end", async () => {
  idp.answer = () => token({ expires_in: "180" });
  const { tokens, clock } = tokensOf();
  await tokens.token(connectionOf());
  clock.advance(3 * MINUTE - 1);
  expect(tokens.token(connectionOf())).toMatchObject({ accessToken: "t1" });
  await settled(1);
  clock.advance(1);
  expect(await accessToken(tokens, connectionOf())).toBe("t2");
});

test("a provider that is down costs nothing until the token's own end, and is asked with pauses", async () => {
  const { tokens, clock, logged } = tokensOf();
  await tokens.token(connectionOf());
  idp.answer = () => ({ status: 503 });
  clock.advance(58 * MINUTE);
  expect(tokens.token(connectionOf())).toMatchObject({ accessToken: "t1" });
  await settled(2);
  expect(logged.at(-1)).toMatchObject({ level: "warning", code: "credential_unavailable", secondsLeft: 120 });
  expect(tokens.token(connectionOf())).toMatchObject({ accessToken: "t1" });
  await settled(2);
  clock.advance(2 * MINUTE);
  await expect(accessToken(tokens, connectionOf())).rejects.toThrow("the token endpoint of p answered 503");
  // Within the pause nobody waits and nobody asks.
  expect(() => tokens.token(connectionOf())).toThrow("answered 503");
  await settled(3);
  expect(tokens.status(connectionOf()).error).toMatchObject({ code: "TokenUnavailable" });
  idp.answer = () => token();
  clock.advance(30_000);
  expect(await accessToken(tokens, connectionOf())).toBe("t2");
});

test("a refresh token that is replaced with each use is kept before the token is used", async () => {
  idp.answer = ({ form }) => token({ refresh_token: `${form.get("refresh_token")}+` });
  const { tokens, clock } = tokensOf();
  tokens.connect(code(), consented(clock.now()));
  clock.advance(61 * MINUTE);
  expect(await accessToken(tokens, code())).toBe("t1");
  expect(asked()).toEqual(["/refresh refresh_token"]);
  expect(vault.read("p/c")).toMatchObject({ tokens: { accessToken: "t1", refreshToken: "r1+" } });
  // A provider that sends none means that the old one goes on.
  idp.answer = () => token();
  clock.advance(61 * MINUTE);
  await tokens.token(code());
  expect(vault.read("p/c")).toMatchObject({ tokens: { accessToken: "t2", refreshToken: "r1+" } });
});

test("a consent that was withdrawn is said so, and is not asked for again", async () => {
  const { tokens, clock } = tokensOf();
  tokens.connect(code(), consented(clock.now()));
  idp.answer = () => ({ status: 400, body: { error: "invalid_grant" } });
  clock.advance(58 * MINUTE);
  // What is here still works, to its end.
  expect(tokens.token(code())).toMatchObject({ accessToken: "first" });
  await settled(1);
  expect(tokens.token(code())).toMatchObject({ accessToken: "first" });
  clock.advance(60 * MINUTE);
  expect(() => tokens.token(code())).toThrow(
    "The consent for the connection p/c is over (the token endpoint of p answered 400 (invalid_grant)); it has to be given again: `headgate login p/c` prints the link.",
  );
  expect(tokens.status(code())).toEqual({
    status: "Error",
    error: { code: "invalid_grant", message: expect.stringContaining("invalid_grant") },
  });
  await settled(1);
  tokens.connect(code(), consented(clock.now()));
  expect(tokens.token(code())).toMatchObject({ accessToken: "first" });
});

test("a new consent while the old one is being refreshed stands", async () => {
  const { tokens, clock } = tokensOf();
  tokens.connect(code(), consented(clock.now(), { expiresAt: clock.now() }));
  let go = (): void => {};
  idp.answer = () => new Promise((resolve) => (go = () => resolve(token({ refresh_token: "late" }))));
  const waiting = accessToken(tokens, code());
  while (idp.seen.length === 0) await new Promise((done) => setImmediate(done));
  tokens.connect(code(), consented(clock.now(), { accessToken: "newer" }));
  go();
  expect(await waiting).toBe("t1");
  expect(tokens.token(code())).toMatchObject({ accessToken: "newer" });
  expect(vault.read("p/c")).toMatchObject({ tokens: { accessToken: "newer", refreshToken: "r1" } });
});

test.each<[string, Partial<Connection>, boolean]>([
  ["the same client", {}, true],
  ["another client, endpoint or scope", { fingerprint: "2" }, false],
])("kept tokens serve %s: %j", async (_name, changed, serves) => {
  const before = tokensOf();
  before.tokens.connect(code(), consented(before.clock.now()));
  const { tokens } = tokensOf();
  const ask = (): unknown => tokens.token(code(changed));
  if (serves) expect(ask()).toMatchObject({ accessToken: "first" });
  else expect(ask).toThrow("Nobody has given consent");
});

test.each<[string, Connection["grant"], object, number, string]>([
  ["a consent lasts", "authorizationCode", {}, 365 * 24 * 60 * MINUTE, "first"],
  ["a client's own token is renewed after ten minutes", "clientCredentials", {}, 10 * MINUTE, "t2"],
])("without a word on expiry %s", async (_name, grant, _more, after, expected) => {
  idp.answer = () => token({ expires_in: undefined });
  const { tokens, clock } = tokensOf();
  const connection = connectionOf({ grant });
  if (grant === "authorizationCode") tokens.connect(connection, consented(clock.now(), { expiresAt: null }));
  else await tokens.token(connection);
  clock.advance(after);
  expect(await accessToken(tokens, connection)).toBe(expected);
});

test("the client proves itself with Basic credentials where the provider wants that", async () => {
  const { tokens } = tokensOf();
  await tokens.token(connectionOf({ clientAuthentication: "basic", clientSecret: "a b:ü" }));
  const { headers, form } = idp.seen[0]!;
  expect(Buffer.from(headers["authorization"]!.slice(6), "base64").toString()).toBe("us:a+b%3A%C3%BC");
  expect([form.has("client_id"), form.has("client_secret")]).toEqual([false, false]);
});

test.each<[string, Reply, string]>([
  ["a form, as some still answer", { body: "access_token=x1&token_type=bearer&scope=" }, "x1"],
  ["an error with 200", { body: { error: "bad_verification_code" } }, "200 (bad_verification_code)"],
  [
    "an error in words",
    { status: 400, body: { error: "e", error_description: "no\nway" } },
    "400 (e: no way)",
  ],
  ["not JSON", { body: "<html>" }, "answered 200"],
  ["a list", { body: "[]" }, "answered 200"],
  ["no token", { body: { token_type: "Bearer" } }, "without an access token"],
  ["a token that would split a header", { body: { access_token: "a\r\nb: c" } }, "without an access token"],
  ["one that has run out", { body: { access_token: "x", expires_in: 0 } }, "had run out when it came"],
  ["a redirect", { status: 302, headers: { Location: "/x" } }, "answered 302"],
])("an answer that is %s", async (_name, reply, expected) => {
  idp.answer = () => reply;
  const { tokens } = tokensOf();
  const got = await accessToken(tokens, connectionOf()).catch((error: Error) => error.message);
  expect(got).toContain(expected);
});

test("the guard of outgoing requests stands before the token endpoint, too", async () => {
  const { tokens } = tokensOf();
  const connection = connectionOf({ tokenUrl: "http://169.254.169.254/token" });
  await expect(accessToken(tokens, connection)).rejects.toThrow("cannot be asked: connections to");
});
