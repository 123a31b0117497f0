/** Tokens as they lie in the vault. */
import { type JsonObject, isJsonObject } from "../base/json-object.ts";
import type { TokenSet } from "./token-answer.ts";

interface Kept {
  readonly fingerprint: string;
  readonly tokens: TokenSet;
}

export function toKept(fingerprint: string, tokens: TokenSet): object {
  return { version: 1, fingerprint, tokens };
}

/** null for what is not of this form: another version wrote it. */
export function readKept(value: JsonObject | null): Kept | null {
  if (value === null || value["version"] !== 1) return null;
  const { fingerprint, tokens } = value;
  if (typeof fingerprint !== "string" || !isJsonObject(tokens)) return null;
  const { accessToken, refreshToken, issuedAt, expiresAt, claims } = tokens;
  if (typeof accessToken !== "string" || typeof issuedAt !== "number" || !isJsonObject(claims)) return null;
  if (expiresAt !== null && typeof expiresAt !== "number") return null;
  return {
    fingerprint,
    tokens: {
      accessToken,
      refreshToken: typeof refreshToken === "string" ? refreshToken : null,
      issuedAt,
      expiresAt,
      claims,
    },
  };
}
