/** A piece as its UTF-8 octets, with the hashes of its heads made on the way. */
import { isPair } from "./characters.ts";
import { hashNext } from "./vocabulary.ts";

/** Units of a long text that are encoded at a time. */
const CHUNK = 1 << 15;

/**
 * Writes the units from `from` to `end` to the start of `octets`; half a surrogate pair becomes U+FFFD, as the
 * reference encoder and everyone who sends UTF-8 has it. `hashes[i]` becomes the hash of the first `i` octets.
 *
 * @returns octets written: three a unit at most, for which there must be room
 */
export function encodePiece(
  text: string,
  from: number,
  end: number,
  octets: Uint8Array,
  hashes: Int32Array,
): number {
  let length = 0;
  let hash = 0;
  for (let i = from; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      octets[length++] = unit;
      hashes[length] = hash = hashNext(hash, unit);
      continue;
    }
    const begin = length;
    length = encodePoint(text, i, octets, length);
    if (length - begin === 4) i++;
    for (let k = begin; k < length; k++) hashes[k + 1] = hash = hashNext(hash, octets[k]!);
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
  readonly octets: Buffer;
  length = 0;
  readonly #text: string;
  readonly #end: number;
  #at: number;

  constructor(text: string, from: number, end: number) {
    this.#text = text;
    this.#at = from;
    this.#end = end;
    this.octets = Buffer.allocUnsafe((end - from) * 3);
  }

  get done(): boolean {
    return this.#at === this.#end;
  }

  /** Encodes the next chunk; returns how many units that were. */
  next(): number {
    const from = this.#at;
    let to = Math.min(from + CHUNK, this.#end);
    if (to < this.#end && isPair(this.#text, to - 1)) to--;
    this.length += this.octets.write(this.#text.slice(from, to), this.length);
    this.#at = to;
    return to - from;
  }
}
