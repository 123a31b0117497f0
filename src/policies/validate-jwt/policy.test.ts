import { generateKeyPairSync } from "node:crypto";
import { CompactEncrypt, SignJWT } from "jose";
import { expect, test } from "vitest";
import { type Written, exchangeOf, mistakesOf } from "../../gateway/testing.ts";
import {
  CLAIMS,
  NOW,
  OTHER_RSA,
  RSA,
  SECRET,
  WEAK_RSA,
  b64,
  failureOf,
  judge,
  rsaElement,
  secretElement,
  token,
  verdict,
} from "../../tokens/testing.ts";
import { validateJwt } from "./policy.ts";

const keys = (...key: Written[]): Written["children"] => ({ "issuer-signing-keys": [{ children: { key } }] });
const inHeader = { "header-name": "Authorization" };
const list = (outer: string, inner: string, ...texts: unknown[]): Written["children"] => ({
  [outer]: [{ children: { [inner]: texts.map((text) => ({ text })) } }],
});
const claim = (name: string, values: readonly unknown[], more: object = {}): Written => ({
  attributes: { name, match: "all", ...more },
  children: { value: values.map((text) => ({ text })) },
});
const required = (...claims: Written[]): Written["children"] => ({
  "required-claims": [{ children: { claim: claims } }],
});

const good = token("RS256", RSA.privateKey);
const withClaims = (more: object): string =>
  token("RS256", RSA.privateKey, { payload: { ...CLAIMS, ...more } });
const rsa = keys(rsaElement(RSA.publicKey));
const ABSENT = "401 TokenNotPresent";
const BAD = "401 JwtInvalid";

test.each<[string, Record<string, unknown>, { headers?: string[]; target?: string }, string]>([
  ["Authorization with Bearer", inHeader, { headers: ["Authorization", `Bearer ${good}`] }, "ok"],
  ["any scheme, any case", inHeader, { headers: ["authorization", `bEaReR   ${good} `] }, "ok"],
  ["another scheme", inHeader, { headers: ["Authorization", `Token ${good}`] }, "ok"],
  ["no scheme", inHeader, { headers: ["Authorization", good] }, "ok"],
  ["absent", inHeader, {}, ABSENT],
  ["empty", inHeader, { headers: ["Authorization", ""] }, ABSENT],
  ["a scheme alone", inHeader, { headers: ["Authorization", "Bearer"] }, ABSENT],
  ["a scheme and a space", inHeader, { headers: ["Authorization", "Bearer "] }, ABSENT],
  ["no token", inHeader, { headers: ["Authorization", "Bearer x"] }, BAD],
  [
    "two headers",
    inHeader,
    { headers: ["Authorization", `Bearer ${good}`, "Authorization", `Bearer ${good}`] },
    BAD,
  ],
  [
    "the scheme that is asked for",
    { ...inHeader, "require-scheme": "Bearer" },
    { headers: ["Authorization", `bearer ${good}`] },
    "ok",
  ],
  [
    "another scheme than is asked for",
    { ...inHeader, "require-scheme": "Bearer" },
    { headers: ["Authorization", `Token ${good}`] },
    ABSENT,
  ],
  [
    "no scheme where one is asked for",
    { ...inHeader, "require-scheme": "Bearer" },
    { headers: ["Authorization", good] },
    ABSENT,
  ],
  [
    "a scheme means nothing elsewhere",
    { "header-name": "X-Token", "require-scheme": "DPoP" },
    { headers: ["X-Token", good] },
    "ok",
  ],
  ["a header of one's own", { "header-name": "X-Token" }, { headers: ["x-token", good] }, "ok"],
  [
    "a header of one's own with Bearer",
    { "header-name": "X-Token" },
    { headers: ["x-token", `Bearer ${good}`] },
    "ok",
  ],
  ["a header by expression", { "header-name": () => "X-Token" }, { headers: ["x-token", good] }, "ok"],
  ["query", { "query-parameter-name": "token" }, { target: `/?a=1&token=${good}` }, "ok"],
  [
    "query, names without case, escaped",
    { "query-parameter-name": "Token" },
    { target: `/?tok%65n=${good.replaceAll(".", "%2E")}` },
    "ok",
  ],
  ["query with Bearer", { "query-parameter-name": "token" }, { target: `/?token=Bearer+${good}` }, "ok"],
  ["query, absent", { "query-parameter-name": "token" }, { target: "/?a=1" }, ABSENT],
  ["query, twice", { "query-parameter-name": "token" }, { target: `/?token=${good}&token=${good}` }, BAD],
  ["query, broken escape", { "query-parameter-name": "token" }, { target: `/?token=${good}%zz` }, BAD],
  ["a value", { "token-value": () => good }, {}, "ok"],
  ["a value with Bearer", { "token-value": () => `Bearer ${good}` }, {}, "ok"],
  ["a value that is null", { "token-value": () => null }, {}, ABSENT],
  ["a value that is empty", { "token-value": "" }, {}, ABSENT],
])("where the token is: %s", async (_name, attributes, fields, expected) => {
  expect(await verdict(validateJwt, { attributes, children: rsa }, exchangeOf(fields))).toBe(expected);
});

test.each<[string, Written, string, string]>([
  ["signed", { children: rsa }, good, "ok"],
  ["another key", { children: rsa }, token("RS256", OTHER_RSA.privateKey), "401 TokenSignatureInvalid"],
  ["no key at all", {}, good, "401 TokenSignatureKeyNotFound"],
  ["keys of another type", { children: keys(secretElement(SECRET)) }, good, "401 TokenSignatureKeyNotFound"],
  [
    "a weak RSA key is none",
    { children: keys(rsaElement(WEAK_RSA.publicKey)) },
    token("RS256", WEAK_RSA.privateKey),
    "401 TokenSignatureKeyNotFound",
  ],
  [
    "a short secret is none",
    { children: keys(secretElement(SECRET.subarray(0, 15))) },
    token("HS256", SECRET.subarray(0, 15)),
    "401 TokenSignatureKeyNotFound",
  ],
  [
    "a secret of 128 bits",
    { children: keys(secretElement(SECRET.subarray(0, 16))) },
    token("HS256", SECRET.subarray(0, 16)),
    "ok",
  ],
  [
    "a secret by expression",
    { children: keys({ text: () => SECRET.toString("base64") }) },
    token("HS256", SECRET),
    "ok",
  ],
  [
    "a secret by expression that is none",
    { children: keys({ text: () => "?" }) },
    token("HS256", SECRET),
    "401 TokenSignatureKeyNotFound",
  ],
  [
    "one of several keys",
    { children: keys(rsaElement(OTHER_RSA.publicKey), secretElement(SECRET), rsaElement(RSA.publicKey)) },
    good,
    "ok",
  ],
  [
    "the key with the token's kid",
    { children: keys(rsaElement(OTHER_RSA.publicKey, "a"), rsaElement(RSA.publicKey, "b")) },
    token("RS256", RSA.privateKey, { header: { alg: "RS256", kid: "b" } }),
    "ok",
  ],
  [
    "a key with another id is not tried",
    { children: keys(rsaElement(RSA.publicKey, "a")) },
    token("RS256", RSA.privateKey, { header: { alg: "RS256", kid: "b" } }),
    "401 TokenSignatureKeyNotFound",
  ],
  [
    "a key without id always is",
    { children: keys(rsaElement(RSA.publicKey)) },
    token("RS256", RSA.privateKey, { header: { alg: "RS256", kid: "b" } }),
    "ok",
  ],
  ["a token without kid fits every key", { children: keys(rsaElement(RSA.publicKey, "a")) }, good, "ok"],
  [
    "unsigned, allowed",
    { attributes: { "require-signed-tokens": false } },
    `${b64({ alg: "none" })}.${b64(CLAIMS)}.`,
    "ok",
  ],
  [
    "unsigned, by expression",
    { attributes: { "require-signed-tokens": () => true } },
    `${b64({ alg: "none" })}.${b64(CLAIMS)}.`,
    "401 TokenSignatureInvalid",
  ],
  [
    "unsigned, allowed, but expired",
    { attributes: { "require-signed-tokens": false } },
    `${b64({ alg: "none" })}.${b64({ ...CLAIMS, exp: 1 })}.`,
    "401 TokenExpired",
  ],
  [
    "unsigned allowed, with a signature on it",
    { attributes: { "require-signed-tokens": false } },
    `${b64({ alg: "none" })}.${b64(CLAIMS)}.AAAA`,
    BAD,
  ],
  [
    "unsigned allowed, but None is no algorithm",
    { attributes: { "require-signed-tokens": false } },
    `${b64({ alg: "None" })}.${b64(CLAIMS)}.`,
    "401 TokenSignatureInvalid",
  ],
  [
    "unsigned allowed: a signature that is there must fit",
    { attributes: { "require-signed-tokens": false }, children: rsa },
    token("RS256", OTHER_RSA.privateKey),
    "401 TokenSignatureInvalid",
  ],
  [
    "no exp, allowed",
    { attributes: { "require-expiration-time": false }, children: rsa },
    withClaims({ exp: undefined }),
    "ok",
  ],
  [
    "an exp counts all the same",
    { attributes: { "require-expiration-time": false }, children: rsa },
    withClaims({ exp: NOW }),
    "401 TokenExpired",
  ],
  [
    "skew in seconds",
    { attributes: { "clock-skew": "300" }, children: rsa },
    withClaims({ exp: NOW - 299 }),
    "ok",
  ],
  [
    "past the skew",
    { attributes: { "clock-skew": "300" }, children: rsa },
    withClaims({ exp: NOW - 300 }),
    "401 TokenExpired",
  ],
  [
    "skew as a time span",
    { attributes: { "clock-skew": "00:05:00" }, children: rsa },
    withClaims({ exp: NOW - 299, nbf: NOW + 300 }),
    "ok",
  ],
  [
    "nbf past the skew",
    { attributes: { "clock-skew": "00:05:00" }, children: rsa },
    withClaims({ nbf: NOW + 301 }),
    BAD,
  ],
  [
    "skew by expression",
    { attributes: { "clock-skew": () => "1.00:00:00" }, children: rsa },
    withClaims({ exp: NOW - 86_399 }),
    "ok",
  ],
  [
    "skew that is none",
    { attributes: { "clock-skew": () => "soon" }, children: rsa },
    good,
    "500 ExpressionValueEvaluationFailure",
  ],
  [
    "an audience",
    { children: { ...rsa, ...list("audiences", "audience", "x", "api://headgate") } },
    good,
    "ok",
  ],
  [
    "an audience by expression",
    { children: { ...rsa, ...list("audiences", "audience", () => "api://headgate") } },
    good,
    "ok",
  ],
  [
    "another audience",
    { children: { ...rsa, ...list("audiences", "audience", "x") } },
    good,
    "401 TokenAudienceNotAllowed",
  ],
  ["an issuer", { children: { ...rsa, ...list("issuers", "issuer", "x", CLAIMS.iss) } }, good, "ok"],
  [
    "another issuer",
    { children: { ...rsa, ...list("issuers", "issuer", "x") } },
    good,
    "401 TokenIssuerNotAllowed",
  ],
  [
    "claims, all",
    { children: { ...rsa, ...required(claim("roles", ["a", "b"])) } },
    withClaims({ roles: ["b", "c", "a"] }),
    "ok",
  ],
  [
    "claims, one of all missing",
    { children: { ...rsa, ...required(claim("roles", ["a", "d"])) } },
    withClaims({ roles: ["b", "c", "a"] }),
    "401 TokenClaimValueNotAllowed",
  ],
  [
    "claims, any",
    { children: { ...rsa, ...required(claim("roles", ["x", "a"], { match: "any" })) } },
    withClaims({ roles: ["b", "a"] }),
    "ok",
  ],
  [
    "claims, none of any",
    { children: { ...rsa, ...required(claim("roles", ["x", "y"], { match: "any" })) } },
    withClaims({ roles: ["b", "a"] }),
    "401 TokenClaimValueNotAllowed",
  ],
  [
    "claims, presence",
    { children: { ...rsa, ...required(claim("roles", [])) } },
    withClaims({ roles: "a" }),
    "ok",
  ],
  [
    "claims, absent",
    { children: { ...rsa, ...required(claim("roles", [])) } },
    good,
    "401 TokenClaimNotFound",
  ],
  [
    "claims, null is absent",
    { children: { ...rsa, ...required(claim("roles", [])) } },
    withClaims({ roles: null }),
    "401 TokenClaimNotFound",
  ],
  [
    "claims, case counts",
    { children: { ...rsa, ...required(claim("roles", ["A"])) } },
    withClaims({ roles: "a" }),
    "401 TokenClaimValueNotAllowed",
  ],
  [
    "claims, names too",
    { children: { ...rsa, ...required(claim("Roles", [])) } },
    withClaims({ roles: "a" }),
    "401 TokenClaimNotFound",
  ],
  [
    "claims that every object has",
    { children: { ...rsa, ...required(claim("constructor", [])) } },
    good,
    "401 TokenClaimNotFound",
  ],
  [
    "scp with a separator",
    { children: { ...rsa, ...required(claim("scp", ["read", "write"], { separator: " " })) } },
    withClaims({ scp: "openid write read" }),
    "ok",
  ],
  [
    "scp without a separator",
    { children: { ...rsa, ...required(claim("scp", ["read"])) } },
    withClaims({ scp: "write read" }),
    "401 TokenClaimValueNotAllowed",
  ],
  [
    "a part of a word is not a value",
    { children: { ...rsa, ...required(claim("scp", ["read"], { separator: " " })) } },
    withClaims({ scp: "read.all" }),
    "401 TokenClaimValueNotAllowed",
  ],
  [
    "numbers, booleans and objects by their JSON",
    {
      children: {
        ...rsa,
        ...required(
          claim("n", ["42"]),
          claim("b", ["true"]),
          claim("f", ["1.5"]),
          claim("o", ['{"a":[1,"x"]}']),
        ),
      },
    },
    withClaims({ n: 42, b: true, f: 1.5, o: { a: [1, "x"] } }),
    "ok",
  ],
  [
    "values by expression",
    { children: { ...rsa, ...required(claim("sub", [() => "someone"])) } },
    good,
    "ok",
  ],
  [
    "several claims, all must fit",
    { children: { ...rsa, ...required(claim("sub", ["someone"]), claim("aud", ["x"])) } },
    good,
    "401 TokenClaimValueNotAllowed",
  ],
])("%s", async (_name, written, text, expected) => {
  const found = await judge(
    validateJwt,
    { ...written, attributes: { ...inHeader, ...written.attributes } },
    text,
  );
  expect(found.verdict).toBe(expected);
  expect(found.jwt === undefined).toBe(expected !== "ok");
});

test.each<[string, Written, string, string, string]>([
  ["absent", {}, "", "JWT not present.", "JWT not present."],
  [
    "broken",
    {},
    "x",
    "The token does not have the three parts of a signed or the five of an encrypted JWT.",
    "Invalid JWT.",
  ],
  [
    "a message of one's own",
    { attributes: { "failed-validation-error-message": "Go away" } },
    "",
    "JWT not present.",
    "Go away",
  ],
  [
    "a message by expression",
    { attributes: { "failed-validation-error-message": () => "No" } },
    "x",
    "The token does not have the three parts of a signed or the five of an encrypted JWT.",
    "No",
  ],
  [
    "claims missing",
    { children: required(claim("a", []), claim("sub", []), claim("b", [])) },
    good,
    "JWT token is missing the following claims: a, b. Access denied.",
    "Invalid JWT.",
  ],
  [
    "a claim's value",
    { children: required(claim("aud", ["x"])) },
    good,
    "Claim aud value of api://headgate is not allowed. Access denied.",
    "Invalid JWT.",
  ],
  [
    "issuer",
    { children: list("issuers", "issuer", "x") },
    good,
    'Issuer validation failed. The issuer "https://issuer.example/" is not allowed. Access denied.',
    "Invalid JWT.",
  ],
  [
    "audience",
    { children: list("audiences", "audience", "x") },
    good,
    'Audience validation failed. The audience "api://headgate" is not allowed. Access denied.',
    "Invalid JWT.",
  ],
  [
    "expired",
    {},
    withClaims({ exp: NOW - 1 }),
    "Lifetime validation failed. The token is expired. ValidTo (UTC): 2023-11-14T22:13:19, current time (UTC): 2023-11-14T22:13:20. Access denied.",
    "Invalid JWT.",
  ],
  [
    "no key",
    { children: keys(secretElement(SECRET)) },
    good,
    'Signature validation failed. There is no "RS256" key. Access denied.',
    "Invalid JWT.",
  ],
])("what is said: %s", async (_name, written, text, message, client) => {
  const exchange = exchangeOf({ headers: text === "" ? [] : ["Authorization", `Bearer ${text}`] });
  const error = await failureOf(
    validateJwt,
    { attributes: { ...inHeader, ...written.attributes }, children: { ...rsa, ...written.children } },
    exchange,
  );
  expect([error?.source, error?.message, error?.clientMessage, error?.status]).toEqual([
    "validate-jwt",
    message,
    client,
    401,
  ]);
});

test("the status may be any", async () => {
  const exchange = exchangeOf();
  expect(
    await verdict(
      validateJwt,
      { attributes: { ...inHeader, "failed-validation-httpcode": () => 403 } },
      exchange,
    ),
  ).toBe("403 TokenNotPresent");
});

test("the variable holds the token as expressions see it", async () => {
  const { jwt } = await judge(
    validateJwt,
    { attributes: inHeader, children: rsa },
    withClaims({ roles: ["a", "b"], n: 1 }),
  );
  expect([jwt?.first("sub"), jwt?.claims.get("roles"), jwt?.claims.get("n"), jwt?.header.get("alg")]).toEqual(
    ["someone", ["a", "b"], ["1"], ["RS256"]],
  );
});

// ── Made by another ───────────────────────────────────────────────────────────────────────────────────────────────

test.each(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])(
  "what jose signs with %s is accepted",
  async (alg) => {
    const text = await new SignJWT({ a: 1 })
      .setProtectedHeader({ alg })
      .setExpirationTime(NOW + 60)
      .sign(RSA.privateKey);
    expect((await judge(validateJwt, { attributes: inHeader, children: rsa }, text)).verdict).toBe("ok");
  },
);

const wrapping = SECRET.subarray(0, 16);
const opener = (secret: Uint8Array, id?: string): Written["children"] => ({
  "decryption-keys": [{ children: { key: [secretElement(secret, id)] } }],
});

async function encrypted(
  plain: string,
  alg: string,
  enc: string,
  key: Uint8Array | typeof RSA.publicKey,
  more: object = {},
): Promise<string> {
  return new CompactEncrypt(Buffer.from(plain)).setProtectedHeader({ alg, enc, ...more }).encrypt(key);
}

test.each<[string, string, string, Uint8Array, string]>([
  ["A128KW", "A128KW", "A128CBC-HS256", wrapping, "ok"],
  ["A256KW", "A256KW", "A256GCM", SECRET.subarray(0, 32), "ok"],
  ["A128GCMKW", "A128GCMKW", "A192GCM", wrapping, "ok"],
  ["dir with A128CBC-HS256", "dir", "A128CBC-HS256", SECRET.subarray(0, 32), "ok"],
  ["dir with A192CBC-HS384", "dir", "A192CBC-HS384", SECRET.subarray(0, 48), "ok"],
  ["dir with A256CBC-HS512", "dir", "A256CBC-HS512", SECRET.subarray(0, 64), "ok"],
])("decrypted: %s", async (_name, alg, enc, key, expected) => {
  const text = await encrypted(good, alg, enc, key);
  const written = { attributes: inHeader, children: { ...rsa, ...opener(key) } };
  const found = await judge(validateJwt, written, text);
  expect([found.verdict, found.jwt?.text]).toEqual([expected, good]);
  expect(
    (
      await judge(
        validateJwt,
        { attributes: inHeader, children: { ...rsa, ...opener(Buffer.alloc(key.length, 7)) } },
        text,
      )
    ).verdict,
  ).toBe(BAD);
  expect((await judge(validateJwt, { attributes: inHeader, children: rsa }, text)).verdict).toBe(BAD);
  const cut = `${text.slice(0, -8)}AAAAAAAA`;
  expect((await judge(validateJwt, written, cut)).verdict).toBe(BAD);
});

test.each<[string, string, Record<string, unknown>, string]>([
  ["a token that nobody trusts", token("RS256", OTHER_RSA.privateKey), {}, "401 TokenSignatureInvalid"],
  ["an expired token", withClaims({ exp: 1 }), {}, "401 TokenExpired"],
  ["claims without a signature", JSON.stringify(CLAIMS), {}, "401 TokenSignatureInvalid"],
  ["claims without a signature, allowed", JSON.stringify(CLAIMS), { "require-signed-tokens": false }, "ok"],
  [
    "claims without a signature, twice the same",
    '{"exp":1,"exp":2}',
    { "require-signed-tokens": false },
    BAD,
  ],
  ["alg none", `${b64({ alg: "none" })}.${b64(CLAIMS)}.`, {}, "401 TokenSignatureInvalid"],
  ["text", "hello", {}, BAD],
  ["nothing", "", {}, BAD],
])("encrypted: %s", async (_name, plain, attributes, expected) => {
  const text = await encrypted(plain, "A128KW", "A128GCM", wrapping);
  const written = { attributes: { ...inHeader, ...attributes }, children: { ...rsa, ...opener(wrapping) } };
  expect((await judge(validateJwt, written, text)).verdict).toBe(expected);
});

test("an encrypted token in an encrypted token is refused", async () => {
  const inner = await encrypted(good, "A128KW", "A128GCM", wrapping);
  const text = await encrypted(inner, "A128KW", "A128GCM", wrapping, { cty: "JWT" });
  expect(
    (await judge(validateJwt, { attributes: inHeader, children: { ...rsa, ...opener(wrapping) } }, text))
      .verdict,
  ).toBe(BAD);
});

// ── When it is saved ──────────────────────────────────────────────────────────────────────────────────────────────

const { n, e } = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });

test.each<[string, Written, string[]]>([
  ["nothing wrong", { attributes: inHeader, children: rsa }, []],
  [
    "no place",
    { children: rsa },
    ["exactly one of header-name, query-parameter-name and token-value is needed"],
  ],
  [
    "two places",
    { attributes: { ...inHeader, "token-value": "x" }, children: rsa },
    ["exactly one of header-name, query-parameter-name and token-value is needed"],
  ],
  [
    "no key",
    { attributes: inHeader },
    ["there is no key to check signatures with, so every token is refused"],
  ],
  [
    "a skew that is none",
    { attributes: { ...inHeader, "clock-skew": "5 min" }, children: rsa },
    ['"5 min" is not a time'],
  ],
  [
    "a staleness that is none",
    { attributes: { ...inHeader, "jwks-max-stale": "long" }, children: rsa },
    ['"long" is not a time'],
  ],
  [
    "a staleness that is too short",
    { attributes: { ...inHeader, "jwks-max-stale": "0" }, children: rsa },
    ["jwks-max-stale is at least a minute"],
  ],
  [
    "a URL that is none",
    { attributes: inHeader, children: { "openid-config": [{ attributes: { url: "login.example" } }] } },
    ['"login.example" is not an absolute http or https URL'],
  ],
  ["n without e", { attributes: inHeader, children: keys({ attributes: { n } }) }, ["n and e go together"]],
  [
    "a key in two forms",
    { attributes: inHeader, children: keys({ attributes: { n, e }, text: "AAAA" }) },
    ["a key is one of: its Base64 text, certificate-id, or n and e"],
  ],
  [
    "a key in no form",
    { attributes: inHeader, children: keys({}) },
    ["a key is one of: its Base64 text, certificate-id, or n and e"],
  ],
  [
    "a public key for decryption",
    {
      attributes: inHeader,
      children: { ...rsa, "decryption-keys": [{ children: { key: [rsaElement(RSA.publicKey)] } }] },
    },
    ["a public key decrypts nothing"],
  ],
  [
    "a weak key",
    { attributes: inHeader, children: keys({ attributes: { n, e } }) },
    ["n and e are not an RSA key of at least 2048 bits in base64url"],
  ],
  [
    "a key that is not Base64",
    { attributes: inHeader, children: keys({ text: "pass phrase!" }) },
    ["the key is not Base64"],
  ],
  [
    "a short key",
    { attributes: inHeader, children: keys({ text: "c2VjcmV0" }) },
    ["the key is shorter than 128 bits"],
  ],
  ["a key to be filled in", { attributes: inHeader, children: keys({ text: "{{signing-key}}" }) }, []],
])("said when it is saved: %s", (_name, written, expected) => {
  expect(mistakesOf(validateJwt, written)).toEqual(expected);
});
