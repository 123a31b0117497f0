/** Records as rows of `calls`: which field is which column, there and back. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { LedgerRow } from "../query.ts";
import { FIELD, type RecordValues } from "../line.ts";
import type { LedgerRecord } from "../record.ts";
import type { Marks } from "./marks.ts";
import { NO_NAME, type Names, OTHER } from "./names.ts";
import { PLACES } from "./schema.ts";

/** `name`: a number in `names`; `wild`: the same, for names that callers can make up; `us`: microseconds. */
type ColumnKind = "name" | "wild" | "text" | "number" | "bool" | "us";

const COLUMNS = {
  requestId: ["request_id", "text"],
  part: ["part", "number"],
  timeMs: ["time_ms", "number"],
  durationMs: ["duration_us", "us"],
  firstByteMs: ["first_byte_us", "us"],
  api: ["api", "name"],
  operation: ["operation", "name"],
  product: ["product", "name"],
  subscription: ["subscription", "name"],
  user: ["user", "name"],
  workspace: ["workspace", "name"],
  backend: ["backend", "name"],
  dialect: ["dialect", "name"],
  provider: ["provider", "name"],
  modelOperation: ["model_operation", "name"],
  modelAsked: ["model_asked", "wild"],
  deployment: ["deployment", "wild"],
  modelServed: ["model_served", "wild"],
  apiVersion: ["api_version", "wild"],
  answerId: ["answer_id", "text"],
  stream: ["stream", "bool"],
  status: ["status", "number"],
  ending: ["ending", "name"],
  finishReason: ["finish_reason", "text"],
  error: ["error", "text"],
  attempts: ["attempts", "number"],
  promptTokens: ["prompt_tokens", "number"],
  completionTokens: ["completion_tokens", "number"],
  totalTokens: ["total_tokens", "number"],
  cachedTokens: ["cached_tokens", "number"],
  cacheWriteTokens: ["cache_write_tokens", "number"],
  reasoningTokens: ["reasoning_tokens", "number"],
  promptAudioTokens: ["prompt_audio_tokens", "number"],
  completionAudioTokens: ["completion_audio_tokens", "number"],
  cachedInside: ["cached_inside", "bool"],
  chargedTokens: ["charged_tokens", "number"],
  evidence: ["evidence", "name"],
  costMicros: ["cost_micros", "number"],
  price: ["price", "wild"],
} as const satisfies Record<keyof LedgerRecord, readonly [column: string, kind: ColumnKind]>;

interface Column {
  readonly field: keyof LedgerRecord;
  /** Where it stands among a record's values. */
  readonly place: number;
  readonly column: string;
  readonly kind: ColumnKind;
}

const LIST: readonly Column[] = Object.entries(COLUMNS).map(([field, [column, kind]]) => ({
  field: field as keyof LedgerRecord,
  place: FIELD[field as keyof LedgerRecord],
  column,
  kind,
}));

/** Numbers of the names that a record is summed up under. */
export interface Keys {
  readonly subscription: number;
  readonly product: number;
  readonly api: number;
  readonly model: number;
  readonly backend: number;
}

/** Places of rows that are remembered: contents come within a second of their record. */
const MOST_PLACES = 50_000;

function keyOf(requestId: string, part: number): string {
  return part === 0 ? requestId : `${requestId} ${part}`;
}

export class Calls {
  readonly #names: Names;
  readonly #marks: Marks;
  readonly #insert: StatementSync;
  readonly #lastWithin: StatementSync;
  readonly #known: StatementSync;
  /** Places of the latest rows, whose contents are about to come. */
  readonly #places = new Map<string, number>();
  /** The last place taken of each millisecond, in the transaction under way. */
  readonly #taken = new Map<number, number>();

  constructor(database: DatabaseSync, names: Names, marks: Marks) {
    this.#names = names;
    this.#marks = marks;
    const columns = ["at", "model", "asked", "extra", ...LIST.map(({ column }) => column)];
    this.#insert = database.prepare(
      `INSERT INTO calls (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})
       ON CONFLICT (request_id, part) DO NOTHING`,
    );
    this.#lastWithin = database.prepare("SELECT max(at) AS at FROM calls WHERE at >= ? AND at < ?");
    this.#known = database.prepare("SELECT at FROM calls WHERE request_id = ? AND part = ?");
  }

  /** @returns null when there is such a row already */
  add(record: RecordValues): Keys | null {
    const names = this.#names;
    const values: SQLInputValue[] = [0, 0, 0, null];
    let extra: Record<string, unknown> | null = null;
    for (let i = 0; i < LIST.length; i++) {
      const { kind, place } = LIST[i]!;
      const value = record[place]!;
      const stored = toColumn(kind, value, names);
      values.push(stored);
      if (kind === "wild" && value !== OTHER && stored !== 0 && names.nameOf(stored as number) === OTHER)
        (extra ??= {})[LIST[i]!.field] = value;
    }
    const deployment = record[FIELD.deployment] as string | null;
    const asked = (record[FIELD.modelAsked] as string | null) ?? deployment;
    const served = record[FIELD.modelServed] as string | null;
    const model = names.wildIdOf(served ?? asked);
    const at = this.#freePlace(record[FIELD.timeMs] as number);
    values[0] = at;
    values[1] = model;
    const askedFor = (values[2] = names.wildIdOf(asked));
    if (extra !== null) values[3] = JSON.stringify(extra);
    if (this.#insert.run(...values).changes === 0) return null;
    this.#taken.set(Math.floor(at / PLACES), at);
    this.#remember(record[FIELD.requestId] as string, record[FIELD.part] as number, at);
    const keys = {
      subscription: names.idOf(record[FIELD.subscription] as string | null),
      product: names.idOf(record[FIELD.product] as string | null),
      api: names.idOf(record[FIELD.api] as string | null),
      model,
      backend: names.idOf(record[FIELD.backend] as string | null),
    };
    this.#mark(at, record, keys, askedFor);
    return keys;
  }

  /** `at` of a request's row, for its contents, which come once; null when there is none. */
  placeOf(requestId: string, part: number): number | null {
    const key = keyOf(requestId, part);
    const latest = this.#places.get(key);
    if (latest !== undefined) {
      this.#places.delete(key);
      return latest;
    }
    const row = this.#known.get(requestId, part) as { at: number } | undefined;
    return row === undefined ? null : row.at;
  }

  committed(): void {
    // The next transaction may find rows of another process.
    this.#taken.clear();
    this.#marks.ended();
  }

  rolledBack(): void {
    this.committed();
    this.#places.clear();
  }

  #mark(at: number, record: RecordValues, { api, subscription, model }: Keys, asked: number): void {
    const marks = this.#marks;
    const user = this.#names.idOf(record[FIELD.user] as string | null);
    // Nobody asks for rows without a name.
    if (api !== NO_NAME) marks.add(at, "api", api);
    if (subscription !== NO_NAME) marks.add(at, "subscription", subscription);
    if (user !== NO_NAME) marks.add(at, "user", user);
    if (model !== NO_NAME) marks.add(at, "model", model);
    if (asked !== NO_NAME) marks.add(at, "asked", asked);
    marks.add(at, "status", record[FIELD.status] as number);
  }

  #remember(requestId: string, part: number, at: number): void {
    if (this.#places.size >= MOST_PLACES) this.#places.clear();
    this.#places.set(keyOf(requestId, part), at);
  }

  /** As stored, with `has_contents`. */
  toRow(stored: Record<string, unknown>): LedgerRow {
    const row: Record<string, unknown> = {
      seq: stored["seq"],
      hasContents: stored["has_contents"] === 1,
    };
    for (const { field, column, kind } of LIST) row[field] = fromColumn(kind, stored[column], this.#names);
    if (typeof stored["extra"] === "string") Object.assign(row, JSON.parse(stored["extra"]));
    for (const field of ["dialect", "provider", "modelOperation", "ending", "evidence"]) row[field] ??= "";
    return row as unknown as LedgerRow;
  }

  /** Records of the same millisecond take one place after the other; in the unheard-of case, of the next ones. */
  #freePlace(timeMs: number): number {
    for (let ms = timeMs; ; ms++) {
      const first = ms * PLACES;
      const at = this.#taken.get(ms) ?? this.#lastPlace(first);
      if (at === null) return first;
      if (at + 1 < first + PLACES) return at + 1;
    }
  }

  #lastPlace(first: number): number | null {
    return (this.#lastWithin.get(first, first + PLACES) as { at: number | null }).at;
  }
}

function toColumn(kind: ColumnKind, value: string | number | boolean | null, names: Names): SQLInputValue {
  switch (kind) {
    case "name":
      return names.idOf(value as string | null);
    case "wild":
      return names.wildIdOf(value as string | null);
    case "bool":
      return value === true ? 1 : 0;
    case "us":
      return value === null ? null : Math.round((value as number) * 1000);
    case "text":
    case "number":
      return value as string | number | null;
  }
}

function fromColumn(kind: ColumnKind, value: unknown, names: Names): unknown {
  switch (kind) {
    case "name":
    case "wild":
      return names.nameOf(value as number);
    case "bool":
      return value === 1;
    case "us":
      return value === null ? null : (value as number) / 1000;
    case "text":
    case "number":
      return value;
  }
}
