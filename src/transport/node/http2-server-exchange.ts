/** One stream of a caller's HTTP/2 connection: a request as the listener sees it, and its body. */
import http2, { type ServerHttp2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";
import { Abort } from "../../base/abort.ts";
import { type Incoming, type Refusal, TransportError, type TransportErrorCode } from "../transport.ts";
import { Deadline } from "./deadline.ts";
import { isTrailerName } from "./fields.ts";
import type { Http2ServerConnection } from "./http2-server.ts";
import type { Http2Head } from "./http2-server-head.ts";
import { answerRefusal, Http2Reply } from "./http2-server-reply.ts";
import { type BodyOwner, InboundBody } from "./inbound-body.ts";
import { toRefusal } from "./refusal.ts";
import { Fault } from "./request-head.ts";

/** Of a body that nobody wants, so much is taken after the answer before the stream is reset. */
const DISCARD_BYTES = 64 * 1024;

const { NGHTTP2_NO_ERROR, NGHTTP2_CANCEL } = http2.constants;

export class Http2Exchange implements Incoming, BodyOwner {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: string[];
  readonly httpVersion = "2";
  readonly upgrade = false;
  readonly body: InboundBody | null;
  readonly reply: Http2Reply;
  readonly abort = new Abort();
  refusal: Refusal | null = null;
  readonly #connection: Http2ServerConnection;
  readonly #stream: ServerHttp2Stream;
  readonly #expectsContinue: boolean;
  readonly #readDeadline = new Deadline(() => this.#readExpired());
  #bodyLimit: number;
  #trailers: string[] | undefined;
  #listening = false;
  /** The answer is out; what still comes of the body is thrown away. */
  #discarding = false;
  #discarded = 0;
  /** Out of the server's books. */
  #left = false;
  #resetByUs = false;

  /** @param whole the head was all of the request */
  constructor(connection: Http2ServerConnection, stream: ServerHttp2Stream, head: Http2Head, whole: boolean) {
    this.#connection = connection;
    this.#stream = stream;
    this.method = head.method;
    this.target = head.target;
    this.rawHeaders = head.rawHeaders;
    this.#expectsContinue = head.expectContinue;
    this.#bodyLimit = connection.host.limits.bodyBytes;
    const length = head.contentLength;
    this.body =
      whole || length === 0 ? null : new InboundBody(this, length < 0 ? undefined : length, true, false);
    this.reply = new Http2Reply(this, stream);
    connection.host.active++;
    if (this.body === null) stream.resume();
    else {
      stream.once("trailers", (_headers, _flags, ...rest) => {
        this.#trailers = trailersOf(rest[0] as unknown as string[] | undefined);
      });
      // Of a body without octets the end comes by itself, maybe before anybody asks for the body.
      stream.once("end", () => this.#end());
    }
    // A reset of "no error" closes the stream only when all of it has been read.
    stream.once("aborted", () => this.#aborted());
    stream.once("close", () => this.#closed());
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  get remotePort(): number {
    return this.#connection.remotePort;
  }

  get encrypted(): boolean {
    return this.#connection.encrypted;
  }

  get writeStallTimeoutMs(): number {
    return this.#connection.host.limits.writeStallTimeoutMs;
  }

  clientCertificate(): Uint8Array | null {
    if (!this.encrypted) return null;
    const certificate = (this.#connection.socket as TLSSocket).getPeerCertificate();
    return certificate?.raw ?? null;
  }

  limitBody(bytes: number): void {
    this.#bodyLimit = bytes;
  }

  // The body's consumer.

  startBody(body: InboundBody): void {
    if (this.#left) {
      body.fail(gone());
      return;
    }
    if (body.complete) return;
    if ((body.length ?? 0) > this.#bodyLimit) {
      this.#bodyTooLarge();
      return;
    }
    const waits = this.#expectsContinue && !this.reply.started && !this.#stream.closed;
    if (waits) this.#stream.additionalHeaders({ ":status": 100 });
    this.#readDeadline.set(this.#connection.host.limits.bodyIdleTimeoutMs);
    this.#listen();
  }

  pauseBody(): void {
    this.#readDeadline.clear();
    this.#stream.pause();
  }

  resumeBody(): void {
    this.#readDeadline.set(this.#connection.host.limits.bodyIdleTimeoutMs);
    this.#stream.resume();
  }

  /** Nothing more is taken until the answer is out: flow control stops the caller. */
  cancelBody(): void {
    if (this.#discarding) return;
    this.#readDeadline.clear();
    if (this.#listening) this.#stream.pause();
  }

  #listen(): void {
    this.#listening = true;
    this.#stream.on("data", (chunk: Buffer) => this.#data(chunk));
  }

  #data(chunk: Buffer): void {
    const body = this.body!;
    if (this.#discarding) {
      this.#discarded += chunk.length;
      if (this.#discarded > DISCARD_BYTES) this.reset(NGHTTP2_NO_ERROR);
      return;
    }
    if (body.over) return;
    this.#readDeadline.set(this.#connection.host.limits.bodyIdleTimeoutMs);
    if (body.received + chunk.length > this.#bodyLimit) this.#bodyTooLarge();
    else body.push(chunk);
  }

  #end(): void {
    this.#readDeadline.clear();
    const body = this.body!;
    // A reset ends the readable side, too; while the answer is due, only the caller can have closed the stream.
    if (this.#stream.closed && !this.reply.over) return;
    if (!body.complete) body.finish(this.#trailers);
  }

  #bodyTooLarge(): void {
    this.#breakBody(
      new Fault(413, "body_too_large", `the body is larger than ${this.#bodyLimit} bytes`),
      "body_too_large",
    );
  }

  /** A body that cannot go on: its consumer is told, the caller gets the status if nothing has gone out yet. */
  #breakBody(fault: Fault, code: TransportErrorCode): void {
    fault.method = this.method;
    fault.target = this.target;
    const stream = this.#stream;
    stream.pause();
    this.#readDeadline.clear();
    this.body!.fail(new TransportError(code, fault.detail));
    if (this.reply.started || stream.closed) {
      if (!this.reply.over) this.#hungUp(code, fault.detail);
      return;
    }
    this.reply.seize();
    const refusal = toRefusal(fault, this.remoteAddress, true);
    this.refusal = refusal;
    this.#resetByUs = true;
    answerRefusal(stream, refusal);
    this.#connection.host.onRefused?.(refusal);
    this.abort.abort("client");
    this.#leave(false);
  }

  #readExpired(): void {
    if (this.#discarding) {
      this.reset(NGHTTP2_NO_ERROR);
      return;
    }
    const { bodyIdleTimeoutMs } = this.#connection.host.limits;
    const detail = `no more of the body within ${bodyIdleTimeoutMs} ms`;
    this.#breakBody(new Fault(408, "client_body_timeout", detail), "client_body_timeout");
  }

  // From the reply.

  /** The whole answer is with nghttp2's frames on their way to the kernel. */
  replySent(): void {
    if (this.#left) return;
    const { body } = this;
    this.#leave(true);
    if (body === null || body.complete || this.#stream.readableEnded || this.#stream.destroyed) return;
    this.#discarding = true;
    body.cancel();
    this.#readDeadline.set(this.#connection.host.limits.bodyIdleTimeoutMs);
    if (!this.#listening) this.#listen();
    this.#stream.resume();
  }

  /** The answer broke off. */
  replyFailed(code: number): void {
    this.#leave(false);
    this.reset(code);
  }

  stalled(): void {
    this.#hungUp("client_write_stall", "the caller stopped reading");
  }

  /** Ends the stream for a reason of our own. */
  reset(code: number): void {
    this.#resetByUs = true;
    if (!this.#stream.closed) this.#stream.close(code);
    // A paused stream would not come to its end.
    this.#stream.resume();
  }

  // Ends.

  #aborted(): void {
    if (!this.#left) this.#hungUp("client_disconnected", "the caller hung up");
  }

  #closed(): void {
    this.#readDeadline.stop();
    const clean = this.#stream.rstCode === NGHTTP2_NO_ERROR;
    const unwanted = !clean && !this.#resetByUs;
    if (!this.#left && this.reply.over && clean) this.#leave(true);
    else if (!this.#left) this.#hungUp("client_disconnected", "the caller hung up");
    this.reply.stop();
    const { body } = this;
    if (body !== null && !body.complete) body.fail(gone());
    this.#connection.streamGone(unwanted);
  }

  #hungUp(code: TransportErrorCode, why: string): void {
    this.reply.seize();
    this.abort.abort("client");
    const { body } = this;
    if (body !== null && !body.complete) body.fail(new TransportError(code, why));
    this.#leave(false);
    this.reset(NGHTTP2_CANCEL);
  }

  /** Ends the exchange in the books; the stream may have to be emptied yet. */
  #leave(complete: boolean): void {
    if (this.#left) return;
    this.#left = true;
    this.#connection.host.active--;
    this.reply.finish(complete);
  }
}

function gone(): TransportError {
  return new TransportError("client_disconnected", "the caller hung up");
}

function trailersOf(raw: readonly string[] | undefined): string[] {
  const trailers: string[] = [];
  if (raw === undefined) return trailers;
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.charCodeAt(0) !== 58 && isTrailerName(raw[i]!)) trailers.push(raw[i]!, raw[i + 1]!);
  }
  return trailers;
}
