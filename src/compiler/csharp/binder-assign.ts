/** Assignments: plain, compound, `++`, `??=` and deconstruction; and what can stand on their left side. */
import { type Type, displayName, substitute, bindings } from "../runtime/type.ts";
import { asValue, cast, convert } from "./binder-convert.ts";
import { converts, naturalType } from "./binder-converts.ts";
import { bindDeconstruction } from "./binder-deconstruct.ts";
import { bindExpression } from "./binder-expressions.ts";
import { findIndexer } from "./binder-indexers.ts";
import { type FoundMember, findMembers, readsContext, writableCode } from "./binder-members.ts";
import { codeOf, receiverFor } from "./binder-nodes.ts";
import { binaryOperator } from "./binder-operators.ts";
import { slotIn } from "./binder-scope.ts";
import {
  ERROR_TYPE,
  isEnum,
  isError,
  isTupleType,
  isVoid,
  known,
  numericKind,
  unwrapped,
} from "./binder-types.ts";
import { unknownMember } from "./binder-unknown-members.ts";
import type { Bound } from "./binder-untyped.ts";
import { type Binder, constantNode, errorNode } from "./binder.ts";
import type {
  BoundExpression,
  BoundOperator,
  BoundTarget,
  ElementTarget,
  LocalTarget,
  MemberTarget,
} from "./bound.ts";
import { explicitConversion } from "./conversions.ts";
import type { AssignmentExpression, Expression, PostfixExpression, Span, UnaryExpression } from "./tree.ts";

export interface Target {
  readonly target: BoundTarget;
  /** Null for discards, which take the value's. */
  readonly type: Type | null;
}

type Writable = { readonly target: LocalTarget | MemberTarget | ElementTarget; readonly type: Type };

/** The place on the left of an assignment or behind `out`; null when it is none (reported). */
export function bindTarget(b: Binder, node: Expression, purpose: "assign" | "out" | "update"): Target | null {
  switch (node.kind) {
    case "paren":
      return bindTarget(b, node.expression, purpose);
    case "name":
      return nameTarget(b, node.name, node, purpose);
    case "member":
      return purpose === "out" ? refuse(b, node) : memberTarget(b, node);
    case "element":
      return elementTarget(b, node, purpose);
    case "missing":
      return null;
    default:
      return refuse(b, node);
  }
}

function refuse(b: Binder, node: Expression): null {
  const bound = bindExpression(b, node);
  if (bound.kind !== "error") b.report("HG3119", node, { name: "this" });
  return null;
}

function nameTarget(
  b: Binder,
  name: string,
  node: Expression & { kind: "name" },
  purpose: string,
): Target | null {
  const found = b.scope.lookup(name);
  if (found === null && name === "_" && purpose !== "update")
    return { target: { kind: "discard" }, type: null };
  if (found?.kind === "variable") {
    const { symbol } = found;
    if (symbol.kind === "loop") {
      b.report(
        "HG3119",
        node,
        { name },
        "a foreach variable can only be read: copy it into another variable",
      );
      return null;
    }
    return { target: { kind: "local", symbol, slot: slotIn(b.function, symbol) }, type: symbol.type };
  }
  const bound = bindExpression(b, node);
  if (bound.kind === "error") return null;
  if (bound.kind === "context") b.report("HG3118", node, { member: "context" });
  else
    b.report(
      "HG3119",
      node,
      { name },
      found?.kind === "constant" ? "a constant keeps its value: declare it without `const`" : null,
    );
  return null;
}

function memberTarget(b: Binder, node: Expression & { kind: "member" }): Target | null {
  const span = { start: node.nameStart, end: node.nameEnd };
  const left = bindExpression(b, node.target);
  if (left.kind === "error" || (left.type !== null && isError(left.type))) return null;
  const isType = left.kind === "pendingType";
  const receiver = isType ? null : asValue(b, left);
  const owner = isType ? left.named : receiver!.type;
  const found = findMembers(owner, node.name).find(
    ({ member }) => member.isStatic === isType && member.kind !== "method",
  );
  if (found === undefined) {
    if (isTupleType(owner))
      b.report("HG3148", node, { feature: "assigning to an element of a tuple" }, "make a new tuple");
    else if (findMembers(owner, node.name).length > 0) b.report("HG3119", span, { name: node.name });
    else if (owner.kind === "array" && node.name === "Length") b.report("HG3119", span, { name: "Length" });
    else unknownMember(b, owner, node.name, span, isType);
    return null;
  }
  return propertyTarget(b, found, receiver, [], span);
}

/** A property or indexer as target. */
export function propertyTarget(
  b: Binder,
  found: FoundMember,
  receiver: BoundExpression | null,
  args: readonly BoundExpression[],
  span: Span,
): Writable | null {
  const code = writableCode(b, found, receiver, span);
  if (code === null) return null;
  const { member, declaring } = found;
  return {
    target: {
      kind: "member",
      member,
      code,
      read: codeOf(member, declaring.args),
      receiver: receiver === null ? null : receiverFor(member, receiver),
      checkReceiver: receiver !== null,
      arguments: args,
    },
    type: substitute(member.returns, bindings(declaring)),
  };
}

function elementTarget(b: Binder, node: Expression & { kind: "element" }, purpose: string): Target | null {
  const found = findIndexer(b, node);
  if (found === null) return null;
  if (found.kind === "array") {
    return {
      target: { kind: "element", array: found.array, index: found.index, elementType: found.type },
      type: found.type,
    };
  }
  if (found.kind !== "indexer" || purpose === "out") {
    b.report("HG3119", node, { name: "this element" });
    return null;
  }
  if (readsContext(found.receiver) && found.found.member.implementation.kind !== "accessor") {
    b.report("HG3118", node, { member: memberName(found.receiver) });
    return null;
  }
  return propertyTarget(b, found.found, found.receiver, found.arguments, node);
}

const memberName = (node: BoundExpression): string => (node.kind === "call" ? node.member.name : "context");

// ── Assignment ──────────────────────────────────────────────────────────────────────────────────────────────────────

export function bindAssignment(b: Binder, node: AssignmentExpression): BoundExpression {
  const { operator, target } = node;
  if (operator === "=" && (target.kind === "tuple" || target.kind === "declaration"))
    return bindDeconstruction(b, node);
  const place = bindTarget(b, target, operator === "=" ? "assign" : "update");
  const value = bindExpression(b, node.value);
  if (place === null) {
    asValueQuietly(b, value);
    return errorNode(node);
  }
  if (operator === "=") {
    const type = place.type ?? naturalType(b, value) ?? ERROR_TYPE;
    return assignment(
      b,
      place.target,
      place.type === null ? asValue(b, value) : convert(b, value, type),
      node,
    );
  }
  const writable = place as Writable;
  if (operator === "??=") return coalescing(b, writable, value, node);
  return update(
    b,
    writable,
    (old) => compound(b, operator.slice(0, -1) as BoundOperator, old, value, writable.type, node),
    "new",
    node,
  );
}

function asValueQuietly(b: Binder, value: Bound): void {
  if (value.type === null && value.kind !== "pendingLambda") b.aside(() => asValue(b, value));
}

export function assignment(
  b: Binder,
  target: BoundTarget,
  value: BoundExpression,
  span: Span,
): BoundExpression {
  if (isVoid(value.type))
    return b.fail("HG3134", value, { member: value.kind === "call" ? value.member.name : "this" });
  return {
    kind: "assign",
    target,
    value,
    declares: false,
    type: value.type,
    start: span.start,
    end: span.end,
  };
}

/** `x op y`, brought back to the type of x: by a cast when y alone would fit (C# §12.21.4). */
function compound(
  b: Binder,
  operator: BoundOperator,
  old: BoundExpression,
  value: Bound,
  type: Type,
  span: Span,
): BoundExpression {
  const result = binaryOperator(b, operator, old, value, span);
  if (isError(result.type) || converts(b, result, type)) return convert(b, result, type);
  const isShift = operator === "<<" || operator === ">>";
  if (explicitConversion(result.type, type) !== null && (isShift || converts(b, value, type)))
    return cast(b, result, type, span);
  return convert(b, result, type);
}

function update(
  b: Binder,
  { target, type }: Writable,
  compute: (old: BoundExpression) => BoundExpression,
  result: "old" | "new",
  span: Span,
): BoundExpression {
  const old = b.temp(type, span);
  const value = compute(b.read(old, span));
  return {
    kind: "update",
    target,
    old,
    value,
    result,
    whenNull: false,
    type,
    start: span.start,
    end: span.end,
  };
}

function coalescing(b: Binder, { target, type }: Writable, value: Bound, span: Span): BoundExpression {
  const old = b.temp(type, span);
  return {
    kind: "update",
    target,
    old,
    value: convert(b, value, type),
    result: "new",
    whenNull: true,
    type,
    start: span.start,
    end: span.end,
  };
}

/** `++` and `--`. */
export function bindStep(
  b: Binder,
  node: UnaryExpression | PostfixExpression,
  result: "old" | "new",
): BoundExpression {
  const place = bindTarget(b, node.operand, "update");
  if (place === null || place.type === null) return errorNode(node);
  const { type } = place;
  const inner = unwrapped(type);
  if (numericKind(inner) === null && !isEnum(inner)) {
    if (isError(type)) return errorNode(node);
    return b.fail("HG3109", node, { operator: node.operator, operand: displayName(type) });
  }
  const operator = node.operator === "++" ? "+" : "-";
  const one = constantNode(1, known.int(), node);
  return update(
    b,
    place as Writable,
    (old) => {
      const changed = binaryOperator(b, operator, old, one, node);
      return cast(b, changed, type, node);
    },
    result,
    node,
  );
}
