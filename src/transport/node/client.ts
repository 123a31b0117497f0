/** The client: a pool of connections per origin and TLS settings, and the opening of new ones. */
import net, { type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Client, type ClientRequest, type ClientResponse, TransportError, type TransportErrorCode } from "../transport.ts";
import { type Carrier, ClientCall } from "./client-call.ts";
import { ClientConnection, type ConnectionHome } from "./client-connection.ts";
import { TlsDoor, tlsKey } from "./client-tls.ts";
import { Deadline } from "./deadline.ts";
import { FULL_BYTES } from "./outbox.ts";
import { LendingReader } from "./lending-reader.ts";

/** After this long a connection is looked at before it is used again: its upstream may have closed it meanwhile. */
const STALE_AFTER_MS = 1_000;

export function createClient(): Client {
  return new NodeClient();
}

class NodeClient implements Client {
  readonly #pools = new Map<string, Pool>();
  #closed = false;

  send(request: ClientRequest): Promise<ClientResponse> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new TransportError("aborted", "the client is closed", { nothingSent: true });
      if (request.abort.aborted) throw new TransportError("aborted", "the request was aborted", { nothingSent: true });
      const call = new ClientCall(request, resolve, reject);
      this.#pool(request).take(call);
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const pool of this.#pools.values()) pool.close();
    return Promise.resolve();
  }

  #pool(request: ClientRequest): Pool {
    const secure = request.scheme === "https";
    const key = `${request.scheme}//${request.host}:${request.port} ${secure ? tlsKey(request.tls) : ""}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new Pool(request, () => this.#pools.delete(key));
      this.#pools.set(key, pool);
    }
    return pool;
  }
}

class Pool implements ConnectionHome {
  readonly #host: string;
  readonly #port: number;
  readonly #door: TlsDoor | null;
  readonly #empty: () => void;
  /** The last released is the first taken, so that what is too much falls idle. */
  readonly #idle: ClientConnection[] = [];
  #connections = 0;
  #closed = false;

  constructor(request: ClientRequest, empty: () => void) {
    this.#host = request.host.startsWith("[") ? request.host.slice(1, -1) : request.host;
    this.#port = request.port;
    this.#door = request.scheme === "https" ? prepareTls(request, this.#host) : null;
    this.#empty = empty;
  }

  take(call: ClientCall): void {
    const connection = this.#usable();
    if (connection === null) this.#open(call);
    else if (performance.now() - connection.idleSince < STALE_AFTER_MS) connection.begin(call);
    else this.#lookAndTake(connection, call);
  }

  retry(call: ClientCall): void {
    this.#open(call);
  }

  release(connection: ClientConnection): void {
    if (this.#closed) {
      connection.abandon();
      return;
    }
    connection.rest();
    this.#idle.push(connection);
  }

  gone(connection: ClientConnection): void {
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#left();
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.abandon();
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
        if (call.settled) this.#idle.push(connection);
        else if (connection.usable) connection.begin(call);
        else this.take(call);
      }),
    );
  }

  #open(call: ClientCall): void {
    this.#connections++;
    new Opening(this.#host, this.#port, this.#door, call, (socket, reader) => {
      if (socket === null) this.#left();
      else new ClientConnection(this, socket, reader).begin(call);
    });
  }

  #left(): void {
    if (--this.#connections === 0) this.#empty();
  }
}

function prepareTls(request: ClientRequest, host: string): TlsDoor {
  try {
    return new TlsDoor(request.tls, host, ["http/1.1"]);
  } catch (cause) {
    const message = `the TLS settings cannot be used: ${(cause as Error).message}`;
    throw new TransportError("tls_failed", message, { cause, nothingSent: true });
  }
}

/** A connection being opened for one call: DNS and TCP, then perhaps TLS, each with its own timer and code. */
class Opening implements Carrier {
  readonly #call: ClientCall;
  readonly #door: TlsDoor | null;
  readonly #done: (socket: Socket | null, reader: LendingReader | null) => void;
  readonly #reader = new LendingReader();
  readonly #tcp: Socket;
  readonly #deadline = new Deadline(() => this.#expired());
  #tls: TLSSocket | null = null;
  #over = false;

  constructor(
    host: string,
    port: number,
    door: TlsDoor | null,
    call: ClientCall,
    done: (socket: Socket | null, reader: LendingReader | null) => void,
  ) {
    this.#call = call;
    this.#door = door;
    this.#done = done;
    call.carrier = this;
    this.#deadline.set(call.timeouts.connectMs);
    const options = { host, port, noDelay: true, allowHalfOpen: true, keepAlive: true, highWaterMark: FULL_BYTES };
    this.#tcp = net.connect(door === null ? { ...options, onread: this.#reader } : options);
    this.#tcp.on("connect", this.#connected);
    this.#tcp.on("error", this.#failed);
    this.#tcp.on("close", this.#failed);
  }

  abandon(): void {
    this.#end(null);
  }

  readonly #connected = (): void => {
    if (this.#door === null) {
      this.#end(this.#tcp);
      return;
    }
    this.#deadline.set(this.#call.timeouts.tlsMs);
    this.#tls = this.#door.connect(this.#tcp);
    this.#tls.on("secureConnect", this.#secured);
    this.#tls.on("error", this.#failed);
    this.#tls.on("close", this.#failed);
  };

  readonly #secured = (): void => {
    const refusal = this.#door!.refuses(this.#tls!);
    if (refusal !== null) this.#fail("tls_failed", refusal);
    else this.#end(this.#tls);
  };

  readonly #failed = (cause?: unknown): void => {
    const error = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
    const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? "") : "";
    const message = error instanceof Error ? error.message : "the connection was closed";
    if (this.#tls !== null) this.#fail("tls_failed", `TLS failed: ${message}`, error);
    else if (/^(?:ENOTFOUND|EAI_|ENODATA)/.test(code)) this.#fail("dns_failed", message, error);
    else this.#fail("connect_failed", message, error);
  };

  #expired(): void {
    const { connectMs, tlsMs } = this.#call.timeouts;
    if (this.#tls === null) this.#fail("connect_timeout", `no connection within ${connectMs} ms`);
    else this.#fail("tls_timeout", `no TLS session within ${tlsMs} ms`);
  }

  #fail(code: TransportErrorCode, message: string, cause?: unknown): void {
    if (this.#over) return;
    this.#end(null);
    this.#call.fail(new TransportError(code, message, { cause, nothingSent: true }));
  }

  #end(socket: Socket | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline.stop();
    for (const each of [this.#tcp, this.#tls]) {
      each?.off("close", this.#failed);
      each?.off("error", this.#failed);
      each?.on("error", doNothing);
    }
    if (socket === null) {
      this.#tls?.destroy();
      this.#tcp.destroy();
    }
    this.#done(socket, socket === this.#tcp ? this.#reader : null);
  }
}

function doNothing(): void {}
