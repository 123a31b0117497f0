/**
 * Finding rows. Any combination of conditions can be decided within one index (`calls_at`), read from the newest on: fast
 * when what is looked for is common. When one condition is rare, only the spans of time are read that have rows of
 * it (`marks.ts`).
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { LedgerFilters, LedgerRow, Page, SearchQuery, Tail, TailQuery } from "../query.ts";
import type { Calls } from "./calls.ts";
import type { Mark, Marked, Marks, Range } from "./marks.ts";
import type { Names } from "./names.ts";
import { PLACES } from "./schema.ts";
import { phraseOf } from "./texts.ts";

/** So many rows are each looked up in the index of words. */
const FEW = 1000;
const MOST_ROWS = 1000;
const LAST_PLACE = Number.MAX_SAFE_INTEGER;

/** SQL that is true of a row, with its values. */
interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
  /** It holds for rows with one of them, and for no others. */
  readonly marks?: readonly Mark[];
}

/** Names that are compared as they are, and whether they have marks. */
const NAMED = [
  ["api", true],
  ["subscription", true],
  ["user", true],
  ["product", false],
  ["workspace", false],
  ["backend", false],
  ["ending", false],
  ["evidence", false],
] as const;

/** A number is bound as a floating one, which the index of words does not take for a rowid, and passes over in silence. */
const PLACE = "CAST(? AS INTEGER)";

const OF_REQUEST = "request_id = ?";

export class Search {
  readonly #database: DatabaseSync;
  readonly #names: Names;
  readonly #calls: Calls;
  readonly #marks: Marks;
  readonly #last: StatementSync;

  constructor(database: DatabaseSync, names: Names, calls: Calls, marks: Marks) {
    this.#database = database;
    this.#names = names;
    this.#calls = calls;
    this.#marks = marks;
    this.#last = database.prepare("SELECT max(seq) AS seq FROM calls");
  }

  page(query: SearchQuery): Page {
    const limit = Math.max(1, Math.min(MOST_ROWS, Math.floor(query.limit ?? 100)));
    const from = Math.max(0, Math.ceil(query.from ?? 0)) * PLACES;
    const to =
      query.to === undefined ? LAST_PLACE : Math.min(LAST_PLACE, Math.max(0, Math.ceil(query.to)) * PLACES);
    const before = query.cursor === undefined ? to : Math.min(to, readCursor(query.cursor));
    const conditions = this.#conditions(query);
    if (conditions === null || from >= before) return { rows: [], next: null };
    const range = { from, before };
    const found =
      query.text === undefined
        ? this.#byConditions(conditions, this.#rangesOf(conditions, range), limit)
        : this.#byText(query.text, conditions, range, limit);
    return {
      rows: this.#rows(found),
      next: found.length < limit ? null : String(found.at(-1)!.at),
    };
  }

  tail(query: TailQuery): Tail {
    const end = (this.#last.get() as { seq: number | null }).seq ?? 0;
    const conditions = this.#conditions(query);
    if (query.after === undefined || conditions === null) return { rows: [], last: end };
    const limit = Math.max(1, Math.min(MOST_ROWS, Math.floor(query.limit ?? MOST_ROWS)));
    const found = this.#all(
      `SELECT seq, at FROM calls NOT INDEXED WHERE seq > ? AND seq <= ? ${and(conditions)} ORDER BY seq LIMIT ?`,
      [query.after, end, ...valuesOf(conditions), limit],
    );
    const rows = this.#rows(found).sort((a, b) => a.seq - b.seq);
    return { rows, last: found.length < limit ? end : rows.at(-1)!.seq };
  }

  #byConditions(conditions: readonly Condition[], ranges: readonly Range[], limit: number): Found[] {
    // Parts of one request are next to each other there, and nowhere else.
    const index = isOfRequest(conditions) ? "calls_request" : "calls_at";
    const statement = this.#database.prepare(
      `SELECT seq, at FROM calls INDEXED BY ${index} WHERE at >= ? AND at < ? ${and(conditions)} ORDER BY at DESC LIMIT ?`,
    );
    const values = valuesOf(conditions);
    const found: Found[] = [];
    for (const { from, before } of ranges) {
      found.push(...(statement.all(from, before, ...values, limit - found.length) as unknown as Found[]));
      if (found.length >= limit) break;
    }
    return found;
  }

  #byText(text: string, conditions: readonly Condition[], range: Range, limit: number): Found[] {
    const phrase = phraseOf(text);
    if (phrase === null) return [];
    const ranges = this.#rangesOf(conditions, range);
    if (ranges[0] !== range || isOfRequest(conditions)) {
      const found = this.#byConditions(conditions, ranges, FEW + 1);
      if (found.length <= FEW) return this.#saying(phrase, found, limit);
    }
    // The index of words is read newest first, each find held against the conditions.
    return this.#all(
      `SELECT calls.seq AS seq, calls.at AS at FROM texts CROSS JOIN calls INDEXED BY calls_at ON calls.at = texts.rowid
       WHERE texts MATCH ? AND texts.rowid >= ${PLACE} AND texts.rowid < ${PLACE} ${and(conditions)}
       ORDER BY texts.rowid DESC LIMIT ?`,
      [phrase, range.from, range.before, ...valuesOf(conditions), limit],
    );
  }

  /** Those of a few rows in which a phrase was said. */
  #saying(phrase: string, rows: readonly Found[], limit: number): Found[] {
    const said = this.#database.prepare(`SELECT 1 FROM texts WHERE texts MATCH ? AND rowid = ${PLACE}`);
    const found: Found[] = [];
    for (const row of rows) {
      if (said.get(phrase, row.at) === undefined) continue;
      found.push(row);
      if (found.length === limit) break;
    }
    return found;
  }

  /** Where rows can be that fulfil the rarest condition; all there is when none is rare. */
  #rangesOf(conditions: readonly Condition[], range: Range): readonly Range[] {
    let rarest: { ranges: readonly Range[]; spans: number } | null = null;
    for (const { marks } of conditions) {
      const own = marks === undefined ? null : this.#marks.find(marks, range);
      if (own !== null && (rarest === null || own.spans < rarest.spans)) rarest = own;
    }
    return rarest?.ranges ?? [range];
  }

  /** @returns null when a name is asked for that nothing has */
  #conditions(filters: LedgerFilters): Condition[] | null {
    const conditions: Condition[] = [];
    if (filters.requestId !== undefined) {
      conditions.push({ sql: OF_REQUEST, values: [filters.requestId] });
    }
    for (const [field, isMarked] of NAMED) {
      const name = filters[field];
      if (name === undefined) continue;
      const ids = this.#names.match(name);
      if (ids.length === 0) return null;
      const own = { sql: `${field} ${isOneOf(ids)}`, values: [] };
      conditions.push(isMarked ? { ...own, marks: [markOf(field, ids)] } : own);
    }
    if (filters.model !== undefined) {
      const ids = this.#names.match(filters.model);
      if (ids.length === 0) return null;
      const own = isOneOf(ids);
      conditions.push({
        sql: `(model ${own} OR asked ${own})`,
        values: [],
        marks: [markOf("model", ids), markOf("asked", ids)],
      });
    }
    if (filters.status !== undefined) {
      const [low, high] = readStatus(filters.status);
      const sql = `BETWEEN ${low} AND ${high}`;
      conditions.push({
        sql: `status ${sql}`,
        values: [],
        marks: [{ marked: "status", sql: `value ${sql}` }],
      });
    }
    if (filters.minTokens !== undefined)
      conditions.push({ sql: "total_tokens >= ?", values: [filters.minTokens] });
    return conditions;
  }

  #all(sql: string, values: readonly SQLInputValue[]): Found[] {
    return this.#database.prepare(sql).all(...values) as unknown as Found[];
  }

  /** Whole rows, newest first. */
  #rows(found: readonly Found[]): LedgerRow[] {
    if (found.length === 0) return [];
    const rows = this.#database
      .prepare(
        `SELECT *, EXISTS (SELECT 1 FROM said WHERE said.at = calls.at)
           OR EXISTS (SELECT 1 FROM messages WHERE messages.at = calls.at) AS has_contents
         FROM calls WHERE seq IN (${found.map(({ seq }) => seq).join(",")}) ORDER BY at DESC`,
      )
      .all() as Record<string, unknown>[];
    return rows.map((row) => this.#calls.toRow(row));
  }
}

interface Found {
  readonly seq: number;
  readonly at: number;
}

/** SQL behind a column's name. */
function isOneOf(ids: readonly number[]): string {
  return ids.length === 1 ? `= ${ids[0]}` : `IN (${ids.join(",")})`;
}

function markOf(marked: Marked, ids: readonly number[]): Mark {
  return { marked, sql: `value ${isOneOf(ids)}` };
}

function isOfRequest(conditions: readonly Condition[]): boolean {
  return conditions.some(({ sql }) => sql === OF_REQUEST);
}

function and(conditions: readonly Condition[]): string {
  return conditions.map(({ sql }) => `AND ${sql}`).join(" ");
}

function valuesOf(conditions: readonly Condition[]): SQLInputValue[] {
  return conditions.flatMap(({ values }) => [...values]);
}

function readStatus(status: number | string): [number, number] {
  const family = /^([1-5])xx$/i.exec(String(status));
  if (family !== null) return [Number(family[1]) * 100, Number(family[1]) * 100 + 99];
  const exact = Number(status);
  return Number.isInteger(exact) ? [exact, exact] : [-1, -1];
}

function readCursor(cursor: string): number {
  const place = Number(cursor);
  return Number.isSafeInteger(place) && place >= 0 ? place : 0;
}
