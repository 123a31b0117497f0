/**
 * The Unicode categories that the split patterns of the public encodings ask for, one bit each, by table.
 *
 * The table is filled 256 code points at a time when one of them is first met, from the categories that JavaScript's own
 * regular expressions know: 64 kB for the basic plane and at most 200 kB beyond.
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

/** Rows of 256 code points beyond the basic plane, by code point / 256. */
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
  fillRow(unit >> 8);
  return KINDS[unit]!;
}

function kindOfPair(point: number): number {
  // Of the planes from 4 on, only 14 has anything that is not OTHER: variation selectors, at its beginning.
  if (point >= 0x40000 && point >> 12 !== 0xe0) return OTHER;
  return (ROWS.get(point >> 8) ?? fillRow(point >> 8))[point & 0xff]!;
}

/** Rows in all that texts can make us fill. */
export const ROW_COUNT = 0x400 + 0x10;

/** Fills the `index`-th row of those, so that no text has to. */
export function warmRow(index: number): void {
  if (index >= 0xd8 && index < 0xe0) return;
  fillRow(index < 0x400 ? index : 0xe00 + (index - 0x400));
}

const CLASSES: readonly (readonly [number, RegExp])[] = [
  [UPPER, /[\p{Lu}\p{Lt}]+/gu],
  [LOWER, /\p{Ll}+/gu],
  [CASELESS, /[\p{Lm}\p{Lo}]+/gu],
  [MARK, /\p{M}+/gu],
  [NUMBER, /\p{N}+/gu],
  [SPACE, /\s+/gu],
];

/**
 * `\s` is Unicode's White_Space, as the reference encoder (Rust's `regex`) has it. JavaScript's differs in two code points:
 * U+FEFF belongs to it, U+0085 does not.
 */
function fillRow(row: number): Uint8Array {
  const kinds = new Uint8Array(256).fill(OTHER);
  const width = row > 0xff ? 2 : 1;
  const text = String.fromCodePoint(...Array.from({ length: 256 }, (_, i) => (row << 8) | i));
  for (const [kind, pattern] of CLASSES) {
    for (const { 0: run, index } of text.matchAll(pattern)) {
      kinds.fill(kind, index / width, (index + run.length) / width);
    }
  }
  if (row === 0) {
    kinds[0x0a] = kinds[0x0d] = NEWLINE;
    kinds[0x85] = SPACE;
  }
  if (row === 0xfe) kinds[0xff] = OTHER;
  if (row > 0xff) ROWS.set(row, kinds);
  else KINDS.set(kinds, row << 8);
  return kinds;
}
