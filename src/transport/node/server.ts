/** The listener: accepts connections, swaps certificates, drains. */
import net, { type AddressInfo, type Socket } from "node:net";
import tls from "node:tls";
import {
  DEFAULT_SERVER_LIMITS,
  type Incoming,
  type Refusal,
  type Server,
  type ServerLimits,
  type ServerOptions,
  type ServerTls,
} from "../transport.ts";
import { FULL_BYTES } from "./outbox.ts";
import { Http2ServerConnection } from "./http2-server.ts";
import { type HostedConnection, ServerConnection, type ServerHost } from "./server-connection.ts";

/**
 * Listens. Resolves once connections are accepted.
 * @throws what `listen` says (address in use, …), or what OpenSSL says of the certificate
 */
export function createServer(options: ServerOptions): Promise<Server> {
  const server = new NodeServer(options);
  return server.listen(options.host, options.port);
}

class NodeServer implements Server, ServerHost {
  readonly limits: ServerLimits;
  readonly onRequest: (incoming: Incoming) => void;
  readonly onRefused: ((refusal: Refusal) => void) | undefined;
  readonly connections = new Set<HostedConnection>();
  readonly http2: boolean;
  draining = false;
  active = 0;
  readonly #listener: net.Server;
  readonly #encrypted: boolean;
  /** Sockets below TLS; one in its handshake is no connection of ours yet, but has to go when we close. */
  readonly #rawSockets = new Set<Socket>();
  #closed: Promise<void> | null = null;
  #whenEmpty: (() => void) | null = null;

  constructor(options: ServerOptions) {
    this.limits = { ...DEFAULT_SERVER_LIMITS, ...options.limits };
    this.onRequest = options.onRequest;
    this.onRefused = options.onRefused;
    this.http2 = options.http2 ?? true;
    this.#encrypted = options.tls !== undefined;
    this.#listener = options.tls === undefined ? this.#plain() : this.#secure(options.tls);
  }

  listen(host: string, port: number): Promise<Server> {
    return new Promise((resolve, reject) => {
      const listener = this.#listener;
      listener.once("error", reject);
      listener.listen({ host, port, backlog: 1024 }, () => {
        listener.off("error", reject);
        // From now on an error is a failed accept (EMFILE, …): the kernel keeps the caller queued, we go on.
        listener.on("error", doNothing);
        resolve(this);
      });
    });
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo | null)?.port ?? 0;
  }

  setTls(options: ServerTls): void {
    if (this.#listener instanceof tls.Server) this.#listener.setSecureContext(contextOptions(options));
    else throw new Error("this server was started without TLS");
  }

  async drain(): Promise<void> {
    this.draining = true;
    const closed = this.#stopListening();
    for (const connection of this.connections) connection.closeWhenIdle();
    await this.#empty();
    await closed;
  }

  async close(): Promise<void> {
    this.draining = true;
    const closed = this.#stopListening();
    for (const socket of this.#rawSockets) socket.destroy();
    for (const connection of this.connections) connection.destroy();
    await this.#empty();
    await closed;
  }

  connectionGone(): void {
    if (this.connections.size > 0 || this.#whenEmpty === null) return;
    this.#whenEmpty();
    this.#whenEmpty = null;
  }

  #plain(): net.Server {
    return net.createServer(SOCKET_OPTIONS, (socket) => this.#accept(socket));
  }

  #secure(options: ServerTls): tls.Server {
    const server = tls.createServer({
      ...SOCKET_OPTIONS,
      ...contextOptions(options),
      requestCert: options.requestClientCertificate ?? false,
      rejectUnauthorized: false,
      ALPNProtocols: this.http2 ? ["h2", "http/1.1"] : ["http/1.1"],
      handshakeTimeout: this.limits.headerTimeoutMs,
    });
    server.on("connection", (socket: Socket) => {
      this.#rawSockets.add(socket);
      socket.on("error", doNothing);
      socket.once("close", () => this.#rawSockets.delete(socket));
    });
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    server.on("secureConnection", (socket) => this.#accept(socket));
    return server;
  }

  #accept(socket: Socket): void {
    if (socket.destroyed) return;
    const chosen = this.#encrypted && (socket as tls.TLSSocket).alpnProtocol === "h2";
    const connection = chosen
      ? new Http2ServerConnection(this, socket, true)
      : new ServerConnection(this, socket, this.#encrypted);
    if (this.draining) connection.closeWhenIdle();
  }

  #stopListening(): Promise<void> {
    return (this.#closed ??= new Promise((resolve) => this.#listener.close(() => resolve())));
  }

  #empty(): Promise<void> {
    if (this.connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const before = this.#whenEmpty;
      this.#whenEmpty = () => {
        before?.();
        resolve();
      };
    });
  }
}

/** `allowHalfOpen`: we decide what a FIN means, and still send a refusal to a caller that has said all it had to say. */
const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true, highWaterMark: FULL_BYTES } as const;

function contextOptions(options: ServerTls): tls.SecureContextOptions {
  return { key: options.key, cert: options.cert, minVersion: "TLSv1.2" };
}

function doNothing(): void {}
