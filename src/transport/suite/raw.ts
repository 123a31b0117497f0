/** A caller without manners: raw bytes over a plain socket, at any split. */
import net, { type Socket } from "node:net";

/** Everything the peer said until it closed, as latin1; sends `bytes` in pieces of `size` (0 = all at once). */
export function converse(port: number, bytes: string, size = 0): Promise<string> {
  const raw = new RawClient(port);
  return raw.sendSlowly(bytes, size).then(() => raw.closed);
}

export class RawClient {
  readonly socket: Socket;
  /** Everything received so far, latin1. */
  received = "";
  /** Resolves with everything received once the peer has closed its side, or the connection has gone. */
  readonly closed: Promise<string>;
  #waiting: (() => void)[] = [];

  constructor(port: number) {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      this.received += chunk.toString("latin1");
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => {
      const done = () => {
        resolve(this.received);
        for (const wake of this.#waiting.splice(0)) wake();
        socket.destroy();
      };
      socket.on("end", done);
      socket.on("close", done);
    });
  }

  send(bytes: string): void {
    this.socket.write(bytes, "latin1");
  }

  /** Gives the server, which lives in this process, a turn of the event loop for every piece. */
  async sendSlowly(bytes: string, size: number): Promise<void> {
    if (size === 0) {
      this.send(bytes);
      return;
    }
    for (let at = 0; at < bytes.length && !this.socket.destroyed; at += size) {
      this.send(bytes.slice(at, at + size));
      await turn();
    }
  }

  /** Resolves once `text` has been received; rejects when the connection closes before. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text)) {
      if (this.socket.destroyed || this.socket.readableEnded)
        throw new Error(`closed after: ${this.received}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.received;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** One turn of the event loop, with its poll for input. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits, turn by turn, until something is so. The runner's own limit ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
