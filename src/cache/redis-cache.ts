import { hash } from "node:crypto";
import type { RedisLink } from "../redis/link.ts";
import { type Cache, LARGEST_ENTRY_BYTES } from "./cache.ts";

const PREFIX = "headgate:cache:";
const LONGEST_KEY = 200;

/**
 * Entries in a Redis or Valkey, shared with whoever uses the same one. A look-up costs at most the link's timeout, and
 * nothing once the link is down: then everything misses and nothing is stored. At most `LARGEST_ENTRY_BYTES` of a value are
 * read, whoever wrote it. Writes are sent and not waited for; on one connection a look-up after them finds them.
 */
export class RedisCache implements Cache {
  readonly #link: RedisLink;

  constructor(link: RedisLink) {
    this.#link = link;
  }

  get(key: string, _now: number): null | Promise<Uint8Array | null> {
    if (!this.#link.up) return null;
    return this.#link.call("getrangeBuffer", [nameOf(key), 0, LARGEST_ENTRY_BYTES]).then(octets, () => null);
  }

  set(key: string, value: Uint8Array, ttlMs: number, _now: number): void {
    if (!this.#link.up) return;
    if (!(ttlMs > 0) || value.length > LARGEST_ENTRY_BYTES) return this.delete(key);
    // The caller may go on using what it gave.
    this.#link
      .call("set", [nameOf(key), Buffer.from(value), "PX", Math.max(1, Math.ceil(ttlMs))])
      .catch(ignore);
  }

  delete(key: string): void {
    if (this.#link.up) this.#link.call("del", [nameOf(key)]).catch(ignore);
  }
}

/** An absent key reads as nothing at all; a value longer than ours can be is somebody else's. */
function octets(reply: unknown): Uint8Array | null {
  return reply instanceof Uint8Array && reply.length > 0 && reply.length <= LARGEST_ENTRY_BYTES
    ? reply
    : null;
}

function nameOf(key: string): string {
  return PREFIX + (key.length <= LONGEST_KEY ? key : `#${hash("sha256", key, "base64url")}`);
}

/** The link has noticed; a cache has nothing to add. */
function ignore(): void {}
