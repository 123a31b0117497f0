/**
 * Bound tree → a function of the request's context: the last step of compiling an expression.
 *
 * There is no generated source and no `eval`: every node becomes a closure over those of its children, chosen when
 * the document is saved. What runs for a request is only these closures and the functions of the allow-list that the
 * binder put into the tree. See `code.ts` for their shape.
 */
import type { BoundFunction } from "../csharp/bound.ts";
import { beginEvaluation } from "../runtime/budget.ts";
import { BudgetError } from "../runtime/errors.ts";
import type { HostContext } from "../runtime/host.ts";
import { type Frame, FunctionScope } from "./code.ts";
import { forgetTexts } from "./effort.ts";
import { emitBody } from "./functions.ts";

/** Gives a value in the representation of the function's return type. @throws NetException, BudgetError */
export type Evaluate = (context: HostContext) => unknown;

/** Shared by all expressions without variables; nothing is ever written to it. */
const NO_FRAME: Frame = [];

/** @param root of depth 0, bound without errors */
export function emit(root: BoundFunction): Evaluate {
  const scope = new FunctionScope(root);
  const run = emitBody(root.body, scope);
  const empty = scope.emptyFrame();
  const needsFrame = root.slotCount > 0 || root.body.kind === "block";
  if (root.body.kind === "constant") {
    const { value } = root.body;
    return () => value;
  }
  return (context) => {
    beginEvaluation();
    try {
      return run(context, needsFrame ? empty.slice() : NO_FRAME);
    } catch (error) {
      throw stackOverflow(error);
    } finally {
      forgetTexts();
    }
  };
}

/** Deep recursion ends at the depth limit; should JavaScript's stack be shorter, that is the same limit. */
function stackOverflow(error: unknown): unknown {
  if (!(error instanceof RangeError) || !/call stack/i.test(error.message)) return error;
  return new BudgetError("depth", "The expression is nested too deeply to be evaluated.");
}
