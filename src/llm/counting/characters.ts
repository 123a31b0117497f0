/**
 * The Unicode categories that the split patterns of the public encodings ask for, one bit each, by table.
 *
 * The table is filled 256 code points at a time when one of them is first met, from the categories that JavaScript's own
 * regular expressions know: 64 kB for the basic plane, and 256 octets more for every other row that texts use (at most
 * 1 MB, should somebody send all of Unicode).
 */

/** `\p{Lu}` and `\p{Lt}`. */
export const UPPER = 1;
/** `\p{Ll}`. */
export const LOWER = 2;
/** `\p{Lm}` and `\p{Lo}`: letters without case. */
export const CASELESS = 4;
/** `\p{M}`. */
export const MARK = 8;
/** `\p{N}`. */
export const NUMBER = 16;
/** CR and LF. */
export const NEWLINE = 32;
/** Every other `\s`. */
export const SPACE = 64;
/** All the rest: punctuation, symbols, controls, unassigned, lone surrogates. */
export const OTHER = 128;

export const LETTER = UPPER | LOWER | CASELESS;
export const WHITE = NEWLINE | SPACE;

/**
 * By UTF-16 code unit; 0 where `kindAt` must be asked: rows not met yet, and halves of surrogate pairs for ever.
 */
export const KINDS = new Uint8Array(0x10000);

const ROWS = new Map<number, Uint8Array>();

/** Whether the code point at `at` takes two units. */
export function isPair(text: string, at: number): boolean {
  if ((text.charCodeAt(at) & 0xfc00) !== 0xd800) return false;
  return (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
}

/** The kind of the code point that begins at `at`, which must lie inside `text`. */
export function kindAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  const known = KINDS[unit]!;
  if (known !== 0) return known;
  if ((unit & 0xf800) === 0xd800) return isPair(text, at) ? kindOfPair(text.codePointAt(at)!) : OTHER;
  const row = rowOf(unit >> 8);
  KINDS.set(row, unit & 0xff00);
  return KINDS[unit]!;
}

function kindOfPair(point: number): number {
  let row = ROWS.get(point >> 8);
  if (row === undefined) ROWS.set(point >> 8, (row = rowOf(point >> 8)));
  return row[point & 0xff]!;
}

function rowOf(row: number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, i) => kindOf((row << 8) | i));
}

/**
 * `\s` is Unicode's White_Space, as the reference encoder (Rust's `regex`) has it. JavaScript's `\s` differs in two code
 * points: U+FEFF belongs to it, U+0085 does not.
 */
function kindOf(point: number): number {
  if (point === 0x0a || point === 0x0d) return NEWLINE;
  if (point === 0x85) return SPACE;
  if (point === 0xfeff) return OTHER;
  const character = String.fromCodePoint(point);
  if (/^[\p{Lu}\p{Lt}]$/u.test(character)) return UPPER;
  if (/^\p{Ll}$/u.test(character)) return LOWER;
  if (/^[\p{Lm}\p{Lo}]$/u.test(character)) return CASELESS;
  if (/^\p{M}$/u.test(character)) return MARK;
  if (/^\p{N}$/u.test(character)) return NUMBER;
  return /^\s$/u.test(character) ? SPACE : OTHER;
}
