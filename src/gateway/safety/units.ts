/**
 * Cuts an answer on its way into units that can be judged and released whole: events of SSE, messages of the AWS event
 * stream, elements of a JSON array, lines of JSON, or the one document that it is. How it is framed is told by its
 * beginning (as in `llm/response-tap.ts`), because content types are wrong now and then.
 *
 * What cannot be read as what it seems to be is read as text. Nothing is passed over.
 */
import { STREAM_DONE } from "../../llm/answer.ts";
import { EventStreamReader } from "../../llm/event-stream.ts";
import { JsonStream, type JsonStreamOptions } from "../../llm/json-stream.ts";
import { SseReader } from "../../llm/sse.ts";
import type { AnswerTexts } from "./answer-texts.ts";
import { decodeText } from "./raw-text.ts";

export interface Units {
  /** What has come is to be judged now, whether it fills a window or not: nothing may follow for a while. */
  readonly due?: boolean;
  /**
   * Reads a chunk; the words of units that it completes are in the texts when it returns.
   *
   * @param begun what came since the end of the last unit
   * @returns where the last unit that it completes ends; 0 when it completes none
   */
  read(chunk: Buffer, begun: readonly Uint8Array[]): number;
  /** The answer is over: what was begun is all there is of it. */
  end(begun: readonly Uint8Array[]): void;
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;

/** Chooses by the first octet that says something. */
export class SniffedUnits implements Units {
  readonly #texts: AnswerTexts;
  readonly #contentType: string;
  #units: Units | null = null;

  constructor(texts: AnswerTexts, contentType: string | null) {
    this.#texts = texts;
    this.#contentType = contentType ?? "";
  }

  read(chunk: Buffer, begun: readonly Uint8Array[]): number {
    if (this.#units !== null) return this.#units.read(chunk, begun);
    const all = begun.length === 0 ? chunk : Buffer.concat([...begun, chunk]);
    this.#units = this.#choose(all);
    // Blanks before anything else are no words.
    if (this.#units === null) return BLANK.test(all.toString("latin1")) ? chunk.length : 0;
    // What was begun is read as well; it is short, and holds no end of a unit but blank lines.
    return Math.max(0, this.#units.read(all, []) - (all.length - chunk.length));
  }

  end(begun: readonly Uint8Array[]): void {
    (this.#units ?? new WholeUnit(this.#texts)).end(begun);
  }

  #choose(octets: Buffer): Units | null {
    const texts = this.#texts;
    let at = 0;
    while (at < 3 && octets[at] === BYTE_ORDER_MARK[at]) at++;
    while (at < octets.length && isBlank(octets[at]!)) at++;
    if (at === octets.length) return null;
    const first = octets[at]!;
    if (first === 0) return new EventStreamUnits(texts);
    if (first === 0x5b) return new ArrayUnits(texts);
    if (/ndjson|jsonl|json-?lines|json-seq|stream\+json/i.test(this.#contentType))
      return new LineUnits(texts);
    if (first === 0x7b) return new WholeUnit(texts);
    if (/event-stream/i.test(this.#contentType)) return new SseUnits(texts);
    const begins = octets.toString("latin1", at, at + 8);
    if (/^(?:data:|event:|id:|retry:|:)/.test(begins)) return new SseUnits(texts);
    return octets.length - at < 8 && SSE_NAMES.some((name) => name.startsWith(begins))
      ? null
      : new WholeUnit(texts);
  }
}

const BLANK = /^[ \t\r\n]*$/;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const SSE_NAMES = ["data:", "event:", "id:", "retry:"];

function isBlank(octet: number): boolean {
  return octet === 0x20 || octet === LF || octet === CR || octet === 0x09;
}

class SseUnits implements Units {
  readonly #texts: AnswerTexts;
  readonly #reader: SseReader;
  #skipped = 0;
  /** The last two octets; a stream begins as if after a line's end. */
  #before = LF;
  #beforeThat = LF;

  constructor(texts: AnswerTexts) {
    this.#texts = texts;
    this.#reader = new SseReader((_event, data) => readData(texts, data));
  }

  read(chunk: Buffer, begun: readonly Uint8Array[]): number {
    this.#reader.write(chunk);
    const end = this.#lastEnd(chunk);
    const { length } = chunk;
    this.#beforeThat = length > 1 ? chunk[length - 2]! : this.#before;
    if (length > 0) this.#before = chunk[length - 1]!;
    if (end > 0) this.#readRest(begun, chunk.subarray(0, end));
    return end;
  }

  end(begun: readonly Uint8Array[]): void {
    this.#reader.end();
    this.#readRest(begun, NOTHING);
  }

  /** What the reader passes over: events larger than it holds, lines that are no fields. */
  #readRest(begun: readonly Uint8Array[], last: Buffer): void {
    const large = this.#reader.skipped !== this.#skipped;
    this.#skipped = this.#reader.skipped;
    const octets = begun.length === 0 ? last : Buffer.concat([...begun, last]);
    if (large) readRaw(this.#texts, [octets]);
    else readOtherLines(this.#texts, octets);
  }

  /** Behind the last blank line. */
  #lastEnd(chunk: Buffer): number {
    const at = (i: number): number => (i >= 0 ? chunk[i]! : i === -1 ? this.#before : this.#beforeThat);
    for (let i = chunk.length - 1; i >= 0; i--) {
      const octet = chunk[i]!;
      if (octet !== LF && octet !== CR) continue;
      // CR LF is one end of a line.
      const previous = at(octet === LF && at(i - 1) === CR ? i - 2 : i - 1);
      if (previous === LF || previous === CR) return i + 1;
    }
    return 0;
  }
}

const NOTHING: Buffer = Buffer.alloc(0);
const FIELDS = ["data", "event", "id", "retry"].map((name) => Buffer.from(name));

/** Lines that are neither fields, nor comments, nor blank. */
function readOtherLines(texts: AnswerTexts, octets: Buffer): void {
  const { length } = octets;
  let cr = octets.indexOf(CR);
  for (let at = 0; at < length;) {
    const lf = octets.indexOf(LF, at);
    if (cr >= 0 && cr < at) cr = octets.indexOf(CR, at);
    const end = cr >= 0 && (lf < 0 || cr < lf) ? cr : lf < 0 ? length : lf;
    if (!isFieldAt(octets, at)) texts.raw(`${octets.toString("utf8", at, end)}\n`, "lines");
    at = end + 1;
  }
}

function isFieldAt(octets: Buffer, at: number): boolean {
  const first = octets[at]!;
  if (first === COLON || first === LF || first === CR) return true;
  if (first === BYTE_ORDER_MARK[0]) return octets[at + 1] === BYTE_ORDER_MARK[1];
  for (const name of FIELDS) {
    if (first !== name[0]) continue;
    const after = octets[at + name.length];
    if (name.compare(octets, at, Math.min(at + name.length, octets.length)) === 0)
      return after === COLON || after === LF || after === CR || after === undefined;
  }
  return false;
}

function readData(texts: AnswerTexts, data: string): void {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    if (data.trim() !== STREAM_DONE) readBroken(texts, data);
    return;
  }
  texts.value(value);
}

/** No JSON, or a piece of it: what can be told of it continues what came before; all of it is text. */
function readBroken(texts: AnswerTexts, text: string): void {
  if (/^\s*[{[]/.test(text)) {
    const stream = new JsonStream((value) => texts.value(value), PIECES);
    stream.write(Buffer.from(text));
    stream.end();
  }
  texts.raw(text);
}

const PIECES: JsonStreamOptions = { drop: new Set(), whole: new Set(), keepBytes: 8 * 1024 * 1024 };

function readRaw(texts: AnswerTexts, octets: readonly Uint8Array[]): void {
  texts.raw(decodeText(Buffer.concat(octets), null));
}

/** Messages of the AWS event stream: their first four octets say how long they are. */
class EventStreamUnits implements Units {
  readonly #texts: AnswerTexts;
  readonly #reader: EventStreamReader;
  #taken = false;
  /** The beginning is no message: what follows is read as text, at its end. */
  #broken = false;
  #need = 0;

  constructor(texts: AnswerTexts) {
    this.#texts = texts;
    this.#reader = new EventStreamReader((_event, payload) => {
      this.#taken = true;
      if (payload.length > 0) readData(texts, Buffer.from(payload).toString("utf8"));
    });
  }

  read(chunk: Buffer, begun: readonly Uint8Array[]): number {
    const had = sizeOf(begun);
    if (this.#broken || had + chunk.length < Math.max(4, this.#need)) return 0;
    const all = had === 0 ? chunk : Buffer.concat([...begun, chunk]);
    let at = 0;
    while (all.length - at >= 4) {
      const length = all.readUInt32BE(at);
      if (length < 16 || length > MOST_MESSAGE) {
        this.#broken = true;
        break;
      }
      this.#need = length;
      if (all.length - at < length) break;
      this.#message(all.subarray(at, at + length));
      at += length;
      this.#need = 0;
    }
    return Math.max(0, at - had);
  }

  #message(message: Buffer): void {
    this.#taken = false;
    this.#reader.write(message);
    if (!this.#taken) readRaw(this.#texts, [message]);
  }

  end(begun: readonly Uint8Array[]): void {
    readRaw(this.#texts, begun);
  }
}

/** What the format allows at most. */
const MOST_MESSAGE = 16 * 1024 * 1024;

/** A JSON array whose elements come one by one. */
class ArrayUnits implements Units {
  readonly #texts: AnswerTexts;
  #depth = 0;
  #inString = false;
  #escape = false;

  constructor(texts: AnswerTexts) {
    this.#texts = texts;
  }

  read(chunk: Buffer, begun: readonly Uint8Array[]): number {
    let end = 0;
    for (let i = 0; i < chunk.length; i++) {
      const octet = chunk[i]!;
      if (this.#escape) this.#escape = false;
      else if (this.#inString) {
        if (octet === 0x5c) this.#escape = true;
        else if (octet === 0x22) this.#inString = false;
      } else if (octet === 0x22) this.#inString = true;
      else if (octet === 0x7b || octet === 0x5b) this.#depth++;
      else if ((octet === 0x7d || octet === 0x5d) && --this.#depth <= 1) {
        this.#element(end === 0 ? [...begun, chunk.subarray(0, i + 1)] : [chunk.subarray(end, i + 1)]);
        end = i + 1;
      }
    }
    return end;
  }

  end(begun: readonly Uint8Array[]): void {
    if (sizeOf(begun) > 0) this.#element(begun);
  }

  #element(octets: readonly Uint8Array[]): void {
    const text = Buffer.concat(octets).toString("utf8");
    const element = text.replace(/^[\ufeff\s,]*\[?[\s,]*/, "");
    if (/^[\s\],]*$/.test(element)) return;
    try {
      this.#texts.value(JSON.parse(element));
    } catch {
      readBroken(this.#texts, element);
    }
  }
}

/** One JSON value a line. */
class LineUnits implements Units {
  readonly #texts: AnswerTexts;

  constructor(texts: AnswerTexts) {
    this.#texts = texts;
  }

  read(chunk: Buffer, begun: readonly Uint8Array[]): number {
    const end = chunk.lastIndexOf(LF) + 1;
    if (end > 0) this.#lines(Buffer.concat([...begun, chunk.subarray(0, end)]));
    return end;
  }

  end(begun: readonly Uint8Array[]): void {
    this.#lines(Buffer.concat(begun));
  }

  #lines(octets: Buffer): void {
    for (const line of octets.toString("utf8").split("\n"))
      if (line.trim() !== "") readData(this.#texts, line.replace(/^\u001e/, ""));
  }
}

/** One document, or text: a whole. */
class WholeUnit implements Units {
  readonly #texts: AnswerTexts;

  constructor(texts: AnswerTexts) {
    this.#texts = texts;
  }

  read(): number {
    return 0;
  }

  end(begun: readonly Uint8Array[]): void {
    if (sizeOf(begun) > 0) readData(this.#texts, decodeText(Buffer.concat(begun), null));
  }
}

export function sizeOf(chunks: readonly Uint8Array[]): number {
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  return size;
}
