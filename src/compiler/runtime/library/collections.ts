/**
 * The collection interfaces (`expressions.md` §5.1, §5.7). A member of an interface works on whatever implements it,
 * so behind them stand two small protocols: `ListLike` and `DictionaryLike`. Arrays and texts, which are no objects
 * of the library, are adapted here.
 */
import { checkLength, spend } from "../budget.ts";
import { defaultOf, setStructDefault } from "../cast.ts";
import { accessor, defineType, generic } from "../define.ts";
import {
  argumentNull,
  argumentOutOfRange,
  indexOutOfRange,
  invalidOperation,
  NetException,
  nullReference,
} from "../errors.ts";
import { type NamedType, type Type, type TypeDefinition, instantiate } from "../type.ts";
import { NetArray, type NetObject, type OutCell, TYPE, box, equal, hashOf, textOf } from "../values.ts";

/** What the interfaces need of a list: `List<T>`, `JArray`. Elements are raw. */
export interface ListLike extends NetObject {
  readonly size: number;
  at(index: number): unknown;
  put(index: number, value: unknown): void;
  add(value: unknown): void;
  insert(index: number, value: unknown): void;
  removeAt(index: number): void;
  remove(value: unknown): boolean;
  indexOf(value: unknown): number;
  clear(): void;
  [Symbol.iterator](): Iterator<unknown>;
}

/** What they need of a collection without positions: `HashSet<T>`, `Queue<T>`. */
export interface CollectionLike extends NetObject {
  readonly size: number;
  has?(value: unknown): boolean;
  add?(value: unknown): unknown;
  remove?(value: unknown): boolean;
  clear?(): void;
  [Symbol.iterator](): Iterator<unknown>;
}

/** What they need of a dictionary. Keys and values are raw. */
export interface DictionaryLike extends NetObject {
  readonly size: number;
  /** The value, or undefined when there is no such key. @throws ArgumentNullException for null */
  find(key: unknown): unknown;
  /** The indexer: what a missing key means is the dictionary's business. */
  get(key: unknown): unknown;
  keys(): Iterable<unknown>;
  values(): Iterable<unknown>;
  set?(key: unknown, value: unknown): void;
  /** @throws ArgumentException when the key is there */
  add?(key: unknown, value: unknown): void;
  remove?(key: unknown): boolean;
  clear?(): void;
  /** `KeyValuePair`s. */
  [Symbol.iterator](): Iterator<unknown>;
}

const READ_ONLY = "Collection is read-only.";
const FIXED_SIZE = "Collection was of a fixed size.";

export const notSupported = (message: string): NetException =>
  new NetException("System.NotSupportedException", message);
export const collectionModified = (): NetException =>
  invalidOperation("Collection was modified; enumeration operation may not execute.");
export const indexArgument = (parameter = "index"): NetException =>
  argumentOutOfRange(
    parameter,
    "Index was out of range. Must be non-negative and less than the size of the collection.",
  );

/** Text as `IEnumerable<char>`. */
function* codeUnits(text: string): Generator<number> {
  for (let i = 0; i < text.length; i++) yield text.charCodeAt(i);
}

/** The elements of any IEnumerable; `parameter` names it in the exception for null. Does not pay: the caller spends. */
export function elements(source: unknown, parameter = "source"): Iterable<unknown> {
  if (source instanceof NetArray) return source.items;
  if (source === null || source === undefined) throw argumentNull(parameter);
  if (typeof source === "string") return codeUnits(source);
  if (typeof (source as Iterable<unknown>)[Symbol.iterator] !== "function") {
    throw invalidOperation("The value cannot be enumerated.");
  }
  return source as Iterable<unknown>;
}

/** The number of elements where the source knows it, else -1. */
export function knownSize(source: unknown): number {
  if (source instanceof NetArray) return source.items.length;
  if (source instanceof Uint8Array || typeof source === "string") return source.length;
  const size = (source as { size?: unknown } | null)?.size;
  return typeof size === "number" ? size : -1;
}

/** A cursor that expressions move by hand. Also what `foreach` may iterate: it continues where the cursor stands. */
export class Enumerator implements NetObject {
  readonly elementType: Type;
  readonly #iterator: Iterator<unknown>;
  current: unknown;

  constructor(elementType: Type, iterator: Iterator<unknown>) {
    this.elementType = elementType;
    this.#iterator = iterator;
    this.current = null;
  }

  get [TYPE](): Type {
    return instantiate(IENUMERATOR, [this.elementType]);
  }

  moveNext(): boolean {
    const step = this.#iterator.next();
    if (step.done === true) return false;
    this.current = step.value;
    return true;
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.#iterator;
  }
}

/** A lazy sequence: every enumeration starts afresh. */
export class Sequence implements NetObject {
  readonly elementType: Type;
  readonly #start: () => Iterator<unknown>;

  constructor(elementType: Type, start: () => Iterator<unknown>) {
    this.elementType = elementType;
    this.#start = start;
  }

  get [TYPE](): Type {
    return instantiate(IENUMERABLE, [this.elementType]);
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.#start();
  }
}

/** `KeyValuePair<K,V>`. */
export class Pair implements NetObject {
  /** `KeyValuePair<K,V>` itself. */
  readonly type: Type;
  readonly key: unknown;
  readonly value: unknown;

  constructor(type: Type, key: unknown, value: unknown) {
    this.type = type;
    this.key = key;
    this.value = value;
  }

  get [TYPE](): Type {
    return this.type;
  }

  #boxed(): [unknown, unknown] {
    // Pairs of pairs are small to make and endless to print, as tuples are.
    spend(2);
    const args = this.type.kind === "named" ? this.type.args : [];
    return [box(this.key, args[0]!), box(this.value, args[1]!)];
  }

  netToString(): string {
    const [key, value] = this.#boxed();
    const text = `[${textOf(key)}, ${textOf(value)}]`;
    checkLength(text.length);
    return text;
  }

  netEquals(other: unknown): boolean {
    if (!(other instanceof Pair) || other.type !== this.type) return false;
    spend(2);
    return equal(this.key, other.key) && equal(this.value, other.value);
  }

  netHashCode(): number {
    const [key, value] = this.#boxed();
    return (key === null ? 0 : hashOf(key)) ^ (value === null ? 0 : hashOf(value));
  }
}

/** `KeyValuePair<key, value>`. */
export function pairType(key: Type, value: Type): Type {
  return instantiate(PAIR, [key, value]);
}

// --- What the interfaces' members do, for lists, arrays and the rest.

/** `Count`, `Length`. */
export function sizeOf(source: any): number {
  if (source === null) throw nullReference();
  const size = knownSize(source);
  if (size >= 0) return size;
  let n = 0;
  for (const _ of elements(source)) n++;
  return n;
}

/** `list[index]`, also of arrays. */
export function itemAt(list: any, index: number): unknown {
  if (list instanceof NetArray) {
    if (index < 0 || index >= list.items.length) throw indexOutOfRange();
    return list.items[index];
  }
  if (list instanceof Uint8Array) {
    if (index < 0 || index >= list.length) throw indexOutOfRange();
    return list[index];
  }
  return (list as ListLike).at(index);
}

export function putAt(list: any, index: number, value: unknown): void {
  if (list instanceof NetArray) {
    if (index < 0 || index >= list.items.length) throw indexOutOfRange();
    list.items[index] = value;
  } else if (list instanceof Uint8Array) {
    if (index < 0 || index >= list.length) throw indexOutOfRange();
    list[index] = value as number;
  } else (list as ListLike).put(index, value);
}

/** Equality of two raw values of one type: as `EqualityComparer<T>.Default` has it. */
export function sameValue(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === "object" ? equal(a, b) : a !== a && b !== b);
}

export function positionOf(list: any, value: unknown): number {
  if (list instanceof Uint8Array) return list.indexOf(value as number);
  if (list instanceof NetArray) return list.items.findIndex((item) => sameValue(item, value));
  return (list as ListLike).indexOf(value);
}

function contains(collection: any, value: unknown): boolean {
  if (typeof collection.has === "function") return (collection as CollectionLike).has!(value);
  if (
    collection instanceof NetArray ||
    collection instanceof Uint8Array ||
    typeof collection.indexOf === "function"
  ) {
    return positionOf(collection, value) >= 0;
  }
  for (const element of elements(collection)) if (sameValue(element, value)) return true;
  return false;
}

/** Writes the elements into an array from `start` on. */
export function copyTo(source: unknown, target: any, start: number): void {
  if (target === null) throw argumentNull("array");
  if (start < 0) throw argumentOutOfRange("arrayIndex", "Non-negative number required.");
  const room = target instanceof Uint8Array ? target.length : (target as NetArray).items.length;
  if (room - start < sizeOf(source)) {
    throw new NetException(
      "System.ArgumentException",
      "Destination array is not long enough to copy all the items in the collection. Check array index and length.",
    );
  }
  const into = target instanceof Uint8Array ? target : (target as NetArray).items;
  let i = start;
  for (const element of elements(source)) (into as unknown[])[i++] = element;
}

/** A mutating member, where the collection has it. */
function changing(name: string): (collection: any, ...args: unknown[]) => any {
  return (collection, ...args) => {
    if (collection instanceof NetArray || collection instanceof Uint8Array) throw notSupported(FIXED_SIZE);
    if (typeof collection[name] !== "function") throw notSupported(READ_ONLY);
    return collection[name](...args);
  };
}

export function enumeratorOf(elementType: Type, source: unknown): Enumerator {
  return new Enumerator(elementType, elements(source)[Symbol.iterator]());
}

/** `TryGetValue`: sets the cell to the value or to `missing`. */
export function tryGet(dictionary: DictionaryLike, key: unknown, cell: OutCell, missing: unknown): boolean {
  const value = dictionary.find(key);
  cell.value = value === undefined ? missing : value;
  return value !== undefined;
}

const getEnumerator = generic(
  ([T]) =>
    (source) =>
      enumeratorOf(T!, source),
);

defineType("interface System.Collections.IEnumerable");
const IENUMERABLE: TypeDefinition = defineType(
  "interface System.Collections.Generic.IEnumerable<T> : System.Collections.IEnumerable",
  { "IEnumerator<T> GetEnumerator()": getEnumerator },
);
const IENUMERATOR: TypeDefinition = defineType(
  "interface System.Collections.Generic.IEnumerator<T> : System.IDisposable",
  {
    "bool MoveNext()": (cursor: Enumerator) => cursor.moveNext(),
    "T Current { get; }": (cursor: Enumerator) => cursor.current,
  },
);
defineType("interface System.Collections.Generic.IReadOnlyCollection<T> : IEnumerable<T>", {
  "int Count { get; }": sizeOf,
});
defineType("interface System.Collections.Generic.IReadOnlyList<T> : IReadOnlyCollection<T>", {
  "T this[int index] { get; }": itemAt,
});
defineType("interface System.Collections.Generic.ICollection<T> : IEnumerable<T>", {
  "int Count { get; }": sizeOf,
  "bool IsReadOnly { get; }": (list: any) => typeof list.add !== "function",
  "bool Contains(T item)": contains,
  "void Add(T item)": changing("add"),
  "bool Remove(T item)": changing("remove"),
  "void Clear()": changing("clear"),
  "void CopyTo(T[] array, int arrayIndex)": copyTo,
});
defineType("interface System.Collections.Generic.IList<T> : ICollection<T>", {
  "T this[int index] { get; set; }": accessor(itemAt, putAt),
  "int IndexOf(T item)": positionOf,
  "void Insert(int index, T item)": changing("insert"),
  "void RemoveAt(int index)": changing("removeAt"),
});
defineType("interface System.Collections.Generic.ISet<T> : ICollection<T>", {
  "bool Add(T item)": changing("add"),
  "void UnionWith(IEnumerable<T> other)": (set: any, other: unknown) => set.unionWith(other),
  "void IntersectWith(IEnumerable<T> other)": (set: any, other: unknown) => set.intersectWith(other),
  "void ExceptWith(IEnumerable<T> other)": (set: any, other: unknown) => set.exceptWith(other),
  "void SymmetricExceptWith(IEnumerable<T> other)": (set: any, other: unknown) =>
    set.symmetricExceptWith(other),
  "bool IsSubsetOf(IEnumerable<T> other)": (set: any, other: unknown) => set.isSubsetOf(other),
  "bool IsSupersetOf(IEnumerable<T> other)": (set: any, other: unknown) => set.isSupersetOf(other),
  "bool IsProperSubsetOf(IEnumerable<T> other)": (set: any, other: unknown) => set.isProperSubsetOf(other),
  "bool IsProperSupersetOf(IEnumerable<T> other)": (set: any, other: unknown) =>
    set.isProperSupersetOf(other),
  "bool Overlaps(IEnumerable<T> other)": (set: any, other: unknown) => set.overlaps(other),
  "bool SetEquals(IEnumerable<T> other)": (set: any, other: unknown) => set.setEquals(other),
});

const PAIR: TypeDefinition = defineType(
  "struct System.Collections.Generic.KeyValuePair<TKey, TValue>",
  {
    "KeyValuePair(TKey key, TValue value)": generic(([K, V]) => {
      const type = pairType(K!, V!);
      return (key, value) => new Pair(type, key, value);
    }),
    "TKey Key { get; }": (pair: Pair) => pair.key,
    "TValue Value { get; }": (pair: Pair) => pair.value,
  },
  { defaultValue: null },
);
setStructDefault(
  "System.Collections.Generic.KeyValuePair",
  (type: NamedType) => new Pair(type, defaultOf(type.args[0]), defaultOf(type.args[1])),
);

const lookUp = (dictionary: DictionaryLike, key: unknown): unknown => dictionary.get(key);
const hasKey = (dictionary: DictionaryLike, key: unknown): boolean => dictionary.find(key) !== undefined;
const tryGetValue = generic(([, V]) => {
  const missing = defaultOf(V);
  return (dictionary, key, cell) => tryGet(dictionary, key, cell, missing);
});

defineType(
  "interface System.Collections.Generic.IReadOnlyDictionary<TKey, TValue> : IReadOnlyCollection<KeyValuePair<TKey, TValue>>",
  {
    "TValue this[TKey key] { get; }": lookUp,
    "bool ContainsKey(TKey key)": hasKey,
    "bool TryGetValue(TKey key, out TValue value)": tryGetValue,
    "IEnumerable<TKey> Keys { get; }": generic(
      ([K]) =>
        (d) =>
          new Sequence(K!, () => d.keys()[Symbol.iterator]()),
    ),
    "IEnumerable<TValue> Values { get; }": generic(
      ([, V]) =>
        (d) =>
          new Sequence(V!, () => d.values()[Symbol.iterator]()),
    ),
  },
);
defineType(
  "interface System.Collections.Generic.IDictionary<TKey, TValue> : ICollection<KeyValuePair<TKey, TValue>>",
  {
    "TValue this[TKey key] { get; set; }": accessor(
      lookUp,
      (d: DictionaryLike, key: unknown, value: unknown) => {
        if (d.set === undefined) throw notSupported(READ_ONLY);
        d.set(key, value);
      },
    ),
    "bool ContainsKey(TKey key)": hasKey,
    "bool TryGetValue(TKey key, out TValue value)": tryGetValue,
    "void Add(TKey key, TValue value)": changing("add"),
    "bool Remove(TKey key)": changing("remove"),
    "ICollection<TKey> Keys { get; }": generic(
      ([K]) =>
        (d) =>
          new KeyView(K!, d, "keys"),
    ),
    "ICollection<TValue> Values { get; }": generic(
      ([, V]) =>
        (d) =>
          new KeyView(V!, d, "values"),
    ),
  },
);

/** Live view of a dictionary's keys or values. */
export class KeyView implements NetObject {
  readonly elementType: Type;
  readonly #dictionary: DictionaryLike;
  readonly #part: "keys" | "values";

  constructor(elementType: Type, dictionary: DictionaryLike, part: "keys" | "values") {
    this.elementType = elementType;
    this.#dictionary = dictionary;
    this.#part = part;
  }

  get [TYPE](): Type {
    return instantiate(KEY_VIEW, [this.elementType]);
  }

  get size(): number {
    return this.#dictionary.size;
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.#dictionary[this.#part]()[Symbol.iterator]();
  }
}

/** Stands for `Dictionary<,>.KeyCollection` and `.ValueCollection`. */
const KEY_VIEW: TypeDefinition = defineType(
  "class System.Collections.Generic.KeyCollection<T> : ICollection<T>, IReadOnlyCollection<T>",
  {
    "int Count { get; }": (view: KeyView) => view.size,
    "void CopyTo(T[] array, int index)": copyTo,
    "IEnumerator<T> GetEnumerator()": getEnumerator,
  },
  { nameable: false },
);

defineType("interface System.Linq.IGrouping<TKey, TElement> : IEnumerable<TElement>", {
  "TKey Key { get; }": (group: { readonly key: unknown }) => group.key,
});
defineType("interface System.Linq.ILookup<TKey, TElement> : IEnumerable<IGrouping<TKey, TElement>>", {
  "int Count { get; }": sizeOf,
  "bool Contains(TKey key)": (lookup: any, key: unknown) => lookup.hasKey(key),
  "IEnumerable<TElement> this[TKey key] { get; }": (lookup: any, key: unknown) => lookup.group(key),
});
defineType("interface System.Linq.IOrderedEnumerable<TElement> : IEnumerable<TElement>");
