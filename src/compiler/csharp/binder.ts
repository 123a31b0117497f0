/**
 * The binder's state: where it is (function, scope, checked or not), what it has said, and the small constructors of
 * bound nodes that every part uses. The parts are functions over it: `binder-expressions.ts` (one expression),
 * `binder-statements.ts`, `binder-members.ts` (what stands behind a dot), `binder-calls.ts`, `binder-lambda.ts`, ….
 */
import { type Type, ERROR_TYPE } from "../runtime/type.ts";
import { type BinderCode, binderDiagnostic } from "./binder-messages.ts";
import { Scope, slotIn } from "./binder-scope.ts";
import type { BinderDiagnostic, Bound } from "./binder-untyped.ts";
import type {
  BoundAssign,
  BoundConstant,
  BoundConvert,
  BoundError,
  BoundExpression,
  BoundFunction,
  BoundLocal,
  Conversion,
  LabelSymbol,
  LocalSymbol,
} from "./bound.ts";
import type { Span } from "./tree.ts";

/** Nodes bound for one expression, all attempts at lambdas included. The largest real policies need a few thousand. */
const MOST_STEPS = 200_000;

/** Mistakes said about one expression, attempts at lambdas included. Who has more learns nothing from the rest. */
const MOST_REPORTS = 300;

export class BindingTooComplex extends Error {}
export class TooManyMistakes extends Error {}

/** What stands around a statement. */
export interface Surroundings {
  readonly loop: boolean;
  readonly switch: SwitchSurroundings | null;
  readonly catch: boolean;
}

export interface SwitchSurroundings {
  readonly cases: { readonly constant: unknown; readonly label: LabelSymbol }[];
  readonly default: LabelSymbol | null;
  readonly governing: Type;
  readonly outer: SwitchSurroundings | null;
}

export class Binder {
  diagnostics: BinderDiagnostic[] = [];
  scope: Scope;
  /** null: the default, unchecked but for constants. */
  checked: boolean | null = null;
  /** Receivers of the enclosing `?.`, innermost last. */
  readonly receivers: LocalSymbol[] = [];
  surroundings: Surroundings = { loop: false, switch: null, catch: false };
  /** Return values of the function being bound, in order; see `binder-lambda.ts`. */
  returns:
    | { readonly result: Bound | null; readonly span: Span; set: (value: BoundExpression) => void }[]
    | null = null;

  #steps = 0;
  #reports = 0;

  constructor(root: BoundFunction) {
    this.scope = new Scope(null, root);
  }

  /** What was said outside of attempts. */
  readonly mistakes: BinderDiagnostic[] = this.diagnostics;

  get function(): BoundFunction {
    return this.scope.function;
  }

  report(
    code: BinderCode,
    span: Span,
    values: Readonly<Record<string, string | number>> = {},
    hint?: string | null,
  ): void {
    if (++this.#reports > MOST_REPORTS) throw new TooManyMistakes();
    const made = binderDiagnostic(code, span, values, hint);
    const twin = this.diagnostics.some(
      (d) => d.code === made.code && d.start === made.start && d.end === made.end,
    );
    if (!twin) this.diagnostics.push(made);
  }

  /** Reports, and gives the node to go on with. */
  fail(
    code: BinderCode,
    span: Span,
    values: Readonly<Record<string, string | number>> = {},
    hint?: string | null,
  ): BoundError {
    this.report(code, span, values, hint);
    return errorNode(span);
  }

  /** Pays for one node. */
  step(): void {
    if (++this.#steps > MOST_STEPS) throw new BindingTooComplex();
  }

  /** Runs with an empty list of diagnostics and gives back what was said. */
  aside<T>(action: () => T): { readonly result: T; readonly diagnostics: BinderDiagnostic[] } {
    const outer = this.diagnostics;
    const diagnostics: BinderDiagnostic[] = [];
    this.diagnostics = diagnostics;
    try {
      return { result: action(), diagnostics };
    } finally {
      this.diagnostics = outer;
    }
  }

  /** Runs in a scope inside the current one. */
  within<T>(scope: Scope, action: () => T): T {
    const outer = this.scope;
    this.scope = scope;
    try {
      return action();
    } finally {
      this.scope = outer;
    }
  }

  nested(): Scope {
    return new Scope(this.scope, this.scope.function);
  }

  /** A variable without a name in the source. */
  temp(type: Type, span: Span, fn: BoundFunction = this.function): LocalSymbol {
    return newSymbol(fn, "temporary", `<${fn.slotCount}>`, type, span);
  }

  /** A named variable of the current scope. */
  declare(kind: LocalSymbol["kind"], name: string, type: Type, span: Span): LocalSymbol {
    const symbol = newSymbol(this.function, kind, name, type, span);
    if (!this.scope.declare(name, { kind: "variable", symbol })) this.report("HG3123", span, { name });
    if (kind !== "parameter") this.scope.locals.push(symbol);
    return symbol;
  }

  read(symbol: LocalSymbol, span: Span): BoundLocal {
    const slot = slotIn(this.function, symbol);
    return { kind: "local", symbol, slot, type: symbol.type, start: span.start, end: span.end };
  }
}

export function newSymbol(
  fn: BoundFunction,
  kind: LocalSymbol["kind"],
  name: string,
  type: Type,
  span: Span,
): LocalSymbol {
  const slot = fn.slotCount++;
  return { name, type, kind, function: fn, slot, isCaptured: false, start: span.start, end: span.end };
}

export function errorNode(span: Span): BoundError {
  return { kind: "error", type: ERROR_TYPE, start: span.start, end: span.end };
}

export function constantNode(value: unknown, type: Type, span: Span): BoundConstant {
  return { kind: "constant", value, type, start: span.start, end: span.end };
}

export function convertNode(conversion: Conversion, operand: BoundExpression, type: Type): BoundConvert {
  return { kind: "convert", conversion, operand, type, start: operand.start, end: operand.end };
}

/** `temp = value`, as a step of a sequence. */
export function assignTemp(b: Binder, symbol: LocalSymbol, value: BoundExpression): BoundAssign {
  const slot = slotIn(b.function, symbol);
  const target = { kind: "local", symbol, slot } as const;
  return {
    kind: "assign",
    target,
    value,
    declares: true,
    type: value.type,
    start: value.start,
    end: value.end,
  };
}

export function sequence(
  steps: readonly BoundExpression[],
  value: BoundExpression,
  span: Span,
): BoundExpression {
  if (steps.length === 0) return value;
  return { kind: "sequence", steps, value, type: value.type, start: span.start, end: span.end };
}

/** The node at another type of the same representation. */
export function retype<T extends BoundExpression>(node: T, type: Type): T {
  return node.type === type ? node : { ...node, type };
}
