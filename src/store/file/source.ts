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

/**
 * True when `value` is nested deeper than `MAX_DEPTH` or contains itself (YAML aliases can do that).
 * Shared parts are visited once per depth at most, so aliases cost nothing extra.
 */
export function isTooDeep(value: unknown): boolean {
  const seen = new Map<object, number>();
  const stack: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  for (let top = stack.pop(); top; top = stack.pop()) {
    if (typeof top.value !== "object" || top.value === null) continue;
    if (top.depth > MAX_DEPTH) return true;
    if ((seen.get(top.value) ?? -1) >= top.depth) continue;
    seen.set(top.value, top.depth);
    for (const child of Object.values(top.value)) {
      if (typeof child === "object") stack.push({ value: child, depth: top.depth + 1 });
    }
  }
  return false;
}
