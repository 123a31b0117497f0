/**
 * Sums per minute, hour and day. They are added up in the transaction that stores the rows themselves, from integers
 * only, so that a sum is exactly the sum of its rows at any time.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import {
  DIMENSIONS,
  type Dimension,
  type Rollup,
  type RollupQuery,
  type RollupRow,
  STEPS,
  type StepName,
} from "../query.ts";
import { FIELD, type RecordValues } from "../line.ts";
import type { LedgerRecord } from "../record.ts";
import type { Keys } from "./calls.ts";
import type { Names } from "./names.ts";

const { status, ending, stream, evidence, costMicros, durationMs } = FIELD;

const sumOf =
  (field: keyof LedgerRecord) =>
  (record: RecordValues): number =>
    record[FIELD[field]] as number;

const whereEvidence =
  (kind: LedgerRecord["evidence"]) =>
  (record: RecordValues): number =>
    record[evidence] === kind ? 1 : 0;

/** Column of a sum → what one record adds to it. `longest_us` alone is no sum but the largest. */
const SUMS = {
  requests: () => 1,
  errors: (record) => (isError(record[status] as number, record[ending] as string) ? 1 : 0),
  streams: (record) => (record[stream] === true ? 1 : 0),
  prompt_tokens: sumOf("promptTokens"),
  completion_tokens: sumOf("completionTokens"),
  total_tokens: sumOf("totalTokens"),
  cached_tokens: sumOf("cachedTokens"),
  cache_write_tokens: sumOf("cacheWriteTokens"),
  reasoning_tokens: sumOf("reasoningTokens"),
  prompt_audio_tokens: sumOf("promptAudioTokens"),
  completion_audio_tokens: sumOf("completionAudioTokens"),
  charged_tokens: sumOf("chargedTokens"),
  cost_micros: (record) => (record[costMicros] as number | null) ?? 0,
  unpriced: (record) => (record[costMicros] === null ? 1 : 0),
  duration_us: durationUs,
  reported: whereEvidence("reported"),
  counted: whereEvidence("counted"),
  estimated: whereEvidence("estimated"),
  unknown: whereEvidence("none"),
} as const satisfies Record<string, (record: RecordValues) => number>;

type SumColumn = keyof typeof SUMS;
const COLUMNS = Object.keys(SUMS) as SumColumn[];
const ADDS = Object.values(SUMS);

/** Rows of one answer. */
const MOST_ROWS = 10_000;

/** @param httpStatus what the client got; an answer may break off after a good one */
export function isError(httpStatus: number, end: string): boolean {
  return (
    httpStatus >= 400 ||
    end === "upstream-reset" ||
    end === "stalled" ||
    end === "cut-off" ||
    end === "failed"
  );
}

function durationUs(record: RecordValues): number {
  return Math.round((record[durationMs] as number) * 1000);
}

interface Group {
  readonly minute: number;
  readonly keys: Keys;
  readonly sums: number[];
  longestUs: number;
}

export class Rollups {
  readonly #database: DatabaseSync;
  readonly #names: Names;
  readonly #upsert: StatementSync;
  readonly #groups = new Map<string, Group>();

  constructor(database: DatabaseSync, names: Names) {
    this.#database = database;
    this.#names = names;
    const columns = ["step", "time", ...DIMENSIONS, ...COLUMNS, "longest_us"];
    this.#upsert = database.prepare(
      `INSERT INTO rollups (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})
       ON CONFLICT DO UPDATE SET ${COLUMNS.map((name) => `${name} = ${name} + excluded.${name}`).join(", ")},
         longest_us = max(longest_us, excluded.longest_us)`,
    );
  }

  /** Adds a record to what the transaction under way will write. */
  add(record: RecordValues, keys: Keys): void {
    const minute = floor(record[FIELD.timeMs] as number, STEPS.minute);
    const key = `${minute} ${keys.subscription} ${keys.product} ${keys.api} ${keys.model} ${keys.backend}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { minute, keys, sums: COLUMNS.map(() => 0), longestUs: 0 };
      this.#groups.set(key, group);
    }
    for (let i = 0; i < ADDS.length; i++) group.sums[i]! += ADDS[i]!(record);
    group.longestUs = Math.max(group.longestUs, durationUs(record));
  }

  /** Writes what was added; within the same transaction. */
  write(): void {
    for (const { minute, keys, sums, longestUs } of this.#groups.values()) {
      const dimensions = DIMENSIONS.map((dimension) => keys[dimension]);
      for (const step of Object.values(STEPS))
        this.#upsert.run(step, floor(minute, step), ...dimensions, ...sums, longestUs);
    }
    this.#groups.clear();
  }

  forget(): void {
    this.#groups.clear();
  }

  read(query: RollupQuery): Rollup {
    const by = DIMENSIONS.filter((dimension) => query.by?.includes(dimension) === true);
    const step = query.step === undefined ? finestNeeded(query) : STEPS[query.step];
    const conditions = ["step = ?", "time >= ?", "time < ?"];
    const values: SQLInputValue[] = [step, floor(query.from, step), query.to];
    for (const [dimension, name] of Object.entries(query.filters ?? {})) {
      if (name === undefined) continue;
      conditions.push(`${column(dimension)} = ?`);
      // A name that nothing has finds nothing.
      values.push(name === null ? 0 : (this.#names.find(name) ?? -1));
    }
    const groups = [...(query.step === undefined ? [] : ["time"]), ...by];
    const sql = `SELECT ${[
      ...(groups.length > 0 ? groups : []),
      ...COLUMNS.map((name) => `CAST(sum(${name}) AS REAL) AS ${name}`),
      "CAST(max(longest_us) AS REAL) AS longest_us",
    ].join(", ")} FROM rollups WHERE ${conditions.join(" AND ")}
      ${groups.length > 0 ? `GROUP BY ${groups.join(", ")}` : ""}
      ORDER BY ${query.step === undefined ? "" : "time, "}cost_micros DESC, total_tokens DESC, requests DESC LIMIT ${MOST_ROWS + 1}`;
    const rows = this.#database.prepare(sql).all(...values) as Record<string, number | null>[];
    // A sum of nothing is one row of nulls.
    const found = rows.filter((row) => row["requests"] !== null).map((row) => this.#toRow(row, by));
    return { rows: found.slice(0, MOST_ROWS), truncated: found.length > MOST_ROWS };
  }

  #toRow(row: Record<string, number | null>, by: readonly Dimension[]): RollupRow {
    const names: Partial<Record<Dimension, string | null>> = {};
    for (const dimension of by) names[dimension] = this.#names.nameOf(row[dimension] ?? 0);
    const sum = (name: SumColumn): number => row[name] ?? 0;
    return {
      time: row["time"] ?? null,
      ...names,
      requests: sum("requests"),
      errors: sum("errors"),
      streams: sum("streams"),
      promptTokens: sum("prompt_tokens"),
      completionTokens: sum("completion_tokens"),
      totalTokens: sum("total_tokens"),
      cachedTokens: sum("cached_tokens"),
      cacheWriteTokens: sum("cache_write_tokens"),
      reasoningTokens: sum("reasoning_tokens"),
      promptAudioTokens: sum("prompt_audio_tokens"),
      completionAudioTokens: sum("completion_audio_tokens"),
      chargedTokens: sum("charged_tokens"),
      costMicros: sum("cost_micros"),
      unpriced: sum("unpriced"),
      durationMs: sum("duration_us") / 1000,
      longestMs: (row["longest_us"] ?? 0) / 1000,
      reported: sum("reported"),
      counted: sum("counted"),
      estimated: sum("estimated"),
      unknown: sum("unknown"),
    };
  }
}

/** One sum over a time: from days where it is made of whole days, and so on. */
function finestNeeded({ from, to }: RollupQuery): number {
  const names: StepName[] = ["day", "hour"];
  const whole = names.find((name) => from % STEPS[name] === 0 && to % STEPS[name] === 0);
  return STEPS[whole ?? "minute"];
}

function floor(ms: number, step: number): number {
  return Math.floor(ms / step) * step;
}

function column(dimension: string): Dimension {
  const known = DIMENSIONS.find((name) => name === dimension);
  if (known === undefined) throw new Error(`there is no dimension ${dimension}`);
  return known;
}
