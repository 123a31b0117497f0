/** System.String. `==`, `!=` and `+` belong to the compiler. */
import { checkLength, spendUnits } from "../budget.ts";
import { defineType, generic } from "../define.ts";
import { argumentError, argumentNull, argumentOutOfRange, nullReference } from "../errors.ts";
import { type EnumValue, NetArray, hashOf, textOf } from "../values.ts";
import { isBlank, toLower, toUpper } from "./char-class.ts";
import { compareTexts, foldCase, ignoresCase, sameTextIgnoringCase } from "./comparers.ts";
import { compareCulture, compareCultureIgnoreCase, compareOrdinal } from "./comparison.ts";
import { formatComposite } from "./format-composite.ts";
import {
  charAt,
  fromUnits,
  insert,
  pad,
  remove,
  removeCount,
  repeat,
  substring,
  substringOf,
  toCharArray,
  trim,
  trimBy,
} from "./string-edit.ts";
import {
  contains,
  containsBy,
  endsWith,
  endsWithBy,
  indexOf,
  indexOfAny,
  indexOfBy,
  indexOfChar,
  lastIndexOf,
  lastIndexOfAny,
  lastIndexOfBy,
  lastIndexOfChar,
  replace,
  replaceBy,
  replaceChar,
  startsWith,
  startsWithBy,
} from "./string-search.ts";
import {
  joinArray,
  joinPart,
  joinSequence,
  splitByChar,
  splitByChars,
  splitByText,
  splitByTexts,
} from "./string-split.ts";

type Text = string | null;

/** Texts of boxed values, one after the other. */
export function concat(...values: unknown[]): string {
  let text = "";
  for (const value of values) text += textOf(value);
  checkLength(text.length);
  return text;
}

function concatArray(values: NetArray | null): string {
  return joinArray("", values, "values");
}

/** Culture order; null first. */
function compare(a: Text, b: Text, ignoreCase = false): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return ignoreCase ? compareCultureIgnoreCase(a, b) : compareCulture(a, b);
}

function compareOrdinalTexts(a: Text, b: Text): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return compareOrdinal(a, b);
}

/** At most `length` units from `start`. */
function part(text: Text, start: number, length: number, parameter: string): Text {
  if (length < 0) throw argumentOutOfRange("length");
  if (start < 0 || start > (text?.length ?? 0)) throw argumentOutOfRange(parameter);
  return text === null ? null : text.slice(start, start + length);
}

function compareParts(by: (a: Text, b: Text) => number) {
  return (a: Text, indexA: number, b: Text, indexB: number, length: number): number =>
    by(part(a, indexA, length, "indexA"), part(b, indexB, length, "indexB"));
}

const FORMS: Readonly<Record<string, "NFC" | "NFD" | "NFKC" | "NFKD">> = {
  FormC: "NFC",
  FormD: "NFD",
  FormKC: "NFKC",
  FormKD: "NFKD",
};

function normalize(text: string, form: EnumValue | null = null): string {
  const name = form === null ? "NFC" : FORMS[form.text];
  if (name === undefined) throw argumentError("Invalid normalization form.", "normalizationForm");
  for (let i = 0; i < text.length; i++) {
    if (!(text.charCodeAt(i) >= 0xd800 && text.charCodeAt(i) <= 0xdfff)) continue;
    if (text.codePointAt(i)! > 0xffff) i++;
    else throw argumentError("Invalid Unicode code point found at index " + i + ".", "strInput");
  }
  spendUnits(text.length);
  const result = text.normalize(name);
  checkLength(result.length);
  return result;
}

function copyTo(text: string, from: number, target: NetArray | null, at: number, count: number): void {
  if (target === null) throw argumentNull("destination");
  if (count < 0) throw argumentOutOfRange("count");
  if (from < 0 || from + count > text.length) throw argumentOutOfRange("sourceIndex");
  if (at < 0 || at + count > target.items.length) throw argumentOutOfRange("destinationIndex");
  checkLength(count);
  for (let i = 0; i < count; i++) target.items[at + i] = text.charCodeAt(from + i);
}

function unitsOf(value: NetArray | null): readonly number[] {
  return (value?.items ?? []) as number[];
}

function upper(text: string): string {
  checkLength(text.length);
  return toUpper(text);
}

function lower(text: string): string {
  checkLength(text.length);
  return toLower(text);
}

function equalsBy(a: Text, b: Text, comparison: EnumValue): boolean {
  const noCase = ignoresCase(comparison);
  if (a === b) return true;
  return noCase && a !== null && b !== null && sameTextIgnoringCase(a, b);
}

function formatParams(format: Text, args: NetArray | null): string {
  if (args === null) throw argumentNull(format === null ? "format" : "args");
  return formatComposite(format, args.items);
}

const SPACE = 32;

defineType("class System.String : IComparable, IComparable<string>, IEquatable<string>, IEnumerable<char>", {
  "String(char c, int count)": repeat,
  "String(char[] value)": (value: NetArray | null) => fromUnits(unitsOf(value)),
  "String(char[] value, int startIndex, int length)": (
    value: NetArray | null,
    start: number,
    length: number,
  ) => {
    if (value === null) throw argumentNull("value");
    if (start < 0 || length < 0 || start + length > value.items.length)
      throw argumentOutOfRange("startIndex");
    return fromUnits(unitsOf(value).slice(start, start + length));
  },
  "static string Empty { get; }": () => "",
  "int Length { get; }": (text: string) => text.length,
  "char this[int index] { get; }": charAt,

  "static int Compare(string strA, string strB)": (a: Text, b: Text) => compare(a, b),
  "static int Compare(string strA, string strB, bool ignoreCase)": compare,
  "static int Compare(string strA, string strB, StringComparison comparisonType)": compareTexts,
  "static int Compare(string strA, int indexA, string strB, int indexB, int length)": compareParts(compare),
  "static int Compare(string strA, int indexA, string strB, int indexB, int length, bool ignoreCase)": (
    a: Text,
    indexA: number,
    b: Text,
    indexB: number,
    length: number,
    ignoreCase: boolean,
  ) => compareParts((x, y) => compare(x, y, ignoreCase))(a, indexA, b, indexB, length),
  "static int Compare(string strA, int indexA, string strB, int indexB, int length, StringComparison comparisonType)":
    (a: Text, indexA: number, b: Text, indexB: number, length: number, comparison: EnumValue) =>
      compareParts((x, y) => compareTexts(x, y, comparison))(a, indexA, b, indexB, length),
  "static int CompareOrdinal(string strA, string strB)": compareOrdinalTexts,
  "static int CompareOrdinal(string strA, int indexA, string strB, int indexB, int length)":
    compareParts(compareOrdinalTexts),
  "int CompareTo(string strB)": (a: string, b: Text) => compare(a, b),
  "int CompareTo(object value)": (a: string, b: unknown) => {
    if (b !== null && typeof b !== "string") throw argumentError("Object must be of type String.");
    return compare(a, b);
  },

  "static string Concat(object arg0)": textOf,
  "static string Concat(object arg0, object arg1)": concat,
  "static string Concat(object arg0, object arg1, object arg2)": concat,
  "static string Concat(params object[] args)": concatArray,
  "static string Concat(string str0, string str1)": concat,
  "static string Concat(string str0, string str1, string str2)": concat,
  "static string Concat(string str0, string str1, string str2, string str3)": concat,
  "static string Concat(params string[] values)": concatArray,
  "static string Concat(IEnumerable<string> values)": (values: unknown) => joinSequence("", values, null),
  "static string Concat<T>(IEnumerable<T> values)": generic(
    ([type]) =>
      (values: unknown) =>
        joinSequence("", values, type!),
  ),

  "static string Join(string separator, params string[] value)": (separator: Text, values: NetArray | null) =>
    joinArray(separator, values),
  "static string Join(string separator, params object[] values)": (
    separator: Text,
    values: NetArray | null,
  ) => joinArray(separator, values, "values"),
  "static string Join(string separator, string[] value, int startIndex, int count)": joinPart,
  "static string Join(string separator, IEnumerable<string> values)": (separator: Text, values: unknown) =>
    joinSequence(separator, values, null),
  "static string Join<T>(string separator, IEnumerable<T> values)": generic(
    ([type]) =>
      (separator: Text, values: unknown) =>
        joinSequence(separator, values, type!),
  ),
  "static string Join(char separator, params string[] value)": (separator: number, values: NetArray | null) =>
    joinArray(String.fromCharCode(separator), values),
  "static string Join(char separator, params object[] values)": (
    separator: number,
    values: NetArray | null,
  ) => joinArray(String.fromCharCode(separator), values, "values"),
  "static string Join(char separator, string[] value, int startIndex, int count)": (
    separator: number,
    values: NetArray | null,
    start: number,
    count: number,
  ) => joinPart(String.fromCharCode(separator), values, start, count),
  "static string Join<T>(char separator, IEnumerable<T> values)": generic(
    ([type]) =>
      (separator: number, values: unknown) =>
        joinSequence(String.fromCharCode(separator), values, type!),
  ),

  "static string Format(string format, object arg0)": (format: Text, a: unknown) =>
    formatComposite(format, [a]),
  "static string Format(string format, object arg0, object arg1)": (format: Text, a: unknown, b: unknown) =>
    formatComposite(format, [a, b]),
  "static string Format(string format, object arg0, object arg1, object arg2)": (
    format: Text,
    a: unknown,
    b: unknown,
    c: unknown,
  ) => formatComposite(format, [a, b, c]),
  "static string Format(string format, params object[] args)": formatParams,

  "static bool IsNullOrEmpty(string value)": (value: Text) => value === null || value === "",
  "static bool IsNullOrWhiteSpace(string value)": (value: Text) => value === null || isBlank(value),
  "static string Copy(string str)": (text: Text) => {
    if (text === null) throw argumentNull("str");
    return text;
  },

  "static bool Equals(string a, string b)": (a: Text, b: Text) => a === b,
  "static bool Equals(string a, string b, StringComparison comparisonType)": equalsBy,
  "bool Equals(string value)": (a: string, b: Text) => a === b,
  "bool Equals(string value, StringComparison comparisonType)": equalsBy,
  "bool Equals(object obj)": (a: string, b: unknown) => a === b,
  "int GetHashCode()": hashOf,
  "int GetHashCode(StringComparison comparisonType)": (text: string, comparison: EnumValue) =>
    hashOf(ignoresCase(comparison) ? foldCase(text) : text),

  "bool Contains(string value)": contains,
  "bool Contains(string value, StringComparison comparisonType)": containsBy,
  "bool Contains(char value)": (text: string, unit: number) => indexOfChar(text, unit) >= 0,
  "bool Contains(char value, StringComparison comparisonType)": (
    text: string,
    unit: number,
    comparison: EnumValue,
  ) => containsBy(text, String.fromCharCode(unit), comparison),
  "bool StartsWith(string value)": startsWith,
  "bool StartsWith(string value, StringComparison comparisonType)": startsWithBy,
  "bool StartsWith(char value)": (text: string, unit: number) =>
    text.length > 0 && text.charCodeAt(0) === unit,
  "bool EndsWith(string value)": endsWith,
  "bool EndsWith(string value, StringComparison comparisonType)": endsWithBy,
  "bool EndsWith(char value)": (text: string, unit: number) =>
    text.length > 0 && text.charCodeAt(text.length - 1) === unit,

  "int IndexOf(string value)": (text: string, value: Text) => indexOf(text, value),
  "int IndexOf(string value, int startIndex)": (text: string, value: Text, start: number) =>
    indexOf(text, value, start),
  "int IndexOf(string value, int startIndex, int count)": indexOf,
  "int IndexOf(string value, StringComparison comparisonType)": (
    text: string,
    value: Text,
    comparison: EnumValue,
  ) => indexOfBy(text, value, comparison),
  "int IndexOf(string value, int startIndex, StringComparison comparisonType)": (
    text: string,
    value: Text,
    start: number,
    comparison: EnumValue,
  ) => indexOfBy(text, value, comparison, start),
  "int IndexOf(string value, int startIndex, int count, StringComparison comparisonType)": (
    text: string,
    value: Text,
    start: number,
    count: number,
    comparison: EnumValue,
  ) => indexOfBy(text, value, comparison, start, count),
  "int IndexOf(char value)": (text: string, unit: number) => indexOfChar(text, unit),
  "int IndexOf(char value, int startIndex)": (text: string, unit: number, start: number) =>
    indexOfChar(text, unit, start),
  "int IndexOf(char value, int startIndex, int count)": indexOfChar,
  "int IndexOf(char value, StringComparison comparisonType)": (
    text: string,
    unit: number,
    comparison: EnumValue,
  ) => indexOfBy(text, String.fromCharCode(unit), comparison),
  "int IndexOfAny(char[] anyOf)": (text: string, anyOf: NetArray | null) => indexOfAny(text, anyOf),
  "int IndexOfAny(char[] anyOf, int startIndex)": (text: string, anyOf: NetArray | null, start: number) =>
    indexOfAny(text, anyOf, start),
  "int IndexOfAny(char[] anyOf, int startIndex, int count)": indexOfAny,
  "int LastIndexOf(string value)": lastOf,
  "int LastIndexOf(string value, int startIndex)": (text: string, value: Text, start: number) =>
    lastIndexOf(text, value, start),
  "int LastIndexOf(string value, int startIndex, int count)": lastIndexOf,
  "int LastIndexOf(string value, StringComparison comparisonType)": (
    text: string,
    value: Text,
    comparison: EnumValue,
  ) =>
    ignoresCase(comparison)
      ? lastOf(foldCase(text), value === null ? null : foldCase(value))
      : lastOf(text, value),
  "int LastIndexOf(string value, int startIndex, StringComparison comparisonType)": (
    text: string,
    value: Text,
    start: number,
    comparison: EnumValue,
  ) => lastIndexOfBy(text, value, comparison, start),
  "int LastIndexOf(string value, int startIndex, int count, StringComparison comparisonType)": (
    text: string,
    value: Text,
    start: number,
    count: number,
    comparison: EnumValue,
  ) => lastIndexOfBy(text, value, comparison, start, count),
  "int LastIndexOf(char value)": (text: string, unit: number) => lastIndexOfChar(text, unit),
  "int LastIndexOf(char value, int startIndex)": (text: string, unit: number, start: number) =>
    lastIndexOfChar(text, unit, start),
  "int LastIndexOf(char value, int startIndex, int count)": lastIndexOfChar,
  "int LastIndexOfAny(char[] anyOf)": (text: string, anyOf: NetArray | null) => lastIndexOfAny(text, anyOf),
  "int LastIndexOfAny(char[] anyOf, int startIndex)": (text: string, anyOf: NetArray | null, start: number) =>
    lastIndexOfAny(text, anyOf, start),
  "int LastIndexOfAny(char[] anyOf, int startIndex, int count)": lastIndexOfAny,

  "string Substring(int startIndex)": substring,
  "string Substring(int startIndex, int length)": substringOf,
  "string Insert(int startIndex, string value)": insert,
  "string Remove(int startIndex)": remove,
  "string Remove(int startIndex, int count)": removeCount,
  "string Replace(string oldValue, string newValue)": replace,
  "string Replace(string oldValue, string newValue, StringComparison comparisonType)": replaceBy,
  "string Replace(char oldChar, char newChar)": replaceChar,
  "string PadLeft(int totalWidth)": (text: string, width: number) => pad(text, width, SPACE, false),
  "string PadLeft(int totalWidth, char paddingChar)": (text: string, width: number, unit: number) =>
    pad(text, width, unit, false),
  "string PadRight(int totalWidth)": (text: string, width: number) => pad(text, width, SPACE, true),
  "string PadRight(int totalWidth, char paddingChar)": (text: string, width: number, unit: number) =>
    pad(text, width, unit, true),
  "string ToLower()": lower,
  "string ToLowerInvariant()": lower,
  "string ToUpper()": upper,
  "string ToUpperInvariant()": upper,
  "string Trim()": trim,
  "string Trim(char trimChar)": (text: string, unit: number) => trimBy(text, [unit], true, true),
  "string Trim(params char[] trimChars)": (text: string, units: NetArray | null) =>
    trimBy(text, unitsOf(units), true, true),
  "string TrimStart()": (text: string) => trimBy(text, null, true, false),
  "string TrimStart(char trimChar)": (text: string, unit: number) => trimBy(text, [unit], true, false),
  "string TrimStart(params char[] trimChars)": (text: string, units: NetArray | null) =>
    trimBy(text, unitsOf(units), true, false),
  "string TrimEnd()": (text: string) => trimBy(text, null, false, true),
  "string TrimEnd(char trimChar)": (text: string, unit: number) => trimBy(text, [unit], false, true),
  "string TrimEnd(params char[] trimChars)": (text: string, units: NetArray | null) =>
    trimBy(text, unitsOf(units), false, true),

  "string[] Split(params char[] separator)": (text: string, separators: NetArray | null) =>
    splitByChars(text, separators),
  "string[] Split(char[] separator, int count)": (text: string, separators: NetArray | null, count: number) =>
    splitByChars(text, separators, count),
  "string[] Split(char[] separator, StringSplitOptions options)": (
    text: string,
    separators: NetArray | null,
    options: EnumValue,
  ) => splitByChars(text, separators, Infinity, options),
  "string[] Split(char[] separator, int count, StringSplitOptions options)": splitByChars,
  "string[] Split(string[] separator, StringSplitOptions options)": (
    text: string,
    separators: NetArray | null,
    options: EnumValue,
  ) => splitByTexts(text, separators, Infinity, options),
  "string[] Split(string[] separator, int count, StringSplitOptions options)": splitByTexts,
  "string[] Split(char separator, StringSplitOptions options)": (
    text: string,
    unit: number,
    options: EnumValue,
  ) => splitByChar(text, unit, Infinity, options),
  "string[] Split(char separator, int count)": (text: string, unit: number, count: number) =>
    splitByChar(text, unit, count),
  "string[] Split(char separator, int count, StringSplitOptions options)": splitByChar,
  "string[] Split(string separator, StringSplitOptions options)": (
    text: string,
    separator: Text,
    options: EnumValue,
  ) => splitByText(text, separator, Infinity, options),
  "string[] Split(string separator, int count, StringSplitOptions options)": splitByText,

  "char[] ToCharArray()": (text: string) => toCharArray(text),
  "char[] ToCharArray(int startIndex, int length)": toCharArray,
  "void CopyTo(int sourceIndex, char[] destination, int destinationIndex, int count)": copyTo,
  "string Normalize()": (text: string) => normalize(text),
  "string Normalize(NormalizationForm normalizationForm)": normalize,
  "bool IsNormalized()": (text: string) => normalize(text) === text,
  "bool IsNormalized(NormalizationForm normalizationForm)": (text: string, form: EnumValue) =>
    normalize(text, form) === text,
  "string ToString()": (text: string) => text,
});

/** The whole text; an empty value is found behind its end. */
function lastOf(text: string, value: Text): number {
  return value === "" ? text.length : lastIndexOf(text, value);
}

/** The receiver of what looks like a member and is none: null has to fail as it does there. */
function present(text: Text): string {
  if (text === null) throw nullReference();
  return text;
}

/**
 * As an extension, so that `Split(null)` keeps meaning white space: the compiler looks here only when no member of
 * String takes the argument.
 */
defineType(
  "static Gateway.StringExtensions",
  {
    "static string[] Split(this string text, string separator)": (text: Text, separator: Text) =>
      splitByText(present(text), separator),
    "static string[] Split(this string text, string separator, int count)": (
      text: Text,
      separator: Text,
      count: number,
    ) => splitByText(present(text), separator, count),
  },
  { nameable: false },
);
