/**
 * Lambdas and local functions: JavaScript functions over raw values, each call with a frame of its own.
 *
 * A closure takes the cells of the variables that it captures when it is made, and puts them into its frame on each
 * call. Calls cost a step; those that can recurse also count depth.
 */
import type {
  BoundBlock,
  BoundExpression,
  BoundFunction,
  BoundLambda,
  BoundLocalFunction,
  Code,
} from "../csharp/bound.ts";
import { enter, leave, spend } from "../runtime/budget.ts";
import type { HostContext } from "../runtime/host.ts";
import { type Cell, type Frame, FunctionScope, RETURN, type Run, storeLocal } from "./code.ts";
import { emitExpression } from "./expressions.ts";
import { emitStatement } from "./statements.ts";

/** A body that gives the function's value: an expression, or statements up to `return`. */
export function emitBody(body: BoundExpression | BoundBlock, scope: FunctionScope): Run {
  if (body.kind !== "block") return emitExpression(body, scope);
  const only = body.statements.length === 1 && body.locals.length === 0 && body.functions.length === 0;
  const first = body.statements[0];
  if (only && first!.kind === "return" && first!.expression !== null)
    return emitExpression(first!.expression, scope);
  const exec = emitStatement(body, scope);
  const { returnSlot } = scope;
  return (c, f) => (exec(c, f) === RETURN ? f[returnSlot] : null);
}

/** Makes the closure: cells are taken from `frame`, the frame of the enclosing function. */
type Make = (context: HostContext, frame: Frame) => Code;

function emitFunction(bound: BoundFunction): Make {
  const scope = new FunctionScope(bound);
  const body = emitBody(bound.body, scope);
  const empty = scope.emptyFrame();
  // Plain numbers: a closure that held symbols would keep the whole bound tree alive.
  const outerSlots = bound.captures.map((capture) => capture.outerSlot);
  const slots = bound.captures.map((capture) => capture.slot);
  const parameterCount = bound.parameters.length;
  const captured = bound.parameters
    .filter((parameter) => parameter.isCaptured)
    .map((parameter) => parameter.slot);
  const isPlain = slots.length === 0 && captured.length === 0;
  // Only through a delegate can a call lead back to itself, so a body that touches none needs no depth.
  const call = scope.touchesDelegates ? guarded(body) : counted(body);

  const start = (cells: readonly unknown[]): Frame => {
    const frame = empty.slice();
    for (let i = 0; i < slots.length; i++) frame[slots[i]!] = cells[i];
    return frame;
  };
  const wrap = (frame: Frame): void => {
    for (const slot of captured) frame[slot] = { value: frame[slot] } satisfies Cell;
  };

  return (c, outer) => {
    const cells = outerSlots.map((slot) => outer[slot]);
    switch (parameterCount) {
      case 0:
        return () => call(c, start(cells));
      case 1:
        if (isPlain) {
          return (a) => {
            const frame = empty.slice();
            frame[0] = a;
            return call(c, frame);
          };
        }
        return (a) => {
          const frame = start(cells);
          frame[0] = a;
          wrap(frame);
          return call(c, frame);
        };
      case 2:
        return (a, b) => {
          const frame = start(cells);
          frame[0] = a;
          frame[1] = b;
          wrap(frame);
          return call(c, frame);
        };
      default:
        return (...args) => {
          const frame = start(cells);
          for (let i = 0; i < parameterCount; i++) frame[i] = args[i];
          wrap(frame);
          return call(c, frame);
        };
    }
  };
}

function counted(body: Run): Run {
  return (c, f) => {
    spend();
    return body(c, f);
  };
}

function guarded(body: Run): Run {
  return (c, f) => {
    enter();
    try {
      return body(c, f);
    } finally {
      leave();
    }
  };
}

export function emitLambda(node: BoundLambda, scope: FunctionScope): Run {
  scope.touchesDelegates = true;
  return emitFunction(node.function);
}

/** Puts the closures of a block's functions into their variables, whose cells are already there. */
export function emitLocalFunctions(
  functions: readonly BoundLocalFunction[],
  scope: FunctionScope,
): ((c: HostContext, f: Frame) => void) | null {
  if (functions.length === 0) return null;
  scope.touchesDelegates = true;
  const makers = functions.map(({ symbol, function: bound }) => ({
    make: emitFunction(bound),
    store: storeLocal(symbol, symbol.slot),
  }));
  return (c, f) => {
    for (const { make, store } of makers) store(f, make(c, f));
  };
}
