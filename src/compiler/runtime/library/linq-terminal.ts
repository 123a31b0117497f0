/** `System.Linq.Enumerable`, the operators that read their source at once (`expressions.md` §5.7). */
import { spend } from "../budget.ts";
import { defaultOf } from "../cast.ts";
import { extendType, generic } from "../define.ts";
import { argumentNull, argumentOutOfRange, invalidOperation, overflow } from "../errors.ts";
import { type Type, underlyingOfNullable } from "../type.ts";
import { NetArray } from "../values.ts";
import { DECIMAL_ZERO, Decimal, addDecimal, divideDecimal } from "./decimal-arithmetic.ts";
import { elements, knownSize, sameValue } from "./collections.ts";
import { NetDictionary } from "./collections-dictionary.ts";
import { NetList, arrayFrom, collect } from "./collections-list.ts";
import { setFrom } from "./collections-set.ts";
import { type EqualityLike, compareValues } from "./comparers.ts";
import { need } from "./linq.ts";

type Fn = (...args: any[]) => any;

const noElements = () => invalidOperation("Sequence contains no elements");
const noMatch = () => invalidOperation("Sequence contains no matching element");
const several = () => invalidOperation("Sequence contains more than one element");
const severalMatches = () => invalidOperation("Sequence contains more than one matching element");

/** What the finders give instead of an element: nothing in .NET's representation is `undefined`. */
const NONE = undefined;

function first(source: unknown, predicate: Fn | null): unknown {
  if (source instanceof NetArray && predicate === null) return source.items[0];
  for (const item of elements(source)) {
    spend();
    if (predicate === null || predicate(item)) return item;
  }
  return NONE;
}

function lastOf(source: unknown, predicate: Fn | null): unknown {
  if (predicate === null && (source instanceof NetArray || source instanceof NetList)) {
    return source.items[source.items.length - 1];
  }
  let found: unknown = NONE;
  for (const item of elements(source)) {
    spend();
    if (predicate === null || predicate(item)) found = item;
  }
  return found;
}

function single(source: unknown, predicate: Fn | null): unknown {
  let found: unknown = NONE;
  for (const item of elements(source)) {
    spend();
    if (predicate !== null && !predicate(item)) continue;
    if (found !== NONE) throw predicate === null ? several() : severalMatches();
    found = item;
  }
  return found;
}

function elementAt(source: unknown, index: number): unknown {
  if (index < 0) return NONE;
  if (source instanceof NetArray || source instanceof NetList) return source.items[index];
  let left = index;
  for (const item of elements(source)) {
    spend();
    if (left-- === 0) return item;
  }
  return NONE;
}

function count(source: unknown, predicate: Fn | null): number {
  if (predicate === null && source !== null) {
    const size = knownSize(source);
    if (size >= 0) return size;
  }
  let n = 0;
  for (const item of elements(source)) {
    spend();
    if (predicate === null || predicate(item)) n++;
  }
  return n;
}

function any(source: unknown, predicate: Fn | null): boolean {
  for (const item of elements(source)) {
    spend();
    if (predicate === null || predicate(item)) return true;
  }
  return false;
}

function all(source: unknown, predicate: Fn): boolean {
  need(predicate, "predicate");
  for (const item of elements(source)) {
    spend();
    if (!predicate(item)) return false;
  }
  return true;
}

function contains(source: unknown, value: unknown, comparer: EqualityLike | null = null): boolean {
  if (comparer === null && source !== null && typeof (source as { has?: unknown }).has === "function") {
    return (source as { has(value: unknown): boolean }).has(value);
  }
  for (const item of elements(source)) {
    spend();
    if (comparer === null ? sameValue(item, value) : same(comparer, item, value)) return true;
  }
  return false;
}

function same(comparer: EqualityLike, a: unknown, b: unknown): boolean {
  return a === null || b === null ? a === b : comparer.same(a, b);
}

function sequenceEqual(a: unknown, b: unknown, comparer: EqualityLike | null = null): boolean {
  if (a === null) throw argumentNull("first");
  if (b === null) throw argumentNull("second");
  const other = elements(b)[Symbol.iterator]();
  for (const item of elements(a)) {
    spend();
    const step = other.next();
    if (step.done === true) return false;
    if (comparer === null ? !sameValue(item, step.value) : !same(comparer, item, step.value)) return false;
  }
  return other.next().done === true;
}

function aggregate(source: unknown, func: Fn): unknown {
  need(func, "func");
  let result: unknown = NONE;
  for (const item of elements(source)) {
    spend();
    result = result === NONE ? item : func(result, item);
  }
  if (result === NONE) throw noElements();
  return result;
}

function aggregateFrom(source: unknown, seed: unknown, func: Fn): unknown {
  need(func, "func");
  let result = seed;
  for (const item of elements(source)) {
    spend();
    result = func(result, item);
  }
  return result;
}

/** Least (-1) or greatest (1) element; nulls do not count. @returns undefined without any */
function extreme(source: unknown, selector: Fn | null, sign: 1 | -1): unknown {
  let found: unknown = NONE;
  for (const item of elements(source)) {
    spend();
    const value = selector === null ? item : selector(item);
    if (value === null) continue;
    // NaN is the least of all numbers.
    if (found === NONE || Math.sign(compareValues(value, found)) === sign) found = value;
  }
  return found;
}

/** The element whose key is extreme; the first one of equals. */
function extremeBy(source: unknown, key: Fn, sign: 1 | -1): unknown {
  need(key, "keySelector");
  let found: unknown = NONE;
  let foundKey: unknown = null;
  for (const item of elements(source)) {
    spend();
    const k = key(item);
    if (
      found === NONE ||
      (k !== null && (foundKey === null || Math.sign(compareValues(k, foundKey)) === sign))
    ) {
      found = item;
      foundKey = k;
    }
  }
  return found;
}

// --- Sum and Average, one routine per kind of number. Nulls are skipped.

type Kind = "int" | "long" | "float" | "double" | "decimal";
const KINDS: readonly Kind[] = ["int", "long", "float", "double", "decimal"];
const LONG_LIMIT = 2n ** 63n;

function sum(kind: Kind, source: unknown, selector: Fn | null): { total: any; count: number } {
  let n = 0;
  let total: any = kind === "long" ? 0n : kind === "decimal" ? null : 0;
  for (const item of elements(source)) {
    spend();
    const value = selector === null ? item : selector(item);
    if (value === null) continue;
    n++;
    total =
      kind === "decimal"
        ? total === null
          ? value
          : addDecimal(total as Decimal, value as Decimal)
        : total + value;
    if (kind === "int" && total !== (total | 0)) throw overflow();
    if (kind === "long" && (total >= LONG_LIMIT || total < -LONG_LIMIT)) throw overflow();
  }
  if (kind === "decimal" && total === null) total = DECIMAL_ZERO;
  return { total, count: n };
}

function sumOf(kind: Kind): (source: unknown, selector?: Fn) => unknown {
  return (source, selector) => {
    if (selector === null) throw argumentNull("selector");
    const { total } = sum(kind, source, selector ?? null);
    return kind === "float" ? Math.fround(total) : total;
  };
}

function averageOf(kind: Kind, nullable: boolean): (source: unknown, selector?: Fn) => unknown {
  return (source, selector) => {
    if (selector === null) throw argumentNull("selector");
    const { total, count: n } = sum(kind, source, selector ?? null);
    if (n === 0) {
      if (nullable) return null;
      throw noElements();
    }
    switch (kind) {
      case "decimal":
        return divideDecimal(total, convertInt(n));
      case "float":
        return Math.fround(total / n);
      default:
        return Number(total) / n;
    }
  };
}

const convertInt = (n: number): Decimal => new Decimal(BigInt(n), 0);

const SOURCE = "this IEnumerable<TSource> source";
const members: Record<string, any> = {};
for (const kind of KINDS) {
  const average = kind === "int" || kind === "long" ? "double" : kind;
  for (const mark of ["", "?"]) {
    const nullable = mark === "?";
    const type = kind + mark;
    members[`static ${type} Sum(this IEnumerable<${type}> source)`] = sumOf(kind);
    members[`static ${type} Sum<TSource>(${SOURCE}, Func<TSource, ${type}> selector)`] = sumOf(kind);
    members[`static ${average}${mark} Average(this IEnumerable<${type}> source)`] = averageOf(kind, nullable);
    members[`static ${average}${mark} Average<TSource>(${SOURCE}, Func<TSource, ${type}> selector)`] =
      averageOf(kind, nullable);
  }
}

/** Min and Max: empty throws for value types, gives null for the others. */
function extremeOf(sign: 1 | -1, type: Type): (source: unknown, selector?: Fn) => unknown {
  const mayBeNull = defaultOf(type) === null || underlyingOfNullable(type) !== null;
  return (source, selector) => {
    if (selector === null) throw argumentNull("selector");
    const found = extreme(source, selector ?? null, sign);
    if (found !== NONE) return found;
    if (mayBeNull) return null;
    throw noElements();
  };
}
for (const [name, sign] of [
  ["Min", -1],
  ["Max", 1],
] as const) {
  members[`static TSource ${name}<TSource>(${SOURCE})`] = generic(([T]) => extremeOf(sign, T!));
  members[`static TResult ${name}<TSource, TResult>(${SOURCE}, Func<TSource, TResult> selector)`] = generic(
    ([, R]) => extremeOf(sign, R!),
  );
  members[`static TSource ${name}By<TSource, TKey>(${SOURCE}, Func<TSource, TKey> keySelector)`] = generic(
    ([T]) => {
      const mayBeNull = defaultOf(T) === null;
      return (source, key) => {
        const found = extremeBy(source, key, sign);
        if (found === NONE && !mayBeNull) throw noElements();
        return found === NONE ? null : found;
      };
    },
  );
}

/** `X()`, `X(predicate)`, `XOrDefault()`, `XOrDefault(predicate)` and those with a default value. */
for (const [name, find] of [
  ["First", first],
  ["Last", lastOf],
  ["Single", single],
] as const) {
  members[`static TSource ${name}<TSource>(${SOURCE})`] = (source: unknown) =>
    orThrow(find(source, null), noElements);
  members[`static TSource ${name}<TSource>(${SOURCE}, Func<TSource, bool> predicate)`] = (
    source: unknown,
    f: Fn,
  ) => {
    need(f, "predicate");
    return orThrow(find(source, f), noMatch);
  };
  members[`static TSource ${name}OrDefault<TSource>(${SOURCE})`] = generic(([T]) => {
    const missing = defaultOf(T);
    return (source) => orElse(find(source, null), missing);
  });
  members[`static TSource ${name}OrDefault<TSource>(${SOURCE}, Func<TSource, bool> predicate)`] = generic(
    ([T]) => {
      const missing = defaultOf(T);
      return (source, f) => {
        need(f, "predicate");
        return orElse(find(source, f), missing);
      };
    },
  );
}

function orThrow(value: unknown, error: () => Error): unknown {
  if (value === NONE) throw error();
  return value;
}

function orElse(value: unknown, missing: unknown): unknown {
  return value === NONE ? missing : value;
}

function dictionaryFrom(
  source: unknown,
  key: Fn,
  value: Fn | null,
  comparer: EqualityLike | null,
  K: Type,
  V: Type,
): NetDictionary {
  need(key, "keySelector");
  const result = new NetDictionary(K, V, comparer);
  for (const item of elements(source)) {
    spend();
    const k = key(item);
    if (k === null) throw argumentNull("key");
    result.add(k, value === null ? item : value(item));
  }
  return result;
}

extendType("System.Linq.Enumerable", {
  ...members,
  [`static TSource ElementAt<TSource>(${SOURCE}, int index)`]: (source: unknown, index: number) =>
    orThrow(elementAt(source, index), () => argumentOutOfRange("index")),
  [`static TSource ElementAtOrDefault<TSource>(${SOURCE}, int index)`]: generic(([T]) => {
    const missing = defaultOf(T);
    return (source, index) => orElse(elementAt(source, index), missing);
  }),
  [`static int Count<TSource>(${SOURCE})`]: (source: unknown) => count(source, null),
  [`static int Count<TSource>(${SOURCE}, Func<TSource, bool> predicate)`]: (source: unknown, f: Fn) => {
    need(f, "predicate");
    return count(source, f);
  },
  [`static long LongCount<TSource>(${SOURCE})`]: (source: unknown) => BigInt(count(source, null)),
  [`static long LongCount<TSource>(${SOURCE}, Func<TSource, bool> predicate)`]: (source: unknown, f: Fn) => {
    need(f, "predicate");
    return BigInt(count(source, f));
  },
  [`static bool Any<TSource>(${SOURCE})`]: (source: unknown) => any(source, null),
  [`static bool Any<TSource>(${SOURCE}, Func<TSource, bool> predicate)`]: (source: unknown, f: Fn) => {
    need(f, "predicate");
    return any(source, f);
  },
  [`static bool All<TSource>(${SOURCE}, Func<TSource, bool> predicate)`]: all,
  [`static bool Contains<TSource>(${SOURCE}, TSource value)`]: (source: unknown, value: unknown) =>
    contains(source, value),
  [`static bool Contains<TSource>(${SOURCE}, TSource value, IEqualityComparer<TSource> comparer)`]: contains,
  "static bool SequenceEqual<TSource>(this IEnumerable<TSource> first, IEnumerable<TSource> second)": (
    a: unknown,
    b: unknown,
  ) => sequenceEqual(a, b),
  "static bool SequenceEqual<TSource>(this IEnumerable<TSource> first, IEnumerable<TSource> second, IEqualityComparer<TSource> comparer)":
    sequenceEqual,
  [`static TSource Aggregate<TSource>(${SOURCE}, Func<TSource, TSource, TSource> func)`]: aggregate,
  [`static TAccumulate Aggregate<TSource, TAccumulate>(${SOURCE}, TAccumulate seed, Func<TAccumulate, TSource, TAccumulate> func)`]:
    aggregateFrom,
  [`static TResult Aggregate<TSource, TAccumulate, TResult>(${SOURCE}, TAccumulate seed, Func<TAccumulate, TSource, TAccumulate> func, Func<TAccumulate, TResult> resultSelector)`]:
    (source: unknown, seed: unknown, func: Fn, result: Fn) => result(aggregateFrom(source, seed, func)),
  [`static TSource[] ToArray<TSource>(${SOURCE})`]: generic(
    ([T]) =>
      (source) =>
        arrayFrom(T!, collect(source)),
  ),
  [`static List<TSource> ToList<TSource>(${SOURCE})`]: generic(
    ([T]) =>
      (source) =>
        new NetList(T!, collect(source)),
  ),
  [`static HashSet<TSource> ToHashSet<TSource>(${SOURCE})`]: generic(
    ([T]) =>
      (source) =>
        setFrom(T!, source, null, "source"),
  ),
  [`static HashSet<TSource> ToHashSet<TSource>(${SOURCE}, IEqualityComparer<TSource> comparer)`]: generic(
    ([T]) =>
      (source, comparer) =>
        setFrom(T!, source, comparer, "source"),
  ),
  [`static Dictionary<TKey, TSource> ToDictionary<TSource, TKey>(${SOURCE}, Func<TSource, TKey> keySelector)`]:
    generic(
      ([T, K]) =>
        (source, key) =>
          dictionaryFrom(source, key, null, null, K!, T!),
    ),
  [`static Dictionary<TKey, TSource> ToDictionary<TSource, TKey>(${SOURCE}, Func<TSource, TKey> keySelector, IEqualityComparer<TKey> comparer)`]:
    generic(
      ([T, K]) =>
        (source, key, comparer) =>
          dictionaryFrom(source, key, null, comparer, K!, T!),
    ),
  [`static Dictionary<TKey, TElement> ToDictionary<TSource, TKey, TElement>(${SOURCE}, Func<TSource, TKey> keySelector, Func<TSource, TElement> elementSelector)`]:
    generic(
      ([, K, V]) =>
        (source, key, value) =>
          dictionaryFrom(source, key, value, null, K!, V!),
    ),
  [`static Dictionary<TKey, TElement> ToDictionary<TSource, TKey, TElement>(${SOURCE}, Func<TSource, TKey> keySelector, Func<TSource, TElement> elementSelector, IEqualityComparer<TKey> comparer)`]:
    generic(
      ([, K, V]) =>
        (source, key, value, comparer) =>
          dictionaryFrom(source, key, value, comparer, K!, V!),
    ),
});
