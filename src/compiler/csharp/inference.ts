/**
 * Type inference (C# §12.6.3): works out the type arguments of a generic method from its arguments, in two phases.
 * First what the plain arguments say, then, step by step, what lambdas and method groups give once the types of
 * their parameters are known.
 */
import { allBases } from "../runtime/cast.ts";
import {
  type NamedType,
  type Type,
  type TypeParameter,
  substitute,
  underlyingOfNullable,
} from "../runtime/type.ts";
import { naturalType } from "./binder-converts.ts";
import { lambdaBody, methodGroupReturn } from "./binder-lambda.ts";
import { delegateSignature, isError, isReferenceType, isTupleType, isVoid } from "./binder-types.ts";
import type { Bound } from "./binder-untyped.ts";
import type { Binder } from "./binder.ts";
import { implicitConversion, sameType } from "./conversions.ts";
import type { BoundArgument } from "./overloads.ts";

interface Bounds {
  readonly exact: Type[];
  readonly lower: Type[];
  readonly upper: Type[];
  fixed: Type | null;
}

type State = Map<TypeParameter, Bounds>;

/** @returns the type arguments, or null when they do not follow */
export function inferTypeArguments(
  b: Binder,
  typeParameters: readonly TypeParameter[],
  args: readonly BoundArgument[],
  parameterTypes: readonly Type[],
): readonly Type[] | null {
  const state: State = new Map(
    typeParameters.map((p) => [p, { exact: [], lower: [], upper: [], fixed: null }]),
  );
  for (const [i, arg] of args.entries()) firstPhase(b, state, arg, parameterTypes[i]!);
  if (!secondPhase(b, state, args, parameterTypes)) return null;
  return typeParameters.map((p) => state.get(p)!.fixed!);
}

function firstPhase(b: Binder, state: State, arg: BoundArgument, parameter: Type): void {
  if (arg.isOut) {
    if (arg.outType !== null && !isError(arg.outType)) exact(state, arg.outType, parameter);
    return;
  }
  const { bound } = arg;
  if (bound.kind === "pendingLambda") {
    const signature = delegateSignature(parameter);
    if (signature === null || bound.parameterTypes === null) return;
    for (const [i, type] of bound.parameterTypes.entries()) {
      const wanted = signature.parameters[i];
      if (wanted !== undefined) exact(state, type, wanted);
    }
    return;
  }
  if (bound.kind === "pendingTuple" && isTupleType(parameter)) {
    for (const [i, element] of bound.elements.entries()) {
      const wanted = parameter.args[i];
      if (wanted !== undefined) firstPhase(b, state, { ...arg, bound: element }, wanted);
    }
    return;
  }
  const type = naturalType(b, bound);
  if (type !== null && type.kind !== "null" && !isError(type)) lower(state, type, parameter);
}

/** Fixes what can be fixed, learns from lambdas whose parameters are known, until nothing is open. */
function secondPhase(
  b: Binder,
  state: State,
  args: readonly BoundArgument[],
  parameterTypes: readonly Type[],
): boolean {
  const done = new Set<number>();
  for (;;) {
    const open = [...state].filter(([, bounds]) => bounds.fixed === null).map(([p]) => p);
    if (open.length === 0) return true;
    // What a lambda still to come may say something about has to wait for it.
    const waiting = new Set<TypeParameter>();
    for (const [i, arg] of args.entries()) {
      if (done.has(i) || !isFunctionLike(arg.bound)) continue;
      const signature = delegateSignature(parameterTypes[i]!);
      if (signature === null) continue;
      collect(signature.returns, waiting);
    }
    let moved = false;
    for (const p of open) {
      const bounds = state.get(p)!;
      if (!waiting.has(p) && hasBounds(bounds)) {
        if (!fix(bounds)) return false;
        moved = true;
      }
    }
    for (const [i, arg] of args.entries()) {
      if (done.has(i) || !isFunctionLike(arg.bound)) continue;
      const signature = delegateSignature(parameterTypes[i]!);
      if (
        signature === null ||
        signature.parameters.some((type) => mentionsOpen(state, type) && !isExplicit(arg.bound))
      )
        continue;
      done.add(i);
      moved = true;
      const inputs = signature.parameters.map((type) => substitute(type, fixedTypes(state)));
      const result = outputType(b, arg.bound, inputs);
      if (result === "failed") return false;
      if (result !== null && !isVoid(result)) lower(state, result, signature.returns);
    }
    if (moved) continue;
    // A circle: fix whatever has bounds, even if a lambda could still add to it.
    const stuck = open.find((p) => hasBounds(state.get(p)!));
    if (stuck === undefined || !fix(state.get(stuck)!)) return false;
  }
}

const isFunctionLike = (bound: Bound): boolean =>
  bound.kind === "pendingLambda" || bound.kind === "pendingMethods" || bound.kind === "pendingLocalFunction";
const isExplicit = (bound: Bound): boolean => bound.kind === "pendingLambda" && bound.parameterTypes !== null;
const hasBounds = (bounds: Bounds): boolean =>
  bounds.exact.length + bounds.lower.length + bounds.upper.length > 0;

function outputType(b: Binder, bound: Bound, inputs: readonly Type[]): Type | null | "failed" {
  if (bound.kind === "pendingLambda") {
    if (bound.parameters.length !== inputs.length) return "failed";
    const body = lambdaBody(b, bound, bound.parameterTypes ?? inputs);
    return body.naturalType;
  }
  if (bound.kind === "pendingLocalFunction") return bound.local.returnType;
  return bound.kind === "pendingMethods" ? methodGroupReturn(b, bound, inputs) : null;
}

function fixedTypes(state: State): ReadonlyMap<TypeParameter, Type> {
  const map = new Map<TypeParameter, Type>();
  for (const [p, bounds] of state) if (bounds.fixed !== null) map.set(p, bounds.fixed);
  return map;
}

function mentionsOpen(state: State, type: Type): boolean {
  const found = new Set<TypeParameter>();
  collect(type, found);
  for (const p of found) if (state.get(p)?.fixed === null) return true;
  return false;
}

function collect(type: Type, into: Set<TypeParameter>): void {
  if (type.kind === "parameter") into.add(type);
  else if (type.kind === "array") collect(type.element, into);
  else if (type.kind === "named") for (const arg of type.args) collect(arg, into);
}

function add(list: Type[], type: Type): void {
  if (!list.some((known) => sameType(known, type))) list.push(type);
}

function exact(state: State, from: Type, to: Type): void {
  if (to.kind === "parameter") {
    const bounds = state.get(to);
    if (bounds !== undefined) add(bounds.exact, from);
  } else if (to.kind === "array" && from.kind === "array") exact(state, from.element, to.element);
  else if (to.kind === "named" && from.kind === "named" && to.definition === from.definition) {
    for (const [i, arg] of to.args.entries()) exact(state, from.args[i]!, arg);
  }
}

function lower(state: State, from: Type, to: Type): void {
  if (to.kind === "parameter") {
    const bounds = state.get(to);
    if (bounds !== undefined) add(bounds.lower, from);
    return;
  }
  if (to.kind === "array") {
    if (from.kind === "array") byReference(state, from.element, to.element);
    return;
  }
  if (to.kind !== "named" || to.args.length === 0) return;
  const inner = underlyingOfNullable(to);
  if (inner !== null) {
    lower(state, underlyingOfNullable(from) ?? from, inner);
    return;
  }
  if (from.kind === "array") {
    if (to.definition.kind === "interface" && to.args.length === 1)
      byReference(state, from.element, to.args[0]!);
    return;
  }
  if (from.kind !== "named") return;
  const forms = allBases(from).filter((base) => base.definition === to.definition);
  // JObject is an IEnumerable of two kinds: nothing follows.
  if (forms.length !== 1) return;
  for (const [i, arg] of to.args.entries()) {
    const given = forms[0]!.args[i]!;
    const kind = variance(to, i);
    if (kind === "in") upper(state, given, arg);
    else if (kind === "out") byReference(state, given, arg);
    else exact(state, given, arg);
  }
}

function byReference(state: State, from: Type, to: Type): void {
  if (isReferenceType(from)) lower(state, from, to);
  else exact(state, from, to);
}

function upper(state: State, from: Type, to: Type): void {
  if (to.kind === "parameter") {
    const bounds = state.get(to);
    if (bounds !== undefined) add(bounds.upper, from);
  } else exact(state, from, to);
}

const INVARIANT = new Set([
  "List",
  "IList",
  "ICollection",
  "IDictionary",
  "Dictionary",
  "ISet",
  "HashSet",
  "Queue",
  "Stack",
]);
const CONTRAVARIANT = new Set([
  "IComparer",
  "IEqualityComparer",
  "IComparable",
  "Action",
  "Predicate",
  "Comparison",
]);

function variance(type: NamedType, index: number): "in" | "out" | "none" {
  const { definition } = type;
  if (CONTRAVARIANT.has(definition.shortName)) return "in";
  if (definition.kind === "delegate") return index === definition.parameters.length - 1 ? "out" : "in";
  if (definition.kind !== "interface" || INVARIANT.has(definition.shortName)) return "none";
  return definition.shortName === "IReadOnlyDictionary" && index === 0 ? "none" : "out";
}

/** C# §12.6.3.12: the one bound that agrees with all others. */
function fix(bounds: Bounds): boolean {
  const { exact: same, lower: from, upper: to } = bounds;
  let candidates = [...same];
  if (candidates.length === 0) for (const type of [...from, ...to]) add(candidates, type);
  candidates = candidates.filter(
    (type) =>
      same.every((t) => sameType(t, type)) &&
      from.every((t) => sameType(t, type) || implicitConversion(t, type) !== null) &&
      to.every((t) => sameType(t, type) || implicitConversion(type, t) !== null),
  );
  if (candidates.length > 1) {
    candidates = candidates.filter((type) =>
      candidates.every((other) => other === type || implicitConversion(other, type) !== null),
    );
  }
  bounds.fixed = candidates.length === 1 ? candidates[0]! : null;
  return bounds.fixed !== null;
}

/**
 * The one type of a set of expressions (`new[] { … }`, lambda results): that of one of them, to which all others
 * convert. Null when there is none.
 */
export function bestCommonType(
  b: Binder,
  bounds: readonly Bound[],
  converts: (b: Binder, from: Bound, to: Type) => boolean,
): Type | null {
  const candidates: Type[] = [];
  for (const bound of bounds) {
    const type = bound.kind === "throw" ? null : naturalType(b, bound);
    if (type !== null && type.kind !== "null" && !isVoid(type)) add(candidates, type);
  }
  if (candidates.length === 1 && bounds.every((bound) => converts(b, bound, candidates[0]!)))
    return candidates[0]!;
  const good = candidates.filter((type) => bounds.every((bound) => converts(b, bound, type)));
  if (good.length <= 1) return good[0] ?? null;
  const best = good.filter((type) =>
    good.every((other) => other === type || implicitConversion(other, type) !== null),
  );
  return best.length === 1 ? best[0]! : null;
}
