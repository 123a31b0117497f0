/** Pieces of text as UTF-8 octets. */
import { isPair } from "./characters.ts";

/** Units of a long text that are encoded at a time. */
const CHUNK = 1 << 15;

/**
 * Writes the units from `from` to `end` to the start of `octets`; half a surrogate pair becomes U+FFFD, as the
 * reference encoder and everyone who sends UTF-8 has it.
 *
 * @returns octets written: three a unit at most, for which there must be room
 */
export function encodePiece(text: string, from: number, end: number, octets: Uint8Array): number {
  let length = 0;
  for (let i = from; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      octets[length++] = unit;
      continue;
    }
    const begin = length;
    length = encodePoint(text, i, octets, length);
    if (length - begin === 4) i++;
  }
  return length;
}

function encodePoint(text: string, at: number, octets: Uint8Array, length: number): number {
  let point = text.codePointAt(at)!;
  if (point < 0x800) {
    octets[length++] = 0xc0 | (point >> 6);
  } else {
    if (point > 0xffff) {
      octets[length++] = 0xf0 | (point >> 18);
      octets[length++] = 0x80 | ((point >> 12) & 0x3f);
    } else {
      if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
      octets[length++] = 0xe0 | (point >> 12);
    }
    octets[length++] = 0x80 | ((point >> 6) & 0x3f);
  }
  octets[length++] = 0x80 | (point & 0x3f);
  return length;
}

/** The octets of a long piece, made in as many slices as it takes. */
export class LongText {
  octets: Buffer = Buffer.alloc(0);
  length = 0;
  #text = "";
  #end = 0;
  #at = 0;

  /** Begins with another piece: the units from `from` to `end`. */
  begin(text: string, from: number, end: number): void {
    this.#text = text;
    this.#at = from;
    this.#end = end;
    this.length = 0;
    if (this.octets.length < end - from) this.octets = Buffer.allocUnsafe(end - from);
  }

  get done(): boolean {
    return this.#at === this.#end;
  }

  /** Encodes the next chunk; returns how many units that were. */
  next(): number {
    const from = this.#at;
    let to = Math.min(from + CHUNK, this.#end);
    if (to < this.#end && isPair(this.#text, to - 1)) to--;
    const chunk = this.#text.slice(from, to);
    if (Buffer.byteLength(chunk) > this.octets.length - this.length) this.#grow(this.#end - from);
    this.length += this.octets.write(chunk, this.length);
    this.#at = to;
    return to - from;
  }

  /** Most long pieces are ASCII and need no more than an octet a unit; those that are not need at most three. */
  #grow(units: number): void {
    const larger = Buffer.allocUnsafe(this.length + units * 3);
    larger.set(this.octets.subarray(0, this.length));
    this.octets = larger;
  }
}
