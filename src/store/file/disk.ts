/**
 * The few questions loading asks the file system, in two voices. While the gateway starts nobody is
 * being served, and blocking calls are ten times cheaper; once it serves, nothing may block: a folder on
 * a network share that hangs must cost a thread of the pool, never the event loop.
 *
 * Callers await the answers of both.
 */
import * as sync from "node:fs";
import * as promises from "node:fs/promises";

type Answer<T> = T | Promise<T>;

export interface Disk {
  stat(path: string): Answer<sync.Stats>;
  realpath(path: string): Answer<string>;
  /** Names with their kind; of a symbolic link not that of its target. */
  readdir(path: string): Answer<sync.Dirent[]>;
  /**
   * The bytes of a regular file, and whether it was still the same after reading.
   *
   * @returns `too-large` or `not-a-file` instead
   */
  read(path: string, maxBytes: number): Answer<FileBytes | "too-large" | "not-a-file">;
}

export interface FileBytes {
  readonly bytes: Buffer;
  /** False when the file changed while it was read: read it again. */
  readonly stable: boolean;
}

export const blockingDisk: Disk = {
  stat: (path) => sync.statSync(path),
  realpath: (path) => sync.realpathSync.native(path),
  readdir: (path) => sync.readdirSync(path, { withFileTypes: true }),
  read(path, maxBytes) {
    const handle = sync.openSync(path, OPEN_FLAGS);
    try {
      const before = sync.fstatSync(handle);
      const refused = refuse(before, maxBytes);
      if (refused) return refused;
      const bytes = Buffer.allocUnsafe(before.size);
      let filled = 0;
      while (filled < bytes.length) {
        const count = sync.readSync(handle, bytes, filled, bytes.length - filled, filled);
        if (count === 0) break;
        filled += count;
      }
      return result(bytes, filled, before, sync.fstatSync(handle));
    } finally {
      sync.closeSync(handle);
    }
  },
};

export const waitingDisk: Disk = {
  stat: (path) => promises.stat(path),
  realpath: (path) => promises.realpath(path),
  readdir: (path) => promises.readdir(path, { withFileTypes: true }),
  async read(path, maxBytes) {
    await using handle = await promises.open(path, OPEN_FLAGS);
    const before = await handle.stat();
    const refused = refuse(before, maxBytes);
    if (refused) return refused;
    const bytes = Buffer.allocUnsafe(before.size);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return result(bytes, filled, before, await handle.stat());
  },
};

/** Opening a named pipe for reading would otherwise wait for a writer, perhaps for ever. */
const OPEN_FLAGS = sync.constants.O_RDONLY | (sync.constants.O_NONBLOCK ?? 0);

function refuse(found: sync.Stats, maxBytes: number): "too-large" | "not-a-file" | undefined {
  if (!found.isFile()) return "not-a-file";
  return found.size > maxBytes ? "too-large" : undefined;
}

function result(bytes: Buffer, filled: number, before: sync.Stats, after: sync.Stats): FileBytes {
  const stable = after.size === filled && after.mtimeMs === before.mtimeMs;
  return { bytes: bytes.subarray(0, filled), stable };
}
