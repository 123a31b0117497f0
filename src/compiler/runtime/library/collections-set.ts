/** `HashSet<T>`, `Queue<T>`, `Stack<T>` (`expressions.md` §5.7). */
import { defaultOf } from "../cast.ts";
import { checkSize, spend } from "../budget.ts";
import { defineType, generic } from "../define.ts";
import { argumentOutOfRange, invalidOperation } from "../errors.ts";
import { type Type, type TypeDefinition, instantiate } from "../type.ts";
import { type OutCell, TYPE } from "../values.ts";
import {
  type CollectionLike,
  collectionModified,
  copyTo,
  elements,
  enumeratorOf,
  sameValue,
} from "./collections.ts";
import { arrayFrom, collect, needMatch } from "./collections-list.ts";
import type { EqualityLike } from "./comparers.ts";
import { HashTable } from "./hash-table.ts";

class NetSet implements CollectionLike {
  readonly elementType: Type;
  readonly table: HashTable;

  constructor(elementType: Type, comparer: EqualityLike | null = null) {
    this.elementType = elementType;
    this.table = new HashTable(comparer);
  }

  get [TYPE](): Type {
    return instantiate(HASH_SET, [this.elementType]);
  }

  get size(): number {
    return this.table.size;
  }

  has(value: unknown): boolean {
    return this.table.has(value);
  }

  add(value: unknown): boolean {
    return this.table.add(value, value);
  }

  remove(value: unknown): boolean {
    return this.table.remove(value) !== null;
  }

  clear(): void {
    this.table.clear();
  }

  removeWhere(match: (value: unknown) => boolean): number {
    needMatch(match);
    const before = this.size;
    for (const value of collect(this)) if (match(value)) this.remove(value);
    return before - this.size;
  }

  /** The other operand as a set under this one's comparer. */
  #asSet(other: unknown): HashTable {
    const table = new HashTable(this.table.comparer);
    for (const value of elements(other, "other")) {
      spend();
      table.add(value, value);
    }
    return table;
  }

  unionWith(other: unknown): void {
    for (const value of collect(other, "other")) this.add(value);
  }

  intersectWith(other: unknown): void {
    const kept = this.#asSet(other);
    for (const value of collect(this)) if (!kept.has(value)) this.remove(value);
  }

  exceptWith(other: unknown): void {
    for (const value of collect(other, "other")) this.remove(value);
  }

  symmetricExceptWith(other: unknown): void {
    // What is new goes in before what both have goes out, which decides the order of enumeration.
    const shared: unknown[] = [];
    for (const value of collect(new Keys(this.#asSet(other)))) {
      if (this.has(value)) shared.push(value);
      else this.add(value);
    }
    for (const value of shared) this.remove(value);
  }

  /** How many of the other's distinct elements are in here, and how many there are. */
  #overlap(other: unknown): { shared: number; distinct: number } {
    const table = this.#asSet(other);
    let shared = 0;
    for (const value of table.keys()) if (this.has(value)) shared++;
    return { shared, distinct: table.size };
  }

  isSubsetOf(other: unknown): boolean {
    return this.#overlap(other).shared === this.size;
  }

  isSupersetOf(other: unknown): boolean {
    const { shared, distinct } = this.#overlap(other);
    return shared === distinct;
  }

  isProperSubsetOf(other: unknown): boolean {
    const { shared, distinct } = this.#overlap(other);
    return shared === this.size && distinct > shared;
  }

  isProperSupersetOf(other: unknown): boolean {
    const { shared, distinct } = this.#overlap(other);
    return shared === distinct && this.size > distinct;
  }

  overlaps(other: unknown): boolean {
    return this.#overlap(other).shared > 0;
  }

  setEquals(other: unknown): boolean {
    const { shared, distinct } = this.#overlap(other);
    return shared === distinct && this.size === distinct;
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.table.keys();
  }
}

/** A table's keys as a collection. */
class Keys {
  readonly #table: HashTable;
  constructor(table: HashTable) {
    this.#table = table;
  }
  [Symbol.iterator](): Iterator<unknown> {
    return this.#table.keys();
  }
}

/** @throws ArgumentNullException for a null source */
export function setFrom(
  elementType: Type,
  source: unknown,
  comparer: EqualityLike | null,
  parameter: string,
): NetSet {
  const set = new NetSet(elementType, comparer);
  for (const value of elements(source, parameter)) {
    spend();
    set.add(value);
  }
  return set;
}

const HASH_SET: TypeDefinition = defineType(
  "class System.Collections.Generic.HashSet<T> : ISet<T>, IReadOnlyCollection<T>",
  {
    "HashSet()": generic(
      ([T]) =>
        () =>
          new NetSet(T!),
    ),
    "HashSet(int capacity)": generic(([T]) => (capacity) => {
      if (capacity < 0) throw argumentOutOfRange("capacity");
      return new NetSet(T!);
    }),
    "HashSet(IEqualityComparer<T> comparer)": generic(
      ([T]) =>
        (comparer) =>
          new NetSet(T!, comparer),
    ),
    "HashSet(IEnumerable<T> collection)": generic(
      ([T]) =>
        (source) =>
          setFrom(T!, source, null, "collection"),
    ),
    "HashSet(IEnumerable<T> collection, IEqualityComparer<T> comparer)": generic(
      ([T]) =>
        (source, comparer) =>
          setFrom(T!, source, comparer, "collection"),
    ),
    "int Count { get; }": (set: NetSet) => set.size,
    "IEqualityComparer<T> Comparer { get; }": (set: NetSet) => set.table.comparer,
    "bool Add(T item)": (set: NetSet, value: unknown) => set.add(value),
    "bool Remove(T item)": (set: NetSet, value: unknown) => set.remove(value),
    "bool Contains(T item)": (set: NetSet, value: unknown) => set.has(value),
    "void Clear()": (set: NetSet) => set.clear(),
    "bool TryGetValue(T equalValue, out T actualValue)": generic(([T]) => {
      const missing = defaultOf(T);
      return (set: NetSet, value: unknown, cell: OutCell) => {
        const entry = set.table.find(value);
        cell.value = entry === null ? missing : entry.key;
        return entry !== null;
      };
    }),
    "int RemoveWhere(Predicate<T> match)": (set: NetSet, match: (value: unknown) => boolean) =>
      set.removeWhere(match),
    "void UnionWith(IEnumerable<T> other)": (set: NetSet, other: unknown) => set.unionWith(other),
    "void IntersectWith(IEnumerable<T> other)": (set: NetSet, other: unknown) => set.intersectWith(other),
    "void ExceptWith(IEnumerable<T> other)": (set: NetSet, other: unknown) => set.exceptWith(other),
    "void SymmetricExceptWith(IEnumerable<T> other)": (set: NetSet, other: unknown) =>
      set.symmetricExceptWith(other),
    "bool IsSubsetOf(IEnumerable<T> other)": (set: NetSet, other: unknown) => set.isSubsetOf(other),
    "bool IsSupersetOf(IEnumerable<T> other)": (set: NetSet, other: unknown) => set.isSupersetOf(other),
    "bool IsProperSubsetOf(IEnumerable<T> other)": (set: NetSet, other: unknown) =>
      set.isProperSubsetOf(other),
    "bool IsProperSupersetOf(IEnumerable<T> other)": (set: NetSet, other: unknown) =>
      set.isProperSupersetOf(other),
    "bool Overlaps(IEnumerable<T> other)": (set: NetSet, other: unknown) => set.overlaps(other),
    "bool SetEquals(IEnumerable<T> other)": (set: NetSet, other: unknown) => set.setEquals(other),
    "void CopyTo(T[] array)": (set: NetSet, target: unknown) => copyTo(set, target, 0),
    "void CopyTo(T[] array, int arrayIndex)": copyTo,
    "IEnumerator<T> GetEnumerator()": generic(
      ([T]) =>
        (set) =>
          enumeratorOf(T!, set),
    ),
  },
);

/** First in, first out. `#head` moves instead of the elements. */
class NetQueue implements CollectionLike {
  readonly elementType: Type;
  #items: unknown[];
  #head = 0;
  #version = 0;

  constructor(elementType: Type, items: unknown[] = []) {
    this.elementType = elementType;
    this.#items = items;
  }

  get [TYPE](): Type {
    return instantiate(QUEUE, [this.elementType]);
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  enqueue(value: unknown): void {
    checkSize(this.size + 1);
    this.#items.push(value);
    this.#version++;
  }

  /** The oldest element, or undefined. */
  dequeue(): unknown {
    if (this.size === 0) return undefined;
    const value = this.#items[this.#head++];
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    this.#version++;
    return value;
  }

  peek(): unknown {
    return this.size === 0 ? undefined : this.#items[this.#head];
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#version++;
  }

  *[Symbol.iterator](): Generator<unknown> {
    const version = this.#version;
    for (let i = this.#head; i < this.#items.length; i++) {
      yield this.#items[i];
      if (version !== this.#version) throw collectionModified();
    }
  }
}

/** Last in, first out; enumerates from the top. */
class NetStack implements CollectionLike {
  readonly elementType: Type;
  readonly #items: unknown[];
  #version = 0;

  constructor(elementType: Type, items: unknown[] = []) {
    this.elementType = elementType;
    this.#items = items;
  }

  get [TYPE](): Type {
    return instantiate(STACK, [this.elementType]);
  }

  get size(): number {
    return this.#items.length;
  }

  push(value: unknown): void {
    checkSize(this.#items.length + 1);
    this.#items.push(value);
    this.#version++;
  }

  pop(): unknown {
    if (this.#items.length === 0) return undefined;
    this.#version++;
    return this.#items.pop();
  }

  peek(): unknown {
    return this.#items[this.#items.length - 1];
  }

  clear(): void {
    this.#items.length = 0;
    this.#version++;
  }

  *[Symbol.iterator](): Generator<unknown> {
    const version = this.#version;
    for (let i = this.#items.length - 1; i >= 0; i--) {
      yield this.#items[i];
      if (version !== this.#version) throw collectionModified();
    }
  }
}

function orEmpty(value: unknown, what: "Queue" | "Stack"): unknown {
  if (value === undefined) throw invalidOperation(`${what} empty.`);
  return value;
}

function toCell(value: unknown, missing: unknown, cell: OutCell): boolean {
  cell.value = value === undefined ? missing : value;
  return value !== undefined;
}

function has(collection: CollectionLike, value: unknown): boolean {
  for (const element of collection) {
    spend();
    if (sameValue(element, value)) return true;
  }
  return false;
}

/** Members that `Queue<T>` and `Stack<T>` share. */
const COMMON = {
  "int Count { get; }": (c: CollectionLike) => c.size,
  "bool Contains(T item)": has,
  "void Clear()": (c: CollectionLike) => c.clear!(),
  "T[] ToArray()": generic(
    ([T]) =>
      (c) =>
        arrayFrom(T!, collect(c)),
  ),
  "void CopyTo(T[] array, int arrayIndex)": copyTo,
  "void TrimExcess()": () => undefined,
  "IEnumerator<T> GetEnumerator()": generic(
    ([T]) =>
      (c) =>
        enumeratorOf(T!, c),
  ),
};

function checkCapacity(capacity: number): void {
  if (capacity < 0) throw argumentOutOfRange("capacity", "Non-negative number required.");
  checkSize(capacity);
}

const QUEUE: TypeDefinition = defineType(
  "class System.Collections.Generic.Queue<T> : IReadOnlyCollection<T>",
  {
    "Queue()": generic(
      ([T]) =>
        () =>
          new NetQueue(T!),
    ),
    "Queue(int capacity)": generic(([T]) => (capacity) => {
      checkCapacity(capacity);
      return new NetQueue(T!);
    }),
    "Queue(IEnumerable<T> collection)": generic(
      ([T]) =>
        (source) =>
          new NetQueue(T!, collect(source, "collection")),
    ),
    "void Enqueue(T item)": (queue: NetQueue, value: unknown) => queue.enqueue(value),
    "T Dequeue()": (queue: NetQueue) => orEmpty(queue.dequeue(), "Queue"),
    "T Peek()": (queue: NetQueue) => orEmpty(queue.peek(), "Queue"),
    "bool TryDequeue(out T result)": generic(
      ([T]) =>
        (queue, cell) =>
          toCell(queue.dequeue(), defaultOf(T), cell),
    ),
    "bool TryPeek(out T result)": generic(
      ([T]) =>
        (queue, cell) =>
          toCell(queue.peek(), defaultOf(T), cell),
    ),
    ...COMMON,
  },
);

const STACK: TypeDefinition = defineType(
  "class System.Collections.Generic.Stack<T> : IReadOnlyCollection<T>",
  {
    "Stack()": generic(
      ([T]) =>
        () =>
          new NetStack(T!),
    ),
    "Stack(int capacity)": generic(([T]) => (capacity) => {
      checkCapacity(capacity);
      return new NetStack(T!);
    }),
    "Stack(IEnumerable<T> collection)": generic(
      ([T]) =>
        (source) =>
          new NetStack(T!, collect(source, "collection")),
    ),
    "void Push(T item)": (stack: NetStack, value: unknown) => stack.push(value),
    "T Pop()": (stack: NetStack) => orEmpty(stack.pop(), "Stack"),
    "T Peek()": (stack: NetStack) => orEmpty(stack.peek(), "Stack"),
    "bool TryPop(out T result)": generic(
      ([T]) =>
        (stack, cell) =>
          toCell(stack.pop(), defaultOf(T), cell),
    ),
    "bool TryPeek(out T result)": generic(
      ([T]) =>
        (stack, cell) =>
          toCell(stack.peek(), defaultOf(T), cell),
    ),
    ...COMMON,
  },
);
