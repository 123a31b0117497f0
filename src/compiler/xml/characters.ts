/** Characters of XML: what begins and ends names, tags and values. Offsets in UTF-16 units; nothing here reports. */

export const EXCLAMATION = 33;
export const QUOTE = 34;
export const APOSTROPHE = 39;
export const COMMA = 44;
export const SLASH = 47;
export const SEMICOLON = 59;
export const LESS = 60;
export const EQUALS = 61;
export const GREATER = 62;
export const QUESTION = 63;
export const OPEN_BRACKET = 91;
export const BACKSLASH = 92;
export const CLOSE_BRACKET = 93;

export function isSpace(c: number): boolean {
  return c === 32 || c === 10 || c === 13 || c === 9;
}

export function isNameStart(c: number): boolean {
  return (
    (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || c === 58 || (c >= 0xc0 && !isQuoteLike(c))
  );
}

export function isNamePart(c: number): boolean {
  return isNameStart(c) || (c >= 48 && c <= 57) || c === 45 || c === 46 || c === 0xb7;
}

/** Characters beyond Latin that are no letters and turn up in documents copied from elsewhere. */
export function isQuoteLike(c: number): boolean {
  return (c >= 0x2000 && c <= 0x206f) || c === 0x3000 || c === 0xfeff || c === 0xfffd || c !== c;
}

export function skipSpace(text: string, at: number): number {
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

export function skipName(text: string, at: number): number {
  while (isNamePart(text.charCodeAt(at))) at++;
  return at;
}

/** What is no attribute: up to white space, a quote's partner, or the end of the tag. */
export function skipJunk(text: string, at: number): number {
  let i = at + 1;
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (isSpace(c) || c === GREATER || c === LESS || (c === SLASH && text.charCodeAt(i + 1) === GREATER))
      break;
  }
  return i;
}

export function endsUnquoted(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  return isSpace(c) || c === GREATER || c === LESS || (c === SLASH && text.charCodeAt(at + 1) === GREATER);
}

export type Markup = "open" | "close" | "comment" | "cdata" | "declaration" | "instruction";

const declaration = /<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)/iy;

/** What begins at `at`; null: text. The one place that decides, so that text always ends where something begins. */
export function markupAt(text: string, at: number): Markup | null {
  if (text.charCodeAt(at) !== LESS) return null;
  const next = text.charCodeAt(at + 1);
  if (isNameStart(next)) return "open";
  if (next === SLASH) return isNameStart(text.charCodeAt(at + 2)) ? "close" : null;
  if (next === QUESTION) return isNameStart(text.charCodeAt(at + 2)) ? "instruction" : null;
  if (next !== EXCLAMATION) return null;
  if (text.startsWith("<!--", at)) return "comment";
  if (text.startsWith("<![CDATA[", at)) return "cdata";
  declaration.lastIndex = at;
  return declaration.test(text) ? "declaration" : null;
}

export function beginsMarkup(text: string, at: number): boolean {
  return markupAt(text, at) !== null;
}

/** What may stand behind a closing quote in well-formed XML. */
export function followsValue(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  if (c === SLASH) return text.charCodeAt(at + 1) === GREATER;
  return isSpace(c) || c === GREATER || c === QUESTION || at >= text.length;
}

export function endsTag(text: string, at: number): boolean {
  const next = skipSpace(text, at);
  const c = text.charCodeAt(next);
  return c === GREATER || (c === SLASH && text.charCodeAt(next + 1) === GREATER);
}

/** Stronger: the tag ends here, or another attribute begins. */
export function looksLikeClose(text: string, at: number): boolean {
  const next = skipSpace(text, at);
  const c = text.charCodeAt(next);
  if (endsTag(text, next)) return true;
  if (next === at || !isNameStart(c)) return false;
  const equals = skipSpace(text, skipName(text, next));
  if (text.charCodeAt(equals) !== EQUALS) return false;
  const quote = text.charCodeAt(skipSpace(text, equals + 1));
  return quote === QUOTE || quote === APOSTROPHE;
}

export function endOfLine(text: string, from: number): number {
  let i = from;
  while (i < text.length && text.charCodeAt(i) !== 10 && text.charCodeAt(i) !== 13) i++;
  return i;
}

/** True if the tag around `at` ends with `/>`; only near, and never wrong about what it says. */
export function endsEmpty(text: string, at: number): boolean {
  const near = text.slice(at, at + 300);
  const close = near.indexOf(">");
  return close > 0 && near.charCodeAt(close - 1) === SLASH;
}

/** True if `</name` comes next, perhaps behind other closing tags. */
export function isCrossed(text: string, name: string): boolean {
  const closing = /^\s*<\/([\w:.-]+)\s*>/;
  for (let rest = text; ;) {
    const found = closing.exec(rest);
    if (found === null) return false;
    if (found[1] === name) return true;
    rest = rest.slice(found[0].length);
  }
}

/**
 * Where the string begins of which the closing quote was forgotten. Behind such a string the quotes pair up wrongly,
 * so the one that stays open in the end is seldom the one: rather the first on its line that a word or another
 * string follows directly.
 *
 * @param open where the string begins that stays open
 */
export function oddString(text: string, open: number): number {
  const lineStart = Math.max(text.lastIndexOf("\n", open), text.lastIndexOf("\r", open)) + 1;
  for (const found of text.slice(lineStart, open).matchAll(/"(?:[^"\\\r\n]|\\.)*"/g)) {
    const at = lineStart + found.index;
    if (/^\s*["\w]/.test(text.slice(at + found[0].length, open + 1))) return at;
  }
  return open;
}

export function shift(
  span: { readonly start: number; readonly end: number },
  by: number,
): { start: number; end: number } {
  return { start: span.start + by, end: span.end + by };
}

/** Bytes in UTF-8; stops counting soon after `enough`. */
export function utf8Length(text: string, enough: number): number {
  if (text.length * 3 <= enough) return text.length;
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x80) bytes++;
    else if (c < 0x800) bytes += 2;
    else if (c >= 0xd800 && c <= 0xdbff && i + 1 < text.length) {
      bytes += 4;
      i++;
    } else bytes += 3;
  }
  return bytes;
}
