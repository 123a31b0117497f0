/** For the library's tests: what a piece of C# gives, as one line of text. */
import { beforeEach, expect, test } from "vitest";
import { compileDetailed } from "../../csharp/compile-expression.ts";
import { configureBudget } from "../budget.ts";
import { configureEnvironment } from "../environment.ts";
import { BudgetError, NetException } from "../errors.ts";
import type { HostContext } from "../host.ts";
import { NetArray, textOf, typeOf } from "../values.ts";

/** 2024-03-05T07:08:09.123Z, a Tuesday. */
export const NOW_MS = Date.UTC(2024, 2, 5, 7, 8, 9, 123);

export type Row = readonly [code: string, expected: string];

/**
 * The text of a result; `Type text` where it is no string; `[a, b]` for arrays; `!Exception`, `!!limit`, or the
 * compiler's diagnostics.
 *
 * @param code an expression, or statements when it contains `return`
 */
export function outcome(code: string): string {
  const form = /\breturn\b/.test(code) ? "block" : "expression";
  const { value, diagnostics } = compileDetailed(code, form, "any");
  if (value === null) return diagnostics.map((d) => `${d.code} ${d.message}`).join("; ");
  try {
    return shown(value({ variables: new Map() } as unknown as HostContext));
  } catch (error) {
    if (error instanceof NetException) return `!${error.typeName.replace(/^.*\./, "")}`;
    if (error instanceof BudgetError) return `!!${error.limit}`;
    throw error;
  }
}

function shown(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array)
    return `bytes ${Array.from(value, (b) => b.toString(16).padStart(2, "0")).join("")}`;
  if (value instanceof NetArray)
    return `[${value.items.map((item) => (item === null ? "null" : String(item))).join("|")}]`;
  return `${typeOf(value).name.replace(/^System\./, "")} ${textOf(value)}`;
}

/** One test per row, named by its code. The clock stands at `NOW_MS`, local time is UTC unless said otherwise. */
export function check(rows: readonly Row[], timeZone = "UTC"): void {
  beforeEach(() => {
    configureBudget(() => 0);
    configureEnvironment({ now: () => NOW_MS, newLine: "\n", timeZone });
  });
  test.each(rows.map(([code, expected]) => ({ code, expected })))("$code", ({ code, expected }) => {
    expect(outcome(code)).toBe(expected);
  });
}
