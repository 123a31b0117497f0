/**
 * One HTTP/2 connection of a caller. The frames are `node:http2`'s (nghttp2's) business; here are its place among the
 * server's connections, its timers, its drain, and the limits on what nghttp2 allows: each stream is an exchange of
 * its own (`http2-server-exchange.ts`) and shares with the others only the socket.
 */
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { TransportError } from "../transport.ts";
import { Deadline } from "./deadline.ts";
import { Allowance } from "./http2-server-allowance.ts";
import { Http2Exchange } from "./http2-server-exchange.ts";
import { readHttp2Head } from "./http2-server-head.ts";
import { answerRefusal } from "./http2-server-reply.ts";
import { toRefusal } from "./refusal.ts";
import { Fault } from "./request-head.ts";
import type { HostedConnection, ServerHost } from "./server-connection.ts";

/** Streams at once (RFC 9113 §5.1.2 recommends no fewer). One more is refused unprocessed. */
const MAX_STREAMS = 100;
/** Octets of a body that a caller may send ahead of its consumer. */
const STREAM_WINDOW_BYTES = 128 * 1024;
/** The same for all bodies together, of which none can hold up another: what has come in is given back at once. */
const CONNECTION_WINDOW_BYTES = 1024 * 1024;
/** Streams that end by a reset, whosoever (CVE-2023-44487 rapid reset, CVE-2025-8671: frames that make us reset). */
const RESETS = { burst: 200, perSecond: 20 };
/** A client that measures its line sends a PING with every answer, and keep-alive one in seconds. */
const PINGS = { burst: 1_000, perSecond: 200 };
const SETTINGS = { burst: 50, perSecond: 5 };
/** After our part is over, how long the caller has to close its own. */
const LINGER_MS = 2_000;
/**
 * Node refuses new streams while so much is under way on a connection, answers that wait for their caller included: it
 * has to leave room for a few whole ones at the largest that is buffered (10 MiB).
 */
const SESSION_MB = 64;
/** What RFC 9113 §6.5.2 adds to the size of each field. */
const FIELD_OVERHEAD = 32;
/** Pseudo-fields: method, scheme, authority, path. */
const PSEUDO_FIELDS = 4;

const { NGHTTP2_NO_ERROR, NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_FLAG_END_STREAM } =
  http2.constants;

export class Http2ServerConnection implements HostedConnection {
  readonly host: ServerHost;
  readonly socket: Socket;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly encrypted: boolean;
  readonly #session: ServerHttp2Session;
  /** Idle or lingering, as `#phase` says. */
  readonly #deadline = new Deadline(() => this.#expired());
  readonly #resets = new Allowance(RESETS.burst, RESETS.perSecond);
  readonly #pings = new Allowance(PINGS.burst, PINGS.perSecond);
  readonly #settings = new Allowance(SETTINGS.burst, SETTINGS.perSecond);
  #phase: "opening" | "open" | "closing" = "opening";
  #streams = 0;

  /** @param socket with HTTP/2's preface next to be read */
  constructor(host: ServerHost, socket: Socket, encrypted: boolean) {
    this.host = host;
    this.socket = socket;
    this.encrypted = encrypted;
    const address = socket.remoteAddress ?? "";
    this.remoteAddress = address.startsWith("::ffff:") ? address.slice(7) : address;
    this.remotePort = socket.remotePort ?? 0;
    host.connections.add(this);
    socket.on("error", doNothing);
    socket.on("end", () => this.#destroy(NGHTTP2_CANCEL, "the caller hung up"));
    socket.once("close", () => this.#gone());
    this.#session = http2.performServerHandshake(socket, sessionOptions(host)) as ServerHttp2Session;
    this.#session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    this.#listen(this.#session);
    this.#deadline.set(host.limits.headerTimeoutMs);
  }

  destroy(): void {
    this.#destroy(NGHTTP2_CANCEL, "the server closes");
    this.socket.destroy();
  }

  closeWhenIdle(): void {
    this.#close();
  }

  /** A stream that was counted has gone. @param unwanted it was reset, and not by us for reasons of our own */
  streamGone(unwanted: boolean): void {
    if (unwanted) this.#charge(this.#resets);
    if (--this.#streams > 0) return;
    if (this.#phase === "open") this.#deadline.set(this.host.limits.keepAliveTimeoutMs);
    else if (this.#phase === "closing") this.#deadline.set(LINGER_MS);
  }

  #listen(session: ServerHttp2Session): void {
    session.on("error", doNothing);
    session.on("stream", (stream, _headers, flags, ...rest) =>
      this.#begin(stream as ServerHttp2Stream, flags, rest[0] as unknown as string[]),
    );
    session.on("remoteSettings", () => this.#settled());
    session.on("ping", () => this.#charge(this.#pings));
    session.on("goaway", () => this.#close());
  }

  #settled(): void {
    if (!this.#charge(this.#settings) || this.#phase !== "opening") return;
    this.#phase = "open";
    if (this.#streams === 0) this.#deadline.set(this.host.limits.keepAliveTimeoutMs);
  }

  #begin(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    stream.on("error", doNothing);
    if (stream.destroyed || stream.closed) {
      this.#charge(this.#resets);
      return;
    }
    this.#streams++;
    if (this.#phase === "open") this.#deadline.clear();
    const { host } = this;
    const head = readHttp2Head(raw, host.limits);
    const whole = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
    if (head instanceof Fault) {
      stream.once("close", () => this.streamGone(stream.rstCode !== NGHTTP2_NO_ERROR));
      const refusal = toRefusal(head, this.remoteAddress, false);
      answerRefusal(stream, refusal);
      host.onRefused?.(refusal);
      return;
    }
    host.onRequest(new Http2Exchange(this, stream, head, whole));
  }

  /** @returns false: this was too much, and the connection is over */
  #charge(allowance: Allowance): boolean {
    if (allowance.take(performance.now())) return true;
    this.#destroy(NGHTTP2_ENHANCE_YOUR_CALM, "too many frames that only cost us");
    return false;
  }

  /** Ends all streams with `code`: one that stood for "no error" would make a broken upload look whole. */
  #destroy(code: number, why: string): void {
    if (!this.#session.destroyed) this.#session.destroy(new TransportError("client_disconnected", why), code);
  }

  /**
   * No new streams; those under way go on. One that crosses the GOAWAY on its way is beyond the last stream that it names,
   * by which its caller knows that it can safely be sent again (RFC 9113 §6.8).
   */
  #close(): void {
    if (this.#phase === "closing" || this.#session.destroyed) return;
    this.#phase = "closing";
    this.#session.close();
    if (this.#streams === 0) this.#deadline.set(LINGER_MS);
    else this.#deadline.clear();
  }

  #expired(): void {
    if (this.#phase === "closing") this.socket.destroy();
    else this.#close();
  }

  #gone(): void {
    this.#deadline.stop();
    this.#phase = "closing";
    this.#destroy(NGHTTP2_CANCEL, "the caller's connection broke");
    this.host.connections.delete(this);
    this.host.connectionGone();
  }
}

/**
 * Fields within our own limits, counted as HTTP/1.1 counts them, reach us and are answered 431 beyond; what is larger
 * still is cut off by node (ENHANCE_YOUR_CALM), and CONTINUATION without end by nghttp2.
 */
function sessionOptions({ limits }: ServerHost): http2.ServerSessionOptions {
  const fields = limits.headerCount + PSEUDO_FIELDS;
  return {
    settings: {
      maxConcurrentStreams: MAX_STREAMS,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxHeaderListSize: 2 * (limits.headerBytes + limits.targetBytes + FIELD_OVERHEAD * fields),
      enablePush: false,
    },
    maxHeaderListPairs: 2 * fields,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: MAX_STREAMS,
    maxSessionMemory: SESSION_MB,
    strictSingleValueFields: false,
  };
}

function doNothing(): void {}
