/** What `buffer-response` of `forward-request` asks for (`policies.md` §2). */
import type { BodySink, BodySource, TransportError } from "../../transport/transport.ts";

/** So many octets are passed on at once. */
export const GATHERED_BYTES = 8 * 1024;

/** Media types that are sent to be read as they come. */
const STREAMED =
  /event-?stream|ndjson|jsonl|json-?lines|json-seq|stream\+json|x-mixed-replace|^\s*application\/grpc/i;

/** Whether the chunks of such an answer are gathered: event streams and their kin pass at once, whatever the policy says. */
export function mayBeGathered(contentType: string | null): boolean {
  return contentType === null || !STREAMED.test(contentType);
}

/** Gathers small chunks until there are `GATHERED_BYTES`, or the end is there. */
export function gathered(source: BodySource): BodySource {
  return new GatheredBody(source);
}

class GatheredBody implements BodySource, BodySink {
  readonly #source: BodySource;
  #sink: BodySink | null = null;
  #held: Buffer | null = null;
  #size = 0;

  constructor(source: BodySource) {
    this.#source = source;
  }

  get length(): number | undefined {
    return this.#source.length;
  }

  /** What is held is a copy; what is not is up to the reader. */
  get borrows(): boolean {
    return this.#sink?.borrows === true;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#source.start(this);
  }

  resume(): void {
    this.#source.resume();
  }

  cancel(): void {
    this.#held = null;
    this.#size = 0;
    this.#source.cancel();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#size + chunk.length < GATHERED_BYTES) {
      this.#held ??= Buffer.allocUnsafeSlow(GATHERED_BYTES);
      this.#held.set(chunk, this.#size);
      this.#size += chunk.length;
      return true;
    }
    this.#passOn();
    return this.#sink!.write(chunk);
  }

  end(trailers?: string[]): void {
    this.#passOn();
    this.#sink!.end(trailers);
  }

  fail(error: TransportError): void {
    this.#passOn();
    this.#sink!.fail(error);
  }

  /** The reader may keep it, so each is a buffer of its own. */
  #passOn(): void {
    const held = this.#held;
    if (held === null || this.#size === 0) return;
    const size = this.#size;
    this.#held = null;
    this.#size = 0;
    this.#sink!.write(held.subarray(0, size));
  }
}
