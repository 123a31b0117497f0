/**
 * The door for one expression: source between the brackets → diagnostics and a function of the request's context.
 * scan → parse → bind → flow → emit, each in its own file; what was compiled is kept by text and wanted type, because
 * the same expressions stand in many documents.
 */
import "../runtime/library/index.ts";
import { emit } from "../emit/emit.ts";
import type { CompileExpression, CompiledExpression, ExpressionDiagnostic } from "../expression.ts";
import { computedValue, constantValue } from "../expression.ts";
import type { Value, ValueType } from "../policy.ts";
import { Recent } from "../recent.ts";
import type { HostContext } from "../runtime/host.ts";
import { type Type, ERROR_TYPE, TypeTooLarge } from "../runtime/type.ts";
import type { ExpressionForm } from "../xml/value.ts";
import { type BoundProgram, bindProgram } from "./binder-program.ts";
import { binderDiagnostic } from "./binder-messages.ts";
import { needsOf } from "./needs.ts";
import { syntaxDiagnostic } from "./parser-messages.ts";
import { parseExpression } from "./parser.ts";
import { checkResult, finisher } from "./result.ts";

export interface ExpressionOptions {
  /** "7" refuses newer syntax; "latest" (default) accepts it with a warning. */
  readonly languageVersion?: "7" | "latest";
}

/** More than the document compiler asks for: tools want the static type. */
export interface DetailedExpression extends CompiledExpression {
  readonly type: Type;
}

/** UTF-16 units of source that are kept compiled, twice at most. */
const KEPT_UNITS = 1_000_000;
const kept = new Recent<string, DetailedExpression>(KEPT_UNITS);

export const compileExpression: CompileExpression = (code, form, type) => compileDetailed(code, form, type);

/** @returns never throws; diagnostics in the order of the source */
export function compileDetailed(
  code: string,
  form: ExpressionForm,
  wanted: ValueType,
  { languageVersion = "latest" }: ExpressionOptions = {},
): DetailedExpression {
  const key = `${wanted}|${form}|${languageVersion}|${code}`;
  const weight = code.length + 256;
  let found = kept.get(key, weight);
  if (found === undefined) kept.set(key, (found = compile(code, form, wanted, languageVersion)), weight);
  return found;
}

function compile(
  code: string,
  form: ExpressionForm,
  wanted: ValueType,
  languageVersion: "7" | "latest",
): DetailedExpression {
  const parsed = parseExpression(code, { kind: form, languageVersion });
  const diagnostics: ExpressionDiagnostic[] = [...parsed.diagnostics];
  if (hasErrors(diagnostics)) return { diagnostics, value: null, type: ERROR_TYPE };
  const program = bindProgram(parsed.tree);
  diagnostics.push(...comparisonMeant(parsed.tree, program.diagnostics));
  const misplaced = hasErrors(diagnostics)
    ? null
    : checkResult(program.type, wanted, resultSpan(parsed.tree, form));
  if (misplaced !== null) diagnostics.push(misplaced);
  diagnostics.sort((a, b) => a.start - b.start);
  if (hasErrors(diagnostics)) return { diagnostics, value: null, type: program.type };
  try {
    return { diagnostics, value: makeValue(program, wanted), type: program.type };
  } catch (error) {
    // Members can make larger types of those that the binder saw.
    if (!(error instanceof TypeTooLarge)) throw error;
    return {
      diagnostics: [...diagnostics, binderDiagnostic("HG3149", parsed.tree)],
      value: null,
      type: ERROR_TYPE,
    };
  }
}

/** `@(context.Request.Method = "GET")`: what cannot be assigned to was to be compared. */
function comparisonMeant(
  tree: ReturnType<typeof parseExpression>["tree"],
  found: readonly ExpressionDiagnostic[],
): readonly ExpressionDiagnostic[] {
  const unwritable = found.findIndex(({ code }) => code === "HG3118" || code === "HG3119");
  if (unwritable === -1 || tree.kind !== "assignment" || tree.operator !== "=") return found;
  return found.with(
    unwritable,
    syntaxDiagnostic("assignmentInCondition", tree.operatorStart, tree.operatorStart + 1),
  );
}

const hasErrors = (diagnostics: readonly ExpressionDiagnostic[]): boolean =>
  diagnostics.some((d) => d.severity === "error");

/** Where a wrong result is shown: the expression, or a block's last statement. */
function resultSpan(
  tree: ReturnType<typeof parseExpression>["tree"],
  form: ExpressionForm,
): { start: number; end: number } {
  return form === "block" && tree.kind === "block" ? (tree.statements.at(-1) ?? tree) : tree;
}

function makeValue(program: BoundProgram, wanted: ValueType): Value<unknown> {
  const fn = program.function;
  const finish = finisher(program.type, wanted);
  if (fn.body.kind === "constant") {
    const constant = fixed(fn.body.value, finish);
    if (constant !== null) return constant;
  }
  const evaluate = emit(fn);
  const needs = needsOf(fn);
  return computedValue(
    finish === null ? evaluate : (context: HostContext) => finish(evaluate(context)),
    needs,
  );
}

/** A constant; null when finishing it fails, which is then said at run time. */
function fixed(value: unknown, finish: ReturnType<typeof finisher>): Value<unknown> | null {
  try {
    return constantValue(finish === null ? value : finish(value));
  } catch {
    return null;
  }
}
