/** Calls: of methods, extension methods, local functions and delegates; and the arguments of everything that takes some. */
import { type Parameter, type Type, displayName, underlyingOfNullable } from "../runtime/type.ts";
import { enumValue } from "../runtime/values.ts";
import { suggest } from "../../base/suggest.ts";
import { type Binder, constantNode, errorNode, retype } from "./binder.ts";
import { bindTarget } from "./binder-assign.ts";
import { asValue, convert } from "./binder-convert.ts";
import { bindExpression, bindTypeof } from "./binder-expressions.ts";
import { lambdaBody } from "./binder-lambda.ts";
import { bindMember, findMembers, useMember } from "./binder-members.ts";
import { defaultNode, memberCall } from "./binder-nodes.ts";
import { bindTypeNode } from "./binder-type-names.ts";
import { delegateSignature, invokeMember, isEnum, isError, isVoid, numericKind } from "./binder-types.ts";
import { type Bound, type LocalFunction, type PendingMethods, isTyped } from "./binder-untyped.ts";
import type { BoundExpression, BoundTarget } from "./bound.ts";
import {
  type Applicable,
  type BoundArgument,
  type CandidateMethod,
  type Failure,
  type Resolution,
  formType,
  resolve,
  signatureText,
} from "./overloads.ts";
import type { Argument, CallExpression, Span } from "./tree.ts";
import { decimalFromInteger } from "../runtime/library/decimal-arithmetic.ts";

// ── Arguments ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** An argument as written; `out` targets are bound when the parameter is known. */
interface WrittenArgument extends BoundArgument {
  readonly node: Argument;
}

export function bindArguments(b: Binder, nodes: readonly Argument[]): WrittenArgument[] {
  const names = new Set<string>();
  return nodes.map((node) => {
    if (node.name !== null && names.has(node.name)) b.report("HG3159", node, { name: node.name });
    if (node.name !== null) names.add(node.name);
    const common = { name: node.name, node };
    if (node.mode !== "out") {
      const { expression } = node;
      const bound = expression.kind === "typeof" ? bindTypeof(b, expression) : bindExpression(b, expression);
      if (bound.kind === "pendingType" || bound.kind === "pendingNamespace")
        return { ...common, bound: asValue(b, bound), isOut: false, outType: null };
      return { ...common, bound, isOut: false, outType: null };
    }
    return { ...common, bound: errorNode(node), isOut: true, outType: outTypeOf(b, node) };
  });
}

/** The type of an `out` argument where it has one of its own. */
function outTypeOf(b: Binder, node: Argument): Type | null {
  const { expression } = node;
  if (expression.kind === "declaration")
    return expression.type.kind === "varType" ? null : bindTypeNode(b, expression.type);
  if (expression.kind === "name" && expression.name === "_" && b.scope.lookup("_") === null) return null;
  return bindTarget(b, expression, "out")?.type ?? null;
}

/** Values that are already there, as arguments by position. */
export function bindArgumentsAs(values: readonly Bound[]): BoundArgument[] {
  return values.map((bound) => ({ bound, name: null, isOut: false, outType: null, node: bound }));
}

/** The `out` target of an argument, declaring its variable when it says `out var x`. */
function outTarget(b: Binder, arg: BoundArgument, type: Type): BoundTarget {
  const node = (arg as WrittenArgument).node.expression;
  if (node === undefined || (node.kind === "name" && node.name === "_" && b.scope.lookup("_") === null))
    return { kind: "discard" };
  if (node.kind === "declaration") {
    if (node.designation.kind !== "singleDesignation") return { kind: "discard" };
    const symbol = b.declare("local", node.designation.name, type, node.designation);
    return { kind: "local", symbol, slot: symbol.slot };
  }
  return b.aside(() => bindTarget(b, node, "out")).result?.target ?? { kind: "discard" };
}

// ── Calls ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export function bindCall(b: Binder, node: CallExpression): BoundExpression {
  const { callee: called } = node;
  const callee =
    called.kind === "member"
      ? bindMember(b, bindExpression(b, called.target), called, true)
      : bindExpression(b, called);
  const args = bindArguments(b, node.arguments);
  switch (callee.kind) {
    case "error":
      return errorNode(node);
    case "pendingMethods":
      return callMethods(b, callee, args, node);
    case "pendingLocalFunction": {
      const candidate = localCandidate(callee.local);
      const found = resolve(b, [candidate], args, null);
      const target = b.read(callee.local.symbol, node.callee);
      return found.kind === "found"
        ? finishCall(b, found.best, args, target, node)
        : failedCall(b, found, [candidate], args, node.callee, node);
    }
    case "pendingType":
      return b.fail("HG3114", node.callee, {}, `write \`new ${displayName(callee.named)}(…)\``);
    case "pendingNamespace":
      return errorOf(asValue(b, callee), node);
    default: {
      const target = asValue(b, callee);
      if (isError(target.type)) return errorNode(node);
      return callDelegate(b, target, args, node);
    }
  }
}

const errorOf = (_: BoundExpression, span: Span): BoundExpression => errorNode(span);

export function callMethods(
  b: Binder,
  group: PendingMethods,
  args: readonly BoundArgument[],
  node: Span,
): BoundExpression {
  const span = { start: group.nameStart, end: group.nameEnd };
  const own = resolve(b, group.candidates, args, group.typeArguments);
  if (own.kind === "found") return finishCall(b, own.best, args, group.receiver, node);
  if (group.receiver !== null && group.extensions.length > 0 && own.kind !== "ambiguous") {
    const receiver: BoundArgument = { ...bindArgumentsAs([group.receiver])[0]!, isReceiver: true };
    const all = [receiver, ...args];
    const extended = resolve(b, group.extensions, all, group.typeArguments);
    if (extended.kind === "found") return finishCall(b, extended.best, all, null, node);
    if (group.candidates.length === 0) return failedExtension(b, group, extended, all, span, node);
  }
  return failedCall(b, own, group.candidates, args, span, node);
}

function failedExtension(
  b: Binder,
  group: PendingMethods,
  found: Resolution,
  args: readonly BoundArgument[],
  span: Span,
  node: Span,
): BoundExpression {
  // If no extension takes this receiver at all, the type simply has no such member.
  const receiver = args.slice(0, 1);
  const fitting = group.extensions.filter((candidate) => {
    const first: CandidateMethod = { ...candidate, parameters: candidate.parameters.slice(0, 1) };
    const tried = resolve(b, [{ ...first, typeParameters: [] }], receiver, null);
    return tried.kind === "found" || candidate.typeParameters.length > 0;
  });
  const type = group.owner;
  const enumerable = found.kind === "none" && found.failure.kind === "types" && found.failure.argument === 0;
  if (fitting.length === 0 || enumerable) {
    const hint =
      type.kind === "named" && type.definition.fullName === "System.Object"
        ? "cast the value to its real type first, for example `((JArray)value)`"
        : null;
    return b.fail("HG3104", span, { type: displayName(type), member: group.name }, hint);
  }
  return failedCall(b, found, fitting, args, span, node, 1);
}

function callDelegate(
  b: Binder,
  target: BoundExpression,
  args: readonly BoundArgument[],
  node: CallExpression,
): BoundExpression {
  const signature = delegateSignature(target.type);
  if (signature === null || target.type.kind !== "named") {
    const indexed = findMembers(target.type, "this[]").length > 0 || target.type.kind === "array";
    return b.fail(
      "HG3114",
      node.callee,
      {},
      node.arguments.length === 0
        ? "remove the brackets"
        : indexed
          ? "an element stands in square brackets: `[…]`"
          : null,
    );
  }
  const names = invokeMember(target.type)?.parameters ?? [];
  const candidate: CandidateMethod = {
    name: "delegate",
    member: null,
    declaring: null,
    typeParameters: [],
    parameters: signature.parameters.map((type, i) => ({
      name: names[i]?.name ?? "",
      type,
      mode: "value",
      isOptional: false,
    })),
    returns: signature.returns,
    isStatic: false,
    isExtension: false,
  };
  const found = resolve(b, [candidate], args, null);
  return found.kind === "found"
    ? finishCall(b, found.best, args, target, node)
    : failedCall(b, found, [candidate], args, node.callee, node);
}

export function localCandidate(local: LocalFunction): CandidateMethod {
  return {
    name: local.name,
    member: null,
    declaring: null,
    typeParameters: [],
    parameters: local.parameters.map((p) => ({
      name: p.name,
      type: p.type,
      mode: p.mode,
      isOptional: p.optional !== undefined,
    })),
    returns: local.returnType,
    isStatic: false,
    isExtension: false,
    defaults: local.parameters.map((p) => p.optional?.value ?? null),
  };
}

/** The call of what resolution chose. `target` is the receiver, or the function value for delegates. */
export function finishCall(
  b: Binder,
  best: Applicable,
  args: readonly BoundArgument[],
  target: BoundExpression | null,
  span: Span,
): BoundExpression {
  const { member, declaring } = best.candidate;
  const values = orderedArguments(b, best, args, span);
  const order = evaluationOrder(best);
  if (member === null) {
    return {
      kind: "invoke",
      target: target!,
      arguments: values,
      order,
      type: best.returns,
      start: span.start,
      end: span.end,
    };
  }
  const typeArguments = [...(declaring?.args ?? []), ...best.typeArguments];
  useMember(b, member, typeArguments, values, span);
  return memberCall(
    member,
    typeArguments,
    member.isStatic ? null : target,
    values,
    best.returns,
    span,
    order,
  );
}

/** Arguments in the order of the parameters: converted, defaults filled in, `params` packed. */
export function orderedArguments(
  b: Binder,
  best: Applicable,
  args: readonly BoundArgument[],
  span: Span,
): BoundExpression[] {
  const { candidate, parameterTypes, expanded, slots } = best;
  const last = candidate.parameters.length - 1;
  const values: (BoundExpression | undefined)[] = [];
  const packed: BoundExpression[] = [];
  for (const [i, arg] of args.entries()) {
    const slot = slots[i]!;
    const wanted = formType(candidate, parameterTypes, slot, expanded);
    const value: BoundExpression = arg.isOut
      ? {
          kind: "out",
          target: outTarget(b, arg, wanted),
          type: wanted,
          start: arg.node.start,
          end: arg.node.end,
        }
      : convert(b, arg.bound, wanted);
    if (expanded && slot === last) packed.push(value);
    else values[slot] = value;
  }
  if (expanded) values[last] = arrayNode(parameterTypes[last]!, packed, span);
  return candidate.parameters.map((_, i) => values[i] ?? omitted(candidate, i, parameterTypes[i]!, span));
}

export function arrayNode(type: Type, elements: readonly BoundExpression[], span: Span): BoundExpression {
  const elementType = type.kind === "array" ? type.element : type;
  return { kind: "newArray", elementType, size: null, elements, type, start: span.start, end: span.end };
}

function omitted(candidate: CandidateMethod, index: number, type: Type, span: Span): BoundExpression {
  const local = candidate.defaults?.[index];
  if (local !== undefined && local !== null) return local;
  const optional = candidate.member?.parameters[index]?.optional;
  return optional === undefined ? defaultNode(type, span) : optionalValue(optional, type, span);
}

/** A default written in a library signature, as a value of the parameter's type. */
function optionalValue(
  optional: NonNullable<Parameter["optional"]>,
  type: Type,
  span: Span,
): BoundExpression {
  const { value } = optional;
  const inner = underlyingOfNullable(type) ?? type;
  if (value === undefined || value === null) return defaultNode(type, span);
  const kind = numericKind(inner);
  if (typeof value === "number") {
    if (kind === "long" || kind === "ulong") return constantNode(BigInt(value), type, span);
    if (kind === "decimal") return constantNode(decimalFromInteger(value), type, span);
    if (isEnum(inner)) return constantNode(enumValue(inner.definition, value), type, span);
  }
  return retype(constantNode(value, type, span), type);
}

/** Null when arguments are written in the order of the parameters. */
export function evaluationOrder(best: Applicable): readonly number[] | null {
  const { slots, candidate, expanded } = best;
  const last = candidate.parameters.length - 1;
  if (slots.every((slot, i) => i === 0 || slot > slots[i - 1]! || (expanded && slot === last))) return null;
  const order = [...new Set(slots)];
  for (let i = 0; i <= last; i++) if (!order.includes(i)) order.push(i);
  return order;
}

// ── Failures ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Says why nothing fits, with the signatures there are. `skip` arguments (receivers) are not the author's. */
export function failedCall(
  b: Binder,
  found: Resolution,
  candidates: readonly CandidateMethod[],
  args: readonly BoundArgument[],
  span: Span,
  node: Span,
  skip = 0,
): BoundExpression {
  const returns = commonReturn(candidates);
  const result = (): BoundExpression => ({ ...errorNode(node), type: returns ?? errorNode(node).type });
  if (found.kind === "found") return result();
  if (args.some((arg) => isTyped(arg.bound) && isError(arg.bound.type) && !arg.isOut)) return result();
  for (const arg of args) {
    if (!isTyped(arg.bound) && arg.bound.kind === "pendingConditional") asValueQuietly(b, arg.bound);
  }
  const name = candidates[0]?.name === "this[]" ? "this element" : (candidates[0]?.name ?? "this");
  if (found.kind === "ambiguous") {
    b.report("HG3112", span, { member: name });
    return result();
  }
  if (reportLambdaErrors(b, found.failure, args)) return result();
  reportFailure(b, found.failure, candidates, args, span, name, skip);
  return result();
}

function asValueQuietly(b: Binder, bound: Bound): void {
  b.aside(() => asValue(b, bound));
}

function commonReturn(candidates: readonly CandidateMethod[]): Type | null {
  const first = candidates[0]?.returns;
  if (first === undefined || isVoid(first) || first.kind === "parameter") return null;
  return candidates.every((c) => c.returns === first && c.typeParameters.length === 0) ? first : null;
}

/** A lambda that does not compile is worth more words than the call it stands in. */
function reportLambdaErrors(b: Binder, failure: Failure, args: readonly BoundArgument[]): boolean {
  const only = failure.kind === "types" ? [args[failure.argument]!] : args;
  for (const { bound } of only) {
    if (bound.kind !== "pendingLambda") continue;
    if (failure.kind === "types" && bound.bodies.length === 0) {
      const signature = delegateSignature(failure.wanted);
      if (signature !== null && signature.parameters.length === bound.parameters.length)
        lambdaBody(b, bound, signature.parameters);
    }
    const bad = bound.bodies.map(({ body }) => body.diagnostics.filter((d) => d.severity === "error"));
    if (bad.length > 0 && bad.every((list) => list.length > 0)) {
      b.diagnostics.push(...bad[0]!);
      return true;
    }
  }
  return false;
}

function reportFailure(
  b: Binder,
  failure: Failure,
  candidates: readonly CandidateMethod[],
  args: readonly BoundArgument[],
  span: Span,
  name: string,
  skip: number,
): void {
  const signatures = signaturesHint(nearest(candidates, args.length));
  switch (failure.kind) {
    case "count":
      b.report("HG3111", span, { member: name, count: args.length - skip }, signatures);
      return;
    case "name": {
      const names = candidates.flatMap((c) => c.parameters.map((p) => p.name));
      const best = suggest(failure.name, names);
      b.report(
        "HG3137",
        args[failure.argument]!.node,
        { member: name, name: failure.name },
        best === null ? signatures : `did you mean \`${best}\`?`,
      );
      return;
    }
    case "out":
      b.report(
        "HG3136",
        args[failure.argument]!.node,
        { number: failure.argument + 1 - skip, mode: failure.wantsOut ? "out" : "no `out`" },
        signatures,
      );
      return;
    case "inference":
      b.report("HG3113", span, { member: name });
      return;
    case "types": {
      const arg = args[failure.argument]!;
      // With a single candidate, or inside a lambda, the conversion that fails says it best.
      if ((candidates.length === 1 || arg.bound.kind === "pendingLambda") && !arg.isOut) {
        const { diagnostics } = b.aside(() => convert(b, arg.bound, failure.wanted));
        const first = diagnostics.find((d) => d.severity === "error");
        if (first !== undefined) {
          b.diagnostics.push(
            first.hint === undefined && signatures !== null ? { ...first, hint: signatures } : first,
          );
          return;
        }
      }
      const types = args
        .slice(skip)
        .map((a) => argumentText(a))
        .join(", ");
      b.report(
        "HG3110",
        arg.isOut || skip > failure.argument ? span : arg.bound,
        { member: name, arguments: types },
        signatures,
      );
    }
  }
}

function argumentText(arg: BoundArgument): string {
  if (arg.isOut) return arg.outType === null ? "out var" : `out ${displayName(arg.outType)}`;
  const { bound } = arg;
  if (isTyped(bound)) return bound.type.kind === "null" ? "null" : displayName(bound.type);
  switch (bound.kind) {
    case "pendingLambda":
      return "lambda";
    case "pendingMethods":
      return `method ${bound.name}`;
    case "pendingTuple":
      return "tuple";
    default:
      return "…";
  }
}

/** Those that take this number of arguments first. */
function nearest(candidates: readonly CandidateMethod[], count: number): readonly CandidateMethod[] {
  const distance = (candidate: CandidateMethod): number => Math.abs(candidate.parameters.length - count);
  return [...candidates].sort((a, b) => distance(a) - distance(b));
}

export function signaturesHint(candidates: readonly CandidateMethod[]): string | null {
  if (candidates.length === 0) return null;
  const shown = [...new Set(candidates.map(signatureText))];
  const more = shown.length > 4 ? `, and ${shown.length - 4} more` : "";
  return `available: ${shown
    .slice(0, 4)
    .map((s) => `\`${s}\``)
    .join(", ")}${more}`;
}
