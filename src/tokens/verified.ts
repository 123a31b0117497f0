/**
 * Tokens whose signature was found good, so that a caller's next request with the same token does not pay for it again.
 * Only the signature is remembered: times, issuer, audience and claims are looked at each time. Kept under a hash, least
 * recently used out first, bounded in number and size.
 */
import { hash } from "node:crypto";
import type { Jwt } from "../compiler/runtime/library/credentials.ts";
import type { Claims } from "./compact.ts";
import type { OpenIdSource } from "./openid.ts";

export interface VerifiedToken {
  readonly jwt: Jwt;
  readonly claims: Claims;
  /** Where the key came from; null: from the policy itself, or there was none to check. */
  readonly source: OpenIdSource | null;
  /** The source's, when its key was used. */
  readonly generation: number;
}

const MOST_TOKENS = 10_000;
/** UTF-16 units of the tokens themselves; what is parsed of one takes some times as much. */
const MOST_TEXT = 16 * 1024 * 1024;

export class VerifiedTokens {
  readonly #tokens = new Map<string, VerifiedToken>();
  #text = 0;

  get size(): number {
    return this.#tokens.size;
  }

  get(key: string): VerifiedToken | null {
    const found = this.#tokens.get(key);
    if (found === undefined) return null;
    this.#tokens.delete(key);
    this.#tokens.set(key, found);
    return found;
  }

  set(key: string, token: VerifiedToken): void {
    this.delete(key);
    this.#tokens.set(key, token);
    this.#text += token.jwt.text.length;
    for (const [oldest] of this.#tokens) {
      if (this.#tokens.size <= MOST_TOKENS && this.#text <= MOST_TEXT) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const found = this.#tokens.get(key);
    if (found === undefined) return;
    this.#tokens.delete(key);
    this.#text -= found.jwt.text.length;
  }
}

/** @param shelf the keys that it was checked with, in a form that no other shelf has */
export function verifiedKey(token: string, shelf: string): string {
  return `${hash("sha256", token, "base64")} ${shelf}`;
}
