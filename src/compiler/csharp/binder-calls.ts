/** Calls: of methods, extension methods, local functions and delegates; and the arguments of everything that takes some. */
import { type Parameter, type Type, displayName, underlyingOfNullable } from "../runtime/type.ts";
import { enumValue } from "../runtime/values.ts";
import { bindArguments, bindArgumentsAs, outTarget } from "./binder-arguments.ts";
import { failedCall } from "./binder-call-failures.ts";
import { asValue, convert } from "./binder-convert.ts";
import { bindExpression } from "./binder-expressions.ts";
import { bindMember, findMembers, useMember } from "./binder-members.ts";
import { defaultNode, memberCall } from "./binder-nodes.ts";
import { delegateSignature, invokeMember, isEnum, isError, numericKind } from "./binder-types.ts";
import type { LocalFunction, PendingMethods } from "./binder-untyped.ts";
import { type Binder, constantNode, errorNode, retype } from "./binder.ts";
import type { BoundExpression } from "./bound.ts";
import {
  type Applicable,
  type BoundArgument,
  type CandidateMethod,
  type Resolution,
  formType,
  resolve,
} from "./overloads.ts";
import type { CallExpression, Span } from "./tree.ts";
import { decimalFromInteger } from "../runtime/library/decimal-arithmetic.ts";

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
    const { callee } = node;
    return b.fail(
      "HG3114",
      callee.kind === "member" ? { start: callee.nameStart, end: callee.nameEnd } : callee,
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
