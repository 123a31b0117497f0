/** A connection after `101 Switching Protocols`: bytes both ways, each direction ending on its own. */
import type { Socket } from "node:net";
import { type BodySink, type Tunnel, TransportError } from "../transport.ts";
import { type BodyOwner, InboundBody } from "./inbound-body.ts";
import type { Outbox } from "./outbox.ts";

export class SocketTunnel implements Tunnel, BodyOwner {
  readonly source: InboundBody;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  #ended = false;

  /** @param lent what will be pushed is lent for the call only */
  constructor(socket: Socket, outbox: Outbox, lent: boolean) {
    this.#socket = socket;
    this.#outbox = outbox;
    this.source = new InboundBody(this, undefined, true, lent);
  }

  sink(onDrain: () => void): BodySink {
    this.#outbox.onDrain = onDrain;
    return {
      borrows: true,
      write: (chunk) => {
        if (this.#ended || chunk.length === 0) return true;
        this.#outbox.frame("", chunk, "");
        return this.#outbox.send();
      },
      end: () => {
        if (this.#ended) return;
        this.#ended = true;
        this.#outbox.flush();
        this.#socket.end();
      },
      fail: () => this.close(),
    };
  }

  close(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  // From the connection's socket.

  push(chunk: Uint8Array): void {
    this.source.push(chunk);
  }

  /** The peer will send no more. */
  peerEnded(): void {
    this.source.finish();
  }

  /** The socket is gone. */
  gone(): void {
    this.#ended = true;
    if (!this.source.complete) {
      this.source.fail(new TransportError("upstream_closed", "the tunnel's connection was closed"));
    }
  }

  // For the source.

  pauseBody(): void {
    this.#socket.pause();
  }

  resumeBody(): void {
    this.#socket.resume();
  }

  startBody(): void {}

  cancelBody(): void {
    this.#socket.resume();
  }
}
