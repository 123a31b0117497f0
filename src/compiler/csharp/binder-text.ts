/** String concatenation, and `??`. */
import { type Type, underlyingOfNullable } from "../runtime/type.ts";
import { asValue, convert } from "./binder-convert.ts";
import { converts } from "./binder-converts.ts";
import { bindExpression } from "./binder-expressions.ts";
import { isNullConstant } from "./binder-nodes.ts";
import { typeText } from "./binder-operators.ts";
import { admitsNull, isError, isString, known } from "./binder-types.ts";
import type { Bound } from "./binder-untyped.ts";
import { type Binder, constantNode, errorNode } from "./binder.ts";
import type { BoundExpression } from "./bound.ts";
import { implicitConversion } from "./conversions.ts";
import type { BinaryExpression, Span } from "./tree.ts";

// ── Concatenation ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Joins texts; concatenations inside are flattened when `flatten`, neighbouring constants put together. */
export function concatenation(
  values: readonly BoundExpression[],
  span: Span,
  flatten: boolean,
): BoundExpression {
  const parts: BoundExpression[] = [];
  const add = (part: BoundExpression): void => {
    const last = parts.at(-1);
    const text = constantText(part);
    const before = last === undefined ? null : constantText(last);
    if (text !== null && before !== null)
      parts[parts.length - 1] = constantNode(before + text, known.string(), span);
    else if (text !== "") parts.push(text === null ? part : constantNode(text, known.string(), part));
  };
  for (const [i, value] of values.entries()) {
    if (!flatten || value.kind !== "concat") add(value);
    else if (i === 0) parts.push(...value.parts);
    else value.parts.forEach(add);
  }
  if (parts.length === 0) return constantNode("", known.string(), span);
  const only = parts[0]!;
  if (parts.length === 1 && constantText(only) !== null) return { ...only, start: span.start, end: span.end };
  return { kind: "concat", parts, type: known.string(), start: span.start, end: span.end };
}

function constantText(node: BoundExpression): string | null {
  if (node.kind !== "constant") return null;
  if (node.value === null) return "";
  return isString(node.type) ? (node.value as string) : null;
}

// ── `??` ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export function bindCoalesce(b: Binder, node: BinaryExpression): BoundExpression {
  const leftBound = bindExpression(b, node.left);
  const rightBound = bindExpression(b, node.right);
  return coalesce(b, leftBound, rightBound, node);
}

export function coalesce(b: Binder, leftBound: Bound, rightBound: Bound, span: Span): BoundExpression {
  const left = asValue(b, leftBound);
  if (isError(left.type)) return { ...errorNode(span), type: rightBound.type ?? left.type };
  if (isNullConstant(left) && left.type.kind === "null") return asValue(b, rightBound);
  if (!admitsNull(left.type)) {
    const right = asValue(b, rightBound);
    if (isError(right.type)) return errorNode(span);
    return b.fail(
      "HG3108",
      span,
      { operator: "??", left: typeText(left.type), right: typeText(right.type) },
      `\`${typeText(left.type)}\` is never null`,
    );
  }
  const inner = underlyingOfNullable(left.type);
  const at = { start: span.start, end: span.end };
  const plain = (type: Type): BoundExpression => ({
    kind: "coalesce",
    left,
    temp: null,
    converted: null,
    right: convert(b, rightBound, type),
    type,
    ...at,
  });
  if (inner !== null && converts(b, rightBound, inner)) return plain(inner);
  if (converts(b, rightBound, left.type)) return plain(left.type);
  const right = asValue(b, rightBound);
  if (isError(right.type)) return { ...errorNode(span), type: left.type };
  const source = inner ?? left.type;
  if (implicitConversion(source, right.type) === null) {
    const hint = isString(right.type)
      ? "cast the left side to string, or write `?.ToString()`"
      : `cast one side: \`(${typeText(left.type)})…\``;
    return b.fail(
      "HG3108",
      span,
      { operator: "??", left: typeText(left.type), right: typeText(right.type) },
      hint,
    );
  }
  const temp = b.temp(source, left);
  const converted = convert(b, b.read(temp, left), right.type);
  return { kind: "coalesce", left, temp, converted, right, type: right.type, ...at };
}
