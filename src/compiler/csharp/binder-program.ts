/** The whole expression: what is between the brackets, bound as one function of `context`. */
import { type Type, TypeTooLarge } from "../runtime/type.ts";
import { asValue, convert } from "./binder-convert.ts";
import { converts, naturalType } from "./binder-converts.ts";
import { bindExpression } from "./binder-expressions.ts";
import { withLocals } from "./binder-lambda.ts";
import { binderDiagnostic } from "./binder-messages.ts";
import { newFunction } from "./binder-scope.ts";
import { bindBlock } from "./binder-statements.ts";
import { ERROR_TYPE, isError, isVoid, known } from "./binder-types.ts";
import type { BinderDiagnostic, Bound } from "./binder-untyped.ts";
import { Binder, BindingTooComplex, TooManyMistakes } from "./binder.ts";
import { walkFunction } from "./bound-walk.ts";
import type { BoundFunction } from "./bound.ts";
import { checkFlow, endsReachable } from "./flow.ts";
import { bestCommonType } from "./inference.ts";
import type { BlockStatement, Expression, Span, SyntaxRoot } from "./tree.ts";

export interface BoundProgram {
  readonly function: BoundFunction;
  /** What the expression gives, before anything is made of it for the place where it stands. */
  readonly type: Type;
  readonly diagnostics: readonly BinderDiagnostic[];
}

/** Binds a tree that parsed without errors. Never throws. */
export function bindProgram(root: SyntaxRoot): BoundProgram {
  const fn = newFunction(null, ERROR_TYPE);
  const b = new Binder(fn);
  let type: Type = ERROR_TYPE;
  try {
    type = root.kind === "block" ? bindRootBlock(b, fn, root) : bindRootExpression(b, fn, root as Expression);
  } catch (error) {
    if (error instanceof BindingTooComplex || error instanceof TypeTooLarge)
      return { function: fn, type, diagnostics: [binderDiagnostic("HG3149", root)] };
    if (!(error instanceof TooManyMistakes)) throw error;
    const { mistakes } = b;
    return {
      function: fn,
      type,
      diagnostics: mistakes.length > 0 ? mistakes : [binderDiagnostic("HG3149", root)],
    };
  }
  (fn as { returnType: Type }).returnType = type;
  const bad = b.diagnostics.some((d) => d.severity === "error");
  const flow = bad ? [] : checkFlow(fn);
  // Every error node comes with a message; should one ever be forgotten, nothing half-bound may run.
  if (!bad && hasErrorNode(fn)) b.report("HG3149", root);
  return { function: fn, type, diagnostics: [...b.diagnostics, ...flow].sort((x, y) => x.start - y.start) };
}

function hasErrorNode(fn: BoundFunction): boolean {
  let found = false;
  walkFunction(fn, (node) => {
    if (node.kind === "error") found = true;
  });
  return found;
}

function bindRootExpression(b: Binder, fn: BoundFunction, root: Expression): Type {
  const bound = bindExpression(b, root);
  const type = resultType(b, [bound]);
  const value = converts(b, bound, type) ? convert(b, bound, type) : asValue(b, bound);
  if (isVoid(value.type))
    b.report(
      "HG3134",
      root,
      { member: value.kind === "call" ? value.member.name : "this" },
      "use a block: `@{ …; return …; }`",
    );
  fn.body = withLocals(value, b.scope);
  return value.type;
}

function bindRootBlock(b: Binder, fn: BoundFunction, root: BlockStatement): Type {
  const returns: NonNullable<Binder["returns"]> = [];
  b.returns = returns;
  const block = bindBlock(b, root, b.scope);
  fn.body = block;
  const results = returns.flatMap((entry) => (entry.result === null ? [] : [entry.result]));
  for (const entry of returns) if (entry.result === null) b.report("HG3122", entry.span);
  const type = resultType(b, results);
  if (isVoid(type)) b.report("HG3134", results[0]!, { member: "this call" });
  for (const entry of returns) if (entry.result !== null) entry.set(convert(b, entry.result, type));
  if (endsReachable(block)) b.report("HG3121", endOf(root));
  return type;
}

/** The last character of the block: that is where a `return` is missing. */
const endOf = (root: BlockStatement): Span => {
  const last = root.statements.at(-1);
  return last === undefined ? root : { start: last.start, end: last.end };
};

/** One type for all results; `object` where they differ, as in a method that returns object. */
function resultType(b: Binder, results: readonly Bound[]): Type {
  if (results.some((result) => result.type !== null && isError(result.type))) return ERROR_TYPE;
  const untyped = results.find((result) => result.kind !== "throw" && naturalType(b, result) === null);
  if (untyped !== undefined) return asValue(b, untyped).type;
  const naturals = results.map((result) => naturalType(b, result));
  const first = naturals.find((type) => type !== null && type.kind !== "null");
  if (first === undefined || first === null) return known.object();
  if (isVoid(first)) return first;
  return bestCommonType(b, results, converts) ?? known.object();
}
