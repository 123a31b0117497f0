/**
 * Which conversions C# knows between two types (specification §10; `expressions.md` §3.5), as plans that the binder
 * turns into nodes. What depends on the expression (constants, lambdas, null) is in `binder-converts.ts`.
 */
import { allBases, isAssignable } from "../runtime/cast.ts";
import {
  type Member,
  type NamedType,
  type Type,
  bindings,
  isValueType,
  substitute,
  underlyingOfNullable,
} from "../runtime/type.ts";
import {
  delegateSignature,
  isEnum,
  isError,
  isObject,
  isReferenceType,
  isString,
  isTupleType,
  isVoid,
  numericKind,
} from "./binder-types.ts";
import type { NumericKind } from "./bound.ts";

export type ConversionPlan =
  | { readonly kind: "identity" | "box" | "unbox" | "upcast" | "downcast" }
  | { readonly kind: "numeric"; readonly from: NumericKind; readonly to: NumericKind }
  | { readonly kind: "enumToNumber"; readonly to: NumericKind }
  | { readonly kind: "numberToEnum"; readonly from: NumericKind }
  | { readonly kind: "enumToEnum" }
  /** `S → T?`: the inner plan gives `T`. */
  | { readonly kind: "wrap"; readonly inner: ConversionPlan }
  /** `S? → T?`. */
  | { readonly kind: "lift"; readonly inner: ConversionPlan }
  /** `S? → T`. */
  | { readonly kind: "unwrap"; readonly inner: ConversionPlan }
  | { readonly kind: "tuple"; readonly elements: readonly ConversionPlan[] }
  /** `before` leads to the operator's parameter, `after` from its result. */
  | {
      readonly kind: "user";
      readonly member: Member;
      readonly declaring: NamedType;
      readonly parameter: Type;
      readonly returns: Type;
      readonly before: ConversionPlan;
      readonly after: ConversionPlan;
    };

const IDENTITY: ConversionPlan = { kind: "identity" };
const UPCAST: ConversionPlan = { kind: "upcast" };

/** Implicit numeric conversions, C# §10.2.3. */
const WIDER: Readonly<Record<NumericKind, readonly NumericKind[]>> = {
  sbyte: ["short", "int", "long", "float", "double", "decimal"],
  byte: ["short", "ushort", "int", "uint", "long", "ulong", "float", "double", "decimal"],
  short: ["int", "long", "float", "double", "decimal"],
  ushort: ["int", "uint", "long", "ulong", "float", "double", "decimal"],
  int: ["long", "float", "double", "decimal"],
  uint: ["long", "ulong", "float", "double", "decimal"],
  long: ["float", "double", "decimal"],
  ulong: ["float", "double", "decimal"],
  char: ["ushort", "int", "uint", "long", "ulong", "float", "double", "decimal"],
  float: ["double"],
  double: [],
  decimal: [],
};

export function widens(from: NumericKind, to: NumericKind): boolean {
  return WIDER[from].includes(to);
}

/** Equal but for the names of tuple elements. */
export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.kind === "array" && b.kind === "array") return sameType(a.element, b.element);
  if (a.kind !== "named" || b.kind !== "named" || a.definition !== b.definition) return false;
  return a.args.length > 0 && a.args.every((arg, i) => sameType(arg, b.args[i]!));
}

/** The implicit conversion between two types, user-defined ones included; null when there is none. */
export function implicitConversion(from: Type, to: Type): ConversionPlan | null {
  return standardImplicit(from, to) ?? userConversion(from, to, false);
}

/** Without user-defined operators: what may stand before and after one. */
export function standardImplicit(from: Type, to: Type): ConversionPlan | null {
  if (sameType(from, to) || isError(from) || isError(to)) return IDENTITY;
  if (isVoid(from) || isVoid(to)) return null;
  const inner = underlyingOfNullable(to);
  if (from.kind === "null") return inner !== null || isReferenceType(to) ? UPCAST : null;
  const a = numericKind(from);
  const b = numericKind(to);
  if (a !== null && b !== null) return widens(a, b) ? { kind: "numeric", from: a, to: b } : null;
  if (inner !== null) {
    const source = underlyingOfNullable(from);
    const plan = standardImplicit(source ?? from, inner);
    if (plan === null || plan.kind === "box" || !isValueType(source ?? from)) return null;
    return source === null ? { kind: "wrap", inner: plan } : { kind: "lift", inner: plan };
  }
  if (isValueType(from)) {
    const boxed = underlyingOfNullable(from) ?? from;
    if (isReferenceType(to)) return isAssignable(boxed, to) ? { kind: "box" } : null;
    return tupleConversion(from, to, standardImplicit);
  }
  if (isReferenceType(from) && isReferenceType(to)) {
    if (isAssignable(from, to) || delegateVariance(from, to)) return UPCAST;
  }
  return null;
}

/** `Func<object, string>` passes as `Func<string, object>`. */
function delegateVariance(from: Type, to: Type): boolean {
  const a = delegateSignature(from);
  const b = delegateSignature(to);
  if (a === null || b === null || (from as NamedType).definition !== (to as NamedType).definition)
    return false;
  const passes = (s: Type, t: Type): boolean =>
    sameType(s, t) || (isReferenceType(s) && isReferenceType(t) && standardImplicit(s, t) !== null);
  return passes(a.returns, b.returns) && a.parameters.every((p, i) => passes(b.parameters[i]!, p));
}

function tupleConversion(
  from: Type,
  to: Type,
  element: (from: Type, to: Type) => ConversionPlan | null,
): ConversionPlan | null {
  if (!isTupleType(from) || !isTupleType(to) || from.args.length !== to.args.length) return null;
  const elements: ConversionPlan[] = [];
  for (const [i, arg] of from.args.entries()) {
    const plan = element(arg, to.args[i]!);
    if (plan === null) return null;
    elements.push(plan);
  }
  return { kind: "tuple", elements };
}

/** What a cast `(to)from` does; null when C# refuses it. */
export function explicitConversion(from: Type, to: Type): ConversionPlan | null {
  return standardImplicit(from, to) ?? standardExplicit(from, to) ?? userConversion(from, to, true);
}

function standardExplicit(from: Type, to: Type): ConversionPlan | null {
  if (isVoid(from) || isVoid(to) || from.kind === "null") return null;
  const a = numericKind(from);
  const b = numericKind(to);
  if (a !== null && b !== null) return { kind: "numeric", from: a, to: b };
  if (isEnum(from) && b !== null) return { kind: "enumToNumber", to: b };
  if (a !== null && isEnum(to)) return { kind: "numberToEnum", from: a };
  if (isEnum(from) && isEnum(to)) return { kind: "enumToEnum" };
  const source = underlyingOfNullable(from);
  const target = underlyingOfNullable(to);
  if (source !== null || target !== null) {
    if (isReferenceType(from)) return isAssignable(target!, from) ? { kind: "unbox" } : null;
    const plan =
      standardImplicit(source ?? from, target ?? to) ?? standardExplicit(source ?? from, target ?? to);
    if (plan === null || !isValueType(to)) return null;
    if (source !== null && target !== null) return { kind: "lift", inner: plan };
    return source === null ? { kind: "wrap", inner: plan } : { kind: "unwrap", inner: plan };
  }
  if (isValueType(to)) {
    if (isReferenceType(from)) return isAssignable(to, from) ? { kind: "unbox" } : null;
    return tupleConversion(from, to, (s, t) => standardImplicit(s, t) ?? standardExplicit(s, t));
  }
  return isReferenceType(from) && isReferenceType(to) && mayBe(from, to) ? { kind: "downcast" } : null;
}

const isInterface = (type: Type): boolean => type.kind === "named" && type.definition.kind === "interface";
const isDelegate = (type: Type): boolean => type.kind === "named" && type.definition.kind === "delegate";

/** Whether some value of reference type `from` could be a `to`. */
function mayBe(from: Type, to: Type): boolean {
  if (isAssignable(to, from)) return true;
  if (from.kind === "array" && to.kind === "array") {
    return isReferenceType(from.element) && isReferenceType(to.element) && mayBe(from.element, to.element);
  }
  if (from.kind === "array" || to.kind === "array") {
    const [array, other] = from.kind === "array" ? [from, to] : ([to, from] as const);
    // `IEnumerable<object>` may hold a `string[]`.
    return array.kind === "array" && isInterface(other) && other.kind === "named" && other.args.length === 1
      ? isReferenceType(array.element) &&
          isReferenceType(other.args[0]!) &&
          mayBe(other.args[0]!, array.element)
      : false;
  }
  if (isString(from) || isString(to) || isDelegate(from) || isDelegate(to)) return false;
  return isInterface(from) || isInterface(to);
}

// ── User-defined conversions, C# §10.5 ──────────────────────────────────────────────────────────────────────────────

interface Operator {
  readonly member: Member;
  readonly declaring: NamedType;
  readonly parameter: Type;
  readonly returns: Type;
}

const userPlans = new WeakMap<Type, Map<Type, ConversionPlan | null>>();

function userConversion(from: Type, to: Type, explicit: boolean): ConversionPlan | null {
  if (from.kind === "null" || isObject(from) || isObject(to)) return null;
  if (isInterface(from) || isInterface(to)) return null;
  if (explicit) return findUser(from, to, true);
  let plans = userPlans.get(from);
  if (plans === undefined) userPlans.set(from, (plans = new Map()));
  let plan = plans.get(to);
  if (plan === undefined) plans.set(to, (plan = findUser(from, to, false)));
  return plan;
}

function findUser(from: Type, to: Type, explicit: boolean): ConversionPlan | null {
  const direct = pickUser(from, to, explicit);
  if (direct !== null) return direct;
  const source = underlyingOfNullable(from);
  const target = underlyingOfNullable(to);
  if (source === null) return null;
  // Lifted: `DateTime?` → `DateTimeOffset?`; explicitly also `DateTime?` → `DateTimeOffset`.
  const inner = pickUser(source, target ?? to, explicit);
  if (inner === null) return null;
  if (target !== null) return { kind: "lift", inner };
  return explicit ? { kind: "unwrap", inner } : null;
}

function pickUser(from: Type, to: Type, explicit: boolean): ConversionPlan | null {
  const operators = operatorsOf(from, to, explicit).filter((operator) =>
    explicit
      ? leads(from, operator.parameter) && leads(operator.returns, to)
      : standardImplicit(from, operator.parameter) !== null &&
        standardImplicit(operator.returns, to) !== null,
  );
  if (operators.length === 0) return null;
  const source = specificSource(
    from,
    operators.map((o) => o.parameter),
    explicit,
  );
  const target = specificTarget(
    to,
    operators.map((o) => o.returns),
    explicit,
  );
  const exact = operators.filter((o) => o.parameter === source && o.returns === target);
  const best = exact.find((o) => o.member.implicit) ?? exact[0];
  if (best === undefined || (exact.length > 1 && exact[0]!.declaring === exact[1]!.declaring)) return null;
  const before = standardImplicit(from, best.parameter) ?? standardExplicit(from, best.parameter);
  const after = standardImplicit(best.returns, to) ?? standardExplicit(best.returns, to);
  return before === null || after === null ? null : { kind: "user", ...best, before, after };
}

/** A standard conversion either way. */
function leads(from: Type, to: Type): boolean {
  return standardImplicit(from, to) !== null || standardImplicit(to, from) !== null;
}

function operatorsOf(from: Type, to: Type, explicit: boolean): Operator[] {
  const found: Operator[] = [];
  const seen = new Set<Type>();
  for (const side of [from, to]) {
    const type = underlyingOfNullable(side) ?? side;
    if (type.kind !== "named") continue;
    for (const declaring of allBases(type)) {
      if (seen.has(declaring) || declaring.definition.kind === "interface") continue;
      seen.add(declaring);
      const map = bindings(declaring);
      for (const name of explicit ? ["op_Implicit", "op_Explicit"] : ["op_Implicit"]) {
        for (const member of declaring.definition.members.get(name) ?? []) {
          const parameter = substitute(member.parameters[0]!.type, map);
          found.push({ member, declaring, parameter, returns: substitute(member.returns, map) });
        }
      }
    }
  }
  return found;
}

/** The type that all others of the list convert from (`most encompassed`) or to (`most encompassing`). */
function extreme(types: readonly Type[], encompassed: boolean): Type | null {
  const fits = (a: Type, b: Type): boolean =>
    standardImplicit(...(encompassed ? ([a, b] as const) : ([b, a] as const))) !== null;
  return types.find((type) => types.every((other) => fits(type, other))) ?? null;
}

function specificSource(from: Type, sources: readonly Type[], explicit: boolean): Type | null {
  if (sources.includes(from)) return from;
  if (!explicit) return extreme(sources, true);
  const above = sources.filter((source) => standardImplicit(from, source) !== null);
  return above.length > 0 ? extreme(above, true) : extreme(sources, false);
}

function specificTarget(to: Type, targets: readonly Type[], explicit: boolean): Type | null {
  if (targets.includes(to)) return to;
  if (!explicit) return extreme(targets, false);
  const below = targets.filter((target) => standardImplicit(target, to) !== null);
  return below.length > 0 ? extreme(below, false) : extreme(targets, true);
}

/** Whether a value of `from` may stand where `to` is wanted; for hints, not for binding. */
export function convertsImplicitly(from: Type, to: Type): boolean {
  return implicitConversion(from, to) !== null;
}
