/**
 * Looks at an answer as it passes and tells a dialect's reader what is in it. Chunks come cut anywhere; nothing is changed,
 * nothing waits, nothing throws, and what is held is bounded whatever the octets.
 *
 * How values are framed is told by the first octet rather than by the content type, which providers and proxies get wrong:
 * `{` and `[` begin JSON (one document, lines of it, or an array whose elements come one by one), NUL the binary event
 * stream of AWS, a field name or a colon server-sent events.
 */
import { STREAM_DONE } from "./answer.ts";
import type { AnswerHeaders, AnswerReader, Dialect, FoundAnswer } from "./dialect.ts";
import { Decoding, codingsOf } from "./content-coding.ts";
import { EventStreamReader } from "./event-stream.ts";
import { JsonStream, type JsonStreamOptions } from "./json-stream.ts";
import { type LargeData, SseReader } from "./sse.ts";

export interface TapOptions {
  /** Headers of the answer; null when absent. */
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  /** All of them, for dialects that say some things there alone. */
  readonly headers?: AnswerHeaders;
  /** UTF-16 units of text that are kept; 0 = only its length. */
  readonly keepText: number;
}

export interface AnswerTap {
  /** What was found so far; the same object, growing. */
  readonly found: FoundAnswer;
  /** @param chunk borrowed: nothing of it is kept */
  write(chunk: Uint8Array): void;
  /**
   * The answer is over, whole or broken off. Idempotent.
   *
   * @returns a promise when a large compressed answer is read aside; it never rejects
   */
  end(): void | Promise<void>;
}

/** A document up to this size is parsed in one go when it is over; a longer one as it comes. */
const WHOLE_DOCUMENT_BYTES = 64 * 1024;

export const LARGE_VALUES: JsonStreamOptions = {
  drop: new Set([
    "embedding",
    // Beside them, Vertex AI says how many tokens a text has.
    "embeddings.values",
    "b64_json",
    "logprobs",
    "logprobs_result",
    "logprobsResult",
    "top_logprobs",
    "audio.data",
    "image_url.url",
    "inlineData",
    "inline_data",
    "inputImageB64",
    "partial_image_b64",
    "encrypted_content",
    "obfuscation",
    "bytesBase64Encoded",
  ]),
  // The picture that an image generation call gave back, or an argument of a function; sounds and pictures of interactions.
  brief: new Set(["result", "data"]),
  keepBytes: 8 * 1024 * 1024,
  whole: new Set([
    "usage",
    "usageMetadata",
    "usage_metadata",
    "x_groq",
    "id",
    "model",
    "modelVersion",
    "object",
    "type",
    "status",
    "finish_reason",
    "finishReason",
    "stop_reason",
    "stopReason",
    "error",
    "role",
  ]),
};

interface Framing {
  write(chunk: Uint8Array): void;
  end(): void;
}

export function tapAnswer(dialect: Dialect, options: TapOptions): AnswerTap {
  const reader = dialect.readAnswer(options.keepText);
  const framed = new FramedAnswer(reader, options.contentType, options.headers ?? null);
  const codings = codingsOf(options.contentEncoding);
  return codings.length === 0 ? framed : new EncodedAnswer(framed, codings);
}

/** An answer whose framing is told by its first octet. */
class FramedAnswer implements AnswerTap {
  readonly found: FoundAnswer;
  readonly #reader: AnswerReader;
  readonly #isLines: boolean;
  readonly #headers: AnswerHeaders | null;
  #framing: Framing | null = null;
  #marks = 0;
  #ended = false;

  constructor(reader: AnswerReader, contentType: string | null, headers: AnswerHeaders | null) {
    this.#reader = reader;
    this.#headers = headers;
    this.found = reader.found;
    this.#isLines = contentType !== null && LINES.test(contentType);
    if (contentType !== null && OPAQUE.test(contentType)) this.#framing = NOTHING;
  }

  write(chunk: Uint8Array): void {
    if (this.#framing !== null) {
      this.#framing.write(chunk);
      return;
    }
    for (let at = 0; at < chunk.length; at++) {
      const octet = chunk[at]!;
      if (octet === 0x20 || octet === 0x0a || octet === 0x0d || octet === 0x09) continue;
      if (this.#marks < 3 && octet === BYTE_ORDER_MARK[this.#marks]) {
        this.#marks++;
        continue;
      }
      this.#framing = framingOf(octet, this.#isLines, this.#reader);
      this.#framing.write(at === 0 ? chunk : chunk.subarray(at));
      return;
    }
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#framing?.end();
    this.#framing = NOTHING;
    if (this.#headers !== null) this.#reader.takeHeaders?.(this.#headers);
  }
}

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** What holds no JSON whatever its first octet. */
const OPAQUE = /^\s*(?:audio|image|video|font)\//i;
/** Documents that are read as they come. */
const LINES = /ndjson|jsonl|json-?lines|json-seq|stream\+json/i;
const NOTHING: Framing = { write: () => undefined, end: () => undefined };

function framingOf(first: number, isLines: boolean, reader: AnswerReader): Framing {
  if (first === 0x7b) return isLines ? jsonFraming(reader) : new DocumentFraming(reader);
  if (first === 0x5b) return jsonFraming(reader);
  if (first === 0) return eventStreamFraming(reader);
  return sseFraming(reader);
}

function sseFraming(reader: AnswerReader): Framing {
  return new SseReader((event, data) => takeText(reader, event, data), new LargeEvent(reader));
}

function jsonFraming(reader: AnswerReader): JsonStream {
  return new JsonStream((value, whole) => takePart(reader, value, whole), LARGE_VALUES);
}

/** Half a document is no end, whatever the dialect makes of it. */
function takePart(reader: AnswerReader, value: unknown, whole: boolean): void {
  takeValue(reader, null, value);
  if (whole) return;
  reader.found.complete = false;
  if (reader.found.responses === 1) reader.found.responses = 0;
}

function eventStreamFraming(reader: AnswerReader): Framing {
  return new EventStreamReader((event, payload) => {
    const octets = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    takeText(reader, event, octets.toString("utf8"));
  });
}

/**
 * @param text JSON, or `[DONE]`; anything else says nothing. Servers that leave out the blank lines between their events make
 *   one of many: then each line is one.
 */
export function takeText(reader: AnswerReader, event: string | null, text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (text.trim() === STREAM_DONE) value = STREAM_DONE;
    else if (!text.includes("\n")) return;
    else {
      for (const line of text.split("\n")) takeText(reader, event, line);
      return;
    }
  }
  takeValue(reader, event, value);
}

/** A reader that stumbles is our bug, and no reason to harm what passes. */
export function takeValue(reader: AnswerReader, event: string | null, value: unknown): void {
  try {
    reader.take(event, value);
  } catch {
    // What was found so far stands.
  }
}

/** The one document that an answer consists of has arrived: that is its end, where the dialect has no other mark. */
function noteWhole(found: FoundAnswer): void {
  if (found.complete || found.error !== null) return;
  found.complete = true;
  found.responses = 1;
}

/** Mostly one short document: it is kept and parsed at its end. A long one, or several, go through the push parser. */
class DocumentFraming implements Framing {
  readonly #reader: AnswerReader;
  #pieces: Buffer[] = [];
  #length = 0;
  #stream: JsonStream | null = null;
  #documents = 0;

  constructor(reader: AnswerReader) {
    this.#reader = reader;
  }

  write(chunk: Uint8Array): void {
    if (this.#stream !== null) {
      this.#stream.write(chunk);
      return;
    }
    this.#length += chunk.length;
    if (this.#length > WHOLE_DOCUMENT_BYTES || this.#pieces.length >= 1024) this.#push().write(chunk);
    else this.#pieces.push(Buffer.from(chunk));
  }

  end(): void {
    if (this.#stream === null) {
      const octets = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
      try {
        const value: unknown = JSON.parse(octets.toString("utf8"));
        this.#pieces = [];
        takeValue(this.#reader, null, value);
        noteWhole(this.#reader.found);
        return;
      } catch {
        this.#push();
      }
    }
    this.#stream!.end();
    if (this.#documents === 1) noteWhole(this.#reader.found);
  }

  #push(): JsonStream {
    const stream = new JsonStream((value, whole) => {
      // Half of a second document leaves the first one what it is.
      this.#documents += whole ? 1 : 2;
      takePart(this.#reader, value, whole);
    }, LARGE_VALUES);
    this.#stream = stream;
    for (const piece of this.#pieces) stream.write(piece);
    this.#pieces = [];
    return stream;
  }
}

/** Events with an image or a whole answer in them: read without being held. */
class LargeEvent implements LargeData {
  readonly #reader: AnswerReader;
  #stream: JsonStream | null = null;
  #value: unknown;

  constructor(reader: AnswerReader) {
    this.#reader = reader;
  }

  write(octets: Uint8Array): void {
    this.#stream ??= new JsonStream((value, whole) => {
      // As with short events: half of one says nothing.
      if (whole) this.#value = value;
    }, LARGE_VALUES);
    this.#stream.write(octets);
  }

  end(event: string | null): void {
    this.#stream?.end();
    const value = this.#value;
    this.#stream = null;
    this.#value = undefined;
    if (value !== undefined) takeValue(this.#reader, event, value);
  }
}

/** An answer under a content coding: its octets are kept, up to a bound, and decoded when it is over. */
class EncodedAnswer implements AnswerTap {
  readonly found: FoundAnswer;
  readonly #decoding: Decoding;
  #ended = false;
  #result: void | Promise<void> = undefined;

  constructor(answer: FramedAnswer, codings: readonly string[]) {
    this.found = answer.found;
    this.#decoding = new Decoding(codings, answer);
  }

  write(chunk: Uint8Array): void {
    this.#decoding.write(chunk);
  }

  end(): void | Promise<void> {
    if (!this.#ended) {
      this.#ended = true;
      this.#result = this.#decoding.end();
    }
    return this.#result;
  }
}
