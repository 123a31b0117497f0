/**
 * Counts one text, piece after piece, in as many slices as it takes. A piece that is a token is found by its hash alone,
 * and nine in ten are; a short one that is none is merged by definition; a long one goes through `LongPiece`.
 */
import { LongPiece } from "./long-piece.ts";
import { PieceCache } from "./piece-cache.ts";
import { PAUSED, type Pattern, Splitter } from "./splitting.ts";
import { LongText, encodePiece } from "./utf8.ts";
import { NONE, type Vocabulary, hashNext, hashOf } from "./vocabulary.ts";

/** UTF-16 units of a piece up to which it is merged by definition, in one go. */
const SHORT = 40;

/**
 * What steps cost beside reading a character, which is 1 and takes some 4 ns: budgets are given in these. They need not be
 * right, only never far too low.
 */
const PIECE_COST = 12;
const TEXT_COST = 50;
const MERGE_COST = 20;
const TRY_COST = 60;

const MORE = -1;

const BLANK = 0x20;
const SMALL_A = 0x61;
const SMALL_Z = 0x7a;

/** Behind small ASCII letters. */
function wordGoesOn(unit: number): boolean {
  return unit >= 0x80 || unit === 0x27 || (unit >= 0x41 && unit <= 0x5a);
}

/** An encoding that can count, with what all its counts share; the room holds nothing beyond one piece. */
export interface Encoding {
  readonly pattern: Pattern;
  readonly vocabulary: Vocabulary;
  readonly cache: PieceCache;
  /** Room for a short piece in UTF-8. */
  readonly octets: Uint8Array;
}

export function encodingOf(pattern: Pattern, vocabulary: Vocabulary): Encoding {
  return {
    pattern,
    vocabulary,
    cache: new PieceCache(),
    octets: new Uint8Array(SHORT * 3),
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
  #long: LongPieces | null = null;

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

  /**
   * Works for about `budget` characters' worth.
   *
   * @returns what is left of it when the total stands, at least 0; -1 when there is more to do
   */
  run(budget: number): number {
    const splitter = this.#splitter;
    const length = this.#text.length;
    let left = budget;
    splitter.horizon = (this.#paused ? splitter.horizon : this.#at) + budget;
    // The splitter is in the middle of a piece.
    let resumes = this.#paused;
    this.#paused = false;
    while (left > 0) {
      if (this.#long !== null && !this.#long.idle) {
        left -= this.#runLong(this.#long, left);
        continue;
      }
      if (this.#at >= length || this.total > this.#limit) return left;
      const from = this.#at;
      const word = resumes ? NONE : this.#plainWord(from);
      if (word !== NONE) {
        this.total++;
        this.#at = word;
        left -= word - from + PIECE_COST;
        splitter.horizon = word + left;
        continue;
      }
      resumes = false;
      const end = splitter.end(from);
      if (end === PAUSED) {
        this.#paused = true;
        return MORE;
      }
      this.#at = end;
      left -= end - from + PIECE_COST;
      // What was read for this piece may have to be read again for the next one.
      splitter.horizon = end + left;
      if (end - from > SHORT) {
        this.#long ??= new LongPieces(this.#encoding.vocabulary);
        this.#long.begin(this.#text, from, end);
      } else left -= this.#short(from, end);
    }
    const done = this.#long?.idle !== false && (this.#at >= length || this.total > this.#limit);
    return done ? 0 : MORE;
  }

  /**
   * Most pieces are a small word with a blank before it, and a token: the same in every pattern. Read once, without the
   * splitter and without octets.
   *
   * @returns where the word ends; `NONE` when it is anything but that
   */
  #plainWord(from: number): number {
    const text = this.#text;
    const most = Math.min(text.length, from + SHORT);
    let at = from;
    let hash = 0;
    if (text.charCodeAt(at) === BLANK) hash = hashNext(hash, text.charCodeAt(at++));
    const start = at;
    let unit = 0;
    for (; at < most; at++) {
      unit = text.charCodeAt(at);
      if (unit < SMALL_A || unit > SMALL_Z) break;
      hash = hashNext(hash, unit);
    }
    if (at === start || (at === most && at < text.length)) return NONE;
    // What follows may belong to the word: other letters, marks, 's.
    if (at < most && wordGoesOn(unit)) return NONE;
    return this.#encoding.vocabulary.findAscii(text, from, at, hash) === NONE ? NONE : at;
  }

  /** Counts a short piece; returns what that cost beyond reading it. */
  #short(from: number, end: number): number {
    const { octets, vocabulary, cache } = this.#encoding;
    const length = encodePiece(this.#text, from, end, octets);
    const hash = hashOf(octets, length);
    if (length === 1 || vocabulary.find(octets, 0, length, hash) !== NONE) {
      this.total++;
      return 0;
    }
    let count = cache.get(octets, length, hash);
    if (count > 0) {
      this.total += count;
      return 0;
    }
    count = vocabulary.merge(octets, length);
    cache.set(octets, length, hash, count);
    this.total += count;
    return length * MERGE_COST;
  }

  #runLong(long: LongPieces, budget: number): number {
    const cost = long.run(budget);
    if (long.idle) {
      this.total += long.count;
    } else if (this.total + long.least > this.#limit) {
      this.total += long.least;
      long.idle = true;
    }
    return cost;
  }
}

/** Several texts, one after another, within common slices. */
export class CountingAll {
  total = 0;
  readonly #texts: readonly string[];
  readonly #encoding: Encoding;
  readonly #limit: number;
  #next = 0;
  #counting: Counting | null = null;

  constructor(texts: readonly string[], encoding: Encoding, limit: number) {
    this.#texts = texts;
    this.#encoding = encoding;
    this.#limit = limit;
  }

  /** Works for about `budget` characters' worth; true when the total stands. */
  run(budget: number): boolean {
    let left = budget;
    while (this.total <= this.#limit && (this.#counting !== null || this.#next < this.#texts.length)) {
      if (left <= 0) return false;
      this.#counting ??= new Counting(this.#texts[this.#next++]!, this.#encoding, this.#limit - this.total);
      left = this.#counting.run(left);
      if (left < 0) return false;
      this.total += this.#counting.total;
      this.#counting = null;
      left -= TEXT_COST;
    }
    return true;
  }
}

/** Long pieces on their way, one at a time: into octets first, then into tokens. */
class LongPieces {
  /** No piece is under way. */
  idle = true;
  /** The tokens of the last piece, once it is done. */
  count = 0;
  /** Tokens that the piece under way has at least. */
  least = 0;
  readonly #vocabulary: Vocabulary;
  readonly #text = new LongText();
  readonly #piece: LongPiece;
  #merging = false;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.#piece = new LongPiece(vocabulary);
  }

  begin(text: string, from: number, end: number): void {
    this.idle = false;
    this.#merging = false;
    this.least = Math.ceil((end - from) / this.#vocabulary.longest);
    this.#text.begin(text, from, end);
  }

  /** Works for about `budget`; returns what it took. */
  run(budget: number): number {
    const text = this.#text;
    if (!text.done) return text.next();
    if (!this.#merging) {
      if (this.#isToken()) return this.#finish(1, text.length);
      this.#piece.begin(text.octets, text.length);
      this.#merging = true;
    }
    const piece = this.#piece;
    const { tried, at } = piece;
    const done = piece.run(Math.ceil(budget / TRY_COST));
    const cost = (piece.tried - tried) * TRY_COST + Math.max(0, piece.at - at);
    return done ? this.#finish(piece.count, cost) : cost;
  }

  /** A piece that is a token counts one, whether merging would find it or not. */
  #isToken(): boolean {
    const { octets, length } = this.#text;
    if (length > this.#vocabulary.longest) return false;
    return this.#vocabulary.find(octets, 0, length, hashOf(octets, length)) !== NONE;
  }

  #finish(count: number, cost: number): number {
    this.idle = true;
    this.count = count;
    return cost;
  }
}
