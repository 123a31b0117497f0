/**
 * Conversions of expressions: those between their types (`conversions.ts`), and those that depend on what the
 * expression is: a constant that fits, `null`, a lambda, a method group, a literal tuple.
 */
import {
  type NamedType,
  type Type,
  displayName,
  isValueType,
  underlyingOfNullable,
} from "../runtime/type.ts";
import { isAssignable } from "../runtime/cast.ts";
import { type Binder, assignTemp, constantNode, convertNode, errorNode, retype, sequence } from "./binder.ts";
import { createObject } from "./binder-create.ts";
import { convertLambda, convertMethodGroup, lambdaBody, methodGroupFits } from "./binder-lambda.ts";
import { codeOf, defaultNode } from "./binder-nodes.ts";
import {
  delegateSignature,
  elementTypeOf,
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
import { type Bound, type PendingLambda, isTyped } from "./binder-untyped.ts";
import type { BoundExpression, NumericKind } from "./bound.ts";
import { convertConstant, enumConstant, fits } from "./constants.ts";
import {
  type ConversionPlan,
  explicitConversion,
  implicitConversion,
  sameType,
  widens,
} from "./conversions.ts";
import { tupleType } from "../runtime/tuple.ts";
import { EnumValue } from "../runtime/values.ts";
import type { Span } from "./tree.ts";

// ── Does it convert? ────────────────────────────────────────────────────────────────────────────────────────────────

/** Whether `bound` may stand where `to` is wanted. Says nothing. */
export function converts(b: Binder, bound: Bound, to: Type): boolean {
  if (isError(to)) return true;
  switch (bound.kind) {
    case "throw":
    case "pendingDefault":
      return true;
    case "constant":
      return constantFits(bound.value, bound.type, to) || implicitConversion(bound.type, to) !== null;
    case "pendingLambda":
      return lambdaFits(b, bound, to);
    case "pendingMethods":
    case "pendingLocalFunction":
      return methodGroupFits(b, bound, to);
    case "pendingNew":
      return to.kind === "named";
    case "pendingConditional":
      return converts(b, bound.whenTrue, to) && converts(b, bound.whenFalse, to);
    case "pendingSwitch":
      return bound.arms.every((arm) => converts(b, arm.value, to));
    case "pendingTuple": {
      const target = underlyingOfNullable(to) ?? to;
      if (isTupleType(target) && target.args.length === bound.elements.length) {
        return bound.elements.every((element, i) => converts(b, element, target.args[i]!));
      }
      const natural = naturalType(b, bound);
      return natural !== null && implicitConversion(natural, to) !== null;
    }
    case "pendingType":
    case "pendingNamespace":
      return false;
    default:
      return implicitConversion(bound.type, to) !== null;
  }
}

/** A constant int passes as a smaller type that holds it; the literal 0 passes as any enum (C# §10.2.11, §10.2.4). */
function constantFits(value: unknown, type: Type, to: Type): boolean {
  const target = underlyingOfNullable(to) ?? to;
  const kind = numericKind(type);
  const wanted = numericKind(target);
  if (kind === "int" && isEnum(target)) return value === 0;
  if (wanted === null || !isIntegralKind(wanted) || wanted === "char") return false;
  if (kind === "int") return fits(BigInt(value as number), wanted);
  return kind === "long" && wanted === "ulong" && (value as bigint) >= 0n;
}

function lambdaFits(b: Binder, lambda: PendingLambda, to: Type): boolean {
  const signature = delegateSignature(to);
  if (signature === null || signature.parameters.length !== lambda.parameters.length) return false;
  if (
    lambda.parameterTypes !== null &&
    !lambda.parameterTypes.every((t, i) => sameType(t, signature.parameters[i]!))
  )
    return false;
  const body = lambdaBody(b, lambda, signature.parameters);
  if (body.diagnostics.some((d) => d.severity === "error")) return false;
  if (isVoid(signature.returns)) return body.isExpression ? body.isStatement : body.results.length === 0;
  if (!body.isExpression && body.endReachable) return false;
  return body.results.every((result) => converts(b, result, signature.returns));
}

/** The type that an expression has without being told; null for those that have none. */
export function naturalType(b: Binder, bound: Bound): Type | null {
  if (isTyped(bound)) return bound.kind === "throw" ? null : bound.type;
  if (bound.kind !== "pendingTuple") return null;
  const types = bound.elements.map((element) => naturalType(b, element));
  if (types.some((type) => type === null || type.kind === "null" || isVoid(type))) return null;
  return namedTuple(types as Type[], bound.names);
}

const tupleNames = new WeakMap<Type, readonly (string | null)[]>();
const tupleForms = new WeakMap<NamedType, Map<string, NamedType>>();

/** A tuple type whose elements have names. The names make it another object; `sameType` sees through it. */
export function namedTuple(elements: readonly Type[], names: readonly (string | null)[]): NamedType {
  const plain = tupleType(elements);
  if (names.every((name) => name === null)) return plain;
  let forms = tupleForms.get(plain);
  if (forms === undefined) tupleForms.set(plain, (forms = new Map()));
  const key = names.join(",");
  let type = forms.get(key);
  if (type === undefined) {
    type = { ...plain };
    forms.set(key, type);
    tupleNames.set(type, names);
  }
  return type;
}

export function namesOfTuple(type: Type): readonly (string | null)[] {
  return tupleNames.get(type) ?? [];
}

// ── Which is better? ────────────────────────────────────────────────────────────────────────────────────────────────

/** C# §12.6.4.5: whether `bound` converts better to `t1` than to `t2`. */
export function isBetterConversion(b: Binder, bound: Bound, t1: Type, t2: Type): boolean {
  if (sameType(t1, t2)) return false;
  const exact1 = matchesExactly(b, bound, t1);
  const exact2 = matchesExactly(b, bound, t2);
  if (exact1 !== exact2) return exact1;
  return isBetterTarget(b, bound, t1, t2);
}

function matchesExactly(b: Binder, bound: Bound, type: Type): boolean {
  if (bound.kind === "pendingLambda") {
    const signature = delegateSignature(type);
    if (signature === null || signature.parameters.length !== bound.parameters.length) return false;
    const natural = lambdaBody(b, bound, signature.parameters).naturalType;
    return natural !== null && sameType(natural, signature.returns);
  }
  const natural = naturalType(b, bound);
  return natural !== null && sameType(natural, type);
}

function isBetterTarget(b: Binder, bound: Bound, t1: Type, t2: Type): boolean {
  const forth = implicitConversion(t1, t2) !== null;
  const back = implicitConversion(t2, t1) !== null;
  if (forth !== back) return forth;
  const d1 = delegateSignature(t1);
  const d2 = delegateSignature(t2);
  if (d1 !== null && d2 !== null && bound.kind === "pendingLambda") {
    if (isVoid(d2.returns)) return !isVoid(d1.returns);
    return (
      !isVoid(d1.returns) &&
      !sameType(d1.returns, d2.returns) &&
      isBetterTarget(b, bound, d1.returns, d2.returns)
    );
  }
  const a = numericKind(underlyingOfNullable(t1) ?? t1);
  const z = numericKind(underlyingOfNullable(t2) ?? t2);
  return a !== null && z !== null && SIGNED.has(a) && UNSIGNED.has(z) && !widens(z, a);
}

const SIGNED = new Set<NumericKind>(["sbyte", "short", "int", "long"]);
const UNSIGNED = new Set<NumericKind>(["byte", "ushort", "uint", "ulong"]);

// ── Conversion into nodes ───────────────────────────────────────────────────────────────────────────────────────────

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

function castHint(from: Type, to: Type): string | null {
  if (isString(from) && numericKind(to) !== null) return `write \`${displayName(to)}.Parse(…)\``;
  if (isString(from) && isBool(to)) return "write `bool.Parse(…)`, or compare with `==`";
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

// ── Saying why not ──────────────────────────────────────────────────────────────────────────────────────────────────

function reportNoConversion(b: Binder, bound: Bound, to: Type, span: Span): void {
  switch (bound.kind) {
    case "pendingLambda":
    case "pendingMethods":
    case "pendingLocalFunction":
      reportFunction(b, bound, to, span);
      return;
    case "pendingConditional":
      for (const arm of [bound.whenTrue, bound.whenFalse])
        if (!converts(b, arm, to)) reportNoConversion(b, arm, to, arm);
      return;
    case "pendingTuple":
      for (const element of bound.elements) if (!isTyped(element)) asValue(b, element);
      b.report("HG3106", span, { from: "tuple", to: displayName(to) });
      return;
    case "pendingNew":
      b.report("HG3160", span);
      return;
    default:
      if (!isTyped(bound)) {
        asValue(b, bound);
        return;
      }
  }
  const from = bound.type;
  if (isVoid(from)) {
    b.report("HG3134", span, { member: bound.kind === "call" ? bound.member.name : "this" });
    return;
  }
  if (from.kind === "null") {
    b.report(
      "HG3106",
      span,
      { from: "null", to: displayName(to) },
      `use \`${displayName(to)}?\` if there may be no value`,
    );
    return;
  }
  if (
    bound.kind === "constant" &&
    numericKind(from) !== null &&
    numericKind(to) !== null &&
    isIntegralKind(numericKind(from)!)
  ) {
    const wanted = numericKind(to)!;
    if (
      isIntegralKind(wanted) &&
      wanted !== "char" &&
      !fits(BigInt(bound.value as number | bigint), wanted)
    ) {
      b.report("HG3125", span, { type: displayName(to) });
      return;
    }
  }
  b.report(
    "HG3106",
    span,
    { from: displayName(from), to: displayName(to) },
    literalHint(bound, to) ?? conversionHint(from, to),
  );
}

/** Constants are best written in the right type. */
function literalHint(bound: BoundExpression, to: Type): string | null {
  if (bound.kind !== "constant") return null;
  const wanted = numericKind(to);
  if (numericKind(bound.type) === "double" && (wanted === "decimal" || wanted === "float")) {
    return `write the number with \`${wanted === "decimal" ? "m" : "f"}\` at its end`;
  }
  if (wanted === "char" && typeof bound.value === "string" && bound.value.length === 1)
    return "a single character stands in single quotes";
  return null;
}

function conversionHint(from: Type, to: Type): string | null {
  if (isString(to) && explicitConversion(from, to) === null) return "write `.ToString()` behind the value";
  const cut = castHint(from, to);
  if (explicitConversion(from, to) === null) return cut;
  if (underlyingOfNullable(from) === to)
    return "write `.Value` behind it, or `?? …` for the case without a value";
  const element = isString(to) ? null : elementTypeOf(to);
  if (element !== null && elementTypeOf(from) !== null && !isAssignable(to, from))
    return `write \`.Cast<${displayName(element)}>()\` behind it`;
  return `cast it: \`(${displayName(to)})…\``;
}

function reportFunction(b: Binder, bound: Bound & { type: null }, to: Type, span: Span): void {
  const signature = delegateSignature(to);
  if (signature === null) {
    asValue(b, bound);
    return;
  }
  if (bound.kind === "pendingLambda") {
    const given = bound.parameters.length;
    if (given !== signature.parameters.length) {
      b.report("HG3106", span, { from: `lambda with ${given} parameter(s)`, to: displayName(to) });
      return;
    }
    const body = lambdaBody(b, bound, signature.parameters);
    const errors = body.diagnostics.filter((d) => d.severity === "error");
    if (errors.length > 0) {
      b.diagnostics.push(...errors);
      return;
    }
    if (!isVoid(signature.returns) && !body.isExpression && body.endReachable) {
      b.report("HG3121", span);
      return;
    }
    for (const result of body.results) {
      if (isVoid(signature.returns))
        b.report("HG3155", result, {}, body.isExpression ? "call or assign something" : undefined);
      else if (!converts(b, result, signature.returns))
        reportNoConversion(b, result, signature.returns, result);
    }
    return;
  }
  const name = bound.kind === "pendingMethods" ? bound.name : "this function";
  b.report("HG3106", span, { from: `method ${name}`, to: displayName(to) });
}
