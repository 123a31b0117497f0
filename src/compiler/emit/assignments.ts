/** `=`, compound assignment, `++`, `--` and `??=`. */
import type { BoundAssign, BoundExpression, BoundUpdate } from "../csharp/bound.ts";
import { type FunctionScope, type Run, declareLocal, storeLocal } from "./code.ts";
import { emitExpression } from "./expressions.ts";
import { emitTarget } from "./targets.ts";

/** The value of an assignment is the value assigned. */
export function emitAssign(node: BoundAssign, scope: FunctionScope): Run {
  const value = emitExpression(node.value, scope);
  const { target } = node;
  if (target.kind === "discard") return value;
  if (target.kind === "local") {
    const { symbol, slot } = target;
    if (!symbol.isCaptured) return (c, f) => (f[slot] = value(c, f));
    const store = node.declares ? declareLocal(symbol) : storeLocal(symbol, slot);
    return (c, f) => {
      const assigned = value(c, f);
      store(f, assigned);
      return assigned;
    };
  }
  const { locate, write } = emitTarget(target, scope);
  return (c, f) => {
    const place = locate(c, f);
    const assigned = value(c, f);
    write(c, f, place, assigned);
    return assigned;
  };
}

export function emitUpdate(node: BoundUpdate, scope: FunctionScope): Run {
  const counter = emitCounter(node);
  if (counter !== null) return counter;
  const { locate, read, write } = emitTarget(node.target, scope);
  const keep = declareLocal(node.old);
  const value = emitExpression(node.value, scope);
  const wantsOld = node.result === "old";
  if (node.whenNull) {
    return (c, f) => {
      const place = locate(c, f);
      const old = read(c, f, place);
      if (old !== null) return old;
      keep(f, old);
      const updated = value(c, f);
      write(c, f, place, updated);
      return updated;
    };
  }
  return (c, f) => {
    const place = locate(c, f);
    const old = read(c, f, place);
    keep(f, old);
    const updated = value(c, f);
    write(c, f, place, updated);
    return wantsOld ? old : updated;
  };
}

/** `i++`, `--i`, `i += 2` over an int variable of this frame: the commonest of all, in one step. */
function emitCounter({ target, old, value, result, whenNull }: BoundUpdate): Run | null {
  if (target.kind !== "local" || target.symbol.isCaptured || whenNull) return null;
  if (value.kind !== "binary" || value.operandKind !== "int" || value.checked || value.lifted) return null;
  if (value.left.kind !== "local" || value.left.symbol !== old) return null;
  const step = constantInt(value.right);
  if (step === null || (value.operator !== "+" && value.operator !== "-")) return null;
  const { slot } = target;
  const by = value.operator === "+" ? step : -step;
  if (result === "new") return (_, f) => (f[slot] = ((f[slot] as number) + by) | 0);
  return (_, f) => {
    const before = f[slot] as number;
    f[slot] = (before + by) | 0;
    return before;
  };
}

function constantInt(node: BoundExpression): number | null {
  return node.kind === "constant" && typeof node.value === "number" ? node.value : null;
}
