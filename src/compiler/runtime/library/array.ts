/**
 * `System.Array`: base of every array type, and its static methods (`expressions.md` §5.1). `Resize` is absent: it
 * takes its array by `ref`, which expressions do not have.
 */
import { arrayCopyTarget } from "./array-copy.ts";
import { spend } from "../budget.ts";
import { defaultOf, elementTypeOf } from "../cast.ts";
import { defineType, generic } from "../define.ts";
import { argumentNull, argumentOutOfRange, indexOutOfRange } from "../errors.ts";
import { NetArray } from "../values.ts";
import { copyTo, sameValue } from "./collections.ts";
import { arrayFrom, binarySearch, findIndex, findLastIndex, needMatch } from "./collections-list.ts";
import { type OrderLike, compareValues, sortItems } from "./comparers.ts";

type AnyArray = NetArray | Uint8Array;
type Match = (value: unknown) => boolean;

/** The JavaScript array inside. @throws ArgumentNullException */
function itemsOf(array: AnyArray | null, parameter = "array"): unknown[] | Uint8Array {
  if (array === null) throw argumentNull(parameter);
  return array instanceof Uint8Array ? array : array.items;
}

function lengthOf(array: AnyArray): number {
  return array instanceof Uint8Array ? array.length : array.items.length;
}

function dimension(value: number): number {
  if (value !== 0) throw indexOutOfRange();
  return value;
}

function checkRange(array: AnyArray, index: number, count: number): void {
  if (index < 0) throw argumentOutOfRange("index", "Non-negative number required.");
  if (count < 0 || index + count > lengthOf(array)) throw argumentOutOfRange("length");
}

function reverse(array: AnyArray | null, index = 0, count = itemsOf(array).length): void {
  const items = itemsOf(array) as unknown[];
  checkRange(array!, index, count);
  spend(count);
  for (let a = index, b = index + count - 1; a < b; a++, b--) {
    const kept = items[a];
    items[a] = items[b];
    items[b] = kept;
  }
}

function sort(
  array: AnyArray | null,
  compare: (a: any, b: any) => number,
  index = 0,
  count = itemsOf(array).length,
): void {
  const items = itemsOf(array) as unknown[];
  checkRange(array!, index, count);
  const part = Array.prototype.slice.call(items, index, index + count) as unknown[];
  sortItems(part, compare);
  for (let i = 0; i < count; i++) items[index + i] = part[i];
}

/** `Array.Sort(keys, items)`: the items follow their keys. */
function sortPairs(keys: AnyArray | null, values: AnyArray | null): void {
  if (values === null) return sort(keys, compareValues);
  const keyItems = itemsOf(keys, "keys") as unknown[];
  const valueItems = itemsOf(values) as unknown[];
  const pairs = Array.prototype.map.call(keyItems, (key, i) => ({ key, value: valueItems[i] })) as {
    key: unknown;
    value: unknown;
  }[];
  sortItems(pairs, (a: { key: unknown }, b: { key: unknown }) => compareValues(a.key, b.key));
  pairs.forEach((pair, i) => {
    keyItems[i] = pair.key;
    valueItems[i] = pair.value;
  });
}

const byOrder = (order: OrderLike | null): ((a: unknown, b: unknown) => number) =>
  order === null ? compareValues : (a, b) => order.compare(a, b);

function indexOf(array: AnyArray | null, value: unknown, start = 0, count = -1): number {
  const items = itemsOf(array);
  if (start < 0 || start > items.length) throw argumentOutOfRange("startIndex");
  const end = count < 0 ? items.length : start + count;
  if (end > items.length) throw argumentOutOfRange("count");
  for (let i = start; i < end; i++) {
    spend();
    if (sameValue(items[i], value)) return i;
  }
  return -1;
}

function lastIndexOf(array: AnyArray | null, value: unknown): number {
  return findLastIndex(itemsOf(array), (item) => sameValue(item, value));
}

/** Fills a range with `default(T)`. */
function clear(array: AnyArray | null, index = 0, count = itemsOf(array).length): void {
  const items = itemsOf(array) as unknown[];
  if (index < 0 || count < 0 || index + count > items.length) throw indexOutOfRange();
  items.fill(array instanceof Uint8Array ? 0 : defaultOf(elementTypeOf(array)), index, index + count);
}

defineType("class System.Array : System.Collections.IEnumerable", {
  "int Length { get; }": lengthOf,
  "long LongLength { get; }": (array: AnyArray) => BigInt(lengthOf(array)),
  "int Rank { get; }": () => 1,
  "bool IsReadOnly { get; }": () => false,
  "bool IsFixedSize { get; }": () => true,
  "int GetLength(int dimension)": (array: AnyArray, n: number) => (dimension(n), lengthOf(array)),
  "int GetLowerBound(int dimension)": (_: AnyArray, n: number) => dimension(n),
  "int GetUpperBound(int dimension)": (array: AnyArray, n: number) => (dimension(n), lengthOf(array) - 1),
  "void CopyTo(Array array, int index)": copyTo,
  "object Clone()": (array: AnyArray) =>
    array instanceof Uint8Array
      ? new Uint8Array(array)
      : new NetArray(array.elementType, array.items.slice()),

  "static bool Exists<T>(T[] array, Predicate<T> match)": (array: AnyArray, match: Match) =>
    findIndex(itemsOf(array), match) >= 0,
  "static T Find<T>(T[] array, Predicate<T> match)": generic(([T]) => (array, match) => {
    const index = findIndex(itemsOf(array), match);
    return index < 0 ? defaultOf(T) : itemsOf(array)[index];
  }),
  "static T FindLast<T>(T[] array, Predicate<T> match)": generic(([T]) => (array, match) => {
    const index = findLastIndex(itemsOf(array), match);
    return index < 0 ? defaultOf(T) : itemsOf(array)[index];
  }),
  "static T[] FindAll<T>(T[] array, Predicate<T> match)": generic(([T]) => (array, match) => {
    needMatch(match);
    const found: unknown[] = [];
    for (const item of itemsOf(array)) {
      spend();
      if (match(item)) found.push(item);
    }
    return arrayFrom(T!, found);
  }),
  "static int FindIndex<T>(T[] array, Predicate<T> match)": (array: AnyArray, match: Match) =>
    findIndex(itemsOf(array), match),
  "static int FindIndex<T>(T[] array, int startIndex, Predicate<T> match)": (
    array: AnyArray,
    start: number,
    match: Match,
  ) => findIndex(itemsOf(array), match, start),
  "static int FindLastIndex<T>(T[] array, Predicate<T> match)": (array: AnyArray, match: Match) =>
    findLastIndex(itemsOf(array), match),
  "static bool TrueForAll<T>(T[] array, Predicate<T> match)": (array: AnyArray, match: Match) => {
    needMatch(match);
    return findIndex(itemsOf(array), (item) => !match(item)) < 0;
  },
  "static void ForEach<T>(T[] array, Action<T> action)": (
    array: AnyArray,
    action: (value: unknown) => void,
  ) => {
    if (action === null) throw argumentNull("action");
    for (const item of itemsOf(array)) {
      spend();
      action(item);
    }
  },
  "static TOutput[] ConvertAll<TInput, TOutput>(TInput[] array, Converter<TInput, TOutput> converter)":
    generic(([, TOutput]) => (array, converter) => {
      if (converter === null) throw argumentNull("converter");
      const items = itemsOf(array);
      spend(items.length);
      return arrayFrom(
        TOutput!,
        Array.from(items as ArrayLike<unknown>, (item) => converter(item)),
      );
    }),
  "static int IndexOf<T>(T[] array, T value)": (array: AnyArray, value: unknown) => indexOf(array, value),
  "static int IndexOf<T>(T[] array, T value, int startIndex)": (
    array: AnyArray,
    value: unknown,
    start: number,
  ) => indexOf(array, value, start),
  "static int IndexOf<T>(T[] array, T value, int startIndex, int count)": indexOf,
  "static int LastIndexOf<T>(T[] array, T value)": lastIndexOf,
  "static void Reverse(Array array)": (array: AnyArray) => reverse(array),
  "static void Reverse(Array array, int index, int length)": reverse,
  "static void Sort<T>(T[] array)": (array: AnyArray) => sort(array, compareValues),
  "static void Sort<T>(T[] array, Comparison<T> comparison)": (
    array: AnyArray,
    compare: (a: unknown, b: unknown) => number,
  ) => {
    if (compare === null) throw argumentNull("comparison");
    sort(array, compare);
  },
  "static void Sort<T>(T[] array, IComparer<T> comparer)": (array: AnyArray, order: OrderLike | null) =>
    sort(array, byOrder(order)),
  "static void Sort<T>(T[] array, int index, int length)": (array: AnyArray, index: number, count: number) =>
    sort(array, compareValues, index, count),
  "static void Sort<TKey, TValue>(TKey[] keys, TValue[] items)": sortPairs,
  "static int BinarySearch<T>(T[] array, T value)": (array: AnyArray, value: unknown) =>
    binarySearch(itemsOf(array), value, null),
  "static int BinarySearch<T>(T[] array, T value, IComparer<T> comparer)": (
    array: AnyArray,
    value: unknown,
    order: OrderLike | null,
  ) => binarySearch(itemsOf(array), value, order),
  "static void Copy(Array sourceArray, Array destinationArray, int length)": (
    source: AnyArray,
    target: AnyArray,
    count: number,
  ) => arrayCopyTarget(source, 0, target, 0, count),
  "static void Copy(Array sourceArray, int sourceIndex, Array destinationArray, int destinationIndex, int length)":
    arrayCopyTarget,
  "static void Clear(Array array)": (array: AnyArray) => clear(array),
  "static void Clear(Array array, int index, int length)": clear,
  "static void Fill<T>(T[] array, T value)": (array: AnyArray, value: unknown) => {
    spend(lengthOf(array));
    (itemsOf(array) as unknown[]).fill(value);
  },
  "static T[] Empty<T>()": generic(([T]) => {
    const empty = arrayFrom(T!, []);
    return () => empty;
  }),
});
