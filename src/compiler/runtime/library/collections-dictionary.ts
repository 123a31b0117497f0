/** `Dictionary<K,V>`, `SortedDictionary<K,V>` and the extension methods over dictionaries (`expressions.md` §5.7). */
import { defaultOf, unboxerTo } from "../cast.ts";
import { spend } from "../budget.ts";
import { accessor, defineType, generic } from "../define.ts";
import { argumentError, argumentNull, argumentOutOfRange, keyNotFound } from "../errors.ts";
import { type Type, type TypeDefinition, instantiate } from "../type.ts";
import { type OutCell, TYPE, textOf } from "../values.ts";
import {
  type DictionaryLike,
  KeyView,
  Pair,
  collectionModified,
  copyTo,
  elements,
  enumeratorOf,
  pairType,
  sameValue,
  tryGet,
} from "./collections.ts";
import { type EqualityLike, type OrderLike, compareValues } from "./comparers.ts";
import { HashTable } from "./hash-table.ts";

const duplicateKey = (key: unknown) =>
  argumentError(`An item with the same key has already been added. Key: ${textOf(key)}`);

export class NetDictionary implements DictionaryLike {
  readonly keyType: Type;
  readonly valueType: Type;
  readonly table: HashTable;

  constructor(keyType: Type, valueType: Type, comparer: EqualityLike | null = null) {
    this.keyType = keyType;
    this.valueType = valueType;
    this.table = new HashTable(comparer);
  }

  get [TYPE](): Type {
    return instantiate(DICTIONARY, [this.keyType, this.valueType]);
  }

  get size(): number {
    return this.table.size;
  }

  find(key: unknown): unknown {
    if (key === null) throw argumentNull("key");
    return this.table.find(key)?.value;
  }

  get(key: unknown): unknown {
    const value = this.find(key);
    if (value === undefined) throw keyNotFound();
    return value;
  }

  set(key: unknown, value: unknown): void {
    if (key === null) throw argumentNull("key");
    this.table.set(key, value);
  }

  add(key: unknown, value?: unknown): void {
    if (value === undefined && key instanceof Pair) return this.add(key.key, key.value);
    if (key === null) throw argumentNull("key");
    if (!this.table.add(key, value)) throw duplicateKey(key);
  }

  /** By key, or by pair when seen as `ICollection<KeyValuePair<K,V>>`. */
  remove(key: unknown): boolean {
    if (key === null) throw argumentNull("key");
    if (key instanceof Pair && key.type !== this.keyType) return this.has(key) && this.remove(key.key);
    return this.table.remove(key) !== null;
  }

  /** Of `ICollection<KeyValuePair<K,V>>`. */
  has(pair: unknown): boolean {
    if (!(pair instanceof Pair)) return false;
    const value = this.find(pair.key);
    return value !== undefined && new Pair(pair.type, pair.key, value).netEquals(pair);
  }

  clear(): void {
    this.table.clear();
  }

  keys(): Iterable<unknown> {
    return { [Symbol.iterator]: () => this.table.keys() };
  }

  values(): Iterable<unknown> {
    return { [Symbol.iterator]: () => this.table.values() };
  }

  *[Symbol.iterator](): Generator<Pair> {
    const type = pairType(this.keyType, this.valueType);
    for (const entry of this.table.entries()) yield new Pair(type, entry.key, entry.value);
  }
}

function filled(dictionary: NetDictionary, source: unknown): NetDictionary {
  for (const pair of elements(source, "dictionary") as Iterable<Pair>) {
    spend();
    dictionary.add(pair.key, pair.value);
  }
  return dictionary;
}

/** Members that both dictionary classes have. */
const COMMON = {
  "int Count { get; }": (d: DictionaryLike) => d.size,
  "TValue this[TKey key] { get; set; }": accessor(
    (d: DictionaryLike, key: unknown) => d.get(key),
    (d: DictionaryLike, key: unknown, value: unknown) => d.set!(key, value),
  ),
  "void Add(TKey key, TValue value)": (d: DictionaryLike, key: unknown, value: unknown) => d.add!(key, value),
  "bool Remove(TKey key)": (d: DictionaryLike, key: unknown) => d.remove!(key),
  "void Clear()": (d: DictionaryLike) => d.clear!(),
  "bool ContainsKey(TKey key)": (d: DictionaryLike, key: unknown) => d.find(key) !== undefined,
  "bool ContainsValue(TValue value)": containsValue,
  "bool TryGetValue(TKey key, out TValue value)": generic(([, V]) => {
    const missing = defaultOf(V);
    return (d, key, cell) => tryGet(d, key, cell, missing);
  }),
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
  "void CopyTo(KeyValuePair<TKey, TValue>[] array, int index)": copyTo,
  "IEnumerator<KeyValuePair<TKey, TValue>> GetEnumerator()": generic(
    ([K, V]) =>
      (d) =>
        enumeratorOf(pairType(K!, V!), d),
  ),
};

function containsValue(dictionary: DictionaryLike, value: unknown): boolean {
  for (const known of dictionary.values()) {
    spend();
    if (sameValue(known, value)) return true;
  }
  return false;
}

const DICTIONARY: TypeDefinition = defineType(
  "class System.Collections.Generic.Dictionary<TKey, TValue> : IDictionary<TKey, TValue>, IReadOnlyDictionary<TKey, TValue>",
  {
    "Dictionary()": generic(
      ([K, V]) =>
        () =>
          new NetDictionary(K!, V!),
    ),
    "Dictionary(int capacity)": generic(([K, V]) => (capacity) => {
      if (capacity < 0) throw argumentOutOfRange("capacity");
      return new NetDictionary(K!, V!);
    }),
    "Dictionary(IEqualityComparer<TKey> comparer)": generic(
      ([K, V]) =>
        (comparer) =>
          new NetDictionary(K!, V!, comparer),
    ),
    "Dictionary(int capacity, IEqualityComparer<TKey> comparer)": generic(
      ([K, V]) =>
        (capacity, comparer) => {
          if (capacity < 0) throw argumentOutOfRange("capacity");
          return new NetDictionary(K!, V!, comparer);
        },
    ),
    "Dictionary(IDictionary<TKey, TValue> dictionary)": generic(
      ([K, V]) =>
        (source) =>
          filled(new NetDictionary(K!, V!), source),
    ),
    "Dictionary(IDictionary<TKey, TValue> dictionary, IEqualityComparer<TKey> comparer)": generic(
      ([K, V]) =>
        (source, comparer) =>
          filled(new NetDictionary(K!, V!, comparer), source),
    ),
    "Dictionary(IEnumerable<KeyValuePair<TKey, TValue>> collection)": generic(
      ([K, V]) =>
        (source) =>
          filled(new NetDictionary(K!, V!), source),
    ),
    ...COMMON,
    "bool TryAdd(TKey key, TValue value)": (d: NetDictionary, key: unknown, value: unknown) => {
      if (key === null) throw argumentNull("key");
      return d.table.add(key, value);
    },
    "bool Remove(TKey key, out TValue value)": generic(([, V]) => {
      const missing = defaultOf(V);
      return (d: NetDictionary, key: unknown, cell: OutCell) => {
        if (key === null) throw argumentNull("key");
        const entry = d.table.remove(key);
        cell.value = entry === null ? missing : entry.value;
        return entry !== null;
      };
    }),
    "IEqualityComparer<TKey> Comparer { get; }": (d: NetDictionary) => d.table.comparer,
  },
);

/** Sorted by key; an array searched by halves, which for the sizes of an expression beats a tree. */
class SortedNetDictionary implements DictionaryLike {
  readonly keyType: Type;
  readonly valueType: Type;
  readonly #compare: (a: unknown, b: unknown) => number;
  readonly #keys: unknown[] = [];
  readonly #values: unknown[] = [];
  #version = 0;

  constructor(keyType: Type, valueType: Type, order: OrderLike | null) {
    this.keyType = keyType;
    this.valueType = valueType;
    this.#compare = order === null ? compareValues : (a, b) => order.compare(a, b);
  }

  get [TYPE](): Type {
    return instantiate(SORTED_DICTIONARY, [this.keyType, this.valueType]);
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Position of the key, or the complement of where it belongs. */
  #search(key: unknown): number {
    if (key === null) throw argumentNull("key");
    let low = 0;
    let high = this.#keys.length - 1;
    while (low <= high) {
      spend();
      const middle = (low + high) >>> 1;
      const c = this.#compare(this.#keys[middle], key);
      if (c === 0) return middle;
      if (c < 0) low = middle + 1;
      else high = middle - 1;
    }
    return ~low;
  }

  find(key: unknown): unknown {
    const index = this.#search(key);
    return index < 0 ? undefined : this.#values[index];
  }

  get(key: unknown): unknown {
    const value = this.find(key);
    if (value === undefined) throw keyNotFound();
    return value;
  }

  #insert(at: number, key: unknown, value: unknown): void {
    spend(1 + (this.#keys.length >>> 6));
    this.#keys.splice(at, 0, key);
    this.#values.splice(at, 0, value);
    this.#version++;
  }

  set(key: unknown, value: unknown): void {
    const index = this.#search(key);
    if (index < 0) this.#insert(~index, key, value);
    else {
      this.#values[index] = value;
      this.#version++;
    }
  }

  add(key: unknown, value?: unknown): void {
    if (value === undefined && key instanceof Pair) return this.add(key.key, key.value);
    const index = this.#search(key);
    if (index >= 0) throw duplicateKey(key);
    this.#insert(~index, key, value);
  }

  remove(key: unknown): boolean {
    const index = this.#search(key);
    if (index < 0) return false;
    this.#keys.splice(index, 1);
    this.#values.splice(index, 1);
    this.#version++;
    return true;
  }

  clear(): void {
    this.#keys.length = 0;
    this.#values.length = 0;
    this.#version++;
  }

  *#each(part: (index: number) => unknown): Generator<unknown> {
    const version = this.#version;
    for (let i = 0; i < this.#keys.length; i++) {
      yield part(i);
      if (version !== this.#version) throw collectionModified();
    }
  }

  keys(): Iterable<unknown> {
    return { [Symbol.iterator]: () => this.#each((i) => this.#keys[i]) };
  }

  values(): Iterable<unknown> {
    return { [Symbol.iterator]: () => this.#each((i) => this.#values[i]) };
  }

  [Symbol.iterator](): Iterator<unknown> {
    const type = pairType(this.keyType, this.valueType);
    return this.#each((i) => new Pair(type, this.#keys[i], this.#values[i]));
  }
}

function filledSorted(dictionary: SortedNetDictionary, source: unknown): SortedNetDictionary {
  for (const pair of elements(source, "dictionary") as Iterable<Pair>) dictionary.add(pair.key, pair.value);
  return dictionary;
}

const SORTED_DICTIONARY: TypeDefinition = defineType(
  "class System.Collections.Generic.SortedDictionary<TKey, TValue> : IDictionary<TKey, TValue>, IReadOnlyDictionary<TKey, TValue>",
  {
    "SortedDictionary()": generic(
      ([K, V]) =>
        () =>
          new SortedNetDictionary(K!, V!, null),
    ),
    "SortedDictionary(IComparer<TKey> comparer)": generic(
      ([K, V]) =>
        (order) =>
          new SortedNetDictionary(K!, V!, order),
    ),
    "SortedDictionary(IDictionary<TKey, TValue> dictionary)": generic(
      ([K, V]) =>
        (source) =>
          filledSorted(new SortedNetDictionary(K!, V!, null), source),
    ),
    ...COMMON,
  },
);

/** `GetValueOrDefault(key)`: null is allowed as a key for nobody; a null dictionary is an argument error. */
function valueOr(dictionary: DictionaryLike | null, key: unknown, missing: unknown): unknown {
  if (dictionary === null) throw argumentNull("dictionary");
  const value = dictionary.find(key);
  return value === undefined ? missing : value;
}

/** Headers, query parameters and claims: the values as one text. */
export function joined(values: unknown): string | null {
  if (values === null || values === undefined) return null;
  const { items } = values as { items: (string | null)[] };
  return items.length === 1 ? (items[0] ?? "") : items.join(",");
}

function joinedOr(dictionary: DictionaryLike | null, key: unknown, missing: string | null): string | null {
  if (dictionary === null) throw argumentNull("dictionary");
  const fast = (dictionary as { joined?(key: unknown): string | null }).joined;
  if (fast !== undefined) return fast.call(dictionary, key) ?? missing;
  const values = dictionary.find(key);
  return values === undefined ? missing : joined(values);
}

/** Casts what a variable holds; null becomes `default(T)` for value types (`expressions.md` §4.4). */
function variableAs(
  type: Type,
): (dictionary: DictionaryLike | null, key: unknown, missing: unknown) => unknown {
  const cast = unboxerTo(type);
  const empty = defaultOf(type);
  return (dictionary, key, missing) => {
    if (dictionary === null) throw argumentNull("dictionary");
    const value = dictionary.find(key);
    if (value === undefined) return missing;
    return value === null ? empty : cast(value);
  };
}

/** `dictionary.GetValueOrDefault(…)` in its three readings: text lists, objects of any type, the general one. */
const read = generic(([, V]) => {
  const missing = defaultOf(V);
  return (d, key) => valueOr(d, key, missing);
});
const readObjectAs = generic(([T]) => {
  const as = variableAs(T!);
  const missing = defaultOf(T);
  return (d, key) => as(d, key, missing);
});
const readObjectOr = generic(([T]) => variableAs(T!));

defineType(
  "static Gateway.DictionaryExtensions",
  {
    "static string GetValueOrDefault(this IReadOnlyDictionary<string, string[]> dictionary, string key)": (
      d: DictionaryLike,
      key: unknown,
    ) => joinedOr(d, key, null),
    "static string GetValueOrDefault(this IReadOnlyDictionary<string, string[]> dictionary, string key, string defaultValue)":
      joinedOr,
    "static object GetValueOrDefault(this IReadOnlyDictionary<string, object> dictionary, string key)": (
      d: DictionaryLike,
      key: unknown,
    ) => valueOr(d, key, null),
    "static T GetValueOrDefault<T>(this IReadOnlyDictionary<string, object> dictionary, string key)":
      readObjectAs,
    "static T GetValueOrDefault<T>(this IReadOnlyDictionary<string, object> dictionary, string key, T defaultValue)":
      readObjectOr,
    "static TValue GetValueOrDefault<TKey, TValue>(this IReadOnlyDictionary<TKey, TValue> dictionary, TKey key)":
      read,
    "static TValue GetValueOrDefault<TKey, TValue>(this IReadOnlyDictionary<TKey, TValue> dictionary, TKey key, TValue defaultValue)":
      valueOr,
    "static TValue GetValueOrDefault<TKey, TValue>(this IDictionary<TKey, TValue> dictionary, TKey key)":
      read,
    "static TValue GetValueOrDefault<TKey, TValue>(this IDictionary<TKey, TValue> dictionary, TKey key, TValue defaultValue)":
      valueOr,
    // A Dictionary is both of these; without forms of its own its calls would be ambiguous.
    "static TValue GetValueOrDefault<TKey, TValue>(this Dictionary<TKey, TValue> dictionary, TKey key)": read,
    "static TValue GetValueOrDefault<TKey, TValue>(this Dictionary<TKey, TValue> dictionary, TKey key, TValue defaultValue)":
      valueOr,
    "static T GetValueOrDefault<T>(this Dictionary<string, object> dictionary, string key, T defaultValue)":
      readObjectOr,
    "static TValue GetValueOrDefault<TKey, TValue>(this SortedDictionary<TKey, TValue> dictionary, TKey key)":
      read,
    "static TValue GetValueOrDefault<TKey, TValue>(this SortedDictionary<TKey, TValue> dictionary, TKey key, TValue defaultValue)":
      valueOr,
  },
  { nameable: false },
);
