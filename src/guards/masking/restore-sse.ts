/** Server-sent events on their way, restored. Fields other than data, comments and line ends stay as they are. */
import { GrowingBuffer } from "./growing-buffer.ts";
import type { EventRestorer, ExtraEvent } from "./restore-events.ts";
import type { Emit, Framing } from "./restore-stream.ts";

const LF = 0x0a;
const CR = 0x0d;

export class SseFraming implements Framing {
  readonly #restorer: EventRestorer;
  readonly #emit: Emit;
  readonly #plain: () => Framing;
  readonly #most: number;
  readonly #held = new GrowingBuffer();
  /** How much of what is held has been looked at, and where its last line begins. */
  #seen = 0;
  #line = 0;
  #instead: Framing | null = null;

  constructor(restorer: EventRestorer, emit: Emit, plain: () => Framing, most: number) {
    this.#restorer = restorer;
    this.#emit = emit;
    this.#plain = plain;
    this.#most = most;
  }

  write(chunk: Uint8Array): void {
    if (this.#instead !== null) return this.#instead.write(chunk);
    const from = this.#held.length === 0 ? this.#passWhole(chunk) : 0;
    if (from === chunk.length) return;
    this.#held.add(from === 0 ? chunk : chunk.subarray(from));
    this.#events();
    if (this.#held.length <= this.#most) return;
    this.#instead = this.#plain();
    this.#instead.write(this.#held.octets);
    this.#held.clear();
  }

  end(): void {
    if (this.#instead !== null) return this.#instead.end();
    const { octets } = this.#held;
    if (octets.length > 0) {
      this.#event(octets);
      const left = this.#restorer.end();
      if (left.length > 0) this.#emit(Buffer.from("\n\n"));
      this.#extra(left, "\n");
    } else this.#extra(this.#restorer.end(), "\n");
    this.#held.clear();
  }

  /** Mostly chunks are whole events, and hold nothing: they go as they came. @returns how much of the chunk is gone */
  #passWhole(chunk: Uint8Array): number {
    if (!this.#restorer.idle) return 0;
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = octets.lastIndexOf("\n\n");
    if (end < 0) return 0;
    const whole = octets.subarray(0, end + 2);
    if (this.#restorer.mayHold(whole.toString("latin1"))) return 0;
    this.#emit(whole);
    return end + 2;
  }

  /** Every event that is whole. */
  #events(): void {
    const { octets } = this.#held;
    let begin = 0;
    let line = this.#line;
    let at = this.#seen;
    for (; at < octets.length; at++) {
      const octet = octets[at]!;
      if (octet !== LF && octet !== CR) continue;
      // Whether a CR is one line end or half of one is not known yet.
      if (octet === CR && at + 1 === octets.length) break;
      const length = at - line;
      if (octet === CR && octets[at + 1] === LF) at++;
      line = at + 1;
      if (length > 0) continue;
      this.#event(octets.subarray(begin, line));
      begin = line;
    }
    this.#seen = at - begin;
    this.#line = line - begin;
    if (begin > 0) this.#held.drop(begin);
  }

  #event(octets: Buffer): void {
    const text = octets.toString("utf8");
    if (this.#restorer.idle && !this.#restorer.mayHold(text)) return this.#emit(octets);
    const lines = text.split(/(\r\n|\n|\r)/);
    let event: string | null = null;
    let data: string | null = null;
    for (let i = 0; i < lines.length; i += 2) {
      const [name, value] = fieldOf(lines[i]!);
      if (name === "event") event = value;
      else if (name === "data") data = data === null ? value : `${data}\n${value}`;
    }
    if (data === null) return this.#emit(octets);
    const restored = this.#restorer.event(event, data);
    this.#extra(restored.before, lines[1] ?? "\n");
    this.#emit(restored.data === data ? octets : Buffer.from(withData(lines, restored.data)));
  }

  #extra(events: readonly ExtraEvent[], lineEnd: string): void {
    for (const { event, data } of events) {
      const name = event === null ? "" : `event: ${event}${lineEnd}`;
      this.#emit(Buffer.from(`${name}data: ${data}${lineEnd}${lineEnd}`));
    }
  }
}

function fieldOf(line: string): readonly [string, string] {
  const text = line.charCodeAt(0) === 0xfeff ? line.slice(1) : line;
  const colon = text.indexOf(":");
  if (colon < 0) return [text, ""];
  return [text.slice(0, colon), text.slice(text[colon + 1] === " " ? colon + 2 : colon + 1)];
}

/** @param lines and, at odd places, their ends */
function withData(lines: readonly string[], data: string): string {
  let made = lines[0]!.charCodeAt(0) === 0xfeff && fieldOf(lines[0]!)[0] === "data" ? "\ufeff" : "";
  let said = false;
  for (let i = 0; i < lines.length; i += 2) {
    const line = lines[i]!;
    const end = lines[i + 1] ?? "";
    if (fieldOf(line)[0] !== "data") made += line + end;
    else if (!said) {
      said = true;
      made += data
        .split(/\r\n|\n|\r/)
        .map((piece) => `data: ${piece}${end}`)
        .join("");
    }
  }
  return made;
}
