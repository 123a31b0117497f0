/**
 * What the rest of the program knows of sockets: two small interfaces, `Server` and `Client`, which every adapter
 * (`node/`, later our own `http1/`) implements and `transport.suite.ts` tests.
 *
 * Bodies are pushed, not pulled: a `BodySource` writes chunks into one `BodySink`; the sink answers `false` when it
 * is full and calls `source.resume()` when it has drained. That is one call per chunk with no promise, and a tap
 * (usage, logging, a rewriter) is just a sink in between. Headers travel as flat `[name, value, …]` arrays.
 */
import type { Abort } from "../base/abort.ts";

export interface BodySource {
  /** Octets that will come, if the message says so (Content-Length). */
  readonly length: number | undefined;
  /** Starts the flow into `sink`. Called at most once. */
  start(sink: BodySink): void;
  /** The sink has room again. */
  resume(): void;
  /** Nobody wants the rest: frees the connection (drains if little is left, closes otherwise). */
  cancel(): void;
}

export interface BodySink {
  /** Takes a chunk. `false`: do not write before `resume()`; writing on is allowed but buffers. */
  write(chunk: Uint8Array): boolean;
  /** The body is complete. `trailers` is a flat list. */
  end(trailers?: string[]): void;
  /** The body broke off. */
  fail(error: TransportError): void;
  /**
   * True: of a chunk, `write` keeps nothing when it returns, so its memory may be a socket's read buffer. A sink that
   * only passes chunks on to such a sink should say so, too; without it, each chunk is a copy of its own.
   */
  readonly borrows?: boolean;
}

/** A request as it came in, and the way to answer it. The listener gets one per request. */
export interface Incoming {
  readonly method: string;
  /**
   * The request target as received, e.g. `/a/b?c=d`, or `*` for OPTIONS. An absolute target (`http://host/a`) comes
   * without its authority, which has been found to be Host's.
   */
  readonly target: string;
  readonly rawHeaders: string[];
  readonly httpVersion: "1.0" | "1.1" | "2";
  /** Caller's address without port; IPv4-mapped IPv6 is given as IPv4. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly encrypted: boolean;
  /** DER of the client's certificate, when TLS asked for one and got it. */
  clientCertificate(): Uint8Array | null;
  /** null when the message has no body (no framing headers, or Content-Length: 0). */
  readonly body: BodySource | null;
  /** Raises or lowers the body limit for this one request (an API's own), before the body is started. */
  limitBody(bytes: number): void;
  /**
   * True for `Connection: Upgrade` with an `Upgrade` header (other than h2c, and without a body): answer with
   * `reply.upgrade` or an ordinary reply.
   */
  readonly upgrade: boolean;
  readonly reply: Reply;
  /**
   * Aborted with `"client"` when the caller hangs up (or stalls past a limit) before the reply is complete. A caller's
   * FIN is a hang-up. Also aborted when the adapter has answered itself, because the body broke a rule or a
   * limit (400, 408, 413): then `reply.started` is true, and `onRefused` says what it was.
   */
  readonly abort: Abort;
  /** What the adapter answered in place of the gateway, when it did. */
  readonly refusal: Refusal | null;
}

export interface Reply {
  /** True once the head has gone out. */
  readonly started: boolean;
  /** Whole answer in one go; the adapter adds Content-Length and Date. `reason` empty = the standard phrase. */
  send(status: number, reason: string, rawHeaders: string[], body: Uint8Array | null): void;
  /**
   * Head of a streamed answer. The adapter frames the body: it keeps a Content-Length that is in `rawHeaders`,
   * otherwise uses chunked (1.1) or closes (1.0). `onDrain` is called when a sink that said `false` has room.
   * @returns where the body goes; `fail` on it closes the connection (HTTP/2: resets the stream) so that the client
   *   sees the truncation
   */
  head(status: number, reason: string, rawHeaders: string[], onDrain: () => void): BodySink;
  /** 101: sends the head and hands out the raw duplex connection. Only when `incoming.upgrade`. */
  upgrade(status: number, reason: string, rawHeaders: string[]): Tunnel;
  /** Called once, when the last byte was handed to the kernel (true) or the connection is gone (false). */
  onFinish(listener: (complete: boolean) => void): void;
}

/** A raw two-way byte connection after an upgrade. */
export interface Tunnel {
  readonly source: BodySource;
  /** `onDrain` as in `Reply.head`. */
  sink(onDrain: () => void): BodySink;
  close(): void;
}

export interface ServerOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly tls?: ServerTls;
  readonly limits?: Partial<ServerLimits>;
  /** Speak HTTP/2, too: by ALPN with TLS, by prior knowledge without. Default true. */
  readonly http2?: boolean;
  /** Every complete, well-framed request head. Must not throw. */
  readonly onRequest: (incoming: Incoming) => void;
  /**
   * A request refused by the adapter itself (framing, limits, timers), for the log. Most never reach `onRequest`; a
   * fault in a body that is being read does so after it, unless the body's consumer answers at once from `fail`.
   */
  readonly onRefused?: (refusal: Refusal) => void;
}

export interface ServerTls {
  /** PEM. */
  readonly key: string;
  /** PEM, chain included. */
  readonly cert: string;
  /** Ask for a client certificate (any is let through; policies judge it). */
  readonly requestClientCertificate?: boolean;
}

/** Defaults: `DEFAULT_SERVER_LIMITS`, from `reliability.md` A3. */
export interface ServerLimits {
  readonly headerBytes: number;
  readonly headerCount: number;
  readonly targetBytes: number;
  readonly bodyBytes: number;
  readonly headerTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
  readonly writeStallTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
}

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  headerBytes: 16 * 1024,
  headerCount: 100,
  targetBytes: 8 * 1024,
  bodyBytes: 10 * 1024 * 1024,
  headerTimeoutMs: 10_000,
  bodyIdleTimeoutMs: 30_000,
  writeStallTimeoutMs: 120_000,
  keepAliveTimeoutMs: 75_000,
};

export interface Refusal {
  /** The request had been handed to `onRequest` already, so its own record can tell of it. */
  readonly underWay: boolean;
  readonly status: number;
  readonly code: RefusalCode;
  readonly detail: string;
  /** The id in the body that the caller got. */
  readonly requestId: string;
  readonly remoteAddress: string;
  readonly method?: string;
  readonly target?: string;
}

export type RefusalCode =
  | "bad_framing"
  | "header_too_large"
  | "too_many_headers"
  | "target_too_long"
  | "body_too_large"
  | "client_header_timeout"
  | "client_body_timeout"
  | "unsupported_transfer_coding"
  | "unsupported_version"
  | "unsupported_expectation"
  | "connect_not_allowed";

export interface Server {
  /** The port it listens on. */
  readonly port: number;
  /** Requests being answered and open tunnels. */
  readonly active: number;
  /** Stops accepting; idle connections close, busy ones answer `Connection: close`. Resolves when all are gone. */
  drain(): Promise<void>;
  /** Closes everything now. */
  close(): Promise<void>;
  /** Takes a new certificate for connections to come. */
  setTls(tls: ServerTls): void;
}

export interface ClientRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** Path and query, already encoded. */
  readonly target: string;
  /** Flat; must hold `Host`. The adapter adds framing headers only (Content-Length or Transfer-Encoding). */
  readonly rawHeaders: string[];
  readonly body: BodySource | Uint8Array | null;
  readonly abort: Abort;
  readonly tls?: ClientTls;
  readonly timeouts?: Partial<ClientTimeouts>;
  /** Ask for an upgrade: `rawHeaders` carries Connection and Upgrade; the answer may be 101. */
  readonly upgrade?: boolean;
  /** `2`/`2or1` try HTTP/2 by ALPN (https) or prior knowledge (http, `2` only). */
  readonly httpVersion?: "1" | "2" | "2or1";
  /** `Expect: 100-continue`: wait this long for the interim answer before the body is sent. */
  readonly continueTimeoutMs?: number;
  /**
   * Asked for each address before it is connected to (the host itself, or what its name resolves to; the proxy's when
   * there is one): true means never. Requests share connections only with those of the very same function.
   */
  readonly refuse?: (address: string) => boolean;
  /** Go through an HTTP proxy: `http` by absolute target, `https` through a tunnel. */
  readonly proxy?: ClientProxy;
}

export interface ClientProxy {
  readonly host: string;
  readonly port: number;
  /** Value of Proxy-Authorization; null for none. */
  readonly authorization: string | null;
}

export interface ClientTls {
  readonly validateChain: boolean;
  readonly validateName: boolean;
  readonly serverName?: string;
  /** PEM, additional trust. */
  readonly ca?: readonly string[];
  /** Accept exactly these certificates (SHA-1 or SHA-256 thumbprints, hex) whatever the chain. */
  readonly thumbprints?: readonly string[];
  /**
   * Accept certificates of these common names, whatever the host's: signed by a certificate with one of the issuer's
   * thumbprints (several are separated by commas), or without any by somebody who is trusted.
   */
  readonly x509Names?: readonly { readonly name: string; readonly issuer: string | null }[];
  readonly certificate?:
    | { readonly pfx: Uint8Array; readonly passphrase?: string }
    | { readonly key: string; readonly cert: string };
}

export interface ClientTimeouts {
  readonly connectMs: number;
  readonly tlsMs: number;
  /** From the request's last byte (or its first, for streams) to the response's head. 0 = off. */
  readonly headersMs: number;
  /** Between two chunks of the response. 0 = off. */
  readonly idleMs: number;
  readonly keepAliveMs: number;
}

export const DEFAULT_CLIENT_TIMEOUTS: ClientTimeouts = {
  connectMs: 5_000,
  tlsMs: 10_000,
  headersMs: 300_000,
  idleMs: 120_000,
  keepAliveMs: 4_000,
};

export interface ClientResponse {
  readonly status: number;
  readonly reason: string;
  readonly rawHeaders: string[];
  readonly httpVersion: "1.0" | "1.1" | "2";
  /** null when the message cannot have a body (HEAD, 204, 304) or has Content-Length: 0. */
  readonly body: BodySource | null;
  /** For a 101. */
  readonly tunnel: Tunnel | null;
}

export interface Client {
  /**
   * Sends one request. Resolves with the response's head.
   * @throws TransportError with the `code` of what failed; after `abort`, code `aborted`
   */
  send(request: ClientRequest): Promise<ClientResponse>;
  /** Closes idle connections and refuses new requests. */
  close(): Promise<void>;
}

export type TransportErrorCode =
  | "connect_failed"
  | "connect_timeout"
  | "dns_failed"
  /** `ClientRequest.refuse` said so. */
  | "address_refused"
  | "tls_failed"
  | "tls_timeout"
  | "headers_timeout"
  | "idle_timeout"
  /** Of one request's own timers (`backends/attempts/timed-body.ts`). */
  | "first_byte_timeout"
  | "total_timeout"
  | "upstream_closed"
  | "upstream_protocol"
  | "response_too_large"
  | "body_too_large"
  | "client_disconnected"
  | "client_body_timeout"
  | "client_write_stall"
  /** The caller's body broke the rules of chunked coding. */
  | "bad_framing"
  /** What we were asked to send cannot be put on the wire (a line break in a header value, …). */
  | "invalid_message"
  | "aborted";

export class TransportError extends Error {
  readonly code: TransportErrorCode;
  /** True when no byte of the request can have reached the peer, so that a second try is safe. */
  readonly nothingSent: boolean;
  /**
   * True when a connection that had served before was closed without a byte of an answer: the closing of an idle
   * connection may have crossed the request on its way (RFC 9112 §9.3.1), which says nothing of the peer's health.
   */
  readonly stale: boolean;

  constructor(
    code: TransportErrorCode,
    message: string,
    options: { cause?: unknown; nothingSent?: boolean; stale?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TransportError";
    this.code = code;
    this.nothingSent = options.nothingSent ?? false;
    this.stale = options.stale ?? false;
  }
}
