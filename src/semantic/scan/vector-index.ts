/**
 * The nearest vectors of a partition, by scanning all of them: octets first (`kernel.ts`), then the vectors themselves,
 * which lie elsewhere, for those few that may be among the nearest. How far an octets' product may be off is known for
 * each row, so what comes out is exactly what comparing all vectors would give, near ties included.
 */
import { type Code, encode, paddedLength, uncertainty } from "./code.ts";
import { Rows } from "./rows.ts";
import { ROUNDING, distanceOf } from "../unit-vector.ts";

/** One partition's slots in the rows of one number of dimensions. */
interface List {
  readonly partition: string;
  readonly dimensions: number;
  readonly rows: Rows;
  slots: Int32Array;
  n: number;
}

interface Place {
  readonly list: List;
  readonly slot: number;
}

export interface NearId {
  readonly id: number;
  readonly distance: number;
}

/** What a row costs besides its code: numbers, maps and lists. */
const OVERHEAD_BYTES = 160;
/** Vectors read for one question at most: then it takes the better part of a tenth of a second, whoever made the ties. */
const MOST_READ = 10_000;

export class VectorIndex {
  readonly #partitions = new Map<string, Map<number, List>>();
  readonly #rows = new Map<number, Rows>();
  readonly #places = new Map<number, Place>();
  #products = new Float64Array(1024);

  get size(): number {
    return this.#places.size;
  }

  /** @param id not in use @returns false when there is no room */
  add(partition: string, id: number, dimensions: number, code: Code, endMs: number): boolean {
    let rows = this.#rows.get(dimensions);
    if (rows === undefined) this.#rows.set(dimensions, (rows = new Rows(dimensions)));
    const slot = rows.put(code, id, endMs);
    if (slot < 0) return false;
    let lists = this.#partitions.get(partition);
    if (lists === undefined) this.#partitions.set(partition, (lists = new Map<number, List>()));
    let list = lists.get(dimensions);
    if (list === undefined)
      lists.set(dimensions, (list = { partition, dimensions, rows, slots: new Int32Array(4), n: 0 }));
    if (list.n === list.slots.length) {
      const wide = new Int32Array(list.n * 2);
      wide.set(list.slots);
      list.slots = wide;
    }
    rows.place[slot] = list.n;
    list.slots[list.n++] = slot;
    this.#places.set(id, { list, slot });
    return true;
  }

  /** @returns the octets it took; 0 when there was none */
  remove(id: number): number {
    const place = this.#places.get(id);
    if (place === undefined) return 0;
    this.#places.delete(id);
    const { list } = place;
    const { partition, dimensions, rows, slots } = list;
    const lists = this.#partitions.get(partition)!;
    // The last one takes its place.
    const at = rows.place[place.slot]!;
    const last = slots[--list.n]!;
    slots[at] = last;
    rows.place[last] = at;
    rows.free(place.slot);
    if (list.n === 0) lists.delete(dimensions);
    if (lists.size === 0) this.#partitions.delete(partition);
    if (rows.size === 0) this.#rows.delete(dimensions);
    return VectorIndex.sizeOf(dimensions);
  }

  /** Octets of memory that an entry takes. */
  static sizeOf(dimensions: number): number {
    return paddedLength(dimensions) + OVERHEAD_BYTES;
  }

  /** Numbers of what has expired. */
  expired(now: number): number[] {
    const ids: number[] = [];
    for (const lists of this.#partitions.values())
      for (const { rows, slots, n } of lists.values())
        for (let i = 0; i < n; i++) if (rows.endMs[slots[i]!]! <= now) ids.push(rows.id[slots[i]!]!);
    return ids;
  }

  /** Numbers of all entries of a partition. */
  idsOf(partition: string): number[] {
    const ids: number[] = [];
    for (const { rows, slots, n } of this.#partitions.get(partition)?.values() ?? [])
      for (let i = 0; i < n; i++) ids.push(rows.id[slots[i]!]!);
    return ids;
  }

  /**
   * The nearest ones within `distance`, nearest first, older first among equals.
   *
   * @param unit  of length one
   * @param vectorOf  an entry's vector of length one; null when it is gone
   */
  nearest(
    partition: string,
    unit: Float32Array,
    distance: number,
    limit: number,
    now: number,
    vectorOf: (id: number) => Float32Array | null,
  ): NearId[] {
    const list = this.#partitions.get(partition)?.get(unit.length);
    if (list === undefined || !(distance >= 0)) return [];
    const { rows } = list;
    const best: NearId[] = [];
    let worst = distance + ROUNDING;
    let read = 0;
    for (const { slot, least } of this.#candidates(list, unit, worst, limit, now)) {
      if (least > worst || read++ >= MOST_READ) break;
      const id = rows.id[slot]!;
      const vector = vectorOf(id);
      if (vector === null || vector.length !== unit.length) continue;
      const d = distanceOf(unit, vector);
      if (d > distance + ROUNDING) continue;
      if (best.length === limit && !isBefore(d, id, best.at(-1)!)) continue;
      if (best.length === limit) best.pop();
      let at = best.length;
      while (at > 0 && isBefore(d, id, best[at - 1]!)) at--;
      best.splice(at, 0, { id, distance: d });
      if (best.length === limit) worst = best.at(-1)!.distance;
    }
    return best;
  }

  /** Rows that may be among the nearest, with the least that their distance can be, least first. */
  #candidates(
    { rows, slots, n }: List,
    unit: Float32Array,
    distance: number,
    limit: number,
    now: number,
  ): Candidate[] {
    const question = encode(unit);
    if (this.#products.length < n) this.#products = new Float64Array(Math.ceil(n * 1.5));
    const products = this.#products;
    rows.products(question, slots, n, products);
    const { scale, error, endMs } = rows;
    // At least `limit` rows are at most this far, whatever the rounding did.
    const surely = new Smallest(limit);
    for (let i = 0; i < n; i++) {
      const slot = slots[i]!;
      if (endMs[slot]! <= now) {
        products[i] = Infinity;
        continue;
      }
      const off = uncertainty(error[slot]!, question.error);
      const about = 1 - products[i]! * scale[slot]! * question.scale;
      products[i] = about - off;
      surely.offer(about + off);
    }
    const most = Math.min(distance, surely.largest);
    const candidates: Candidate[] = [];
    for (let i = 0; i < n; i++)
      if (products[i]! <= most) candidates.push({ slot: slots[i]!, least: products[i]! });
    return candidates.sort((a, b) => a.least - b.least);
  }
}

interface Candidate {
  readonly slot: number;
  readonly least: number;
}

function isBefore(distance: number, id: number, other: NearId): boolean {
  return distance < other.distance || (distance === other.distance && id < other.id);
}

/** The `count` smallest of the numbers that were offered. */
class Smallest {
  readonly #kept: number[] = [];
  readonly #count: number;
  /** The largest of them; infinite while there are fewer. */
  largest = Infinity;

  constructor(count: number) {
    this.#count = count;
  }

  offer(value: number): void {
    if (value >= this.largest) return;
    const kept = this.#kept;
    if (kept.length === this.#count) kept.pop();
    let at = kept.length;
    while (at > 0 && kept[at - 1]! > value) at--;
    kept.splice(at, 0, value);
    if (kept.length === this.#count) this.largest = kept.at(-1)!;
  }
}
