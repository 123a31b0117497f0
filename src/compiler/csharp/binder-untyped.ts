/**
 * Bound forms that have no type of their own yet: they take one from where they stand (a lambda from the delegate it
 * becomes), or are no values at all (a type, a namespace). `binder-convert.ts` turns them into real nodes; none of
 * them reaches the bound tree.
 */
import type { Type } from "../runtime/type.ts";
import type { Scope } from "./binder-scope.ts";
import type { Binder } from "./binder.ts";
import type { BoundBlock, BoundExpression, BoundFunction, LocalSymbol } from "./bound.ts";
import type { CandidateMethod } from "./overloads.ts";
import type { NewExpression } from "./tree.ts";

interface Untyped {
  readonly type: null;
  readonly start: number;
  readonly end: number;
}

export interface PendingLambda extends Untyped {
  readonly kind: "pendingLambda";
  readonly parameters: readonly { readonly name: string; readonly start: number; readonly end: number }[];
  /** Binds the body in the lambda's own function, where the parameters have been declared. */
  readonly bindBody: (b: Binder, parameters: readonly LocalSymbol[]) => Bound | BoundBlock;
  /** Where it was written. */
  readonly scope: Scope;
  readonly function: BoundFunction;
  readonly checked: boolean | null;
  readonly receivers: readonly LocalSymbol[];
  /** The types written at the parameters, or null. */
  readonly parameterTypes: readonly Type[] | null;
  /** Bodies bound so far, each for its own parameter types. */
  readonly bodies: { readonly types: readonly Type[]; readonly body: LambdaBody }[];
}

/** The body of a lambda for certain parameter types. Return values are not yet converted. */
export interface LambdaBody {
  readonly function: BoundFunction;
  /** Values of `return e;` or the expression body. Empty for blocks that return nothing. */
  readonly results: readonly Bound[];
  readonly isExpression: boolean;
  /** An expression that may also stand as a statement, so that an Action can be made of it. */
  readonly isStatement: boolean;
  /** A block whose end can be reached (returns nothing there). */
  readonly endReachable: boolean;
  readonly diagnostics: readonly BinderDiagnostic[];
  /** Result type the body settles on by itself; void when it returns nothing; null when there is none. */
  readonly naturalType: Type | null;
  /** Replaces return values by converted ones; called once. */
  readonly finish: (convert: (result: Bound) => BoundExpression) => void;
}

export interface BinderDiagnostic {
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly start: number;
  readonly end: number;
  readonly hint?: string;
}

export interface PendingMethods extends Untyped {
  readonly kind: "pendingMethods";
  readonly name: string;
  /** Start of the name alone. */
  readonly nameStart: number;
  readonly nameEnd: number;
  /** Value before the dot; null for static members. */
  readonly receiver: BoundExpression | null;
  /** Type that was asked. */
  readonly owner: Type;
  readonly candidates: readonly CandidateMethod[];
  /** Tried when no candidate fits. */
  readonly extensions: readonly CandidateMethod[];
  readonly typeArguments: readonly Type[] | null;
}

/** A local function by name. */
export interface PendingLocalFunction extends Untyped {
  readonly kind: "pendingLocalFunction";
  readonly local: LocalFunction;
}

export interface LocalFunction {
  readonly name: string;
  readonly symbol: LocalSymbol;
  readonly parameters: readonly LocalParameter[];
  readonly returnType: Type;
}

export interface LocalParameter {
  readonly name: string;
  readonly type: Type;
  readonly mode: "value" | "out" | "params";
  readonly optional?: { readonly value: BoundExpression };
}

/** Bare `default`. */
export interface PendingDefault extends Untyped {
  readonly kind: "pendingDefault";
}

/** `new(…)`. */
export interface PendingNew extends Untyped {
  readonly kind: "pendingNew";
  readonly node: NewExpression;
}

/** `c ? a : b` whose arms have no common type of their own. */
export interface PendingConditional extends Untyped {
  readonly kind: "pendingConditional";
  readonly condition: BoundExpression;
  readonly whenTrue: Bound;
  readonly whenFalse: Bound;
}

export interface PendingSwitch extends Untyped {
  readonly kind: "pendingSwitch";
  readonly subject: BoundExpression;
  readonly temp: LocalSymbol;
  readonly arms: readonly { readonly test: BoundExpression; readonly value: Bound }[];
}

/** A tuple literal; `natural` is its own type when every element has one. */
export interface PendingTuple extends Untyped {
  readonly kind: "pendingTuple";
  readonly elements: readonly Bound[];
  readonly names: readonly (string | null)[];
}

export interface PendingType extends Untyped {
  readonly kind: "pendingType";
  readonly named: Type;
}

/** `System`, `System.Net`; or a dotted name below one that is no type. */
export interface PendingNamespace extends Untyped {
  readonly kind: "pendingNamespace";
  readonly name: string;
}

export type Pending =
  | PendingLambda
  | PendingMethods
  | PendingLocalFunction
  | PendingDefault
  | PendingNew
  | PendingConditional
  | PendingSwitch
  | PendingTuple
  | PendingType
  | PendingNamespace;

export type Bound = BoundExpression | Pending;

export function isTyped(bound: Bound): bound is BoundExpression {
  return bound.type !== null;
}
