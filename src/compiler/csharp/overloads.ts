/**
 * Overload resolution (C# §12.6.4): which of several methods takes these arguments, and which is best. Works on
 * candidates, so methods, constructors, indexers, operators, delegates and local functions all go through it.
 */
import {
  type Member,
  type NamedType,
  type Parameter,
  type Type,
  type TypeParameter,
  bindings,
  displayName,
  substitute,
} from "../runtime/type.ts";
import { allBases } from "../runtime/cast.ts";
import { converts, isBetterConversion } from "./binder-converts.ts";
import { isError } from "./binder-types.ts";
import type { Bound } from "./binder-untyped.ts";
import type { Binder } from "./binder.ts";
import type { BoundExpression } from "./bound.ts";
import { implicitConversion, sameType } from "./conversions.ts";
import { inferTypeArguments } from "./inference.ts";
import type { Argument } from "./tree.ts";

/** A method over the arguments of its declaring type; its own type parameters are still open. */
export interface CandidateMethod {
  readonly name: string;
  /** null for local functions and delegates. */
  readonly member: Member | null;
  /** With arguments; null without member. */
  readonly declaring: NamedType | null;
  readonly typeParameters: readonly TypeParameter[];
  readonly parameters: readonly CandidateParameter[];
  readonly returns: Type;
  readonly isStatic: boolean;
  readonly isExtension: boolean;
  /** Default values of a local function's parameters; those of members are in their signature. */
  readonly defaults?: readonly (BoundExpression | null)[];
}

export interface CandidateParameter {
  readonly name: string;
  readonly type: Type;
  readonly mode: Parameter["mode"];
  readonly isOptional: boolean;
}

export interface BoundArgument {
  readonly bound: Bound;
  readonly name: string | null;
  readonly isOut: boolean;
  /** Type of an `out` variable; null when it takes the parameter's (`out var x`, `out _`). */
  readonly outType: Type | null;
  readonly node: Pick<Argument, "start" | "end">;
  /** The value before the dot of an extension method: converts by reference or boxing only. */
  readonly isReceiver?: boolean;
}

/** One way to call a candidate. */
export interface Applicable {
  readonly candidate: CandidateMethod;
  readonly typeArguments: readonly Type[];
  /** Parameter types with the type arguments put in. */
  readonly parameterTypes: readonly Type[];
  readonly returns: Type;
  /** `params` given one by one. */
  readonly expanded: boolean;
  /** For each argument, the index of its parameter. */
  readonly slots: readonly number[];
}

/** What was wrong with the most promising candidate. */
export type Failure =
  | { readonly kind: "count" }
  | {
      readonly kind: "types";
      readonly argument: number;
      readonly wanted: Type;
      readonly candidate: CandidateMethod;
    }
  | { readonly kind: "out"; readonly argument: number; readonly wantsOut: boolean }
  | { readonly kind: "name"; readonly name: string; readonly argument: number }
  | { readonly kind: "inference" };

export type Resolution =
  | { readonly kind: "found"; readonly best: Applicable }
  | { readonly kind: "ambiguous"; readonly between: readonly Applicable[] }
  | { readonly kind: "none"; readonly failure: Failure };

export function methodCandidate(member: Member, declaring: NamedType): CandidateMethod {
  const map = bindings(declaring);
  return {
    name: member.name,
    member,
    declaring,
    typeParameters: member.typeParameters,
    parameters: member.parameters.map((p) => ({
      name: p.name,
      type: substitute(p.type, map),
      mode: p.mode,
      isOptional: p.optional !== undefined,
    })),
    returns: substitute(member.returns, map),
    isStatic: member.isStatic,
    isExtension: member.isExtension,
  };
}

/** Picks the best candidate, or says why there is none. `typeArguments` are those written at the call. */
export function resolve(
  b: Binder,
  candidates: readonly CandidateMethod[],
  args: readonly BoundArgument[],
  typeArguments: readonly Type[] | null,
): Resolution {
  const applicable: Applicable[] = [];
  let failure: Failure = { kind: "count" };
  for (const candidate of candidates) {
    const tried = tryCandidate(b, candidate, args, typeArguments);
    if ("candidate" in tried && "slots" in tried) applicable.push(tried);
    else if (rank(tried) > rank(failure)) failure = tried;
  }
  if (applicable.length === 0) return { kind: "none", failure };
  const visible = applicable.length === 1 ? applicable : withoutHidden(applicable);
  const best = pickBest(b, visible, args);
  return best === null ? { kind: "ambiguous", between: visible } : { kind: "found", best };
}

/** The nearer to success, the more worth telling. */
function rank(failure: Failure): number {
  switch (failure.kind) {
    case "count":
      return 0;
    case "name":
      return 1;
    case "out":
      return 2;
    case "inference":
      return 3;
    case "types":
      return 4 + failure.argument / 1000;
  }
}

function tryCandidate(
  b: Binder,
  candidate: CandidateMethod,
  args: readonly BoundArgument[],
  typeArguments: readonly Type[] | null,
): Applicable | Failure {
  if (typeArguments !== null && candidate.typeParameters.length !== typeArguments.length)
    return { kind: "count" };
  const normal = tryForm(b, candidate, args, typeArguments, false);
  if ("slots" in normal || candidate.parameters.at(-1)?.mode !== "params") return normal;
  const expanded = tryForm(b, candidate, args, typeArguments, true);
  return "slots" in expanded || rank(expanded) > rank(normal) ? expanded : normal;
}

function tryForm(
  b: Binder,
  candidate: CandidateMethod,
  args: readonly BoundArgument[],
  typeArguments: readonly Type[] | null,
  expanded: boolean,
): Applicable | Failure {
  const slots = matchArguments(candidate, args, expanded);
  if (!Array.isArray(slots)) return slots as Failure;
  const open = candidate.parameters.map((p) => p.type);
  let closed = typeArguments ?? [];
  if (candidate.typeParameters.length > 0 && typeArguments === null) {
    const inferred = inferTypeArguments(
      b,
      candidate.typeParameters,
      args,
      slots.map((i) => formType(candidate, open, i, expanded)),
    );
    if (inferred === null) return { kind: "inference" };
    closed = inferred;
  }
  const map = new Map(candidate.typeParameters.map((p, i) => [p, closed[i]!]));
  const parameterTypes = open.map((type) => substitute(type, map));
  for (const [i, arg] of args.entries()) {
    const parameter = candidate.parameters[slots[i]!]!;
    const wanted = formType(candidate, parameterTypes, slots[i]!, expanded);
    if (arg.isOut !== (parameter.mode === "out"))
      return { kind: "out", argument: i, wantsOut: parameter.mode === "out" };
    const fits = arg.isOut
      ? arg.outType === null || isError(arg.outType) || sameType(arg.outType, wanted)
      : converts(b, arg.bound, wanted);
    if (!fits || (arg.isReceiver === true && !isPlain(arg.bound, wanted)))
      return { kind: "types", argument: i, wanted, candidate };
  }
  return {
    candidate,
    typeArguments: closed,
    parameterTypes,
    returns: substitute(candidate.returns, map),
    expanded,
    slots,
  };
}

function isPlain(bound: Bound, wanted: Type): boolean {
  if (bound.type === null) return false;
  const kind = implicitConversion(bound.type, wanted)?.kind;
  return kind === "identity" || kind === "upcast" || kind === "box";
}

/** The type an argument meets at parameter `index`: an element of the array in expanded form. */
export function formType(
  candidate: CandidateMethod,
  types: readonly Type[],
  index: number,
  expanded: boolean,
): Type {
  const type = types[index]!;
  if (!expanded || index !== candidate.parameters.length - 1) return type;
  return type.kind === "array" ? type.element : type;
}

/** For each argument the index of its parameter, or why they do not match up. */
function matchArguments(
  candidate: CandidateMethod,
  args: readonly BoundArgument[],
  expanded: boolean,
): number[] | Failure {
  const { parameters } = candidate;
  const slots: number[] = [];
  const taken = new Array<boolean>(parameters.length).fill(false);
  const last = parameters.length - 1;
  let named = false;
  for (const [i, arg] of args.entries()) {
    let index = i;
    if (arg.name !== null) {
      named = true;
      index = parameters.findIndex((p) => p.name === arg.name);
      if (index < 0 || taken[index]) return { kind: "name", name: arg.name, argument: i };
    } else if (named && slots[i - 1] !== i - 1) {
      return { kind: "count" };
    } else if (expanded && index > last) index = last;
    else if (index > last) return { kind: "count" };
    taken[index] = true;
    slots.push(index);
  }
  for (const [i, parameter] of parameters.entries()) {
    if (!taken[i] && !parameter.isOptional && !(expanded && i === last)) return { kind: "count" };
  }
  return slots;
}

/** Methods of a base are hidden by any applicable one of a class derived from it (C# §12.8.10.2). */
function withoutHidden(applicable: readonly Applicable[]): readonly Applicable[] {
  const owners = new Set<NamedType>();
  for (const { candidate } of applicable)
    if (candidate.declaring !== null && !candidate.isExtension) owners.add(candidate.declaring);
  if (owners.size < 2) return applicable;
  return applicable.filter(({ candidate }) => {
    const own = candidate.declaring;
    if (own === null || candidate.isExtension) return true;
    for (const other of owners) if (other !== own && derives(other, own)) return false;
    return true;
  });
}

function derives(type: NamedType, base: NamedType): boolean {
  return base.definition.fullName === "System.Object" || allBases(type).includes(base);
}

function pickBest(
  b: Binder,
  applicable: readonly Applicable[],
  args: readonly BoundArgument[],
): Applicable | null {
  if (applicable.length === 1) return applicable[0]!;
  for (const one of applicable) {
    if (applicable.every((other) => other === one || isBetter(b, one, other, args))) return one;
  }
  return null;
}

/** C# §12.6.4.3. */
function isBetter(b: Binder, one: Applicable, other: Applicable, args: readonly BoundArgument[]): boolean {
  let better = false;
  let same = true;
  for (const [i, arg] of args.entries()) {
    const t1 = formType(one.candidate, one.parameterTypes, one.slots[i]!, one.expanded);
    const t2 = formType(other.candidate, other.parameterTypes, other.slots[i]!, other.expanded);
    if (!sameType(t1, t2)) same = false;
    if (arg.isOut) continue;
    if (isBetterConversion(b, arg.bound, t2, t1)) return false;
    if (isBetterConversion(b, arg.bound, t1, t2)) better = true;
  }
  if (better) return true;
  return same || args.length === 0 || equallyGood(one, other, args) ? breaksTie(one, other, args) : false;
}

/** Neither is better for any argument and the parameter types agree where arguments stand. */
function equallyGood(one: Applicable, other: Applicable, args: readonly BoundArgument[]): boolean {
  return args.every((_, i) =>
    sameType(
      formType(one.candidate, one.parameterTypes, one.slots[i]!, one.expanded),
      formType(other.candidate, other.parameterTypes, other.slots[i]!, other.expanded),
    ),
  );
}

function breaksTie(one: Applicable, other: Applicable, args: readonly BoundArgument[]): boolean {
  const a = one.candidate;
  const z = other.candidate;
  if (a.typeParameters.length === 0 && z.typeParameters.length > 0) return true;
  if (a.typeParameters.length > 0 && z.typeParameters.length === 0) return false;
  if (one.expanded !== other.expanded) return !one.expanded;
  if (one.expanded && a.parameters.length !== z.parameters.length)
    return a.parameters.length > z.parameters.length;
  const missing = (way: Applicable): boolean => way.candidate.parameters.length > args.length;
  if (missing(one) !== missing(other)) return !missing(one);
  return isMoreSpecific(a, z, one, other);
}

function isMoreSpecific(a: CandidateMethod, z: CandidateMethod, one: Applicable, other: Applicable): boolean {
  let more = false;
  for (const [i, slot] of one.slots.entries()) {
    const t1 = formType(
      a,
      a.parameters.map((p) => p.type),
      slot,
      one.expanded,
    );
    const t2 = formType(
      z,
      z.parameters.map((p) => p.type),
      other.slots[i]!,
      other.expanded,
    );
    const order = specificity(t1, t2);
    if (order < 0) return false;
    if (order > 0) more = true;
  }
  if (more) return true;
  // The same signature twice: an override in an interface and in the class. The first declared is the nearest.
  return (
    a.declaring !== null &&
    z.declaring !== null &&
    a.declaring !== z.declaring &&
    derives(a.declaring, z.declaring)
  );
}

/** > 0 when `a` is more specific than `z`: a type parameter is less specific than anything else. */
function specificity(a: Type, z: Type): number {
  if (a === z) return 0;
  if (a.kind === "parameter") return z.kind === "parameter" ? 0 : -1;
  if (z.kind === "parameter") return 1;
  if (a.kind === "array" && z.kind === "array") return specificity(a.element, z.element);
  if (a.kind === "named" && z.kind === "named" && a.definition === z.definition) {
    let sum = 0;
    for (const [i, arg] of a.args.entries()) {
      const order = specificity(arg, z.args[i]!);
      if (order !== 0 && sum !== 0 && order !== sum) return 0;
      if (order !== 0) sum = Math.sign(order);
    }
    return sum;
  }
  return 0;
}

/** `Substring(int startIndex, int length)`, for messages. */
export function signatureText(candidate: CandidateMethod): string {
  const parameters = candidate.isExtension ? candidate.parameters.slice(1) : candidate.parameters;
  const generics =
    candidate.typeParameters.length === 0
      ? ""
      : `<${candidate.typeParameters.map((p) => p.name).join(", ")}>`;
  const list = parameters.map((p) => {
    const mode = p.mode === "value" ? "" : `${p.mode} `;
    return `${mode}${displayName(p.type)} ${p.name}${p.isOptional ? " = …" : ""}`;
  });
  if (candidate.name === "this[]") return `[${list.join(", ")}]`;
  return `${candidate.name}${generics}(${list.join(", ")})`;
}
