/**
 * Watches an artifact folder. The operating system's events only say *where* to look; what is true is
 * what a scan finds, so an event too many costs little and a lost one is made up for by a regular scan
 * of everything (network and container file systems lose them).
 *
 * A change is told once things have been quiet for a moment, and in a burst that never becomes quiet
 * after `MAX_DELAY_MS` at the latest: editors write a file in several steps, `git pull` hundreds.
 */
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { DEFAULT_MAX_DEPTH, DEFAULT_MAX_ENTRIES } from "./options.ts";
import { type FolderEntry, foldersOf, sameTree, type Scan, ScanCancelled, scanFolder } from "./scan.ts";

/** How long nothing must happen. */
const QUIET_MS = 25;
/** How long a change may wait for quiet. With the load and the swap it stays under 250 ms. */
const MAX_DELAY_MS = 100;
const RESCAN_MS = 2_000;
/** A regular scan makes way for a change that was just told, this often in a row. */
const MOST_CANCELLED = 5;
/** A scan of everything may take one part in this many of the time. */
const RESCAN_SHARE = 50;

export interface WatchOptions {
  /** How often everything is looked at, in ms; more rarely when that takes long. Default 2,000. */
  readonly rescanMs?: number;
  /** The tree as it was loaded: what differs from it is told at once. */
  readonly known?: Scan;
}

export interface FolderWatch {
  /** Resolves once every folder is being watched. */
  readonly ready: Promise<void>;
  /** True when the system refused to watch (too many folders): changes then wait for the next scan. */
  readonly limited: boolean;
  close(): void;
}

/**
 * Calls `onChange` with a fresh scan whenever anything in the folder changed. Calls never overlap;
 * what happens during one is told by the next. `onChange` must not throw or reject.
 */
export function watchFolder(
  folder: string,
  onChange: (scan: Scan) => void | Promise<void>,
  options: WatchOptions = {},
): FolderWatch {
  return new Watch(resolve(folder), onChange, options);
}

class Watch implements FolderWatch {
  readonly ready: Promise<void>;
  limited = false;
  readonly #folder: string;
  readonly #onChange: (scan: Scan) => void | Promise<void>;
  readonly #rescanMs: number;
  /** By folder; one that was replaced by another needs a new watcher. */
  readonly #watchers = new Map<string, { watcher: FSWatcher; identity: string }>();
  #parent: FSWatcher | undefined;
  #known: FolderEntry | undefined;
  /** Folders in which something happened; `undefined` stands for everywhere. */
  #dirty: Set<string> | undefined = new Set();
  #quietTimer: NodeJS.Timeout | undefined;
  #lateTimer: NodeJS.Timeout | undefined;
  #rescanTimer: NodeJS.Timeout | undefined;
  #busy = false;
  /** Everything is to be looked at only because it was time again. */
  #isRoutine = false;
  #isOvertaken = false;
  #cancelled = 0;
  #closed = false;

  constructor(folder: string, onChange: (scan: Scan) => void | Promise<void>, options: WatchOptions) {
    this.#folder = folder;
    this.#onChange = onChange;
    this.#rescanMs = options.rescanMs ?? RESCAN_MS;
    this.#watchParent();
    this.ready = this.#start(options.known);
  }

  async #start(known: Scan | undefined): Promise<void> {
    this.#known = (known ?? (await this.#scan(undefined))).root;
    if (this.#closed) return;
    this.#syncWatchers(undefined, this.#known);
    // Between the scan and the watchers something may have happened: look once more.
    this.#touch(undefined);
    this.#planRescan(0);
  }

  close(): void {
    this.#closed = true;
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#parent?.close();
    clearTimeout(this.#quietTimer);
    clearTimeout(this.#lateTimer);
    clearTimeout(this.#rescanTimer);
  }

  #scan(dirty: ReadonlySet<string> | undefined): Promise<Scan> {
    const limits = { maxDepth: DEFAULT_MAX_DEPTH, maxEntries: DEFAULT_MAX_ENTRIES };
    const earlier = this.#known && { root: this.#known, dirty };
    const mayWait = dirty === undefined && this.#isRoutine && this.#cancelled < MOST_CANCELLED;
    // From here on it is under way, and the next one is another.
    this.#isRoutine = false;
    return scanFolder(this.#folder, limits, earlier, undefined, () => mayWait && this.#isOvertaken);
  }

  /** Something happened in `file`, or, with `undefined`, anywhere. */
  #touch(file: string | undefined): void {
    if (this.#closed) return;
    if (file === undefined) {
      this.#dirty = undefined;
      this.#isRoutine = false;
    } else {
      // A regular look that has not begun makes way too.
      if (this.#dirty === undefined && this.#isRoutine) {
        this.#dirty = new Set();
        this.#isRoutine = false;
        this.#planRescan(0);
      }
      this.#dirty?.add(file);
      this.#isOvertaken = true;
    }
    this.#soon();
  }

  #lookRegularly(): void {
    if (this.#closed || this.#dirty === undefined) return;
    // Changes that wait to be looked at go first.
    if (this.#busy || this.#dirty.size > 0) return this.#planRescan(0);
    this.#dirty = undefined;
    this.#isRoutine = true;
    this.#soon();
  }

  #soon(): void {
    clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => void this.#look(), QUIET_MS);
    this.#lateTimer ??= setTimeout(() => void this.#look(), MAX_DELAY_MS);
  }

  async #look(): Promise<void> {
    clearTimeout(this.#quietTimer);
    clearTimeout(this.#lateTimer);
    this.#lateTimer = undefined;
    // Whoever is busy looks again at the end: `#dirty` keeps what to look at.
    if (this.#busy || this.#closed) return;
    this.#busy = true;
    try {
      const dirty = this.#dirty;
      this.#dirty = new Set();
      this.#isOvertaken = false;
      const started = performance.now();
      const scan = await this.#scan(dirty);
      if (this.#closed) return;
      if (dirty === undefined) {
        this.#planRescan(performance.now() - started);
        this.#cancelled = 0;
      }
      const before = this.#known;
      const changed = !sameTree(before, scan.root);
      this.#known = scan.root;
      this.#syncWatchers(before, scan.root);
      if (changed) await this.#onChange(scan);
    } catch (error) {
      if (!(error instanceof ScanCancelled)) throw error;
      this.#cancelled++;
      this.#planRescan(0);
    } finally {
      this.#busy = false;
      if (this.#dirty === undefined || this.#dirty.size > 0) this.#again();
    }
  }

  #again(): void {
    if (!this.#closed) this.#quietTimer = setTimeout(() => void this.#look(), QUIET_MS);
  }

  #planRescan(tookMs: number): void {
    clearTimeout(this.#rescanTimer);
    const waitMs = Math.max(this.#rescanMs, tookMs * RESCAN_SHARE);
    this.#rescanTimer = setTimeout(() => this.#lookRegularly(), waitMs);
    // Watching alone must not keep a process alive.
    this.#rescanTimer.unref();
  }

  /**
   * One watcher per folder: recursive watching on Linux is the same, but loses more. What both trees share
   * is watched already.
   */
  #syncWatchers(before: FolderEntry | undefined, now: FolderEntry | undefined): void {
    if (before === now) return;
    if (before && before.file !== now?.file) this.#unwatch(before);
    if (!now) return;
    if (this.#watchers.get(now.file)?.identity !== now.identity) this.#watchOne(now);
    const left = new Map(before?.folders.map((child) => [child.name, child]));
    for (const child of now.folders) {
      this.#syncWatchers(left.get(child.name), child);
      left.delete(child.name);
    }
    for (const gone of left.values()) this.#unwatch(gone);
  }

  #unwatch(gone: FolderEntry): void {
    for (const { file } of foldersOf(gone)) {
      this.#watchers.get(file)?.watcher.close();
      this.#watchers.delete(file);
    }
  }

  #watchOne(folder: FolderEntry): void {
    this.#watchers.get(folder.file)?.watcher.close();
    this.#watchers.delete(folder.file);
    if (this.limited) return;
    try {
      const watcher = watch(folder.path, { persistent: false }, () => this.#touch(folder.file));
      watcher.on("error", () => this.#touch(undefined));
      this.#watchers.set(folder.file, { watcher, identity: folder.identity });
      // Whatever came into the folder before it was watched.
      this.#touch(folder.file);
    } catch (error) {
      // Out of watches (ENOSPC, EMFILE): regular scans take over. Gone already: the scan will see.
      const code = (error as { code?: string }).code;
      if (code === "ENOSPC" || code === "EMFILE") this.limited = true;
    }
  }

  /** The folder itself may be replaced: `git-sync` swaps a symbolic link, people rename. */
  #watchParent(): void {
    const name = basename(this.#folder);
    try {
      this.#parent = watch(dirname(this.#folder), { persistent: false }, (_, changed) => {
        if (changed === null || changed === name) this.#touch(undefined);
      });
      this.#parent.on("error", () => this.#touch(undefined));
    } catch {
      // No parent to watch: regular scans notice.
    }
  }
}
