/** Signatures on what authorities publish: revocation lists and OCSP answers. */
import { type KeyObject, verify } from "node:crypto";
import { type Der, children, objectId } from "../../compiler/runtime/library/der.ts";

/** Hash by algorithm; null where the algorithm brings its own. SHA-1 and older are not here. */
const HASHES: ReadonlyMap<string, { readonly hash: string | null; readonly key: string }> = new Map([
  ["1.2.840.113549.1.1.11", { hash: "sha256", key: "rsa" }],
  ["1.2.840.113549.1.1.12", { hash: "sha384", key: "rsa" }],
  ["1.2.840.113549.1.1.13", { hash: "sha512", key: "rsa" }],
  ["1.2.840.10045.4.3.2", { hash: "sha256", key: "ec" }],
  ["1.2.840.10045.4.3.3", { hash: "sha384", key: "ec" }],
  ["1.2.840.10045.4.3.4", { hash: "sha512", key: "ec" }],
  ["1.3.101.112", { hash: null, key: "ed25519" }],
  ["1.3.101.113", { hash: null, key: "ed448" }],
]);

/** @param signature a BIT STRING */
export function isSigned(
  content: Uint8Array,
  algorithm: Der | undefined,
  signature: Der,
  key: KeyObject,
): boolean {
  const known = HASHES.get(objectId(children(algorithm)?.[0]));
  if (known === undefined || key.asymmetricKeyType !== known.key || signature.tag !== 0x03) return false;
  try {
    return verify(known.hash, content, key, signature.value.subarray(1));
  } catch {
    return false;
  }
}
