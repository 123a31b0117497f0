/** Whether an expression converts to a type, and which of two conversions is better. Says nothing, builds nothing. */
import { type NamedType, type Type, underlyingOfNullable } from "../runtime/type.ts";
import { lambdaBody, methodGroupFits } from "./binder-lambda.ts";
import {
  delegateSignature,
  isEnum,
  isError,
  isIntegralKind,
  isTupleType,
  isVoid,
  numericKind,
} from "./binder-types.ts";
import { type Bound, type PendingLambda, isTyped } from "./binder-untyped.ts";
import type { Binder } from "./binder.ts";
import type { NumericKind } from "./bound.ts";
import { fits } from "./constants.ts";
import { implicitConversion, sameType, widens } from "./conversions.ts";
import { tupleType } from "../runtime/tuple.ts";

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
export function constantFits(value: unknown, type: Type, to: Type): boolean {
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
