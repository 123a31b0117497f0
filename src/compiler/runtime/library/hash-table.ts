/**
 * The table behind `Dictionary`, `HashSet` and LINQ's set operators. Keys are raw values of one type. Entries live in
 * one array in order of insertion; a removed entry's slot is filled by the next insertion, last freed first, so that
 * enumeration has .NET's order even after removals.
 *
 * Texts, numbers and booleans are keys of a `Map` directly (never properties of an object); objects that define
 * equality, and comparers that are not about texts, go through buckets of equal hashes.
 */
import { checkSize } from "../budget.ts";
import { Box, type NetObject, TYPE, hashOf } from "../values.ts";
import { collectionModified, sameValue } from "./collections.ts";
import { type EqualityLike, isDefaultComparer } from "./comparers.ts";

export interface Entry {
  readonly key: unknown;
  value: unknown;
}

const NULL_KEY = Symbol("null");

export class HashTable {
  readonly comparer: EqualityLike | null;
  readonly #entries: (Entry | null)[] = [];
  readonly #free: number[] = [];
  readonly #direct = new Map<unknown, number>();
  #buckets: Map<number, number[]> | null = null;
  #version = 0;

  /** @param comparer null = `EqualityComparer<T>.Default` */
  constructor(comparer: EqualityLike | null = null) {
    this.comparer = isDefaultComparer(comparer) ? null : comparer;
  }

  get size(): number {
    return this.#entries.length - this.#free.length;
  }

  /** The `Map` key that stands for a raw key; undefined when buckets are needed. */
  #directKey(key: unknown): unknown {
    if (key === null) return NULL_KEY;
    if (this.comparer !== null) return typeof key === "string" ? this.comparer.key?.(key) : undefined;
    if (typeof key !== "object") return key;
    if (key instanceof Box) return undefined;
    return TYPE in key && (key as NetObject).netEquals !== undefined ? undefined : key;
  }

  #indexOf(key: unknown): number {
    const direct = this.#directKey(key);
    if (direct !== undefined) return this.#direct.get(direct) ?? -1;
    const bucket = this.#buckets?.get(this.#hash(key));
    if (bucket !== undefined) {
      for (const index of bucket) if (this.#same(this.#entries[index]!.key, key)) return index;
    }
    return -1;
  }

  #hash(key: unknown): number {
    return this.comparer === null ? hashOf(key) : this.comparer.hash(key);
  }

  #same(a: unknown, b: unknown): boolean {
    return this.comparer === null ? sameValue(a, b) : this.comparer.same(a, b);
  }

  find(key: unknown): Entry | null {
    const index = this.#indexOf(key);
    return index < 0 ? null : this.#entries[index]!;
  }

  has(key: unknown): boolean {
    return this.#indexOf(key) >= 0;
  }

  /** @returns false, and changes nothing, when the key is there */
  add(key: unknown, value: unknown): boolean {
    if (this.#indexOf(key) >= 0) return false;
    const index = this.#free.length > 0 ? this.#free.pop()! : this.#entries.length;
    checkSize(index + 1);
    this.#entries[index] = { key, value };
    const direct = this.#directKey(key);
    if (direct !== undefined) this.#direct.set(direct, index);
    else {
      this.#buckets ??= new Map();
      const hash = this.#hash(key);
      const bucket = this.#buckets.get(hash);
      if (bucket === undefined) this.#buckets.set(hash, [index]);
      else bucket.push(index);
    }
    this.#version++;
    return true;
  }

  set(key: unknown, value: unknown): void {
    const entry = this.find(key);
    if (entry === null) this.add(key, value);
    else {
      entry.value = value;
      this.#version++;
    }
  }

  /** @returns the removed entry, or null */
  remove(key: unknown): Entry | null {
    const index = this.#indexOf(key);
    if (index < 0) return null;
    const entry = this.#entries[index]!;
    this.#entries[index] = null;
    this.#free.push(index);
    const direct = this.#directKey(key);
    if (direct !== undefined) this.#direct.delete(direct);
    else {
      const hash = this.#hash(key);
      const bucket = this.#buckets!.get(hash)!;
      if (bucket.length === 1) this.#buckets!.delete(hash);
      else bucket.splice(bucket.indexOf(index), 1);
    }
    // .NET does not notice a removal during enumeration either.
    return entry;
  }

  clear(): void {
    this.#entries.length = 0;
    this.#free.length = 0;
    this.#direct.clear();
    this.#buckets = null;
    this.#version++;
  }

  /** Entries in order. @throws InvalidOperationException when the table is changed meanwhile */
  *entries(): Generator<Entry> {
    const version = this.#version;
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (entry === null) continue;
      yield entry;
      if (version !== this.#version) throw collectionModified();
    }
    if (version !== this.#version) throw collectionModified();
  }

  *keys(): Generator<unknown> {
    for (const entry of this.entries()) yield entry.key;
  }

  *values(): Generator<unknown> {
    for (const entry of this.entries()) yield entry.value;
  }
}
