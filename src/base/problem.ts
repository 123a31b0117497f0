/**
 * What is wrong with something a person wrote: neutral enough for policy documents, configuration
 * files, references and command lines alike, so that one renderer shows them all.
 */

/** An error refuses the whole change; a warning is shown and lets it through. */
export type Severity = "error" | "warning";

/** Both 1-based; the column counts UTF-16 units, as editors and V8 do. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

/** `end` is exclusive. A range of zero length points between two characters. */
export interface SourceRange {
  readonly start: SourcePosition;
  readonly end: SourcePosition;
}

export interface SourceLocation {
  /** As the person knows it: relative to the folder that was loaded, with `/`. */
  readonly file: string;
  readonly range?: SourceRange;
}

export interface Problem {
  /** `HG` and four digits; the first says the area. Stable: `headgate explain` knows it. */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence without a full stop: the cause, not the consequence. */
  readonly message: string;
  readonly file?: string;
  readonly range?: SourceRange;
  /** What to do, e.g. "did you mean `tokens-per-minute`?". */
  readonly hint?: string;
  /** Where the other half of the matter is, e.g. the first of two duplicates. */
  readonly related?: SourceLocation & { readonly message: string };
}

/** True when at least one problem refuses the change. */
export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

/** Orders by file, then position; problems without a place come first. Sorts in place. */
export function sortProblems(problems: Problem[]): Problem[] {
  return problems.sort(compareProblems);
}

function compareProblems(a: Problem, b: Problem): number {
  const fileA = a.file ?? "";
  const fileB = b.file ?? "";
  if (fileA !== fileB) return fileA < fileB ? -1 : 1;
  const startA = a.range?.start;
  const startB = b.range?.start;
  const byLine = (startA?.line ?? 0) - (startB?.line ?? 0);
  return byLine || (startA?.column ?? 0) - (startB?.column ?? 0);
}
