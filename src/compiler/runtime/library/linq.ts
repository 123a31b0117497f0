/**
 * `System.Linq.Enumerable`, the lazy operators (`expressions.md` §5.7). A source is read when the result is
 * enumerated, afresh each time. Every element costs one step of the budget, so that an endless sequence ends.
 */
import { checkSize, spend } from "../budget.ts";
import { elementTypeOf, boxer, defaultOf, isInstance, unboxerTo } from "../cast.ts";
import { defineType, generic } from "../define.ts";
import { argumentNull, argumentOutOfRange } from "../errors.ts";
import { type Type, arrayOf } from "../type.ts";
import { typeNamed } from "../values.ts";
import { Sequence, elements } from "./collections.ts";
import { arrayFrom, collect } from "./collections-list.ts";
import type { EqualityLike } from "./comparers.ts";
import { HashTable } from "./hash-table.ts";

type Fn = (...args: any[]) => any;

/** Checks now, enumerates later. `step` starts over the source's elements. */
function lazy(type: Type, source: unknown, step: (source: Iterable<unknown>) => Iterator<unknown>): Sequence {
  if (source === null || source === undefined) throw argumentNull("source");
  return new Sequence(type, () => step(elements(source)));
}

export function need(fn: unknown, name: string): void {
  if (fn === null || fn === undefined) throw argumentNull(name);
}

/** Where and Select are in nearly every query, so they are plain iterators: half the price of a generator. */
class WhereIterator implements Iterator<unknown> {
  readonly #inner: Iterator<unknown>;
  readonly #predicate: Fn;

  constructor(items: Iterable<unknown>, predicate: Fn) {
    this.#inner = items[Symbol.iterator]();
    this.#predicate = predicate;
  }

  next(): IteratorResult<unknown> {
    for (;;) {
      const step = this.#inner.next();
      if (step.done === true) return step;
      spend();
      if (this.#predicate(step.value)) return step;
    }
  }
}

class SelectIterator implements Iterator<unknown> {
  readonly #inner: Iterator<unknown>;
  readonly #selector: Fn;

  constructor(items: Iterable<unknown>, selector: Fn) {
    this.#inner = items[Symbol.iterator]();
    this.#selector = selector;
  }

  next(): IteratorResult<unknown> {
    const step = this.#inner.next();
    if (step.done === true) return step;
    spend();
    return { done: false, value: this.#selector(step.value) };
  }
}

function where(source: unknown, predicate: Fn, T: Type): Sequence {
  need(predicate, "predicate");
  return lazy(T, source, (items) => new WhereIterator(items, predicate));
}

function whereIndexed(source: unknown, predicate: Fn, T: Type): Sequence {
  need(predicate, "predicate");
  return lazy(T, source, function* (items) {
    let i = 0;
    for (const item of items) {
      spend();
      if (predicate(item, i++)) yield item;
    }
  });
}

function select(source: unknown, selector: Fn, R: Type): Sequence {
  need(selector, "selector");
  return lazy(R, source, (items) => new SelectIterator(items, selector));
}

function selectIndexed(source: unknown, selector: Fn, R: Type): Sequence {
  need(selector, "selector");
  return lazy(R, source, function* (items) {
    let i = 0;
    for (const item of items) {
      spend();
      yield selector(item, i++);
    }
  });
}

/** All forms of SelectMany: the selector gets the index too and may ignore it. */
function selectMany(source: unknown, selector: Fn, result: Fn | null, R: Type): Sequence {
  need(selector, "selector");
  return lazy(R, source, function* (items) {
    let i = 0;
    for (const item of items) {
      spend();
      for (const inner of elements(selector(item, i++))) {
        spend();
        yield result === null ? inner : result(item, inner);
      }
    }
  });
}

function take(source: unknown, count: number, T: Type): Sequence {
  return lazy(T, source, function* (items) {
    if (count <= 0) return;
    let left = count;
    for (const item of items) {
      spend();
      yield item;
      if (--left === 0) return;
    }
  });
}

function skip(source: unknown, count: number, T: Type): Sequence {
  return lazy(T, source, function* (items) {
    let left = count;
    for (const item of items) {
      spend();
      if (left > 0) left--;
      else yield item;
    }
  });
}

function takeLast(source: unknown, count: number, T: Type): Sequence {
  return lazy(T, source, function* (items) {
    const all = collect(items);
    yield* count <= 0 ? [] : all.slice(Math.max(0, all.length - count));
  });
}

function skipLast(source: unknown, count: number, T: Type): Sequence {
  return lazy(T, source, function* (items) {
    const all = collect(items);
    yield* all.slice(0, Math.max(0, all.length - Math.max(0, count)));
  });
}

function takeWhile(source: unknown, predicate: Fn, T: Type): Sequence {
  need(predicate, "predicate");
  return lazy(T, source, function* (items) {
    let i = 0;
    for (const item of items) {
      spend();
      if (!predicate(item, i++)) return;
      yield item;
    }
  });
}

function skipWhile(source: unknown, predicate: Fn, T: Type): Sequence {
  need(predicate, "predicate");
  return lazy(T, source, function* (items) {
    let i = 0;
    let skipping = true;
    for (const item of items) {
      spend();
      if (skipping && predicate(item, i++)) continue;
      skipping = false;
      yield item;
    }
  });
}

function concat(first: unknown, second: unknown, T: Type): Sequence {
  if (first === null) throw argumentNull("first");
  if (second === null) throw argumentNull("second");
  return new Sequence(T, function* () {
    for (const item of elements(first)) {
      spend();
      yield item;
    }
    for (const item of elements(second)) {
      spend();
      yield item;
    }
  });
}

function zip(first: unknown, second: unknown, selector: Fn, R: Type): Sequence {
  if (first === null) throw argumentNull("first");
  if (second === null) throw argumentNull("second");
  need(selector, "resultSelector");
  return new Sequence(R, function* () {
    const other = elements(second)[Symbol.iterator]();
    for (const item of elements(first)) {
      spend();
      const step = other.next();
      if (step.done === true) return;
      yield selector(item, step.value);
    }
  });
}

/** Distinct, Union, Intersect, Except: what stays decides `keep(table, item)`. */
function distinct(source: unknown, comparer: EqualityLike | null, T: Type): Sequence {
  return lazy(T, source, function* (items) {
    const seen = new HashTable(comparer);
    for (const item of items) {
      spend();
      if (seen.add(item, true)) yield item;
    }
  });
}

/** @param wanted whether elements of the second sequence stay or go */
function bySecond(
  first: unknown,
  second: unknown,
  comparer: EqualityLike | null,
  wanted: boolean,
  T: Type,
): Sequence {
  if (first === null) throw argumentNull("first");
  if (second === null) throw argumentNull("second");
  return new Sequence(T, function* () {
    const table = new HashTable(comparer);
    for (const item of elements(second)) {
      spend();
      table.add(item, true);
    }
    for (const item of elements(first)) {
      spend();
      if (wanted ? table.remove(item) !== null : table.add(item, true)) yield item;
    }
  });
}

function defaultIfEmpty(source: unknown, value: unknown, T: Type): Sequence {
  return lazy(T, source, function* (items) {
    let empty = true;
    for (const item of items) {
      spend();
      empty = false;
      yield item;
    }
    if (empty) yield value;
  });
}

function reverse(source: unknown, T: Type): Sequence {
  return lazy(T, source, function* (items) {
    const all = collect(items);
    for (let i = all.length - 1; i >= 0; i--) yield all[i];
  });
}

function range(start: number, count: number, T: Type): Sequence {
  if (count < 0 || start + count - 1 > 0x7fffffff) throw argumentOutOfRange("count");
  return new Sequence(T, function* () {
    for (let i = 0; i < count; i++) {
      spend();
      yield start + i;
    }
  });
}

function repeat(value: unknown, count: number, T: Type): Sequence {
  if (count < 0) throw argumentOutOfRange("count");
  return new Sequence(T, function* () {
    for (let i = 0; i < count; i++) {
      spend();
      yield value;
    }
  });
}

/** `Cast<T>`, `OfType<T>`: elements are boxed on the way, whatever the source holds. */
function castAll(source: unknown, T: Type): unknown {
  const cast = unboxerTo(T);
  return lazy(T, source, function* (items) {
    const box = boxer(elementTypeOf(source));
    for (const item of items) {
      spend();
      yield cast(box === null ? item : box(item));
    }
  });
}

function ofType(source: unknown, T: Type): Sequence {
  const cast = unboxerTo(T);
  return lazy(T, source, function* (items) {
    const box = boxer(elementTypeOf(source));
    for (const item of items) {
      spend();
      const boxed = box === null ? item : box(item);
      if (isInstance(boxed, T)) yield cast(boxed);
    }
  });
}

function chunk(source: unknown, size: number, T: Type, R: Type): Sequence {
  if (size < 1) throw argumentOutOfRange("size");
  checkSize(size);
  return lazy(R, source, function* (items) {
    let part: unknown[] = [];
    for (const item of items) {
      spend();
      part.push(item);
      if (part.length === size) {
        yield arrayFrom(T, part);
        part = [];
      }
    }
    if (part.length > 0) yield arrayFrom(T, part);
  });
}

const E = "IEnumerable<TSource>";
const last = (types: readonly Type[]): Type => types[types.length - 1]!;

defineType("static System.Linq.Enumerable", {
  [`static ${E} Where<TSource>(this ${E} source, Func<TSource, bool> predicate)`]: generic(
    ([T]) =>
      (source, f) =>
        where(source, f, T!),
  ),
  [`static ${E} Where<TSource>(this ${E} source, Func<TSource, int, bool> predicate)`]: generic(
    ([T]) =>
      (source, f) =>
        whereIndexed(source, f, T!),
  ),
  [`static IEnumerable<TResult> Select<TSource, TResult>(this ${E} source, Func<TSource, TResult> selector)`]:
    generic(
      ([, R]) =>
        (source, f) =>
          select(source, f, R!),
    ),
  [`static IEnumerable<TResult> Select<TSource, TResult>(this ${E} source, Func<TSource, int, TResult> selector)`]:
    generic(
      ([, R]) =>
        (source, f) =>
          selectIndexed(source, f, R!),
    ),
  [`static IEnumerable<TResult> SelectMany<TSource, TResult>(this ${E} source, Func<TSource, IEnumerable<TResult>> selector)`]:
    generic(
      ([, R]) =>
        (source, f) =>
          selectMany(source, f, null, R!),
    ),
  [`static IEnumerable<TResult> SelectMany<TSource, TResult>(this ${E} source, Func<TSource, int, IEnumerable<TResult>> selector)`]:
    generic(
      ([, R]) =>
        (source, f) =>
          selectMany(source, f, null, R!),
    ),
  [`static IEnumerable<TResult> SelectMany<TSource, TCollection, TResult>(this ${E} source, Func<TSource, IEnumerable<TCollection>> collectionSelector, Func<TSource, TCollection, TResult> resultSelector)`]:
    generic((types) => (source, f, result) => selectMany(source, f, result, last(types))),
  [`static IEnumerable<TResult> SelectMany<TSource, TCollection, TResult>(this ${E} source, Func<TSource, int, IEnumerable<TCollection>> collectionSelector, Func<TSource, TCollection, TResult> resultSelector)`]:
    generic((types) => (source, f, result) => selectMany(source, f, result, last(types))),
  [`static ${E} Take<TSource>(this ${E} source, int count)`]: generic(
    ([T]) =>
      (source, n) =>
        take(source, n, T!),
  ),
  [`static ${E} Skip<TSource>(this ${E} source, int count)`]: generic(
    ([T]) =>
      (source, n) =>
        skip(source, n, T!),
  ),
  [`static ${E} TakeLast<TSource>(this ${E} source, int count)`]: generic(
    ([T]) =>
      (source, n) =>
        takeLast(source, n, T!),
  ),
  [`static ${E} SkipLast<TSource>(this ${E} source, int count)`]: generic(
    ([T]) =>
      (source, n) =>
        skipLast(source, n, T!),
  ),
  [`static ${E} TakeWhile<TSource>(this ${E} source, Func<TSource, bool> predicate)`]: generic(
    ([T]) =>
      (source, f) =>
        takeWhile(source, f, T!),
  ),
  [`static ${E} TakeWhile<TSource>(this ${E} source, Func<TSource, int, bool> predicate)`]: generic(
    ([T]) =>
      (source, f) =>
        takeWhile(source, f, T!),
  ),
  [`static ${E} SkipWhile<TSource>(this ${E} source, Func<TSource, bool> predicate)`]: generic(
    ([T]) =>
      (source, f) =>
        skipWhile(source, f, T!),
  ),
  [`static ${E} SkipWhile<TSource>(this ${E} source, Func<TSource, int, bool> predicate)`]: generic(
    ([T]) =>
      (source, f) =>
        skipWhile(source, f, T!),
  ),
  [`static ${E} Concat<TSource>(this ${E} first, ${E} second)`]: generic(
    ([T]) =>
      (a, b) =>
        concat(a, b, T!),
  ),
  [`static ${E} Append<TSource>(this ${E} source, TSource element)`]: generic(([T]) => (source, value) => {
    if (source === null) throw argumentNull("source");
    return concat(source, [value], T!);
  }),
  [`static ${E} Prepend<TSource>(this ${E} source, TSource element)`]: generic(([T]) => (source, value) => {
    if (source === null) throw argumentNull("source");
    return concat([value], source, T!);
  }),
  [`static IEnumerable<TResult> Zip<TFirst, TSecond, TResult>(this IEnumerable<TFirst> first, IEnumerable<TSecond> second, Func<TFirst, TSecond, TResult> resultSelector)`]:
    generic((types) => (a, b, f) => zip(a, b, f, last(types))),
  [`static ${E} Distinct<TSource>(this ${E} source)`]: generic(
    ([T]) =>
      (source) =>
        distinct(source, null, T!),
  ),
  [`static ${E} Distinct<TSource>(this ${E} source, IEqualityComparer<TSource> comparer)`]: generic(
    ([T]) =>
      (source, comparer) =>
        distinct(source, comparer, T!),
  ),
  [`static ${E} Union<TSource>(this ${E} first, ${E} second)`]: generic(
    ([T]) =>
      (a, b) =>
        distinct(concat(a, b, T!), null, T!),
  ),
  [`static ${E} Union<TSource>(this ${E} first, ${E} second, IEqualityComparer<TSource> comparer)`]: generic(
    ([T]) =>
      (a, b, comparer) =>
        distinct(concat(a, b, T!), comparer, T!),
  ),
  [`static ${E} Intersect<TSource>(this ${E} first, ${E} second)`]: generic(
    ([T]) =>
      (a, b) =>
        bySecond(a, b, null, true, T!),
  ),
  [`static ${E} Intersect<TSource>(this ${E} first, ${E} second, IEqualityComparer<TSource> comparer)`]:
    generic(
      ([T]) =>
        (a, b, comparer) =>
          bySecond(a, b, comparer, true, T!),
    ),
  [`static ${E} Except<TSource>(this ${E} first, ${E} second)`]: generic(
    ([T]) =>
      (a, b) =>
        bySecond(a, b, null, false, T!),
  ),
  [`static ${E} Except<TSource>(this ${E} first, ${E} second, IEqualityComparer<TSource> comparer)`]: generic(
    ([T]) =>
      (a, b, comparer) =>
        bySecond(a, b, comparer, false, T!),
  ),
  [`static ${E} DefaultIfEmpty<TSource>(this ${E} source)`]: generic(([T]) => {
    const missing = defaultOf(T);
    return (source) => defaultIfEmpty(source, missing, T!);
  }),
  [`static ${E} DefaultIfEmpty<TSource>(this ${E} source, TSource defaultValue)`]: generic(
    ([T]) =>
      (source, value) =>
        defaultIfEmpty(source, value, T!),
  ),
  [`static ${E} Reverse<TSource>(this ${E} source)`]: generic(
    ([T]) =>
      (source) =>
        reverse(source, T!),
  ),
  [`static ${E} AsEnumerable<TSource>(this ${E} source)`]: (source: unknown) => source,
  [`static IEnumerable<TSource[]> Chunk<TSource>(this ${E} source, int size)`]: generic(
    ([T]) =>
      (source, size) =>
        chunk(source, size, T!, arrayOf(T!)),
  ),
  "static IEnumerable<TResult> Cast<TResult>(this IEnumerable source)": generic(
    ([R]) =>
      (source) =>
        castAll(source, R!),
  ),
  "static IEnumerable<TResult> OfType<TResult>(this IEnumerable source)": generic(
    ([R]) =>
      (source) =>
        ofType(source, R!),
  ),
  "static IEnumerable<TResult> Empty<TResult>()": generic(([R]) => {
    const empty = arrayFrom(R!, []);
    return () => empty;
  }),
  "static IEnumerable<TResult> Repeat<TResult>(TResult element, int count)": generic(
    ([R]) =>
      (value, count) =>
        repeat(value, count, R!),
  ),
  "static IEnumerable<int> Range(int start, int count)": (start: number, count: number) =>
    range(start, count, typeNamed("System.Int32")),
});
