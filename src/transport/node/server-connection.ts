/**
 * One connection of a caller: bytes in, requests out, answers back, one request at a time.
 *
 *   head ──► body ──► wait (the answer is on its way) ──► head …
 *     └────────┴────────┴──► tunnel (after 101)   or   closing (refused, or not to be kept)
 *
 * The connection reads on in every state but under backpressure: only who reads sees a FIN, and a caller's FIN
 * is how we learn within milliseconds that nobody wants the answer any more.
 */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type Refusal, type ServerLimits, TransportError, type TransportErrorCode } from "../transport.ts";
import type { Incoming } from "../transport.ts";
import { ChunkedDecoder } from "./chunked.ts";
import { Deadline } from "./deadline.ts";
import { BAD, BlockScanner, MORE } from "./fields.ts";
import { type BodyOwner, InboundBody } from "./inbound-body.ts";
import { Http2ServerConnection } from "./http2-server.ts";
import { dateLine } from "./message.ts";
import { Outbox } from "./outbox.ts";
import { ALLOWED_METHODS, refusalText, toRefusal } from "./refusal.ts";
import { Fault, parseRequestHead, type RequestHead } from "./request-head.ts";
import { ServerExchange } from "./server-exchange.ts";
import { SocketTunnel } from "./tunnel.ts";

/** What connections of one server share. */
export interface ServerHost {
  readonly limits: ServerLimits;
  readonly onRequest: (incoming: Incoming) => void;
  readonly onRefused: ((refusal: Refusal) => void) | undefined;
  readonly connections: Set<HostedConnection>;
  /** HTTP/2 is spoken here, too. */
  readonly http2: boolean;
  draining: boolean;
  /** Requests being answered and open tunnels. */
  active: number;
  /** A connection has gone. */
  connectionGone(): void;
}

/** A connection as its server sees it. */
export interface HostedConnection {
  /** For a drain: an idle connection goes now, a busy one with its answers. */
  closeWhenIdle(): void;
  destroy(): void;
}

type State = "head" | "body" | "wait" | "tunnel" | "closing";

/** Beyond the target, a request line has a method and a version. */
const REST_OF_REQUEST_LINE = 64;
/** Pipelined bytes held while an answer is on its way. */
const PIPELINE_BYTES = 64 * 1024;
/** Of a body that nobody wants, so much is read to keep the connection. */
const DISCARD_BYTES = 64 * 1024;
/** After our FIN, how long the rest of what the caller sends is thrown away, so that no RST eats our answer. */
const LINGER_MS = 2_000;
const EMPTY = Buffer.alloc(0);
const ALLOW = `Allow: ${ALLOWED_METHODS}\r\n`;
/** What a caller begins with that knows beforehand that HTTP/2 is spoken here (RFC 9113 §3.3, §3.4). */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export class ServerConnection implements BodyOwner, HostedConnection {
  readonly socket: Socket;
  readonly outbox: Outbox;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly encrypted: boolean;

  readonly #host: ServerHost;
  #state: State = "head";
  /** Bytes that came but cannot be used yet: an unfinished head, or pipelined requests. */
  #pending: Buffer | null = null;
  #running = false;
  readonly #scanner = new BlockScanner();
  #headTimed = false;
  /** What has come so far may be HTTP/2's preface. */
  #mayBeHttp2: boolean;
  #handedOver = false;

  #exchange: ServerExchange | null = null;
  #body: InboundBody | null = null;
  #decoder: ChunkedDecoder | null = null;
  /** Octets of a body with Content-Length still to come. */
  #bodyLeft = 0;
  #discarded = 0;
  /** The answer is out; only the rest of the body is in the way of the next request. */
  #answered = false;
  #continued = false;
  #keep = true;
  #tunnel: SocketTunnel | null = null;

  readonly #onData = (chunk: Buffer) => this.#feed(chunk);
  readonly #readDeadline = new Deadline(() => this.#readExpired());
  readonly #writeDeadline = new Deadline(() => this.#writeExpired());
  #stallMark = 0;

  constructor(host: ServerHost, socket: Socket, encrypted: boolean) {
    this.#host = host;
    this.socket = socket;
    this.encrypted = encrypted;
    const address = socket.remoteAddress ?? "";
    this.remoteAddress = address.startsWith("::ffff:") ? address.slice(7) : address;
    this.remotePort = socket.remotePort ?? 0;
    this.outbox = new Outbox(socket);
    // Under TLS, ALPN has settled it (RFC 9113 §3.2).
    this.#mayBeHttp2 = host.http2 && !encrypted;
    host.connections.add(this);
    socket.on("data", this.#onData);
    socket.on("end", () => this.#peerEnded());
    socket.on("error", doNothing);
    socket.on("close", () => this.#gone());
    this.#readDeadline.set(host.limits.keepAliveTimeoutMs);
  }

  /** Nothing has been asked, or everything answered. */
  get idle(): boolean {
    return this.#state === "head" && this.#pending === null;
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** For a drain: an idle connection goes now, a busy one with its answer. */
  closeWhenIdle(): void {
    if (this.idle) this.#linger();
  }

  // Bytes in.

  #feed(chunk: Buffer): void {
    const pending = this.#pending;
    this.#pending = null;
    this.#run(pending === null ? chunk : Buffer.concat([pending, chunk]));
  }

  /** A loop, not recursion: a thousand pipelined requests answered at once must not become a thousand frames. */
  #run(input: Buffer): void {
    this.#running = true;
    while (input.length > 0) {
      if (this.#state === "head") input = this.#readHead(input);
      else if (this.#state === "body") input = this.#readBody(input);
      else {
        if (this.#state === "tunnel") this.#tunnel!.push(input);
        else if (this.#state === "wait") this.#hold(input);
        break;
      }
    }
    this.#running = false;
  }

  #hold(input: Buffer): void {
    this.#pending = input;
    if (input.length > PIPELINE_BYTES) this.socket.pause();
  }

  #readHead(input: Buffer): Buffer {
    const { limits } = this.#host;
    if (this.#mayBeHttp2 && this.#isPreface(input)) return EMPTY;
    const length = this.#scanner.scan(input);
    const fault = this.#headTooLarge(length === MORE ? input.length : length) ?? this.#scanFault(length);
    if (fault !== null) return this.#refuse(fault);
    if (length === MORE) return this.#awaitHead(input);
    this.#scanner.reset();
    this.#headTimed = false;
    this.#readDeadline.clear();
    const head = parseRequestHead(input.toString("latin1", 0, length), limits);
    return head instanceof Fault ? this.#refuse(head) : this.#begin(head, input, length);
  }

  #awaitHead(input: Buffer): Buffer {
    this.#pending = input;
    if (!this.#headTimed) {
      this.#headTimed = true;
      this.#readDeadline.set(this.#host.limits.headerTimeoutMs);
    }
    return EMPTY;
  }

  /** @returns true: `input` is the preface, and the connection another's now, or may yet become the preface */
  #isPreface(input: Buffer): boolean {
    const length = Math.min(input.length, PREFACE.length);
    if (input[0] !== PREFACE[0] || PREFACE.compare(input, 0, length, 0, length) !== 0) {
      this.#mayBeHttp2 = false;
      return false;
    }
    if (length < PREFACE.length) this.#awaitHead(input);
    else this.#handOver(input);
    return true;
  }

  #handOver(input: Buffer): void {
    const { socket } = this;
    this.#handedOver = true;
    this.#state = "closing";
    this.#readDeadline.stop();
    this.#host.connections.delete(this);
    socket.off("data", this.#onData);
    socket.pause();
    socket.unshift(input);
    const connection = new Http2ServerConnection(this.#host, socket, false);
    if (this.#host.draining) connection.closeWhenIdle();
  }

  /** @param size bytes of the head so far; `BAD` counts as none */
  #headTooLarge(size: number): Fault | null {
    const { limits } = this.#host;
    const { firstLine, lines } = this.#scanner;
    if ((firstLine < 0 ? size : firstLine) > limits.targetBytes + REST_OF_REQUEST_LINE) {
      return new Fault(414, "target_too_long", `the target is longer than ${limits.targetBytes} bytes`);
    }
    if (firstLine >= 0 && size - firstLine > limits.headerBytes + 4) {
      return new Fault(431, "header_too_large", `the headers are larger than ${limits.headerBytes} bytes`);
    }
    if (lines - 1 > limits.headerCount) {
      return new Fault(431, "too_many_headers", `more than ${limits.headerCount} headers`);
    }
    return null;
  }

  #scanFault(length: number): Fault | null {
    return length === BAD ? new Fault(400, "bad_framing", this.#scanner.fault) : null;
  }

  /**
   * Starts the exchange. What has already come of the body is decoded first, so that a request that came in one
   * piece and is broken anywhere is refused before anybody hears of it.
   */
  #begin(head: RequestHead, input: Buffer, headLength: number): Buffer {
    const hasBody = head.chunked || head.contentLength > 0;
    const body = hasBody
      ? new InboundBody(this, head.chunked ? undefined : head.contentLength, false, false)
      : null;
    this.#body = body;
    this.#decoder = head.chunked ? new ChunkedDecoder() : null;
    this.#bodyLeft = head.chunked ? 0 : head.contentLength;
    this.#discarded = 0;
    this.#answered = false;
    this.#continued = false;
    this.#keep = true;
    this.#state = hasBody ? "body" : "wait";
    let at = headLength;
    if (body !== null && at < input.length) {
      at = this.#decode(body, input, at);
      const fault = this.#decoder?.fault ?? null;
      if (fault !== null) {
        const refusal = new Fault(400, "bad_framing", fault);
        refusal.method = head.method;
        refusal.target = head.target;
        return this.#refuse(refusal);
      }
    }
    const exchange = new ServerExchange(this, head, body, this.#host.limits.bodyBytes);
    this.#exchange = exchange;
    this.#host.active++;
    this.#host.onRequest(exchange);
    return at === input.length ? EMPTY : input.subarray(at);
  }

  #decode(body: InboundBody, input: Buffer, at: number): number {
    const decoder = this.#decoder;
    if (decoder !== null) {
      at = decoder.feed(input, at, body);
      if (decoder.done) this.#bodyComplete(body, decoder.trailers);
      return at;
    }
    const upTo = Math.min(input.length, at + this.#bodyLeft);
    this.#bodyLeft -= upTo - at;
    body.push(at === 0 && upTo === input.length ? input : input.subarray(at, upTo));
    if (this.#bodyLeft === 0) this.#bodyComplete(body, undefined);
    return upTo;
  }

  #readBody(input: Buffer): Buffer {
    const body = this.#body!;
    const exchange = this.#exchange!;
    const before = body.received;
    if (body.started && !body.over) this.#readDeadline.set(this.#host.limits.bodyIdleTimeoutMs);
    const at = this.#decode(body, input, 0);
    const fault = this.#decoder?.fault ?? null;
    if (fault !== null) this.#breakBody(new Fault(400, "bad_framing", fault), "bad_framing");
    else if (body.started && !body.over && body.received > exchange.bodyLimit) this.#bodyTooLarge(exchange);
    else if (body.over && this.#state === "body") this.#discard(body.received - before);
    if (this.#state === "closing") return EMPTY;
    return at === input.length ? EMPTY : input.subarray(at);
  }

  #discard(bytes: number): void {
    this.#discarded += bytes;
    if (this.#discarded <= DISCARD_BYTES) return;
    this.#keep = false;
    if (this.#answered) this.#linger();
  }

  #bodyComplete(body: InboundBody, trailers: string[] | undefined): void {
    this.#state = "wait";
    this.#readDeadline.clear();
    if (this.socket.isPaused()) this.socket.resume();
    body.finish(trailers);
    if (this.#answered) this.#next();
  }

  // The body's consumer.

  startBody(body: InboundBody): void {
    const exchange = this.#exchange;
    if (exchange === null || body !== this.#body) return;
    if ((body.length ?? body.received) > exchange.bodyLimit) {
      this.#bodyTooLarge(exchange);
      return;
    }
    if (body.complete) return;
    if (exchange.head.expectContinue && !this.#continued && body.received === 0 && !exchange.reply.started) {
      this.#continued = true;
      this.outbox.text("HTTP/1.1 100 Continue\r\n\r\n");
      this.outbox.flush();
    }
    this.#readDeadline.set(this.#host.limits.bodyIdleTimeoutMs);
  }

  pauseBody(): void {
    this.#readDeadline.clear();
    this.socket.pause();
  }

  resumeBody(): void {
    if (this.#state === "body") this.#readDeadline.set(this.#host.limits.bodyIdleTimeoutMs);
    this.socket.resume();
  }

  cancelBody(): void {
    if (this.#state === "body") this.#readDeadline.set(this.#host.limits.bodyIdleTimeoutMs);
    this.socket.resume();
  }

  #bodyTooLarge(exchange: ServerExchange): void {
    const detail = `the body is larger than ${exchange.bodyLimit} bytes`;
    this.#breakBody(new Fault(413, "body_too_large", detail), "body_too_large");
  }

  /** A body that cannot go on: its consumer is told, the caller gets the status if nothing has gone out yet. */
  #breakBody(fault: Fault, code: TransportErrorCode): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      this.#linger();
      return;
    }
    fault.method = exchange.method;
    fault.target = exchange.target;
    this.#keep = false;
    this.#state = "closing";
    this.#body?.fail(new TransportError(code, fault.detail));
    const { reply } = exchange;
    if (!reply.started) {
      reply.seize();
      this.#exchange = null;
      this.#refuse(fault, exchange);
      exchange.abort.abort("client");
      this.#leave(exchange, false);
    } else if (!reply.over) {
      this.socket.destroy();
    }
  }

  // The answer.

  /** Settles whether the connection lives on after the answer whose head is being written. */
  decideKeepAlive(possible: boolean): boolean {
    const head = this.#exchange!.head;
    if (!possible || !head.keepAlive || this.#host.draining || !this.#restIsSmall(head)) this.#keep = false;
    return this.#keep;
  }

  /** The rest of the request's body is here, or soon will be. */
  #restIsSmall(head: RequestHead): boolean {
    if (this.#state !== "body") return true;
    return !head.chunked && this.#bodyLeft <= DISCARD_BYTES && (!head.expectContinue || this.#continued);
  }

  closeAfterReply(): void {
    this.#keep = false;
  }

  /** The whole answer is in the outbox. */
  replyWritten(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.outbox.onDrain = null;
    let late = false;
    this.outbox.afterAll(() => {
      if (this.#exchange === exchange) this.#replySent(exchange);
      late = true;
    });
    if (!late) this.watchStall();
  }

  #replySent(exchange: ServerExchange): void {
    this.#writeDeadline.clear();
    this.#exchange = null;
    this.#leave(exchange, !this.socket.destroyed);
    if (this.#state === "wait") this.#next();
    else if (!this.#keep) this.#linger();
    else {
      this.#answered = true;
      this.#readDeadline.set(this.#host.limits.bodyIdleTimeoutMs);
      this.#body?.cancel();
    }
  }

  /** Ends an exchange in the books; the connection may live on. */
  #leave(exchange: ServerExchange, complete: boolean): void {
    this.#host.active--;
    exchange.reply.finish(complete);
  }

  #next(): void {
    this.#body = null;
    this.#decoder = null;
    if (!this.#keep || this.#host.draining) {
      this.#linger();
      return;
    }
    this.#state = "head";
    this.#readDeadline.set(this.#host.limits.keepAliveTimeoutMs);
    if (this.socket.isPaused()) this.socket.resume();
    if (this.#running || this.#pending === null) return;
    const pending = this.#pending;
    this.#pending = null;
    this.#run(pending);
  }

  /** An answer broke off. `reset`: only a RST tells the caller so, because the end of the connection is the end of the body. */
  truncate(reset: boolean): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#state = "closing";
    this.watchStall();
    this.outbox.afterAll(() => {
      if (reset && !this.encrypted) this.socket.resetAndDestroy();
      else this.socket.destroy();
    });
    if (exchange !== null) this.#leave(exchange, false);
  }

  becomeTunnel(): SocketTunnel {
    const tunnel = new SocketTunnel(this.socket, this.outbox, false);
    this.#state = "tunnel";
    this.#tunnel = tunnel;
    this.outbox.flush();
    if (this.#pending !== null) tunnel.push(this.#pending);
    this.#pending = null;
    return tunnel;
  }

  // Ends.

  #refuse(fault: Fault, underWay: ServerExchange | null = null): Buffer {
    const refusal = toRefusal(fault, this.remoteAddress, underWay !== null);
    const text = refusalText(refusal);
    const body = fault.method === "HEAD" ? "" : text;
    this.outbox.text(
      `HTTP/1.1 ${fault.status} ${STATUS_CODES[fault.status]}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${text.length}\r\n${fault.status === 405 ? ALLOW : ""}` +
        `${dateLine()}Connection: close\r\n\r\n${body}`,
    );
    this.#linger();
    if (underWay !== null) underWay.refusal = refusal;
    this.#host.onRefused?.(refusal);
    return EMPTY;
  }

  #linger(): void {
    this.#state = "closing";
    this.#pending = null;
    this.outbox.flush();
    this.socket.end();
    this.socket.resume();
    this.#readDeadline.set(LINGER_MS);
  }

  /** The caller's FIN. Before the answer is out, it means that nobody waits for it. */
  #peerEnded(): void {
    if (this.#handedOver) return;
    if (this.#tunnel !== null) {
      this.#tunnel.peerEnded();
      return;
    }
    if (this.#exchange !== null && !this.#exchange.reply.over) {
      this.#hungUp(this.#exchange, "client_disconnected", "the caller hung up");
      this.socket.destroy();
    } else this.socket.end();
  }

  #hungUp(exchange: ServerExchange, code: TransportErrorCode, why: string): void {
    this.#exchange = null;
    exchange.reply.seize();
    exchange.abort.abort("client");
    const body = this.#body;
    if (body !== null && !body.complete) body.fail(new TransportError(code, why));
    this.#leave(exchange, false);
  }

  #gone(): void {
    if (this.#handedOver) return;
    this.#readDeadline.stop();
    this.#writeDeadline.stop();
    this.outbox.onDrain = null;
    this.#state = "closing";
    const exchange = this.#exchange;
    const tunnel = this.#tunnel;
    if (tunnel !== null && exchange !== null) {
      this.#exchange = null;
      const whole = tunnel.source.complete;
      if (!whole) exchange.abort.abort("client");
      tunnel.gone();
      this.#leave(exchange, whole);
    } else if (exchange !== null)
      this.#hungUp(exchange, "client_disconnected", "the caller's connection broke");
    this.#host.connections.delete(this);
    this.#host.connectionGone();
  }

  // Timers.

  #readExpired(): void {
    const { limits } = this.#host;
    if (this.#state === "head" && this.#pending !== null) {
      const detail = `no complete request head within ${limits.headerTimeoutMs} ms`;
      this.#refuse(new Fault(408, "client_header_timeout", detail));
    } else if (this.#state === "head") this.#linger();
    else if (this.#state === "body") {
      const detail = `no more of the body within ${limits.bodyIdleTimeoutMs} ms`;
      this.#breakBody(new Fault(408, "client_body_timeout", detail), "client_body_timeout");
    } else if (this.#state === "closing") this.socket.destroy();
  }

  /** Somebody has to wait until the caller reads; it may not take forever. */
  watchStall(): void {
    this.#stallMark = this.outbox.waiting;
    this.#writeDeadline.set(this.#host.limits.writeStallTimeoutMs);
  }

  #writeExpired(): void {
    const { waiting } = this.outbox;
    if (waiting === 0) return;
    if (waiting < this.#stallMark) {
      this.watchStall();
      return;
    }
    const exchange = this.#exchange;
    if (exchange !== null) this.#hungUp(exchange, "client_write_stall", "the caller stopped reading");
    this.socket.destroy();
  }
}

function doNothing(): void {}
