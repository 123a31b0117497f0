/**
 * Restores an answer as its octets pass, cut anywhere: server-sent events, AWS's event stream, JSON documents, lists and
 * lines of JSON, plain text. The framing is told by the first octet, as in `llm/response-tap.ts`. What holds no placeholder
 * passes octet by octet.
 */
import { AwsFraming } from "./restore-aws.ts";
import { EventRestorer } from "./restore-events.ts";
import { GrowingBuffer } from "./growing-buffer.ts";
import { Matcher } from "./matcher.ts";
import { SseFraming } from "./restore-sse.ts";

/** Takes octets that are ready; they are borrowed for the call. */
export type Emit = (octets: Uint8Array) => void;

export interface Framing {
  write(chunk: Uint8Array): void;
  /** Nothing more comes, whole or broken off. */
  end(): void;
}

export interface RestoreOptions {
  /** Value by placeholder; not empty. */
  readonly values: ReadonlyMap<string, string>;
  readonly contentType: string | null;
  /** The answer's text is JSON. */
  readonly wantsJson: boolean;
  /** Larger documents and events are restored without being read: only what stands in them in one piece. */
  readonly mostBytes: number;
}

/** What holds no text whatever its first octet. */
const OPAQUE = /^\s*(?:audio|image|video|font)\/|octet-stream|multipart\//i;
const LINES = /ndjson|jsonl|json-?lines|json-seq|stream\+json/i;
const EVENT_STREAM = /^\s*text\/event-stream\b/i;
const JSON_TYPE = /\bjson\b/i;

export class RestoringAnswer implements Framing {
  readonly #emit: Emit;
  readonly #options: RestoreOptions;
  #framing: Framing | null = null;

  constructor(options: RestoreOptions, emit: Emit) {
    this.#options = options;
    this.#emit = emit;
    if (options.contentType !== null && OPAQUE.test(options.contentType) && !isAws(options.contentType))
      this.#framing = { write: emit, end: () => undefined };
  }

  write(chunk: Uint8Array): void {
    if (this.#framing !== null) return this.#framing.write(chunk);
    for (let at = 0; at < chunk.length; at++) {
      const octet = chunk[at]!;
      if (octet === 0x20 || octet === 0x0a || octet === 0x0d || octet === 0x09) continue;
      if (at > 0) this.#emit(chunk.subarray(0, at));
      this.#framing = this.#framingFor(octet);
      this.#framing.write(at === 0 ? chunk : chunk.subarray(at));
      return;
    }
    this.#emit(chunk);
  }

  end(): void {
    this.#framing?.end();
  }

  #framingFor(first: number): Framing {
    const { values, contentType, wantsJson, mostBytes } = this.#options;
    const type = contentType ?? "";
    const matcher = new Matcher(values);
    const emit = this.#emit;
    const restorer = new EventRestorer(matcher, wantsJson);
    const plain = (): Framing => new TextFraming(matcher, true, emit);
    if (isAws(type) || first === 0) return new AwsFraming(restorer, emit);
    if (EVENT_STREAM.test(type)) return new SseFraming(restorer, emit, plain, mostBytes);
    if (first === 0x7b)
      return LINES.test(type)
        ? new ElementsFraming(restorer, emit, 0, plain, mostBytes)
        : new DocumentFraming(restorer, emit, plain, mostBytes);
    if (first === 0x5b && JSON_TYPE.test(type))
      return new ElementsFraming(restorer, emit, 1, plain, mostBytes);
    return new TextFraming(matcher, JSON_TYPE.test(type), emit);
  }
}

function isAws(contentType: string): boolean {
  return /vnd\.amazon\.eventstream/i.test(contentType);
}

/** A JSON document: restored when it is over. */
class DocumentFraming implements Framing {
  readonly #restorer: EventRestorer;
  readonly #emit: Emit;
  readonly #plain: () => Framing;
  readonly #most: number;
  readonly #held = new GrowingBuffer();
  #instead: Framing | null = null;

  constructor(restorer: EventRestorer, emit: Emit, plain: () => Framing, most: number) {
    this.#restorer = restorer;
    this.#emit = emit;
    this.#plain = plain;
    this.#most = most;
  }

  write(chunk: Uint8Array): void {
    if (this.#instead !== null) return this.#instead.write(chunk);
    this.#held.add(chunk);
    if (this.#held.length <= this.#most) return;
    this.#instead = this.#plain();
    this.#instead.write(this.#held.octets);
    this.#held.clear();
  }

  end(): void {
    if (this.#instead !== null) return this.#instead.end();
    const { octets } = this.#held;
    const text = octets.toString("utf8");
    const restored = this.#restorer.document(text);
    this.#emit(restored === text ? octets : Buffer.from(restored));
  }
}

/** Values of JSON one after the other, in a list or in lines: each is an event. */
class ElementsFraming implements Framing {
  readonly #restorer: EventRestorer;
  readonly #emit: Emit;
  readonly #plain: () => Framing;
  readonly #most: number;
  /** 1: in a list. */
  readonly #base: number;
  readonly #held = new GrowingBuffer();
  #depth = 0;
  #inString = false;
  #escaped = false;
  #instead: Framing | null = null;

  constructor(restorer: EventRestorer, emit: Emit, base: number, plain: () => Framing, most: number) {
    this.#restorer = restorer;
    this.#emit = emit;
    this.#base = base;
    this.#plain = plain;
    this.#most = most;
  }

  write(chunk: Uint8Array): void {
    if (this.#instead !== null) return this.#instead.write(chunk);
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const octet = chunk[at]!;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (octet === 0x5c) this.#escaped = true;
        else if (octet === 0x22) this.#inString = false;
      } else if (octet === 0x22) this.#inString = true;
      else if (octet === 0x7b || octet === 0x5b) {
        if (this.#depth++ === this.#base) from = this.#passed(chunk, from, at);
      } else if (octet === 0x7d || octet === 0x5d) {
        this.#depth--;
        if (this.#depth === this.#base) from = this.#element(chunk, from, at + 1);
        else if (this.#depth < this.#base) from = this.#closing(chunk, from, at);
      }
    }
    if (this.#depth > this.#base) this.#hold(chunk.subarray(from));
    else if (from < chunk.length) this.#emit(chunk.subarray(from));
  }

  end(): void {
    if (this.#instead !== null) return this.#instead.end();
    if (this.#held.length > 0) this.#emit(this.#held.octets);
    if (this.#base === 0) for (const { data } of this.#restorer.end()) this.#emit(Buffer.from(`${data}\n`));
  }

  /** What stands between two values. */
  #passed(chunk: Uint8Array, from: number, to: number): number {
    if (to > from) this.#emit(chunk.subarray(from, to));
    return to;
  }

  #element(chunk: Uint8Array, from: number, to: number): number {
    this.#held.add(chunk.subarray(from, to));
    const { octets } = this.#held;
    const text = octets.toString("utf8");
    const { before, data } = this.#restorer.event(null, text);
    for (const extra of before) this.#emit(Buffer.from(extra.data + (this.#base === 1 ? ",\n" : "\n")));
    this.#emit(data === text ? octets : Buffer.from(data));
    this.#held.clear();
    return to;
  }

  /** The end of the list. */
  #closing(chunk: Uint8Array, from: number, at: number): number {
    const passed = this.#passed(chunk, from, at);
    for (const { data } of this.#restorer.end()) this.#emit(Buffer.from(`,${data}`));
    return passed;
  }

  #hold(octets: Uint8Array): void {
    this.#held.add(octets);
    if (this.#held.length <= this.#most) return;
    this.#instead = this.#plain();
    this.#instead.write(this.#held.octets);
    this.#held.clear();
  }
}

/** Text as it comes; in JSON, values are escaped. */
class TextFraming implements Framing {
  readonly #matcher: Matcher;
  readonly #json: boolean;
  readonly #emit: Emit;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #held = "";

  constructor(matcher: Matcher, json: boolean, emit: Emit) {
    this.#matcher = matcher;
    this.#json = json;
    this.#emit = emit;
  }

  write(chunk: Uint8Array): void {
    this.#take(this.#decoder.decode(chunk, { stream: true }), false);
  }

  end(): void {
    this.#take(this.#decoder.decode(), true);
  }

  #take(text: string, whole: boolean): void {
    const restored = this.#matcher.restore(this.#held + text, this.#json, whole);
    this.#held = restored.held;
    if (restored.text !== "") this.#emit(Buffer.from(restored.text));
  }
}
