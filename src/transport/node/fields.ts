/**
 * Finding and reading blocks of header fields (RFC 9112 §2.2, §5): request heads, response heads and trailer sections
 * all end with an empty line and are read by the same code. Nothing is repaired: a line that another parser
 * could read differently is a fault.
 */

/** `tchar` of RFC 9110 §5.6.2, by character code. */
const TOKEN_CHARS = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN_CHARS[char.charCodeAt(0)] = 1;
}

export function isTokenChar(code: number): boolean {
  return TOKEN_CHARS[code] === 1;
}

export function isToken(text: string): boolean {
  if (text.length === 0) return false;
  for (let i = 0; i < text.length; i++) if (TOKEN_CHARS[text.charCodeAt(i)] !== 1) return false;
  return true;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;
const DEL = 127;

/** Answers of `BlockScanner.scan` besides the block's length. */
export const MORE = -1;
export const BAD = -2;

/**
 * Looks for the empty line that ends a block. It remembers where it was, so bytes that trickle in are looked at once.
 * On the way it refuses every control character but TAB, every CR without LF and every LF without CR; after it, a
 * CR in the block can only be a line end.
 */
export class BlockScanner {
  /** Finished lines so far, the empty one not counted. */
  lines = 0;
  /** Length of the first line without CRLF; -1 while it is unfinished. */
  firstLine = -1;
  fault = "";
  #at = 0;
  #lineStart = 0;

  reset(): void {
    this.lines = 0;
    this.firstLine = -1;
    this.#at = 0;
    this.#lineStart = 0;
  }

  /**
   * @param bytes everything of the block that has come so far; each call with the same bytes and perhaps more
   * @returns     length of the block, empty line included, or `MORE`, or `BAD` with `fault` saying why
   */
  scan(bytes: Uint8Array): number {
    const end = bytes.length;
    let at = this.#at;
    for (; at < end; at++) {
      const c = bytes[at]!;
      if (c >= SPACE && c !== DEL) continue;
      if (c === TAB) continue;
      if (c !== CR) {
        this.fault = c === LF ? "a line ends with LF alone" : "a control character";
        return BAD;
      }
      if (at + 1 === end) break;
      if (bytes[at + 1] !== LF) {
        this.fault = "CR without LF";
        return BAD;
      }
      if (at === this.#lineStart) return at + 2;
      if (this.lines === 0) this.firstLine = at;
      this.lines++;
      at++;
      this.#lineStart = at + 1;
    }
    this.#at = at;
    return MORE;
  }
}

/**
 * Reads the field lines of a scanned block into `raw`.
 *
 * @param text latin1 text of the block, ending with the empty line
 * @param from where the first field line begins
 * @returns    null, or what is wrong
 */
export function readFields(text: string, from: number, raw: string[]): string | null {
  const last = text.length - 2;
  let start = from;
  while (start < last) {
    let colon = start;
    while (TOKEN_CHARS[text.charCodeAt(colon)] === 1) colon++;
    const code = text.charCodeAt(colon);
    if (code !== COLON || colon === start) return nameFault(code, colon === start);
    const lineEnd = text.indexOf("\r", colon);
    let first = colon + 1;
    let end = lineEnd;
    while (first < end && isBlank(text.charCodeAt(first))) first++;
    while (end > first && isBlank(text.charCodeAt(end - 1))) end--;
    raw.push(text.slice(start, colon), text.slice(first, end));
    start = lineEnd + 2;
  }
  return null;
}

function nameFault(code: number, atStart: boolean): string {
  if (code === SPACE || code === TAB) return atStart ? "a folded header line" : "whitespace before the colon";
  if (code === COLON) return "a header without a name";
  if (code === CR) return "a header line without a colon";
  return "a character that a header name cannot have";
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Fields that must not stand in a trailer section: framing, routing, connection (RFC 9110 §6.5.1). */
const NOT_IN_TRAILERS = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export function isTrailerName(name: string): boolean {
  return !NOT_IN_TRAILERS.has(name.toLowerCase());
}
