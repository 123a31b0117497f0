/** Signatures of RFC 7518 §3, checked with `node:crypto`: synchronous, and without a copy of the key for each token. */
import { type KeyObject, constants, createHmac, timingSafeEqual, verify } from "node:crypto";

interface Algorithm {
  readonly verify: (input: Buffer, signature: Buffer, key: KeyObject) => boolean;
}

export const SIGNATURE_ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ["HS256", hmac("sha256")],
  ["HS384", hmac("sha384")],
  ["HS512", hmac("sha512")],
  ["RS256", rsa("sha256")],
  ["RS384", rsa("sha384")],
  ["RS512", rsa("sha512")],
  ["PS256", pss("sha256")],
  ["PS384", pss("sha384")],
  ["PS512", pss("sha512")],
  ["ES256", ecdsa("sha256", 64)],
  ["ES384", ecdsa("sha384", 96)],
  ["ES512", ecdsa("sha512", 132)],
]);

function hmac(hash: string): Algorithm {
  return {
    verify: (input, signature, key) => {
      const expected = createHmac(hash, key).update(input).digest();
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    },
  };
}

function rsa(hash: string): Algorithm {
  return {
    verify: (input, signature, key) =>
      verify(hash, input, { key, padding: constants.RSA_PKCS1_PADDING }, signature),
  };
}

/** The salt is as long as the hash (§3.5), not whatever fits. */
function pss(hash: string): Algorithm {
  const how = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return { verify: (input, signature, key) => verify(hash, input, { key, ...how }, signature) };
}

/** `r` and `s` side by side, each as long as the curve's order (§3.4); DER is another signature's form. */
function ecdsa(hash: string, length: number): Algorithm {
  return {
    verify: (input, signature, key) =>
      signature.length === length && verify(hash, input, { key, dsaEncoding: "ieee-p1363" }, signature),
  };
}

/**
 * Whether `signature` is that of `input`. False also for what OpenSSL finds unreadable.
 *
 * @param alg one of `SIGNATURE_ALGORITHMS` that the key may be used for
 */
export function verifies(alg: string, input: Buffer, signature: Buffer, key: KeyObject): boolean {
  try {
    return SIGNATURE_ALGORITHMS.get(alg)!.verify(input, signature, key);
  } catch {
    return false;
  }
}
