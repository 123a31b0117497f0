/**
 * Equality and order: `StringComparison`, `StringComparer`, `EqualityComparer<T>.Default`, `Comparer<T>.Default`
 * (`expressions.md` §5.2). Culture is invariant: ordinal for equality, a collation for order.
 */
import { argumentError, argumentNull, NetException } from "../errors.ts";
import { spend } from "../budget.ts";
import { defineType, generic } from "../define.ts";
import { type NamedType, type Type, type TypeDefinition, instantiate } from "../type.ts";
import { Box, type EnumValue, type NetObject, TYPE, equal, hashOf, typeOf } from "../values.ts";
import { sameValue } from "./collections.ts";
import { compareCulture, compareCultureIgnoreCase, compareNumbers, compareOrdinal } from "./comparison.ts";

/** What dictionaries, sets and LINQ ask of an `IEqualityComparer<T>`. Values are raw and not null. */
export interface EqualityLike {
  same(a: unknown, b: unknown): boolean;
  hash(value: unknown): number;
  /** Equal values give the same key and others another; only comparers of texts have it. */
  readonly key?: (value: any) => string;
}

/** What sorting asks of an `IComparer<T>`. */
export interface OrderLike {
  compare(a: unknown, b: unknown): number;
}

/** `ToUpperInvariant` without changes of length: what the IgnoreCase comparisons compare. */
export function foldCase(text: string): string {
  const upper = text.toUpperCase();
  if (upper.length === text.length) return upper;
  let folded = "";
  for (const c of text) {
    const u = c.toUpperCase();
    folded += u.length === c.length ? u : c;
  }
  return folded;
}

/** Numbers of `StringComparison`. */
const CURRENT_CULTURE = 0;
const CURRENT_CULTURE_IGNORE_CASE = 1;
const INVARIANT_CULTURE = 2;
const INVARIANT_CULTURE_IGNORE_CASE = 3;
const ORDINAL = 4;
const ORDINAL_IGNORE_CASE = 5;

export const STRING_COMPARISON: TypeDefinition = defineType(
  "enum System.StringComparison",
  {},
  {
    values: {
      CurrentCulture: CURRENT_CULTURE,
      CurrentCultureIgnoreCase: CURRENT_CULTURE_IGNORE_CASE,
      InvariantCulture: INVARIANT_CULTURE,
      InvariantCultureIgnoreCase: INVARIANT_CULTURE_IGNORE_CASE,
      Ordinal: ORDINAL,
      OrdinalIgnoreCase: ORDINAL_IGNORE_CASE,
    },
  },
);

/** Whether a `StringComparison` ignores case. @throws ArgumentException for a number that is none */
export function ignoresCase(comparison: EnumValue): boolean {
  const { number } = comparison;
  if (number < CURRENT_CULTURE || number > ORDINAL_IGNORE_CASE) {
    throw argumentError("The string comparison type passed in is currently not supported.", "comparisonType");
  }
  return (number & 1) === 1;
}

/** `string.Compare(a, b, comparison)`; null sorts first. */
export function compareTexts(a: string | null, b: string | null, comparison: EnumValue): number {
  const noCase = ignoresCase(comparison);
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  if (comparison.number < ORDINAL) return noCase ? compareCultureIgnoreCase(a, b) : compareCulture(a, b);
  return noCase ? compareOrdinal(foldCase(a), foldCase(b)) : compareOrdinal(a, b);
}

/** Equality of two texts without case, the fast way. */
export function sameTextIgnoringCase(a: string, b: string): boolean {
  return a === b || (a.length === b.length && foldCase(a) === foldCase(b));
}

/** `StringComparer.X`: equality and order of texts in one object. */
export class StringComparer implements NetObject, EqualityLike, OrderLike {
  readonly name: string;
  readonly key: (value: any) => string;
  readonly #order: (a: string, b: string) => number;

  constructor(name: string, key: (value: string) => string, order: (a: string, b: string) => number) {
    this.name = name;
    this.key = key;
    this.#order = order;
  }

  get [TYPE](): Type {
    return instantiate(STRING_COMPARER);
  }

  same(a: unknown, b: unknown): boolean {
    if (a === b) return true;
    if (typeof a !== "string" || typeof b !== "string") return false;
    return this.key(a) === this.key(b);
  }

  hash(value: unknown): number {
    if (value === null) throw argumentNull("obj");
    return typeof value === "string" ? hashOf(this.key(value)) : hashOf(value);
  }

  compare(a: unknown, b: unknown): number {
    if (a === b) return 0;
    if (a === null) return -1;
    if (b === null) return 1;
    return this.#order(a as string, b as string);
  }
}

const asIs = (text: string): string => text;
const ordinalIgnoreCase = (a: string, b: string): number => compareOrdinal(foldCase(a), foldCase(b));
const ORDINAL_COMPARER = new StringComparer("Ordinal", asIs, compareOrdinal);
const ORDINAL_IGNORE_CASE_COMPARER = new StringComparer("OrdinalIgnoreCase", foldCase, ordinalIgnoreCase);
const CULTURE_COMPARER = new StringComparer("InvariantCulture", asIs, compareCulture);
const CULTURE_IGNORE_CASE_COMPARER = new StringComparer(
  "InvariantCultureIgnoreCase",
  foldCase,
  compareCultureIgnoreCase,
);

defineType("interface System.Collections.IEqualityComparer");
defineType("interface System.Collections.Generic.IEqualityComparer<T>", {
  "bool Equals(T x, T y)": (comparer: EqualityLike, a: unknown, b: unknown) => sameBy(comparer, a, b),
  "int GetHashCode(T obj)": (comparer: EqualityLike, value: unknown) => hashBy(comparer, value),
});
defineType("interface System.Collections.Generic.IComparer<T>", {
  "int Compare(T x, T y)": (comparer: OrderLike, a: unknown, b: unknown) => comparer.compare(a, b),
});

function sameBy(comparer: EqualityLike, a: unknown, b: unknown): boolean {
  if (a === null || b === null) return a === b;
  return comparer.same(a, b);
}

function hashBy(comparer: EqualityLike, value: unknown): number {
  return value === null ? 0 : comparer.hash(value);
}

const STRING_COMPARER: TypeDefinition = defineType(
  "class System.StringComparer : IEqualityComparer<string>, IComparer<string>",
  {
    "static StringComparer Ordinal { get; }": () => ORDINAL_COMPARER,
    "static StringComparer OrdinalIgnoreCase { get; }": () => ORDINAL_IGNORE_CASE_COMPARER,
    "static StringComparer InvariantCulture { get; }": () => CULTURE_COMPARER,
    "static StringComparer InvariantCultureIgnoreCase { get; }": () => CULTURE_IGNORE_CASE_COMPARER,
    "static StringComparer CurrentCulture { get; }": () => CULTURE_COMPARER,
    "static StringComparer CurrentCultureIgnoreCase { get; }": () => CULTURE_IGNORE_CASE_COMPARER,
    "static StringComparer FromComparison(StringComparison comparisonType)": comparerOf,
    "int Compare(string x, string y)": (comparer: StringComparer, a: unknown, b: unknown) =>
      comparer.compare(a, b),
    "bool Equals(string x, string y)": (comparer: StringComparer, a: unknown, b: unknown) =>
      comparer.same(a, b),
    "int GetHashCode(string obj)": (comparer: StringComparer, text: unknown) => comparer.hash(text),
  },
);

/** The one with this `name`; null for none. */
export function stringComparerNamed(name: string): StringComparer | null {
  const all = [
    ORDINAL_COMPARER,
    ORDINAL_IGNORE_CASE_COMPARER,
    CULTURE_COMPARER,
    CULTURE_IGNORE_CASE_COMPARER,
  ];
  return all.find((comparer) => comparer.name === name) ?? null;
}

function comparerOf(comparison: EnumValue): StringComparer {
  const noCase = ignoresCase(comparison);
  if (comparison.number < ORDINAL) return noCase ? CULTURE_IGNORE_CASE_COMPARER : CULTURE_COMPARER;
  return noCase ? ORDINAL_IGNORE_CASE_COMPARER : ORDINAL_COMPARER;
}

/**
 * `Comparer<T>.Default` over raw values of one type, or over boxed ones: null first, NaN before numbers, texts by
 * culture, objects by `netCompareTo`.
 */
export function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  switch (typeof a) {
    case "string":
      if (typeof b !== "string") throw argumentError("Object must be of type String.");
      return compareCulture(a, b);
    case "number":
    case "bigint":
      if (typeof b !== typeof a)
        throw argumentError(`Object must be of type ${typeof a === "number" ? "Int32" : "Int64"}.`);
      return compareNumbers(a, b as number | bigint);
    case "boolean":
      return a ? 1 : -1;
    default: {
      if (a instanceof Box) {
        if (!(b instanceof Box) || b.type !== a.type) {
          throw argumentError(`Object must be of type ${a.type.definition.shortName}.`);
        }
        return compareNumbers(a.value, b.value);
      }
      const object = a as NetObject;
      if (typeof object.netCompareTo === "function") return object.netCompareTo(b);
      if (isEnum(a) && isEnum(b)) return a.number - b.number;
      throw argumentError("At least one object must implement IComparable.");
    }
  }
}

function isEnum(value: unknown): value is EnumValue {
  const type = typeOf(value);
  return type.kind === "named" && type.definition.kind === "enum";
}

/** `EqualityComparer<T>.Default` and `Comparer<T>.Default`. */
class DefaultComparer implements NetObject, EqualityLike, OrderLike {
  readonly type: NamedType;
  constructor(type: NamedType) {
    this.type = type;
  }
  get [TYPE](): Type {
    return this.type;
  }
  same(a: unknown, b: unknown): boolean {
    return sameValue(a, b);
  }
  hash(value: unknown): number {
    return hashOf(value);
  }
  compare(a: unknown, b: unknown): number {
    return compareValues(a, b);
  }
}

/** Whether this comparer says nothing that `Equals` and `GetHashCode` do not say. */
export function isDefaultComparer(comparer: unknown): boolean {
  return comparer === null || comparer === undefined || comparer instanceof DefaultComparer;
}

const EQUALITY_COMPARER: TypeDefinition = defineType(
  "class System.Collections.Generic.EqualityComparer<T> : IEqualityComparer<T>",
  {
    "static EqualityComparer<T> Default { get; }": generic(([T]) => {
      const comparer = new DefaultComparer(instantiate(EQUALITY_COMPARER, [T!]));
      return () => comparer;
    }),
    "bool Equals(T x, T y)": (_: unknown, a: unknown, b: unknown) => equal(a, b) || sameValue(a, b),
    "int GetHashCode(T obj)": hashBy,
  },
);

const COMPARER: TypeDefinition = defineType("class System.Collections.Generic.Comparer<T> : IComparer<T>", {
  "static Comparer<T> Default { get; }": generic(([T]) => {
    const comparer = new DefaultComparer(instantiate(COMPARER, [T!]));
    return () => comparer;
  }),
  "static Comparer<T> Create(Comparison<T> comparison)": generic(([T]) => (comparison) => {
    if (comparison === null) throw argumentNull("comparison");
    return new OwnComparer(instantiate(COMPARER, [T!]), comparison);
  }),
  "int Compare(T x, T y)": (comparer: OrderLike, a: unknown, b: unknown) => comparer.compare(a, b),
});

/** `Comparer<T>.Create`: an order that a lambda decides. */
class OwnComparer implements NetObject, OrderLike {
  readonly type: NamedType;
  readonly compare: (a: unknown, b: unknown) => number;
  constructor(type: NamedType, compare: (a: unknown, b: unknown) => number) {
    this.type = type;
    this.compare = compare;
  }
  get [TYPE](): Type {
    return this.type;
  }
}

/**
 * Sorts in place, stable, by a comparison that may throw. Native sorting survives inconsistent comparisons.
 *
 * @throws InvalidOperationException around whatever the default comparison throws, as `List.Sort` does
 */
export function sortItems(items: unknown[], compare: (a: any, b: any) => number): void {
  const paying = (a: unknown, b: unknown): number => {
    spend();
    return compare(a, b);
  };
  try {
    items.sort(paying);
  } catch (error) {
    if (!(error instanceof NetException) || error.is("System.InvalidOperationException")) throw error;
    throw new NetException(
      "System.InvalidOperationException",
      "Failed to compare two elements in the array.",
      error,
    );
  }
}
