/** A configuration file as text, and what a parser makes of it: a value that knows where its parts are. */
import type { Problem, SourceLocation, SourcePosition, SourceRange } from "../../base/problem.ts";
import type { PropertyPath } from "../kinds/shape.ts";

/** Values nested deeper than this are refused before anything recursive sees them. */
export const MAX_DEPTH = 200;

export interface ParsedFile {
  /** Undefined when `problems` holds an error. Treat as read-only: it is shared by later loads. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  readonly source: SourceText;
  /** Where the value at `path` stands; the closest enclosing one when there is none. */
  locate(path: PropertyPath, options?: { key?: boolean }): SourceLocation;
}

export class SourceText {
  readonly file: string;
  readonly text: string;
  #lineStarts: number[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  positionAt(offset: number): SourcePosition {
    const starts = (this.#lineStarts ??= findLineStarts(this.text));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - starts[low]! + 1 };
  }

  range(start: number, end: number): SourceRange {
    return { start: this.positionAt(start), end: this.positionAt(Math.max(start, end)) };
  }

  at(start: number, end: number): SourceLocation {
    return { file: this.file, range: this.range(start, end) };
  }
}

/** `\n`, `\r\n` and a lone `\r` end a line, as in editors. */
function findLineStarts(text: string): number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 10 || (code === 13 && text.charCodeAt(i + 1) !== 10)) starts.push(i + 1);
  }
  return starts;
}

/** More values than this, aliases counted as often as they are used, are beyond any configuration. */
const MAX_VALUES = 5_000_000;

/**
 * Judges a parsed value before anything recursive sees it: `deep` when it is nested deeper than
 * `MAX_DEPTH` or contains itself (YAML aliases can do that), `huge` when its parts, shared ones
 * counted at every use, are too many. Shared parts are looked at once.
 */
export function judgeSize(value: unknown): "fine" | "deep" | "huge" {
  const known = new Map<object, Extent>();
  const { values, height } = measure(value, 0, known);
  if (height > MAX_DEPTH) return "deep";
  return values > MAX_VALUES ? "huge" : "fine";
}

interface Extent {
  readonly values: number;
  readonly height: number;
}

const LEAF: Extent = { values: 1, height: 0 };
const BOTTOMLESS: Extent = { values: 1, height: Infinity };

function measure(value: unknown, depth: number, known: Map<object, Extent>): Extent {
  if (typeof value !== "object" || value === null) return LEAF;
  const before = known.get(value);
  if (before) return before;
  if (depth > MAX_DEPTH) return BOTTOMLESS;
  // Met again before it is measured: it contains itself.
  known.set(value, BOTTOMLESS);
  let values = 1;
  let height = 0;
  for (const child of Object.values(value)) {
    const extent = measure(child, depth + 1, known);
    values += extent.values;
    height = Math.max(height, extent.height + 1);
  }
  const extent = { values, height };
  known.set(value, extent);
  return extent;
}
