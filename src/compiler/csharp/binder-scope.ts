/**
 * Names in scope. A scope belongs to a block, loop, lambda …; what C# forbids is checked here: two of one name, and
 * hiding an outer local.
 */
import type { Type } from "../runtime/type.ts";
import type { LocalFunction } from "./binder-untyped.ts";
import type {
  BoundExpression,
  BoundFunction,
  BoundLocalFunction,
  LabelSymbol,
  LocalSymbol,
} from "./bound.ts";

/** What a simple name may stand for in a scope. */
export type NamedThing =
  | { readonly kind: "variable"; readonly symbol: LocalSymbol }
  | { readonly kind: "constant"; readonly value: BoundExpression }
  | { readonly kind: "function"; readonly local: LocalFunction }
  /** A query's range variable: how to read it from the lambda's parameter. */
  | { readonly kind: "range"; readonly read: () => BoundExpression };

/** Where `break`, `continue` and `goto case` may lead. */
export interface Jumps {
  readonly canBreak: boolean;
  readonly canContinue: boolean;
}

export class Scope {
  readonly parent: Scope | null;
  readonly function: BoundFunction;
  readonly names = new Map<string, NamedThing>();
  /** Locals to be declared by the node that this scope belongs to. */
  readonly locals: LocalSymbol[] = [];
  readonly functions: BoundLocalFunction[] = [];
  readonly labels = new Map<string, LabelSymbol>();
  /** Names that scopes inside this one declare: this one may not declare them afterwards. */
  readonly #inner = new Set<string>();

  constructor(parent: Scope | null, fn: BoundFunction) {
    this.parent = parent;
    this.function = fn;
  }

  lookup(name: string): NamedThing | null {
    for (let scope: Scope | null = this; scope !== null; scope = scope.parent) {
      const found = scope.names.get(name);
      if (found !== undefined) return found;
    }
    return null;
  }

  /** @returns false when the name is taken here, in an enclosing scope, or already used by one inside */
  declare(name: string, thing: NamedThing): boolean {
    const free = this.lookup(name) === null && !this.#inner.has(name);
    this.names.set(name, thing);
    for (let scope = this.parent; scope !== null; scope = scope.parent) scope.#inner.add(name);
    return free;
  }

  findLabel(name: string): LabelSymbol | null {
    for (
      let scope: Scope | null = this;
      scope !== null && scope.function === this.function;
      scope = scope.parent
    ) {
      const label = scope.labels.get(name);
      if (label !== undefined) return label;
    }
    return null;
  }

  /** All names that can be used here, for hints. */
  *visibleNames(): Generator<string> {
    for (let scope: Scope | null = this; scope !== null; scope = scope.parent) yield* scope.names.keys();
  }
}

/** A frame to be filled. */
export function newFunction(
  parent: BoundFunction | null,
  returnType: Type,
): BoundFunction & { parameters: LocalSymbol[] } {
  return {
    parent,
    depth: parent === null ? 0 : parent.depth + 1,
    parameters: [],
    returnType,
    slotCount: 0,
    captures: [],
    body: { kind: "block", locals: [], functions: [], statements: [], start: 0, end: 0 },
  };
}

/** The slot in `fn`'s frame where `symbol` stands; captures it through every function in between. */
export function slotIn(fn: BoundFunction, symbol: LocalSymbol): number {
  if (symbol.function === fn) return symbol.slot;
  for (const capture of fn.captures) if (capture.symbol === symbol) return capture.slot;
  if (fn.parent === null) throw new Error(`local ${symbol.name} belongs to no enclosing function`);
  symbol.isCaptured = true;
  const outerSlot = slotIn(fn.parent, symbol);
  const slot = fn.slotCount++;
  fn.captures.push({ symbol, outerSlot, slot });
  return slot;
}
