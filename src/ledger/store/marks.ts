/**
 * In which spans of time a name, a model or a status has rows. An index of its own for each of them would be written to
 * with every row; of these there is one entry for each span, however many rows fall into it. Rows are then read
 * from `calls_at`, in the spans that have any.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { PLACES } from "./schema.ts";

/** What has marks, and its number in the table. */
export const MARKED = { api: 1, subscription: 2, user: 3, model: 4, asked: 5, status: 6 } as const;
export type Marked = keyof typeof MARKED;

/** Places of `calls.at` in a span: 16 seconds. The step that made the table has it, too. */
const SPAN = 2 ** 25;

/** More than these are no help: reading rows from the newest on finds enough of them soon. */
const MOST_SPANS = 5000;

/** Values between two steps of `forget`. */
const VALUES_A_STEP = 500;

const HOUR = 3_600_000 * PLACES;

/** Rows that a mark is asked for: of these values. */
export interface Mark {
  readonly marked: Marked;
  /** SQL of `value`. */
  readonly sql: string;
}

/** From inclusive, before exclusive, in places. */
export interface Range {
  readonly from: number;
  readonly before: number;
}

export class Marks {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #next: StatementSync;
  readonly #delete: StatementSync;
  /** The span of a value's last mark, in the transaction under way: another process may take marks away. */
  readonly #last = Object.values(MARKED).map(() => new Map<number, number>());
  #forgotten = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare("INSERT OR IGNORE INTO marks (marked, value, span) VALUES (?, ?, ?)");
    this.#next = database.prepare(
      "SELECT marked, value FROM marks WHERE (marked, value) > (?, ?) ORDER BY marked, value LIMIT 1",
    );
    this.#delete = database.prepare("DELETE FROM marks WHERE marked = ? AND value = ? AND span < ?");
  }

  /** Marks a row; within the transaction that stores it. */
  add(at: number, marked: Marked, value: number): void {
    const last = this.#last[MARKED[marked] - 1]!;
    const span = Math.floor(at / SPAN);
    if (last.get(value) === span) return;
    last.set(value, span);
    this.#insert.run(MARKED[marked], value, span);
  }

  /** The transaction has ended. */
  ended(): void {
    for (const last of this.#last) last.clear();
  }

  /** @returns where rows with one of the marks are, newest first; null when that is nearly everywhere */
  find(marks: readonly Mark[], { from, before }: Range): { ranges: Range[]; spans: number } | null {
    const first = Math.floor(from / SPAN);
    const last = Math.floor((before - 1) / SPAN);
    const parts = marks.map(
      ({ marked, sql }) =>
        `SELECT span FROM marks WHERE marked = ${MARKED[marked]} AND ${sql} AND span BETWEEN ? AND ?`,
    );
    // Without an order it ends as soon as there are too many.
    const sql = `SELECT DISTINCT span FROM (${parts.join(" UNION ALL ")}) LIMIT ${MOST_SPANS + 1}`;
    const rows = this.#database.prepare(sql).all(...marks.flatMap(() => [first, last])) as { span: number }[];
    if (rows.length > MOST_SPANS) return null;
    const spans = rows.map(({ span }) => span).sort((a, b) => b - a);
    const ranges: { from: number; before: number }[] = [];
    for (const span of spans) {
      const start = Math.max(from, span * SPAN);
      const later = ranges.at(-1);
      if (later?.from === (span + 1) * SPAN) later.from = start;
      else ranges.push({ from: start, before: Math.min(before, (span + 1) * SPAN) });
    }
    return { ranges, spans: spans.length };
  }

  /** Lets go of marks before the oldest row, once it is an hour younger than the last time; yields between two steps. */
  *forget(oldest: number): Generator<void> {
    if (oldest - this.#forgotten < HOUR) return;
    this.#forgotten = oldest;
    let at = this.#next.get(0, -1) as { marked: number; value: number } | undefined;
    for (let n = 1; at !== undefined; n++) {
      this.#delete.run(at.marked, at.value, Math.floor(oldest / SPAN));
      at = this.#next.get(at.marked, at.value) as { marked: number; value: number } | undefined;
      if (n % VALUES_A_STEP === 0) yield;
    }
  }
}
