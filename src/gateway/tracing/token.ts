/**
 * Debug tokens (`routing.md` §7.5): what lets a caller have a request traced. A token is the text of its rights and an
 * HMAC over it, so that any node with the key can check it and nobody keeps a list.
 *
 *     base64url({"api":"echo","expires":1700000000000}) . base64url(HMAC-SHA-256)
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** The longest that a token may live: `credentialsExpireAfter` ≤ PT1H. */
export const LONGEST_TOKEN_MS = 3_600_000;

interface Rights {
  /** Root id of the API, lower case; null = any (for who runs the gateway). */
  readonly api: string | null;
  /** Ms since the epoch. */
  readonly expires: number;
}

export type TokenVerdict =
  | { readonly kind: "valid" }
  | { readonly kind: "expired"; readonly expires: number }
  | { readonly kind: "wrong-api"; readonly api: string }
  | { readonly kind: "invalid" };

/** @param lifetimeMs more than an hour becomes an hour */
export function issueToken(key: Uint8Array, api: string | null, now: number, lifetimeMs: number): string {
  const rights: Rights = {
    api: api?.toLowerCase() ?? null,
    expires: now + Math.min(lifetimeMs, LONGEST_TOKEN_MS),
  };
  const text = Buffer.from(JSON.stringify(rights)).toString("base64url");
  return `${text}.${signature(key, text).toString("base64url")}`;
}

/** @param api root id of the API that was matched; null when none was */
export function checkToken(key: Uint8Array, token: string, api: string | null, now: number): TokenVerdict {
  const dot = token.indexOf(".");
  if (dot < 0 || token.length > 1_000) return { kind: "invalid" };
  const text = token.slice(0, dot);
  const given = Buffer.from(token.slice(dot + 1), "base64url");
  const right = signature(key, text);
  if (given.length !== right.length || !timingSafeEqual(given, right)) return { kind: "invalid" };
  // Only we could have signed it, so it is what we wrote.
  const rights = JSON.parse(Buffer.from(text, "base64url").toString()) as Rights;
  if (rights.expires <= now) return { kind: "expired", expires: rights.expires };
  if (rights.api !== null && rights.api !== api?.toLowerCase()) return { kind: "wrong-api", api: rights.api };
  return { kind: "valid" };
}

function signature(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
