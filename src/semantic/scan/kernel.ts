/**
 * The inner loop of looking for the nearest: dot products of one row of octets with many, 16 octets a step. It is
 * WebAssembly with SIMD, because JavaScript needs 30 times as long; the module is put together here from its
 * instructions, so that there is no binary that nobody can read. Where there is no SIMD the same is done in JavaScript.
 *
 * The function, in WebAssembly's text form (`q`, `table`, `out` are addresses; a table holds rows' addresses):
 *
 *     (func (export "scan") (param $q i32) (param $table i32) (param $n i32) (param $d i32) (param $out i32)
 *       (local $p i32) (local $end i32) (local $k i32) (local $a v128) (local $b v128)
 *       (loop $rows
 *         (local.set $p (i32.load (local.get $table)))
 *         (local.set $end (i32.add (local.get $p) (local.get $d)))
 *         (local.set $k (local.get $q))
 *         (local.set $a (v128.const 0)) (local.set $b (v128.const 0))
 *         (loop $steps
 *           (local.set $a (i32x4.add (local.get $a)
 *             (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $p)) (v128.load8x8_s (local.get $k)))))
 *           (local.set $b (i32x4.add (local.get $b)
 *             (i32x4.dot_i16x8_s (v128.load8x8_s offset=8 (local.get $p)) (v128.load8x8_s offset=8 (local.get $k)))))
 *           (local.set $p (i32.add (local.get $p) (i32.const 16)))
 *           (local.set $k (i32.add (local.get $k) (i32.const 16)))
 *           (br_if $steps (i32.lt_u (local.get $p) (local.get $end))))
 *         (local.set $a (i32x4.add (local.get $a) (local.get $b)))
 *         (i32.store (local.get $out) (the sum of the four lanes of $a))
 *         (local.set $table (i32.add (local.get $table) (i32.const 4)))
 *         (local.set $out (i32.add (local.get $out) (i32.const 4)))
 *         (br_if $rows (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
 */

/** Memory that can be scanned. Views are made anew when it grows: do not keep them. */
export interface ScanMemory {
  readonly octets: Int8Array;
  readonly words: Int32Array;
  /** Makes room for so many octets. @returns false when there is none */
  ensure(sizeBytes: number): boolean;
  /**
   * Dot products of the row at `q` with each of `n` rows whose addresses stand in the table.
   *
   * @param n  at least 1
   * @param d  octets of a row, a multiple of 16, at least 16
   * @param out where the `n` products go, 32 bits each
   */
  scan(q: number, table: number, n: number, d: number, out: number): void;
}

export function scanMemory(): ScanMemory {
  return MODULE === null ? new PlainMemory() : new WasmMemory(MODULE);
}

/** Whether rows are scanned with SIMD here. */
export const hasSimd = (): boolean => MODULE !== null;

const PAGE = 65_536;
/** WebAssembly's own limit less a page, so that no address passes the end of 32 bits. */
const MOST_PAGES = 65_535;
/** Memory grows by an eighth, at least so many pages at a time. */
const LEAST_PAGES = 4;

class WasmMemory implements ScanMemory {
  readonly #memory: WasmMemoryObject;
  readonly scan: ScanMemory["scan"];
  #octets: Int8Array;
  #words: Int32Array;

  constructor(module: object) {
    this.#memory = new wasm!.Memory({ initial: 1, maximum: MOST_PAGES });
    const instance = new wasm!.Instance(module, { "": { memory: this.#memory } });
    this.scan = instance.exports["scan"] as ScanMemory["scan"];
    this.#octets = new Int8Array(this.#memory.buffer);
    this.#words = new Int32Array(this.#memory.buffer);
  }

  get octets(): Int8Array {
    return this.#octets;
  }

  get words(): Int32Array {
    return this.#words;
  }

  ensure(sizeBytes: number): boolean {
    const has = this.#octets.length / PAGE;
    const needs = Math.ceil(sizeBytes / PAGE);
    if (needs <= has) return true;
    const wish = Math.max(needs, Math.ceil(has * 1.125), has + LEAST_PAGES);
    if (!this.#grow(Math.min(wish, MOST_PAGES) - has) && !this.#grow(needs - has)) return false;
    this.#octets = new Int8Array(this.#memory.buffer);
    this.#words = new Int32Array(this.#memory.buffer);
    return true;
  }

  #grow(pages: number): boolean {
    try {
      this.#memory.grow(pages);
      return true;
    } catch {
      return false;
    }
  }
}

/** The same in JavaScript, some 30 times slower. */
export class PlainMemory implements ScanMemory {
  #octets = new Int8Array(PAGE);
  #words = new Int32Array(this.#octets.buffer);

  get octets(): Int8Array {
    return this.#octets;
  }

  get words(): Int32Array {
    return this.#words;
  }

  ensure(sizeBytes: number): boolean {
    if (sizeBytes <= this.#octets.length) return true;
    if (sizeBytes > 2 ** 31) return false;
    const size = Math.ceil(Math.max(sizeBytes, this.#octets.length * 1.5) / PAGE) * PAGE;
    try {
      const octets = new Int8Array(size);
      octets.set(this.#octets);
      this.#octets = octets;
      this.#words = new Int32Array(octets.buffer);
      return true;
    } catch {
      return false;
    }
  }

  scan(q: number, table: number, n: number, d: number, out: number): void {
    const octets = this.#octets;
    const words = this.#words;
    for (let i = 0; i < n; i++) {
      const row = words[table / 4 + i]!;
      let sum = 0;
      for (let k = 0; k < d; k++) sum += octets[row + k]! * octets[q + k]!;
      words[out / 4 + i] = sum;
    }
  }
}

// The parts of WebAssembly's JavaScript interface that are used here; Node's types leave them out.
interface WasmMemoryObject {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
interface Wasm {
  validate(octets: Uint8Array): boolean;
  readonly Module: new (octets: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, object>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => WasmMemoryObject;
}
const wasm = (globalThis as { readonly WebAssembly?: Wasm }).WebAssembly;

const I32 = 0x7f;
const V128 = 0x7b;
/** Numbers of the parameters and variables. */
const [Q, TABLE, N, D, OUT, P, END, K, A, B] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

const get = (variable: number): number[] => [0x20, variable];
const set = (variable: number): number[] => [0x21, variable];
const constant = (value: number): number[] => [0x41, value];
const ADD = 0x6a;
const increase = (variable: number, by: number): number[] => [
  ...get(variable),
  ...constant(by),
  ADD,
  ...set(variable),
];
const loop = (...body: readonly number[][]): number[] => [0x03, 0x40, ...body.flat(), 0x0b];
/** Goes on with the innermost loop when what lies on the stack is not zero. */
const AGAIN = [0x0d, 0x00];
const simd = (code: number): number[] => [0xfd, ...leb(code)];
const ZEROS = [...simd(12), ...Array<number>(16).fill(0)];
const load8x8 = (offset: number): number[] => [...simd(1), 0, offset];
const DOT = simd(186);
const ADD_LANES = simd(174);
const lane = (number: number): number[] => [...get(A), ...simd(27), number];
const addProducts = (sum: number, offset: number): number[] => [
  ...get(sum),
  ...get(P),
  ...load8x8(offset),
  ...get(K),
  ...load8x8(offset),
  ...DOT,
  ...ADD_LANES,
  ...set(sum),
];

const SCAN = loop(
  [...get(TABLE), 0x28, 2, 0, ...set(P)],
  [...get(P), ...get(D), ADD, ...set(END)],
  [...get(Q), ...set(K)],
  [...ZEROS, ...set(A), ...ZEROS, ...set(B)],
  loop(
    addProducts(A, 0),
    addProducts(B, 8),
    increase(P, 16),
    increase(K, 16),
    [...get(P), ...get(END), 0x49],
    AGAIN,
  ),
  [...get(A), ...get(B), ...ADD_LANES, ...set(A)],
  [...get(OUT), ...lane(0), ...lane(1), ADD, ...lane(2), ADD, ...lane(3), ADD, 0x36, 2, 0],
  increase(TABLE, 4),
  increase(OUT, 4),
  [...get(N), ...constant(1), 0x6b, 0x22, N],
  AGAIN,
);

/** An unsigned number in seven bits an octet. */
function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
const sized = (octets: readonly number[]): number[] => [...leb(octets.length), ...octets];
const name = (text: string): number[] => sized([...new TextEncoder().encode(text)]);
const section = (id: number, ...parts: readonly number[][]): number[] => [id, ...sized(parts.flat())];

/** "\0asm", version 1. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** The whole module: one type, an imported memory, one function, its export and its code. */
export function assemble(): Uint8Array {
  const variables = [2, 3, I32, 2, V128];
  return new Uint8Array([
    ...MAGIC,
    ...section(1, [1, 0x60, 5, I32, I32, I32, I32, I32, 0]),
    ...section(2, [1], name(""), name("memory"), [0x02, 0x01, ...leb(1), ...leb(MOST_PAGES)]),
    ...section(3, [1, 0]),
    ...section(7, [1], name("scan"), [0x00, 0]),
    ...section(10, [1], sized([...variables, ...SCAN, 0x0b])),
  ]);
}

/** null where WebAssembly or its SIMD is missing. */
const MODULE: object | null = ((): object | null => {
  const octets = assemble();
  return wasm?.validate(octets) === true ? new wasm.Module(octets) : null;
})();
