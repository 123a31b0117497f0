/**
 * Moves what the journal holds into the database, a transaction to a stretch. How far a file has been read is written in
 * the same transaction, and a request's key is unique: whatever is read twice is stored once. A file is removed when all
 * of it is in the database, nobody writes to it any more, and the database itself has been synced.
 */
import { closeSync, fstatSync, openSync, readSync, readdirSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { decodeContents } from "../contents.ts";
import { LONGEST_LINE, decodeRecord } from "../line.ts";
import { type Owner, type Segment, type SegmentKind, parseSegmentName } from "../segment.ts";
import type { Calls } from "./calls.ts";
import type { Names } from "./names.ts";
import { primaryCode } from "./open.ts";
import type { Rollups } from "./rollups.ts";
import type { Texts } from "./texts.ts";

/** Octets of records in one transaction: some 3,000 rows, some 40 ms. */
const STRETCH = 1024 * 1024;
/** Octets of contents in one transaction: some 2,000 usual entries, some 50 ms. */
const CONTENTS_STRETCH = 4 * 1024 * 1024;
/** An entry is never longer. */
const LONGEST_ENTRY = 5 * 1024 * 1024;
/** Octets of files that wait to be removed: each checkpoint syncs the disk. */
const MOST_FINISHED = 16 * 1024 * 1024;
/** Files of others that nobody has written to for so long are complete: writers leave a file that rests. */
const STRANGERS_REST_MS = 3_600_000;

/** SQLite's codes for "not this row's fault": busy, locked, memory, read-only, I/O, corrupt, full, cannot open, no database. */
const NOT_THE_ROW = new Set([5, 6, 7, 8, 10, 11, 13, 14, 26]);

export interface ImportCounts {
  imported: number;
  contents: number;
  /** Entries that could not be read or stored: torn, damaged, of a later version. */
  unreadable: number;
  /** Contents without their record. */
  orphans: number;
}

export interface ImportParts {
  readonly database: DatabaseSync;
  readonly folder: string;
  readonly owner: Owner;
  readonly names: Names;
  readonly calls: Calls;
  readonly texts: Texts;
  readonly rollups: Rollups;
}

interface JournalFile extends Segment {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
}

export class Importer {
  readonly counts: ImportCounts = { imported: 0, contents: 0, unreadable: 0, orphans: 0 };
  readonly #parts: ImportParts;
  readonly #position: StatementSync;
  readonly #setPosition: StatementSync;
  readonly #forget: StatementSync;
  /** Complete files, until they are gone: they need no second look. */
  readonly #done = new Set<string>();
  /** Complete files that wait to be removed, one checkpoint for all of them. */
  #finished = new Map<string, JournalFile>();
  #others = true;
  #otherBytes = 0;

  constructor(parts: ImportParts) {
    this.#parts = parts;
    this.#position = parts.database.prepare("SELECT position FROM segments WHERE name = ?");
    this.#setPosition = parts.database.prepare(
      "INSERT INTO segments VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position",
    );
    this.#forget = parts.database.prepare("DELETE FROM segments WHERE name = ?");
  }

  /** Octets of the journal that were there when it was looked at last. */
  get journalBytes(): number {
    return this.#otherBytes;
  }

  /** Look at other processes' files, too, the next time. */
  lookAtOthers(): void {
    this.#others = true;
  }

  /**
   * Yields after every transaction.
   *
   * @param now     ms since the epoch
   * @param closed  numbers of this process's last files that are not written to any more
   * @throws SQLite's error when the database cannot be written; nothing is lost then
   */
  *steps(now: number, closed: Readonly<Record<SegmentKind, number>>): Generator<void> {
    // Contents are written after their record: whatever contents there are now, their records are in files by now.
    const files = this.#list();
    for (const kind of ["records", "contents"] as const) {
      for (const file of files) {
        if (file.kind !== kind) continue;
        while (this.#transact(() => this.#stretch(file))) yield;
        if (this.#isComplete(file, now, closed)) this.#finished.set(file.name, file);
        if (this.#mayRemove()) this.#removeFinished();
        yield;
      }
    }
    if (this.#others) this.#removeFinished();
    this.#others = false;
  }

  #list(): JournalFile[] {
    const { folder, owner } = this.#parts;
    const files: JournalFile[] = [];
    for (const name of readdirSync(folder).sort()) {
      const segment = parseSegmentName(name);
      if (segment === null || this.#done.has(name) || this.#finished.has(name)) continue;
      if (!this.#others && segment.instance !== owner.instance) continue;
      const path = join(folder, name);
      try {
        const { size, mtimeMs } = statSync(path);
        files.push({ ...segment, name, path, size, modifiedMs: mtimeMs });
      } catch {
        // Another process has removed it since.
      }
    }
    this.#otherBytes = bytesOf(files) + bytesOf(this.#finished.values());
    return files;
  }

  /** @returns whether there is more to read */
  #stretch(file: JournalFile): boolean {
    return file.kind === "records" ? this.#records(file) : this.#contents(file);
  }

  #records(file: JournalFile): boolean {
    const position = this.#positionOf(file.name);
    const octets = readFrom(file.path, position, STRETCH);
    const end = octets.lastIndexOf(0x0a) + 1;
    if (end === 0) {
      // A torn line stays where it is; what is longer than any line is none.
      if (octets.length <= LONGEST_LINE) return false;
      this.counts.unreadable++;
      this.#setPosition.run(file.name, position + octets.length);
      return true;
    }
    for (const line of octets.toString("utf8", 0, end - 1).split("\n")) this.#record(line);
    this.#parts.rollups.write();
    this.#setPosition.run(file.name, position + end);
    return octets.length === STRETCH;
  }

  #record(line: string): void {
    const { calls, rollups } = this.#parts;
    const record = decodeRecord(line);
    if (record === null) {
      this.counts.unreadable++;
      return;
    }
    this.#orSkip(() => {
      const keys = calls.add(record);
      if (keys === null) return;
      rollups.add(record, keys);
      this.counts.imported++;
    });
  }

  #contents(file: JournalFile): boolean {
    const { calls, texts } = this.#parts;
    const position = this.#positionOf(file.name);
    const there = Math.max(0, file.size - position);
    let octets = readFrom(file.path, position, Math.min(CONTENTS_STRETCH, there));
    let offset = 0;
    for (;;) {
      const read = decodeContents(octets, offset);
      if (read === "more") {
        // A large entry by itself.
        if (offset > 0 || octets.length < CONTENTS_STRETCH || octets.length >= Math.min(there, LONGEST_ENTRY))
          break;
        octets = readFrom(file.path, position, Math.min(LONGEST_ENTRY, there));
        continue;
      }
      if (read === "garbage") {
        // Nothing says where the next entry begins.
        this.counts.unreadable++;
        offset = octets.length;
        this.#setPosition.run(file.name, Math.max(file.size, position + offset));
        return false;
      }
      const { contents, end } = read;
      this.#orSkip(() => {
        const at = calls.placeOf(contents.requestId, contents.part);
        if (at === null) this.counts.orphans++;
        else {
          texts.add(at, contents);
          this.counts.contents++;
        }
      });
      offset = end;
      if (offset >= CONTENTS_STRETCH) break;
    }
    if (offset === 0) return false;
    this.#setPosition.run(file.name, position + offset);
    return true;
  }

  /** An entry that SQLite does not take must not keep all that follow from being stored. */
  #orSkip(work: () => void): void {
    try {
      work();
    } catch (error) {
      const code = primaryCode(error);
      if (code === null || NOT_THE_ROW.has(code)) throw error;
      this.counts.unreadable++;
    }
  }

  #transact<T>(work: () => T): T {
    const { database, names, calls, rollups } = this.#parts;
    const before = { ...this.counts };
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      database.exec("COMMIT");
      names.committed();
      calls.committed();
      return result;
    } catch (error) {
      rollups.forget();
      Object.assign(this.counts, before);
      if (database.isTransaction) database.exec("ROLLBACK");
      names.rolledBack();
      calls.rolledBack();
      throw error;
    }
  }

  #positionOf(name: string): number {
    const row = this.#position.get(name) as { position: number } | undefined;
    return row?.position ?? 0;
  }

  #isComplete(file: JournalFile, now: number, closed: Readonly<Record<SegmentKind, number>>): boolean {
    const { owner } = this.#parts;
    if (file.instance === owner.instance) return file.number <= closed[file.kind];
    if (file.host === owner.host && file.pid !== owner.pid && !isAlive(file.pid)) return true;
    // Of another machine, or of a process whose id is somebody else's now: in a container, our own.
    return now - file.modifiedMs > STRANGERS_REST_MS;
  }

  /** Not all too many: on a small disk the next ones may need their room. */
  #mayRemove(): boolean {
    return this.#finished.size > 0 && bytesOf(this.#finished.values()) >= MOST_FINISHED;
  }

  #removeFinished(): void {
    if (this.#finished.size === 0) return;
    // Without this a power cut could take rows from the database whose journal is gone.
    this.#parts.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const finished = this.#finished;
    this.#finished = new Map();
    for (const file of finished.values()) this.#remove(file);
  }

  #remove(file: JournalFile): void {
    if (!isAllRead(file, this.#positionOf(file.name))) return;
    try {
      unlinkSync(file.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        this.#done.add(file.name);
        return;
      }
    }
    this.#forget.run(file.name);
  }
}

function bytesOf(files: Iterable<JournalFile>): number {
  let sum = 0;
  for (const { size } of files) sum += size;
  return sum;
}

/** A line that was torn when its process ended is all that may be left over; nothing came since it was listed. */
function isAllRead(file: JournalFile, position: number): boolean {
  const octets = readFrom(file.path, position, LONGEST_ENTRY);
  if (file.kind === "records") return !octets.includes(0x0a);
  return decodeContents(octets, 0) === "more";
}

/** One for all stretches: a megabyte thrown away after each makes the collector look at everything. */
const SCRATCH = Buffer.allocUnsafeSlow(Math.max(STRETCH, CONTENTS_STRETCH));

/** @returns octets that stand until the next call */
function readFrom(path: string, position: number, most: number): Buffer {
  const fd = openSync(path, "r");
  try {
    const length = Math.max(0, Math.min(most, fstatSync(fd).size - position));
    // What is read is decoded before anything else is read.
    const octets = length <= SCRATCH.length ? SCRATCH.subarray(0, length) : Buffer.allocUnsafeSlow(length);
    let read = 0;
    while (read < length) {
      const n = readSync(fd, octets, read, length - read, position + read);
      if (n === 0) break;
      read += n;
    }
    return octets.subarray(0, read);
  } finally {
    closeSync(fd);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
