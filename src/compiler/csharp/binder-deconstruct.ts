/** Taking tuples and pairs apart: `var (a, b) = …`, `foreach (var (k, v) in …)`. */
import { type NamedType, type Type, displayName, substitute, bindings } from "../runtime/type.ts";
import { type Target, assignment, bindTarget } from "./binder-assign.ts";
import { asValue, convert } from "./binder-convert.ts";
import { naturalType } from "./binder-converts.ts";
import { bindExpression } from "./binder-expressions.ts";
import { findMembers } from "./binder-members.ts";
import { codeOf } from "./binder-nodes.ts";
import { bindTypeNode } from "./binder-type-names.ts";
import { isError, isTupleType, known } from "./binder-types.ts";
import type { Bound } from "./binder-untyped.ts";
import { type Binder, assignTemp, constantNode, sequence } from "./binder.ts";
import type { BoundExpression } from "./bound.ts";
import type { AssignmentExpression, Designation, Expression, Span, TypeNode } from "./tree.ts";

/** Where an element of the right side goes: places to fill, or deeper. */
type Shape =
  | {
      readonly kind: "leaf";
      readonly place: (type: Type) => Target | null;
      readonly type: Type | null;
      readonly span: Span;
    }
  | { readonly kind: "group"; readonly parts: readonly Shape[]; readonly span: Span };

export function bindDeconstruction(b: Binder, node: AssignmentExpression): BoundExpression {
  const value = bindExpression(b, node.value);
  const shape = shapeOf(b, node.target);
  const steps: BoundExpression[] = [];
  const later: BoundExpression[] = [];
  deconstruct(b, shape, value, steps, later, node);
  const result = constantNode(null, known.object(), node);
  return sequence([...steps, ...later], result, node);
}

/** Steps that take `value` apart into the target of a foreach or assignment. */
export function deconstructInto(b: Binder, target: Expression, value: Bound, span: Span): BoundExpression[] {
  const steps: BoundExpression[] = [];
  const later: BoundExpression[] = [];
  deconstruct(b, shapeOf(b, target), value, steps, later, span);
  return [...steps, ...later];
}

function shapeOf(b: Binder, node: Expression): Shape {
  if (node.kind === "tuple")
    return { kind: "group", parts: node.elements.map((e) => shapeOf(b, e.expression)), span: node };
  if (node.kind === "declaration") return designated(b, node.designation, node.type);
  const place = bindTarget(b, node, "assign");
  return { kind: "leaf", place: () => place, type: place?.type ?? null, span: node };
}

function designated(b: Binder, designation: Designation, type: TypeNode): Shape {
  if (designation.kind === "tupleDesignation") {
    return {
      kind: "group",
      parts: designation.elements.map((element) => designated(b, element, type)),
      span: designation,
    };
  }
  const written = type.kind === "varType" ? null : bindTypeNode(b, type);
  if (designation.kind === "discardDesignation")
    return {
      kind: "leaf",
      place: () => ({ target: { kind: "discard" }, type: null }),
      type: written,
      span: designation,
    };
  const { name } = designation;
  return {
    kind: "leaf",
    type: written,
    span: designation,
    place: (given) => {
      const symbol = b.declare("local", name, written ?? given, designation);
      return { target: { kind: "local", symbol, slot: symbol.slot }, type: symbol.type };
    },
  };
}

/** First all values are read (`steps`), then all places written (`later`), so that `(a, b) = (b, a)` swaps. */
function deconstruct(
  b: Binder,
  shape: Shape,
  value: Bound,
  steps: BoundExpression[],
  later: BoundExpression[],
  span: Span,
): void {
  if (shape.kind === "leaf") {
    const type = shape.type ?? naturalType(b, value);
    if (type === null || type.kind === "null") {
      asValue(b, value);
      if (type !== null) b.report("HG3128", shape.span, { what: "null" });
      return;
    }
    const ready = convert(b, value, type);
    const temp = b.temp(type, shape.span);
    steps.push(assignTemp(b, temp, ready));
    const place = shape.place(type);
    if (place !== null) later.push(assignment(b, place.target, b.read(temp, shape.span), span));
    return;
  }
  const parts = partsOf(b, value, shape.parts.length, steps, span);
  if (parts === null) return;
  if (parts.length !== shape.parts.length) {
    b.report("HG3158", span, { left: shape.parts.length, right: parts.length });
    return;
  }
  shape.parts.forEach((part, i) => deconstruct(b, part, parts[i]!, steps, later, span));
}

/** The elements of a value that can be taken apart; null when it cannot (reported). */
function partsOf(
  b: Binder,
  value: Bound,
  count: number,
  steps: BoundExpression[],
  span: Span,
): readonly Bound[] | null {
  if (value.kind === "pendingTuple") return value.elements;
  const node = asValue(b, value);
  if (isError(node.type)) return null;
  const temp = b.temp(node.type, span);
  steps.push(assignTemp(b, temp, node));
  const at = { start: span.start, end: span.end };
  const { type } = node;
  if (isTupleType(type)) {
    return type.args.map(
      (arg, index) =>
        ({ kind: "tupleItem", tuple: b.read(temp, span), index, type: arg, ...at }) as BoundExpression,
    );
  }
  const pair = type.kind === "named" && type.definition.shortName === "KeyValuePair" && count === 2;
  if (pair)
    return ["Key", "Value"].map((name) => pairPart(b, b.read(temp, span), type as NamedType, name, span));
  b.report("HG3158", span, { left: count, right: displayName(type) });
  return null;
}

function pairPart(
  b: Binder,
  receiver: BoundExpression,
  type: NamedType,
  name: string,
  span: Span,
): BoundExpression {
  const { member, declaring } = findMembers(type, name)[0]!;
  return {
    kind: "call",
    member,
    typeArguments: declaring.args,
    code: codeOf(member, declaring.args),
    receiver,
    checkReceiver: false,
    arguments: [],
    order: null,
    type: substitute(member.returns, bindings(declaring)),
    start: span.start,
    end: span.end,
  };
}
