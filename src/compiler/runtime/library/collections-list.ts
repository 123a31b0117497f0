/** `List<T>` (`expressions.md` §5.7). */
import { defaultOf } from "../cast.ts";
import { checkSize, spend } from "../budget.ts";
import { accessor, defineType, generic } from "../define.ts";
import { argumentError, argumentNull, argumentOutOfRange } from "../errors.ts";
import { type Type, type TypeDefinition, instantiate } from "../type.ts";
import { NetArray, TYPE } from "../values.ts";
import {
  type ListLike,
  collectionModified,
  copyTo,
  elements,
  enumeratorOf,
  indexArgument,
  sameValue,
} from "./collections.ts";
import { type OrderLike, compareValues, sortItems } from "./comparers.ts";

export class NetList implements ListLike {
  readonly elementType: Type;
  readonly items: unknown[];
  #version = 0;

  /** @param items taken over */
  constructor(elementType: Type, items: unknown[] = []) {
    this.elementType = elementType;
    this.items = items;
  }

  get [TYPE](): Type {
    return instantiate(LIST, [this.elementType]);
  }

  get size(): number {
    return this.items.length;
  }

  /** Says that the list changed, so that running enumerations notice. */
  touch(): void {
    this.#version++;
  }

  at(index: number): unknown {
    if (index < 0 || index >= this.items.length) throw indexArgument();
    return this.items[index];
  }

  put(index: number, value: unknown): void {
    if (index < 0 || index >= this.items.length) throw indexArgument();
    this.items[index] = value;
    this.#version++;
  }

  add(value: unknown): void {
    checkSize(this.items.length + 1);
    this.items.push(value);
    this.#version++;
  }

  addRange(source: unknown): void {
    this.insertRange(this.items.length, source);
  }

  insertRange(index: number, source: unknown): void {
    const added: unknown[] = [];
    for (const element of elements(source, "collection")) {
      spend();
      added.push(element);
      checkSize(this.items.length + added.length);
    }
    if (index < 0 || index > this.items.length) throw insertPosition();
    if (index === this.items.length) for (const element of added) this.items.push(element);
    else {
      const tail = this.items.slice(index);
      this.items.length = index;
      for (const element of added) this.items.push(element);
      for (const element of tail) this.items.push(element);
    }
    this.#version++;
  }

  insert(index: number, value: unknown): void {
    if (index < 0 || index > this.items.length) throw insertPosition();
    checkSize(this.items.length + 1);
    spend(1 + ((this.items.length - index) >>> 6));
    this.items.splice(index, 0, value);
    this.#version++;
  }

  removeAt(index: number): void {
    if (index < 0 || index >= this.items.length) throw indexArgument();
    spend(1 + ((this.items.length - index) >>> 6));
    this.items.splice(index, 1);
    this.#version++;
  }

  remove(value: unknown): boolean {
    const index = this.indexOf(value);
    if (index >= 0) this.removeAt(index);
    return index >= 0;
  }

  removeRange(index: number, count: number): void {
    this.#checkRange(index, count);
    this.items.splice(index, count);
    this.#version++;
  }

  removeAll(match: (value: unknown) => boolean): number {
    needMatch(match);
    const kept = this.items.filter((item) => {
      spend();
      return !match(item);
    });
    const removed = this.items.length - kept.length;
    if (removed > 0) {
      for (let i = 0; i < kept.length; i++) this.items[i] = kept[i];
      this.items.length = kept.length;
      this.#version++;
    }
    return removed;
  }

  clear(): void {
    this.items.length = 0;
    this.#version++;
  }

  has(value: unknown): boolean {
    return this.indexOf(value) >= 0;
  }

  indexOf(value: unknown, start = 0, count = this.items.length - start): number {
    if (start < 0 || start > this.items.length) throw indexArgument();
    if (count < 0 || start + count > this.items.length) throw countArgument();
    for (let i = start; i < start + count; i++) {
      spend();
      if (sameValue(this.items[i], value)) return i;
    }
    return -1;
  }

  lastIndexOf(value: unknown): number {
    for (let i = this.items.length - 1; i >= 0; i--) {
      spend();
      if (sameValue(this.items[i], value)) return i;
    }
    return -1;
  }

  getRange(index: number, count: number): NetList {
    this.#checkRange(index, count);
    return new NetList(this.elementType, this.items.slice(index, index + count));
  }

  reverse(index = 0, count = this.items.length): void {
    this.#checkRange(index, count);
    const part = this.items.slice(index, index + count).toReversed();
    for (let i = 0; i < count; i++) this.items[index + i] = part[i];
    this.#version++;
  }

  sort(compare: (a: any, b: any) => number, index = 0, count = this.items.length): void {
    this.#checkRange(index, count);
    const part = this.items.slice(index, index + count);
    sortItems(part, compare);
    for (let i = 0; i < count; i++) this.items[index + i] = part[i];
    this.#version++;
  }

  #checkRange(index: number, count: number): void {
    if (index < 0) throw argumentOutOfRange("index", "Non-negative number required.");
    if (count < 0) throw argumentOutOfRange("count", "Non-negative number required.");
    if (index + count > this.items.length) {
      throw argumentError(
        "Offset and length were out of bounds for the array or count is greater than the number of elements from index " +
          "to the end of the source collection.",
      );
    }
  }

  [Symbol.iterator](): Iterator<unknown> {
    return new ListIterator(this);
  }

  get version(): number {
    return this.#version;
  }
}

class ListIterator implements Iterator<unknown> {
  readonly #list: NetList;
  readonly #version: number;
  #next = 0;

  constructor(list: NetList) {
    this.#list = list;
    this.#version = list.version;
  }

  next(): IteratorResult<unknown> {
    const list = this.#list;
    if (this.#version !== list.version) throw collectionModified();
    if (this.#next >= list.items.length) return { done: true, value: undefined };
    return { done: false, value: list.items[this.#next++] };
  }
}

const insertPosition = () => argumentOutOfRange("index", "Index must be within the bounds of the List.");
const countArgument = () =>
  argumentOutOfRange(
    "count",
    "Count must be positive and count must refer to a location within the string/array/collection.",
  );

export function needMatch(match: unknown): void {
  if (match === null) throw argumentNull("match");
}

/** Index of the first (or last) element that matches in `[start, start + count)`; -1 without one. */
export function findIndex(
  items: ArrayLike<unknown>,
  match: (value: unknown) => boolean,
  start = 0,
  count = items.length - start,
): number {
  needMatch(match);
  if (start < 0 || start > items.length) throw indexArgument("startIndex");
  if (count < 0 || start + count > items.length) throw countArgument();
  for (let i = start; i < start + count; i++) {
    spend();
    if (match(items[i])) return i;
  }
  return -1;
}

export function findLastIndex(items: ArrayLike<unknown>, match: (value: unknown) => boolean): number {
  needMatch(match);
  for (let i = items.length - 1; i >= 0; i--) {
    spend();
    if (match(items[i])) return i;
  }
  return -1;
}

/** Position of `value` among sorted items, or the complement of where it would stand. */
export function binarySearch(items: ArrayLike<unknown>, value: unknown, order: OrderLike | null): number {
  let low = 0;
  let high = items.length - 1;
  while (low <= high) {
    spend();
    const middle = (low + high) >>> 1;
    const c = order === null ? compareValues(items[middle], value) : order.compare(items[middle], value);
    if (c === 0) return middle;
    if (c < 0) low = middle + 1;
    else high = middle - 1;
  }
  return ~low;
}

/** A new array (`byte[]` for bytes) over `items`, which it takes over. */
export function arrayFrom(elementType: Type, items: unknown[]): unknown {
  if (elementType.kind === "named" && elementType.definition.fullName === "System.Byte") {
    return Uint8Array.from(items as number[]);
  }
  return new NetArray(elementType, items);
}

/** The elements of a source as a fresh JavaScript array, paid for. */
export function collect(source: unknown, parameter = "source"): unknown[] {
  if (source instanceof NetArray) {
    spend(source.items.length);
    return source.items.slice();
  }
  const items: unknown[] = [];
  for (const element of elements(source, parameter)) {
    spend();
    items.push(element);
    if ((items.length & 0xffff) === 0) checkSize(items.length);
  }
  checkSize(items.length);
  return items;
}

/** How `TrueForAll`, `ForEach` and friends see a fixed list of elements while lambdas run. */
function forEach(list: NetList, action: (value: unknown) => void): void {
  if (action === null) throw argumentNull("action");
  for (const item of list) {
    spend();
    action(item);
  }
}

function capacityChecked(capacity: number): void {
  if (capacity < 0) throw argumentOutOfRange("capacity", "Non-negative number required.");
  checkSize(capacity);
}

type Match = (value: unknown) => boolean;

const LIST: TypeDefinition = defineType(
  "class System.Collections.Generic.List<T> : IList<T>, IReadOnlyList<T>",
  {
    "List()": generic(
      ([T]) =>
        () =>
          new NetList(T!),
    ),
    "List(int capacity)": generic(([T]) => (capacity) => {
      capacityChecked(capacity);
      return new NetList(T!);
    }),
    "List(IEnumerable<T> collection)": generic(
      ([T]) =>
        (source) =>
          new NetList(T!, collect(source, "collection")),
    ),
    "int Count { get; }": (list: NetList) => list.items.length,
    "int Capacity { get; set; }": accessor(
      (list: NetList) => Math.max(4, list.items.length),
      (list: NetList, capacity: number) => {
        if (capacity < list.items.length)
          throw argumentOutOfRange("value", "capacity was less than the current size.");
      },
    ),
    "T this[int index] { get; set; }": accessor(
      (list: NetList, index: number) => list.at(index),
      (list: NetList, index: number, value: unknown) => list.put(index, value),
    ),
    "void Add(T item)": (list: NetList, value: unknown) => list.add(value),
    "void AddRange(IEnumerable<T> collection)": (list: NetList, source: unknown) => list.addRange(source),
    "void Insert(int index, T item)": (list: NetList, index: number, value: unknown) =>
      list.insert(index, value),
    "void InsertRange(int index, IEnumerable<T> collection)": (
      list: NetList,
      index: number,
      source: unknown,
    ) => list.insertRange(index, source),
    "bool Remove(T item)": (list: NetList, value: unknown) => list.remove(value),
    "void RemoveAt(int index)": (list: NetList, index: number) => list.removeAt(index),
    "void RemoveRange(int index, int count)": (list: NetList, index: number, count: number) =>
      list.removeRange(index, count),
    "int RemoveAll(Predicate<T> match)": (list: NetList, match: Match) => list.removeAll(match),
    "void Clear()": (list: NetList) => list.clear(),
    "bool Contains(T item)": (list: NetList, value: unknown) => list.has(value),
    "int IndexOf(T item)": (list: NetList, value: unknown) => list.indexOf(value),
    "int IndexOf(T item, int index)": (list: NetList, value: unknown, start: number) =>
      list.indexOf(value, start),
    "int IndexOf(T item, int index, int count)": (
      list: NetList,
      value: unknown,
      start: number,
      count: number,
    ) => list.indexOf(value, start, count),
    "int LastIndexOf(T item)": (list: NetList, value: unknown) => list.lastIndexOf(value),
    "List<T> GetRange(int index, int count)": (list: NetList, index: number, count: number) =>
      list.getRange(index, count),
    "void Reverse()": (list: NetList) => list.reverse(),
    "void Reverse(int index, int count)": (list: NetList, index: number, count: number) =>
      list.reverse(index, count),
    "void Sort()": (list: NetList) => list.sort(compareValues),
    "void Sort(IComparer<T> comparer)": (list: NetList, order: OrderLike | null) =>
      list.sort(order === null ? compareValues : (a, b) => order.compare(a, b)),
    "void Sort(Comparison<T> comparison)": (list: NetList, compare: (a: unknown, b: unknown) => number) => {
      if (compare === null) throw argumentNull("comparison");
      list.sort(compare);
    },
    "void Sort(int index, int count, IComparer<T> comparer)": (
      list: NetList,
      index: number,
      count: number,
      order: OrderLike | null,
    ) => list.sort(order === null ? compareValues : (a, b) => order.compare(a, b), index, count),
    "int BinarySearch(T item)": (list: NetList, value: unknown) => binarySearch(list.items, value, null),
    "int BinarySearch(T item, IComparer<T> comparer)": (
      list: NetList,
      value: unknown,
      order: OrderLike | null,
    ) => binarySearch(list.items, value, order),
    "bool Exists(Predicate<T> match)": (list: NetList, match: Match) => findIndex(list.items, match) >= 0,
    "T Find(Predicate<T> match)": generic(([T]) => {
      const missing = defaultOf(T);
      return (list, match) => {
        const index = findIndex(list.items, match);
        return index < 0 ? missing : list.items[index];
      };
    }),
    "T FindLast(Predicate<T> match)": generic(([T]) => {
      const missing = defaultOf(T);
      return (list, match) => {
        const index = findLastIndex(list.items, match);
        return index < 0 ? missing : list.items[index];
      };
    }),
    "List<T> FindAll(Predicate<T> match)": (list: NetList, match: Match) => {
      needMatch(match);
      const found = new NetList(list.elementType);
      for (const item of list.items) {
        spend();
        if (match(item)) found.items.push(item);
      }
      return found;
    },
    "int FindIndex(Predicate<T> match)": (list: NetList, match: Match) => findIndex(list.items, match),
    "int FindIndex(int startIndex, Predicate<T> match)": (list: NetList, start: number, match: Match) =>
      findIndex(list.items, match, start),
    "int FindIndex(int startIndex, int count, Predicate<T> match)": (
      list: NetList,
      start: number,
      count: number,
      match: Match,
    ) => findIndex(list.items, match, start, count),
    "int FindLastIndex(Predicate<T> match)": (list: NetList, match: Match) =>
      findLastIndex(list.items, match),
    "bool TrueForAll(Predicate<T> match)": (list: NetList, match: Match) => {
      needMatch(match);
      return findIndex(list.items, (item) => !match(item)) < 0;
    },
    "void ForEach(Action<T> action)": forEach,
    "List<TOutput> ConvertAll<TOutput>(Converter<T, TOutput> converter)": generic(
      ([, TOutput]) =>
        (list, converter) => {
          if (converter === null) throw argumentNull("converter");
          return new NetList(
            TOutput!,
            list.items.map((item: unknown) => {
              spend();
              return converter(item);
            }),
          );
        },
    ),
    "T[] ToArray()": generic(
      ([T]) =>
        (list) =>
          arrayFrom(T!, collect(list)),
    ),
    "void CopyTo(T[] array)": (list: NetList, target: unknown) => copyTo(list, target, 0),
    "void CopyTo(T[] array, int arrayIndex)": copyTo,
    "void CopyTo(int index, T[] array, int arrayIndex, int count)": (
      list: NetList,
      index: number,
      target: unknown,
      start: number,
      count: number,
    ) => copyTo(list.getRange(index, count), target, start),
    "void TrimExcess()": () => undefined,
    "IEnumerator<T> GetEnumerator()": generic(
      ([T]) =>
        (list) =>
          enumeratorOf(T!, list),
    ),
  },
);
