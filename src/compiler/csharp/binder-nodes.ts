/** Bound nodes that need more than their parts: calls of members, defaults. */
import { defaultOf } from "../runtime/cast.ts";
import { type Member, type Type, isValueType } from "../runtime/type.ts";
import { isString, known } from "./binder-types.ts";
import { constantNode, convertNode } from "./binder.ts";
import type { BoundCall, BoundExpression, Code } from "./bound.ts";
import type { Span } from "./tree.ts";

/** The code that reads or calls a member, for these type arguments (of the declaring type, then of the method). */
export function codeOf(member: Member, typeArguments: readonly Type[]): Code {
  const { implementation } = member;
  switch (implementation.kind) {
    case "function":
      return implementation.call;
    case "generic":
      return implementation.specialise(typeArguments);
    case "accessor":
      return implementation.get;
    case "constant": {
      const { value } = implementation;
      return () => value;
    }
  }
}

/** The setter, or null when the member can only be read. */
export function setterOf(member: Member): Code | null {
  return member.implementation.kind === "accessor" ? member.implementation.set : null;
}

/**
 * The receiver as the member wants it: structs are boxed for what object and interfaces declare. A struct's own
 * members get the raw value.
 */
export function receiverFor(member: Member, receiver: BoundExpression): BoundExpression {
  const { type } = receiver;
  if (!isValueType(type) || type.kind !== "named" || member.declaring === type.definition) return receiver;
  return convertNode({ kind: "box" }, receiver, known.object());
}

/** Reads a property, calls a method …: receiver and arguments are ready, in parameter order. */
export function memberCall(
  member: Member,
  typeArguments: readonly Type[],
  receiver: BoundExpression | null,
  args: readonly BoundExpression[],
  type: Type,
  span: Span,
  order: readonly number[] | null = null,
): BoundCall {
  return {
    kind: "call",
    member,
    typeArguments,
    code: codeOf(member, typeArguments),
    receiver: receiver === null ? null : receiverFor(member, receiver),
    checkReceiver: receiver !== null && !isValueType(receiver.type),
    arguments: args,
    order,
    type,
    start: span.start,
    end: span.end,
  };
}

/** `default(T)`. */
export function defaultNode(type: Type, span: Span): BoundExpression {
  return constantNode(defaultOf(type), type, span);
}

/** `null` and constant strings: what `+` and `==` treat specially. */
export function isNullConstant(node: BoundExpression): boolean {
  return node.kind === "constant" && node.value === null;
}

export function constantString(node: BoundExpression): string | null {
  return node.kind === "constant" && isString(node.type) ? (node.value as string | null) : null;
}
