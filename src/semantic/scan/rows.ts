/**
 * Codes of vectors with the same number of dimensions, in slots of one memory. Slots that were freed are used again; the
 * memory itself never gets smaller.
 *
 *     | question | table of a piece | products of a piece | slot 0 | slot 1 | …
 */
import { type Code, paddedLength } from "./code.ts";
import { type ScanMemory, scanMemory } from "./kernel.ts";

/** Rows scanned in one call. */
const PIECE = 4096;

export class Rows {
  readonly #memory: ScanMemory;
  readonly #length: number;
  readonly #first: number;
  readonly #free: number[] = [];
  #used = 0;
  scale = new Float32Array(16);
  error = new Float32Array(16);
  /** The entry's own number. */
  id = new Float64Array(16);
  /** When it expires. */
  endMs = new Float64Array(16);
  /** Where it stands in its partition's list. */
  place = new Int32Array(16);

  constructor(dimensions: number, memory = scanMemory()) {
    this.#memory = memory;
    this.#length = paddedLength(dimensions);
    this.#first = this.#length + 8 * PIECE;
  }

  /** Slots in use. */
  get size(): number {
    return this.#used - this.#free.length;
  }

  /** @returns its slot; −1 when there is no room */
  put(code: Code, id: number, endMs: number): number {
    let slot = this.#free.pop();
    if (slot === undefined) {
      if (!this.#memory.ensure(this.#first + (this.#used + 1) * this.#length)) return -1;
      slot = this.#used++;
      if (slot >= this.id.length) this.#widen();
    }
    this.#memory.octets.set(code.octets, this.#first + slot * this.#length);
    this.scale[slot] = code.scale;
    this.error[slot] = code.error;
    this.id[slot] = id;
    this.endMs[slot] = endMs;
    return slot;
  }

  free(slot: number): void {
    this.#free.push(slot);
  }

  /** Products of the codes of `question` and of the slots, in units of both scales. */
  products(question: Code, slots: Int32Array, n: number, products: Float64Array): void {
    const memory = this.#memory;
    const length = this.#length;
    if (!memory.ensure(this.#first)) return void products.fill(0, 0, n);
    const { octets, words } = memory;
    octets.set(question.octets, 0);
    const table = length;
    const out = length + 4 * PIECE;
    for (let from = 0; from < n; from += PIECE) {
      const count = Math.min(PIECE, n - from);
      for (let i = 0; i < count; i++) words[table / 4 + i] = this.#first + slots[from + i]! * length;
      memory.scan(0, table, count, length, out);
      for (let i = 0; i < count; i++) products[from + i] = words[out / 4 + i]!;
    }
  }

  #widen(): void {
    const size = Math.ceil(this.id.length * 1.5);
    this.scale = widened(this.scale, new Float32Array(size));
    this.error = widened(this.error, new Float32Array(size));
    this.id = widened(this.id, new Float64Array(size));
    this.endMs = widened(this.endMs, new Float64Array(size));
    this.place = widened(this.place, new Int32Array(size));
  }
}

function widened<T extends Float32Array | Float64Array | Int32Array>(old: T, wide: T): T {
  wide.set(old);
  return wide;
}
