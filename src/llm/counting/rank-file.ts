/**
 * Reads a rank file: a line per token, its octets in base64, a blank, its rank; ranks rise. It is read in slices, since
 * o200k's 3.6 MB take some 50 ms in all.
 */
import { NONE, Vocabulary, hashOf } from "./vocabulary.ts";

/** Lines and tokens per slice: each well under 1 ms. */
const SLICE = 2000;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BLANK = 0x20;

export class RankFile {
  readonly #file: Uint8Array;
  /** Too large while lines are read; cut to size, in a slice of its own, before tokens are entered. */
  #octets: Uint8Array;
  readonly #starts: Int32Array;
  #count = 0;
  #longest = 0;
  #at = 0;
  #end = 0;
  #rank = -1;
  #vocabulary: Vocabulary | null = null;
  #entered = 0;

  constructor(file: Uint8Array) {
    this.#file = file;
    // Three octets for four characters, and what the ranks take is to spare.
    this.#octets = new Uint8Array(Math.ceil((file.length * 3) / 4) + 3);
    // A line has at least four characters: one octet in base64 without padding, a blank, a digit.
    this.#starts = new Int32Array((file.length >> 2) + 2);
  }

  /**
   * Does the next slice.
   *
   * @returns the vocabulary, once there is no more to do; null before
   * @throws Error for a file that is not one: a line that is none, falling ranks, an octet without a token
   */
  next(): Vocabulary | null {
    if (this.#at < this.#file.length) {
      for (let i = 0; i < SLICE && this.#at < this.#file.length; i++) this.#line();
      return null;
    }
    if (this.#octets.length > this.#end) {
      this.#octets = this.#octets.slice(0, this.#end);
      return null;
    }
    if (this.#vocabulary === null) {
      const starts = this.#starts.slice(0, this.#count + 1);
      this.#vocabulary = new Vocabulary(this.#octets, starts, this.#longest);
      return null;
    }
    const vocabulary = this.#vocabulary;
    const stop = Math.min(this.#entered + SLICE, vocabulary.size);
    while (this.#entered < stop) vocabulary.enter(this.#entered++);
    if (this.#entered < vocabulary.size) return null;
    checkOctets(vocabulary);
    return vocabulary;
  }

  #line(): void {
    const file = this.#file;
    let at = this.#at;
    const begin = this.#end;
    let bits = 0;
    let held = 0;
    for (; file[at] !== BLANK && at < file.length; at++) {
      const value = SIX[file[at]!]!;
      if (value === PADDING) continue;
      if (value === INVALID) throw this.#invalid();
      bits = ((bits << 6) | value) & 0xffff;
      held += 6;
      if (held < 8) continue;
      held -= 8;
      this.#octets[this.#end++] = (bits >> held) & 0xff;
    }
    let rank = 0;
    const digits = ++at;
    for (; at < file.length && file[at] !== NEWLINE && file[at] !== RETURN; at++) {
      const digit = file[at]! - 0x30;
      if (digit < 0 || digit > 9) throw this.#invalid();
      rank = rank * 10 + digit;
    }
    if (at === digits || this.#end === begin || rank <= this.#rank || this.#end - begin > 500) {
      throw this.#invalid();
    }
    while (file[at] === NEWLINE || file[at] === RETURN) at++;
    this.#rank = rank;
    this.#at = at;
    this.#starts[++this.#count] = this.#end;
    this.#longest = Math.max(this.#longest, this.#end - begin);
  }

  #invalid(): Error {
    return new Error(`not a rank file: token ${this.#count}, octet ${this.#at}`);
  }
}

/** Every octet must be a token of its own: merging begins with them. */
function checkOctets(vocabulary: Vocabulary): void {
  for (let octet = 0; octet < 256; octet++) {
    const one = Uint8Array.of(octet);
    if (vocabulary.find(one, 0, 1, hashOf(one, 1)) === NONE)
      throw new Error(`rank file without octet ${octet}`);
  }
}

const PADDING = 64;
const INVALID = 65;
const SIX = new Uint8Array(256).fill(INVALID);
for (const [i, character] of [
  ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=",
].entries()) {
  SIX[character.charCodeAt(0)] = i;
}
