/** Letting go of what is old, or too much, in steps small enough that nobody waits for one. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { STEPS } from "../query.ts";
import type { Marks } from "./marks.ts";
import { PLACES } from "./schema.ts";

export interface RetentionOptions {
  /** Rows, contents and sums per minute. */
  readonly keepDays: number;
  /** The database's size at most, in octets; the oldest rows go first. */
  readonly keepBytes: number;
}

const DAY_MS = 86_400_000;
/** Sums per hour are kept this long, sums per day for ever. */
const HOURS_KEPT_DAYS = 400;
const ROWS_A_STEP = 500;
const PAGES_A_STEP = 125;

export class Retention {
  readonly #database: DatabaseSync;
  readonly #marks: Marks;
  readonly #options: RetentionOptions;
  readonly #rows: StatementSync;
  readonly #first: StatementSync;
  readonly #oldest: StatementSync;
  readonly #deleteCalls: StatementSync;
  readonly #deleteSaid: StatementSync;
  readonly #deleteMessages: StatementSync;
  readonly #places: StatementSync;
  readonly #deleteTexts: StatementSync;
  readonly #deleteRollups: StatementSync;

  constructor(database: DatabaseSync, marks: Marks, options: RetentionOptions) {
    this.#database = database;
    this.#marks = marks;
    this.#options = options;
    this.#rows = database.prepare("SELECT max(seq) - min(seq) + 1 AS n FROM calls");
    this.#first = database.prepare("SELECT min(at) AS at FROM calls");
    this.#oldest = database.prepare(
      "SELECT max(at) AS at, count(*) AS n FROM (SELECT at FROM calls WHERE at < ? ORDER BY at LIMIT ?)",
    );
    this.#places = database.prepare(
      "SELECT at FROM said WHERE at <= ? UNION SELECT at FROM messages WHERE at <= ?",
    );
    this.#deleteCalls = database.prepare("DELETE FROM calls WHERE at <= ?");
    this.#deleteSaid = database.prepare("DELETE FROM said WHERE at <= ?");
    this.#deleteMessages = database.prepare("DELETE FROM messages WHERE at <= ?");
    this.#deleteTexts = database.prepare("DELETE FROM texts WHERE rowid = ?");
    this.#deleteRollups = database.prepare("DELETE FROM rollups WHERE step = ? AND time < ?");
  }

  /** Yields between two steps. @param now ms since the epoch */
  *steps(now: number): Generator<void> {
    const from = now - this.#options.keepDays * DAY_MS;
    while (this.#deleteOldest(from * PLACES)) yield;
    this.#deleteRollups.run(STEPS.minute, from);
    this.#deleteRollups.run(STEPS.hour, now - HOURS_KEPT_DAYS * DAY_MS);
    yield;
    // By share, not until it is small enough: the index of words shrinks later, when its parts are merged.
    for (let rows = this.#tooMany(); rows > 0; rows -= ROWS_A_STEP) {
      this.#deleteOldest(Number.MAX_SAFE_INTEGER, Math.min(rows, ROWS_A_STEP));
      this.#database.exec("INSERT INTO texts (texts, rank) VALUES ('merge', 200)");
      yield;
    }
    const { at } = this.#first.get() as { at: number | null };
    if (at !== null) yield* this.#marks.forget(at);
    while (this.#pragma("freelist_count") > PAGES_A_STEP) {
      // Stepped to its end, or it frees a single page.
      this.#database.prepare(`PRAGMA incremental_vacuum(${PAGES_A_STEP})`).all();
      yield;
    }
  }

  /** Octets of pages that hold something. */
  usedBytes(): number {
    return (this.#pragma("page_count") - this.#pragma("freelist_count")) * this.#pragma("page_size");
  }

  /** How many rows make up what is too much. */
  #tooMany(): number {
    const used = this.usedBytes();
    if (used <= this.#options.keepBytes) return 0;
    const { n } = this.#rows.get() as { n: number | null };
    return Math.ceil(((n ?? 0) * (used - this.#options.keepBytes)) / used);
  }

  /** @returns whether there may be more */
  #deleteOldest(before: number, rows: number = ROWS_A_STEP): boolean {
    const { at, n } = this.#oldest.get(before, rows) as { at: number | null; n: number };
    if (at === null) return false;
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (const row of this.#places.all(at) as { at: number }[]) this.#deleteTexts.run(row.at);
      this.#deleteSaid.run(at);
      this.#deleteMessages.run(at);
      this.#deleteCalls.run(at);
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
    return n === rows;
  }

  #pragma(name: string): number {
    const row = this.#database.prepare(`PRAGMA ${name}`).get() as Record<string, number>;
    return row[name] ?? 0;
  }
}
