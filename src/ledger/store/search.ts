/**
 * Finding rows. Any combination of conditions can be decided within one index (`calls_at`), read from the newest on: fast
 * when what is looked for is common. When one condition is rare its own index leads instead. Which it is, is asked
 * of the indexes first, at the price of a look at `RARE` entries.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { LedgerFilters, LedgerRow, Page, SearchQuery, Tail, TailQuery } from "../query.ts";
import type { Calls } from "./calls.ts";
import type { Names } from "./names.ts";
import { PLACES } from "./schema.ts";
import { phraseOf } from "./texts.ts";

const RARE = 20_000;
const FEW = 1000;
const MOST_ROWS = 1000;
const LAST_PLACE = Number.MAX_SAFE_INTEGER;

/** SQL that is true of a row, with its values. */
interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
  /** Indexes that decide it, each for a part of it that is joined by OR. */
  readonly indexes?: readonly {
    readonly name: string;
    readonly sql: string;
    readonly values: readonly SQLInputValue[];
  }[];
}

/** Names that are compared as they are, and the index that leads with them. */
const NAMED = [
  ["api", "calls_api"],
  ["subscription", "calls_subscription"],
  ["user", "calls_user"],
  ["product", null],
  ["workspace", null],
  ["backend", null],
  ["ending", null],
  ["evidence", null],
] as const;

export class Search {
  readonly #database: DatabaseSync;
  readonly #names: Names;
  readonly #calls: Calls;
  readonly #last: StatementSync;

  constructor(database: DatabaseSync, names: Names, calls: Calls) {
    this.#database = database;
    this.#names = names;
    this.#calls = calls;
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
    const found =
      query.text === undefined
        ? this.#byConditions(conditions, from, before, limit)
        : this.#byText(query.text, conditions, from, before, limit);
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

  #byConditions(conditions: readonly Condition[], from: number, before: number, limit: number): Found[] {
    const rarest = this.#rarest(conditions, from, before);
    if (rarest !== null) return this.#byIndex(rarest.condition, conditions, [], from, before, limit);
    return this.#all(
      `SELECT seq, at FROM calls INDEXED BY calls_at WHERE at >= ? AND at < ? ${and(conditions)} ORDER BY at DESC LIMIT ?`,
      [from, before, ...valuesOf(conditions), limit],
    );
  }

  #byText(
    text: string,
    conditions: readonly Condition[],
    from: number,
    before: number,
    limit: number,
  ): Found[] {
    const phrase = phraseOf(text);
    if (phrase === null) return [];
    const matches = "texts MATCH ? AND rowid >= ? AND rowid < ?";
    const values = [phrase, from, before];
    const rarest = this.#rarest(conditions, from, before);
    if (rarest !== null) {
      // Each of a few rows is looked up in the index of words; many are held against all finds.
      const one = {
        sql: "EXISTS (SELECT 1 FROM texts WHERE texts MATCH ? AND rowid = calls.at)",
        values: [phrase],
      };
      const inAll = { sql: `at IN (SELECT rowid FROM texts WHERE ${matches})`, values };
      if (rarest.count <= FEW) return this.#byIndex(rarest.condition, conditions, [one], from, before, limit);
      if (rarest.count < this.#count(`SELECT 1 FROM texts WHERE ${matches}`, values))
        return this.#byIndex(rarest.condition, conditions, [inAll], from, before, limit);
    }
    // The index of words is read newest first, each find held against the conditions.
    return this.#all(
      `SELECT calls.seq AS seq, calls.at AS at FROM texts CROSS JOIN calls INDEXED BY calls_at ON calls.at = texts.rowid
       WHERE texts MATCH ? AND texts.rowid >= ? AND texts.rowid < ? ${and(conditions)}
       ORDER BY texts.rowid DESC LIMIT ?`,
      [...values, ...valuesOf(conditions), limit],
    );
  }

  #byIndex(
    leading: Condition,
    conditions: readonly Condition[],
    more: readonly Condition[],
    from: number,
    before: number,
    limit: number,
  ): Found[] {
    const indexes = leading.indexes!;
    const others = [...conditions.filter((condition) => condition !== leading), ...more];
    const parts = indexes.map(
      ({ name, sql }) =>
        `SELECT seq, at FROM calls INDEXED BY ${name} WHERE ${sql} AND at >= ? AND at < ? ${and(others)}`,
    );
    const values = indexes.flatMap((index) => [...index.values, from, before, ...valuesOf(others)]);
    return this.#all(`${parts.join(" UNION ")} ORDER BY at DESC LIMIT ?`, [...values, limit]);
  }

  /** The condition that fewest rows fulfil, when these are few. */
  #rarest(
    conditions: readonly Condition[],
    from: number,
    before: number,
  ): { condition: Condition; count: number } | null {
    let rarest: { condition: Condition; count: number } | null = null;
    for (const condition of conditions) {
      if (condition.indexes === undefined) continue;
      let count = 0;
      for (const { name, sql, values } of condition.indexes) {
        count += this.#count(`SELECT 1 FROM calls INDEXED BY ${name} WHERE ${sql} AND at >= ? AND at < ?`, [
          ...values,
          from,
          before,
        ]);
      }
      if (count <= RARE && (rarest === null || count < rarest.count)) rarest = { condition, count };
    }
    return rarest;
  }

  /** @returns `RARE` + 1 at most */
  #count(sql: string, values: readonly SQLInputValue[]): number {
    const row = this.#database
      .prepare(`SELECT count(*) AS n FROM (${sql} LIMIT ${RARE + 1})`)
      .get(...values) as { n: number };
    return row.n;
  }

  /** @returns null when a name is asked for that nothing has */
  #conditions(filters: LedgerFilters): Condition[] | null {
    const conditions: Condition[] = [];
    if (filters.requestId !== undefined) {
      const own = { sql: "request_id = ?", values: [filters.requestId] };
      conditions.push({ ...own, indexes: [{ name: "calls_request", ...own }] });
    }
    for (const [field, index] of NAMED) {
      const name = filters[field];
      if (name === undefined) continue;
      const ids = this.#names.match(name);
      if (ids.length === 0) return null;
      const own = isOneOf(field, ids);
      conditions.push(index === null ? own : { ...own, indexes: [{ name: index, ...own }] });
    }
    if (filters.model !== undefined) {
      const ids = this.#names.match(filters.model);
      if (ids.length === 0) return null;
      const model = isOneOf("model", ids);
      const asked = isOneOf("asked", ids);
      conditions.push({
        sql: `(${model.sql} OR ${asked.sql})`,
        values: [...model.values, ...asked.values],
        indexes: [
          { name: "calls_model", ...model },
          { name: "calls_asked", ...asked },
        ],
      });
    }
    if (filters.status !== undefined) {
      const [low, high] = readStatus(filters.status);
      const own = { sql: "status BETWEEN ? AND ?", values: [low, high] };
      conditions.push({ ...own, indexes: [{ name: "calls_status", ...own }] });
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

function isOneOf(column: string, ids: readonly number[]): { sql: string; values: SQLInputValue[] } {
  return ids.length === 1
    ? { sql: `${column} = ?`, values: [ids[0]!] }
    : { sql: `${column} IN (${ids.join(",")})`, values: [] };
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
