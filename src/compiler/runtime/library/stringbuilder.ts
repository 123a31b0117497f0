/**
 * System.Text.StringBuilder. Appended pieces are kept apart until somebody needs the whole text, so that a loop of
 * Append calls stays linear.
 */
import { checkGrowth, checkLength, spend } from "../budget.ts";
import { type Members, accessor, defineType, generic } from "../define.ts";
import { argumentError, argumentNull, argumentOutOfRange, indexOutOfRange } from "../errors.ts";
import { environment } from "../environment.ts";
import type { Type } from "../type.ts";
import { type NamedType } from "../type.ts";
import { NetArray, type NetObject, TYPE, box, needsBoxing, textOf, typeNamed } from "../values.ts";
import { formatComposite } from "./format-composite.ts";
import { INTEGRAL_TYPES } from "./numbers-integral.ts";
import { insert, removeCount, repeat, substringOf } from "./string-edit.ts";
import { replace, replaceChar } from "./string-search.ts";
import { joinArray, joinSequence } from "./string-split.ts";

export class StringBuilder implements NetObject {
  /** JavaScript's own strings are ropes: `+=` costs the same however long the text is. */
  text: string;
  capacity: number;

  constructor(text: string, capacity = 16) {
    this.text = text;
    this.capacity = Math.max(capacity, text.length, 16);
  }
  get [TYPE](): Type {
    return typeNamed("System.Text.StringBuilder");
  }
  netToString(): string {
    return this.text;
  }
  append(piece: string): this {
    spend();
    const length = this.text.length + piece.length;
    checkGrowth(length, piece.length);
    if (length > this.capacity) this.capacity = Math.max(length, this.capacity * 2);
    this.text += piece;
    return this;
  }
  set(text: string): this {
    this.text = text;
    if (text.length > this.capacity) this.capacity = text.length;
    return this;
  }
}

type Builder = StringBuilder;

/** Types with their own overloads of Append and Insert: keyword → .NET name. */
const PRINTED: readonly [string, string][] = [
  ...INTEGRAL_TYPES.map((type): [string, string] => [type.keyword, `System.${type.name}`]),
  ["char", "System.Char"],
  ["float", "System.Single"],
  ["double", "System.Double"],
  ["bool", "System.Boolean"],
  ["decimal", "System.Decimal"],
  ["object", "System.Object"],
];

const overloads: Record<string, (...args: any[]) => unknown> = {};
for (const [keyword, name] of PRINTED) {
  const text = printer(name);
  overloads[`StringBuilder Append(${keyword} value)`] = (builder: Builder, value: unknown) =>
    builder.append(text(value));
  overloads[`StringBuilder Insert(int index, ${keyword} value)`] = (
    builder: Builder,
    index: number,
    value: unknown,
  ) => insertText(builder, index, text(value));
}

function printer(name: string): (value: unknown) => string {
  if (name === "System.Char") return (unit) => String.fromCharCode(unit as number);
  let type: NamedType | null = null;
  return (value) => {
    type ??= typeNamed(name);
    return textOf(needsBoxing(type) ? box(value, type) : value);
  };
}

function insertText(builder: Builder, index: number, value: string, count = 1): Builder {
  if (index < 0 || index > builder.text.length) {
    throw argumentOutOfRange(
      "index",
      "Index was out of range. Must be non-negative and less than the size of the collection.",
    );
  }
  if (count < 0) throw argumentOutOfRange("count", "Non-negative number required.");
  checkLength(builder.text.length + value.length * count);
  return builder.set(insert(builder.text, index, value.repeat(count)));
}

function appendPart(builder: Builder, text: string | null, start: number, count: number): Builder {
  if (text === null) {
    if (start === 0 && count === 0) return builder;
    throw argumentNull("value");
  }
  return builder.append(substringOf(text, start, count));
}

function charsOf(chars: NetArray | null): string {
  return chars === null ? "" : joinArray("", new NetArray(chars.elementType, boxedChars(chars)));
}

function boxedChars(chars: NetArray): string[] {
  return (chars.items as number[]).map((unit) => String.fromCharCode(unit));
}

function replacePart(
  builder: Builder,
  start: number,
  count: number,
  change: (part: string) => string,
): Builder {
  const text = builder.text;
  if (start < 0 || start > text.length) throw argumentOutOfRange("startIndex");
  if (count < 0 || start + count > text.length) throw argumentOutOfRange("count");
  const changed = text.slice(0, start) + change(text.slice(start, start + count)) + text.slice(start + count);
  checkLength(changed.length);
  return builder.set(changed);
}

function formatParams(builder: Builder, format: string | null, args: NetArray | null): Builder {
  if (args === null) throw argumentNull(format === null ? "format" : "args");
  return builder.append(formatComposite(format, args.items));
}

const members: Members = {
  "StringBuilder()": () => new StringBuilder(""),
  "StringBuilder(int capacity)": (capacity: number) => {
    if (capacity < 0) throw argumentOutOfRange("capacity", "'capacity' must be greater than zero.");
    return new StringBuilder("", capacity);
  },
  "StringBuilder(string value)": (text: string | null) => new StringBuilder(text ?? ""),
  "StringBuilder(string value, int capacity)": (text: string | null, capacity: number) => {
    if (capacity < 0) throw argumentOutOfRange("capacity", "'capacity' must be greater than zero.");
    return new StringBuilder(text ?? "", capacity);
  },
  "StringBuilder(string value, int startIndex, int length, int capacity)": (
    text: string | null,
    start: number,
    length: number,
    capacity: number,
  ) => new StringBuilder(substringOf(text ?? "", start, length), capacity),
  "int Length { get; set; }": accessor(
    (builder: Builder) => builder.text.length,
    (builder: Builder, length: number) => {
      if (length < 0) throw argumentOutOfRange("value", "Length cannot be less than zero.");
      checkLength(length);
      builder.set(builder.text.slice(0, length).padEnd(length, "\0"));
    },
  ),
  "int Capacity { get; set; }": accessor(
    (builder: Builder) => builder.capacity,
    (builder: Builder, capacity: number) => {
      if (capacity < builder.text.length) {
        throw argumentOutOfRange("value", "capacity was less than the current size.");
      }
      builder.capacity = capacity;
    },
  ),
  "int MaxCapacity { get; }": () => 0x7fffffff,
  "int EnsureCapacity(int capacity)": (builder: Builder, capacity: number) => {
    if (capacity < 0) throw argumentOutOfRange("capacity", "Capacity must be positive.");
    return (builder.capacity = Math.max(builder.capacity, capacity));
  },
  "char this[int index] { get; set; }": accessor(
    (builder: Builder, index: number) => {
      if (index < 0 || index >= builder.text.length) throw indexOutOfRange();
      return builder.text.charCodeAt(index);
    },
    (builder: Builder, index: number, unit: number) => {
      if (index < 0 || index >= builder.text.length) {
        throw argumentOutOfRange(
          "index",
          "Index was out of range. Must be non-negative and less than the size of the collection.",
        );
      }
      spend(1 + (builder.text.length >>> 8));
      builder.text = builder.text.slice(0, index) + String.fromCharCode(unit) + builder.text.slice(index + 1);
    },
  ),
  ...overloads,
  "StringBuilder Append(string value)": (builder: Builder, text: string | null) => builder.append(text ?? ""),
  "StringBuilder Append(string value, int startIndex, int count)": appendPart,
  "StringBuilder Append(char value, int repeatCount)": (builder: Builder, unit: number, count: number) => {
    if (count < 0) throw argumentOutOfRange("repeatCount", "Count cannot be less than zero.");
    return builder.append(repeat(unit, count));
  },
  "StringBuilder Append(char[] value)": (builder: Builder, chars: NetArray | null) =>
    builder.append(charsOf(chars)),
  "StringBuilder Append(char[] value, int startIndex, int charCount)": (
    builder: Builder,
    chars: NetArray | null,
    start: number,
    count: number,
  ) => appendPart(builder, chars === null ? null : charsOf(chars), start, count),
  "StringBuilder Append(StringBuilder value)": (builder: Builder, value: Builder | null) =>
    builder.append(value?.text ?? ""),
  "StringBuilder AppendLine()": (builder: Builder) => builder.append(environment().newLine),
  "StringBuilder AppendLine(string value)": (builder: Builder, text: string | null) =>
    builder.append((text ?? "") + environment().newLine),
  "StringBuilder AppendFormat(string format, object arg0)": (
    builder: Builder,
    format: string | null,
    a: unknown,
  ) => builder.append(formatComposite(format, [a])),
  "StringBuilder AppendFormat(string format, object arg0, object arg1)": (
    builder: Builder,
    format: string | null,
    a: unknown,
    b: unknown,
  ) => builder.append(formatComposite(format, [a, b])),
  "StringBuilder AppendFormat(string format, object arg0, object arg1, object arg2)": (
    builder: Builder,
    format: string | null,
    a: unknown,
    b: unknown,
    c: unknown,
  ) => builder.append(formatComposite(format, [a, b, c])),
  "StringBuilder AppendFormat(string format, params object[] args)": formatParams,
  "StringBuilder AppendJoin(string separator, params object[] values)": (
    builder: Builder,
    separator: string | null,
    values: NetArray | null,
  ) => builder.append(joinArray(separator, values, "values")),
  "StringBuilder AppendJoin(string separator, params string[] values)": (
    builder: Builder,
    separator: string | null,
    values: NetArray | null,
  ) => builder.append(joinArray(separator, values, "values")),
  "StringBuilder AppendJoin<T>(string separator, IEnumerable<T> values)": generic(
    ([type]) =>
      (builder: Builder, separator: string | null, values: unknown) =>
        builder.append(joinSequence(separator, values, type!)),
  ),
  "StringBuilder Insert(int index, string value)": (builder: Builder, index: number, text: string | null) =>
    insertText(builder, index, text ?? ""),
  "StringBuilder Insert(int index, string value, int count)": (
    builder: Builder,
    index: number,
    text: string | null,
    count: number,
  ) => insertText(builder, index, text ?? "", count),
  "StringBuilder Insert(int index, char[] value)": (
    builder: Builder,
    index: number,
    chars: NetArray | null,
  ) => insertText(builder, index, charsOf(chars)),
  "StringBuilder Remove(int startIndex, int length)": (builder: Builder, start: number, length: number) =>
    builder.set(removeCount(builder.text, start, length)),
  "StringBuilder Replace(string oldValue, string newValue)": (
    builder: Builder,
    from: string | null,
    to: string | null,
  ) => builder.set(replace(builder.text, from, to)),
  "StringBuilder Replace(string oldValue, string newValue, int startIndex, int count)": (
    builder: Builder,
    from: string | null,
    to: string | null,
    start: number,
    count: number,
  ) => replacePart(builder, start, count, (part) => replace(part, from, to)),
  "StringBuilder Replace(char oldChar, char newChar)": (builder: Builder, from: number, to: number) =>
    builder.set(replaceChar(builder.text, from, to)),
  "StringBuilder Replace(char oldChar, char newChar, int startIndex, int count)": (
    builder: Builder,
    from: number,
    to: number,
    start: number,
    count: number,
  ) => replacePart(builder, start, count, (part) => replaceChar(part, from, to)),
  "StringBuilder Clear()": (builder: Builder) => builder.set(""),
  "void CopyTo(int sourceIndex, char[] destination, int destinationIndex, int count)": (
    builder: Builder,
    from: number,
    target: NetArray | null,
    at: number,
    count: number,
  ) => {
    if (target === null) throw argumentNull("destination");
    if (count < 0) throw argumentOutOfRange("count", "Argument cannot be negative.");
    if (at < 0 || at + count > target.items.length)
      throw argumentError(
        "Either offset did not refer to a position in the string, or there is an insufficient length of destination character array.",
      );
    const part = substringOf(builder.text, from, count);
    spend(count >>> 4);
    for (let i = 0; i < count; i++) target.items[at + i] = part.charCodeAt(i);
  },
  "string ToString()": (builder: Builder) => builder.text,
  "string ToString(int startIndex, int length)": (builder: Builder, start: number, length: number) =>
    substringOf(builder.text, start, length),
  "bool Equals(StringBuilder sb)": (a: Builder, b: Builder | null) => b !== null && a.text === b.text,
};
defineType("class System.Text.StringBuilder", members);
