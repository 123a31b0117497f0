import type { Found, Near, SemanticEntry, SemanticStore } from "../semantic-store.ts";

interface Kept {
  readonly vector: Float32Array;
  readonly prompt: string;
  readonly payload: Uint8Array;
  readonly endMs: number;
}

/** What an entry costs besides its vector and texts. */
const OVERHEAD_BYTES = 200;

/** Entries of this process, in order of age; the oldest go when there is no room. */
export class MemorySemanticStore implements SemanticStore {
  readonly #partitions = new Map<string, Map<string, Kept>>();
  readonly #now: () => number;
  readonly #mostBytes: number;
  #bytes = 0;

  /** @param now ms that never step back */
  constructor(now: () => number, mostBytes = 256 * 1024 * 1024) {
    this.#now = now;
    this.#mostBytes = mostBytes;
  }

  find(partition: string, vector: Float32Array, distance: number, limit: number): Promise<Found> {
    const kept = this.#partitions.get(partition);
    const near: Near[] = [];
    if (kept === undefined) return Promise.resolve({ state: "answered", near });
    const now = this.#now();
    const unit = unitOf(vector);
    for (const [prompt, entry] of kept) {
      if (entry.endMs <= now) {
        this.#forget(kept, prompt, entry);
        continue;
      }
      if (entry.vector.length !== unit.length) continue;
      let dot = 0;
      for (let i = 0; i < unit.length; i++) dot += unit[i]! * entry.vector[i]!;
      const d = Math.max(0, 1 - dot);
      if (d <= distance + 1e-6) near.push({ distance: d, prompt, payload: entry.payload });
    }
    near.sort((a, b) => a.distance - b.distance);
    return Promise.resolve({ state: "answered", near: near.slice(0, limit) });
  }

  add(partition: string, { vector, prompt, payload }: SemanticEntry, ttlMs: number): Promise<boolean> {
    const entry = { vector: unitOf(vector), prompt, payload, endMs: this.#now() + ttlMs };
    const size = sizeOf(entry);
    if (size > this.#mostBytes) return Promise.resolve(false);
    let kept = this.#partitions.get(partition);
    if (kept === undefined) this.#partitions.set(partition, (kept = new Map<string, Kept>()));
    const before = kept.get(prompt);
    if (before !== undefined) this.#forget(kept, prompt, before);
    kept.set(prompt, entry);
    this.#bytes += size;
    while (this.#bytes > this.#mostBytes && this.#forgetOldest());
    return Promise.resolve(true);
  }

  clear(partition?: string): Promise<void> {
    for (const [name, kept] of this.#partitions) {
      if (partition !== undefined && name !== partition) continue;
      for (const [prompt, entry] of kept) this.#forget(kept, prompt, entry);
      this.#partitions.delete(name);
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.clear();
  }

  #forgetOldest(): boolean {
    for (const [name, kept] of this.#partitions) {
      for (const [prompt, entry] of kept) {
        this.#forget(kept, prompt, entry);
        return true;
      }
      this.#partitions.delete(name);
    }
    return false;
  }

  #forget(kept: Map<string, Kept>, prompt: string, entry: Kept): void {
    kept.delete(prompt);
    this.#bytes -= sizeOf(entry);
  }
}

function sizeOf({ vector, prompt, payload }: Kept): number {
  return vector.byteLength + prompt.length * 2 + payload.length + OVERHEAD_BYTES;
}

function unitOf(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
  return vector.map((value) => value * scale);
}
