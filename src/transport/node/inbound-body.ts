/**
 * A body as it comes off a socket, on either side. It holds what arrives before anybody wants it (up to a lookahead,
 * then the socket is paused) and afterwards passes chunks straight on.
 */
import type { BodySink, BodySource, TransportError } from "../transport.ts";

/** The connection a body comes from. */
export interface BodyOwner {
  /** No more bytes for now. */
  pauseBody(): void;
  /** Bytes are wanted again. */
  resumeBody(): void;
  /** The consumer has come; false: it has been answered with `fail`. */
  startBody(body: InboundBody): void;
  /** The consumer has gone. */
  cancelBody(body: InboundBody): void;
}

/**
 * Bytes held for a consumer that has not come or has no room. Reading on that far is what lets a connection
 * notice that its peer hung up: a FIN shows only behind the bytes before it. Behind a larger unread body it stays
 * unseen until somebody reads.
 */
const LOOKAHEAD_BYTES = 256 * 1024;

export class InboundBody implements BodySource {
  readonly length: number | undefined;
  /** Octets received so far. */
  received = 0;
  started = false;
  readonly #owner: BodyOwner;
  readonly #eager: boolean;
  readonly #lent: boolean;
  #sink: BodySink | null = null;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #blocked = false;
  #paused = false;
  #flushing = false;
  #complete = false;
  #over = false;
  #trailers: string[] | undefined;
  #error: TransportError | null = null;

  /**
   * @param eager    true: stop reading as soon as the consumer has no room; false: only after the lookahead
   * @param lent     chunks are lent for the call to `push`, so that a consumer that keeps them gets copies
   */
  constructor(owner: BodyOwner, length: number | undefined, eager: boolean, lent: boolean) {
    this.#owner = owner;
    this.length = length;
    this.#eager = eager;
    this.#lent = lent;
  }

  /** Every octet has arrived (not: been taken). */
  get complete(): boolean {
    return this.#complete;
  }

  /** Nothing more will be given to a consumer: it has all, or was told of the failure, or has gone. */
  get over(): boolean {
    return this.#over;
  }

  // From the connection.

  push(chunk: Uint8Array): void {
    this.received += chunk.length;
    if (this.#over) return;
    if (this.#sink !== null && !this.#blocked && this.#held.length === 0) {
      const given = this.#lent && this.#sink.borrows !== true ? copy(chunk) : chunk;
      if (!this.#sink.write(given)) this.#blocked = true;
    } else {
      this.#held.push(this.#lent ? copy(chunk) : chunk);
      this.#heldBytes += chunk.length;
    }
    this.#pauseIfFull();
  }

  finish(trailers?: string[]): void {
    this.#complete = true;
    this.#trailers = trailers;
    this.#settle();
  }

  /** The body broke off. What is held is dropped: whoever waits for it should learn at once. */
  fail(error: TransportError): void {
    if (this.#over || this.#error !== null) return;
    this.#error = error;
    this.#held = [];
    this.#heldBytes = 0;
    this.#settle();
  }

  // From the consumer.

  start(sink: BodySink): void {
    if (this.started) throw new Error("a body can be started once");
    this.started = true;
    this.#sink = sink;
    this.#owner.startBody(this);
    this.#flush();
  }

  resume(): void {
    this.#blocked = false;
    this.#flush();
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink = null;
    this.#held = [];
    this.#heldBytes = 0;
    this.#owner.cancelBody(this);
  }

  #flush(): void {
    if (this.#flushing || this.#sink === null) return;
    this.#flushing = true;
    while (this.#held.length > 0 && !this.#blocked && this.#sink !== null) {
      const chunk = this.#held.shift()!;
      this.#heldBytes -= chunk.length;
      if (!this.#sink.write(chunk)) this.#blocked = true;
    }
    this.#flushing = false;
    this.#settle();
    if (this.#over || this.#complete) return;
    if (this.#paused && !this.#blocked) {
      this.#paused = false;
      this.#owner.resumeBody();
    } else this.#pauseIfFull();
  }

  #pauseIfFull(): void {
    const full = this.#heldBytes > LOOKAHEAD_BYTES || (this.#eager && this.#blocked);
    if (!full || this.#paused || this.#over) return;
    this.#paused = true;
    this.#owner.pauseBody();
  }

  #settle(): void {
    const sink = this.#sink;
    if (sink === null || this.#over || this.#flushing) return;
    if (this.#error !== null) {
      this.#over = true;
      this.#sink = null;
      sink.fail(this.#error);
    } else if (this.#complete && this.#held.length === 0) {
      this.#over = true;
      this.#sink = null;
      sink.end(this.#trailers);
    }
  }
}

function copy(bytes: Uint8Array): Uint8Array {
  const own = Buffer.allocUnsafe(bytes.length);
  own.set(bytes);
  return own;
}
