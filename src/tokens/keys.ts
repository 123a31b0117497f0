/**
 * Keys that signatures are checked with. Each knows the algorithms that it may be used for, from its own type and never
 * from the token (RFC 8725 §3.1): no HMAC with a public key, no curve but the algorithm's own, no short RSA key.
 */
import {
  type JsonWebKey,
  type KeyObject,
  X509Certificate,
  createPublicKey,
  createSecretKey,
} from "node:crypto";
import { type JsonObject, isJsonObject } from "../base/json-object.ts";
import { SIGNATURE_ALGORITHMS } from "./signature.ts";

export interface VerificationKey {
  /** Compared with the token's `kid`; null: tried for every token. */
  readonly id: string | null;
  readonly key: KeyObject;
  readonly algorithms: ReadonlySet<string>;
}

/** RFC 7518 §3.3. */
export const LEAST_RSA_BITS = 2048;
/** RFC 7518 §3.2 asks for as many as the hash has; 128 bits is what the product takes. */
export const LEAST_SECRET_BYTES = 16;
/** One set never needs more; each may cost a signature check. */
const MOST_KEYS = 100;

const HMAC = named("HS");
const RSA = named("RS", "PS");
const PSS = named("PS");
const CURVES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["prime256v1", new Set(["ES256"])],
  ["secp384r1", new Set(["ES384"])],
  ["secp521r1", new Set(["ES512"])],
]);

function named(...families: readonly string[]): ReadonlySet<string> {
  return new Set(
    [...SIGNATURE_ALGORITHMS.keys()].filter((name) => families.some((family) => name.startsWith(family))),
  );
}

/** What a public key may verify; null when it is too weak or of a kind that signs no tokens. */
function algorithmsOf(key: KeyObject): ReadonlySet<string> | null {
  const { modulusLength = 0, publicExponent = 0n, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  const isStrong = modulusLength >= LEAST_RSA_BITS && publicExponent > 1n;
  switch (key.asymmetricKeyType) {
    case "rsa":
      return isStrong ? RSA : null;
    case "rsa-pss":
      return isStrong ? PSS : null;
    case "ec":
      return CURVES.get(namedCurve) ?? null;
    default:
      return null;
  }
}

function publicKey(key: KeyObject, id: string | null, alg?: string): VerificationKey | null {
  const algorithms = algorithmsOf(key);
  if (algorithms === null) return null;
  if (alg === undefined) return { id, key, algorithms };
  return algorithms.has(alg) ? { id, key, algorithms: new Set([alg]) } : null;
}

/** A symmetric key; null when it is too short. */
export function secretKey(bytes: Uint8Array, id: string | null): VerificationKey | null {
  return bytes.length < LEAST_SECRET_BYTES ? null : { id, key: createSecretKey(bytes), algorithms: HMAC };
}

/** The key of an X.509 certificate in DER; null when it is none that signs tokens. */
export function certificateKey(der: Uint8Array, id: string | null): VerificationKey | null {
  try {
    return publicKey(new X509Certificate(der).publicKey, id);
  } catch {
    return null;
  }
}

/** Modulus and exponent in base64url (or base64); null when they make no RSA key, or a weak one. */
export function rsaKey(n: string, e: string, id: string | null): VerificationKey | null {
  return fromJwk({ kty: "RSA", n: toBase64Url(n), e: toBase64Url(e) }, id);
}

function toBase64Url(text: string): string {
  return text.replace(/\s/g, "").replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromJwk(jwk: JsonWebKey, id: string | null, alg?: string): VerificationKey | null {
  try {
    return publicKey(createPublicKey({ key: jwk, format: "jwk" }), id, alg);
  } catch {
    // Not a key: a point off its curve, a number that is none.
    return null;
  }
}

/**
 * The usable keys of a JSON Web Key Set (RFC 7517 §5). What is not understood is left out, as the standard asks:
 * keys for encryption, unknown types, weak ones, and secrets, which no published set can hold.
 *
 * @returns null when it is no key set at all
 */
export function readKeySet(set: unknown): VerificationKey[] | null {
  if (!isJsonObject(set) || !Array.isArray(set["keys"])) return null;
  const keys: VerificationKey[] = [];
  for (const jwk of set["keys"] as unknown[]) {
    const key = isJsonObject(jwk) ? readJwk(jwk) : null;
    if (key !== null && keys.length < MOST_KEYS) keys.push(key);
  }
  return keys;
}

function readJwk(jwk: JsonObject): VerificationKey | null {
  const { kty, use, key_ops: operations, kid, alg } = jwk;
  if (kty !== "RSA" && kty !== "EC") return null;
  if (use !== undefined && use !== "sig") return null;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) return null;
  if (kid !== undefined && typeof kid !== "string") return null;
  if (alg !== undefined && typeof alg !== "string") return null;
  const { n, e, crv, x, y } = jwk;
  const members = kty === "RSA" ? { kty, n, e } : { kty, crv, x, y };
  return fromJwk(members as JsonWebKey, kid ?? null, alg);
}

/** Base64 in either alphabet, as authors paste it; null when it is none. */
export function readBase64(text: string): Buffer | null {
  const plain = toBase64Url(text);
  return plain !== "" && /^[\w-]+$/.test(plain) && plain.length % 4 !== 1
    ? Buffer.from(plain, "base64url")
    : null;
}
