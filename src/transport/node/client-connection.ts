/**
 * One HTTP/1.1 connection to an upstream: one request at a time, its response read as it comes. Between
 * exchanges it lies in its pool.
 */
import type { Socket } from "node:net";
import { type BodySink, TransportError, type TransportErrorCode } from "../transport.ts";
import type { Carrier, ClientCall } from "./client-call.ts";
import { ChunkedDecoder } from "./chunked.ts";
import { Deadline } from "./deadline.ts";
import { BAD, BlockScanner, MORE } from "./fields.ts";
import { type BodyOwner, InboundBody } from "./inbound-body.ts";
import { lastChunk } from "./message.ts";
import { Outbox } from "./outbox.ts";
import type { LendingReader } from "./lending-reader.ts";
import { parseResponseHead, type ResponseHead } from "./response-head.ts";
import { SocketTunnel } from "./tunnel.ts";

/** Where a connection goes when its exchange is over. */
export interface ConnectionHome {
  /** It can take another request; keep it for `keepAliveMs`. */
  release(connection: ClientConnection): void;
  /** It is no more. */
  gone(connection: ClientConnection): void;
  /** The request fell into a connection that its upstream had already given up: on to a new one. */
  retry(call: ClientCall): void;
  /** Its upstream had given it up; those that have been idle beside it are no better. */
  stale(): void;
}

type State = "idle" | "head" | "body" | "tunnel" | "closed";

const MAX_HEAD_BYTES = 64 * 1024;
const MAX_HEAD_LINES = 512;
/** More interim answers than this are no conversation. */
const MAX_INTERIM = 32;
/** Of a response that nobody wants, so much is read to keep the connection. */
const DISCARD_BYTES = 64 * 1024;

export class ClientConnection implements BodyOwner, BodySink, Carrier {
  readonly borrows = true;
  /** How long it may lie idle. */
  keepAliveMs = 0;
  /** When it was last released, on the monotonic clock. */
  idleSince = 0;
  readonly #home: ConnectionHome;
  /** What it reads is lent (`LendingReader`). */
  readonly #lent: boolean;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #deadline = new Deadline(() => this.#expired());
  readonly #scanner = new BlockScanner();
  #continueDeadline: Deadline | null = null;
  #state: State = "idle";
  #call: ClientCall | null = null;
  #reused = false;
  #pending: Buffer | null = null;
  #interim = 0;
  /** Any byte of the answer has come. */
  #answered = false;
  #bodyStarted = false;
  /** The request is out. */
  #sent = false;
  /** Octets of the request's body still owed under Content-Length. */
  #owed = 0;
  #head: ResponseHead | null = null;
  #body: InboundBody | null = null;
  #decoder: ChunkedDecoder | null = null;
  /** Octets of the response's body still to come; -1 = until the connection ends. */
  #left = 0;
  #tunnel: SocketTunnel | null = null;
  #error: Error | null = null;

  /**
   * @param socket connected, and past its handshake
   * @param reader what it was opened with to read into; null: it reads by events
   */
  constructor(home: ConnectionHome, socket: Socket, reader: LendingReader | null) {
    this.#home = home;
    this.#socket = socket;
    this.#outbox = new Outbox(socket);
    this.#lent = reader !== null;
    if (reader === null) socket.on("data", (chunk: Buffer) => this.#feed(chunk));
    else reader.onData = (chunk) => this.#feed(chunk);
    socket.on("end", () => this.#peerEnded());
    socket.on("error", (error) => (this.#error = error));
    socket.on("close", () => this.#gone());
  }

  get usable(): boolean {
    return (
      this.#state === "idle" &&
      this.#socket.writable &&
      !this.#socket.destroyed &&
      !this.#socket.readableEnded
    );
  }

  /** Gives it up: an abort, or the pool is closed. */
  abandon(): void {
    this.#close("aborted", "the request was aborted");
  }

  /** Lies down in the pool. */
  rest(): void {
    this.idleSince = performance.now();
    this.#deadline.set(this.keepAliveMs);
  }

  // The request.

  begin(call: ClientCall): void {
    this.#call = call;
    call.carrier = this;
    this.#state = "head";
    this.#answered = false;
    this.#bodyStarted = false;
    this.#sent = false;
    this.#interim = 0;
    this.#head = null;
    this.#body = null;
    this.#deadline.set(call.timeouts.headersMs);
    this.#outbox.text(call.head);
    const { body } = call.request;
    if (call.waitsForContinue) {
      this.#outbox.flush();
      this.#continueDeadline ??= new Deadline(() => this.#sendBody());
      this.#continueDeadline.set(Math.max(1, call.request.continueTimeoutMs!));
    } else if (body === null || body instanceof Uint8Array) this.#sendWhole(body);
    else {
      this.#outbox.send();
      this.#sendBody();
    }
  }

  #sendWhole(body: Uint8Array | null): void {
    if (body !== null && body.length > 0) this.#outbox.bytes(body);
    this.#outbox.flush();
    this.#sent = true;
    this.#call!.bodySent();
  }

  #sendBody(): void {
    this.#continueDeadline?.clear();
    const call = this.#call;
    if (call === null || this.#bodyStarted) return;
    this.#bodyStarted = true;
    const { body } = call.request;
    if (body === null || body instanceof Uint8Array) {
      this.#sendWhole(body);
      return;
    }
    this.#owed = call.length;
    this.#outbox.onDrain = () => body.resume();
    body.start(this);
  }

  write(chunk: Uint8Array): boolean {
    const call = this.#call;
    if (call === null || this.#sent || chunk.length === 0) return true;
    const outbox = this.#outbox;
    if (call.chunked) {
      outbox.frame(`${chunk.length.toString(16)}\r\n`, chunk, "\r\n");
    } else {
      if (chunk.length > this.#owed) {
        this.fail(new TransportError("invalid_message", "the body is longer than its Content-Length"));
        return true;
      }
      this.#owed -= chunk.length;
      outbox.frame("", chunk, "");
    }
    return outbox.send();
  }

  end(trailers?: string[]): void {
    const call = this.#call;
    if (call === null || this.#sent) return;
    if (call.chunked) this.#outbox.text(lastChunk(trailers));
    else if (this.#owed > 0) {
      this.fail(new TransportError("invalid_message", "the body is shorter than its Content-Length"));
      return;
    }
    this.#outbox.flush();
    this.#outbox.onDrain = null;
    this.#sent = true;
    call.bodySent();
  }

  /** The request's body broke off: the upstream must not take what it has for the whole. */
  fail(error: TransportError): void {
    this.#closeWith(error);
  }

  // The response.

  #feed(chunk: Buffer): void {
    switch (this.#state) {
      case "head": {
        this.#answered = true;
        const pending = this.#pending;
        this.#pending = null;
        this.#readHeads(pending === null ? chunk : Buffer.concat([pending, chunk]));
        return;
      }
      case "body":
        this.#readBody(chunk, 0);
        return;
      case "tunnel":
        this.#tunnel!.push(chunk);
        return;
      default:
        // Nobody asked: whatever this is, it must not become the next caller's answer.
        this.#socket.destroy();
    }
  }

  #readHeads(input: Buffer): void {
    while (this.#state === "head") {
      const length = this.#scanner.scan(input);
      const size = length === MORE ? input.length : length;
      if (length === BAD) {
        this.#close("upstream_protocol", `the response's head: ${this.#scanner.fault}`);
        return;
      }
      if (size > MAX_HEAD_BYTES || this.#scanner.lines > MAX_HEAD_LINES) {
        this.#close("upstream_protocol", "the response's head is too large");
        return;
      }
      if (length === MORE) {
        this.#pending = this.#lent ? Buffer.from(input) : input;
        return;
      }
      this.#scanner.reset();
      const head = parseResponseHead(input.toString("latin1", 0, length));
      if (typeof head === "string") {
        this.#close("upstream_protocol", `the response's head: ${head}`);
        return;
      }
      input = this.#takeHead(head, input.subarray(length));
    }
  }

  /** @returns bytes behind the head, if another head must follow */
  #takeHead(head: ResponseHead, rest: Buffer): Buffer {
    const call = this.#call!;
    if (head.status === 101) {
      if (call.request.upgrade === true) this.#becomeTunnel(call, head, rest);
      else this.#close("upstream_protocol", "the upstream switched protocols unasked");
      return rest;
    }
    if (head.status < 200) {
      if (++this.#interim > MAX_INTERIM) this.#close("upstream_protocol", "too many interim responses");
      else if (head.status === 100 && call.waitsForContinue) this.#sendBody();
      return rest;
    }
    this.#head = head;
    this.#deadline.clear();
    const bodyless = call.request.method === "HEAD" || head.status === 204 || head.status === 304;
    const length = bodyless ? 0 : head.chunked || head.contentLength >= 0 ? head.contentLength : -1;
    if (length === 0 && !(head.chunked && !bodyless)) {
      this.#respond(call, head);
      this.#complete(rest.length);
      return rest;
    }
    this.#decoder = head.chunked ? new ChunkedDecoder() : null;
    this.#left = length;
    this.#body = new InboundBody(this, length < 0 ? undefined : length, true, this.#lent);
    this.#state = "body";
    this.#respond(call, head);
    if (rest.length > 0) this.#readBody(rest, 0);
    return rest;
  }

  #respond(call: ClientCall, head: ResponseHead): void {
    const { status, reason, rawHeaders, httpVersion } = head;
    call.respond({ status, reason, rawHeaders, httpVersion, body: this.#body, tunnel: null });
  }

  #readBody(input: Buffer, at: number): void {
    const body = this.#body!;
    const decoder = this.#decoder;
    if (decoder !== null) {
      at = decoder.feed(input, at, body);
      if (decoder.fault !== null) {
        this.#close("upstream_protocol", `the response's body: ${decoder.fault}`);
        return;
      }
      if (decoder.done) {
        body.finish(decoder.trailers);
        this.#complete(input.length - at);
        return;
      }
    } else if (this.#left < 0) body.push(input);
    else {
      const upTo = Math.min(input.length, at + this.#left);
      this.#left -= upTo - at;
      body.push(at === 0 && upTo === input.length ? input : input.subarray(at, upTo));
      if (this.#left === 0) {
        body.finish();
        this.#complete(input.length - upTo);
        return;
      }
    }
    if (body.started && this.#state === "body" && !this.#socket.isPaused()) {
      this.#deadline.set(this.#call!.timeouts.idleMs);
    }
  }

  /** The response is whole. @param surplus bytes behind it, which nobody asked for */
  #complete(surplus: number): void {
    const call = this.#call;
    if (call === null) return;
    const head = this.#head!;
    this.#call = null;
    this.#deadline.clear();
    this.#continueDeadline?.clear();
    this.#outbox.onDrain = null;
    call.over();
    const hint = head.keepAliveMs;
    this.keepAliveMs =
      hint > 0 ? Math.min(call.timeouts.keepAliveMs, hint - 1000) : call.timeouts.keepAliveMs;
    const kept =
      head.keepAlive && this.#sent && surplus === 0 && this.keepAliveMs > 0 && call.request.upgrade !== true;
    call.cancelBody();
    if (!kept || this.#socket.readableEnded) {
      this.#state = "closed";
      this.#socket.destroy();
      return;
    }
    this.#state = "idle";
    this.#reused = true;
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#home.release(this);
  }

  #becomeTunnel(call: ClientCall, head: ResponseHead, rest: Buffer): void {
    const tunnel = new SocketTunnel(this.#socket, this.#outbox, this.#lent);
    this.#tunnel = tunnel;
    this.#state = "tunnel";
    this.#sent = true;
    this.#deadline.clear();
    if (rest.length > 0) tunnel.push(rest);
    const { status, reason, rawHeaders, httpVersion } = head;
    call.respond({ status, reason, rawHeaders, httpVersion, body: null, tunnel });
  }

  // The response's consumer.

  startBody(body: InboundBody): void {
    if (body === this.#body && this.#state === "body") this.#deadline.set(this.#call!.timeouts.idleMs);
  }

  pauseBody(): void {
    if (this.#state !== "body") return;
    this.#deadline.clear();
    this.#socket.pause();
  }

  resumeBody(): void {
    if (this.#state !== "body") return;
    this.#deadline.set(this.#call!.timeouts.idleMs);
    this.#socket.resume();
  }

  cancelBody(body: InboundBody): void {
    if (body !== this.#body || this.#state !== "body") return;
    if (this.#sent && this.#left >= 0 && this.#decoder === null && this.#left <= DISCARD_BYTES) {
      this.#deadline.set(this.#call!.timeouts.idleMs);
      this.#socket.resume();
    } else this.#close("aborted", "the response was not wanted");
  }

  // Ends.

  #peerEnded(): void {
    if (this.#state === "tunnel") this.#tunnel!.peerEnded();
    else if (this.#state === "body" && this.#decoder === null && this.#left < 0) {
      this.#body!.finish();
      this.#complete(0);
    } else this.#close("upstream_closed", this.#whereClosed());
  }

  #whereClosed(): string {
    return this.#answered
      ? "the upstream closed the connection in the middle of its response"
      : "the upstream closed the connection without a response";
  }

  #gone(): void {
    this.#deadline.stop();
    this.#continueDeadline?.stop();
    if (this.#tunnel !== null) {
      this.#call?.over();
      this.#call = null;
      this.#tunnel.gone();
    } else if (this.#call !== null) this.#close("upstream_closed", this.#whereClosed());
    this.#state = "closed";
    this.#home.gone(this);
  }

  #close(code: TransportErrorCode, message: string): void {
    const stale = code === "upstream_closed" && this.#reused && !this.#answered && this.#call !== null;
    if (stale) this.#home.stale();
    this.#closeWith(new TransportError(code, message, { cause: this.#error ?? undefined, stale }));
  }

  #closeWith(error: TransportError): void {
    const call = this.#call;
    const body = this.#body;
    this.#call = null;
    this.#state = "closed";
    this.#outbox.onDrain = null;
    this.#deadline.clear();
    this.#continueDeadline?.clear();
    this.#socket.destroy();
    if (call === null) return;
    if (error.stale && !call.retried && call.repeatable) {
      call.retried = true;
      this.#home.retry(call);
      return;
    }
    call.fail(error);
    call.cancelBody();
    body?.fail(error);
  }

  #expired(): void {
    if (this.#state === "idle") this.#socket.destroy();
    else if (this.#state === "head") {
      this.#close("headers_timeout", `no response within ${this.#call!.timeouts.headersMs} ms`);
    } else if (this.#state === "body") {
      this.#close("idle_timeout", `nothing more of the response within ${this.#call!.timeouts.idleMs} ms`);
    }
  }
}
