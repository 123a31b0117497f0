/**
 * `for`, `foreach`, `while` and `do`. Each turn costs a step. A loop takes `break` and `continue` for itself and
 * passes `return` and `goto` on. Captured variables of the body are new in every turn; those of a `for` are shared.
 */
import type { BoundDo, BoundFor, BoundForeach, BoundWhile } from "../csharp/bound.ts";
import { spend } from "../runtime/budget.ts";
import { nullReference } from "../runtime/errors.ts";
import type { HostContext } from "../runtime/host.ts";
import type { NetArray } from "../runtime/values.ts";
import {
  BREAK,
  type Exec,
  type Frame,
  type FunctionScope,
  GOTO,
  NORMAL,
  RETURN,
  type Run,
  type Signal,
  declareLocal,
  freshCells,
  storeLocal,
} from "./code.ts";
import { emitExpression } from "./expressions.ts";
import { emitSequence, emitStatement } from "./statements.ts";

const ALWAYS: Run = () => true;

export function emitFor(node: BoundFor, scope: FunctionScope): Exec {
  const fresh = freshCells(node.locals);
  const start = emitSequence(node.initializers, scope);
  const condition = node.condition === null ? ALWAYS : emitExpression(node.condition, scope);
  const incrementors = node.incrementors.map((incrementor) => emitExpression(incrementor, scope));
  const body = emitStatement(node.body, scope);
  const [first] = incrementors;
  const advance: Run =
    incrementors.length === 1
      ? first!
      : (c, f) => {
          for (const run of incrementors) run(c, f);
        };
  return (c, f) => {
    if (fresh !== null) fresh(f);
    for (start(c, f); condition(c, f); advance(c, f)) {
      spend();
      const signal = body(c, f);
      if (signal === NORMAL) continue;
      if (signal === BREAK) break;
      if (signal === RETURN || signal === GOTO) return signal;
    }
    return NORMAL;
  };
}

export function emitWhile(node: BoundWhile, scope: FunctionScope): Exec {
  const fresh = freshCells(node.locals);
  const condition = emitExpression(node.condition, scope);
  const body = emitStatement(node.body, scope);
  return (c, f) => {
    for (;;) {
      if (fresh !== null) fresh(f);
      if (!condition(c, f)) return NORMAL;
      spend();
      const signal = body(c, f);
      if (signal === BREAK) return NORMAL;
      if (signal === RETURN || signal === GOTO) return signal;
    }
  };
}

export function emitDo(node: BoundDo, scope: FunctionScope): Exec {
  const fresh = freshCells(node.locals);
  const body = emitStatement(node.body, scope);
  const condition = emitExpression(node.condition, scope);
  return (c, f) => {
    do {
      if (fresh !== null) fresh(f);
      spend();
      const signal = body(c, f);
      if (signal === BREAK) return NORMAL;
      if (signal === RETURN || signal === GOTO) return signal;
    } while (condition(c, f));
    return NORMAL;
  };
}

/** One turn of a `foreach`. */
type Turn = (context: HostContext, frame: Frame, element: unknown) => Signal;

export function emitForeach(node: BoundForeach, scope: FunctionScope): Exec {
  const source = emitExpression(node.source, scope);
  const turn = emitTurn(node, scope);
  switch (node.sourceKind) {
    case "array":
      return (c, f) => eachIndexed((source(c, f) as NetArray | null)?.items ?? null, c, f, turn);
    case "bytes":
      return (c, f) => eachIndexed(source(c, f) as Uint8Array | null, c, f, turn);
    case "string":
      return (c, f) => eachCharacter(source(c, f) as string | null, c, f, turn);
    case "iterable":
      return (c, f) => eachOf(source(c, f) as Iterable<unknown> | null, c, f, turn);
  }
}

function emitTurn(node: BoundForeach, scope: FunctionScope): Turn {
  const { element } = node;
  const fresh = freshCells(node.locals);
  // Declared by the loop, the element's cell is fresh already; otherwise it is a temporary.
  const store = node.locals.includes(element) ? storeLocal(element, element.slot) : declareLocal(element);
  const prepare = node.prepare === null ? null : emitExpression(node.prepare, scope);
  const body = emitStatement(node.body, scope);
  if (fresh === null && prepare === null && !element.isCaptured) {
    const { slot } = element;
    return (c, f, value) => {
      f[slot] = value;
      return body(c, f);
    };
  }
  return (c, f, value) => {
    if (fresh !== null) fresh(f);
    store(f, value);
    if (prepare !== null) prepare(c, f);
    return body(c, f);
  };
}

function eachIndexed(items: ArrayLike<unknown> | null, c: HostContext, f: Frame, turn: Turn): Signal {
  if (items === null) throw nullReference();
  for (let i = 0; i < items.length; i++) {
    spend();
    const signal = turn(c, f, items[i]);
    if (signal === BREAK) return NORMAL;
    if (signal === RETURN || signal === GOTO) return signal;
  }
  return NORMAL;
}

function eachCharacter(text: string | null, c: HostContext, f: Frame, turn: Turn): Signal {
  if (text === null) throw nullReference();
  for (let i = 0; i < text.length; i++) {
    spend();
    const signal = turn(c, f, text.charCodeAt(i));
    if (signal === BREAK) return NORMAL;
    if (signal === RETURN || signal === GOTO) return signal;
  }
  return NORMAL;
}

function eachOf(source: Iterable<unknown> | null, c: HostContext, f: Frame, turn: Turn): Signal {
  if (source === null) throw nullReference();
  for (const element of source) {
    spend();
    const signal = turn(c, f, element);
    if (signal === BREAK) return NORMAL;
    if (signal === RETURN || signal === GOTO) return signal;
  }
  return NORMAL;
}
