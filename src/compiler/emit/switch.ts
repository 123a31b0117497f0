/** The switch statement: constant labels through a table, patterns and guards in order. */
import type { BoundSwitch, LabelSymbol } from "../csharp/bound.ts";
import { spend } from "../runtime/budget.ts";
import {
  BREAK,
  type Exec,
  type FunctionScope,
  GOTO,
  NORMAL,
  type Run,
  declareLocal,
  freshCells,
} from "./code.ts";
import { paidArgument } from "./effort.ts";
import { emitExpression } from "./expressions.ts";
import { emitLocalFunctions } from "./functions.ts";
import { emitSequence } from "./statements.ts";

/** Index of the section that is chosen, or -1. */
type Choose = (value: unknown, ...args: Parameters<Run>) => number;

export function emitSwitch(node: BoundSwitch, scope: FunctionScope): Exec {
  const subject = paidArgument(emitExpression(node.subject, scope), node.subject.type);
  const keep = declareLocal(node.temp);
  const fresh = freshCells(node.locals);
  const functions = emitLocalFunctions(node.functions, scope);
  const choose = emitChoice(node, scope);
  const sections = node.sections.map((section) => emitSequence(section.statements, scope));
  const starts = new Map<LabelSymbol, number>(node.sections.map((section, i) => [section.label, i]));
  const { gotoSlot } = scope;
  return (c, f) => {
    if (fresh !== null) fresh(f);
    if (functions !== null) functions(c, f);
    const value = subject(c, f);
    keep(f, value);
    let at = choose(value, c, f);
    while (at >= 0) {
      const signal = sections[at]!(c, f);
      if (signal === BREAK) return NORMAL;
      if (signal !== GOTO) return signal;
      // `goto case`: on with another section.
      const next = starts.get(f[gotoSlot] as LabelSymbol);
      if (next === undefined) return GOTO;
      spend();
      at = next;
    }
    return NORMAL;
  };
}

function emitChoice(node: BoundSwitch, scope: FunctionScope): Choose {
  const otherwise = node.defaultSection ?? -1;
  const labels = node.sections.flatMap((section, i) =>
    section.labels.map((label) => ({ label, section: i })),
  );
  if (labels.every(({ label }) => label.isConstant)) {
    const table = new Map<unknown, number>();
    for (const { label, section } of labels)
      if (!table.has(label.constant)) table.set(label.constant, section);
    return (value) => table.get(value) ?? otherwise;
  }
  const tests = labels.map(({ label, section }) => ({ test: emitExpression(label.test, scope), section }));
  return (_, c, f) => {
    for (const { test, section } of tests) {
      if (test(c, f)) return section;
    }
    return otherwise;
  };
}
