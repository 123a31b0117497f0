/** Problems as people and programs read them. */
import type { Problem } from "../base/problem.ts";
import { renderDiagnostic } from "../compiler/render-diagnostic.ts";

export interface ReportOptions {
  readonly color: boolean;
  readonly textOf: (file: string) => string | undefined;
}

/** All problems with code frames, errors last so that they stand next to the prompt. */
export function renderProblems(problems: readonly Problem[], options: ReportOptions): string {
  const ordered = [...problems.filter(isWarning), ...problems.filter((problem) => !isWarning(problem))];
  return ordered
    .map((problem) => {
      const text = problem.file === undefined ? undefined : options.textOf(problem.file);
      return renderDiagnostic(problem, text ?? null, { color: options.color });
    })
    .join("\n");
}

/** `3 errors, 1 warning`; `no problems` when there are none. */
export function countProblems(problems: readonly Problem[]): string {
  const warnings = problems.filter(isWarning).length;
  const errors = problems.length - warnings;
  if (problems.length === 0) return "no problems";
  return [counted(errors, "error"), counted(warnings, "warning")].filter((part) => part !== "").join(", ");
}

function counted(count: number, noun: string): string {
  return count === 0 ? "" : `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function isWarning(problem: Problem): boolean {
  return problem.severity === "warning";
}

/** `NO_COLOR` and pipes mean plain text. */
export function wantsColor(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && (environment["NO_COLOR"] ?? "") === "";
}
