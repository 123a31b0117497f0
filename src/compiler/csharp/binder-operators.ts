/** Operators: numeric promotion, string concatenation, equality, user-defined operators, lifting over nullables, folding. */
import { type Type, displayName, underlyingOfNullable } from "../runtime/type.ts";
import { bindArgumentsAs } from "./binder-arguments.ts";
import { finishCall } from "./binder-calls.ts";
import { asValue, convert, foldedNode } from "./binder-convert.ts";
import { converts } from "./binder-converts.ts";
import { compareNull, referenceEquality, tupleEquality } from "./binder-equality.ts";
import { bindExpression, bindValue } from "./binder-expressions.ts";
import { codeOf, isNullConstant } from "./binder-nodes.ts";
import { bindCoalesce, concatenation } from "./binder-text.ts";
import {
  isBool,
  isEnum,
  isError,
  isIntegralKind,
  isObject,
  isReferenceType,
  isString,
  isTupleType,
  isVoid,
  known,
  nullableOf,
  numericKind,
  numericType,
  unwrapped,
} from "./binder-types.ts";
import type { Bound } from "./binder-untyped.ts";
import { operatorCandidates, userBinary } from "./binder-user-operators.ts";
import { type Binder, constantNode, errorNode, retype } from "./binder.ts";
import type { BoundExpression, BoundOperator, NumericKind, OperandKind } from "./bound.ts";
import { fits, foldBinary, foldUnary } from "./constants.ts";
import { explicitConversion } from "./conversions.ts";
import { resolve } from "./overloads.ts";
import type { BinaryExpression, Span, UnaryExpression } from "./tree.ts";

/** A condition: bool, or what converts to it. */
export function toCondition(b: Binder, bound: Bound, span: Span): BoundExpression {
  const node = asValue(b, bound);
  if (isError(node.type)) return { ...errorNode(span), type: known.bool() };
  if (isBool(node.type)) return node;
  if (converts(b, node, known.bool())) return convert(b, node, known.bool());
  return {
    ...b.fail("HG3127", span, { type: typeText(node.type) }, conditionHint(node.type)),
    type: known.bool(),
  };
}

export const typeText = (type: Type): string =>
  type.kind === "null" ? "null" : isVoid(type) ? "void" : displayName(type);

function conditionHint(type: Type): string | null {
  if (isBool(unwrapped(type))) return "write `== true`, or `?? false` behind it";
  if (isString(type)) return 'compare it: `== "true"`, or write `bool.Parse(…)`';
  if (numericKind(type) !== null) return "compare it: `!= 0`";
  if (explicitConversion(type, known.bool()) !== null) return "cast it: `(bool)…`";
  return isReferenceType(type) ? "compare it: `!= null`" : null;
}

// ── Unary ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export function bindUnary(b: Binder, node: UnaryExpression): BoundExpression {
  const operand = bindValue(b, node.operand);
  return unaryOperator(b, node.operator as "+" | "-" | "!" | "~", operand, node);
}

function unaryOperator(
  b: Binder,
  operator: "+" | "-" | "!" | "~",
  operand: BoundExpression,
  span: Span,
): BoundExpression {
  const { type } = operand;
  const at = { start: span.start, end: span.end };
  if (isError(type)) return operator === "!" ? { ...errorNode(span), type: known.bool() } : errorNode(span);
  const inner = unwrapped(type);
  const lifted = inner !== type;
  const refuse = (): BoundExpression =>
    b.fail(
      "HG3109",
      span,
      { operator, operand: typeText(type) },
      operator === "!" ? conditionHint(type) : null,
    );
  if (operator === "!" && isBool(inner)) return unary("!", "bool", operand, lifted);
  if (operator === "~" && isEnum(inner)) return unary("~", "enum", operand, lifted);
  const kind = numericKind(inner);
  if (kind !== null && operator !== "!") {
    const promoted = promoteOne(kind, operator);
    if (promoted === null) return refuse();
    const target = numericType(promoted);
    const value = convert(b, operand, lifted ? nullableOf(target) : target);
    if (operator === "+") return { ...value, ...at };
    return unary(operator, promoted as OperandKind, value, lifted);
  }
  return userUnary(b, operator, operand, span) ?? refuse();

  function unary(
    op: "-" | "~" | "!",
    operandKind: OperandKind,
    value: BoundExpression,
    isLifted: boolean,
  ): BoundExpression {
    if (value.kind === "constant" && !isLifted) {
      const folded = foldedNode(
        b,
        foldUnary(op, operandKind, value.value, b.checked !== false),
        value.type,
        span,
      );
      if (folded !== null) return folded;
    }
    return {
      kind: "unary",
      operator: op,
      operand: value,
      operandKind,
      checked: b.checked === true,
      lifted: isLifted,
      type: value.type,
      ...at,
    };
  }
}

function promoteOne(kind: NumericKind, operator: string): NumericKind | null {
  if (operator === "~") return isIntegralKind(kind) ? widened(kind) : null;
  if (operator === "-" && kind === "ulong") return null;
  return operator === "-" && kind === "uint" ? "long" : widened(kind);
}

/** What a small integer becomes before arithmetic. */
function widened(kind: NumericKind): NumericKind {
  return kind === "sbyte" || kind === "byte" || kind === "short" || kind === "ushort" || kind === "char"
    ? "int"
    : kind;
}

function userUnary(
  b: Binder,
  operator: string,
  operand: BoundExpression,
  span: Span,
): BoundExpression | null {
  const candidates = operatorCandidates(operator, [operand.type]).filter((c) => c.parameters.length === 1);
  if (candidates.length === 0) return null;
  const found = resolve(b, candidates, bindArgumentsAs([operand]), null);
  if (found.kind === "found") return finishCall(b, found.best, bindArgumentsAs([operand]), null, span);
  const inner = underlyingOfNullable(operand.type);
  if (inner === null) return null;
  const bare = resolve(b, candidates, bindArgumentsAs([{ ...errorNode(span), type: inner }]), null);
  if (bare.kind !== "found") return null;
  const member = bare.best.candidate.member!;
  return {
    kind: "liftedOperator",
    member,
    code: codeOf(member, bare.best.candidate.declaring!.args),
    mode: "value",
    left: operand,
    right: null,
    type: nullableOf(bare.best.returns),
    start: span.start,
    end: span.end,
  };
}

// ── Binary ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export function bindBinary(b: Binder, node: BinaryExpression): BoundExpression {
  const { operator } = node;
  if (operator === "&&" || operator === "||") return bindLogical(b, node);
  if (operator === "??") return bindCoalesce(b, node);
  // A long chain of `+` nests to the left: walk down it in a loop.
  const chain: BinaryExpression[] = [];
  let first: BinaryExpression["left"] = node;
  while (operator === "+" && first.kind === "binary" && first.operator === "+") {
    chain.push(first);
    first = first.left;
  }
  if (chain.length === 0)
    return binaryOperator(b, operator, operand(b, node.left), operand(b, node.right), node);
  let left = operand(b, first);
  for (const link of chain.toReversed()) left = binaryOperator(b, "+", left, operand(b, link.right), link);
  return left as BoundExpression;
}

/** Tuple literals keep their form for `==`; everything else is a value. */
export function operand(b: Binder, node: BinaryExpression["left"]): Bound {
  const bound = bindExpression(b, node);
  return bound.kind === "pendingTuple" || bound.kind === "pendingDefault" ? bound : asValue(b, bound);
}

function bindLogical(b: Binder, node: BinaryExpression): BoundExpression {
  const operator = node.operator as "&&" | "||";
  const left = toCondition(b, bindExpression(b, node.left), node.left);
  const right = toCondition(b, bindExpression(b, node.right), node.right);
  if (left.kind === "constant" && right.kind === "constant") {
    const value =
      operator === "&&"
        ? left.value === true && right.value === true
        : left.value === true || right.value === true;
    return constantNode(value, known.bool(), node);
  }
  return { kind: "logical", operator, left, right, type: known.bool(), start: node.start, end: node.end };
}

/** Any binary operator but `&&`, `||` and `??`, over bound operands. */
export function binaryOperator(
  b: Binder,
  operator: BoundOperator,
  leftBound: Bound,
  rightBound: Bound,
  span: Span,
): BoundExpression {
  const [left, right] = settle(b, leftBound, rightBound);
  const types = [left.type, right.type];
  if (types.some(isError))
    return { ...errorNode(span), type: resultOfError(operator, left.type, right.type) };
  if (types.some(isVoid)) return b.fail("HG3134", isVoid(left.type) ? left : right, { member: "this" });
  const isEquality = operator === "==" || operator === "!=";
  if (isEquality && (isNullConstant(left) || isNullConstant(right))) {
    const compared = compareNull(b, operator, left, right, span);
    if (compared !== null) return compared;
  }
  if (!isSimple(left.type) || !isSimple(right.type)) {
    const user = userBinary(b, operator, left, right, span);
    if (user !== null) return user;
  }
  return builtIn(b, operator, left, right, span) ?? refuse(b, operator, left, right, span);
}

function settle(b: Binder, left: Bound, right: Bound): [BoundExpression, BoundExpression] {
  if (left.kind === "pendingDefault" && right.type !== null) return [convert(b, left, right.type), right];
  if (right.kind === "pendingDefault" && left.type !== null) return [left, convert(b, right, left.type)];
  return [asValue(b, left), asValue(b, right)];
}

/** What a failed operation would probably have given, so that one mistake makes one message. */
function resultOfError(operator: BoundOperator, left: Type, right: Type): Type {
  if (/^([<>]=?|[=!]=)$/.test(operator)) return known.bool();
  return operator === "+" && (isString(left) || isString(right))
    ? known.string()
    : errorNode({ start: 0, end: 0 }).type;
}

/** Types whose operators are all built in. */
function isSimple(type: Type): boolean {
  const inner = unwrapped(type);
  return (
    type.kind === "null" ||
    isString(type) ||
    isObject(type) ||
    isBool(inner) ||
    isEnum(inner) ||
    numericKind(inner) !== null
  );
}

function builtIn(
  b: Binder,
  operator: BoundOperator,
  left: BoundExpression,
  right: BoundExpression,
  span: Span,
): BoundExpression | null {
  if (operator === "+" && (isString(left.type) || isString(right.type)))
    return concatenation([left, right], span, true);
  if (operator === "<<" || operator === ">>") return shift(b, operator, left, right, span);
  const numeric = numericOperation(b, operator, left, right, span);
  if (numeric !== undefined) return numeric;
  const x = unwrapped(left.type);
  const y = unwrapped(right.type);
  if (isBool(x) && isBool(y) && /^([&|^]|[=!]=)$/.test(operator))
    return operation(b, operator, "bool", left, right, known.bool(), span);
  const enums = enumOperation(b, operator, left, right, span);
  if (enums !== null) return enums;
  if (operator !== "==" && operator !== "!=") return null;
  if (isTupleType(x) && isTupleType(y)) return tupleEquality(b, operator, left, right, span);
  return referenceEquality(b, operator, left, right, span);
}

/** Builds the node: converts both sides, folds constants, knows the result type. */
export function operation(
  b: Binder,
  operator: BoundOperator,
  kind: OperandKind,
  left: BoundExpression,
  right: BoundExpression,
  type: Type,
  span: Span,
  rightType: Type = type,
): BoundExpression {
  const lifted = underlyingOfNullable(left.type) !== null || underlyingOfNullable(right.type) !== null;
  const at = (wanted: Type): Type => (lifted ? nullableOf(wanted) : wanted);
  const x = convert(b, left, at(type));
  const y = convert(b, right, at(rightType));
  const compares = /^([<>]=?|[=!]=)$/.test(operator);
  const result = compares
    ? known.bool()
    : kind === "enum" && operator === "-" && isEnum(rightType)
      ? at(known.int())
      : at(kind === "enum" && isEnum(rightType) ? rightType : type);
  if (x.kind === "constant" && y.kind === "constant" && !lifted) {
    const folded = foldedNode(
      b,
      foldBinary(operator, kind, x.value, y.value, b.checked !== false),
      result,
      span,
    );
    if (folded !== null) return folded;
  }
  if (y.kind === "constant" && (operator === "/" || operator === "%") && isZero(kind, y.value))
    return b.fail("HG3126", span);
  return {
    kind: "binary",
    operator,
    operandKind: kind,
    left: x,
    right: y,
    checked: b.checked === true,
    lifted,
    type: result,
    start: span.start,
    end: span.end,
  };
}

const isZero = (kind: OperandKind, value: unknown): boolean =>
  kind === "int" || kind === "uint" ? value === 0 : (kind === "long" || kind === "ulong") && value === 0n;

/** Undefined when the operands are no numbers; null when they are but do not go together. */
function numericOperation(
  b: Binder,
  operator: BoundOperator,
  left: BoundExpression,
  right: BoundExpression,
  span: Span,
): BoundExpression | null | undefined {
  const a = numericKind(unwrapped(left.type));
  const z = numericKind(unwrapped(right.type));
  if (a === null || z === null) {
    // `int? + null`: null takes the other side's type.
    if (a !== null && isNullConstant(right))
      return numericOperation(b, operator, left, retype(right, nullableOf(left.type)), span);
    if (z !== null && isNullConstant(left))
      return numericOperation(b, operator, retype(left, nullableOf(right.type)), right, span);
    return undefined;
  }
  const kind = promote(a, z, left, right);
  if (kind === null) return null;
  if (/^[&|^]$/.test(operator) && !isIntegralKind(kind)) return null;
  return operation(b, operator, kind as OperandKind, left, right, numericType(kind), span);
}

/** Binary numeric promotion (C# §12.4.7.3); null where a cast is needed. */
function promote(
  a: NumericKind,
  z: NumericKind,
  left: BoundExpression,
  right: BoundExpression,
): NumericKind | null {
  const either = (kind: NumericKind): boolean => a === kind || z === kind;
  if (either("decimal")) return either("double") || either("float") ? null : "decimal";
  if (either("double")) return "double";
  if (either("float")) return "float";
  if (either("ulong")) {
    const [other, node] = a === "ulong" ? [z, right] : [a, left];
    const signed = other === "sbyte" || other === "short" || other === "int" || other === "long";
    return signed && !(node.kind === "constant" && fits(BigInt(node.value as number | bigint), "ulong"))
      ? null
      : "ulong";
  }
  if (either("long")) return "long";
  if (either("uint")) {
    const [other, node] = a === "uint" ? [z, right] : [a, left];
    if (other === "uint" || other === "byte" || other === "ushort" || other === "char") return "uint";
    return other === "int" && node.kind === "constant" && (node.value as number) >= 0 ? "uint" : "long";
  }
  return "int";
}

function shift(
  b: Binder,
  operator: "<<" | ">>",
  left: BoundExpression,
  right: BoundExpression,
  span: Span,
): BoundExpression | null {
  const a = numericKind(unwrapped(left.type));
  const z = numericKind(unwrapped(right.type));
  if (
    a === null ||
    z === null ||
    !isIntegralKind(a) ||
    !isIntegralKind(z) ||
    !converts(b, right, nullableOf(known.int()))
  )
    return null;
  const kind = widened(a);
  return operation(b, operator, kind as OperandKind, left, right, numericType(kind), span, known.int());
}

function enumOperation(
  b: Binder,
  operator: BoundOperator,
  left: BoundExpression,
  right: BoundExpression,
  span: Span,
): BoundExpression | null {
  const x = unwrapped(left.type);
  const y = unwrapped(right.type);
  if (isEnum(x) && isEnum(y))
    return x === y && /^([&|^-]|[<>]=?|[=!]=)$/.test(operator)
      ? operation(b, operator, "enum", left, right, x, span)
      : null;
  const [type, other] = isEnum(x) ? [x, right] : [y, left];
  if (!isEnum(type)) return null;
  if (/^([<>]=?|[=!]=|[&|^])$/.test(operator)) {
    return converts(b, other, type) ? operation(b, operator, "enum", left, right, type, span) : null;
  }
  const count = unwrapped(other.type);
  if (numericKind(count) === null || !converts(b, other, nullableOf(known.int()))) return null;
  if (operator === "+")
    return isEnum(x)
      ? operation(b, "+", "enum", left, right, type, span, known.int())
      : operation(b, "+", "enum", left, right, known.int(), span, type);
  return operator === "-" && isEnum(x)
    ? operation(b, "-", "enum", left, right, type, span, known.int())
    : null;
}

// ── Saying no ───────────────────────────────────────────────────────────────────────────────────────────────────────

function refuse(
  b: Binder,
  operator: BoundOperator,
  left: BoundExpression,
  right: BoundExpression,
  span: Span,
): BoundExpression {
  const made = b.fail(
    "HG3108",
    span,
    { operator, left: typeText(left.type), right: typeText(right.type) },
    operatorHint(operator, left.type, right.type),
  );
  return { ...made, type: resultOfError(operator, left.type, right.type) };
}

function operatorHint(operator: BoundOperator, x: Type, y: Type): string | null {
  if (isString(x) && isString(y))
    return /^[<>]=?$/.test(operator) ? `write \`string.CompareOrdinal(a, b) ${operator} 0\`` : null;
  const char = known.char();
  if ((x === char && isString(y)) || (y === char && isString(x)))
    return "a single character stands in single quotes";
  if (x.kind === "array" || y.kind === "array")
    return "an array has elements: take one with `[0]`, or join them with `string.Join`";
  for (const [wanted, other] of [
    [x, y],
    [y, x],
  ] as const) {
    if (explicitConversion(other, wanted) === null || isObject(wanted)) continue;
    if (isString(wanted) || isBool(wanted) || numericKind(wanted) !== null || isObject(other)) {
      const side = wanted === x ? "right" : "left";
      return `cast the ${side} side: \`(${displayName(wanted)})…\``;
    }
  }
  const text = isString(x) ? y : isString(y) ? x : null;
  if (text !== null && numericKind(text) !== null)
    return `write \`${displayName(text)}.Parse(…)\` for the text`;
  if (text !== null && isBool(text)) return 'write `bool.Parse(…)` for the text, or compare with `"true"`';
  return text === null ? null : "write `.ToString()` behind the other side";
}
