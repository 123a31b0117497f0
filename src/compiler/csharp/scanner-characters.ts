/** Character classes of C# source (C# specification §6.3 and §6.4), over UTF-16 code units. */

export function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

export function isHexDigit(c: number): boolean {
  return isDigit(c) || (c >= 65 && c <= 70) || (c >= 97 && c <= 102);
}

const LETTER = /[\p{L}\p{Nl}]/u;
const LETTER_PART = /[\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}\p{Cf}]/u;

export function isNameStart(c: number): boolean {
  if (c < 128) return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95;
  return LETTER.test(String.fromCharCode(c));
}

/** U+FEFF and other format characters are legal inside names, but somebody who has one there never meant to. */
export function isNamePart(c: number): boolean {
  if (c < 128) return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || isDigit(c);
  return !isInvisible(c) && LETTER_PART.test(String.fromCharCode(c));
}

export function isLineEnd(c: number): boolean {
  return c === 10 || c === 13 || c === 0x85 || c === 0x2028 || c === 0x2029;
}

export function isSpace(c: number): boolean {
  if (c < 128) return c === 32 || c === 9 || c === 11 || c === 12;
  return (
    c === 0xa0 || c === 0x1680 || (c >= 0x2000 && c <= 0x200a) || c === 0x202f || c === 0x205f || c === 0x3000
  );
}

/** Zero-width and direction marks that come in by copy and paste. */
export function isInvisible(c: number): boolean {
  return (
    (c >= 0x200b && c <= 0x200f) ||
    (c >= 0x202a && c <= 0x202e) ||
    (c >= 0x2060 && c <= 0x2064) ||
    c === 0xfeff
  );
}

/** “ ” „ ‟ and ‘ ’ ‚ ‛ */
export function isSmartQuote(c: number): boolean {
  return c >= 0x2018 && c <= 0x201f;
}
