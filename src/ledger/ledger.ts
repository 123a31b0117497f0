/**
 * The ledger: one line per request to a model, and what was said where diagnostics ask for it.
 *
 * A record is in a file before its client sees the end of the answer (`journal.ts`): nothing that was settled is lost
 * when the process is killed. Contents follow in the background (`contents-queue.ts`). A worker moves both into SQLite
 * (`store/`) and answers what is asked, so that no request ever waits for a database. When the disk takes nothing more,
 * traffic goes on: contents are given up first, records wait in memory, and whatever is lost is counted.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { LedgerContents } from "./contents.ts";
import { type ContentsFiles, ContentsQueue, type DropReason } from "./contents-queue.ts";
import { Journal, type JournalFiles } from "./journal.ts";
import { encodeRecord } from "./line.ts";
import type { Request, StoreCounts } from "./protocol.ts";
import type { Page, ReadContents, Rollup, RollupQuery, SearchQuery, Tail, TailQuery } from "./query.ts";
import type { LedgerRecord } from "./record.ts";
import { JOURNAL, newOwner } from "./segment.ts";
import { WorkerLink } from "./worker-link.ts";

export interface LedgerOptions {
  readonly clock: Clock;
  readonly pid: number;
  /** Rows, contents and sums per minute; default 30. */
  readonly keepDays?: number;
  /** The database's size at most; default 10 GB. */
  readonly keepBytes?: number;
  /** Contents that wait to be written; default 10,000 and 64 MB (`reliability.md` A2). */
  readonly mostContents?: number;
  readonly mostContentsBytes?: number;
  /** Told when writing begins to fail, and when it works again. */
  readonly report?: (trouble: string | null) => void;
  readonly files?: JournalFiles;
  readonly contentsFiles?: ContentsFiles;
}

export type LostReason = "disk_full" | "read_only" | "io_error" | "behind" | "closed";

export interface LedgerStats {
  /** Records that were handed over: dropped + waiting + written. */
  readonly appended: number;
  readonly written: number;
  /** Records that wait in memory for the disk. */
  readonly waiting: number;
  readonly waitingContents: number;
  /** `headgate_log_dropped_total`, by reason. */
  readonly dropped: {
    readonly records: Readonly<Record<LostReason, number>>;
    readonly contents: Readonly<Record<DropReason, number>>;
  };
  /** What the worker said last; null before. */
  readonly store: StoreCounts | null;
  /** Why rows cannot be written or stored now; null when they can. */
  readonly trouble: string | null;
}

const DAY = 30;
const GIGABYTES = 10 * 1024 ** 3;
const SEGMENT_BYTES = 2 * 1024 * 1024;
/** Between two looks at what came: contents are written down. */
const FLUSH_MS = 200;
/** Between two imports while nobody asks: one large transaction is cheaper than many small ones. */
const IMPORT_MS = 1000;
const LONGEST_PAUSE_MS = 10_000;
const UPKEEP_MS = 60_000;
/** While nothing comes and nobody asks: what is too old must go all the same. */
const IDLE_UPKEEP_MS = 3_600_000;
/** Somebody who asks waits so long for what has just come to be stored. */
const FRESH_MS = 1000;
const CLOSE_MS = 5000;
/** Records that wait in memory while the disk takes none. */
const MOST_HELD = 10_000;
/** Octets of journal that the database has not taken: more would fill the disk. */
const MOST_BEHIND = 1024 ** 3;

export class Ledger {
  readonly #options: LedgerOptions;
  readonly #journal: Journal;
  readonly #contents: ContentsQueue;
  readonly #worker: WorkerLink;
  readonly #lost: Record<LostReason, number> = {
    disk_full: 0,
    read_only: 0,
    io_error: 0,
    behind: 0,
    closed: 0,
  };
  #held: string[] = [];
  #heldReason: LostReason = "io_error";
  #appended = 0;
  #written = 0;
  /** Octets since the database last took everything. */
  #behind = 0;
  #dirty = false;
  #failures = 0;
  #writeTrouble: string | null = null;
  #storeTrouble: string | null = null;
  #said: string | null = null;
  #counts: StoreCounts | null = null;
  #others = true;
  #closed = false;
  #importing: Promise<void> | null = null;
  /** When it began last, on the monotonic clock. */
  #importedMs = -Infinity;
  #cancelTick: (() => void) | null = null;
  #cancelUpkeep: (() => void) | null = null;
  /** Something came or was asked since the last upkeep. */
  #used = false;
  #resting = false;

  /**
   * Costs next to nothing until something is appended or asked; what an earlier process left is stored soon after.
   *
   * @param folder made when it is needed
   */
  static open(folder: string, options: LedgerOptions): Ledger {
    const ledger = new Ledger(folder, options);
    if (hasFiles(join(folder, JOURNAL))) {
      ledger.#dirty = true;
      ledger.#stir();
    } else if (hasFiles(folder)) ledger.#keepUp(UPKEEP_MS);
    return ledger;
  }

  private constructor(folder: string, options: LedgerOptions) {
    this.#options = options;
    const owner = newOwner(options.pid);
    const journal = join(folder, JOURNAL);
    this.#journal = new Journal({
      folder: journal,
      kind: "records",
      owner,
      segmentBytes: SEGMENT_BYTES,
      files: options.files,
    });
    this.#contents = new ContentsQueue({
      folder: journal,
      owner,
      segmentBytes: 8 * SEGMENT_BYTES,
      mostEntries: options.mostContents ?? MOST_HELD,
      mostBytes: options.mostContentsBytes ?? 64 * 1024 * 1024,
      files: options.contentsFiles,
    });
    const keepDays = options.keepDays ?? DAY;
    const keepBytes = options.keepBytes ?? GIGABYTES;
    this.#worker = new WorkerLink({ folder, owner, keepDays, keepBytes });
  }

  /** Writes a record down: when this returns it is in a file, or waits for a disk that takes it. Never throws. */
  append(record: LedgerRecord): void {
    this.#appended++;
    if (this.#closed) {
      this.#lost.closed++;
      return;
    }
    const line = encodeRecord(record);
    if (this.#held.length > 0 || !this.#write(line)) this.#hold(line);
    this.#stir();
  }

  /** Takes what was said; its record has been appended before. Never throws, never waits. */
  addContents(contents: LedgerContents): void {
    if (this.#closed) {
      this.#contents.dropped.closed++;
      return;
    }
    this.#contents.add(contents);
    this.#stir();
  }

  /** @throws Error when the database cannot be read */
  async search(query: SearchQuery): Promise<Page> {
    await this.#freshen();
    return this.#ask({ kind: "search", query });
  }

  /** What arrived after what was last seen: for following along. */
  async tail(query: TailQuery): Promise<Tail> {
    await this.#freshen();
    return this.#ask({ kind: "tail", query });
  }

  async rollup(query: RollupQuery): Promise<Rollup> {
    await this.#freshen();
    return this.#ask({ kind: "rollup", query });
  }

  /** What was said in one request, part by part; empty when nothing was logged. */
  async contents(requestId: string): Promise<ReadContents[]> {
    await this.#freshen();
    return this.#ask({ kind: "contents", requestId });
  }

  stats(): LedgerStats {
    return {
      appended: this.#appended,
      written: this.#written,
      waiting: this.#held.length,
      waitingContents: this.#contents.length,
      dropped: { records: { ...this.#lost }, contents: { ...this.#contents.dropped } },
      store: this.#counts,
      trouble: this.#writeTrouble ?? this.#storeTrouble,
    };
  }

  /** Neither a file nor the database takes what comes, at the moment. */
  get failing(): boolean {
    return this.#said !== null;
  }

  /** What was given up so far, for `headgate_log_dropped_total`. */
  losses(): { sink: string; reason: string; count: number }[] {
    const of = (sink: string, counts: Readonly<Record<string, number>>) =>
      Object.entries(counts).map(([reason, count]) => ({ sink, reason, count }));
    return [...of("ledger", this.#lost), ...of("ledger_contents", this.#contents.dropped)].filter(
      ({ count }) => count > 0,
    );
  }

  /** Until all that came so far is in the database. @throws Error when it cannot be written */
  async flush(): Promise<void> {
    this.#writeHeld();
    await this.#contents.flush();
    // One that is under way may have looked before.
    await this.#importing?.catch(() => undefined);
    await this.#import();
  }

  /** Lets go of what is too old or too much, now; otherwise it happens once a minute. */
  async retain(): Promise<void> {
    this.#counts = await this.#ask<StoreCounts>({ kind: "retain", now: this.#options.clock.now() });
  }

  /** Takes nothing more, writes what is there. What the database has not taken by then is stored at the next start. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTick?.();
    this.#cancelUpkeep?.();
    this.#writeHeld();
    this.#lost[this.#heldReason] += this.#held.length;
    this.#held = [];
    await this.#within(CLOSE_MS, this.#contents.close());
    this.#journal.close();
    if (this.#worker.running || this.#dirty) {
      const finish = async (): Promise<void> => {
        await this.#importing?.catch(() => undefined);
        await this.#import();
        await this.#ask({ kind: "close" });
      };
      await this.#within(CLOSE_MS, finish());
    }
    await this.#worker.stop();
  }

  // ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #write(line: string): boolean {
    if (this.#behind > MOST_BEHIND) {
      this.#heldReason = "behind";
      return false;
    }
    try {
      this.#journal.appendText(line);
    } catch (error) {
      this.#heldReason = reasonOf(error);
      this.#writeTrouble = messageOf(error);
      this.#tell();
      return false;
    }
    this.#written++;
    this.#behind += line.length;
    this.#dirty = true;
    return true;
  }

  #hold(line: string): void {
    this.#held.push(line);
    if (this.#held.length <= MOST_HELD) return;
    // A tenth at once: shifting one by one would move all others each time.
    const lost = this.#held.splice(0, MOST_HELD / 10).length;
    this.#lost[this.#heldReason] += lost;
  }

  #writeHeld(): void {
    let written = 0;
    while (written < this.#held.length && this.#write(this.#held[written]!)) written++;
    this.#held.splice(0, written);
    if (this.#held.length === 0 && this.#writeTrouble !== null) {
      this.#writeTrouble = null;
      this.#tell();
    }
  }

  #stir(): void {
    if (this.#cancelTick !== null || this.#closed) return;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FLUSH_MS * 2 ** Math.min(this.#failures, 10));
    this.#cancelTick = this.#options.clock.after(pauseMs, () => void this.#tick());
    this.#wake();
  }

  #wake(): void {
    this.#used = true;
    if (this.#cancelUpkeep !== null && !this.#resting) return;
    this.#resting = false;
    this.#keepUp(UPKEEP_MS);
  }

  #keepUp(ms: number): void {
    this.#cancelUpkeep?.();
    this.#cancelUpkeep = this.#closed ? null : this.#options.clock.after(ms, () => void this.#upkeep());
  }

  async #tick(): Promise<void> {
    this.#writeHeld();
    if (await this.#contents.flush()) this.#dirty = true;
    const now = this.#options.clock.monotonic();
    if (this.#dirty && (now - this.#importedMs >= IMPORT_MS || this.#failures > 0)) {
      this.#importedMs = now;
      await this.#import().catch(() => undefined);
    }
    this.#cancelTick = null;
    if (this.#dirty || this.#held.length > 0 || this.#contents.length > 0) this.#stir();
  }

  async #upkeep(): Promise<void> {
    const isIdle = !this.#used;
    this.#used = false;
    this.#journal.rest();
    await this.#contents.rest();
    this.#others = true;
    try {
      await this.#importing;
      await this.#import();
      await this.retain();
      // Its memory is worth more to others than its being ready.
      if (isIdle && !this.#used && !this.#closed) {
        await this.#ask({ kind: "close" });
        if (!this.#used && !this.#closed) await this.#worker.stop();
      }
    } catch {
      // It has been said; the next time is soon enough.
    }
    if (this.#closed) return;
    this.#resting = isIdle && !this.#used;
    this.#keepUp(this.#resting ? IDLE_UPKEEP_MS : UPKEEP_MS);
  }

  // ── The worker ──────────────────────────────────────────────────────────────────────────────────────────────────

  #ask<T>(request: Request): Promise<T> {
    return this.#worker.ask<T>(request, this.#options.clock.now());
  }

  #import(): Promise<void> {
    this.#importing ??= this.#importNow().finally(() => (this.#importing = null));
    return this.#importing;
  }

  async #importNow(): Promise<void> {
    this.#dirty = false;
    const { behind, others } = { behind: this.#behind, others: this.#others };
    const closed = { records: this.#journal.closed, contents: this.#contents.closed };
    try {
      this.#counts = await this.#ask({ kind: "import", now: this.#options.clock.now(), closed, others });
      this.#behind -= behind;
      if (others) this.#others = false;
      this.#failures = 0;
      this.#storeTrouble = null;
      this.#tell();
    } catch (error) {
      this.#dirty = true;
      this.#failures++;
      this.#storeTrouble = messageOf(error);
      this.#tell();
      throw error;
    }
  }

  /** So that who asks finds what has just been settled; not for long, and not when writing fails. */
  async #freshen(): Promise<void> {
    if (!this.#closed) this.#wake();
    const waiting = this.#held.length + this.#contents.length;
    if (!this.#dirty && waiting === 0 && this.#importing === null) return;
    if (this.#failures > 0 || this.#closed) return;
    await this.#within(FRESH_MS, this.flush());
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    let late = (): void => {};
    const deadline = new Promise<void>((resolve) => (late = this.#options.clock.after(ms, resolve)));
    await Promise.race([work.catch(() => undefined), deadline]);
    late();
  }

  #tell(): void {
    const trouble = this.#writeTrouble ?? this.#storeTrouble;
    if ((trouble === null) === (this.#said === null)) return;
    this.#said = trouble;
    this.#options.report?.(trouble);
  }
}

function hasFiles(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    return false;
  }
}

function reasonOf(error: unknown): LostReason {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "ENOSPC" || code === "EDQUOT") return "disk_full";
  return code === "EROFS" || code === "EACCES" || code === "EPERM" ? "read_only" : "io_error";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
