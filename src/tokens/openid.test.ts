import { afterAll, afterEach, expect, test } from "vitest";
import { type TestServices, exchangeOf, policyStep, servicesOf, snapshotOf } from "../gateway/testing.ts";
import { validateJwt } from "../policies/validate-jwt/policy.ts";
import { createClient } from "../transport/node/index.ts";
import { FRESH_MS, REFETCH_MS } from "./openid.ts";
import { CONFIG_PATH, KEYS_PATH, type Provider, answering, startProvider } from "./provider.fixture.ts";
import { CLAIMS, NOW, OTHER_RSA, P256, RSA, WEAK_RSA, jwkOf, token } from "./testing.ts";

const client = createClient();
const providers: Provider[] = [];

afterEach(async () => {
  for (const provider of providers.splice(0)) await provider.close();
});
afterAll(() => client.close());

const first = jwkOf(RSA.publicKey, { kid: "first", use: "sig", alg: "RS256" });
const second = jwkOf(OTHER_RSA.publicKey, { kid: "second" });

async function provide(...keys: object[]): Promise<Provider> {
  const provider = await startProvider(keys);
  providers.push(provider);
  return provider;
}

interface World {
  readonly services: TestServices;
  readonly ask: (text: string) => Promise<string>;
}

/** A policy with these configurations, and services that live as long as the test. */
function world(
  urls: readonly string[],
  more: { attributes?: object; children?: object; egress?: readonly string[] } = {},
): World {
  const services = servicesOf({ client });
  const step = policyStep(validateJwt, {
    attributes: { "header-name": "Authorization", ...more.attributes },
    children: { "openid-config": urls.map((url) => ({ attributes: { url } })), ...more.children },
  });
  const snapshot = snapshotOf();
  const ask = async (text: string): Promise<string> => {
    try {
      await step.run(exchangeOf({ headers: ["Authorization", `Bearer ${text}`] }, snapshot, services), null);
      return "ok";
    } catch (error) {
      return (error as { reason: string }).reason;
    }
  };
  return { services, ask };
}

const NO_KEY = "TokenSignatureKeyNotFound";

/** A token that does not expire while the clock is moved. */
function issued(provider: Provider, kid: string | undefined, pair = RSA, more: object = {}): string {
  const header = { alg: "RS256", ...(kid === undefined ? {} : { kid }) };
  return token("RS256", pair.privateKey, {
    header,
    payload: { ...CLAIMS, iss: provider.issuer, exp: NOW + 1_000_000, ...more },
  });
}

test("keys and issuer come from the document; it is fetched once", async () => {
  const provider = await provide(first);
  const { ask } = world([provider.configUrl]);
  const good = issued(provider, "first");
  expect(
    await Promise.all([
      ask(good),
      ask(good),
      ask(issued(provider, "first", RSA, { iss: "x" })),
      ask(issued(provider, undefined)),
    ]),
  ).toEqual(["ok", "ok", "TokenIssuerNotAllowed", "ok"]);
  expect(await ask(good)).toBe("ok");
  expect(provider.asked).toEqual([CONFIG_PATH, KEYS_PATH]);
});

test("an unknown kid makes for one fetch in five minutes, whoever asks", async () => {
  const provider = await provide(first);
  const { ask, services } = world([provider.configUrl]);
  expect(await ask(issued(provider, "first"))).toBe("ok");
  const strangers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => ask(issued(provider, `k${i}`, OTHER_RSA))),
  );
  expect(new Set(strangers)).toEqual(new Set([NO_KEY]));
  expect(provider.asked.length).toBe(4);
  provider.keys = [first, second];
  expect(await ask(issued(provider, "second", OTHER_RSA))).toBe(NO_KEY);
  services.clock.advance(REFETCH_MS);
  expect(await ask(issued(provider, "second", OTHER_RSA))).toBe("ok");
  expect(await ask(issued(provider, "first"))).toBe("ok");
  expect(provider.asked.length).toBe(6);
});

test("a rotation is noticed at once", async () => {
  const provider = await provide(first);
  const { ask } = world([provider.configUrl]);
  const old = issued(provider, "first");
  expect(await ask(old)).toBe("ok");
  provider.keys = [second];
  expect(await ask(issued(provider, "second", OTHER_RSA))).toBe("ok");
  // Its signature was found good before, but its key is gone.
  expect(await ask(old)).toBe(NO_KEY);
});

test("a rotation of keys without ids is noticed, too", async () => {
  const { kid: _first, ...plain } = first;
  const { kid: _second, ...other } = second;
  const provider = await provide(plain);
  const { ask } = world([provider.configUrl]);
  expect(await ask(issued(provider, undefined))).toBe("ok");
  provider.keys = [other];
  expect(await ask(issued(provider, undefined, OTHER_RSA))).toBe("ok");
});

test("after an hour it is refreshed behind the requests", async () => {
  const provider = await provide(first);
  const { ask, services } = world([provider.configUrl]);
  const good = issued(provider, "first");
  await ask(good);
  services.clock.advance(FRESH_MS - 1);
  expect(await ask(good)).toBe("ok");
  expect(provider.asked.length).toBe(2);
  services.clock.advance(1);
  let answered = (): void => {};
  const held = new Promise<void>((resolve) => (answered = resolve));
  let release = (): void => {};
  provider.answers.set(CONFIG_PATH, (_request, response) => {
    release = () =>
      void response
        .writeHead(200)
        .end(JSON.stringify({ issuer: provider.issuer, jwks_uri: provider.url + KEYS_PATH }));
    answered();
  });
  expect(await Promise.all([ask(good), ask(good), ask(good)])).toEqual(["ok", "ok", "ok"]);
  await held;
  expect(await ask(good)).toBe("ok");
  expect(provider.asked.length).toBe(3);
  provider.keys = [second];
  provider.answers.clear();
  release();
  await expect.poll(() => ask(good)).toBe(NO_KEY);
});

test("keys serve for a day while the provider is down, then no longer", async () => {
  const provider = await provide(first);
  const { ask, services } = world([provider.configUrl]);
  const good = issued(provider, "first");
  await ask(good);
  provider.answers.set(CONFIG_PATH, answering(503, "down"));
  services.clock.advance(2 * FRESH_MS);
  expect(await ask(good)).toBe("ok");
  await expect.poll(() => services.logged.length).toBe(1);
  expect(await ask(good)).toBe("ok");
  expect(services.logged).toEqual([
    {
      level: "warn",
      msg: "openid configuration not available",
      url: provider.configUrl,
      error: `${provider.configUrl} answered 503`,
      retrySeconds: 300,
    },
  ]);
  services.clock.advance(22 * FRESH_MS - 1);
  expect(await ask(good)).toBe("ok");
  await expect.poll(() => services.logged.length).toBe(2);
  services.clock.advance(REFETCH_MS);
  expect(await ask(good)).toBe(NO_KEY);
  provider.answers.clear();
  services.clock.advance(REFETCH_MS);
  expect(await ask(good)).toBe("ok");
});

test("jwks-max-stale shortens or lengthens that", async () => {
  const provider = await provide(first);
  const short = world([provider.configUrl], { attributes: { "jwks-max-stale": "01:30:00" } });
  const good = issued(provider, "first");
  await short.ask(good);
  await provider.close();
  short.services.clock.advance(89 * 60_000);
  expect(await short.ask(good)).toBe("ok");
  await expect.poll(() => short.services.logged.length).toBe(1);
  short.services.clock.advance(60_000);
  expect(await short.ask(good)).toBe(NO_KEY);
});

test("a short jwks-max-stale makes requests wait for new keys, not fail", async () => {
  const provider = await provide(first);
  const { ask, services } = world([provider.configUrl], { attributes: { "jwks-max-stale": "600" } });
  await ask(issued(provider, "first"));
  services.clock.advance(600_000);
  expect(await ask(issued(provider, "first"))).toBe("ok");
  expect(provider.asked.length).toBe(4);
});

test("a provider that was never there is asked again after one second, two, four …, up to five minutes", async () => {
  const provider = await provide(first);
  provider.answers.set(CONFIG_PATH, answering(500, ""));
  const { ask, services } = world([provider.configUrl]);
  const good = issued(provider, "first");
  const pauses: unknown[] = [];
  for (let i = 0; i < 11; i++) {
    expect(await ask(good)).toBe(NO_KEY);
    expect(await ask(good)).toBe(NO_KEY);
    const pause = services.logged.at(-1)!["retrySeconds"] as number;
    pauses.push(pause);
    services.clock.advance(pause * 1000);
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  expect(provider.asked.length).toBe(11);
  provider.answers.clear();
  expect(await ask(good)).toBe("ok");
});

test("a provider that hangs costs five seconds, once", async () => {
  const provider = await provide(first);
  let asked = (): void => {};
  const reached = new Promise<void>((resolve) => (asked = resolve));
  provider.answers.set(CONFIG_PATH, () => asked());
  const { ask, services } = world([provider.configUrl]);
  const good = issued(provider, "first");
  const answers = Promise.all([ask(good), ask(good), ask(good)]);
  await reached;
  services.clock.advance(5000);
  expect(await answers).toEqual([NO_KEY, NO_KEY, NO_KEY]);
  expect(services.logged.map(({ error }) => error)).toEqual(["there was no complete answer within 5 s"]);
});

const big = `{"keys":[${'{"kty":"x"},'.repeat(100_000)}{}]}`;

test.each<[string, string, Parameters<typeof answering>, string]>([
  ["no JSON", CONFIG_PATH, [200, "<html>"], "the configuration is not a JSON object"],
  ["a list", CONFIG_PATH, [200, "[]"], "the configuration is not a JSON object"],
  ["nothing", CONFIG_PATH, [204, ""], `answered 204`],
  ["no issuer", CONFIG_PATH, [200, "{}"], "the configuration has no issuer"],
  ["an issuer that is a list", CONFIG_PATH, [200, '{"issuer":["x"]}'], "the configuration has no issuer"],
  ["no jwks_uri", CONFIG_PATH, [200, '{"issuer":"x"}'], "the configuration has no jwks_uri"],
  [
    "a jwks_uri that is no URL",
    CONFIG_PATH,
    [200, '{"issuer":"x","jwks_uri":"file:///etc/passwd"}'],
    '"file:///etc/passwd" is not an absolute http or https URL',
  ],
  [
    "a jwks_uri at a metadata service",
    CONFIG_PATH,
    [200, '{"issuer":"x","jwks_uri":"http://169.254.169.254/latest"}'],
    "connections to 169.254.169.254 are not allowed",
  ],
  [
    "a redirect to a metadata service",
    CONFIG_PATH,
    [302, "", { Location: "http://169.254.169.254/" }],
    "connections to 169.254.169.254 are not allowed",
  ],
  ["a redirect to itself", CONFIG_PATH, [302, "", { Location: CONFIG_PATH }], "answered 302"],
  ["a redirect to nowhere", CONFIG_PATH, [302, ""], "answered 302"],
  ["keys: not found", KEYS_PATH, [404, "{}"], "answered 404"],
  ["keys: no JSON", KEYS_PATH, [200, "keys"], "the key set is not a JSON object"],
  ["keys: no set", KEYS_PATH, [200, '{"keys":{}}'], "what jwks_uri answers is no key set"],
  ["keys: an empty set", KEYS_PATH, [200, '{"keys":[]}'], "the key set has no key that verifies signatures"],
  [
    "keys: nonsense",
    KEYS_PATH,
    [
      200,
      '{"keys":[null,1,"x",[],{},{"kty":"RSA"},{"kty":"RSA","n":1,"e":[]},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}',
    ],
    "the key set has no key that verifies signatures",
  ],
  [
    "keys: a secret",
    KEYS_PATH,
    [200, '{"keys":[{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}]}'],
    "the key set has no key that verifies signatures",
  ],
  [
    "keys: a weak one",
    KEYS_PATH,
    [200, JSON.stringify({ keys: [jwkOf(WEAK_RSA.publicKey)] })],
    "the key set has no key that verifies signatures",
  ],
  [
    "keys: for encryption",
    KEYS_PATH,
    [200, JSON.stringify({ keys: [{ ...first, use: "enc" }] })],
    "the key set has no key that verifies signatures",
  ],
  [
    "keys: for signing only",
    KEYS_PATH,
    [200, JSON.stringify({ keys: [{ ...second, key_ops: ["sign"] }] })],
    "the key set has no key that verifies signatures",
  ],
  ["keys: too many octets", KEYS_PATH, [200, big], "The response body is larger than 1048576 bytes."],
])("a wrong answer refuses tokens and is said: %s", async (_name, path, answer, expected) => {
  const provider = await provide(first);
  provider.answers.set(path, answering(...answer));
  const { ask, services } = world([provider.configUrl]);
  expect(await ask(issued(provider, "first"))).toBe(NO_KEY);
  expect(String(services.logged[0]?.["error"])).toContain(expected);
});

test("bad keys in a set do not spoil the good ones", async () => {
  const provider = await provide(
    { kty: "RSA", n: "!", e: "AQAB", kid: "first" },
    { kty: "OKP", crv: "Ed25519", x: "AA" },
    first,
  );
  const { ask } = world([provider.configUrl]);
  expect(await ask(issued(provider, "first"))).toBe("ok");
});

test("a key does only what its own alg says", async () => {
  const provider = await provide(first);
  const { ask } = world([provider.configUrl]);
  const payload = { ...CLAIMS, iss: provider.issuer };
  expect(await ask(token("RS512", RSA.privateKey, { payload }))).toBe(NO_KEY);
  expect(await ask(token("PS256", RSA.privateKey, { payload }))).toBe(NO_KEY);
  expect(await ask(token("RS256", RSA.privateKey, { payload }))).toBe("ok");
});

test("several providers: each speaks for its own issuer", async () => {
  const one = await provide(first);
  const two = await provide(second, jwkOf(P256.publicKey, { kid: "ec" }));
  const both = world([one.configUrl, two.configUrl]);
  expect(await both.ask(issued(one, "first"))).toBe("ok");
  expect(await both.ask(issued(two, "second", OTHER_RSA))).toBe("ok");
  // Signed by the one, in the name of the other.
  expect(await both.ask(issued(two, "first"))).toBe("TokenIssuerNotAllowed");
  const issuers = [{ children: { issuer: [{ text: two.issuer }] } }];
  const listed = world([one.configUrl, two.configUrl], { children: { issuers } });
  expect(await listed.ask(issued(two, "first"))).toBe("ok");
});

test("several providers, the same keys: the right issuer is found", async () => {
  const one = await provide(first);
  const two = await provide(first);
  const both = world([one.configUrl, two.configUrl]);
  expect([await both.ask(issued(one, "first")), await both.ask(issued(two, "first"))]).toEqual(["ok", "ok"]);
});

test("several providers: one that is down does not stop the other", async () => {
  const one = await provide(first);
  const two = await provide(second);
  two.answers.set(CONFIG_PATH, answering(500, ""));
  const both = world([one.configUrl, two.configUrl]);
  expect([await both.ask(issued(one, "first")), await both.ask(issued(two, "second", OTHER_RSA))]).toEqual([
    "ok",
    NO_KEY,
  ]);
});

test("an issuer for many tenants is the token's own", async () => {
  const provider = await provide(first);
  provider.issuer = "https://login.example/{tenantid}/v2.0";
  const { ask } = world([provider.configUrl]);
  const tenant = "11111111-2222-4333-8444-555555555555";
  const of = (iss: string, tid: unknown) => ask(issued(provider, "first", RSA, { iss, tid }));
  expect(await of(`https://login.example/${tenant}/v2.0`, tenant)).toBe("ok");
  expect(await of(`https://login.example/${tenant}/v2.0`, undefined)).toBe("TokenIssuerNotAllowed");
  expect(await of(`https://login.example/${tenant}/v2.0`, "99999999-2222-4333-8444-555555555555")).toBe(
    "TokenIssuerNotAllowed",
  );
  expect(await of("https://login.example/{tenantid}/v2.0", tenant)).toBe("TokenIssuerNotAllowed");
  expect(await of("https://login.example/{tenantid}/v2.0", "{tenantid}")).toBe("TokenIssuerNotAllowed");
  expect(await of("https://login.example/x/v2.0", "x")).toBe("TokenIssuerNotAllowed");
});

test("redirects are followed, and gzip is understood", async () => {
  const provider = await provide(first);
  provider.answers.set("/moved", answering(301, "", { Location: CONFIG_PATH }));
  const { ask } = world([`${provider.url}/moved`]);
  expect(await ask(issued(provider, "first"))).toBe("ok");
});

test("policies share what was fetched", async () => {
  const provider = await provide(first);
  const services = servicesOf({ client });
  const good = issued(provider, "first");
  for (let i = 0; i < 3; i++) {
    const step = policyStep(validateJwt, {
      attributes: { "header-name": "Authorization" },
      children: {
        "openid-config": [{ attributes: { url: i === 0 ? provider.configUrl : () => provider.configUrl } }],
      },
    });
    await step.run(exchangeOf({ headers: ["Authorization", good] }, snapshotOf(), services), null);
  }
  expect(provider.asked.length).toBe(2);
});
