/**
 * What a caller says in a WebSocket session, held until it was judged: messages go on whole, in their order and octet for
 * octet, each once the guard had nothing against it. A few are with the guard at a time; what is said meanwhile waits,
 * up to a bound, and then the caller does.
 */
import { FrameReader, type FrameReaderOptions } from "../../llm/websocket-frames.ts";
import type { BodySink, TransportError } from "../../transport/transport.ts";
import type { GatewayError } from "../errors.ts";
import { compact } from "./guarded-source.ts";

/** Messages that are with the guard at a time. */
const MOST_AT_ONCE = 4;
/** Octets, and messages, that wait before the caller has to. */
const MOST_HELD_BYTES = 1024 * 1024;
const MOST_HELD_MESSAGES = 64;

/** @returns why a message must not go on; null when it may. Never rejects. */
export type Verdict = () => Promise<GatewayError | null>;

export interface CallerCheck {
  /** Of this direction; `mostBytes` bounds a message. */
  readonly frames: FrameReaderOptions & { readonly mostBytes: number };
  /** Reads a message. @returns how it is judged; null when there is nothing to judge */
  verdict(text: string, octets: Uint8Array, isBinary: boolean): Verdict | null;
  /** Messages cannot be read. @returns why nothing more may go on; null when everything may */
  unreadable(why: string): GatewayError | null;
  tooLarge(): GatewayError;
  /** Called once; nothing goes on any more. */
  refused(failure: GatewayError): void;
}

/** Octets that go on together. */
interface Unit {
  readonly octets: Uint8Array[];
  bytes: number;
  verdict: Verdict | null;
  isClear: boolean;
}

export class CallerGate implements BodySink {
  readonly #next: BodySink;
  readonly #resume: () => void;
  readonly #check: CallerCheck;
  readonly #reader: FrameReader;
  #skipped = 0;
  /** Nobody can read what follows, and it may pass. */
  #open = false;
  /** Of a message that has not ended. */
  #begun: Uint8Array[] = [];
  #begunBytes = 0;
  /** How the message that just ended is judged. */
  #verdict: Verdict | null = null;
  #queue: Unit[] = [];
  #queueBytes = 0;
  /** Units of the queue that were taken to the guard, or need not be. */
  #asked = 0;
  #asking = 0;
  #end: { readonly trailers: string[] | undefined } | null = null;
  #over = false;
  /** The backend is slow. */
  #full = false;
  /** The caller waits. */
  #paused = false;

  /** @param resume lets the caller go on */
  constructor(next: BodySink, resume: () => void, check: CallerCheck) {
    this.#next = next;
    this.#resume = resume;
    this.#check = check;
    this.#reader = new FrameReader(
      (text, octets, isBinary) => (this.#verdict = check.verdict(text, octets, isBinary)),
      { ...check.frames, binary: true },
    );
  }

  get borrows(): boolean {
    return this.#next.borrows === true;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#over) return true;
    // Put away so far, and the end of messages behind it that need no judging.
    let from = 0;
    let clear = 0;
    for (let at = 0; at < chunk.length;) {
      at = this.#open ? chunk.length : this.#reader.readFrame(chunk, at);
      if (!this.#readable()) return true;
      if (!this.#open && !this.#reader.atBoundary) continue;
      const verdict = this.#verdict;
      this.#verdict = null;
      if (verdict !== null) {
        if (clear > from) this.#put(chunk.subarray(from, clear), null);
        this.#put(chunk.subarray(Math.max(from, clear), at), verdict);
        from = at;
      }
      clear = at;
    }
    if (clear > from) this.#put(chunk.subarray(from, clear), null);
    if (clear < chunk.length && !this.#keep(chunk.subarray(clear))) return true;
    this.#paused = this.#mustWait;
    return !this.#paused;
  }

  end(trailers?: string[]): void {
    this.#end ??= { trailers };
    this.#release();
  }

  /** The caller is gone: so is what he said last. */
  fail(error: TransportError): void {
    if (this.#over) return;
    this.stop();
    this.#next.fail(error);
  }

  /** The backend has room again. */
  resume(): void {
    this.#full = false;
    this.#release();
    this.#wake();
  }

  /** Nothing goes on any more. */
  stop(): void {
    this.#over = true;
    this.#queue = [];
    this.#begun = [];
  }

  get #mustWait(): boolean {
    return this.#full || this.#queueBytes > MOST_HELD_BYTES || this.#queue.length > MOST_HELD_MESSAGES;
  }

  /** @returns false when nothing may go on any more */
  #readable(): boolean {
    const { broken, skipped } = this.#reader;
    if (this.#open || (!broken && skipped === this.#skipped)) return true;
    this.#skipped = skipped;
    const failure = this.#check.unreadable(
      broken ? "what came is no sequence of frames" : "a message could not be decoded",
    );
    if (failure !== null) return this.#refuse(failure);
    this.#open = broken;
    return true;
  }

  /** Keeps the beginning of a message. @returns false when it is too large */
  #keep(octets: Uint8Array): boolean {
    this.#begun.push(Buffer.from(octets));
    this.#begunBytes += octets.length;
    compact(this.#begun);
    return this.#begunBytes <= this.#check.frames.mostBytes || this.#refuse(this.#check.tooLarge());
  }

  #refuse(failure: GatewayError): false {
    if (this.#over) return false;
    this.stop();
    this.#check.refused(failure);
    return false;
  }

  /** @param last lent: the end of what goes on together */
  #put(last: Uint8Array, verdict: Verdict | null): void {
    const begun = this.#begun;
    const bytes = this.#begunBytes + last.length;
    this.#begun = [];
    this.#begunBytes = 0;
    if (verdict === null && this.#queue.length === 0 && !this.#full) {
      for (const octets of begun) this.#write(octets);
      this.#write(last);
      return;
    }
    begun.push(Buffer.from(last));
    this.#queueBytes += bytes;
    const before = this.#queue.at(-1);
    if (verdict === null && before !== undefined) {
      // Sounds and the like go on with what stands before them.
      for (const octets of begun) before.octets.push(octets);
      before.bytes += bytes;
      compact(before.octets);
      return;
    }
    this.#queue.push({ octets: begun, bytes, verdict, isClear: verdict === null });
    this.#ask();
  }

  #ask(): void {
    while (this.#asking < MOST_AT_ONCE && this.#asked < this.#queue.length) {
      const unit = this.#queue[this.#asked++]!;
      const { verdict } = unit;
      if (verdict === null) continue;
      unit.verdict = null;
      this.#asking++;
      void verdict().then((failure) => this.#judged(unit, failure));
    }
  }

  #judged(unit: Unit, failure: GatewayError | null): void {
    this.#asking--;
    if (this.#over) return;
    if (failure !== null) {
      this.#refuse(failure);
      return;
    }
    unit.isClear = true;
    this.#release();
    this.#ask();
    this.#wake();
  }

  #release(): void {
    while (!this.#over && !this.#full && this.#queue[0]?.isClear === true) {
      const { octets, bytes } = this.#queue.shift()!;
      this.#asked--;
      this.#queueBytes -= bytes;
      for (const chunk of octets) this.#write(chunk);
    }
    if (this.#end === null || this.#over || this.#queue.length > 0) return;
    this.#over = true;
    // Of a message that was cut off nothing goes on.
    this.#begun = [];
    this.#next.end(this.#end.trailers);
  }

  #write(octets: Uint8Array): void {
    if (octets.length > 0 && !this.#next.write(octets)) this.#full = true;
  }

  #wake(): void {
    if (!this.#paused || this.#over || this.#mustWait) return;
    this.#paused = false;
    this.#resume();
  }
}
