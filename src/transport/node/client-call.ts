/** One request on its way, whatever carries it: a connection being opened, an HTTP/1.1 connection, an HTTP/2 stream. */
import {
  type ClientRequest,
  type ClientResponse,
  type ClientTimeouts,
  DEFAULT_CLIENT_TIMEOUTS,
  TransportError,
} from "../transport.ts";
import { authorityOf, proxyCredentials } from "./client-proxy.ts";
import { fieldLines, met, requestLine } from "./message.ts";

/** What carries a call and has to go when the call is aborted. */
export interface Carrier {
  abandon(): void;
}

/** Methods whose repetition does no harm (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"]);

export class ClientCall {
  readonly request: ClientRequest;
  readonly timeouts: ClientTimeouts;
  /** Head as it goes out on HTTP/1.1, framing included. */
  readonly head: string;
  /** The body is framed as chunks. */
  readonly chunked: boolean;
  /** Octets that the body must have; -1 = not said. */
  readonly length: number;
  /** `host:port` for a proxy; empty without one. */
  readonly authority: string = "";
  carrier: Carrier | null = null;
  /** A second connection has been tried. */
  retried = false;
  settled = false;
  readonly #resolve: (response: ClientResponse) => void;
  readonly #reject: (error: TransportError) => void;
  readonly #forgetAbort: () => void;
  #bodyOver = false;

  /** @throws TransportError `invalid_message` */
  constructor(
    request: ClientRequest,
    resolve: (response: ClientResponse) => void,
    reject: (error: TransportError) => void,
  ) {
    this.request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.timeouts = request.timeouts === undefined ? DEFAULT_CLIENT_TIMEOUTS : withDefaults(request.timeouts);
    const { body, method, proxy } = request;
    let origin = "";
    let credentials = "";
    if (proxy !== undefined) {
      this.authority = authorityOf(request.host, request.port);
      credentials = proxyCredentials(proxy);
      if (request.scheme === "http") origin = `http://${this.authority}`;
    }
    let text =
      requestLine(method, request.target, origin) + fieldLines(request.rawHeaders, request.upgrade === true);
    if (origin !== "") text += credentials;
    if (met.hosts !== 1)
      throw new TransportError("invalid_message", `a request with ${met.hosts} Host headers`);
    this.length = body === null ? 0 : (body.length ?? -1);
    this.chunked = this.length < 0;
    if (this.chunked) text += "Transfer-Encoding: chunked\r\n";
    else if (body !== null || method === "POST" || method === "PUT" || method === "PATCH") {
      text += `Content-Length: ${this.length}\r\n`;
    }
    if (this.waitsForContinue && !met.expect) text += "Expect: 100-continue\r\n";
    this.head = `${text}\r\n`;
    this.#forgetAbort = request.abort.onAbort(() => {
      const carrier = this.carrier;
      this.fail(new TransportError("aborted", "the request was aborted", { nothingSent: carrier === null }));
      carrier?.abandon();
    });
  }

  get waitsForContinue(): boolean {
    const { body, continueTimeoutMs } = this.request;
    return continueTimeoutMs !== undefined && body !== null && this.length !== 0;
  }

  /** A second try cannot do harm: the body is at hand, and the method says so (RFC 9112 §9.3.1). */
  get repeatable(): boolean {
    const { body, method } = this.request;
    return (body === null || body instanceof Uint8Array) && IDEMPOTENT.has(method);
  }

  respond(response: ClientResponse): void {
    this.settled = true;
    this.#resolve(response);
  }

  /** Rejects, if there was no response yet; what has come of a response is the connection's to fail. */
  fail(error: TransportError): void {
    this.over();
    if (this.settled) return;
    this.settled = true;
    this.cancelBody();
    this.#reject(error);
  }

  /** The request's body has been sent whole. */
  bodySent(): void {
    this.#bodyOver = true;
  }

  /** The rest of the request's body is not wanted. */
  cancelBody(): void {
    if (this.#bodyOver) return;
    this.#bodyOver = true;
    const { body } = this.request;
    if (body !== null && !(body instanceof Uint8Array)) body.cancel();
  }

  /** Nothing is left that an abort could stop. */
  over(): void {
    this.carrier = null;
    this.#forgetAbort();
  }
}

const merged = new WeakMap<Partial<ClientTimeouts>, ClientTimeouts>();

function withDefaults(timeouts: Partial<ClientTimeouts>): ClientTimeouts {
  let whole = merged.get(timeouts);
  if (whole === undefined) {
    whole = { ...DEFAULT_CLIENT_TIMEOUTS, ...timeouts };
    merged.set(timeouts, whole);
  }
  return whole;
}
