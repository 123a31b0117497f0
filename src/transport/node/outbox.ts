/**
 * What goes out on one socket. Pieces written in the same turn leave in one system call (a head with its first
 * chunk, thirty events that came in one read); a system call costs more than everything else here together.
 */
import type { Socket } from "node:net";
import { giveBack, keepLent } from "./lending-reader.ts";

/**
 * Bytes waiting in front of the kernel from which on a writer is asked to stop. To be given to every socket as its
 * `highWaterMark`, so that its "drain" and our "full" mean the same. Small: a slow reader costs us no more than the
 * chunk it is at.
 */
export const FULL_BYTES = 16 * 1024;
/** Up to here pieces are copied together; beyond, they go out by reference: copies are garbage that slow readers pile up. */
const COPY_BYTES = 4 * 1024;

export class Outbox {
  /** Called when somebody was told "full" and there is room again. */
  onDrain: (() => void) | null = null;
  readonly #socket: Socket;
  readonly #full: number;
  #parts: (string | Uint8Array)[] = [];
  #bytes = 0;
  #scheduled = false;
  #toldFull = false;
  /** Read buffers that the kernel has not copied yet. */
  readonly #lent: Buffer[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#full = socket.writableHighWaterMark;
    socket.on("drain", () => {
      // "drain" means that the kernel has everything that was written.
      while (this.#lent.length > 0) giveBack(this.#lent.pop()!);
      this.#drained();
    });
  }

  /** Bytes not yet taken by the kernel. */
  get waiting(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  /** @param text latin1 */
  text(text: string): void {
    this.#parts.push(text);
    this.#bytes += text.length;
  }

  bytes(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
  }

  /**
   * A chunk between two pieces of framing. Keeps no reference to `chunk`: a small one is copied, a large one goes to
   * the kernel at once, and what the kernel leaves is kept from being read over.
   */
  frame(before: string, chunk: Uint8Array, after: string): void {
    const size = before.length + chunk.length + after.length;
    if (size < COPY_BYTES) {
      const framed = Buffer.allocUnsafe(size);
      if (before !== "") framed.write(before, 0, "latin1");
      framed.set(chunk, before.length);
      if (after !== "") framed.write(after, size - after.length, "latin1");
      this.bytes(framed);
      return;
    }
    if (before !== "") this.text(before);
    this.bytes(chunk);
    if (after !== "") this.text(after);
    this.flush();
    if (this.#socket.writableLength === 0) return;
    const lent = keepLent(chunk);
    if (lent !== null) this.#lent.push(lent);
  }

  /** Sends what was put in by the end of this turn. @returns false when the writer should wait for `onDrain` */
  send(): boolean {
    if (this.#bytes >= this.#full) this.flush();
    else if (!this.#scheduled && this.#bytes > 0) {
      this.#scheduled = true;
      process.nextTick(flushLater, this);
    }
    if (this.waiting < this.#full) return true;
    this.#toldFull = true;
    return false;
  }

  /** Sends now. */
  flush(): void {
    this.#scheduled = false;
    if (this.#bytes === 0) return;
    const parts = this.#parts;
    const bytes = this.#bytes;
    this.#parts = [];
    this.#bytes = 0;
    const socket = this.#socket;
    if (!socket.writable) return;
    if (parts.length === 1) writePart(socket, parts[0]!);
    else if (bytes <= COPY_BYTES) socket.write(joinParts(parts, bytes));
    else {
      socket.cork();
      for (const part of parts) writePart(socket, part);
      socket.uncork();
    }
    // The kernel may have taken all of it at once; then no "drain" will come for a writer that waits.
    if (this.#toldFull && !socket.writableNeedDrain && socket.writableLength < this.#full) this.#drained();
  }

  /** Calls back once the kernel has everything, or the socket is gone: at once if that is so already. */
  afterAll(callback: () => void): void {
    this.flush();
    const socket = this.#socket;
    if (socket.writableLength === 0 || !socket.writable) callback();
    else socket.write("", callback);
  }

  #drained(): void {
    if (!this.#toldFull) return;
    this.#toldFull = false;
    this.onDrain?.();
  }
}

function flushLater(outbox: Outbox): void {
  outbox.flush();
}

function writePart(socket: Socket, part: string | Uint8Array): void {
  if (typeof part === "string") socket.write(part, "latin1");
  else socket.write(part);
}

function joinParts(parts: (string | Uint8Array)[], bytes: number): Buffer {
  const whole = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const part of parts) {
    if (typeof part === "string") at += whole.write(part, at, "latin1");
    else {
      whole.set(part, at);
      at += part.length;
    }
  }
  return whole;
}
