/** Looks at JSON text before it is parsed, and finds the place of a value in it afterwards. */

const MOST_DEPTH = 128;
const MOST_KEYS = 50_000;

/**
 * Depth and number of keys, so that parsing and validating stay within bounds (`reliability.md` A3). Text that is no
 * JSON may pass; parsing will say so.
 *
 * @returns what is too much, or null
 */
export function tooMuchJson(text: string): string | null {
  let depth = 0;
  let keys = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22:
        i = endOfString(text, i) - 1;
        break;
      case 0x7b:
      case 0x5b:
        if (++depth > MOST_DEPTH) return `It is nested deeper than ${MOST_DEPTH}.`;
        break;
      case 0x7d:
      case 0x5d:
        depth--;
        break;
      case 0x3a:
        if (++keys > MOST_KEYS) return `It has more than ${MOST_KEYS} properties.`;
        break;
    }
  }
  return null;
}

/** After the closing quote; the end of the text when there is none. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5c) i++;
    else if (c === 0x22) return i + 1;
  }
  return text.length;
}

export interface JsonPlace {
  /** From 1. */
  readonly line: number;
  /** Characters of the line read so far, as Json.NET counts: to the end of a scalar, to the bracket of a container. */
  readonly position: number;
}

/**
 * Where the value at `path` stands.
 *
 * @param text valid JSON
 * @param foldCase property names compare without case
 */
export function placeOf(text: string, path: readonly string[], foldCase = false): JsonPlace {
  let at = skipSpace(text, 0);
  for (const step of path) {
    const inside =
      text[at] === "{"
        ? memberAt(text, at, step, foldCase)
        : text[at] === "["
          ? itemAt(text, at, Number(step))
          : null;
    if (inside === null) break;
    at = inside;
  }
  const end = text[at] === "{" || text[at] === "[" ? at + 1 : endOfValue(text, at);
  return countLines(text, end);
}

function countLines(text: string, end: number): JsonPlace {
  let line = 1;
  let start = 0;
  for (let i = text.indexOf("\n"); i >= 0 && i < end; i = text.indexOf("\n", i + 1)) {
    line++;
    start = i + 1;
  }
  return { line, position: end - start };
}

function memberAt(text: string, open: number, name: string, foldCase: boolean): number | null {
  const wanted = foldCase ? name.toLowerCase() : name;
  let found: number | null = null;
  for (let at = skipSpace(text, open + 1); text[at] === '"';) {
    const end = endOfString(text, at);
    const key = JSON.parse(text.slice(at, end)) as string;
    const value = skipSpace(text, skipSpace(text, end) + 1);
    // The last of several counts, as for the parser.
    if ((foldCase ? key.toLowerCase() : key) === wanted) found = value;
    at = skipSpace(text, endOfValue(text, value));
    if (text[at] !== ",") break;
    at = skipSpace(text, at + 1);
  }
  return found;
}

function itemAt(text: string, open: number, index: number): number | null {
  let at = skipSpace(text, open + 1);
  for (let i = 0; i < index; i++) {
    at = skipSpace(text, endOfValue(text, at));
    if (text[at] !== ",") return null;
    at = skipSpace(text, at + 1);
  }
  return at;
}

function endOfValue(text: string, start: number): number {
  const c = text[start];
  if (c === '"') return endOfString(text, start);
  if (c !== "{" && c !== "[") {
    let at = start;
    while (at < text.length && !/[\s,\]}]/.test(text[at]!)) at++;
    return at;
  }
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const bracket = text[at]!;
    if (bracket === '"') at = endOfString(text, at) - 1;
    else if (bracket === "{" || bracket === "[") depth++;
    else if ((bracket === "}" || bracket === "]") && --depth === 0) return at + 1;
  }
  return text.length;
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return at;
}
