/** OrderBy, ThenBy, GroupBy, Join, ToLookup (`expressions.md` §5.7). Sorting is stable; groups keep first-seen order. */
import { spend } from "../budget.ts";
import { extendType, generic } from "../define.ts";
import { lookupType } from "../define.ts";
import { argumentNull } from "../errors.ts";
import { type Type, instantiate } from "../type.ts";
import { type NetObject, TYPE } from "../values.ts";
import { Sequence, elements } from "./collections.ts";
import { collect } from "./collections-list.ts";
import { type EqualityLike, type OrderLike, compareValues } from "./comparers.ts";
import { HashTable } from "./hash-table.ts";
import { need } from "./linq.ts";

type Fn = (...args: any[]) => any;

interface SortKey {
  readonly of: Fn;
  readonly compare: (a: unknown, b: unknown) => number;
}

/** A source and the keys to sort it by, most important first. Sorted afresh at each enumeration. */
class Ordered implements NetObject {
  readonly elementType: Type;
  readonly source: unknown;
  readonly keys: readonly SortKey[];

  constructor(elementType: Type, source: unknown, keys: readonly SortKey[]) {
    if (source === null) throw argumentNull("source");
    this.elementType = elementType;
    this.source = source;
    this.keys = keys;
  }

  get [TYPE](): Type {
    return instantiate(lookupType("System.Linq.IOrderedEnumerable", 1), [this.elementType]);
  }

  *[Symbol.iterator](): Generator<unknown> {
    const items = collect(this.source);
    // Each key is asked once per element, in order, before anything is compared.
    const columns = this.keys.map((key) => items.map((item) => key.of(item)));
    spend(items.length * this.keys.length);
    const order = items.map((_, i) => i);
    order.sort((a, b) => {
      spend();
      for (let k = 0; k < columns.length; k++) {
        const c = this.keys[k]!.compare(columns[k]![a], columns[k]![b]);
        if (c !== 0) return c;
      }
      return 0;
    });
    for (const i of order) yield items[i];
  }
}

function sortKey(of: Fn, order: OrderLike | null, descending: boolean): SortKey {
  need(of, "keySelector");
  const compare = order === null ? compareValues : (a: unknown, b: unknown) => order.compare(a, b);
  return { of, compare: descending ? (a, b) => compare(b, a) : compare };
}

/** One key and its elements. */
class Group implements NetObject {
  readonly keyType: Type;
  readonly elementType: Type;
  readonly key: unknown;
  readonly items: unknown[] = [];

  constructor(keyType: Type, elementType: Type, key: unknown) {
    this.keyType = keyType;
    this.elementType = elementType;
    this.key = key;
  }

  get [TYPE](): Type {
    return instantiate(lookupType("System.Linq.IGrouping", 2), [this.keyType, this.elementType]);
  }

  get size(): number {
    return this.items.length;
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.items[Symbol.iterator]();
  }
}

/** Groups by key, in order of first appearance; null is a key. */
class Lookup implements NetObject {
  readonly keyType: Type;
  readonly elementType: Type;
  readonly #groups: HashTable;

  constructor(source: unknown, key: Fn, element: Fn | null, comparer: EqualityLike | null, K: Type, V: Type) {
    need(key, "keySelector");
    this.keyType = K;
    this.elementType = V;
    this.#groups = new HashTable(comparer);
    for (const item of elements(source)) {
      spend();
      const k = key(item);
      let entry = this.#groups.find(k);
      if (entry === null) {
        this.#groups.add(k, new Group(K, V, k));
        entry = this.#groups.find(k)!;
      }
      (entry.value as Group).items.push(element === null ? item : element(item));
    }
  }

  get [TYPE](): Type {
    return instantiate(lookupType("System.Linq.ILookup", 2), [this.keyType, this.elementType]);
  }

  get size(): number {
    return this.#groups.size;
  }

  hasKey(key: unknown): boolean {
    return this.#groups.has(key);
  }

  /** The group of a key; empty when there is none. */
  group(key: unknown): Group {
    return (
      (this.#groups.find(key)?.value as Group | undefined) ?? new Group(this.keyType, this.elementType, key)
    );
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.#groups.values();
  }
}

function grouped(
  R: Type,
  source: unknown,
  groups: () => Lookup,
  result: ((group: Group) => unknown) | null,
): Sequence {
  if (source === null) throw argumentNull("source");
  return new Sequence(R, function* () {
    for (const group of groups() as unknown as Iterable<Group>) {
      spend();
      yield result === null ? group : result(group);
    }
  });
}

function join(
  outer: unknown,
  inner: unknown,
  outerKey: Fn,
  innerKey: Fn,
  result: Fn,
  comparer: EqualityLike | null,
  types: readonly Type[],
): Sequence {
  return new Sequence(types[3]!, function* () {
    const lookup = new Lookup(inner, innerKey, null, comparer, types[2]!, types[1]!);
    for (const item of elements(outer, "outer")) {
      spend();
      const key = outerKey(item);
      if (key === null) continue;
      for (const match of lookup.group(key)) {
        spend();
        yield result(item, match);
      }
    }
  });
}

function groupJoin(
  outer: unknown,
  inner: unknown,
  outerKey: Fn,
  innerKey: Fn,
  result: Fn,
  comparer: EqualityLike | null,
  types: readonly Type[],
): Sequence {
  return new Sequence(types[3]!, function* () {
    const lookup = new Lookup(inner, innerKey, null, comparer, types[2]!, types[1]!);
    for (const item of elements(outer, "outer")) {
      spend();
      const key = outerKey(item);
      yield result(item, key === null ? new Group(types[2]!, types[1]!, null) : lookup.group(key));
    }
  });
}

const groupingOf = (K: Type, V: Type): Type => instantiate(lookupType("System.Linq.IGrouping", 2), [K, V]);
const members: Record<string, any> = {};
const SOURCE = "this IEnumerable<TSource> source";
const KEY = "Func<TSource, TKey> keySelector";

for (const [suffix, descending] of [
  ["", false],
  ["Descending", true],
] as const) {
  for (const withOrder of [false, true]) {
    const extra = withOrder ? ", IComparer<TKey> comparer" : "";
    members[`static IOrderedEnumerable<TSource> OrderBy${suffix}<TSource, TKey>(${SOURCE}, ${KEY}${extra})`] =
      generic(
        ([T]) =>
          (source, key, order = null) =>
            new Ordered(T!, source, [sortKey(key, order, descending)]),
      );
    members[
      `static IOrderedEnumerable<TSource> ThenBy${suffix}<TSource, TKey>(this IOrderedEnumerable<TSource> source, ${KEY}${extra})`
    ] = generic(([T]) => (source, key, order = null) => {
      if (source === null) throw argumentNull("source");
      return new Ordered(T!, source.source, [...source.keys, sortKey(key, order, descending)]);
    });
  }
}

for (const withComparer of [false, true]) {
  const extra = withComparer ? ", IEqualityComparer<TKey> comparer" : "";
  members[`static IEnumerable<IGrouping<TKey, TSource>> GroupBy<TSource, TKey>(${SOURCE}, ${KEY}${extra})`] =
    generic(
      ([T, K]) =>
        (source, key, comparer = null) =>
          grouped(groupingOf(K!, T!), source, () => new Lookup(source, key, null, comparer, K!, T!), null),
    );
  members[
    `static IEnumerable<IGrouping<TKey, TElement>> GroupBy<TSource, TKey, TElement>(${SOURCE}, ${KEY}, Func<TSource, TElement> elementSelector${extra})`
  ] = generic(
    ([, K, V]) =>
      (source, key, element, comparer = null) =>
        grouped(groupingOf(K!, V!), source, () => new Lookup(source, key, element, comparer, K!, V!), null),
  );
  members[
    `static IEnumerable<TResult> GroupBy<TSource, TKey, TResult>(${SOURCE}, ${KEY}, Func<TKey, IEnumerable<TSource>, TResult> resultSelector${extra})`
  ] = generic(
    ([T, K, R]) =>
      (source, key, result, comparer = null) =>
        grouped(
          R!,
          source,
          () => new Lookup(source, key, null, comparer, K!, T!),
          (group) => result(group.key, group),
        ),
  );
  members[
    `static IEnumerable<TResult> GroupBy<TSource, TKey, TElement, TResult>(${SOURCE}, ${KEY}, Func<TSource, TElement> elementSelector, Func<TKey, IEnumerable<TElement>, TResult> resultSelector${extra})`
  ] = generic(
    ([, K, V, R]) =>
      (source, key, element, result, comparer = null) =>
        grouped(
          R!,
          source,
          () => new Lookup(source, key, element, comparer, K!, V!),
          (group) => result(group.key, group),
        ),
  );
  members[`static ILookup<TKey, TSource> ToLookup<TSource, TKey>(${SOURCE}, ${KEY}${extra})`] = generic(
    ([T, K]) =>
      (source, key, comparer = null) =>
        new Lookup(source, key, null, comparer, K!, T!),
  );
  members[
    `static ILookup<TKey, TElement> ToLookup<TSource, TKey, TElement>(${SOURCE}, ${KEY}, Func<TSource, TElement> elementSelector${extra})`
  ] = generic(
    ([, K, V]) =>
      (source, key, element, comparer = null) =>
        new Lookup(source, key, element, comparer, K!, V!),
  );
  const both =
    "this IEnumerable<TOuter> outer, IEnumerable<TInner> inner, Func<TOuter, TKey> outerKeySelector, Func<TInner, TKey> innerKeySelector";
  members[
    `static IEnumerable<TResult> Join<TOuter, TInner, TKey, TResult>(${both}, Func<TOuter, TInner, TResult> resultSelector${extra})`
  ] = generic(
    (types) =>
      (a, b, ka, kb, f, comparer = null) =>
        join(a, b, ka, kb, f, comparer, types),
  );
  members[
    `static IEnumerable<TResult> GroupJoin<TOuter, TInner, TKey, TResult>(${both}, Func<TOuter, IEnumerable<TInner>, TResult> resultSelector${extra})`
  ] = generic(
    (types) =>
      (a, b, ka, kb, f, comparer = null) =>
        groupJoin(a, b, ka, kb, f, comparer, types),
  );
}

extendType("System.Linq.Enumerable", members);
