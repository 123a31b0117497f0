/** The connections to one origin, with the same TLS settings and the same HTTP versions allowed. */
import type { LookupFunction, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type ClientRequest, TransportError } from "../transport.ts";
import type { ClientCall } from "./client-call.ts";
import { ClientConnection, type ConnectionHome } from "./client-connection.ts";
import { Http2Connection } from "./client-http2.ts";
import { Opening } from "./client-opening.ts";
import { TlsDoor } from "./client-tls.ts";
import type { LendingReader } from "./lending-reader.ts";

/**
 * After this long a connection is looked at before it is used again: its upstream may have closed it meanwhile, and a
 * POST that falls into it cannot be repeated. Under load connections are never idle that long, so only those pay
 * for the look who can afford it.
 */
const STALE_AFTER_MS = 5;

export class Pool implements ConnectionHome {
  readonly #host: string;
  readonly #port: number;
  readonly #door: TlsDoor | null;
  readonly #versions: "1" | "2" | "2or1";
  readonly #lookup: LookupFunction;
  readonly #empty: () => void;
  /** The last released is the first taken, so that what is too much falls idle. */
  readonly #idle: ClientConnection[] = [];
  readonly #sessions: Http2Connection[] = [];
  /** Calls that wait to hear whether the connection being opened will carry them all; null: none is. */
  #waiting: ClientCall[] | null = null;
  #connections = 0;
  #closed = false;

  /** @throws TransportError `tls_failed` when the TLS settings cannot be used */
  constructor(request: ClientRequest, lookup: LookupFunction, empty: () => void) {
    const { host, port, scheme, httpVersion = "1" } = request;
    this.#host = host.startsWith("[") ? host.slice(1, -1) : host;
    this.#port = port;
    // Without TLS nobody can be asked; only who knows says "2" (RFC 9113 §3.3).
    this.#versions = scheme === "http" && httpVersion === "2or1" ? "1" : httpVersion;
    this.#door = scheme === "https" ? prepareTls(request, this.#host, this.#versions) : null;
    this.#lookup = lookup;
    this.#empty = empty;
  }

  take(call: ClientCall): void {
    if (this.#versions !== "1" && this.#takeSession(call)) return;
    const connection = this.#usable();
    if (connection === null) this.#open(call);
    else if (performance.now() - connection.idleSince < STALE_AFTER_MS) connection.begin(call);
    else this.#lookAndTake(connection, call);
  }

  retry(call: ClientCall): void {
    if (this.#versions === "2") this.take(call);
    else this.#open(call);
  }

  /**
   * An upstream that failed, or was restarted, would otherwise fail one request for each connection that was idle, and
   * as none of those failures tells whether it is well, whoever watches it would learn of it last.
   */
  stale(): void {
    for (const connection of this.#idle.splice(0)) connection.abandon();
  }

  release(connection: ClientConnection): void {
    if (this.#closed) {
      connection.abandon();
      return;
    }
    connection.rest();
    this.#idle.push(connection);
  }

  gone(connection: ClientConnection | Http2Connection): void {
    const list: (ClientConnection | Http2Connection)[] =
      connection instanceof ClientConnection ? this.#idle : this.#sessions;
    const at = list.lastIndexOf(connection);
    if (at >= 0) list.splice(at, 1);
    this.#left();
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.abandon();
    for (const session of this.#sessions) session.closeWhenIdle();
  }

  /** @returns true when a session carries the call, or it waits for the one being opened */
  #takeSession(call: ClientCall): boolean {
    for (const session of this.#sessions) {
      if (!session.usable) continue;
      session.begin(call);
      return true;
    }
    if (this.#waiting === null) return false;
    this.#waiting.push(call);
    return true;
  }

  #usable(): ClientConnection | null {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return null;
      if (connection.usable) return connection;
    }
  }

  /**
   * A FIN may be waiting in the kernel. Two turns of the event loop have one whole poll between them; after it a
   * connection that is still open was so a moment ago, and the window for a lost request is one way on the wire.
   */
  #lookAndTake(connection: ClientConnection, call: ClientCall): void {
    setImmediate(() =>
      setImmediate(() => {
        if (call.settled) this.#putBack(connection);
        else if (connection.usable) connection.begin(call);
        else this.take(call);
      }),
    );
  }

  #putBack(connection: ClientConnection): void {
    if (connection.usable) this.#idle.push(connection);
  }

  #open(call: ClientCall): void {
    this.#connections++;
    if (this.#versions !== "1") this.#waiting = [];
    const origin = { host: this.#host, port: this.#port, door: this.#door, lookup: this.#lookup };
    new Opening(origin, call, this.#versions === "1", (socket, reader) => {
      if (socket === null) this.#left();
      else this.#opened(call, socket, reader);
      this.#releaseWaiting();
    });
  }

  #opened(call: ClientCall, socket: Socket, reader: LendingReader | null): void {
    const protocol = this.#door === null ? "h2" : (socket as TLSSocket).alpnProtocol;
    if (this.#versions !== "1" && protocol === "h2") {
      const session = new Http2Connection(this, socket, `${this.#host}:${this.#port}`);
      this.#sessions.push(session);
      session.begin(call);
    } else if (this.#versions === "2") {
      socket.destroy();
      this.#left();
      call.fail(
        new TransportError("upstream_protocol", "the upstream does not speak HTTP/2", { nothingSent: true }),
      );
    } else new ClientConnection(this, socket, reader).begin(call);
  }

  /** The connection is there, or is not: those who waited find their own way. */
  #releaseWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) for (const call of waiting) if (!call.settled) this.take(call);
  }

  #left(): void {
    if (--this.#connections === 0) this.#empty();
  }
}

function prepareTls(request: ClientRequest, host: string, versions: "1" | "2" | "2or1"): TlsDoor {
  const protocols = versions === "1" ? ["http/1.1"] : versions === "2" ? ["h2"] : ["h2", "http/1.1"];
  try {
    return new TlsDoor(request.tls, host, protocols);
  } catch (cause) {
    const message = `the TLS settings cannot be used: ${(cause as Error).message}`;
    throw new TransportError("tls_failed", message, { cause, nothingSent: true });
  }
}
