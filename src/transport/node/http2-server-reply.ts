/** The answer on one stream of a caller's HTTP/2 connection. */
import http2, { type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { type BodySink, type Refusal, type Reply, TransportError, type Tunnel } from "../transport.ts";
import { Deadline } from "./deadline.ts";
import type { Http2Exchange } from "./http2-server-exchange.ts";
import { announcedLength, answerFields, trailerFields } from "./http2-server-fields.ts";
import { FULL_BYTES } from "./outbox.ts";
import { ALLOWED_METHODS, refusalText } from "./refusal.ts";

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = http2.constants;

const UNSENT = 0;
const STREAMING = 1;
const OVER = 2;

export class Http2Reply implements Reply, BodySink {
  readonly borrows = true;
  readonly #exchange: Http2Exchange;
  readonly #stream: ServerHttp2Stream;
  #state = UNSENT;
  #bodyless = false;
  /** Octets still owed under a content-length; -1 = none was announced. */
  #owed = -1;
  #trailers: OutgoingHttpHeaders | null = null;
  #onDrain: (() => void) | null = null;
  #toldFull = false;
  #listeners: ((complete: boolean) => void)[] = [];
  #finished: boolean | null = null;
  readonly #writeDeadline = new Deadline(() => this.#writeExpired());
  #stallMark = 0;

  constructor(exchange: Http2Exchange, stream: ServerHttp2Stream) {
    this.#exchange = exchange;
    this.#stream = stream;
  }

  get started(): boolean {
    return this.#state !== UNSENT;
  }

  /** Everything was written, or never will be. */
  get over(): boolean {
    return this.#state === OVER;
  }

  send(status: number, reason: string, rawHeaders: string[], body: Uint8Array | null): void {
    if (this.#state !== UNSENT || this.#isGone()) return;
    checkReason(reason);
    const announced = announcedLength(rawHeaders);
    const fields = answerFields(status, rawHeaders);
    this.#bodyless = isBodyless(this.#exchange.method, status);
    // Of a body that is only spoken of (HEAD, 304) nothing is said when its length is not known: 0 would be a lie.
    const length = body === null ? (this.#bodyless ? announced : 0) : body.length;
    if (mayHaveLength(status) && (length > 0 || (length === 0 && status !== 304)))
      fields["content-length"] = length;
    const empty = this.#bodyless || body === null || body.length === 0;
    this.#respond(fields, { endStream: empty });
    if (!empty) this.#stream.end(body);
    this.#close();
  }

  head(status: number, reason: string, rawHeaders: string[], onDrain: () => void): BodySink {
    if (this.#state !== UNSENT || this.#isGone()) return this;
    checkReason(reason);
    const announced = announcedLength(rawHeaders);
    const fields = answerFields(status, rawHeaders);
    this.#bodyless = isBodyless(this.#exchange.method, status);
    if (announced >= 0 && mayHaveLength(status)) fields["content-length"] = announced;
    if (!this.#bodyless) this.#owed = announced;
    // Also where there will be none: without it, node would end the stream first when it is told to reset it.
    const waitForTrailers = !this.#bodyless;
    if (waitForTrailers) this.#stream.once("wantTrailers", () => this.#sendTrailers());
    this.#onDrain = onDrain;
    this.#respond(fields, { endStream: this.#bodyless, waitForTrailers });
    return this;
  }

  upgrade(): Tunnel {
    throw new TransportError("invalid_message", "HTTP/2 switches no protocols");
  }

  onFinish(listener: (complete: boolean) => void): void {
    if (this.#finished === null) this.#listeners.push(listener);
    else listener(this.#finished);
  }

  // The body's sink, handed out by `head`.

  write(chunk: Uint8Array): boolean {
    if (this.#state !== STREAMING || this.#bodyless || chunk.length === 0) return true;
    if (this.#owed >= 0) {
      if (chunk.length > this.#owed) chunk = chunk.subarray(0, this.#owed);
      if (chunk.length === 0) return true;
      this.#owed -= chunk.length;
    }
    // Frames are cut from it when the caller's window has room, so it has to outlive this call.
    this.#stream.write(Buffer.from(chunk), this.#written);
    if (this.#stream.writableLength < FULL_BYTES) return true;
    this.#toldFull = true;
    this.#watchStall();
    return false;
  }

  end(trailers?: string[]): void {
    if (this.#state !== STREAMING) return;
    if (this.#owed > 0) {
      this.fail();
      return;
    }
    if (trailers !== undefined) this.#trailers = trailerFields(trailers);
    if (!this.#bodyless) this.#stream.end();
    this.#close();
  }

  /** Resets the stream so that the caller cannot take what came so far for the whole. */
  fail(): void {
    if (this.#state !== STREAMING) return;
    this.#state = OVER;
    this.#exchange.replyFailed(NGHTTP2_INTERNAL_ERROR);
  }

  // From the exchange.

  /** The exchange took over the answer (a refusal), or the caller has gone. */
  seize(): void {
    this.#state = OVER;
    this.stop();
  }

  stop(): void {
    this.#onDrain = null;
    this.#writeDeadline.stop();
  }

  finish(complete: boolean): void {
    if (this.#finished !== null) return;
    this.#finished = complete;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener(complete);
  }

  /** What is said to a caller that has gone is nobody's error. */
  #isGone(): boolean {
    if (!this.#stream.closed && !this.#stream.destroyed) return false;
    this.#state = OVER;
    return true;
  }

  #respond(fields: OutgoingHttpHeaders, options: http2.ServerStreamResponseOptions): void {
    try {
      this.#stream.respond(fields, options);
    } catch (cause) {
      throw new TransportError("invalid_message", (cause as Error).message, { cause });
    }
    this.#state = STREAMING;
  }

  #sendTrailers(): void {
    if (!this.#stream.destroyed && !this.#stream.closed) this.#stream.sendTrailers(this.#trailers ?? {});
  }

  #close(): void {
    this.#state = OVER;
    this.#onDrain = null;
    // Node has finished the stream of a HEAD from the start.
    if (this.#stream.writableFinished) this.#sent();
    else {
      this.#stream.once("finish", () => this.#sent());
      this.#watchStall();
    }
  }

  #sent(): void {
    this.#writeDeadline.stop();
    if (this.#stream.rstCode === NGHTTP2_NO_ERROR) this.#exchange.replySent();
  }

  readonly #written = (): void => {
    if (!this.#toldFull || this.#stream.writableLength >= FULL_BYTES) return;
    this.#toldFull = false;
    this.#writeDeadline.clear();
    this.#onDrain?.();
  };

  /** Somebody has to wait until the caller reads; it may not take forever. */
  #watchStall(): void {
    this.#stallMark = this.#stream.writableLength;
    this.#writeDeadline.set(this.#exchange.writeStallTimeoutMs);
  }

  #writeExpired(): void {
    const waiting = this.#stream.writableLength;
    if (waiting > 0 && waiting < this.#stallMark) this.#watchStall();
    else if (waiting > 0 || this.#state === OVER) this.#exchange.stalled();
  }
}

/** Answers in place of the gateway, and has done with the rest of the request. */
export function answerRefusal(stream: ServerHttp2Stream, refusal: Refusal): void {
  const text = refusalText(refusal);
  const fields: OutgoingHttpHeaders = {
    ":status": refusal.status,
    "content-type": "application/json",
    "content-length": text.length,
  };
  if (refusal.status === 405) fields["allow"] = ALLOWED_METHODS;
  const bodyless = refusal.method === "HEAD";
  stream.respond(fields, { endStream: bodyless });
  const done = () => {
    if (!stream.closed && !stream.endAfterHeaders) stream.close(NGHTTP2_NO_ERROR);
    stream.resume();
  };
  if (bodyless) done();
  else stream.end(text, done);
}

function mayHaveLength(status: number): boolean {
  return status !== 204 && status !== 205;
}

function isBodyless(method: string, status: number): boolean {
  return status === 204 || status === 205 || status === 304 || method === "HEAD";
}

/** HTTP/2 has no reason phrase, but what HTTP/1.1 would not send is as wrong here. */
function checkReason(reason: string): void {
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(reason)) {
    throw new TransportError("invalid_message", "the reason phrase has a character that it cannot have");
  }
}
