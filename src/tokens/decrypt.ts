/**
 * Encrypted tokens (RFC 7516), decrypted with `jose`: WebCrypto's asynchronous hop does not matter where the result is
 * remembered. Key management that leaks (RSA1_5), that a sender can make expensive (PBES2) or that needs a party to agree
 * with (ECDH) is not offered, and compression is refused (RFC 8725 §3.6).
 */
import { type KeyObject, createSecretKey } from "node:crypto";
import { compactDecrypt } from "jose";
import { type TokenFailure, invalid } from "./failure.ts";
import { readHeader } from "./compact.ts";

export interface DecryptionKey {
  /** Keys whose id is the token's `kid` are tried first. */
  readonly id: string | null;
  /** An RSA private key or a secret. */
  readonly key: KeyObject;
}

const BY_KEY: Readonly<Record<"rsa" | "secret", readonly string[]>> = {
  rsa: ["RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512"],
  secret: ["dir", "A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW"],
};
const CONTENT = ["A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"];

export function decryptionSecret(bytes: Uint8Array, id: string | null): DecryptionKey {
  return { id, key: createSecretKey(bytes) };
}

/**
 * What is inside: a compact JWS, or a claims set that nobody signed.
 *
 * @throws TokenFailure `JwtInvalid` when no key opens it
 */
export async function decryptToken(token: string, keys: readonly DecryptionKey[]): Promise<Buffer> {
  const { alg, kid, raw } = readHeader(token.slice(0, token.indexOf(".")));
  if ("zip" in raw) throw invalid("Compressed tokens are not supported.");
  if (keys.length === 0) throw invalid("The token is encrypted and no decryption key is configured.");
  let failure: TokenFailure | null = null;
  for (const { key } of [...keys].sort((a, b) => Number(b.id === kid) - Number(a.id === kid))) {
    const algorithms =
      key.type === "secret" ? BY_KEY.secret : key.asymmetricKeyType === "rsa" ? BY_KEY.rsa : [];
    if (!algorithms.includes(alg)) continue;
    try {
      const options = { keyManagementAlgorithms: [...algorithms], contentEncryptionAlgorithms: CONTENT };
      return Buffer.from((await compactDecrypt(token, key, options)).plaintext);
    } catch (error) {
      failure = invalid("The token could not be decrypted.", error);
    }
  }
  throw (
    failure ??
    invalid(`No decryption key is of a type for the algorithm ${JSON.stringify(alg.slice(0, 40))}.`)
  );
}
