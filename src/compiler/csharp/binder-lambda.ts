/**
 * Lambdas and method groups. A lambda's body is bound once for each list of parameter types that overload resolution
 * tries; its return values stay unconverted until the delegate type is known, so nested lambdas cost no more.
 */
import { type Type, VOID } from "../runtime/type.ts";
import { bindArgumentsAs } from "./binder-arguments.ts";
import { finishCall, localCandidate } from "./binder-calls.ts";
import { convert } from "./binder-convert.ts";
import { converts, naturalType } from "./binder-converts.ts";
import { bindExpression } from "./binder-expressions.ts";
import { Scope, newFunction } from "./binder-scope.ts";
import { bindBlock } from "./binder-statements.ts";
import { bindTypeNode } from "./binder-type-names.ts";
import { delegateSignature, isReferenceType, isVoid } from "./binder-types.ts";
import type {
  Bound,
  LambdaBody,
  PendingLambda,
  PendingLocalFunction,
  PendingMethods,
} from "./binder-untyped.ts";
import { type Binder, assignTemp, newSymbol, sequence } from "./binder.ts";
import type { BoundBlock, BoundExpression, LocalSymbol } from "./bound.ts";
import { implicitConversion, sameType } from "./conversions.ts";
import { endsReachable } from "./flow.ts";
import { bestCommonType } from "./inference.ts";
import { type BoundArgument, resolve } from "./overloads.ts";
import type { LambdaExpression } from "./tree.ts";

export function bindLambda(b: Binder, node: LambdaExpression): PendingLambda {
  const explicit = node.parameters.length > 0 && node.parameters.every((p) => p.type !== null);
  return {
    kind: "pendingLambda",
    type: null,
    start: node.start,
    end: node.end,
    parameters: node.parameters,
    bindBody: (binder) => {
      const { body } = node;
      return body.kind === "block" ? bindBlock(binder, body) : bindExpression(binder, body);
    },
    scope: b.scope,
    function: b.function,
    checked: b.checked,
    receivers: [...b.receivers],
    parameterTypes: explicit ? node.parameters.map((p) => bindTypeNode(b, p.type!)) : null,
    bodies: [],
  };
}

/** The body for these parameter types; bound when first asked. */
export function lambdaBody(b: Binder, lambda: PendingLambda, types: readonly Type[]): LambdaBody {
  const found = lambda.bodies.find((entry) => entry.types.every((type, i) => type === types[i]));
  if (found !== undefined) return found.body;
  const body = bindBody(b, lambda, types);
  lambda.bodies.push({ types: [...types], body });
  return body;
}

function bindBody(b: Binder, lambda: PendingLambda, types: readonly Type[]): LambdaBody {
  const fn = newFunction(lambda.function, VOID);
  const outer = {
    checked: b.checked,
    returns: b.returns,
    surroundings: b.surroundings,
    receivers: [...b.receivers],
  };
  b.checked = lambda.checked;
  b.surroundings = { loop: false, switch: null, catch: false };
  b.receivers.splice(0, b.receivers.length, ...lambda.receivers);
  const returns: NonNullable<Binder["returns"]> = [];
  b.returns = returns;
  try {
    const scope = new Scope(lambda.scope, fn);
    const { result, diagnostics } = b.aside(() =>
      b.within(scope, () => {
        lambda.parameters.forEach((parameter, i) => {
          fn.parameters.push(b.declare("parameter", parameter.name, types[i]!, parameter));
        });
        return lambda.bindBody(b, fn.parameters);
      }),
    );
    if (result.kind === "block") {
      fn.body = result;
      const results = returns.flatMap((entry) => (entry.result === null ? [] : [entry.result]));
      return {
        function: fn,
        results,
        isExpression: false,
        isStatement: false,
        endReachable: endsReachable(result) || returns.some((entry) => entry.result === null),
        diagnostics,
        naturalType: results.length === 0 ? VOID : bestCommonType(b, results, converts),
        finish: (value) => {
          for (const entry of returns) if (entry.result !== null) entry.set(value(entry.result));
        },
      };
    }
    return {
      function: fn,
      results: [result],
      isExpression: true,
      isStatement: STATEMENTS.has(result.kind),
      endReachable: false,
      diagnostics,
      naturalType: naturalType(b, result),
      finish: (value) => {
        fn.body = withLocals(value(result), scope);
      },
    };
  } finally {
    b.checked = outer.checked;
    b.returns = outer.returns;
    b.surroundings = outer.surroundings;
    b.receivers.splice(0, b.receivers.length, ...outer.receivers);
  }
}

/** A body that declares variables (`out var x`, patterns) needs a block to declare them in. */
export function withLocals(value: BoundExpression, scope: Scope): BoundExpression | BoundBlock {
  if (scope.locals.length === 0) return value;
  const { start, end } = value;
  const statement = isVoid(value.type)
    ? ({ kind: "expressionStatement", expression: value, start, end } as const)
    : ({ kind: "return", expression: value, start, end } as const);
  return { kind: "block", locals: scope.locals, functions: [], statements: [statement], start, end };
}

/** Expressions that C# also takes as statements. */
const STATEMENTS = new Set([
  "call",
  "invoke",
  "assign",
  "update",
  "throw",
  "conditionalAccess",
  "sequence",
  "error",
]);

/** The lambda as a delegate; null when the type is none or does not fit. */
export function convertLambda(b: Binder, lambda: PendingLambda, to: Type): BoundExpression | null {
  const signature = delegateSignature(to);
  if (signature === null || !converts(b, lambda, to)) return null;
  const body = lambdaBody(b, lambda, signature.parameters);
  b.diagnostics.push(...body.diagnostics);
  const { returns } = signature;
  body.finish((result) =>
    b.within(new Scope(null, body.function), () =>
      isVoid(returns) ? discarded(b, result) : convert(b, result, returns),
    ),
  );
  (body.function as { returnType: Type }).returnType = returns;
  return { kind: "lambda", function: body.function, type: to, start: lambda.start, end: lambda.end };
}

/** The value of an expression lambda that becomes an Action. */
function discarded(b: Binder, result: Bound): BoundExpression {
  return result.type === null ? convert(b, result, VOID) : result;
}

// ── Method groups ───────────────────────────────────────────────────────────────────────────────────────────────────

type Group = PendingMethods | PendingLocalFunction;

function argumentsOf(group: Group, types: readonly Type[]): BoundArgument[] {
  return types.map((type) => ({
    bound: { kind: "error", type, start: group.start, end: group.end },
    name: null,
    isOut: false,
    outType: null,
    node: group,
  }));
}

function chosen(b: Binder, group: Group, types: readonly Type[]) {
  if (group.kind === "pendingLocalFunction") {
    const found = resolve(b, [localCandidate(group.local)], argumentsOf(group, types), null);
    return found.kind === "found" ? found.best : null;
  }
  const found = resolve(b, group.candidates, argumentsOf(group, types), group.typeArguments);
  if (found.kind === "found") return found.best;
  if (group.receiver === null || group.extensions.length === 0) return null;
  const withReceiver = resolve(
    b,
    group.extensions,
    argumentsOf(group, [group.receiver.type, ...types]),
    group.typeArguments,
  );
  return withReceiver.kind === "found" ? withReceiver.best : null;
}

/** What the method that takes these types returns; null when there is none. */
export function methodGroupReturn(b: Binder, group: PendingMethods, types: readonly Type[]): Type | null {
  return chosen(b, group, types)?.returns ?? null;
}

/** Whether a delegate of this type can be made of the group. Results may differ by a reference conversion only. */
export function methodGroupFits(b: Binder, group: Group, to: Type): boolean {
  const signature = delegateSignature(to);
  if (signature === null) return false;
  const best = chosen(b, group, signature.parameters);
  if (best === null) return false;
  if (isVoid(signature.returns) || isVoid(best.returns))
    return isVoid(signature.returns) && isVoid(best.returns);
  if (sameType(best.returns, signature.returns)) return true;
  const plan = implicitConversion(best.returns, signature.returns);
  return plan !== null && isReferenceType(best.returns) && isReferenceType(signature.returns);
}

/** A method group becomes a lambda that calls the method; its receiver is evaluated once, before. */
export function convertMethodGroup(b: Binder, group: Group, to: Type): BoundExpression | null {
  const signature = delegateSignature(to);
  if (signature === null || !methodGroupFits(b, group, to)) return null;
  const best = chosen(b, group, signature.parameters)!;
  const span = { start: group.start, end: group.end };
  const steps: BoundExpression[] = [];
  let held: LocalSymbol | null = null;
  if (group.kind === "pendingMethods" && group.receiver !== null) {
    held = b.temp(group.receiver.type, span);
    steps.push(assignTemp(b, held, group.receiver));
  }
  const fn = newFunction(b.function, signature.returns);
  const parameters = signature.parameters.map((type, i) => newSymbol(fn, "parameter", `<${i}>`, type, span));
  fn.parameters.push(...parameters);
  b.within(new Scope(b.scope, fn), () => {
    const values = parameters.map((symbol) => b.read(symbol, span));
    const receiver = held === null ? null : b.read(held, span);
    const all = best.candidate.isExtension && receiver !== null ? [receiver, ...values] : values;
    const args = bindArgumentsAs(all);
    const target =
      group.kind === "pendingLocalFunction"
        ? b.read(group.local.symbol, span)
        : best.candidate.isExtension
          ? null
          : receiver;
    const call = finishCall(b, best, args, target, span);
    fn.body = isVoid(signature.returns) ? call : convert(b, call, signature.returns);
  });
  return sequence(steps, { kind: "lambda", function: fn, type: to, ...span }, span);
}
