/**
 * Counts the tokens of a long piece in linear time and in slices, exactly as merging by definition would.
 *
 * Merging the lowest pair first takes quadratic time as it is defined, n log n with a heap. There is a faster way, found
 * by the authors of GitHub's `bpe` crate ("So many tokens, so little time", 2024): a sequence of tokens is *the* encoding of
 * its text exactly if every two neighbours are what encoding the two of them alone yields (`stayApart`). So the text is
 * taken from the left, the longest token first; where it cannot stand beside the one before, a shorter one; where none can, the
 * one before is taken back, and its end is remembered as a place where no encoding passes. No place is given up
 * twice, so it is linear. It needs an octet, a bit and at most four octets of stack for every octet of text.
 */
import { NONE, type Vocabulary } from "./vocabulary.ts";

const CHUNK_BITS = 10;
const CHUNK = 1 << CHUNK_BITS;

export class LongPiece {
  /** Tokens tried so far, for those who want to see that it is linear. */
  tried = 0;
  readonly #vocabulary: Vocabulary;
  #octets: Uint8Array = new Uint8Array(0);
  #length = 0;
  /** A bit per place between two octets: no encoding passes here. */
  #closed = new Uint8Array(64);
  /** The tokens that stand, in chunks: an array that doubled would hold the event loop to copy megabytes. */
  readonly #tokens: Int32Array[] = [new Int32Array(CHUNK)];
  #count = 0;
  #at = 0;
  #candidate = NONE;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  /** Begins with another piece: the first `length` of `octets`, at least one, which must stay as they are. */
  begin(octets: Uint8Array, length: number): void {
    this.#octets = octets;
    this.#length = length;
    if (length >> 3 < this.#closed.length) this.#closed.fill(0, 0, (length >> 3) + 1);
    else this.#closed = new Uint8Array((length >> 3) + 1);
    this.#count = 0;
    this.#at = 0;
    this.#candidate = this.#vocabulary.longestAt(octets, 0, length);
  }

  /** Tokens that stand so far; all of them once `run` was true. */
  get count(): number {
    return this.#count;
  }

  /** Octets behind which it stands. */
  get at(): number {
    return this.#at;
  }

  /** Tries at most about `tries` tokens; true when the piece is done. */
  run(tries: number): boolean {
    const stop = this.tried + tries;
    while (this.#at < this.#length) {
      if (this.tried >= stop) return false;
      this.#step();
    }
    return true;
  }

  #step(): void {
    const vocabulary = this.#vocabulary;
    const last = this.#count > 0 ? this.#token(this.#count - 1) : NONE;
    for (let token = this.#candidate; token !== NONE; token = vocabulary.shorterThan(token)) {
      this.tried++;
      const end = this.#at + vocabulary.lengthOf(token);
      if (this.#isClosed(end) || (last !== NONE && !vocabulary.stayApart(last, token))) continue;
      this.#push(token);
      this.#at = end;
      if (end < this.#length) this.#candidate = vocabulary.longestAt(this.#octets, end, this.#length);
      return;
    }
    if (last === NONE) throw new Error("a piece without an encoding");
    this.#closed[this.#at >> 3]! |= 1 << (this.#at & 7);
    this.#count--;
    this.#at -= vocabulary.lengthOf(last);
    this.#candidate = last;
  }

  #isClosed(place: number): boolean {
    return (this.#closed[place >> 3]! & (1 << (place & 7))) !== 0;
  }

  #token(index: number): number {
    return this.#tokens[index >> CHUNK_BITS]![index & (CHUNK - 1)]!;
  }

  #push(token: number): void {
    const chunk = this.#count >> CHUNK_BITS;
    if (chunk === this.#tokens.length) this.#tokens.push(new Int32Array(CHUNK));
    this.#tokens[chunk]![this.#count++ & (CHUNK - 1)] = token;
  }
}
