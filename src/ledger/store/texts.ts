/** Contents: what was said, as it is read back, and an index of its words. */
import { isAscii } from "node:buffer";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { StoredContents } from "../contents.ts";
import type { ContentsText, ReadContents } from "../query.ts";

const REQUEST_TRUNCATED = 1;
const RESPONSE_TRUNCATED = 2;

/** Directions of pieces, as versions before wrote them. */
const REQUEST = 0;
const RESPONSE = 1;

/** What one answer of `read` holds at most, in UTF-16 units: a session can have many responses. */
const MOST_READ = 4 * 1024 * 1024;

export class Texts {
  readonly #insert: StatementSync;
  readonly #index: StatementSync;
  readonly #parts: StatementSync;
  readonly #said: StatementSync;
  readonly #pieces: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(
      "INSERT OR IGNORE INTO said (at, truncated, request, response) VALUES (?, ?, ?, ?)",
    );
    this.#index = database.prepare("INSERT INTO texts (rowid, request, response) VALUES (?, ?, ?)");
    this.#parts = database.prepare("SELECT part, at FROM calls WHERE request_id = ? ORDER BY part");
    this.#said = database.prepare("SELECT truncated, request, response FROM said WHERE at = ?");
    this.#pieces = database.prepare(
      "SELECT direction, truncated, text FROM messages WHERE at = ? ORDER BY direction, piece",
    );
  }

  /** Stores contents under their call's place; what is there already stays. */
  add(at: number, contents: StoredContents): void {
    const { request, response } = contents;
    const truncated =
      (contents.requestTruncated ? REQUEST_TRUNCATED : 0) +
      (contents.responseTruncated ? RESPONSE_TRUNCATED : 0);
    const { changes } = this.#insert.run(at, truncated, toColumn(request), toColumn(response));
    if (changes !== 0) this.#index.run(at, wordsOf(request), wordsOf(response));
  }

  /** What was said in a request, part by part. */
  read(requestId: string): ReadContents[] {
    const found: ReadContents[] = [];
    let room = MOST_READ;
    for (const { part, at } of this.#parts.iterate(requestId) as Iterable<{ part: number; at: number }>) {
      const texts = this.#whole(at) ?? this.#joined(at);
      if (texts === null) continue;
      const request = within(texts.request, room);
      room -= request?.text.length ?? 0;
      const response = within(texts.response, room);
      room -= response?.text.length ?? 0;
      found.push({ part, request, response });
      if (room <= 0) break;
    }
    return found;
  }

  #whole(at: number): Both | null {
    const row = this.#said.get(at) as SaidRow | undefined;
    if (row === undefined) return null;
    return {
      request: fromColumn(row.request, (row.truncated & REQUEST_TRUNCATED) !== 0),
      response: fromColumn(row.response, (row.truncated & RESPONSE_TRUNCATED) !== 0),
    };
  }

  #joined(at: number): Both | null {
    const pieces = this.#pieces.all(at) as unknown as Piece[];
    if (pieces.length === 0) return null;
    return { request: join(pieces, REQUEST), response: join(pieces, RESPONSE) };
  }
}

interface Both {
  readonly request: ContentsText | null;
  readonly response: ContentsText | null;
}

interface SaidRow {
  readonly truncated: number;
  /** Octets; a text only where it is empty. */
  readonly request: Uint8Array | string | null;
  readonly response: Uint8Array | string | null;
}

interface Piece {
  readonly direction: number;
  readonly truncated: number;
  readonly text: string;
}

function join(pieces: readonly Piece[], direction: number): ContentsText | null {
  const own = pieces.filter((piece) => piece.direction === direction);
  if (own.length === 0) return null;
  return { text: own.map((piece) => piece.text).join(""), truncated: own.at(-1)!.truncated === 1 };
}

function within(one: ContentsText | null, room: number): ContentsText | null {
  if (one === null || one.text.length <= room) return one;
  return { text: one.text.slice(0, Math.max(0, room)), truncated: true };
}

/** Octets without any would be stored as null. */
function toColumn(octets: Uint8Array | null): Uint8Array | string | null {
  return octets !== null && octets.length === 0 ? "" : octets;
}

function fromColumn(value: Uint8Array | string | null, truncated: boolean): ContentsText | null {
  if (value === null) return null;
  return { text: typeof value === "string" ? value : textOf(value), truncated };
}

function textOf(octets: Uint8Array): string {
  const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  return buffer.toString(isAscii(octets) ? "latin1" : "utf8");
}

/** A run of this length without a space is no word: an image, a key. */
const LONGEST_WORD = 200;

const NO_WORDS =
  /"(?:role|type|object|finish_reason)"\s*:\s*"[^"\\]*"|"\w{1,40}"\s*:|\\(?:u[0-9a-fA-F]{4}|.)/gs;

/** What stands under these says what something is, not what was said. */
const LABELS = new Set(["role", "type", "object", "finish_reason"]);

/** The words that can be found: the texts inside the JSON, not its keys and not what is encoded in it. */
export function wordsOf(octets: Uint8Array | null): string {
  if (octets === null) return "";
  const text = textOf(octets);
  const found = stringsOf(text) ?? [];
  if (found.length === 0) {
    try {
      collect(JSON.parse(text), found, 0);
    } catch {
      // Cut, or not JSON at all: without keys and labels, and without escapes, which would glue themselves to words.
      found.push(text.replace(NO_WORDS, " "));
    }
  }
  const words = found.length === 1 ? found[0]! : found.join(" ");
  // Nothing in it can be of another script: neither as it is nor as an escape.
  return isAscii(octets) && !text.includes("\\u") && !text.includes("\0") ? words : searchable(words);
}

/**
 * What `collect` finds in messages as they usually are, from quotation mark to quotation mark: a third of what it costs
 * to build objects for them.
 *
 * @returns null when there is anything but strings in it, or when it is not JSON
 */
function stringsOf(text: string): string[] | null {
  const found: string[] = [];
  let backslash = text.indexOf("\\");
  let isLabelled = false;
  for (let at = 0; ;) {
    const open = text.indexOf('"', at);
    if (!isStructure(text, at, open < 0 ? text.length : open)) return null;
    if (open < 0) return isLabelled ? null : found;
    let close = text.indexOf('"', open + 1);
    while (backslash >= 0 && backslash < open) backslash = text.indexOf("\\", open);
    const isEscaped = backslash >= 0 && backslash < close;
    if (isEscaped) close = closingQuote(text, backslash);
    if (close < 0) return null;
    const isKey = text.charCodeAt(close + 1) === COLON;
    // What a label's value is, if not a string, is a matter of structure.
    if (isLabelled && (isKey || text.charCodeAt(open - 1) !== COLON)) return null;
    if (isKey) isLabelled = LABELS.has(text.slice(open + 1, close));
    else if (isLabelled) isLabelled = false;
    else {
      const value = isEscaped ? unescaped(text.slice(open, close + 1)) : text.slice(open + 1, close);
      if (value === null) return null;
      if (isSaid(value)) found.push(value);
    }
    at = close + 1;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** Only what stands between strings: brackets, braces, commas, colons. */
function isStructure(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code !== 0x2c && code !== COLON && code !== 0x5b && code !== 0x5d && code !== 0x7b && code !== 0x7d)
      return false;
  }
  return true;
}

/** @returns where a string ends that has its first backslash at `i`; -1 when it does not */
function closingQuote(text: string, i: number): number {
  for (let at = i; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return -1;
}

function unescaped(literal: string): string | null {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return null;
  }
}

/** Whether a string is a text, and nothing encoded. */
function isSaid(value: string): boolean {
  if (value.length <= LONGEST_WORD || value.slice(0, LONGEST_WORD).includes(" ")) return true;
  // A long text may begin with a long word, or in a script without spaces.
  return !/^(?:data:|[\w+/=-]+$)/.test(value.slice(0, LONGEST_WORD));
}

function collect(value: unknown, into: string[], depth: number): void {
  if (typeof value === "string") {
    if (isSaid(value)) into.push(value);
  } else if (value !== null && typeof value === "object" && depth < 100) {
    for (const [key, inner] of Object.entries(value)) if (!LABELS.has(key)) collect(inner, into, depth + 1);
  }
}

/** Scripts that write without spaces: each character is a word of its own, there and in what is asked. */
const WITHOUT_SPACES =
  /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[\u{20000}-\u{3ffff}]/gu;

function searchable(text: string): string {
  return text.replaceAll("\0", " ").replace(WITHOUT_SPACES, " $& ");
}

/**
 * What FTS5 takes for a phrase; with a `*` at its end the last word may go on.
 *
 * @returns null when there is no word in it
 */
export function phraseOf(text: string): string | null {
  const isPrefix = /[\p{L}\p{N}]\*\s*$/u.test(text);
  const words = searchable(text.slice(0, 1000)).toWellFormed().trim();
  if (!/[\p{L}\p{N}]/u.test(words)) return null;
  return `"${words.replaceAll('"', '""')}"${isPrefix ? " *" : ""}`;
}
