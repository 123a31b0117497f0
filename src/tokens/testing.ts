/** Tokens and keys for tests: made with `node:crypto`, without the code under test. */
import { type KeyObject, constants, createHmac, generateKeyPairSync, sign } from "node:crypto";
import "../compiler/runtime/library/index.ts";
import type { Value } from "../compiler/policy.ts";
import { type TestExchange, type Written, exchangeOf, policyStep } from "../gateway/testing.ts";
import type { GatewayError } from "../gateway/errors.ts";
import type { PolicyDefinition } from "../compiler/policy.ts";
import type { Jwt } from "../compiler/runtime/library/credentials.ts";

/** What `FakeClock` shows, in seconds. */
export const NOW = 1_700_000_000;

export const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const OTHER_RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const WEAK_RSA = generateKeyPairSync("rsa", { modulusLength: 1024 });
export const P256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
export const P384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
export const P521 = generateKeyPairSync("ec", { namedCurve: "P-521" });
export const K256 = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
export const SECRET = Buffer.from("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");

export function b64(value: string | Uint8Array | object): string {
  const text = typeof value === "string" || value instanceof Uint8Array ? value : JSON.stringify(value);
  return Buffer.from(text as string).toString("base64url");
}

/** Signs as `alg` says, whatever the key's purpose. */
export function signatureOf(input: string, alg: string, key: KeyObject | Uint8Array): Buffer {
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith("HS"))
    return createHmac(hash, key as Uint8Array)
      .update(input)
      .digest();
  const bytes = Buffer.from(input);
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  if (alg.startsWith("PS")) return sign(hash, bytes, { key: key as KeyObject, ...pss });
  if (alg.startsWith("ES")) return sign(hash, bytes, { key: key as KeyObject, dsaEncoding: "ieee-p1363" });
  return sign(hash, bytes, key as KeyObject);
}

export interface TokenParts {
  readonly header?: object | string;
  readonly payload?: object | string;
}

export const CLAIMS = {
  iss: "https://issuer.example/",
  aud: "api://headgate",
  sub: "someone",
  exp: NOW + 600,
};

/** A token; `header` and `payload` as text are taken as they are. */
export function token(
  alg: string,
  key: KeyObject | Uint8Array,
  { header = { alg, typ: "JWT" }, payload = CLAIMS }: TokenParts = {},
): string {
  const input = `${b64(header)}.${b64(payload)}`;
  return `${input}.${signatureOf(input, alg, key).toString("base64url")}`;
}

export function jwkOf(key: KeyObject, more: object = {}): Record<string, unknown> {
  return { ...key.export({ format: "jwk" }), ...more };
}

/** `key` elements. */
export function rsaElement(key: KeyObject, id?: string): Written {
  const { n, e } = key.export({ format: "jwk" });
  return { attributes: { n, e, ...(id === undefined ? {} : { id }) } };
}

export function secretElement(secret: Uint8Array | Value<string>, id?: string): Written {
  return {
    text: secret instanceof Uint8Array ? Buffer.from(secret).toString("base64") : secret,
    attributes: id === undefined ? {} : { id },
  };
}

/** `ok`, or `status Reason`. */
export async function verdict(
  policy: PolicyDefinition,
  written: Written,
  exchange: TestExchange,
): Promise<string> {
  const error = await failureOf(policy, written, exchange);
  return error === null ? "ok" : `${error.status} ${error.reason}`;
}

export async function failureOf(
  policy: PolicyDefinition,
  written: Written,
  exchange: TestExchange,
): Promise<GatewayError | null> {
  try {
    await policyStep(policy, written).run(exchange, null);
    return null;
  } catch (error) {
    return error as GatewayError;
  }
}

/** The verdict on a token in `Authorization`, and the variable that got it. */
export async function judge(
  policy: PolicyDefinition,
  written: Written,
  text: string,
): Promise<{ verdict: string; jwt: Jwt | undefined }> {
  const exchange = exchangeOf({ headers: ["Authorization", `Bearer ${text}`] });
  const found = await verdict(
    policy,
    { ...written, attributes: { "output-token-variable-name": "jwt", ...written.attributes } },
    exchange,
  );
  return { verdict: found, jwt: exchange.variables.get("jwt") as Jwt | undefined };
}
