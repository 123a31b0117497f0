/**
 * Counts one text, piece after piece, in as many slices as it takes. A piece that is a token is found by its hash alone,
 * and nine in ten are; a short one that is none is merged by definition; a long one goes through `LongPiece`.
 */
import { LongPiece } from "./long-piece.ts";
import { PieceCache } from "./piece-cache.ts";
import { PAUSED, type Pattern, Splitter } from "./splitting.ts";
import { LongText, encodePiece } from "./utf8.ts";
import { NONE, type Vocabulary } from "./vocabulary.ts";

/** UTF-16 units of a piece up to which it is merged by definition, in one go. */
const SHORT = 40;

/**
 * What steps cost beside reading a character, which is 1 and takes some 4 ns: budgets are given in these. They need not be
 * right, only never far too low.
 */
const MERGE_COST = 20;
const TRY_COST = 150;

/** An encoding that can count, with what all its counts share; the arrays hold nothing beyond one piece. */
export interface Encoding {
  readonly pattern: Pattern;
  readonly vocabulary: Vocabulary;
  readonly cache: PieceCache;
  /** Room for a short piece in UTF-8, and for the hashes of its heads. */
  readonly octets: Uint8Array;
  readonly hashes: Int32Array;
}

export function encodingOf(pattern: Pattern, vocabulary: Vocabulary): Encoding {
  return {
    pattern,
    vocabulary,
    cache: new PieceCache(),
    octets: new Uint8Array(SHORT * 3),
    hashes: new Int32Array(SHORT * 3 + 1),
  };
}

export class Counting {
  /** Tokens so far. */
  total = 0;
  readonly #text: string;
  readonly #encoding: Encoding;
  readonly #limit: number;
  readonly #splitter: Splitter;
  #at = 0;
  #paused = false;
  #long: Long | null = null;

  /**
   * @param limit  Infinity, or where counting may end: a total beyond it says only that the text has more tokens than
   *               the limit, and takes no more work than a text of some 128 octets per token of the limit
   */
  constructor(text: string, encoding: Encoding, limit: number) {
    this.#text = text;
    this.#encoding = encoding;
    this.#limit = limit;
    this.#splitter = new Splitter(text, encoding.pattern);
    // No token has more octets than the longest, and no text fewer octets than units.
    const least = Math.ceil(text.length / encoding.vocabulary.longest);
    if (least > limit) {
      this.total = least;
      this.#at = text.length;
    }
  }

  /** Works for about `budget` characters' worth; true when the total stands. */
  run(budget: number): boolean {
    const splitter = this.#splitter;
    const length = this.#text.length;
    let left = budget;
    splitter.horizon = (this.#paused ? splitter.horizon : this.#at) + budget;
    this.#paused = false;
    while (left > 0) {
      if (this.#long !== null) {
        left -= this.#runLong(left);
        continue;
      }
      if (this.#at >= length || this.total > this.#limit) return true;
      const from = this.#at;
      const end = splitter.end(from);
      if (end === PAUSED) {
        this.#paused = true;
        return false;
      }
      this.#at = end;
      left -= end - from;
      if (end - from > SHORT) this.#long = new Long(this.#text, from, end, this.#encoding.vocabulary);
      else left -= this.#short(from, end);
    }
    return this.#long === null && (this.#at >= length || this.total > this.#limit);
  }

  /** Counts a short piece; returns what that cost beyond reading it. */
  #short(from: number, end: number): number {
    const { octets, hashes, vocabulary, cache } = this.#encoding;
    const length = encodePiece(this.#text, from, end, octets, hashes);
    const hash = hashes[length]!;
    if (length === 1 || vocabulary.find(octets, 0, length, hash) !== NONE) {
      this.total++;
      return 0;
    }
    let count = cache.get(octets, length, hash);
    if (count > 0) {
      this.total += count;
      return 0;
    }
    count = vocabulary.merge(octets, hashes, length);
    cache.set(octets, length, hash, count);
    this.total += count;
    return length * MERGE_COST;
  }

  #runLong(budget: number): number {
    const long = this.#long!;
    const cost = long.run(budget);
    if (long.done) {
      this.total += long.count;
      this.#long = null;
    } else if (this.total + long.least > this.#limit) {
      this.total += long.least;
      this.#long = null;
    }
    return cost;
  }
}

/** A long piece on its way: into octets first, then into tokens. */
class Long {
  done = false;
  count = 0;
  /** Tokens that it has at least. */
  least = 1;
  readonly #vocabulary: Vocabulary;
  readonly #text: LongText;
  #piece: LongPiece | null = null;

  constructor(text: string, from: number, end: number, vocabulary: Vocabulary) {
    this.#text = new LongText(text, from, end);
    this.#vocabulary = vocabulary;
    this.least = Math.ceil((end - from) / vocabulary.longest);
  }

  /** Works for about `budget`; returns what it took. */
  run(budget: number): number {
    const text = this.#text;
    if (!text.done) return text.next();
    if (this.#piece === null && this.#isToken()) {
      this.#finish(1);
      return text.length;
    }
    this.#piece ??= new LongPiece(this.#vocabulary, text.octets, text.length);
    const tried = this.#piece.tried;
    if (this.#piece.run(Math.ceil(budget / TRY_COST))) this.#finish(this.#piece.count);
    return (this.#piece.tried - tried) * TRY_COST;
  }

  /** A piece that is a token counts one, whether merging would find it or not. */
  #isToken(): boolean {
    const { octets, length } = this.#text;
    if (length > this.#vocabulary.longest) return false;
    return this.#vocabulary.findOctets(octets.subarray(0, length)) !== NONE;
  }

  #finish(count: number): void {
    this.done = true;
    this.count = count;
  }
}
