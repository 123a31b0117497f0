/** HTTP/2 to an upstream, on `node:http2`: one connection, many calls, each a stream with its own timers. */
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { type BodySink, TransportError, type TransportErrorCode } from "../transport.ts";
import type { Carrier, ClientCall } from "./client-call.ts";
import { Deadline } from "./deadline.ts";
import { isTrailerName } from "./fields.ts";
import { type BodyOwner, InboundBody } from "./inbound-body.ts";

/** Where it belongs. */
export interface SessionHome {
  gone(connection: Http2Connection): void;
  retry(call: ClientCall): void;
}

/** Fields that belong to one HTTP/1.1 connection, or that HTTP/2 says otherwise (RFC 9113 §8.2.2). */
const NOT_IN_HTTP2 = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM, NGHTTP2_NO_ERROR, NGHTTP2_FLAG_END_STREAM } = http2.constants;

export class Http2Connection {
  readonly #home: SessionHome;
  readonly #session: ClientHttp2Session;
  readonly #deadline = new Deadline(() => this.#session.close());
  #streams = 0;
  #closing = false;
  keepAliveMs = 0;

  constructor(home: SessionHome, socket: Socket, authority: string) {
    this.#home = home;
    this.#session = http2.connect(`https://${authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false },
    });
    this.#session.on("error", doNothing);
    this.#session.on("goaway", () => this.closeWhenIdle());
    this.#session.once("close", () => {
      this.#deadline.stop();
      this.#home.gone(this);
    });
  }

  get usable(): boolean {
    const session = this.#session;
    const most = session.remoteSettings?.maxConcurrentStreams ?? 100;
    return !this.#closing && !session.closed && !session.destroyed && this.#streams < most;
  }

  begin(call: ClientCall): void {
    this.#streams++;
    this.#deadline.clear();
    this.keepAliveMs = call.timeouts.keepAliveMs;
    try {
      new Http2Exchange(this, this.#session, call);
    } catch (cause) {
      // `session.request` refuses what HTTP/2 cannot say.
      this.exchangeOver();
      call.fail(
        new TransportError("invalid_message", (cause as Error).message, { cause, nothingSent: true }),
      );
    }
  }

  /** No new calls; the connection goes with the last one under way. */
  closeWhenIdle(): void {
    this.#closing = true;
    this.#session.close();
  }

  // From its exchanges.

  exchangeOver(): void {
    if (--this.#streams === 0 && !this.#closing) this.#deadline.set(this.keepAliveMs);
  }

  retry(call: ClientCall): void {
    this.#closing = true;
    this.#home.retry(call);
  }
}

class Http2Exchange implements BodyOwner, BodySink, Carrier {
  readonly #connection: Http2Connection;
  readonly #call: ClientCall;
  readonly #stream: ClientHttp2Stream;
  readonly #deadline = new Deadline(() => this.#expired());
  #body: InboundBody | null = null;
  #requestTrailers: OutgoingHttpHeaders | null = null;
  #responseTrailers: string[] | undefined;
  #sent = false;
  #bodyStarted = false;
  #over = false;
  #error: Error | null = null;

  constructor(connection: Http2Connection, session: ClientHttp2Session, call: ClientCall) {
    this.#connection = connection;
    this.#call = call;
    call.carrier = this;
    const { body } = call.request;
    const streams = body !== null && !(body instanceof Uint8Array);
    this.#stream = session.request(toHttp2(call), { endStream: body === null, waitForTrailers: streams });
    this.#stream.on("response", (_headers, flags, raw) => this.#respond(flags, raw as unknown as string[]));
    this.#stream.on("continue", () => this.#sendBody());
    this.#stream.on("trailers", (_headers, _flags, ...rest) => {
      this.#responseTrailers = withoutPseudo(rest[0] as unknown as string[]);
    });
    this.#stream.on("data", (chunk: Buffer) => this.#data(chunk));
    this.#stream.on("end", () => this.#end());
    this.#stream.on("error", (error) => (this.#error = error));
    this.#stream.on("close", () => this.#closed());
    this.#stream.on("drain", () => {
      if (streams && !this.#sent) body.resume();
    });
    this.#stream.on("wantTrailers", () => {
      if (!this.#stream.destroyed) this.#stream.sendTrailers(this.#requestTrailers ?? {});
    });
    this.#deadline.set(call.timeouts.headersMs);
    if (body === null) this.#sent = true;
    else if (call.waitsForContinue)
      setTimeout(() => this.#sendBody(), call.request.continueTimeoutMs).unref();
    else this.#sendBody();
  }

  abandon(): void {
    this.#fail(new TransportError("aborted", "the request was aborted"));
  }

  #sendBody(): void {
    const { body } = this.#call.request;
    if (body === null || this.#bodyStarted || this.#over) return;
    this.#bodyStarted = true;
    if (body instanceof Uint8Array) {
      this.#stream.end(body);
      this.#sent = true;
      this.#call.bodySent();
    } else body.start(this);
  }

  // The request's body.

  write(chunk: Uint8Array): boolean {
    if (this.#over || this.#sent || chunk.length === 0) return true;
    return this.#stream.write(chunk);
  }

  end(trailers?: string[]): void {
    if (this.#over || this.#sent) return;
    this.#sent = true;
    this.#call.bodySent();
    if (trailers !== undefined) this.#requestTrailers = fields(trailers, isTrailerName);
    this.#stream.end();
  }

  fail(error: TransportError): void {
    this.#fail(error);
  }

  // The response.

  #respond(flags: number, raw: string[]): void {
    if (this.#over) return;
    const { request } = this.#call;
    const status = Number(raw[raw.indexOf(":status") + 1]);
    const rawHeaders = withoutPseudo(raw);
    const bodyless =
      (flags & NGHTTP2_FLAG_END_STREAM) !== 0 ||
      request.method === "HEAD" ||
      status === 204 ||
      status === 304;
    this.#deadline.clear();
    if (!bodyless) this.#body = new InboundBody(this, contentLength(rawHeaders), true, false);
    this.#call.respond({ status, reason: "", rawHeaders, httpVersion: "2", body: this.#body, tunnel: null });
    if (this.#body === null) this.#stream.resume();
  }

  #data(chunk: Buffer): void {
    const body = this.#body;
    if (body === null || this.#over) return;
    body.push(chunk);
    if (body.started && !this.#over && !this.#stream.isPaused())
      this.#deadline.set(this.#call.timeouts.idleMs);
  }

  #end(): void {
    // Node ends the readable side of a stream that was reset, too; its "close" then says how.
    if (this.#over || this.#stream.rstCode !== NGHTTP2_NO_ERROR || !this.#call.settled) return;
    this.#finish();
    this.#body?.finish(this.#responseTrailers);
    // The upstream is done; a body still on its way up is not wanted any more (RFC 9113 §8.1).
    if (!this.#sent) {
      this.#call.cancelBody();
      this.#stream.close(NGHTTP2_NO_ERROR);
    }
  }

  #closed(): void {
    if (this.#over) return;
    const { rstCode } = this.#stream;
    const call = this.#call;
    const bytes = call.request.body === null || call.request.body instanceof Uint8Array;
    if (rstCode === NGHTTP2_REFUSED_STREAM && bytes && !call.settled && !call.retried) {
      // Refused unprocessed, says RFC 9113 §8.7: safe whatever the method.
      call.retried = true;
      this.#finish(false);
      this.#connection.retry(call);
      return;
    }
    const protocol = (this.#error as NodeJS.ErrnoException | null)?.code === "ERR_HTTP2_ERROR";
    const code: TransportErrorCode = protocol ? "upstream_protocol" : "upstream_closed";
    const message = `the upstream ended the stream (${this.#error?.message ?? `code ${rstCode}`})`;
    this.#fail(new TransportError(code, message, { cause: this.#error ?? undefined }));
  }

  #finish(forget = true): void {
    this.#over = true;
    this.#deadline.stop();
    if (forget) this.#call.over();
    this.#connection.exchangeOver();
  }

  #fail(error: TransportError): void {
    if (this.#over) return;
    this.#finish();
    this.#call.fail(error);
    this.#call.cancelBody();
    this.#body?.fail(error);
    if (!this.#stream.destroyed) this.#stream.close(NGHTTP2_CANCEL);
  }

  #expired(): void {
    const { headersMs, idleMs } = this.#call.timeouts;
    if (this.#body === null)
      this.#fail(new TransportError("headers_timeout", `no response within ${headersMs} ms`));
    else this.#fail(new TransportError("idle_timeout", `nothing more of the response within ${idleMs} ms`));
  }

  // The response's consumer.

  startBody(): void {
    if (!this.#over) this.#deadline.set(this.#call.timeouts.idleMs);
  }

  pauseBody(): void {
    this.#deadline.clear();
    this.#stream.pause();
  }

  resumeBody(): void {
    if (!this.#over) this.#deadline.set(this.#call.timeouts.idleMs);
    this.#stream.resume();
  }

  cancelBody(): void {
    this.#fail(new TransportError("aborted", "the response was not wanted"));
  }
}

function toHttp2(call: ClientCall): OutgoingHttpHeaders {
  const { request } = call;
  const raw = request.rawHeaders;
  const headers = fields(raw, (name) => !NOT_IN_HTTP2.has(name));
  for (let i = 0; i < raw.length; i += 2)
    if (raw[i]!.toLowerCase() === "host") headers[":authority"] = raw[i + 1]!;
  headers[":method"] = request.method;
  headers[":scheme"] = request.scheme;
  headers[":path"] = request.target;
  if (headers["te"] !== "trailers") delete headers["te"];
  if (request.body !== null && call.length >= 0) headers["content-length"] = String(call.length);
  if (call.waitsForContinue) headers["expect"] = "100-continue";
  return headers;
}

/** Flat list → one entry per lower-case name, several lines as an array. */
function fields(raw: readonly string[], wanted: (name: string) => boolean): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (!wanted(name)) continue;
    const before = headers[name];
    if (before === undefined) headers[name] = raw[i + 1]!;
    else headers[name] = typeof before === "string" ? [before, raw[i + 1]!] : [...before, raw[i + 1]!];
  }
  return headers;
}

function withoutPseudo(raw: readonly string[] | undefined): string[] {
  const list: string[] = [];
  if (raw === undefined) return list;
  for (let i = 0; i < raw.length; i += 2) if (raw[i]!.charCodeAt(0) !== 58) list.push(raw[i]!, raw[i + 1]!);
  return list;
}

function contentLength(raw: readonly string[]): number | undefined {
  const at = raw.indexOf("content-length");
  return at >= 0 && /^\d{1,15}$/.test(raw[at + 1]!) ? Number(raw[at + 1]) : undefined;
}

function doNothing(): void {}
