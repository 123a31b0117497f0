/**
 * The tokens of one encoding, packed: some typed arrays instead of a Map with a string per token, so that o200k takes
 * 9 MB instead of 30, and looking up a span of octets makes no string.
 *
 * A token's id here is its place in the order of ranks, lowest first: the order in which pairs are merged. Spans are
 * hashed by a polynomial, `h(xy) = h(x) * B^|y| + h(y)` (mod 2^32), so that the hash of any span, and of two tokens side by
 * side, follows from hashes that are known. Equal hashes are only a hint: octets are always compared.
 */

/** The polynomial's base; odd. */
const BASE = 0x2c9277b5;
const POWERS = powers(512);

export const NONE = -1;
/** Ids are kept as `id + 2` where 0 must mean that nothing is known yet, 1 that there is none. */
const KNOWN = 2;

/** The hash of `x` followed by `octet`, from the hash of `x`; the empty span's is 0. */
export function hashNext(hash: number, octet: number): number {
  return (Math.imul(hash, BASE) + octet + 1) | 0;
}

/** The hash of the first `length` octets. */
export function hashOf(octets: Uint8Array, length: number): number {
  let hash = 0;
  for (let i = 0; i < length; i++) hash = hashNext(hash, octets[i]!);
  return hash;
}

/** The hash of `y`, `length` octets, from those of `x` and `xy`. */
export function hashRest(whole: number, head: number, length: number): number {
  return (whole - Math.imul(head, POWERS[length]!)) | 0;
}

export class Vocabulary {
  readonly size: number;
  /** The longest token's octets. */
  readonly longest: number;
  /** All tokens, one after another, and where each begins; one entry more at the end. */
  readonly #octets: Uint8Array;
  readonly #starts: Int32Array;
  readonly #hashes: Int32Array;
  /** Open addressing, two words a slot: id + 1 (0: empty), hash. */
  readonly #table: Int32Array;
  readonly #shift: number;
  /** By a hash of a token's first three octets, which lengths exist: bit `length - 3`; bit 31 for all from 34 on. */
  readonly #lengths = new Int32Array(1 << 16);
  /** The tokens of two octets by these, as `id + 2`: merging looks up one for each octet, before any other. */
  readonly #pairs = new Int32Array(1 << 16);
  /** What was merged last to make a token; filled when first asked. `NONE`: merging its octets never yields it. */
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  /** The longest token that a token begins with; filled when first asked. */
  readonly #shorter: Int32Array;
  readonly #parts: Parts;
  /** The hashes of the heads of what `longestAt` looks at. */
  readonly #heads: Int32Array;

  /** @internal Made by `RankFile`, which has checked what it gives. */
  constructor(octets: Uint8Array, starts: Int32Array, longest: number) {
    this.size = starts.length - 1;
    this.#octets = octets;
    this.#starts = starts;
    this.#hashes = new Int32Array(this.size);
    const bits = Math.ceil(Math.log2(this.size * 2));
    this.#table = new Int32Array(2 << bits);
    this.#shift = 32 - bits;
    this.#left = new Int32Array(this.size);
    this.#right = new Int32Array(this.size);
    this.#shorter = new Int32Array(this.size);
    this.longest = longest;
    this.#parts = new Parts(longest);
    this.#heads = new Int32Array(longest + 1);
  }

  /** @internal Enters token `id` into the table; each once, in any order. */
  enter(id: number): void {
    const from = this.#starts[id]!;
    const to = this.#starts[id + 1]!;
    let hash = 0;
    for (let i = from; i < to; i++) hash = hashNext(hash, this.#octets[i]!);
    this.#hashes[id] = hash;
    const mask = (this.#table.length >> 1) - 1;
    let slot = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> this.#shift;
    while (this.#table[slot * 2] !== 0) slot = (slot + 1) & mask;
    this.#table[slot * 2] = id + 1;
    this.#table[slot * 2 + 1] = hash;
    if (to - from === 2) this.#pairs[(this.#octets[from]! << 8) | this.#octets[from + 1]!] = id + KNOWN;
    if (to - from >= 3) this.#lengths[prefixIndex(this.#octets, from)]! |= lengthBit(to - from);
  }

  /** How many octets the token has. */
  lengthOf(id: number): number {
    return this.#starts[id + 1]! - this.#starts[id]!;
  }

  /** The token itself. */
  octetsOf(id: number): Uint8Array {
    return this.#octets.subarray(this.#starts[id]!, this.#starts[id + 1]!);
  }

  /** The token that the octets from `from` to `to` are, or `NONE`. */
  find(octets: Uint8Array, from: number, to: number, hash: number): number {
    const table = this.#table;
    const mask = (table.length >> 1) - 1;
    let slot = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> this.#shift;
    for (;;) {
      const id = table[slot * 2]! - 1;
      if (id < 0) return NONE;
      if (table[slot * 2 + 1] === hash && this.#is(id, octets, from, to)) return id;
      slot = (slot + 1) & mask;
    }
  }

  /** As `find`, for a span of text that is ASCII. */
  findAscii(text: string, from: number, to: number, hash: number): number {
    const table = this.#table;
    const mask = (table.length >> 1) - 1;
    let slot = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> this.#shift;
    for (;;) {
      const id = table[slot * 2]! - 1;
      if (id < 0) return NONE;
      if (table[slot * 2 + 1] === hash && this.#isAscii(id, text, from, to)) return id;
      slot = (slot + 1) & mask;
    }
  }

  #isAscii(id: number, text: string, from: number, to: number): boolean {
    let at = this.#starts[id]!;
    if (this.#starts[id + 1]! - at !== to - from) return false;
    for (let i = from; i < to; i++) if (this.#octets[at++] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** The token that two octets make, or `NONE`. */
  pair(first: number, second: number): number {
    const id = this.#pairs[(first << 8) | second]!;
    return id === 0 ? NONE : id - KNOWN;
  }

  #is(id: number, octets: Uint8Array, from: number, to: number): boolean {
    let at = this.#starts[id]!;
    if (this.#starts[id + 1]! - at !== to - from) return false;
    for (let i = from; i < to; i++) if (this.#octets[at++] !== octets[i]) return false;
    return true;
  }

  /**
   * Byte pair encoding by its definition: of all neighbours that make a token, the pair of lowest rank is merged, the
   * leftmost of equals, until none is left.
   *
   * @param length  octets; the effort grows with its square, so at most 512
   * @returns       how many tokens
   */
  merge(octets: Uint8Array, length: number): number {
    return this.#parts.merge(this, octets, length, 1);
  }

  /** The longest token, of those that merging can make, at `from`. */
  longestAt(octets: Uint8Array, from: number, length: number): number {
    const left = Math.min(length - from, this.longest);
    const lengths = left < 3 ? 0 : this.#lengths[prefixIndex(octets, from)]!;
    const most = Math.min(left, lengths === 0 ? 2 : lengths < 0 ? this.longest : 34 - Math.clz32(lengths));
    const heads = this.#heads;
    for (let i = 0; i < most; i++) heads[i + 1] = hashNext(heads[i]!, octets[from + i]!);
    for (let size = most; size > 1; size--) {
      if (size > 2 && (lengths & lengthBit(size)) === 0) continue;
      const id = this.find(octets, from, from + size, heads[size]!);
      if (id !== NONE && this.leftOf(id) !== NONE) return id;
    }
    return this.find(octets, from, from + 1, heads[1]!);
  }

  /** The longest token, of those that merging can make, with which `id` begins and which is shorter; or `NONE`. */
  shorterThan(id: number): number {
    const known = this.#shorter[id]!;
    if (known !== 0) return known - KNOWN;
    const from = this.#starts[id]!;
    const length = this.lengthOf(id) - 1;
    const shorter = length === 0 ? NONE : this.longestAt(this.#octets, from, from + length);
    this.#shorter[id] = shorter + KNOWN;
    return shorter;
  }

  /**
   * Whether encoding the octets of `a` followed by those of `b` yields `a`, `b`: no merge across the border comes before
   * the merges that made the two. Undoes these, last ones first, and looks at each pair that met at the border.
   */
  stayApart(a: number, b: number): boolean {
    let limit = this.size;
    for (;;) {
      const merged = this.#merged(a, b);
      if (merged !== NONE && merged < limit) return false;
      if (a > b) {
        limit = a;
        a = this.rightOf(a);
        if (a !== limit) continue;
        limit = b + 1;
        b = this.leftOf(b);
        if (b + 1 === limit) return true;
      } else {
        limit = b + 1;
        b = this.leftOf(b);
        if (b + 1 !== limit) continue;
        limit = a;
        a = this.rightOf(a);
        if (a === limit) return true;
      }
    }
  }

  /** The token whose last merge is of `a` and `b`, or `NONE`. */
  #merged(a: number, b: number): number {
    const size = this.lengthOf(b);
    const hash = (Math.imul(this.#hashes[a]!, POWERS[size]!) + this.#hashes[b]!) | 0;
    const table = this.#table;
    const mask = (table.length >> 1) - 1;
    let slot = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> this.#shift;
    for (;;) {
      const id = table[slot * 2]! - 1;
      if (id < 0) return NONE;
      // What is put together of `a` and `b` has their octets; there is nothing to compare.
      if (table[slot * 2 + 1] === hash && this.leftOf(id) === a && this.rightOf(id) === b) return id;
      slot = (slot + 1) & mask;
    }
  }

  /** What the last merge put together to make `id`: itself for a single octet, `NONE` when merging never yields it. */
  leftOf(id: number): number {
    const known = this.#left[id]!;
    return known === 0 ? this.#split(id) : known - KNOWN;
  }

  rightOf(id: number): number {
    if (this.#left[id] === 0) this.#split(id);
    return this.#right[id]! - KNOWN;
  }

  #split(id: number): number {
    const length = this.lengthOf(id);
    let left = id;
    let right = id;
    if (length > 1) {
      const octets = this.octetsOf(id);
      const apart = this.#parts.merge(this, octets, length, 2) === 2;
      const middle = this.#parts.second;
      left = apart ? this.find(octets, 0, middle, hashOf(octets, middle)) : NONE;
      right = apart ? this.#findRest(octets, middle) : NONE;
    }
    this.#left[id] = left + KNOWN;
    this.#right[id] = right + KNOWN;
    return left;
  }

  #findRest(octets: Uint8Array, from: number): number {
    const rest = octets.subarray(from);
    return this.find(rest, 0, rest.length, hashOf(rest, rest.length));
  }
}

/** The parts that a short span is in while it is merged; kept, so that merging makes no garbage. */
class Parts {
  /** Where each part begins, and the rank of merging it with the next. */
  #starts: Int32Array;
  #ranks: Int32Array;
  /** Of the octets before each index. */
  #hashes: Int32Array;

  constructor(longest: number) {
    this.#starts = new Int32Array(longest + 2);
    this.#ranks = new Int32Array(longest + 2);
    this.#hashes = new Int32Array(longest + 2);
  }

  /** Where the second part begins. */
  get second(): number {
    return this.#starts[1]!;
  }

  /** Merges until there are `enough` parts or nothing is left to merge; returns how many there are. */
  merge(vocabulary: Vocabulary, octets: Uint8Array, length: number, enough: number): number {
    if (length + 2 > this.#starts.length) {
      this.#starts = new Int32Array(length * 2);
      this.#ranks = new Int32Array(length * 2);
      this.#hashes = new Int32Array(length * 2);
    }
    const starts = this.#starts;
    const ranks = this.#ranks;
    const hashes = this.#hashes;
    for (let i = 0; i < length; i++) hashes[i + 1] = hashNext(hashes[i]!, octets[i]!);
    const rank = (from: number, to: number): number => {
      if (to - from > vocabulary.longest) return NEVER;
      const id = vocabulary.find(octets, from, to, hashRest(hashes[to]!, hashes[from]!, to - from));
      return id === NONE ? NEVER : id;
    };
    for (let i = 0; i < length; i++) {
      starts[i] = i;
      const id = i + 2 <= length ? vocabulary.pair(octets[i]!, octets[i + 1]!) : NONE;
      ranks[i] = id === NONE ? NEVER : id;
    }
    starts[length] = length;
    let count = length;
    while (count > enough) {
      let lowest = NEVER;
      let at = 0;
      for (let i = 0; i < count - 1; i++) {
        if (ranks[i]! < lowest) {
          lowest = ranks[i]!;
          at = i;
        }
      }
      if (lowest === NEVER) break;
      count--;
      starts.copyWithin(at + 1, at + 2, count + 2);
      ranks.copyWithin(at + 1, at + 2, count + 1);
      ranks[at] = at + 1 < count ? rank(starts[at]!, starts[at + 2]!) : NEVER;
      if (at > 0) ranks[at - 1] = rank(starts[at - 1]!, starts[at + 1]!);
    }
    return count;
  }
}

const NEVER = 0x7fffffff;

function lengthBit(length: number): number {
  return 1 << Math.min(length - 3, 31);
}

function prefixIndex(octets: Uint8Array, from: number): number {
  const three = octets[from]! | (octets[from + 1]! << 8) | (octets[from + 2]! << 16);
  return Math.imul(three, 0x9e3779b1) >>> 16;
}

function powers(count: number): Int32Array {
  const all = new Int32Array(count).fill(1);
  for (let i = 1; i < count; i++) all[i] = Math.imul(all[i - 1]!, BASE);
  return all;
}
