/** Files read and parsed once: a change to one of ten thousand files costs one file. */
import { hash } from "node:crypto";
import { join } from "node:path";
import type { Problem } from "../../base/problem.ts";
import type { Disk } from "./disk.ts";
import { parseStructured, readText } from "./read.ts";
import type { FileEntry } from "./scan.ts";
import type { ParsedFile } from "./source.ts";

/** One file as it was read. The same object as long as its text is the same, whatever its times. */
export class CachedFile {
  /** Where it was last seen. */
  entry: FileEntry;
  /** Undefined when it could not be read; `problems` says why. */
  readonly text: string | undefined;
  readonly problems: readonly Problem[];
  /** Of the content; part of the set's version and the resource's ETag. */
  readonly hash: string;
  #parsed: ParsedFile | undefined;

  constructor(entry: FileEntry, text: string | undefined, problems: readonly Problem[]) {
    this.entry = entry;
    this.text = text;
    this.problems = problems;
    this.hash = hash("sha256", text ?? "", "buffer").toString("hex", 0, 16);
  }

  /** Parsed when first asked for: policy documents never are. */
  parsed(options: { numbersAsWritten: boolean }): ParsedFile {
    return (this.#parsed ??= parseStructured(this.entry.file, this.text ?? "", options));
  }
}

/** How many files are read at a time: enough to keep the disk busy, few enough for any `ulimit`. */
const CONCURRENCY = 16;

export class FileCache {
  readonly #maxBytes: number;
  readonly #files = new Map<string, CachedFile>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Brings the cache in line with a scan: reads what is new or changed, forgets what is gone.
   *
   * @returns false when a file changed while it was read; scan and read again
   */
  async update(entries: readonly FileEntry[], disk: Disk): Promise<boolean> {
    const files = this.#files;
    const stale: FileEntry[] = [];
    for (const entry of entries) {
      const known = files.get(entry.file);
      if (known && (known.entry === entry || known.entry.stamp === entry.stamp)) known.entry = entry;
      else stale.push(entry);
    }
    let stable = true;
    const next = stale.values();
    const worker = async () => {
      for (const entry of next) {
        const read = await readText(join(entry.folder, entry.name), entry.file, this.#maxBytes, disk);
        stable &&= read.stable;
        const known = files.get(entry.file);
        if (!read.stable) files.delete(entry.file);
        else if (known !== undefined && read.text !== undefined && known.text === read.text) {
          // Touched but the same: what was parsed stays valid.
          known.entry = entry;
        } else files.set(entry.file, new CachedFile(entry, read.text, read.problems));
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, stale.length) }, worker));
    this.#forgetOthers(entries);
    return stable;
  }

  #forgetOthers(entries: readonly FileEntry[]): void {
    if (this.#files.size === entries.length) return;
    const present = new Set(entries.map(({ file }) => file));
    for (const file of this.#files.keys()) if (!present.has(file)) this.#files.delete(file);
  }

  get(entry: FileEntry): CachedFile {
    return this.#files.get(entry.file) ?? new CachedFile(entry, undefined, []);
  }
}
