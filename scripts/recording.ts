/**
 * A file with an answer in it, as people record them: the body's octets, or the whole answer with its status line and
 * headers (`curl -i`); as they are, or under a content coding. Chunks are handed out in the size that is asked for.
 */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import type { AnswerHeaders } from "../src/llm/dialect.ts";

export interface Recording {
  /** The first octets of the body. */
  readonly start: Uint8Array;
  /** Of an answer that was recorded with its headers; none says nothing. */
  readonly headers: AnswerHeaders;
  /** As its octets tell, else the file's name; null: not encoded. */
  readonly coding: string | null;
  /**
   * The body's octets.
   *
   * @param size of each chunk but the last; each is overwritten by the next
   */
  chunks(size: number): Iterable<Uint8Array>;
}

/** Octets that are looked at to tell what a file is. */
const START = 64 * 1024;
const MOST_READ = 64 * 1024 * 1024;
const NO_HEADERS: AnswerHeaders = { get: () => null };

/** @param file its path, or `-` for standard input  @throws as `node:fs` does */
export function openRecording(file: string): Recording {
  const start = file === "-" ? readFileSync(0) : firstOctets(file);
  if (start[0] === 0xff && start[1] === 0xfe) {
    // Some shells write what a program says in UTF-16.
    const text = Buffer.from((file === "-" ? start : readFileSync(file)).toString("utf16le"));
    return { start: text, headers: NO_HEADERS, coding: null, chunks: (size) => pieces(text, size) };
  }
  if (!/^HTTP\/\d/.test(start.toString("latin1", 0, 8))) {
    return {
      start,
      headers: NO_HEADERS,
      coding: codingOf(start, file, null),
      chunks: (size) => (file === "-" ? pieces(start, size) : chunksOf(file, size)),
    };
  }
  const { headers, body } = withoutHead(file === "-" ? start : readFileSync(file));
  return {
    start: body.subarray(0, START),
    headers,
    coding: codingOf(body, file, headers.get("content-encoding")),
    chunks: (size) => pieces(body, size),
  };
}

function firstOctets(file: string): Buffer {
  for (const chunk of chunksOf(file, START)) return Buffer.from(chunk);
  return Buffer.alloc(0);
}

function* pieces(octets: Buffer, size: number): Generator<Uint8Array> {
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}

function* chunksOf(file: string, size: number): Generator<Uint8Array> {
  const handle = openSync(file, "r");
  try {
    const buffer = Buffer.alloc(Math.max(START, Math.min(size, MOST_READ)));
    const block = Math.floor(buffer.length / size) * size || buffer.length;
    for (;;) {
      const length = readWhole(handle, buffer, block);
      for (let at = 0; at < length; at += size) yield buffer.subarray(at, Math.min(at + size, length));
      if (length < block) return;
    }
  } finally {
    closeSync(handle);
  }
}

function readWhole(handle: number, buffer: Buffer, length: number): number {
  let have = 0;
  while (have < length) {
    const read = readSync(handle, buffer, have, length - have, null);
    if (read === 0) break;
    have += read;
  }
  return have;
}

/** The last head counts: proxies and `100 Continue` come with heads of their own. */
function withoutHead(octets: Buffer): { readonly headers: AnswerHeaders; readonly body: Buffer } {
  let head = "";
  let at = 0;
  while (/^HTTP\/\d/.test(octets.toString("latin1", at, at + 8))) {
    const end = /\r?\n\r?\n/.exec(octets.toString("latin1", at, at + START));
    const length = end === null ? octets.length - at : end.index + end[0].length;
    head = octets.toString("latin1", at, at + length);
    at += length;
  }
  const headers = headersOf(head);
  const body = octets.subarray(at);
  const chunked = /\bchunked\b/i.test(headers.get("transfer-encoding") ?? "");
  return { headers, body: chunked && CHUNK.test(body.toString("latin1", 0, 64)) ? dechunked(body) : body };
}

function headersOf(head: string): AnswerHeaders {
  const fields = new Map<string, string>();
  for (const line of head.split(/\r?\n/).slice(1)) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { get: (name) => fields.get(name.toLowerCase()) ?? null };
}

/** What begins a chunk on the wire; most recorders have undone the chunks and left the header. */
const CHUNK = /^([0-9a-f]{1,8})(?:;[^\r\n]*)?\r\n/i;

function dechunked(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const begin = CHUNK.exec(body.toString("latin1", at, at + 256));
    if (begin === null) break;
    const from = at + begin[0].length;
    const length = Number.parseInt(begin[1]!, 16);
    if (length === 0) break;
    parts.push(body.subarray(from, from + length));
    at = from + length + 2;
  }
  return Buffer.concat(parts);
}

const ENDINGS: readonly (readonly [RegExp, string])[] = [
  [/\.br$/i, "br"],
  [/\.(?:deflate|zz|zlib)$/i, "deflate"],
];

/** @param said the answer's own header: recorders keep it where they have decoded the body */
function codingOf(octets: Buffer, file: string, said: string | null): string | null {
  const magic = octets.toString("hex", 0, 4);
  if (magic.startsWith("1f8b")) return "gzip";
  if (magic === "28b52ffd") return "zstd";
  if (/^78(?:01|5e|9c|da)/.test(magic)) return "deflate";
  const named = ENDINGS.find(([ending]) => ending.test(file));
  if (named !== undefined && !isPlain(octets)) return named[1];
  if (said !== null && /\b(?:br|deflate)\b/i.test(said) && !isPlain(octets)) return said;
  return isBrotli(octets) ? "br" : null;
}

/** Text, an event stream or nothing. */
function isPlain(octets: Buffer): boolean {
  return (
    octets.length === 0 ||
    octets[0] === 0 ||
    /^[\t\n\r\x20-\x7e\xef]{4}/.test(octets.toString("latin1", 0, 4))
  );
}

/** Brotli has no mark of its own: what is no text and decodes to JSON or to events is taken for it. */
function isBrotli(octets: Buffer): boolean {
  if (isPlain(octets) || octets.length >= START) return false;
  try {
    const text = brotliDecompressSync(octets, { maxOutputLength: MOST_READ });
    return /^\s*[[{:a-z]/.test(text.toString("latin1", 0, 64));
  } catch {
    return false;
  }
}
