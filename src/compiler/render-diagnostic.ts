/** Diagnostics as people read them in a terminal: the form of a good compiler (spec/ux.md C4). */
import type { Problem, SourceRange } from "../base/problem.ts";
import { SourceText } from "./source.ts";

export interface RenderOptions {
  /** ANSI colours; the caller knows about terminals and `NO_COLOR`. */
  readonly color?: boolean;
}

/** Columns of source shown at most; longer lines (minified documents) are cut around the place. */
const widestLine = 120;

/**
 * @param source the file's text, or `null` when there is none to show (then without code frame)
 * @returns several lines, ending with a line feed
 */
export function renderDiagnostic(
  diagnostic: Problem & { readonly notes?: readonly string[] },
  source: string | SourceText | null,
  options: RenderOptions = {},
): string {
  const paint = options.color === true ? painted : plain;
  const start = diagnostic.range?.start ?? { line: 1, column: 1 };
  const tone = diagnostic.severity === "error" ? "red" : "yellow";
  const head = paint(tone, `${diagnostic.severity}[${diagnostic.code}]`);
  const lines = [`${head}: ${paint("bold", printable(diagnostic.message))}`];
  const gutter = String(start.line).length;
  const pad = " ".repeat(gutter + 2);
  const place = [diagnostic.file, ...(diagnostic.range === undefined ? [] : [start.line, start.column])]
    .filter((part) => part !== undefined)
    .join(":");
  if (place !== "") lines.push(`${" ".repeat(gutter + 1)}${paint("blue", "-->")} ${printable(place)}`);
  const bar = paint("blue", "|");
  if (source !== null && diagnostic.range !== undefined) {
    const text = typeof source === "string" ? new SourceText(source) : source;
    lines.push(`${pad}${bar}`, ...frame(diagnostic, diagnostic.range, text, gutter, paint));
  } else if (diagnostic.hint !== undefined) {
    lines.push(`${pad}${paint("blue", "=")} hint: ${printable(diagnostic.hint)}`);
  }
  for (const note of diagnostic.notes ?? [])
    lines.push(`${pad}${paint("blue", "=")} note: ${printable(note)}`);
  const { related } = diagnostic;
  if (related !== undefined) {
    const at =
      related.range === undefined ? "" : `:${related.range.start.line}:${related.range.start.column}`;
    lines.push(`${pad}${paint("blue", "=")} note: ${printable(`${related.message} (${related.file}${at})`)}`);
  }
  lines.push(`${pad}${paint("blue", "=")} help: headgate explain ${diagnostic.code}`);
  return `${lines.join("\n")}\n`;
}

/** The line before, the line itself, and carets under the place with the hint behind them. */
function frame(
  diagnostic: Problem,
  range: SourceRange,
  source: SourceText,
  gutter: number,
  paint: Paint,
): string[] {
  const { start, end } = range;
  const line = source.lineText(start.line);
  const from = start.column - 1;
  const to = end.line === start.line ? Math.max(end.column - 1, from + 1) : Math.max(line.length, from + 1);
  // A window around the place, moved only when the line is too long to show.
  const cut = line.length <= widestLine || from < widestLine - 20 ? 0 : from - 30;
  const shown = line.slice(cut, cut + widestLine);
  const before = cut > 0 ? "…" : "";
  const after = cut + widestLine < line.length ? "…" : "";
  const blank = line
    .slice(cut, from)
    .replace(/[^\t]/g, " ")
    .padEnd(from - cut, " ");
  const carets = "^".repeat(Math.max(1, Math.min(to, cut + widestLine) - from));
  const hint = diagnostic.hint === undefined ? "" : ` ${printable(diagnostic.hint)}`;
  const tone = diagnostic.severity === "error" ? "red" : "yellow";
  const bar = paint("blue", "|");
  const numbered = (n: number, text: string): string =>
    `${paint("blue", ` ${String(n).padStart(gutter)} |`)} ${printable(text)}`.trimEnd();
  const lines: string[] = [];
  if (start.line > 1) {
    const previous = source.lineText(start.line - 1);
    const cutPrevious = previous.length > widestLine ? `${previous.slice(0, widestLine)}…` : previous;
    lines.push(numbered(start.line - 1, cutPrevious));
  }
  lines.push(numbered(start.line, `${before}${shown}${after}`));
  lines.push(
    `${" ".repeat(gutter + 2)}${bar} ${before === "" ? "" : " "}${blank}${paint(tone, carets + hint)}`,
  );
  return lines;
}

/** Control characters of a document must not reach a terminal; one for one, so that carets stay in place. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(
    /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    "\ufffd",
  );
}

type Tone = "red" | "yellow" | "blue" | "bold";
type Paint = (tone: Tone, text: string) => string;

const codes: Readonly<Record<Tone, string>> = { red: "1;31", yellow: "1;33", blue: "1;34", bold: "1" };

function painted(tone: Tone, text: string): string {
  return `\u001b[${codes[tone]}m${text}\u001b[0m`;
}

function plain(_tone: Tone, text: string): string {
  return text;
}
