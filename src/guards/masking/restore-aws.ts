/** Messages of AWS's event stream on their way, restored: headers stay, lengths and checksums are made anew. */
import { crc32 } from "node:zlib";
import { EventStreamReader } from "../../llm/event-stream.ts";
import { GrowingBuffer } from "./growing-buffer.ts";
import { edited, member, readJson, textOf } from "./json-text.ts";
import type { EventRestorer, ExtraEvent, RestoredEvent } from "./restore-events.ts";
import type { Emit, Framing } from "./restore-stream.ts";

const PRELUDE = 12;
const OVERHEAD = 16;
const LONGEST = 16 * 1024 * 1024;

export class AwsFraming implements Framing {
  readonly #restorer: EventRestorer;
  readonly #emit: Emit;
  readonly #held = new GrowingBuffer();
  /** Headers of the message that brought what is held, for the messages that are put in. */
  #headers = new Map<string, Buffer>();
  /** It is no event stream: what is left passes as it is. */
  #broken = false;

  constructor(restorer: EventRestorer, emit: Emit) {
    this.#restorer = restorer;
    this.#emit = emit;
  }

  write(chunk: Uint8Array): void {
    if (this.#broken) return this.#emit(chunk);
    this.#held.add(chunk);
    const { octets } = this.#held;
    let at = 0;
    while (octets.length - at >= PRELUDE) {
      const length = octets.readUInt32BE(at);
      if (
        length < OVERHEAD ||
        length > LONGEST ||
        crc32(octets.subarray(at, at + 8)) !== octets.readUInt32BE(at + 8)
      ) {
        this.#broken = true;
        this.#emit(octets.subarray(at));
        this.#held.clear();
        return;
      }
      if (octets.length - at < length) break;
      this.#message(octets.subarray(at, at + length));
      at += length;
    }
    if (at > 0) this.#held.drop(at);
  }

  end(): void {
    if (this.#broken) return;
    for (const extra of this.#restorer.end()) this.#extra(extra);
    if (this.#held.length > 0) this.#emit(this.#held.octets);
    this.#held.clear();
  }

  #message(message: Buffer): void {
    const headersEnd = PRELUDE + message.readUInt32BE(4);
    const end = message.length - 4;
    let taken = false;
    const reader = new EventStreamReader((event) => {
      taken = true;
      const headers = message.subarray(PRELUDE, headersEnd);
      const text = message.toString("utf8", headersEnd, end);
      const restored = this.#restored(event, text);
      for (const extra of restored.before) this.#extra(extra);
      if (!this.#restorer.idle && !this.#headers.has(event ?? ""))
        this.#headers.set(event ?? "", Buffer.from(headers));
      this.#emit(restored.data === text ? message : messageOf(headers, restored.data));
    });
    // What is broken or too long to be read passes as it is.
    if (headersEnd <= end) reader.write(message);
    if (!taken) this.#emit(message);
  }

  #restored(event: string | null, text: string): RestoredEvent {
    if (event !== "chunk") return this.#restorer.event(event, text);
    // InvokeModel's chunks have the maker's JSON in base64.
    const value = readJson(text);
    const bytes = member(value, "bytes");
    const encoded = textOf(bytes);
    if (encoded === null) return this.#restorer.event(event, text);
    const inner = Buffer.from(encoded, "base64").toString("utf8");
    const restored = this.#restorer.event(null, inner);
    if (restored.data === inner) return { before: restored.before, data: text };
    const { start, end } = bytes!;
    return { before: restored.before, data: edited(text, [{ start, end, text: base64(restored.data) }]) };
  }

  #extra({ event, data }: ExtraEvent): void {
    // Without a name of its own, it came in a chunk.
    const headers = this.#headers.get(event ?? "chunk");
    if (headers === undefined) return;
    this.#emit(messageOf(headers, event === null ? `{"bytes":${base64(data)}}` : data));
  }
}

function base64(text: string): string {
  return JSON.stringify(Buffer.from(text).toString("base64"));
}

function messageOf(headers: Uint8Array, payload: string): Buffer {
  const body = Buffer.from(payload);
  const message = Buffer.alloc(OVERHEAD + headers.length + body.length);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(headers.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  message.set(headers, PRELUDE);
  message.set(body, PRELUDE + headers.length);
  message.writeUInt32BE(crc32(message.subarray(0, message.length - 4)), message.length - 4);
  return message;
}
