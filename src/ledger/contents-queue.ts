/**
 * Contents on their way to the journal: a bounded queue, written in the background, oldest given up first. Contents
 * are large and less dear than records, so they stop before records do: when the queue is full, when the disk is nearly
 * full, and when it does not take them. Every one that is given up is counted, with the reason.
 */
import { type FileHandle, mkdir, open, statfs } from "node:fs/promises";
import { join } from "node:path";
import { type LedgerContents, encodeContents } from "./contents.ts";
import { type Owner, segmentName } from "./segment.ts";

/** What asynchronous writing needs; tests give others. */
export interface ContentsFiles {
  open(path: string): Promise<Pick<FileHandle, "writev" | "truncate" | "close">>;
  /** Octets that are free, and how many there are in all. */
  space(folder: string): Promise<{ free: number; total: number }>;
}

export const realContentsFiles: ContentsFiles = {
  open: (path) => open(path, "ax", 0o600),
  space: async (folder) => {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { free: bavail * bsize, total: blocks * bsize };
  },
};

export type DropReason = "queue_full" | "disk_full" | "disk_low" | "closed";

export interface QueueOptions {
  readonly folder: string;
  readonly owner: Owner;
  readonly segmentBytes: number;
  readonly mostEntries: number;
  /** Octets of entries that wait. */
  readonly mostBytes: number;
  readonly files?: ContentsFiles;
}

/** Below this part of the disk, or this many octets when that is less, contents are not logged (`reliability.md` A2). */
const LOW_SHARE = 0.05;
const LOW_BYTES = 1024 ** 3;
/** The disk's free space is asked once per so many octets written. */
const ASK_EVERY = 4 * 1024 * 1024;
/** Octets in one write. */
const WRITE_BYTES = 1024 * 1024;
/** Entries are put side by side into pieces of memory of this size; larger ones have one of their own. */
const CHUNK_BYTES = 256 * 1024;
/** What an entry takes beside its octets. */
const ENTRY_BYTES = 200;
const GONE = Buffer.alloc(0);

export class ContentsQueue {
  readonly dropped: Record<DropReason, number> = { queue_full: 0, disk_full: 0, disk_low: 0, closed: 0 };
  readonly #options: QueueOptions;
  readonly #files: ContentsFiles;
  /** Octets, not texts: what waits on the heap is copied by each collection of garbage. */
  #entries: Buffer[] = [];
  #chunk = GONE;
  #chunkUsed = 0;
  /** Entries before this one are gone: cheaper than shifting. */
  #first = 0;
  #bytes = 0;
  #file: Awaited<ReturnType<ContentsFiles["open"]>> | null = null;
  #writing = false;
  #number = 0;
  #size = 0;
  #sinceAsked = Infinity;
  #low = false;
  #idle = false;
  #flushing: Promise<boolean> | null = null;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#files = options.files ?? realContentsFiles;
  }

  /** Number of the last file that is not written to any more. */
  get closed(): number {
    return this.#writing ? this.#number - 1 : this.#number;
  }

  get length(): number {
    return this.#entries.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(contents: LedgerContents): void {
    const entry = encodeContents(contents, this.#room);
    this.#entries.push(entry);
    this.#bytes += entry.length + ENTRY_BYTES;
    while (this.length > this.#options.mostEntries || this.#bytes > this.#options.mostBytes) {
      this.#take();
      this.dropped.queue_full++;
    }
  }

  readonly #room = (bytes: number): Buffer => {
    if (bytes > CHUNK_BYTES / 4) return Buffer.allocUnsafeSlow(bytes);
    if (this.#chunkUsed + bytes > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      this.#chunkUsed = 0;
    }
    return this.#chunk.subarray(this.#chunkUsed, (this.#chunkUsed += bytes));
  };

  /** Writes what is there. @returns whether something was written */
  flush(): Promise<boolean> {
    this.#flushing ??= this.#flush().finally(() => (this.#flushing = null));
    return this.#flushing;
  }

  /** Called now and then: a file to which nothing came since the last call is left to the importer. */
  async rest(): Promise<void> {
    if (this.#idle && this.#flushing === null) await this.#leave();
    this.#idle = true;
  }

  /** Writes what can still be written; what cannot is given up. */
  async close(): Promise<void> {
    await this.flush();
    while (this.length > 0) {
      this.#take();
      this.dropped.closed++;
    }
    await this.#leave();
  }

  async #flush(): Promise<boolean> {
    let wrote = false;
    while (this.length > 0) {
      this.#idle = false;
      if (await this.#isLow()) {
        this.#giveUp("disk_low", this.length);
        break;
      }
      // A write's worth at a time: other work gets its turn in between.
      const pieces: Buffer[] = [];
      let size = 0;
      let entries = 0;
      while (this.length > 0 && size < WRITE_BYTES) {
        const entry = this.#take();
        addPiece(pieces, entry);
        size += entry.length;
        entries++;
      }
      try {
        await this.#write(pieces, size);
        wrote = true;
      } catch {
        this.dropped.disk_full += entries;
        // What came meanwhile waits for the next time, unless it is too much.
        break;
      }
    }
    return wrote;
  }

  async #write(pieces: Buffer[], size: number): Promise<void> {
    if (this.#file === null || this.#size >= this.#options.segmentBytes) await this.#next();
    const file = this.#file!;
    let written = 0;
    try {
      written = (await file.writev(pieces)).bytesWritten;
      if (written !== size) throw new Error("the disk is full");
    } catch (error) {
      await file.truncate(this.#size).catch(() => this.#leave());
      throw error;
    }
    this.#size += size;
    this.#sinceAsked += size;
  }

  async #isLow(): Promise<boolean> {
    if (!this.#low && this.#sinceAsked < ASK_EVERY) return false;
    this.#sinceAsked = 0;
    try {
      const { free, total } = await this.#files.space(this.#options.folder);
      this.#low = free < Math.min(total * LOW_SHARE, LOW_BYTES);
    } catch {
      this.#low = false;
    }
    return this.#low;
  }

  #giveUp(reason: DropReason, count: number): void {
    for (let i = 0; i < count; i++) this.#take();
    this.dropped[reason] += count;
  }

  #take(): Buffer {
    const entry = this.#entries[this.#first]!;
    this.#bytes -= entry.length + ENTRY_BYTES;
    this.#first++;
    if (this.#first >= 1024 || this.#first === this.#entries.length) {
      this.#entries.splice(0, this.#first);
      this.#first = 0;
    } else {
      // Holding on to it would keep megabytes alive.
      this.#entries[this.#first - 1] = GONE;
    }
    return entry;
  }

  async #next(): Promise<void> {
    await this.#leave();
    const { folder, owner } = this.#options;
    const name = segmentName({ ...owner, kind: "contents", number: ++this.#number });
    const path = join(folder, name);
    // Before it is there: the importer must not take it for a file that was left.
    this.#writing = true;
    this.#size = 0;
    try {
      this.#file = await this.#files.open(path).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
        await mkdir(folder, { recursive: true, mode: 0o700 });
        return this.#files.open(path);
      });
    } catch (error) {
      this.#writing = false;
      throw error;
    }
  }

  async #leave(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close().catch(() => undefined);
    this.#writing = false;
  }
}

/** Entries that lie side by side are one piece. */
function addPiece(pieces: Buffer[], entry: Buffer): void {
  const last = pieces.at(-1);
  const isNext =
    last !== undefined && last.buffer === entry.buffer && last.byteOffset + last.length === entry.byteOffset;
  if (!isNext) pieces.push(entry);
  else pieces[pieces.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + entry.length);
}
