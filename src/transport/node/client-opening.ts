/**
 * A connection being opened for one call: DNS and TCP, perhaps a tunnel through a proxy, perhaps TLS, each with its own
 * timer and code.
 */
import net, { type LookupFunction, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { TransportError, type TransportErrorCode } from "../transport.ts";
import type { Carrier, ClientCall } from "./client-call.ts";
import { guardedLookup } from "./client-guard.ts";
import { openTunnel } from "./client-proxy.ts";
import type { TlsDoor } from "./client-tls.ts";
import { Deadline } from "./deadline.ts";
import { LendingReader } from "./lending-reader.ts";
import { FULL_BYTES } from "./outbox.ts";

const NEXT_ADDRESS_MS = 250;

/** Where a connection leads. */
export interface Origin {
  readonly host: string;
  readonly port: number;
  /** null: without TLS. */
  readonly door: TlsDoor | null;
  readonly lookup: LookupFunction;
}

export class Opening implements Carrier {
  readonly #call: ClientCall;
  readonly #door: TlsDoor | null;
  readonly #http1Only: boolean;
  readonly #done: (socket: Socket | null, reader: LendingReader | null) => void;
  readonly #reader: LendingReader | null;
  readonly #tcp: Socket;
  readonly #deadline = new Deadline(() => this.#expired());
  #tls: TLSSocket | null = null;
  #stopTunnel: (() => void) | null = null;
  #over = false;

  /** @param http1Only false: the socket may go to `node:http2`, which does its own reading and takes a FIN for the end */
  constructor(
    { host, port, door, lookup }: Origin,
    call: ClientCall,
    http1Only: boolean,
    done: (socket: Socket | null, reader: LendingReader | null) => void,
  ) {
    this.#call = call;
    this.#door = door;
    this.#done = done;
    this.#http1Only = http1Only;
    call.carrier = this;
    this.#reader = http1Only && door === null ? new LendingReader() : null;
    this.#deadline.set(call.timeouts.connectMs);
    const { refuse, proxy } = call.request;
    const options = {
      host: proxy?.host ?? host,
      port: proxy?.port ?? port,
      noDelay: true,
      allowHalfOpen: http1Only,
      keepAlive: true,
      highWaterMark: FULL_BYTES,
      lookup: refuse === undefined ? lookup : guardedLookup(lookup, refuse),
      // Happy eyeballs (RFC 8305): an address that does not answer holds up the next one no longer than this.
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    };
    this.#tcp = net.connect(this.#reader !== null ? { ...options, onread: this.#reader } : options);
    this.#tcp.on("connect", this.#connected);
    this.#tcp.on("error", this.#failed);
    this.#tcp.on("close", this.#failed);
  }

  abandon(): void {
    this.#end(null);
  }

  readonly #connected = (): void => {
    const { proxy } = this.#call.request;
    if (this.#door === null) this.#end(this.#tcp);
    else if (proxy === undefined) this.#secure(this.#door);
    else this.#stopTunnel = openTunnel(this.#tcp, this.#call.authority, proxy, this.#tunnelled);
  };

  readonly #tunnelled = (failure: string | null): void => {
    this.#stopTunnel = null;
    if (failure === null) this.#secure(this.#door!);
    else this.#fail("connect_failed", failure);
  };

  #secure(door: TlsDoor): void {
    this.#deadline.set(this.#call.timeouts.tlsMs);
    this.#tls = door.connect(this.#tcp, this.#http1Only);
    this.#tls.on("secureConnect", this.#secured);
    this.#tls.on("error", this.#failed);
    this.#tls.on("close", this.#failed);
  }

  readonly #secured = (): void => {
    const refusal = this.#door!.refuses(this.#tls!);
    if (refusal !== null) this.#fail("tls_failed", refusal);
    else this.#end(this.#tls);
  };

  readonly #failed = (cause?: unknown): void => {
    const error = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
    if (error instanceof TransportError) {
      this.#fail(error.code, error.message);
      return;
    }
    const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? "") : "";
    const message = error instanceof Error ? error.message : "the connection was closed";
    if (this.#tls !== null) this.#fail("tls_failed", `TLS failed: ${message}`, error);
    else if (/^(?:ENOTFOUND|EAI_|ENODATA|ETIMEOUT|ESERVFAIL|EREFUSED|EBADRESP)/.test(code))
      this.#fail("dns_failed", message, error);
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
    this.#stopTunnel?.();
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
