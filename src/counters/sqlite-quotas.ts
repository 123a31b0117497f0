import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type Answer, type QuotaClaim, type Quotas } from "./counters.ts";
import { type Period, periodAt, stillCounts } from "./fixed-period.ts";
import { MemoryQuotas, refusalOf } from "./memory-quotas.ts";
import type { PeriodTotals } from "./meters.ts";

/**
 * Quotas in a file that outlives the process.
 *
 * A call is admitted only after the transaction that counts it has been written to SQLite's write-ahead log, so no
 * admitted call is lost when the process is killed, however often. The log is synced to the disk when SQLite moves it into
 * the database (`synchronous=NORMAL`): a machine that loses power may forget the last calls, never the file's integrity.
 * A check costs about 15 µs on an idle machine, with a sync each it would be 250 (`bench/limits.ts`).
 *
 * Counting lives in the file alone, so several processes on one machine may share it. When the file cannot be
 * written (disk full, read-only) calls are counted in memory on top of what the file said last, and reported once; what
 * was counted meanwhile is written when writing succeeds again.
 */
export class SqliteQuotas implements Quotas, PeriodTotals {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #update: StatementSync;
  readonly #upsert: StatementSync;
  readonly #sweep: StatementSync;
  readonly #delete: StatementSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #onFailure: (error: Error) => void;
  /** Counted while the file could not be written, per key; null while it can. */
  #unwritten: Map<string, { readonly claim: QuotaClaim; readonly now: number }> | null = null;
  #meanwhile = new MemoryQuotas(100_000);
  #writes = 0;

  /**
   * @param file       created when it does not exist
   * @param onFailure  told once when the file cannot be written any more
   * @throws Error when the file is not a database or its folder cannot be written
   */
  constructor(file: string, onFailure: (error: Error) => void = () => {}) {
    this.#onFailure = onFailure;
    const database = new DatabaseSync(file);
    this.#database = database;
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = NORMAL");
    // Nobody holds the file for long; a request must not wait for somebody who does.
    database.exec("PRAGMA busy_timeout = 20");
    database.exec(
      "CREATE TABLE IF NOT EXISTS quotas (key TEXT PRIMARY KEY, start_ms REAL NOT NULL, end_ms REAL, used REAL NOT NULL) WITHOUT ROWID",
    );
    database.exec("CREATE INDEX IF NOT EXISTS quotas_by_end ON quotas (end_ms) WHERE end_ms IS NOT NULL");
    this.#select = database.prepare("SELECT start_ms, used FROM quotas WHERE key = ?");
    // Within a period only the number changes; the index by end is left alone.
    this.#update = database.prepare("UPDATE quotas SET used = ? WHERE key = ?");
    this.#upsert = database.prepare(
      "INSERT INTO quotas VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET start_ms = excluded.start_ms, end_ms = excluded.end_ms, used = excluded.used",
    );
    this.#sweep = database.prepare(
      "DELETE FROM quotas WHERE key IN (SELECT key FROM quotas WHERE end_ms <= ? LIMIT 200)",
    );
    this.#delete = database.prepare("DELETE FROM quotas WHERE key = ?");
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
  }

  take(claims: readonly QuotaClaim[], now: number): Answer {
    const asksOnly = claims.every(({ cost }) => cost === 0);
    const answer = this.#unwritten === null && this.#transact(() => this.#takeInFile(claims, now), !asksOnly);
    return answer || this.#takeMeanwhile(claims, now);
  }

  add(claim: QuotaClaim, now: number): void {
    if (claim.cost === 0) return;
    const done = this.#unwritten === null && this.#transact(() => this.#count(claim, now) >= 0, true);
    if (!done) this.#countMeanwhile(claim, now);
  }

  /** Each reading of the file costs about 3 µs; other processes may have written it. */
  totalOf(key: string): { readonly startMs: number; readonly used: number } | null {
    const written = this.#rowOf(key);
    if (this.#unwritten === null) return written;
    const since = this.#meanwhile.totalOf(key);
    if (since === null || (written !== null && written.startMs > since.startMs)) return written;
    if (written === null || written.startMs < since.startMs) return since;
    return { startMs: since.startMs, used: written.used + since.used };
  }

  addTo(key: string, period: Period, cost: number): void {
    const { startMs, endMs } = period;
    if (cost === 0 || (this.totalOf(key)?.startMs ?? -Infinity) > startMs) return;
    if (this.#unwritten !== null) this.#writeUnwritten();
    else if (++this.#writes % 256 === 0) this.#transact(() => this.#sweep.run(startMs).changes >= 0, true);
    this.add({ key, limit: 0, cost, anchorMs: startMs, periodMs: endMs - startMs }, startMs);
  }

  forget(key: string): void {
    this.#meanwhile.forget(key);
    if (this.#unwritten === null) this.#transact(() => this.#delete.run(key).changes >= 0, true);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #takeInFile(claims: readonly QuotaClaim[], now: number): Answer {
    const refused = refusalOf(claims, now, (claim, period) => this.#usedIn(claim.key, period));
    if (refused !== null) return refused;
    let remaining = Infinity;
    for (const claim of claims) {
      const used =
        claim.cost > 0
          ? this.#count(claim, now)
          : this.#usedIn(claim.key, periodAt(claim.anchorMs, claim.periodMs, now));
      remaining = Math.min(remaining, Math.max(0, claim.limit - used));
    }
    if (++this.#writes % 256 === 0) this.#sweep.run(now);
    return { state: "taken", remaining };
  }

  /** One transaction; false when the file cannot be written. */
  #transact<T>(work: () => T, writes: boolean): T | false {
    try {
      if (!writes) return work();
      this.#begin.run();
      const result = work();
      this.#commit.run();
      return result;
    } catch (error) {
      this.#rollBack();
      this.#unwritten = new Map();
      if (this.#database.isOpen) this.#onFailure(error as Error);
      return false;
    }
  }

  #rollBack(): void {
    try {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself; the next transaction will say what is wrong.
    }
  }

  #usedIn(key: string, period: Period): number {
    const row = this.#select.get(key) as { start_ms: number; used: number } | undefined;
    return row !== undefined && stillCounts(row.start_ms, period) ? row.used : 0;
  }

  #count(claim: QuotaClaim, now: number): number {
    const period = periodAt(claim.anchorMs, claim.periodMs, now);
    const row = this.#select.get(claim.key) as { start_ms: number; used: number } | undefined;
    if (row !== undefined && stillCounts(row.start_ms, period)) {
      this.#update.run(row.used + claim.cost, claim.key);
      return row.used + claim.cost;
    }
    this.#upsert.run(claim.key, period.startMs, period.endMs === Infinity ? null : period.endMs, claim.cost);
    return claim.cost;
  }

  // ── While the file cannot be written ────────────────────────────────────────────────────────────────────────────

  #takeMeanwhile(claims: readonly QuotaClaim[], now: number): Answer {
    if (this.#writeUnwritten()) return this.take(claims, now);
    const refused = refusalOf(
      claims,
      now,
      ({ key }, period) => this.#lastKnown(key, period) + this.#meanwhile.usedIn(key, period),
    );
    if (refused !== null) return refused;
    let remaining = Infinity;
    for (const claim of claims) {
      this.#countMeanwhile(claim, now);
      const period = periodAt(claim.anchorMs, claim.periodMs, now);
      const used = this.#lastKnown(claim.key, period) + this.#meanwhile.usedIn(claim.key, period);
      remaining = Math.min(remaining, Math.max(0, claim.limit - used));
    }
    return { state: "taken", remaining };
  }

  #countMeanwhile(claim: QuotaClaim, now: number): void {
    this.#unwritten ??= new Map();
    this.#meanwhile.add(claim, now);
    this.#unwritten.set(claim.key, { claim, now });
  }

  /** Null also for a file that cannot be read any more. */
  #rowOf(key: string): { readonly startMs: number; readonly used: number } | null {
    try {
      const row = this.#select.get(key) as { start_ms: number; used: number } | undefined;
      return row === undefined ? null : { startMs: row.start_ms, used: row.used };
    } catch {
      return null;
    }
  }

  /** A full disk can still be read. */
  #lastKnown(key: string, period: Period): number {
    try {
      return this.#usedIn(key, period);
    } catch {
      return 0;
    }
  }

  /** Tried once in 64 checks. */
  #writeUnwritten(): boolean {
    if (++this.#writes % 64 !== 0 || this.#unwritten === null || !this.#database.isOpen) return false;
    try {
      this.#begin.run();
      for (const { claim, now } of this.#unwritten.values()) {
        const cost = this.#meanwhile.usedIn(claim.key, periodAt(claim.anchorMs, claim.periodMs, now));
        if (cost > 0) this.#count({ ...claim, cost }, now);
      }
      this.#commit.run();
    } catch {
      this.#rollBack();
      return false;
    }
    this.#unwritten = null;
    this.#meanwhile = new MemoryQuotas(100_000);
    return true;
  }
}
