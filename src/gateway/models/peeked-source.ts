/**
 * Reads a source into memory as long as it is short. When it turns out to be longer, it is a source of the whole again:
 * what has been read goes out first, the rest follows at its reader's pace.
 */
import type { BodySink, BodySource, TransportError } from "../../transport/transport.ts";

/** How the reading ended: all octets; `null` when there are more than allowed; or why it broke off before. */
type Peeked = (chunks: readonly Uint8Array[] | null, size: number, error: TransportError | null) => void;

export class PeekedSource implements BodySource {
  readonly length: number | undefined;
  readonly #source: BodySource;
  readonly #limitBytes: number;
  #done: Peeked | null;
  #held: Uint8Array[] = [];
  #size = 0;
  /** Who reads the whole. */
  #sink: BodySink | null = null;
  /** The end, or what came instead, before there was a reader. */
  #last: ((sink: BodySink) => void) | null = null;

  /** Begins to read. @param done called once, possibly before this returns */
  constructor(source: BodySource, limitBytes: number, done: Peeked) {
    this.#source = source;
    this.length = source.length;
    this.#limitBytes = limitBytes;
    this.#done = done;
    source.start({
      write: (chunk) => this.#write(chunk),
      end: (trailers) => this.#end((sink) => sink.end(trailers), null),
      fail: (error) => this.#end((sink) => sink.fail(error), error),
    });
  }

  #write(chunk: Uint8Array): boolean {
    if (this.#sink !== null) return this.#sink.write(chunk);
    this.#held.push(chunk);
    this.#size += chunk.length;
    if (this.#size <= this.#limitBytes) return true;
    this.#tell(null, null);
    return false;
  }

  #end(last: (sink: BodySink) => void, error: TransportError | null): void {
    if (this.#sink !== null) return last(this.#sink);
    this.#last = last;
    this.#tell(this.#held, error);
  }

  #tell(chunks: readonly Uint8Array[] | null, error: TransportError | null): void {
    const done = this.#done;
    this.#done = null;
    done?.(chunks, this.#size, error);
  }

  start(sink: BodySink): void {
    // Whoever takes it now does not wait for how long it is.
    this.#tell(null, null);
    const held = this.#held;
    this.#held = [];
    this.#sink = sink;
    let room = true;
    for (const chunk of held) room = sink.write(chunk);
    if (this.#last !== null) this.#last(sink);
    else if (room) this.#source.resume();
  }

  resume(): void {
    if (this.#sink !== null && this.#last === null) this.#source.resume();
  }

  cancel(): void {
    this.#held = [];
    this.#source.cancel();
  }
}
