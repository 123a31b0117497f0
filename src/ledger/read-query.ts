/** Questions to the ledger as they come from outside: JSON that somebody wrote. `now` is in ms since the epoch. */
import type { Ending, Evidence } from "../llm/settlement.ts";
import {
  DIMENSIONS,
  type Dimension,
  type LedgerFilters,
  type RollupQuery,
  STEPS,
  type SearchQuery,
  type StepName,
  type TailQuery,
} from "./query.ts";

/** What is wrong with a question, in words for whoever asked. */
export class QueryError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "QueryError";
  }
}

type Question = Readonly<Record<string, unknown>>;

const TEXTS = [
  "api",
  "subscription",
  "product",
  "user",
  "workspace",
  "backend",
  "model",
  "ending",
  "evidence",
  "requestId",
] as const;
const LONGEST = 1000;

/** Of these nothing else can have been recorded: a slip of the pen would find nothing, and look like an answer. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  ending: [
    "finished",
    "incomplete",
    "upstream-error",
    "upstream-reset",
    "stalled",
    "client-gone",
    "cut-off",
    "failed",
    "refused",
    "cache-hit",
  ] satisfies Ending[],
  evidence: ["reported", "counted", "estimated", "none"] satisfies Evidence[],
};

/** @throws QueryError */
export function readSearch(question: Question, now: number): SearchQuery {
  return {
    ...readFilters(question),
    from: fromAt(question, now),
    to: numberAt(question, "to"),
    text: textAt(question, "text"),
    limit: numberAt(question, "limit"),
    cursor: textAt(question, "cursor"),
  };
}

/** @throws QueryError */
export function readTail(question: Question): TailQuery {
  return {
    ...readFilters(question),
    after: numberAt(question, "after"),
    limit: numberAt(question, "limit"),
  };
}

/** @throws QueryError */
export function readRollup(question: Question, now: number): RollupQuery {
  const from = fromAt(question, now);
  const to = numberAt(question, "to") ?? now + 1;
  if (from === undefined) throw new QueryError("`from` or `since` is needed");
  const by = question["by"] ?? [];
  if (!Array.isArray(by)) throw new QueryError("`by` is a list");
  const step = textAt(question, "step");
  if (step !== undefined && !Object.hasOwn(STEPS, step))
    throw new QueryError(`\`step\` is one of ${Object.keys(STEPS).join(", ")}`);
  return {
    from,
    to,
    by: by.map(dimension),
    step: step as StepName | undefined,
    filters: readExact(question["filters"]),
  };
}

function readFilters(question: Question): LedgerFilters {
  const filters: Record<string, string | number> = {};
  for (const name of TEXTS) {
    const text = textAt(question, name);
    if (text === undefined) continue;
    checkKnown(name, text);
    filters[name] = text;
  }
  const status = question["status"];
  if (status !== undefined) {
    if (!/^(?:[1-5][0-9]{2}|[1-5]xx)$/i.test(String(status)))
      throw new QueryError("`status` is a status such as 429, or a class of them such as 4xx");
    filters["status"] = String(status);
  }
  const minTokens = numberAt(question, "minTokens");
  if (minTokens !== undefined) filters["minTokens"] = minTokens;
  return filters;
}

function checkKnown(name: string, text: string): void {
  const known = KNOWN[name];
  if (known === undefined) return;
  const fits = text.endsWith("*")
    ? known.some((one) => one.startsWith(text.slice(0, -1)))
    : known.includes(text);
  if (!fits) throw new QueryError(`\`${name}\` is one of ${known.join(", ")}, not "${text.slice(0, 50)}"`);
}

function readExact(value: unknown): RollupQuery["filters"] {
  if (value === undefined) return {};
  if (value === null || typeof value !== "object") throw new QueryError("`filters` is an object");
  const filters: Partial<Record<Dimension, string | null>> = {};
  for (const [name, wanted] of Object.entries(value)) {
    if (wanted !== null && typeof wanted !== "string")
      throw new QueryError(`\`filters.${name}\` is a name or null`);
    filters[dimension(name)] = wanted;
  }
  return filters;
}

function dimension(value: unknown): Dimension {
  const found = DIMENSIONS.find((name) => name === value);
  if (found === undefined)
    throw new QueryError(`\`by\` takes ${DIMENSIONS.join(", ")}, not "${String(value).slice(0, 50)}"`);
  return found;
}

/** A time, or `since`: so many ms ago. */
function fromAt(question: Question, now: number): number | undefined {
  const since = numberAt(question, "since");
  return since === undefined ? numberAt(question, "from") : Math.max(0, now - since);
}

function textAt(question: Question, name: string): string | undefined {
  const value = question[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" || value.length > LONGEST)
    throw new QueryError(`\`${name}\` is a text of ${LONGEST} characters at most`);
  return value;
}

function numberAt(question: Question, name: string): number | undefined {
  const value = question[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !(value >= 0 && value <= LATEST))
    throw new QueryError(`\`${name}\` is a number of 0 and above`);
  return Math.floor(value);
}

/** Of a time; years beyond it would not fit into the keys. */
const LATEST = 4_102_444_800_000;
