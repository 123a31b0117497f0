/** Contents: pieces that are read back, and an index of their words. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type StoredContents, characterEnd } from "../contents.ts";
import type { ContentsText, ReadContents } from "../query.ts";

/** Octets of a piece (`ai-observability.md` §5.2). */
const PIECE_BYTES = 32 * 1024;

const REQUEST = 0;
const RESPONSE = 1;

/** What one answer of `read` holds at most, in UTF-16 units: a session can have many responses. */
const MOST_READ = 4 * 1024 * 1024;

export class Texts {
  readonly #insert: StatementSync;
  readonly #index: StatementSync;
  readonly #parts: StatementSync;
  readonly #pieces: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(
      "INSERT OR IGNORE INTO messages (at, direction, piece, truncated, text) VALUES (?, ?, ?, ?, ?)",
    );
    this.#index = database.prepare("INSERT INTO texts (rowid, request, response) VALUES (?, ?, ?)");
    this.#parts = database.prepare("SELECT part, at FROM calls WHERE request_id = ? ORDER BY part");
    this.#pieces = database.prepare(
      "SELECT direction, truncated, text FROM messages WHERE at = ? ORDER BY direction, piece",
    );
  }

  /** Stores contents under their call's place; what is there already stays. */
  add(at: number, contents: StoredContents): void {
    const request = contents.request === null ? null : textOf(contents.request);
    const response = contents.response === null ? null : textOf(contents.response);
    const isNew =
      this.#addPieces(at, REQUEST, contents.request, request, contents.requestTruncated) &&
      this.#addPieces(at, RESPONSE, contents.response, response, contents.responseTruncated);
    if (isNew) this.#index.run(at, wordsOf(request), wordsOf(response));
  }

  /** What was said in a request, part by part. */
  read(requestId: string): ReadContents[] {
    const found: ReadContents[] = [];
    let room = MOST_READ;
    for (const { part, at } of this.#parts.iterate(requestId) as Iterable<{ part: number; at: number }>) {
      const pieces = this.#pieces.all(at) as unknown as Piece[];
      if (pieces.length === 0) continue;
      const request = join(pieces, REQUEST, room);
      room -= request?.text.length ?? 0;
      const response = join(pieces, RESPONSE, room);
      room -= response?.text.length ?? 0;
      found.push({ part, request, response });
      if (room <= 0) break;
    }
    return found;
  }

  /** @returns false when pieces are there already */
  #addPieces(
    at: number,
    direction: number,
    octets: Uint8Array | null,
    text: string | null,
    truncated: boolean,
  ): boolean {
    if (octets === null || text === null) return true;
    if (octets.length <= PIECE_BYTES)
      return this.#insert.run(at, direction, 0, truncated ? 1 : 0, text).changes > 0;
    let piece = 0;
    let start = 0;
    do {
      const end = start + characterEnd(octets.subarray(start), PIECE_BYTES);
      const isLast = end >= octets.length;
      const own = textOf(octets.subarray(start, end));
      const { changes } = this.#insert.run(at, direction, piece++, truncated && isLast ? 1 : 0, own);
      if (changes === 0) return false;
      start = end;
    } while (start < octets.length);
    return true;
  }
}

interface Piece {
  readonly direction: number;
  readonly truncated: number;
  readonly text: string;
}

function join(pieces: readonly Piece[], direction: number, room: number): ContentsText | null {
  const own = pieces.filter((piece) => piece.direction === direction);
  if (own.length === 0) return null;
  const text = own.map((piece) => piece.text).join("");
  const truncated = own.at(-1)!.truncated === 1;
  return text.length <= room
    ? { text, truncated }
    : { text: text.slice(0, Math.max(0, room)), truncated: true };
}

function textOf(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString();
}

/** A run of this length without a space is no word: an image, a key. */
const LONGEST_WORD = 200;

const NO_WORDS =
  /"(?:role|type|object|finish_reason)"\s*:\s*"[^"\\]*"|"\w{1,40}"\s*:|\\(?:u[0-9a-fA-F]{4}|.)/gs;

/** What stands under these says what something is, not what was said. */
const LABELS = new Set(["role", "type", "object", "finish_reason"]);

/** The words that can be found: the texts inside the JSON, not its keys and not what is encoded in it. */
function wordsOf(text: string | null): string {
  if (text === null) return "";
  const found: string[] = [];
  try {
    collect(JSON.parse(text), found, 0);
  } catch {
    // Cut, or not JSON at all: without keys and labels, and without escapes, which would glue themselves to words.
    found.push(text.replace(NO_WORDS, " "));
  }
  return searchable(found.join(" "));
}

function collect(value: unknown, into: string[], depth: number): void {
  if (typeof value === "string") {
    if (value.length <= LONGEST_WORD || value.slice(0, LONGEST_WORD).includes(" ")) into.push(value);
    // A long text may begin with a long word, or in a script without spaces.
    else if (!/^(?:data:|[\w+/=-]+$)/.test(value.slice(0, LONGEST_WORD))) into.push(value);
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
