/**
 * Reads a socket into a buffer of its own, over and over, and lends out what it read. Node gives every read a fresh
 * 64 kB otherwise: what a fast upstream pours into 200 slow callers is 64 MB of garbage before the collector
 * stirs. A lent chunk is good until the call that brought it returns. Who wants to keep it copies it (`InboundBody`);
 * when the kernel is not done with it, the buffer is left to the kernel and the next read gets a new one.
 */
const SIZE = 16 * 1024;

/** Buffers that the kernel is done with, ready for the next read; beyond so many they are left to the collector. */
const POOLED = 128;
const pool: Buffer[] = [];

/** The reader whose chunk is out on loan; reads do not nest. */
let lending: LendingReader | null = null;

/** The `onread` option of one `net.connect`. */
export class LendingReader {
  onData: ((chunk: Buffer) => void) | null = null;
  #buffer: Buffer = Buffer.allocUnsafeSlow(SIZE);

  /** Node asks for it before the first read, and again after each one. */
  readonly buffer = (): Buffer => this.#buffer;

  /** Called by the socket. @returns true: go on (who wants no more has paused the socket) */
  readonly callback = (length: number): boolean => {
    lending = this;
    this.onData?.(this.#buffer.subarray(0, length));
    lending = null;
    return true;
  };

  keep(bytes: Uint8Array): Buffer | null {
    const kept = this.#buffer;
    if (bytes.buffer !== kept.buffer) return null;
    this.#buffer = pool.pop() ?? Buffer.allocUnsafeSlow(SIZE);
    return kept;
  }
}

/**
 * Somebody still needs `bytes` after the call: if they are lent, nothing more is read over them.
 * @returns what was lent, to be given back with `giveBack` by whoever knows when it is no longer needed; null: not lent
 */
export function keepLent(bytes: Uint8Array): Buffer | null {
  return lending === null ? null : lending.keep(bytes);
}

/** Nobody needs `buffer` any more: the next read may go into it. */
export function giveBack(buffer: Buffer): void {
  if (pool.length < POOLED) pool.push(buffer);
}
