/**
 * `try`, `catch`, `finally` and `using`.
 *
 * Only .NET exceptions are caught. A `BudgetError`, or a mistake of ours, goes through every handler of the policy,
 * and `finally` blocks do not run for it either: nothing of the policy runs once its budget is spent.
 */
import type { BoundCatch, BoundTry, BoundUsing } from "../csharp/bound.ts";
import { NetException } from "../runtime/errors.ts";
import type { HostContext } from "../runtime/host.ts";
import {
  type Exec,
  type Frame,
  type FunctionScope,
  NORMAL,
  type Signal,
  freshCells,
  storeLocal,
} from "./code.ts";
import { emitExpression } from "./expressions.ts";
import { emitStatement } from "./statements.ts";

export function emitTry(node: BoundTry, scope: FunctionScope): Exec {
  const block = emitStatement(node.block, scope);
  const guarded = node.catches.length === 0 ? block : emitCatches(block, node.catches, scope);
  if (node.finally === null) return guarded;
  return withFinally(guarded, emitStatement(node.finally, scope), scope);
}

interface Handler {
  /** Stores the exception and asks type and filter. */
  accepts(context: HostContext, frame: Frame, exception: NetException): boolean;
  readonly run: Exec;
}

function emitCatches(block: Exec, catches: readonly BoundCatch[], scope: FunctionScope): Exec {
  // Where `throw;` finds the exception.
  const slot = scope.addSlot();
  scope.handled.push(slot);
  const handlers = catches.map((clause) => emitHandler(clause, scope));
  scope.handled.pop();
  return (c, f) => {
    try {
      return block(c, f);
    } catch (error) {
      if (!(error instanceof NetException)) throw error;
      const outer = f[slot];
      f[slot] = error;
      try {
        for (const { accepts, run } of handlers) if (accepts(c, f, error)) return run(c, f);
      } finally {
        f[slot] = outer;
      }
      throw error;
    }
  };
}

function emitHandler(clause: BoundCatch, scope: FunctionScope): Handler {
  const { typeName, symbol } = clause;
  const isAll = typeName === "System.Exception" || typeName === "System.Object";
  const fresh = freshCells(clause.locals);
  const store = symbol === null ? null : storeLocal(symbol, symbol.slot);
  const filter = clause.filter === null ? null : emitExpression(clause.filter, scope);
  const run = emitStatement(clause.block, scope);
  return {
    run,
    accepts: (c, f, exception) => {
      if (!isAll && !exception.is(typeName)) return false;
      if (fresh !== null) fresh(f);
      if (store !== null) store(f, exception);
      if (filter === null) return true;
      try {
        return filter(c, f);
      } catch (error) {
        // An exception in a filter counts as false.
        if (error instanceof NetException) return false;
        throw error;
      }
    },
  };
}

/** `last` runs in any case, and wins if it throws. C# lets no `return` or jump leave a finally block. */
function withFinally(block: Exec, last: Exec, scope: FunctionScope): Exec {
  const { returnSlot, gotoSlot } = scope;
  return (c, f) => {
    let signal: Signal;
    try {
      signal = block(c, f);
    } catch (error) {
      if (error instanceof NetException) last(c, f);
      throw error;
    }
    // The finally block may use both slots for jumps of its own.
    const value = f[returnSlot];
    const label = f[gotoSlot];
    last(c, f);
    f[returnSlot] = value;
    f[gotoSlot] = label;
    return signal;
  };
}

export function emitUsing(node: BoundUsing, scope: FunctionScope): Exec {
  const fresh = freshCells(node.locals);
  const resource = emitStatement(node.resource, scope);
  const body = emitStatement(node.body, scope);
  const guarded = node.dispose === null ? body : withFinally(body, emitDispose(node.dispose, scope), scope);
  return (c, f) => {
    if (fresh !== null) fresh(f);
    resource(c, f);
    return guarded(c, f);
  };
}

function emitDispose(dispose: NonNullable<BoundUsing["dispose"]>, scope: FunctionScope): Exec {
  const run = emitExpression(dispose, scope);
  return (c, f) => {
    run(c, f);
    return NORMAL;
  };
}
