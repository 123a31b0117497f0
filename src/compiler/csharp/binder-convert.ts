/**
 * Expressions into nodes of a wanted type: implicit conversions, casts, and the plans of `conversions.ts` carried out.
 * Whether something converts at all is in `binder-converts.ts`, what to say when not in `binder-convert-hints.ts`.
 */
import {
  type NamedType,
  type Type,
  displayName,
  isValueType,
  underlyingOfNullable,
} from "../runtime/type.ts";
import { reportNoConversion } from "./binder-convert-hints.ts";
import { constantFits, converts, naturalType } from "./binder-converts.ts";
import { createObject } from "./binder-create.ts";
import { convertLambda, convertMethodGroup } from "./binder-lambda.ts";
import { codeOf, defaultNode } from "./binder-nodes.ts";
import {
  isBool,
  isEnum,
  isError,
  isIntegralKind,
  isReferenceType,
  isString,
  isTupleType,
  isVoid,
  known,
  numericKind,
} from "./binder-types.ts";
import { type Bound, isTyped } from "./binder-untyped.ts";
import { type Binder, assignTemp, constantNode, convertNode, errorNode, retype, sequence } from "./binder.ts";
import type { BoundExpression } from "./bound.ts";
import { convertConstant, enumConstant } from "./constants.ts";
import { type ConversionPlan, explicitConversion, implicitConversion, sameType } from "./conversions.ts";
import type { Span } from "./tree.ts";
import { EnumValue } from "../runtime/values.ts";

/** Converts implicitly; reports and gives an error node where C# would not. */
export function convert(b: Binder, bound: Bound, to: Type, span: Span = bound): BoundExpression {
  const made = tryConvert(b, bound, to);
  if (made !== null) return made;
  reportNoConversion(b, bound, to, span);
  return { ...errorNode(span), type: to };
}

/** Null when there is no implicit conversion and nothing has been said about why. */
function tryConvert(b: Binder, bound: Bound, to: Type): BoundExpression | null {
  switch (bound.kind) {
    case "error":
      return bound;
    case "throw":
      return retype(bound, to);
    case "constant":
      return convertConstantNode(b, bound, to);
    case "pendingLambda":
      return convertLambda(b, bound, to);
    case "pendingMethods":
    case "pendingLocalFunction":
      return convertMethodGroup(b, bound, to);
    case "pendingDefault":
      return defaultNode(to, bound);
    case "pendingNew":
      return isValueType(to) || isReferenceType(to) ? createObject(b, bound.node, to) : null;
    case "pendingConditional": {
      if (!converts(b, bound, to)) return null;
      const { condition, start, end } = bound;
      const whenTrue = convert(b, bound.whenTrue, to);
      const whenFalse = convert(b, bound.whenFalse, to);
      return { kind: "conditional", condition, whenTrue, whenFalse, type: to, start, end };
    }
    case "pendingSwitch": {
      const { subject, temp, start, end } = bound;
      const arms = bound.arms.map((arm) => ({ test: arm.test, value: convert(b, arm.value, to) }));
      return { kind: "switchExpression", subject, temp, arms, type: to, start, end };
    }
    case "pendingTuple":
      return convertTuple(b, bound, to);
    case "pendingType":
    case "pendingNamespace":
      return asValue(b, bound);
    default: {
      if (isError(bound.type) || isError(to)) return retype(bound, isError(to) ? bound.type : to);
      const plan = implicitConversion(bound.type, to);
      return plan === null ? null : applyPlan(b, plan, bound, to);
    }
  }
}

function convertConstantNode(
  b: Binder,
  bound: BoundExpression & { kind: "constant" },
  to: Type,
): BoundExpression | null {
  if (isError(bound.type) || isError(to)) return bound;
  if (sameType(bound.type, to)) return bound;
  const target = underlyingOfNullable(to) ?? to;
  if (constantFits(bound.value, bound.type, to)) {
    if (isEnum(target)) return wrapped(constantNode(enumConstant(target, 0), target, bound), to);
    const folded = convertConstant(bound.value, numericKind(bound.type)!, numericKind(target)!, true);
    if (folded !== null && typeof folded === "object")
      return wrapped(constantNode(folded.value, target, bound), to);
  }
  const plan = implicitConversion(bound.type, to);
  return plan === null ? null : applyPlan(b, plan, bound, to);
}

const wrapped = (node: BoundExpression, to: Type): BoundExpression =>
  node.type === to ? node : convertNode({ kind: "wrap" }, node, to);

function convertTuple(b: Binder, bound: Bound & { kind: "pendingTuple" }, to: Type): BoundExpression | null {
  const target = underlyingOfNullable(to) ?? to;
  const { start, end } = bound;
  if (isTupleType(target) && target.args.length === bound.elements.length) {
    if (!bound.elements.every((element, i) => converts(b, element, target.args[i]!))) return null;
    const elements = bound.elements.map((element, i) => convert(b, element, target.args[i]!));
    return wrapped({ kind: "tuple", elements, type: target, start, end }, to);
  }
  const natural = naturalType(b, bound);
  if (natural === null || !isTupleType(natural)) return null;
  const plan = implicitConversion(natural, to);
  const elements = bound.elements.map((element, i) => convert(b, element, natural.args[i]!));
  return plan === null
    ? null
    : applyPlan(b, plan, { kind: "tuple", elements, type: natural, start, end }, to);
}

/**
 * Gives an expression its own type, where it stands without being told one: as receiver, operand, `var` value.
 * Reports when it has none.
 */
export function asValue(b: Binder, bound: Bound): BoundExpression {
  switch (bound.kind) {
    case "pendingLambda":
      return b.fail("HG3135", bound);
    case "pendingMethods":
      return b.fail("HG3115", { start: bound.nameStart, end: bound.nameEnd }, { name: bound.name });
    case "pendingLocalFunction":
      return b.fail("HG3115", bound, { name: bound.local.name });
    case "pendingDefault":
    case "pendingNew":
    case "pendingSwitch":
      return b.fail("HG3160", bound);
    case "pendingConditional":
      return reportConditional(b, bound);
    case "pendingTuple": {
      const natural = naturalType(b, bound);
      if (natural !== null) return convert(b, bound, natural);
      for (const element of bound.elements) asValue(b, element);
      return b.fail("HG3160", bound);
    }
    case "pendingType":
      return b.fail("HG3133", bound, { type: displayName(bound.named) });
    case "pendingNamespace":
      return b.fail("HG3100", bound, { name: bound.name });
    default:
      return bound;
  }
}

function reportConditional(b: Binder, bound: Bound & { kind: "pendingConditional" }): BoundExpression {
  const left = asValue(b, bound.whenTrue);
  const right = asValue(b, bound.whenFalse);
  if (isError(left.type) || isError(right.type)) return errorNode(bound);
  return b.fail("HG3129", bound, { left: displayName(left.type), right: displayName(right.type) });
}

/** A cast written in the source. */
export function cast(b: Binder, bound: Bound, to: Type, span: Span): BoundExpression {
  if (!isTyped(bound) || bound.kind === "throw")
    return { ...convert(b, bound, to, span), start: span.start, end: span.end };
  if (isError(bound.type) || isError(to)) return { ...errorNode(span), type: to };
  if (isVoid(bound.type)) return b.fail("HG3134", bound, { member: "this call" });
  if (bound.kind === "constant") {
    const folded = castConstant(b, bound, to, span);
    if (folded !== null) return folded;
    const implied = convertConstantNode(b, bound, to);
    if (implied !== null) return { ...implied, start: span.start, end: span.end };
  }
  const plan = explicitConversion(bound.type, to);
  if (plan === null) {
    return {
      ...b.fail(
        "HG3107",
        span,
        { from: displayName(bound.type), to: displayName(to) },
        castHint(bound.type, to),
      ),
      type: to,
    };
  }
  if (plan.kind === "identity" && bound.kind !== "constant") return retype(bound, to);
  return { ...applyPlan(b, plan, bound, to), start: span.start, end: span.end };
}

function castConstant(
  b: Binder,
  bound: BoundExpression & { kind: "constant" },
  to: Type,
  span: Span,
): BoundExpression | null {
  const { value } = bound;
  const from = numericKind(bound.type);
  const wanted = numericKind(to);
  const exact = b.checked !== false;
  if (isEnum(bound.type) && wanted !== null) {
    return foldedNode(b, convertConstant((value as EnumValue).number, "int", wanted, exact), to, span);
  }
  if (from !== null && isEnum(to) && isIntegralKind(from)) {
    return constantNode(enumConstant(to, value as number | bigint), to, span);
  }
  if (from === null || wanted === null) return null;
  return foldedNode(b, convertConstant(value, from, wanted, exact), to, span);
}

/** The result of folding, or the error it ended in. */
export function foldedNode(
  b: Binder,
  folded: ReturnType<typeof convertConstant>,
  type: Type,
  span: Span,
): BoundExpression | null {
  if (folded === null) return null;
  if (folded === "divideByZero") return b.fail("HG3126", span);
  if (folded === "overflow") return { ...b.fail("HG3125", span, { type: displayName(type) }), type };
  return constantNode(folded.value, type, span);
}

export function castHint(from: Type, to: Type): string | null {
  if (isString(from) && numericKind(to) !== null) return `write \`${displayName(to)}.Parse(…)\``;
  if (isString(from) && isBool(to)) return "write `bool.Parse(…)`, or compare with `==`";
  if (isString(to) && from.kind === "array") {
    return isString(from.element)
      ? 'take one, as with `[0]`, or use `string.Join(",", …)`'
      : "take one, as with `[0]`";
  }
  if (isString(to)) return "write `.ToString()` behind the value";
  if (isString(from) && to.kind === "named" && to.definition.members.has("Parse")) {
    return `write \`${to.definition.shortName}.Parse(…)\``;
  }
  if (isBool(to) && numericKind(from) !== null) return "compare it: `!= 0`";
  return isBool(from) && numericKind(to) !== null ? "write `(value ? 1 : 0)`" : null;
}

/** Builds the nodes of a plan. */
export function applyPlan(
  b: Binder,
  plan: ConversionPlan,
  operand: BoundExpression,
  to: Type,
): BoundExpression {
  switch (plan.kind) {
    case "identity":
      return retype(operand, to);
    case "numeric":
      if (operand.kind === "constant") {
        const folded = convertConstant(operand.value, plan.from, plan.to, false);
        if (folded !== null && typeof folded === "object") return constantNode(folded.value, to, operand);
      }
      return convertNode(
        { kind: "numeric", from: plan.from, to: plan.to, checked: b.checked === true },
        operand,
        to,
      );
    case "enumToNumber":
      return convertNode({ kind: "enumToNumber", to: plan.to }, operand, to);
    case "numberToEnum":
      return convertNode({ kind: "numberToEnum", from: plan.from }, operand, to);
    case "enumToEnum": {
      const number = convertNode({ kind: "enumToNumber", to: "int" }, operand, known.int());
      return convertNode({ kind: "numberToEnum", from: "int" }, number, to);
    }
    case "upcast":
      if (operand.kind === "constant" && operand.value === null) return retype(operand, to);
      return convertNode({ kind: "upcast" }, operand, to);
    case "box":
    case "unbox":
    case "downcast":
      return convertNode({ kind: plan.kind }, operand, to);
    case "wrap": {
      const inner = underlyingOfNullable(to) ?? to;
      return convertNode({ kind: "wrap" }, applyPlan(b, plan.inner, operand, inner), to);
    }
    case "unwrap": {
      const inner = underlyingOfNullable(operand.type) ?? operand.type;
      return applyPlan(b, plan.inner, convertNode({ kind: "unwrap" }, operand, inner), to);
    }
    case "lift":
      return lift(b, plan.inner, operand, to);
    case "tuple":
      return convertTupleValue(b, plan.elements, operand, to);
    case "user": {
      const { member, declaring, parameter, returns } = plan;
      const before = applyPlan(b, plan.before, operand, parameter);
      const call: BoundExpression = {
        kind: "call",
        member,
        typeArguments: declaring.args,
        code: codeOf(member, declaring.args),
        receiver: null,
        checkReceiver: false,
        arguments: [before],
        order: null,
        type: returns,
        start: operand.start,
        end: operand.end,
      };
      return applyPlan(b, plan.after, call, to);
    }
  }
}

/** `S? → T?`: null stays null, a value is converted. */
function lift(b: Binder, inner: ConversionPlan, operand: BoundExpression, to: Type): BoundExpression {
  const temp = b.temp(underlyingOfNullable(operand.type) ?? operand.type, operand);
  const target = underlyingOfNullable(to) ?? to;
  const access = wrapped(applyPlan(b, inner, b.read(temp, operand), target), to);
  return {
    kind: "conditionalAccess",
    receiver: operand,
    temp,
    access,
    type: to,
    start: operand.start,
    end: operand.end,
  };
}

function convertTupleValue(
  b: Binder,
  plans: readonly ConversionPlan[],
  operand: BoundExpression,
  to: Type,
): BoundExpression {
  const { start, end } = operand;
  const temp = b.temp(operand.type, operand);
  const from = operand.type as NamedType;
  const target = to as NamedType;
  const elements = plans.map((plan, index) => {
    const item: BoundExpression = {
      kind: "tupleItem",
      tuple: b.read(temp, operand),
      index,
      type: from.args[index]!,
      start,
      end,
    };
    return applyPlan(b, plan, item, target.args[index]!);
  });
  return sequence([assignTemp(b, temp, operand)], { kind: "tuple", elements, type: to, start, end }, operand);
}
