/** The embedded store without its thread and without a file, for the few entries of a test or a tool. */
import { Entries } from "../embedded/entries.ts";
import type { Found, SemanticEntry, SemanticStore } from "../semantic-store.ts";

export class MemorySemanticStore implements SemanticStore {
  readonly #now: () => number;
  readonly #mostBytes: number;
  #entries: Entries | null = null;

  /** @param now ms that never step back */
  constructor(now: () => number, mostBytes = 256 * 1024 * 1024) {
    this.#now = now;
    this.#mostBytes = mostBytes;
  }

  find(partition: string, vector: Float32Array, distance: number, limit: number): Promise<Found> {
    const near = this.#opened().find(partition, vector, distance, limit, this.#now());
    return Promise.resolve({ state: "answered", near });
  }

  add(partition: string, entry: SemanticEntry, ttlMs: number): Promise<boolean> {
    const now = this.#now();
    return Promise.resolve(this.#opened().add(partition, entry, now + ttlMs, now));
  }

  clear(partition?: string): Promise<void> {
    this.#opened().clear(partition ?? null, this.#now());
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#entries?.close();
    this.#entries = null;
    return Promise.resolve();
  }

  #opened(): Entries {
    const { file, memoryBytes } = { file: null, memoryBytes: this.#mostBytes };
    return (this.#entries ??= new Entries({ file, memoryBytes, diskBytes: Infinity }, this.#now(), () => {}));
  }
}
