/** Bound statement → closure that answers with a signal (`code.ts`). */
import type {
  BoundBlock,
  BoundDeclare,
  BoundGoto,
  BoundIf,
  BoundReturn,
  BoundStatement,
  BoundThrow,
  LabelSymbol,
} from "../csharp/bound.ts";
import { spend } from "../runtime/budget.ts";
import {
  BREAK,
  CONTINUE,
  type Exec,
  type FunctionScope,
  GOTO,
  NORMAL,
  RETURN,
  freshCells,
  storeLocal,
} from "./code.ts";
import { emitExpression, thrown } from "./expressions.ts";
import { emitLocalFunctions } from "./functions.ts";
import { emitDo, emitFor, emitForeach, emitWhile } from "./loops.ts";
import { emitSwitch } from "./switch.ts";
import { emitTry, emitUsing } from "./try.ts";

type Emitters = {
  readonly [K in BoundStatement["kind"]]: (
    node: Extract<BoundStatement, { kind: K }>,
    scope: FunctionScope,
  ) => Exec;
};

const emitters: Emitters = {
  block: emitBlock,
  declare: emitDeclare,
  expressionStatement: (node, scope) => {
    const run = emitExpression(node.expression, scope);
    return (c, f) => {
      run(c, f);
      return NORMAL;
    };
  },
  if: emitIf,
  for: emitFor,
  foreach: emitForeach,
  while: emitWhile,
  do: emitDo,
  switch: emitSwitch,
  try: emitTry,
  using: emitUsing,
  return: emitReturn,
  throwStatement: emitThrow,
  break: () => () => BREAK,
  continue: () => () => CONTINUE,
  goto: emitGoto,
  labeled: (node, scope) => emitStatement(node.statement, scope),
  empty: () => () => NORMAL,
};

export function emitStatement(node: BoundStatement, scope: FunctionScope): Exec {
  return (emitters[node.kind] as (node: BoundStatement, scope: FunctionScope) => Exec)(node, scope);
}

function emitBlock(node: BoundBlock, scope: FunctionScope): Exec {
  const run = emitSequence(node.statements, scope);
  const fresh = freshCells(node.locals);
  const functions = emitLocalFunctions(node.functions, scope);
  if (fresh === null && functions === null) return run;
  return (c, f) => {
    if (fresh !== null) fresh(f);
    if (functions !== null) functions(c, f);
    return run(c, f);
  };
}

/** Statements one after the other, up to the first that does not end normally. */
export function emitSequence(statements: readonly BoundStatement[], scope: FunctionScope): Exec {
  const execs = statements.map((statement) => emitStatement(statement, scope));
  const labels = labelsOf(statements);
  if (labels !== null) return withLabels(execs, labels, scope);
  const [first, second, third] = execs;
  switch (execs.length) {
    case 0:
      return () => NORMAL;
    case 1:
      return first!;
    case 2:
      return (c, f) => first!(c, f) || second!(c, f);
    case 3:
      return (c, f) => first!(c, f) || second!(c, f) || third!(c, f);
    default:
      return (c, f) => {
        for (let i = 0; i < execs.length; i++) {
          const signal = execs[i]!(c, f);
          if (signal !== NORMAL) return signal;
        }
        return NORMAL;
      };
  }
}

/** Label → index of the statement that carries it. A statement may carry several. */
function labelsOf(statements: readonly BoundStatement[]): Map<LabelSymbol, number> | null {
  let labels: Map<LabelSymbol, number> | null = null;
  statements.forEach((statement, i) => {
    for (let at = statement; at.kind === "labeled"; at = at.statement)
      (labels ??= new Map()).set(at.label, i);
  });
  return labels;
}

/** A `goto` arrives here from inside one of the statements: go on at its target, or pass it on outwards. */
function withLabels(
  execs: readonly Exec[],
  labels: ReadonlyMap<LabelSymbol, number>,
  scope: FunctionScope,
): Exec {
  const { gotoSlot } = scope;
  return (c, f) => {
    for (let i = 0; i < execs.length; i++) {
      const signal = execs[i]!(c, f);
      if (signal === NORMAL) continue;
      if (signal !== GOTO) return signal;
      const target = labels.get(f[gotoSlot] as LabelSymbol);
      if (target === undefined) return GOTO;
      spend();
      i = target - 1;
    }
    return NORMAL;
  };
}

function emitDeclare(node: BoundDeclare, scope: FunctionScope): Exec {
  if (node.initializer === null) return () => NORMAL;
  const value = emitExpression(node.initializer, scope);
  const { slot, isCaptured } = node.symbol;
  if (!isCaptured) {
    return (c, f) => {
      f[slot] = value(c, f);
      return NORMAL;
    };
  }
  const store = storeLocal(node.symbol, slot);
  return (c, f) => {
    store(f, value(c, f));
    return NORMAL;
  };
}

function emitIf(node: BoundIf, scope: FunctionScope): Exec {
  const condition = emitExpression(node.condition, scope);
  const then = emitStatement(node.then, scope);
  if (node.else === null) return (c, f) => (condition(c, f) ? then(c, f) : NORMAL);
  const otherwise = emitStatement(node.else, scope);
  return (c, f) => (condition(c, f) ? then(c, f) : otherwise(c, f));
}

function emitReturn(node: BoundReturn, scope: FunctionScope): Exec {
  const { returnSlot } = scope;
  if (node.expression === null) {
    return (_, f) => {
      f[returnSlot] = null;
      return RETURN;
    };
  }
  const value = emitExpression(node.expression, scope);
  return (c, f) => {
    f[returnSlot] = value(c, f);
    return RETURN;
  };
}

function emitThrow(node: BoundThrow, scope: FunctionScope): Exec {
  if (node.exception === null) {
    const slot = scope.handled.at(-1)!;
    return (_, f) => {
      throw f[slot];
    };
  }
  const exception = emitExpression(node.exception, scope);
  return (c, f) => {
    throw thrown(exception(c, f));
  };
}

function emitGoto(node: BoundGoto, scope: FunctionScope): Exec {
  const { gotoSlot } = scope;
  const { label } = node;
  return (_, f) => {
    f[gotoSlot] = label;
    return GOTO;
  };
}
