/**
 * A ledger record as one line of the journal: a JSON array, values in the order of `FIELDS`, the format's version first.
 * A new field goes to the end, so that a journal written by the version before can still be read.
 */
import type { LedgerRecord } from "./record.ts";

const VERSION = 1;

/** Longest text of one field, in UTF-16 units: some of them were written by callers. */
const LONGEST_TEXT = 256;

/** No single request has more of anything; sums of a billion such rows still fit into SQLite's integers. */
const LARGEST_COUNT = 1e9;

/** What a field holds, for reading it back. */
const FIELDS = {
  requestId: "text!",
  part: "count",
  timeMs: "time",
  durationMs: "ms",
  firstByteMs: "ms?",
  api: "text",
  operation: "text",
  product: "text",
  subscription: "text",
  user: "text",
  workspace: "text",
  backend: "text",
  dialect: "text!",
  provider: "text!",
  modelOperation: "text!",
  modelAsked: "text",
  deployment: "text",
  modelServed: "text",
  apiVersion: "text",
  answerId: "text",
  stream: "bool",
  status: "count",
  ending: "text!",
  finishReason: "text",
  error: "text",
  attempts: "count",
  promptTokens: "tokens",
  completionTokens: "tokens",
  totalTokens: "tokens",
  cachedTokens: "tokens",
  cacheWriteTokens: "tokens",
  reasoningTokens: "tokens",
  promptAudioTokens: "tokens",
  completionAudioTokens: "tokens",
  cachedInside: "bool",
  chargedTokens: "count",
  evidence: "text!",
  costMicros: "cost",
  price: "text",
} as const satisfies Record<keyof LedgerRecord, FieldKind>;

/** `tokens`, `cost`: below 0 where a line takes back what another one says too much. */
type FieldKind = "text" | "text!" | "count" | "tokens" | "time" | "ms" | "ms?" | "bool" | "cost";

const NAMES = Object.keys(FIELDS) as (keyof LedgerRecord)[];
const KINDS: readonly FieldKind[] = Object.values(FIELDS);

/** Where a field stands among a line's values. */
export const FIELD = Object.fromEntries(NAMES.map((name, i) => [name, i])) as Readonly<
  Record<keyof LedgerRecord, number>
>;

/** A record's values in the order of `FIELD`: an object of so many fields costs more than all that is done with it. */
export type RecordValues = readonly (string | number | boolean | null)[];

/** The longest line there can be is below this. */
export const LONGEST_LINE = 128 * 1024;

/** @returns the line, its line feed included; never longer than `LONGEST_LINE` octets */
export function encodeRecord(record: LedgerRecord): string {
  const values: unknown[] = [VERSION];
  for (const name of NAMES) {
    const value = record[name];
    values.push(typeof value === "string" && value.length > LONGEST_TEXT ? cut(value) : value);
  }
  return `${JSON.stringify(values)}\n`;
}

/** @returns null when the line is not one of ours, or torn; every value is of its type and within bounds */
export function decodeRecord(line: string): RecordValues | null {
  let values: unknown;
  try {
    values = JSON.parse(line);
  } catch {
    return null;
  }
  if (!Array.isArray(values) || values[0] !== VERSION || typeof values[1] !== "string") return null;
  // JSON has no other way to say NUL or half a pair.
  const isClean = !line.includes("\\u");
  const record: (string | number | boolean | null)[] = [];
  for (let i = 0; i < KINDS.length; i++) record.push(read(KINDS[i]!, values[i + 1], isClean));
  return record;
}

function read(kind: FieldKind, value: unknown, isClean: boolean): string | number | boolean | null {
  switch (kind) {
    case "text":
      return typeof value === "string" ? (isClean ? short(value) : cut(value)) : null;
    case "text!":
      return typeof value === "string" ? (isClean ? short(value) : cut(value)) : "";
    case "bool":
      return value === true;
    case "count":
      return Math.floor(within(value, LARGEST_COUNT));
    case "tokens":
      return Math.trunc(signed(value, LARGEST_COUNT)) + 0;
    case "time":
      return Math.floor(within(value, LATEST_MS));
    case "ms":
      return toMicroseconds(within(value, LARGEST_COUNT));
    case "ms?":
      return typeof value === "number" ? toMicroseconds(within(value, LARGEST_COUNT)) : null;
    case "cost":
      return typeof value === "number" ? Math.round(signed(value, LARGEST_COUNT * 1000)) + 0 : null;
  }
}

/** Year 2100: keys made of it stay below 2^53. */
const LATEST_MS = 4_102_444_800_000;

function within(value: unknown, most: number): number {
  return typeof value === "number" && value > 0 ? Math.min(value, most) : 0;
}

/** May give -0, to which 0 is added. */
function signed(value: unknown, most: number): number {
  return typeof value === "number" && value < 0 ? -within(-value, most) : within(value, most);
}

/** Times are kept to the microsecond, so that their sums are exact. */
function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** NUL ends a text for some readers, half a surrogate pair is no text for most. */
function cut(text: string): string {
  const some = short(text);
  return (some.includes("\0") ? some.replaceAll("\0", "\u{fffd}") : some).toWellFormed();
}

function short(text: string): string {
  return text.length > LONGEST_TEXT ? text.slice(0, LONGEST_TEXT) : text;
}
