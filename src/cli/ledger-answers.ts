/** What the running gateway says of its ledger, as commands read it, and how that looks on a terminal. */
import { InvalidArgumentError } from "commander";
import { fitToWidth } from "./text-width.ts";

/** As the ledger has it; fields that commands do not show are carried along. */
export interface LogRow extends Readonly<Record<string, unknown>> {
  readonly seq: number;
  readonly hasContents: boolean;
  readonly requestId: string;
  readonly part: number;
  readonly timeMs: number;
  readonly durationMs: number;
  readonly api: string | null;
  readonly subscription: string | null;
  readonly modelAsked: string | null;
  readonly modelServed: string | null;
  readonly deployment: string | null;
  readonly status: number;
  readonly ending: string;
  readonly evidence: string;
  readonly error: string | null;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** null = the price is not known. */
  readonly costMicros: number | null;
}

export interface Said {
  readonly text: string;
  readonly truncated: boolean;
}

export interface MessagesPart {
  readonly part: number;
  readonly request: Said | null;
  readonly response: Said | null;
}

export function modelOf(row: LogRow): string | null {
  return row.modelServed ?? row.modelAsked ?? row.deployment;
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90s`, `15m`, `1h`, `7d`: so long ago; or a date: from then on. @throws InvalidArgumentError */
export function readSince(text: string): { readonly since: number } | { readonly from: number } {
  const span = /^(\d{1,7})\s*([smhdw])$/.exec(text.trim());
  if (span !== null) return { since: Number(span[1]) * UNITS[span[2]!]! };
  const date = Date.parse(text);
  if (/^\d{4}-/.test(text.trim()) && date >= 0) return { from: date };
  throw new InvalidArgumentError("write a span such as 15m, 1h or 7d, or a date such as 2026-05-31T12:00Z");
}

/** A column of a table: its heading, its width; negative = flush right. */
export type Column = readonly [heading: string, width: number];

export function tableHead(columns: readonly Column[]): string {
  return tableLine(
    columns,
    columns.map(([heading]) => heading),
  );
}

/** Cells are cut to their column; the last one may be as long as it likes. */
export function tableLine(columns: readonly Column[], cells: readonly string[]): string {
  return columns
    .map(([, width], i) => {
      const cell = plain(cells[i] ?? "");
      if (i === columns.length - 1 && width > 0) return cell;
      return fitToWidth(cell, Math.abs(width), width < 0);
    })
    .join("  ")
    .trimEnd();
}

/** Callers write some of what is shown: nothing of it may steer the terminal. */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** As `plain`, for texts of several lines. */
export function plainLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => plain(line.replaceAll("\t", "  ")))
    .join("\n");
}

/** `$0.001234`; `?` when the price is not known. */
export function money(costMicros: number | null): string {
  if (costMicros === null) return "?";
  const dollars = Math.abs(costMicros) / 1e6;
  // An answer that came later may have cost less than was estimated.
  return `${costMicros < 0 ? "-" : ""}$${dollars.toFixed(dollars >= 100 ? 2 : dollars >= 1 ? 4 : 6)}`;
}

export function timeText(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

/** One line of comma-separated values (RFC 4180), without its line break. */
/** What callers write must be text to a spreadsheet: a cell that begins like a formula is quoted with `'`. */
export function csvLine(values: readonly (string | number | boolean | null)[]): string {
  return values
    .map((value) => {
      const plain = value === null ? "" : String(value);
      const text = typeof value === "string" && /^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain;
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(",");
}
