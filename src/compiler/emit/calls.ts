/** Calls of library members and of delegates. */
import type { BoundCall, BoundExpression, BoundInvoke, BoundOut, Code } from "../csharp/bound.ts";
import { nullReference } from "../runtime/errors.ts";
import type { Member } from "../runtime/type.ts";
import type { OutCell } from "../runtime/values.ts";
import type { FunctionScope, Run } from "./code.ts";
import { paidArgument, paidReceiver } from "./effort.ts";
import { emitExpression } from "./expressions.ts";
import { emitKnownCall } from "./known-calls.ts";
import { type Target, emitTarget } from "./targets.ts";

export function emitCall(node: BoundCall, scope: FunctionScope): Run {
  const known = emitKnownCall(node, scope);
  if (known !== null) return known;
  const { code, receiver } = node;
  if (needsCare(node)) return emitCarefulCall(node, scope);
  const args = node.arguments.map((argument) => emitOperand(argument, node, scope));
  if (receiver === null) return emitStatic(code, args);
  const target = emitReceiver(receiver, node, scope);
  return node.checkReceiver ? emitChecked(code, target, args) : emitStatic(code, [target, ...args]);
}

function emitReceiver(receiver: BoundExpression, node: BoundCall, scope: FunctionScope): Run {
  const run = emitExpression(receiver, scope);
  return receiver.kind === "constant" ? run : paidReceiver(run, receiver.type, node.member);
}

/** An argument of a library member. That of an extension method's `this` is a receiver. */
function emitOperand(
  argument: BoundExpression,
  node: WithArguments & { readonly member?: Member },
  scope: FunctionScope,
): Run {
  const run = emitExpression(argument, scope);
  if (argument.kind === "constant" || node.member === undefined) return run;
  const isReceiver = node.member.isExtension && argument === node.arguments[0];
  return isReceiver ? paidReceiver(run, argument.type, node.member) : paidArgument(run, argument.type);
}

function emitStatic(code: Code, args: readonly Run[]): Run {
  const [a, b, d, e] = args;
  switch (args.length) {
    case 0:
      return () => code();
    case 1:
      return (c, f) => code(a!(c, f));
    case 2:
      return (c, f) => code(a!(c, f), b!(c, f));
    case 3:
      return (c, f) => code(a!(c, f), b!(c, f), d!(c, f));
    case 4:
      return (c, f) => code(a!(c, f), b!(c, f), d!(c, f), e!(c, f));
    default:
      return (c, f) => code(...args.map((run) => run(c, f)));
  }
}

/** The receiver is evaluated first, but found to be null only after the arguments, as in C#. */
function emitChecked(code: Code, target: Run, args: readonly Run[]): Run {
  const [a, b] = args;
  switch (args.length) {
    case 0:
      return (c, f) => {
        const receiver = target(c, f);
        if (receiver === null) throw nullReference();
        return code(receiver);
      };
    case 1:
      return (c, f) => {
        const receiver = target(c, f);
        const first = a!(c, f);
        if (receiver === null) throw nullReference();
        return code(receiver, first);
      };
    case 2:
      return (c, f) => {
        const receiver = target(c, f);
        const first = a!(c, f);
        const second = b!(c, f);
        if (receiver === null) throw nullReference();
        return code(receiver, first, second);
      };
    default:
      return (c, f) => {
        const receiver = target(c, f);
        const values = args.map((run) => run(c, f));
        if (receiver === null) throw nullReference();
        return code(receiver, ...values);
      };
  }
}

// ── Out arguments and reordered ones ────────────────────────────────────────────────────────────────────────────────

interface WithArguments {
  readonly arguments: readonly BoundExpression[];
  readonly order: readonly number[] | null;
}

function needsCare(node: WithArguments): boolean {
  return node.order !== null || node.arguments.some((argument) => argument.kind === "out");
}

type Arguments = (c: Parameters<Run>[0], f: Parameters<Run>[1]) => { values: unknown[]; done: () => void };

/** Evaluates arguments in the order in which they were written, and afterwards stores what came out. */
function emitArguments(node: WithArguments & { readonly member?: Member }, scope: FunctionScope): Arguments {
  const steps = node.arguments.map((argument) =>
    argument.kind === "out"
      ? { run: null, target: emitOut(argument, scope) }
      : { run: emitOperand(argument, node, scope), target: null },
  );
  const order = node.order ?? steps.map((_, i) => i);
  return (c, f) => {
    const values: unknown[] = steps.map(() => null);
    const stores: (() => void)[] = [];
    for (const i of order) {
      const { run, target } = steps[i]!;
      if (run !== null) values[i] = run(c, f);
      else {
        const cell: OutCell = { value: null };
        const place = target!.locate(c, f);
        values[i] = cell;
        stores.push(() => target!.write(c, f, place, cell.value));
      }
    }
    return {
      values,
      done: () => {
        for (const store of stores) store();
      },
    };
  };
}

function emitOut(node: BoundOut, scope: FunctionScope): Target {
  return emitTarget(node.target, scope);
}

function emitCarefulCall(node: BoundCall, scope: FunctionScope): Run {
  const { code, checkReceiver } = node;
  const args = emitArguments(node, scope);
  if (node.receiver === null) {
    return (c, f) => {
      const { values, done } = args(c, f);
      const result = code(...values);
      done();
      return result;
    };
  }
  const target = emitReceiver(node.receiver, node, scope);
  return (c, f) => {
    const receiver = target(c, f);
    const { values, done } = args(c, f);
    if (checkReceiver && receiver === null) throw nullReference();
    const result = code(receiver, ...values);
    done();
    return result;
  };
}

// ── Delegates ───────────────────────────────────────────────────────────────────────────────────────────────────────

export function emitInvoke(node: BoundInvoke, scope: FunctionScope): Run {
  scope.touchesDelegates = true;
  const target = emitExpression(node.target, scope);
  if (needsCare(node)) {
    const args = emitArguments(node, scope);
    return (c, f) => {
      const callee = target(c, f) as Code | null;
      const { values, done } = args(c, f);
      if (callee === null) throw nullReference();
      const result = callee(...values);
      done();
      return result;
    };
  }
  const runs = node.arguments.map((argument) => emitExpression(argument, scope));
  const [a, b] = runs;
  switch (runs.length) {
    case 0:
      return (c, f) => callable(target(c, f))();
    case 1:
      return (c, f) => {
        const callee = target(c, f);
        const first = a!(c, f);
        return callable(callee)(first);
      };
    case 2:
      return (c, f) => {
        const callee = target(c, f);
        const first = a!(c, f);
        const second = b!(c, f);
        return callable(callee)(first, second);
      };
    default:
      return (c, f) => {
        const callee = target(c, f);
        const values = runs.map((run) => run(c, f));
        return callable(callee)(...values);
      };
  }
}

function callable(callee: Code | null): Code {
  if (callee === null) throw nullReference();
  return callee;
}
