/** Between documents and expressions: what the document compiler asks of the expression compiler. */
import type { HostContext } from "./runtime/host.ts";
import type { Needs, Value, ValueType } from "./policy.ts";
import type { ExpressionForm } from "./xml/value.ts";

export interface ExpressionDiagnostic {
  /** `HG3…` */
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** UTF-16 units of the code handed in, half open. */
  readonly start: number;
  readonly end: number;
  readonly hint?: string;
}

export interface CompiledExpression {
  readonly diagnostics: readonly ExpressionDiagnostic[];
  /** null when there is an error. */
  readonly value: Value<unknown> | null;
}

/**
 * Compiles the text between the brackets; named values are already in it.
 *
 * @param type what the value becomes; `policy.ts`, `ValueType`
 * @returns never throws; the same code and type always give the same answer, so that it can be kept
 */
export type CompileExpression = (code: string, form: ExpressionForm, type: ValueType) => CompiledExpression;

/** A value that does not depend on the request. */
export function constantValue<T>(value: T): Value<T> {
  return asValue(() => value, { constant: value, isConstant: true, needs: 0 });
}

/** A value that is asked for each request. */
export function computedValue<T>(evaluate: (context: HostContext) => T, needs: Needs): Value<T> {
  return asValue(evaluate, { constant: undefined, isConstant: false, needs });
}

function asValue<T>(
  evaluate: (context: HostContext) => T,
  properties: Pick<Value<T>, "constant" | "isConstant" | "needs">,
): Value<T> {
  return Object.assign(evaluate, properties);
}
