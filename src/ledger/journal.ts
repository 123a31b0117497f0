/**
 * The ledger's write-ahead journal: files that only grow, one `write()` to an entry, read by a worker that moves them into
 * the database (`store/import.ts`).
 *
 * What `write()` has taken survives the end of the process, `kill -9` included: it is in the system's cache. It is not
 * synced to the disk; a machine that loses power may forget the last seconds. An entry that was written in part (a full
 * disk takes as much as it can) is cut off again, so that what follows is whole.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Owner, type SegmentKind, segmentName } from "./segment.ts";

/** The calls that can fail; tests give others. */
export interface JournalFiles {
  open(path: string): number;
  /** @returns octets written, which may be fewer */
  write(fd: number, octets: Uint8Array, length: number): number;
  truncate(fd: number, length: number): void;
  close(fd: number): void;
}

export const realFiles: JournalFiles = {
  // Never an existing file: what is in it may be torn.
  open: (path) => openSync(path, "ax", 0o600),
  write: (fd, octets, length) => writeSync(fd, octets, 0, length),
  truncate: ftruncateSync,
  close: closeSync,
};

export interface JournalOptions {
  readonly folder: string;
  readonly kind: SegmentKind;
  readonly owner: Owner;
  /** A file that has grown to this is left to the importer. */
  readonly segmentBytes: number;
  readonly files?: JournalFiles;
}

/** Text to be written is put together here; one for all, since writing is synchronous. */
const SCRATCH = Buffer.allocUnsafeSlow(64 * 1024);

export class Journal {
  readonly #options: JournalOptions;
  readonly #files: JournalFiles;
  #fd: number | null = null;
  #number = 0;
  #size = 0;
  #idle = false;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#files = options.files ?? realFiles;
  }

  /** Number of the last file that is not written to any more. */
  get closed(): number {
    return this.#fd === null ? this.#number : this.#number - 1;
  }

  /**
   * Writes one entry. Once this returns it is there for good.
   *
   * @throws the system's error (`ENOSPC`, `EROFS`, `EACCES`, …); then nothing of the entry is there
   */
  appendText(text: string): void {
    // A UTF-16 unit takes three octets at most.
    if (text.length * 3 > SCRATCH.length) return this.append(Buffer.from(text));
    this.append(SCRATCH, SCRATCH.write(text));
  }

  /** As `appendText`. */
  append(octets: Uint8Array, length: number = octets.length): void {
    if (this.#fd === null || this.#size >= this.#options.segmentBytes) this.#next();
    const fd = this.#fd!;
    let written: number;
    try {
      written = this.#files.write(fd, octets, length);
    } catch (error) {
      this.#takeBack(fd);
      throw error;
    }
    if (written !== length) {
      this.#takeBack(fd);
      throw Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
    }
    this.#size += length;
    this.#idle = false;
  }

  /** Called now and then: a file to which nothing came since the last call is left to the importer. */
  rest(): void {
    if (this.#idle) this.close();
    this.#idle = true;
  }

  close(): void {
    const fd = this.#fd;
    this.#fd = null;
    if (fd === null) return;
    try {
      this.#files.close(fd);
    } catch {
      // What was written is written.
    }
  }

  #next(): void {
    this.close();
    const { folder, kind, owner } = this.#options;
    const name = segmentName({ ...owner, kind, number: ++this.#number });
    this.#fd = this.#openIn(folder, name);
    this.#size = 0;
  }

  #openIn(folder: string, name: string): number {
    try {
      return this.#files.open(join(folder, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      // Somebody has removed the folder from under us.
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return this.#files.open(join(folder, name));
    }
  }

  /** Cuts off what came of an entry that did not fit; when even that fails the file is left behind, torn. */
  #takeBack(fd: number): void {
    try {
      this.#files.truncate(fd, this.#size);
    } catch {
      this.close();
    }
  }
}
