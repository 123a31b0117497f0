/** One request and its answer on a server connection: what the listener sees of both. */
import type { TLSSocket } from "node:tls";
import { Abort } from "../../base/abort.ts";
import {
  type BodySink,
  type Incoming,
  type Refusal,
  type Reply,
  TransportError,
  type Tunnel,
} from "../transport.ts";
import type { InboundBody } from "./inbound-body.ts";
import { dateLine, fieldLines, lastChunk, met, statusLine } from "./message.ts";
import type { RequestHead } from "./request-head.ts";
import type { ServerConnection } from "./server-connection.ts";

export class ServerExchange implements Incoming {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: string[];
  readonly httpVersion: "1.0" | "1.1";
  readonly upgrade: boolean;
  readonly body: InboundBody | null;
  readonly reply: ServerReply;
  readonly abort = new Abort();
  refusal: Refusal | null = null;
  readonly head: RequestHead;
  /** Octets of body allowed. */
  bodyLimit: number;
  readonly #connection: ServerConnection;

  constructor(connection: ServerConnection, head: RequestHead, body: InboundBody | null, bodyLimit: number) {
    this.#connection = connection;
    this.head = head;
    this.method = head.method;
    this.target = head.target;
    this.rawHeaders = head.rawHeaders;
    this.httpVersion = head.httpVersion;
    this.upgrade = head.upgrade;
    this.body = body;
    this.bodyLimit = bodyLimit;
    this.reply = new ServerReply(connection, this);
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

  clientCertificate(): Uint8Array | null {
    if (!this.encrypted) return null;
    const certificate = (this.#connection.socket as TLSSocket).getPeerCertificate();
    return certificate?.raw ?? null;
  }

  limitBody(bytes: number): void {
    this.bodyLimit = bytes;
  }
}

const UNSENT = 0;
const STREAMING = 1;
const OVER = 2;

/** How the end of the body is told (RFC 9112 §6.3). */
type Framing = "none" | "length" | "chunked" | "close";

export class ServerReply implements Reply, BodySink {
  readonly borrows = true;
  readonly #connection: ServerConnection;
  readonly #exchange: ServerExchange;
  #state = UNSENT;
  #framing: Framing = "none";
  /** Octets still owed under `length`. */
  #owed = 0;
  #listeners: ((complete: boolean) => void)[] = [];
  #finished: boolean | null = null;

  constructor(connection: ServerConnection, exchange: ServerExchange) {
    this.#connection = connection;
    this.#exchange = exchange;
  }

  get started(): boolean {
    return this.#state !== UNSENT;
  }

  /** Everything was written, or never will be. */
  get over(): boolean {
    return this.#state === OVER;
  }

  send(status: number, reason: string, rawHeaders: string[], body: Uint8Array | null): void {
    if (this.#state !== UNSENT) return;
    const line = finalLine(status, reason);
    const bodyless = this.#isBodyless(status);
    const fields = fieldLines(rawHeaders, false);
    let length = "";
    if (status !== 204) {
      // Of a body that is only spoken of (HEAD, 304) nothing is said when its length is not known: 0 would be a lie.
      const announced = body === null ? (bodyless ? met.contentLength : 0) : body.length;
      if (announced > 0 || (announced === 0 && status !== 304)) length = `Content-Length: ${announced}\r\n`;
    }
    this.#open(line + fields + length, true);
    if (body !== null && !bodyless && body.length > 0) this.#connection.outbox.bytes(body);
    this.#close();
  }

  head(status: number, reason: string, rawHeaders: string[], onDrain: () => void): BodySink {
    if (this.#state !== UNSENT) return this;
    const fields = fieldLines(rawHeaders, false);
    let text = finalLine(status, reason) + fields;
    const length = met.contentLength;
    if (this.#isBodyless(status)) {
      this.#framing = "none";
      if (length >= 0 && status !== 204) text += `Content-Length: ${length}\r\n`;
    } else if (length >= 0) {
      this.#framing = "length";
      this.#owed = length;
      text += `Content-Length: ${length}\r\n`;
    } else if (this.#exchange.httpVersion === "1.1") {
      this.#framing = "chunked";
      text += "Transfer-Encoding: chunked\r\n";
    } else this.#framing = "close";
    this.#connection.outbox.onDrain = onDrain;
    this.#open(text, this.#framing !== "close");
    this.#connection.outbox.send();
    return this;
  }

  upgrade(status: number, reason: string, rawHeaders: string[]): Tunnel {
    if (status !== 101) throw new TransportError("invalid_message", `${status} does not switch protocols`);
    if (!this.#exchange.upgrade)
      throw new TransportError("invalid_message", "the request asked for no upgrade");
    if (this.#state !== UNSENT) throw new TransportError("client_disconnected", "the caller has gone");
    const text = `${statusLine(status, reason)}${fieldLines(rawHeaders, true)}\r\n`;
    this.#state = OVER;
    this.#connection.outbox.text(text);
    return this.#connection.becomeTunnel();
  }

  onFinish(listener: (complete: boolean) => void): void {
    if (this.#finished === null) this.#listeners.push(listener);
    else listener(this.#finished);
  }

  // The body's sink, handed out by `head`.

  write(chunk: Uint8Array): boolean {
    if (this.#state !== STREAMING || chunk.length === 0) return true;
    const outbox = this.#connection.outbox;
    switch (this.#framing) {
      case "none":
        return true;
      case "chunked":
        outbox.frame(`${chunk.length.toString(16)}\r\n`, chunk, "\r\n");
        break;
      case "length":
        // A second message must not start inside this one: what is too much is cut, and the connection closed.
        if (chunk.length > this.#owed) {
          this.#connection.closeAfterReply();
          chunk = chunk.subarray(0, this.#owed);
          if (chunk.length === 0) return true;
        }
        this.#owed -= chunk.length;
        outbox.frame("", chunk, "");
        break;
      case "close":
        outbox.frame("", chunk, "");
    }
    if (outbox.send()) return true;
    this.#connection.watchStall();
    return false;
  }

  end(trailers?: string[]): void {
    if (this.#state !== STREAMING) return;
    if (this.#framing === "chunked") this.#connection.outbox.text(lastChunk(trailers));
    else if (this.#framing === "length" && this.#owed > 0) {
      this.fail();
      return;
    }
    this.#close();
  }

  /** Cuts the connection so that the caller cannot take what came so far for the whole. */
  fail(): void {
    if (this.#state !== STREAMING) return;
    this.#state = OVER;
    this.#connection.truncate(this.#framing === "close");
  }

  // From the connection.

  /** The connection took over the answer (a refusal) or has gone. */
  seize(): void {
    this.#state = OVER;
  }

  finish(complete: boolean): void {
    if (this.#finished !== null) return;
    this.#finished = complete;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener(complete);
  }

  #isBodyless(status: number): boolean {
    return status === 204 || status === 304 || this.#exchange.method === "HEAD";
  }

  /** Adds what every head of ours has and puts it into the outbox. */
  #open(text: string, delimited: boolean): void {
    const keep = this.#connection.decideKeepAlive(delimited && !met.close);
    let connection = "";
    if (!keep) connection = "Connection: close\r\n";
    else if (this.#exchange.httpVersion === "1.0") connection = "Connection: keep-alive\r\n";
    this.#connection.outbox.text(`${text}${met.date ? "" : dateLine()}${connection}\r\n`);
    this.#state = STREAMING;
  }

  #close(): void {
    this.#state = OVER;
    this.#connection.replyWritten();
  }
}

/** 101 is a switch, not an answer: who reads it takes what follows for another protocol. */
function finalLine(status: number, reason: string): string {
  if (status === 101) throw new TransportError("invalid_message", "101 is sent by `upgrade` only");
  return statusLine(status, reason);
}
