/**
 * Cuts text into the pieces that byte pair encoding works on.
 *
 * Each public encoding defines its pieces by a regular expression. Run by a regular expression engine, that costs a match
 * object per piece, holds the event loop for as long as the longest piece takes, and overflows the engine's stack on runs
 * of millions. Here the three patterns are written out as what they mean: an optional prefix, one or two runs of
 * characters of given kinds, a tail. The patterns' backtracking comes down to remembering, while a run is read, where
 * the last character of some kind ended (`#marked`); nothing is read more than a few times, so it is linear.
 *
 * A run may be longer than a slice of time allows. Then `end` answers `PAUSED`; asked again for the same piece, with a
 * later `horizon`, it goes through the same few decisions and finds its runs where it left them.
 */
import {
  CASELESS,
  KINDS,
  LETTER,
  LOWER,
  MARK,
  NEWLINE,
  NUMBER,
  OTHER,
  UPPER,
  WHITE,
  isPair,
  kindAt,
} from "./characters.ts";

export const PAUSED = -1;

/** o200k: words by case, `'s` stays with its word. cl100k: `'s` is its own piece. r50k (and p50k): before that. */
export type Pattern = "o200k" | "cl100k" | "r50k";

const APOSTROPHE = 0x27;
const SLASH = 0x2f;
const BLANK = 0x20;

export class Splitter {
  /** Where reading must pause (UTF-16 units); beyond the text's length it never does. */
  horizon: number;
  readonly #text: string;
  readonly #length: number;
  readonly #pattern: Pattern;
  /** Behind the last character of the wanted kind in the run just read; -1 without one. */
  #marked = -1;
  #paused = false;
  /** Where each of a piece's two runs had got to: from, at, marked; -1 when it had not begun. */
  readonly #runs = [-1, 0, 0, -1, 0, 0];

  constructor(text: string, pattern: Pattern) {
    this.#text = text;
    this.#length = text.length;
    this.#pattern = pattern;
    this.horizon = text.length;
  }

  /** The end of the piece that begins at `from`, which must lie inside the text; or `PAUSED`. */
  end(from: number): number {
    const end =
      this.#pattern === "o200k"
        ? this.#o200k(from)
        : this.#pattern === "cl100k"
          ? this.#cl100k(from)
          : this.#r50k(from);
    if (this.#paused) {
      if (end === PAUSED) return PAUSED;
      this.#paused = false;
      this.#runs[0] = this.#runs[3] = -1;
    }
    return end;
  }

  /**
   * ```
   * [^\r\n\p{L}\p{N}]? [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]* [\p{Ll}\p{Lm}\p{Lo}\p{M}]+ ('s|'t|'re|'ve|'m|'ll|'d)?
   * | [^\r\n\p{L}\p{N}]? [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+ [\p{Ll}\p{Lm}\p{Lo}\p{M}]* ('s|…)?
   * | \p{N}{1,3} | ' '?[^\s\p{L}\p{N}]+[\r\n/]* | \s*[\r\n]+ | \s+(?!\S) | \s+
   * ```
   */
  #o200k(from: number): number {
    const kind = kindAt(this.#text, from);
    if (kind & LETTER) return this.#withSuffix(this.#word(from, -1));
    if (kind & NUMBER) return this.#digits(from);
    const next = from + this.#width(from, kind);
    const after = next < this.#length ? kindAt(this.#text, next) : 0;
    if (kind !== NEWLINE) {
      if (after & (LETTER | MARK)) return this.#withSuffix(this.#word(next, kind === MARK ? next : -1));
      if (kind === MARK) return this.#withSuffix(next);
    }
    if (kind === OTHER) return this.#punctuation(next, true);
    if (after === OTHER && this.#text.charCodeAt(from) === BLANK) return this.#punctuation(next, true);
    const end = this.#run(0, WHITE, NEWLINE, from);
    if (end === PAUSED || this.#marked < 0) return this.#whiteEnd(from, end);
    return this.#marked;
  }

  /**
   * The first two alternatives behind their prefix. The first wants a small or caseless letter or mark at its end: where
   * no small letter follows the run of the others, it gives characters back until it ends in a caseless one or a mark.
   *
   * @param mark  what the prefix alone is worth when it is a mark, since that is all that the first alternative then
   *              finds, and it goes before the second; else -1
   */
  #word(from: number, mark: number): number {
    // Most words begin with a small letter: their first run is empty.
    if (KINDS[this.#text.charCodeAt(from)] === LOWER) return this.#run(1, LOWER | CASELESS | MARK, 0, from);
    const end = this.#run(0, UPPER | CASELESS | MARK, CASELESS | MARK, from);
    if (end === PAUSED) return PAUSED;
    const marked = this.#marked;
    if (end < this.#length && kindAt(this.#text, end) === LOWER) {
      return this.#run(1, LOWER | CASELESS | MARK, 0, end);
    }
    if (marked >= 0) return marked;
    return mark >= 0 ? mark : end;
  }

  #withSuffix(end: number): number {
    if (end === PAUSED || this.#text.charCodeAt(end) !== APOSTROPHE) return end;
    return end + contraction(this.#text, end, true);
  }

  /**
   * ```
   * '(?i:[sdmt]|ll|ve|re) | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,3} | ' '?[^\s\p{L}\p{N}]+[\r\n]*
   * | \s+$ | \s*[\r\n] | \s+(?!\S) | \s
   * ```
   */
  #cl100k(from: number): number {
    const text = this.#text;
    const kind = kindAt(text, from);
    if (kind & LETTER) return this.#run(0, LETTER, 0, from);
    if (kind & NUMBER) return this.#digits(from);
    const unit = text.charCodeAt(from);
    if (unit === APOSTROPHE) {
      const length = contraction(text, from, true);
      if (length > 0) return from + length;
    }
    const next = from + this.#width(from, kind);
    const after = next < this.#length ? kindAt(text, next) : 0;
    if (kind !== NEWLINE && after & LETTER) return this.#run(0, LETTER, 0, next);
    if (kind & (OTHER | MARK)) return this.#punctuation(next, false);
    if (unit === BLANK && after & (OTHER | MARK)) return this.#punctuation(next, false);
    const end = this.#run(0, WHITE, NEWLINE, from);
    if (end === PAUSED || end === this.#length || this.#marked < 0) return this.#whiteEnd(from, end);
    return this.#marked;
  }

  /** `'s|'t|'re|'ve|'m|'ll|'d | ' '?\p{L}+ | ' '?\p{N}+ | ' '?[^\s\p{L}\p{N}]+ | \s+(?!\S) | \s+` */
  #r50k(from: number): number {
    const text = this.#text;
    const unit = text.charCodeAt(from);
    if (unit === APOSTROPHE) {
      const length = contraction(text, from, false);
      if (length > 0) return from + length;
    }
    const start = unit === BLANK && from + 1 < this.#length ? from + 1 : from;
    const kind = kindAt(text, start);
    if (kind & LETTER) return this.#run(0, LETTER, 0, start);
    if (kind & NUMBER) return this.#run(0, NUMBER, 0, start);
    if (kind & (OTHER | MARK)) return this.#run(0, OTHER | MARK, 0, start);
    return this.#whiteEnd(from, this.#run(0, WHITE, 0, from));
  }

  /** `\s+(?!\S) | \s+`: a run leaves its last blank to the word that follows. */
  #whiteEnd(from: number, end: number): number {
    return end === PAUSED || end === this.#length || end - from === 1 ? end : end - 1;
  }

  /** `[^\s\p{L}\p{N}]+[\r\n]*`, o200k with `/` in its tail; marks count as punctuation here. */
  #punctuation(from: number, slash: boolean): number {
    const end = this.#run(0, OTHER | MARK, 0, from);
    if (end === PAUSED || end >= this.#length) return end;
    if (kindAt(this.#text, end) !== NEWLINE) return end;
    return slash ? this.#slashed(end) : this.#run(1, NEWLINE, 0, end);
  }

  /** `[\r\n/]*`: runs of line ends, and slashes one at a time. */
  #slashed(from: number): number {
    const text = this.#text;
    let at = this.#paused && this.#runs[3] === from ? this.#runs[4]! : from;
    const stop = Math.min(this.horizon, this.#length);
    for (; at < stop; at++) {
      const unit = text.charCodeAt(at);
      if (unit !== SLASH && unit !== 0x0a && unit !== 0x0d) return at;
    }
    return at < this.#length ? this.#pause(1, from, at, -1) : at;
  }

  #digits(from: number): number {
    let at = from;
    for (let i = 0; i < 3 && at < this.#length; i++) {
      const kind = kindAt(this.#text, at);
      if (kind !== NUMBER) break;
      at += this.#width(at, kind);
    }
    return at;
  }

  /** The end of the longest run of `kinds` at `from`; `#marked` is behind its last character of `marks`. */
  #run(slot: 0 | 1, kinds: number, marks: number, from: number): number {
    const text = this.#text;
    let at = from;
    let marked = -1;
    if (this.#paused && this.#runs[slot * 3] === from) {
      at = this.#runs[slot * 3 + 1]!;
      marked = this.#runs[slot * 3 + 2]!;
    }
    const stop = Math.min(this.horizon, this.#length);
    while (at < stop) {
      let kind = KINDS[text.charCodeAt(at)]!;
      let width = 1;
      if (kind === 0) {
        kind = kindAt(text, at);
        width = this.#width(at, kind);
      }
      if ((kind & kinds) === 0) {
        this.#marked = marked;
        return at;
      }
      at += width;
      if ((kind & marks) !== 0) marked = at;
    }
    if (at < this.#length) return this.#pause(slot, from, at, marked);
    this.#marked = marked;
    return at;
  }

  #pause(slot: 0 | 1, from: number, at: number, marked: number): number {
    this.#paused = true;
    this.#runs[slot * 3] = from;
    this.#runs[slot * 3 + 1] = at;
    this.#runs[slot * 3 + 2] = marked;
    return PAUSED;
  }

  #width(at: number, kind: number): number {
    return KINDS[this.#text.charCodeAt(at)] === kind ? 1 : isPair(this.#text, at) ? 2 : 1;
  }
}

/**
 * How many units the English contraction at the apostrophe `at` takes; 0 when it is none. Without regard to case
 * U+017F is an s too: Unicode folds it to one.
 */
function contraction(text: string, at: number, anyCase: boolean): number {
  const first = folded(text.charCodeAt(at + 1), anyCase);
  if (first === 0x73 || first === 0x64 || first === 0x6d || first === 0x74) return 2;
  const second = folded(text.charCodeAt(at + 2), anyCase);
  if (first === 0x6c) return second === 0x6c ? 3 : 0;
  if (first === 0x76 || first === 0x72) return second === 0x65 ? 3 : 0;
  return 0;
}

function folded(unit: number, anyCase: boolean): number {
  if (!anyCase) return unit;
  if (unit >= 0x41 && unit <= 0x5a) return unit + 32;
  return unit === 0x17f ? 0x73 : unit;
}
