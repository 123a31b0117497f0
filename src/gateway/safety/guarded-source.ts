/**
 * An answer on its way to the client, held until its words were judged (`ai-policies.md` §4.6): octets go out as they came,
 * a window at a time, once the guard had nothing against the words of that window and the end of the one before. After a
 * finding nothing goes out any more.
 *
 *     read ─▶ window (being filled) ─▶ with the guard ─▶ out
 *
 * While one window is with the guard the next is filled, up to a bound; then the backend has to wait.
 */
import type { BodySink, BodySource, TransportError } from "../../transport/transport.ts";
import { CutOff } from "../cut-off.ts";
import { GatewayError } from "../errors.ts";
import type { AnswerTexts } from "./answer-texts.ts";
import type { Units } from "./units.ts";

/** Octets of a window; one that is wordy in structure is judged before it has its characters. */
const MOST_WINDOW_BYTES = 512 * 1024;
/** Octets that are held while a window is with the guard. */
const MOST_HELD_BYTES = 1024 * 1024;

/** Chunks that are put together at a time, unless they are as large as this. */
const MOST_SMALL = 512;
const LARGE = 4096;

/** Many small chunks weigh more than their octets. */
export function compact(chunks: Uint8Array[]): void {
  if (chunks.length % MOST_SMALL !== 0 || chunks.length === 0 || chunks.at(-1)!.length > LARGE) return;
  chunks.push(Buffer.concat(chunks.splice(-MOST_SMALL)));
}

export interface StreamCheck {
  readonly texts: AnswerTexts;
  readonly units: Units;
  /** UTF-16 units that make a window. */
  readonly windowSize: number;
  /** Octets of one unit. */
  readonly mostUnitBytes: number;
  /** @returns why the words must not go out; null when they may. Never rejects. */
  check(texts: readonly string[]): Promise<GatewayError | null>;
  /** A unit is larger than can be judged. */
  tooLarge(): GatewayError;
  /** Nothing goes out any more. */
  cut(failure: GatewayError): Uint8Array | null;
}

interface End {
  readonly error: TransportError | null;
  readonly trailers: string[] | undefined;
}

export class GuardedSource implements BodySource, BodySink {
  /** It may end early. */
  readonly length = undefined;
  readonly #inner: BodySource;
  readonly #check: StreamCheck;
  #next: BodySink | null = null;
  #window: Uint8Array[] = [];
  #windowBytes = 0;
  /** Of a unit that has not ended. */
  #begun: Uint8Array[] = [];
  #begunBytes = 0;
  /** Octets with the guard; null when it has none. */
  #judging: Uint8Array[] | null = null;
  #judgingBytes = 0;
  #end: End | null = null;
  #over = false;
  /** The client is slow. */
  #full = false;
  /** The backend waits. */
  #paused = false;

  constructor(inner: BodySource, check: StreamCheck) {
    this.#inner = inner;
    this.#check = check;
  }

  start(sink: BodySink): void {
    this.#next = sink;
    this.#inner.start(this);
  }

  resume(): void {
    this.#full = false;
    this.#wake();
  }

  cancel(): void {
    this.#over = true;
    this.#forget();
    this.#inner.cancel();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#over) return true;
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = this.#check.units.read(octets, this.#begun);
    if (end > 0) {
      for (const begun of this.#begun) this.#window.push(begun);
      this.#window.push(octets.subarray(0, end));
      this.#windowBytes += this.#begunBytes + end;
      this.#begun = [];
      this.#begunBytes = 0;
    }
    if (end < octets.length) {
      this.#begun.push(octets.subarray(end));
      this.#begunBytes += octets.length - end;
    }
    compact(this.#begun);
    compact(this.#window);
    if (this.#begunBytes > this.#check.mostUnitBytes) {
      this.#cutOff(this.#check.tooLarge());
      return true;
    }
    this.#consider();
    if (this.#over) return true;
    this.#paused =
      this.#full || (this.#judging !== null && this.#judgingBytes + this.#windowBytes > MOST_HELD_BYTES);
    return !this.#paused;
  }

  end(trailers?: string[]): void {
    this.#ended({ error: null, trailers });
  }

  /** What came until then is judged and goes out as far as it may, before the client is told. */
  fail(error: TransportError): void {
    this.#ended({ error, trailers: undefined });
  }

  #ended(end: End): void {
    if (this.#over || this.#end !== null) return;
    this.#check.units.end(this.#begun);
    this.#window.push(...this.#begun);
    this.#windowBytes += this.#begunBytes;
    this.#begun = [];
    this.#begunBytes = 0;
    this.#end = end;
    this.#consider();
  }

  /** The window goes to the guard when it is full, and out at once when there is nothing in it to judge. */
  #consider(): void {
    if (this.#judging !== null || this.#over) return;
    const { texts, windowSize, units } = this.#check;
    if (texts.pending === 0) {
      const ready = this.#window;
      this.#window = [];
      this.#windowBytes = 0;
      this.#release(ready);
      if (this.#end !== null) this.#finish(this.#end);
    } else if (
      texts.pending >= windowSize ||
      this.#windowBytes >= MOST_WINDOW_BYTES ||
      units.due === true ||
      this.#end !== null
    ) {
      this.#judge();
    }
  }

  #judge(): void {
    this.#judging = this.#window;
    this.#judgingBytes = this.#windowBytes;
    this.#window = [];
    this.#windowBytes = 0;
    void this.#check.check(this.#check.texts.take()).then((failure) => {
      const ready = this.#judging!;
      this.#judging = null;
      this.#judgingBytes = 0;
      if (this.#over) return;
      if (failure !== null) {
        this.#cutOff(failure);
        return;
      }
      this.#release(ready);
      this.#consider();
      this.#wake();
    });
  }

  #release(octets: readonly Uint8Array[]): void {
    for (const chunk of octets) if (chunk.length > 0 && !this.#next!.write(chunk)) this.#full = true;
  }

  #finish({ error, trailers }: End): void {
    this.#over = true;
    if (error === null) this.#next!.end(trailers);
    else this.#next!.fail(error);
  }

  #cutOff(failure: GatewayError): void {
    this.#over = true;
    this.#forget();
    const lastWords = this.#check.cut(failure);
    this.#inner.cancel();
    this.#next!.fail(new CutOff(failure, lastWords));
  }

  #wake(): void {
    if (!this.#paused || this.#full || this.#over) return;
    if (this.#judging !== null && this.#judgingBytes + this.#windowBytes > MOST_HELD_BYTES) return;
    this.#paused = false;
    this.#inner.resume();
  }

  #forget(): void {
    this.#window = [];
    this.#begun = [];
  }
}
