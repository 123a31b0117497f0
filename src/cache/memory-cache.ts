import { type Cache, LARGEST_ENTRY_BYTES } from "./cache.ts";

/** What an entry costs beside key and value: the map's slot and two objects. */
const ENTRY_OVERHEAD_BYTES = 200;

interface Entry {
  readonly value: Uint8Array;
  readonly expiresMs: number;
  readonly sizeBytes: number;
}

/**
 * The built-in cache: never larger than its bound, the least recently used entry goes first. An entry is there until the very
 * millisecond of its end. Those that have ended are swept away two per write.
 */
export class MemoryCache implements Cache {
  /** In order of use, the longest unused first. */
  readonly #entries = new Map<string, Entry>();
  readonly #limitBytes: number;
  #sizeBytes = 0;
  #sweep: Iterator<[string, Entry]> | null = null;

  constructor(limitBytes = 64 * 1024 * 1024) {
    this.#limitBytes = limitBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get(key: string, now: number): Uint8Array | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#entries.delete(key);
    if (entry.expiresMs <= now) {
      this.#sizeBytes -= entry.sizeBytes;
      return null;
    }
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: Uint8Array, ttlMs: number, now: number): void {
    this.#sweepSome(now);
    this.delete(key);
    const sizeBytes = key.length * 2 + value.length + ENTRY_OVERHEAD_BYTES;
    if (!(ttlMs > 0) || value.length > LARGEST_ENTRY_BYTES || sizeBytes > this.#limitBytes) return;
    // A view would keep the whole buffer behind it alive.
    const kept = new Uint8Array(value);
    this.#entries.set(key, { value: kept, expiresMs: now + ttlMs, sizeBytes });
    this.#sizeBytes += sizeBytes;
    while (this.#sizeBytes > this.#limitBytes) this.delete(this.#entries.keys().next().value!);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#sizeBytes -= entry.sizeBytes;
  }

  #sweepSome(now: number): void {
    for (let i = 0; i < 2; i++) {
      this.#sweep ??= this.#entries.entries();
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = null;
        return;
      }
      const [key, entry] = next.value;
      if (entry.expiresMs <= now) this.delete(key);
    }
  }
}
