/**
 * Remembers how many tokens short pieces have that are no token themselves: names, rare words, typing errors come again.
 *
 * A fixed table without a string in it: each set has two places, and a new piece takes that of the two which was used
 * longer ago. 300 kB for 8,192 pieces, however many texts pass.
 */
const SETS = 4096;
const OCTETS = 32;

export class PieceCache {
  readonly #octets = new Uint8Array(SETS * 2 * OCTETS);
  readonly #hashes = new Int32Array(SETS * 2);
  /** 0: an empty place. */
  readonly #lengths = new Uint8Array(SETS * 2);
  readonly #counts = new Uint8Array(SETS * 2);
  /** Which place of each set was used last. */
  readonly #recent = new Uint8Array(SETS);

  /** The count of the piece that `octets` begins with, `length` octets; 0 when it is not remembered. */
  get(octets: Uint8Array, length: number, hash: number): number {
    if (length > OCTETS) return 0;
    const set = setOf(hash);
    for (let place = set * 2; place < set * 2 + 2; place++) {
      if (this.#hashes[place] !== hash || !this.#is(place, octets, length)) continue;
      this.#recent[set] = place & 1;
      return this.#counts[place]!;
    }
    return 0;
  }

  set(octets: Uint8Array, length: number, hash: number, count: number): void {
    if (length > OCTETS) return;
    const set = setOf(hash);
    const way = this.#recent[set]! ^ 1;
    const place = set * 2 + way;
    this.#recent[set] = way;
    this.#hashes[place] = hash;
    this.#lengths[place] = length;
    this.#counts[place] = count;
    for (let i = 0; i < length; i++) this.#octets[place * OCTETS + i] = octets[i]!;
  }

  #is(place: number, octets: Uint8Array, length: number): boolean {
    if (this.#lengths[place] !== length) return false;
    const at = place * OCTETS;
    for (let i = 0; i < length; i++) if (this.#octets[at + i] !== octets[i]) return false;
    return true;
  }
}

function setOf(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 20;
}
