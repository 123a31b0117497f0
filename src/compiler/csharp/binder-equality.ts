/** `==` and `!=` of references, against null, and of tuples. */
import { type NamedType, type Type, displayName, isValueType } from "../runtime/type.ts";
import { isNullConstant } from "./binder-nodes.ts";
import { binaryOperator, operation } from "./binder-operators.ts";
import { admitsNull, isObject, isReferenceType, isString, isTupleType, known } from "./binder-types.ts";
import { type Binder, assignTemp, constantNode, sequence } from "./binder.ts";
import type { BoundExpression, BoundOperator, OperandKind } from "./bound.ts";
import { explicitConversion } from "./conversions.ts";
import type { Span } from "./tree.ts";

export function compareNull(
  b: Binder,
  operator: BoundOperator,
  left: BoundExpression,
  right: BoundExpression,
  span: Span,
): BoundExpression | null {
  const value = isNullConstant(right) ? left : right;
  const negated = operator === "!=";
  if (isNullConstant(value)) return constantNode(!negated, known.bool(), span);
  if (value.kind === "constant" && isString(value.type)) return constantNode(negated, known.bool(), span);
  if (!admitsNull(value.type)) {
    if (value.type.kind !== "named" || !isValueType(value.type)) return null;
    b.report("HG3184", span, { value: negated ? "true" : "false", type: displayName(value.type) });
  }
  return { kind: "isNull", operand: value, negated, type: known.bool(), start: span.start, end: span.end };
}

export function referenceEquality(
  b: Binder,
  operator: "==" | "!=",
  left: BoundExpression,
  right: BoundExpression,
  span: Span,
): BoundExpression | null {
  const { type: x } = left;
  const { type: y } = right;
  if (!isReferenceType(x) || !isReferenceType(y)) return null;
  const make = (kind: OperandKind): BoundExpression => ({
    kind: "binary",
    operator,
    operandKind: kind,
    left,
    right,
    checked: false,
    lifted: false,
    type: known.bool(),
    start: span.start,
    end: span.end,
  });
  const nullish = (type: Type): boolean => type.kind === "null";
  if ((isString(x) || nullish(x)) && (isString(y) || nullish(y)))
    return operation(b, operator, "string", left, right, known.string(), span);
  if ((isObject(x) && isString(y)) || (isString(x) && isObject(y))) {
    b.report("HG3181", span);
    return make("object");
  }
  const related = standardReference(x, y) || standardReference(y, x);
  if (!related) return null;
  return make(mayBeBox(x) || mayBeBox(y) ? "object" : "reference");
}

function standardReference(from: Type, to: Type): boolean {
  const kind = explicitConversion(from, to)?.kind;
  return kind === "identity" || kind === "upcast" || kind === "downcast";
}

const mayBeBox = (type: Type): boolean =>
  isObject(type) ||
  (type.kind === "named" &&
    (type.definition.kind === "interface" || type.definition.fullName === "System.ValueType"));

/** `(a, b) == (c, d)` compares element by element, each side evaluated once. */
export function tupleEquality(
  b: Binder,
  operator: "==" | "!=",
  left: BoundExpression,
  right: BoundExpression,
  span: Span,
): BoundExpression | null {
  const x = left.type as NamedType;
  const y = right.type as NamedType;
  if (x.args.length !== y.args.length || !isTupleType(x) || !isTupleType(y)) return null;
  const t1 = b.temp(x, span);
  const t2 = b.temp(y, span);
  const at = { start: span.start, end: span.end };
  const item = (temp: typeof t1, type: NamedType, index: number): BoundExpression => ({
    kind: "tupleItem",
    tuple: b.read(temp, span),
    index,
    type: type.args[index]!,
    ...at,
  });
  let result: BoundExpression | null = null;
  for (let i = 0; i < x.args.length; i++) {
    const one = binaryOperator(b, operator, item(t1, x, i), item(t2, y, i), span);
    result =
      result === null
        ? one
        : {
            kind: "logical",
            operator: operator === "==" ? "&&" : "||",
            left: result,
            right: one,
            type: known.bool(),
            ...at,
          };
  }
  return sequence([assignTemp(b, t1, left), assignTemp(b, t2, right)], result!, span);
}
