/**
 * Two timers of an answer's body that the transport does not know, as they belong to one `forward-request`: until its
 * first octet, while another backend could still be asked, and until its last.
 */
import type { Abort } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import { type BodySink, type BodySource, TransportError } from "../../transport/transport.ts";

/**
 * Waits for the first octet, or the end, of a body.
 *
 * @returns the body, with nothing missing
 * @throws TransportError `first_byte_timeout`; `aborted`; whatever it broke off with before its first octet
 */
export function firstByte(source: BodySource, ms: number, clock: Clock, abort: Abort): Promise<BodySource> {
  return new Promise((resolve, reject) => {
    const give = (error: TransportError | null): void => {
      stop();
      forget();
      if (error === null) resolve(primed);
      else reject(error);
    };
    const late = (error: TransportError): void => {
      source.cancel();
      give(error);
    };
    const primed = new PrimedBody(source, give);
    const stop = clock.after(ms, () =>
      late(
        new TransportError("first_byte_timeout", `no byte of the answer's body came within ${ms / 1000} s`),
      ),
    );
    let forget = (): void => {};
    forget = abort.onAbort(() => late(new TransportError("aborted", "the request was aborted")));
    if (!abort.aborted) source.start(primed);
  });
}

/** Holds what came before anybody read it: usually one chunk, as it asks the source to pause. */
class PrimedBody implements BodySource, BodySink {
  readonly length: number | undefined;
  readonly #source: BodySource;
  #begun: ((error: TransportError | null) => void) | null;
  #held: Uint8Array[] = [];
  #ended: { readonly trailers: string[] | undefined } | null = null;
  #failed: TransportError | null = null;
  #sink: BodySink | null = null;

  /** @param begun called once: the first octet or the end is here, or there was a failure instead */
  constructor(source: BodySource, begun: (error: TransportError | null) => void) {
    this.length = source.length;
    this.#source = source;
    this.#begun = begun;
  }

  start(sink: BodySink): void {
    let room = true;
    for (const chunk of this.#held) room = sink.write(chunk);
    this.#held = [];
    this.#sink = sink;
    if (this.#failed !== null) sink.fail(this.#failed);
    else if (this.#ended !== null) sink.end(this.#ended.trailers);
    else if (room) this.#source.resume();
  }

  resume(): void {
    this.#source.resume();
  }

  cancel(): void {
    this.#held = [];
    this.#source.cancel();
  }

  /** Chunks are kept only until somebody reads; from then on it is up to the reader. */
  get borrows(): boolean {
    return this.#sink?.borrows === true;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#sink !== null) return this.#sink.write(chunk);
    this.#held.push(chunk);
    this.#begin(null);
    return false;
  }

  end(trailers?: string[]): void {
    if (this.#sink !== null) return this.#sink.end(trailers);
    this.#ended = { trailers };
    this.#begin(null);
  }

  fail(error: TransportError): void {
    if (this.#sink !== null) return this.#sink.fail(error);
    this.#failed = error;
    this.#begin(error);
  }

  #begin(error: TransportError | null): void {
    const begun = this.#begun;
    this.#begun = null;
    begun?.(error);
  }
}

/** A body that must be over after so long; what is not by then breaks off with `total_timeout`. */
export function within(source: BodySource, ms: number, clock: Clock): BodySource {
  return new LimitedBody(source, ms, clock);
}

class LimitedBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #stop: () => void;
  #sink: BodySink | null = null;
  #late: TransportError | null = null;

  constructor(source: BodySource, ms: number, clock: Clock) {
    this.#source = source;
    this.#stop = clock.after(Math.max(0, ms), () => this.#timeIsOver());
  }

  get length(): number | undefined {
    return this.#source.length;
  }

  get borrows(): boolean {
    return this.#sink?.borrows === true;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.#late === null) this.#source.start(this);
    else sink.fail(this.#late);
  }

  resume(): void {
    if (this.#late === null) this.#source.resume();
  }

  cancel(): void {
    this.#stop();
    this.#source.cancel();
  }

  write(chunk: Uint8Array): boolean {
    return this.#late === null ? this.#sink!.write(chunk) : true;
  }

  end(trailers?: string[]): void {
    if (this.#late !== null) return;
    this.#stop();
    this.#sink!.end(trailers);
  }

  fail(error: TransportError): void {
    if (this.#late !== null) return;
    this.#stop();
    this.#sink!.fail(error);
  }

  #timeIsOver(): void {
    this.#late = new TransportError("total_timeout", "the answer was not complete in time");
    this.#source.cancel();
    this.#sink?.fail(this.#late);
  }
}
