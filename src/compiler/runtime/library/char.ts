/** System.Char: a UTF-16 code unit. */
import { defineType } from "../define.ts";
import { argumentError, argumentNull, argumentOutOfRange, formatError } from "../errors.ts";
import { Box, type OutCell, typeNamed } from "../values.ts";
import { hasProperty, isWhiteSpace, toLower, toUpper } from "./char-class.ts";

type Test = (unit: number) => boolean;

const isSurrogate: Test = (unit) => unit >= 0xd800 && unit <= 0xdfff;
const isHighSurrogate: Test = (unit) => unit >= 0xd800 && unit <= 0xdbff;
const isLowSurrogate: Test = (unit) => unit >= 0xdc00 && unit <= 0xdfff;

/** `char.IsX`, each for a char and for a place in a string. */
const TESTS: Readonly<Record<string, Test>> = {
  IsControl: (unit) => unit < 32 || (unit >= 127 && unit < 160),
  IsDigit: hasProperty(/\p{Nd}/u),
  IsLetter: hasProperty(/\p{L}/u),
  IsLetterOrDigit: hasProperty(/[\p{L}\p{Nd}]/u),
  IsLower: hasProperty(/\p{Ll}/u),
  IsUpper: hasProperty(/\p{Lu}/u),
  IsNumber: hasProperty(/\p{N}/u),
  IsPunctuation: hasProperty(/\p{P}/u),
  IsSeparator: hasProperty(/\p{Z}/u),
  IsSymbol: hasProperty(/\p{S}/u),
  IsWhiteSpace: isWhiteSpace,
  IsSurrogate: isSurrogate,
  IsHighSurrogate: isHighSurrogate,
  IsLowSurrogate: isLowSurrogate,
};

const tests: Record<string, (...args: any[]) => unknown> = {};
for (const [name, test] of Object.entries(TESTS)) {
  tests[`static bool ${name}(char c)`] = test;
  tests[`static bool ${name}(string s, int index)`] = (text: string | null, index: number) =>
    test(unitAt(text, index));
}

function unitAt(text: string | null, index: number): number {
  if (text === null) throw argumentNull("s");
  if (index < 0 || index >= text.length) throw argumentOutOfRange("index");
  return text.charCodeAt(index);
}

const upper = (unit: number): number => toUpper(String.fromCharCode(unit)).charCodeAt(0);
const lower = (unit: number): number => toLower(String.fromCharCode(unit)).charCodeAt(0);

/** Value of a digit or vulgar fraction, -1 for anything else. */
function numericValue(unit: number): number {
  const c = String.fromCharCode(unit).normalize("NFKD");
  if (/^\d$/.test(c)) return Number(c);
  const fraction = /^(\d)\u2044(\d+)$/.exec(c);
  if (fraction !== null) return Number(fraction[1]) / Number(fraction[2]);
  if (!/^\p{Nd}$/u.test(c)) return -1;
  // Decimal digits of a script are ten in a row.
  let zero = unit;
  while (unit - zero < 10 && /^\p{Nd}$/u.test(String.fromCharCode(zero - 1))) zero--;
  return (unit - zero) % 10;
}

function codePointAt(text: string | null, index: number): number {
  const unit = unitAt(text, index);
  const point = text!.codePointAt(index)!;
  if (isHighSurrogate(unit) && point === unit) {
    throw argumentError(
      `Found a high surrogate char without a following low surrogate at index: ${index}.`,
      "s",
    );
  }
  if (isLowSurrogate(unit)) {
    throw argumentError(
      `Found a low surrogate char without a preceding high surrogate at index: ${index}.`,
      "s",
    );
  }
  return point;
}

function fromCodePoint(point: number): string {
  if (point < 0 || point > 0x10ffff || isSurrogate(point)) {
    throw argumentOutOfRange(
      "utf32",
      "A valid UTF32 value is between 0x000000 and 0x10ffff, inclusive, and should not include surrogate codepoint values (0x00d800 ~ 0x00dfff).",
    );
  }
  return String.fromCodePoint(point);
}

/** `char.Parse`. */
export function parseChar(text: string | null, parameter = "s"): number {
  if (text === null) throw argumentNull(parameter);
  if (text.length !== 1) throw formatError("String must be exactly one character long.");
  return text.charCodeAt(0);
}

const isPair = (high: number, low: number): boolean => isHighSurrogate(high) && isLowSurrogate(low);

defineType(
  "struct System.Char : IComparable, IComparable<char>, IEquatable<char>",
  {
    "const char MinValue": 0,
    "const char MaxValue": 0xffff,
    ...tests,
    "static bool IsAscii(char c)": (unit: number) => unit < 128,
    "static bool IsSurrogatePair(char highSurrogate, char lowSurrogate)": isPair,
    "static bool IsSurrogatePair(string s, int index)": (text: string | null, index: number) => {
      const high = unitAt(text, index);
      return index + 1 < text!.length && isPair(high, text!.charCodeAt(index + 1));
    },
    "static char ToUpper(char c)": upper,
    "static char ToUpperInvariant(char c)": upper,
    "static char ToLower(char c)": lower,
    "static char ToLowerInvariant(char c)": lower,
    "static double GetNumericValue(char c)": numericValue,
    "static double GetNumericValue(string s, int index)": (text: string | null, index: number) =>
      numericValue(unitAt(text, index)),
    "static string ConvertFromUtf32(int utf32)": fromCodePoint,
    "static int ConvertToUtf32(char highSurrogate, char lowSurrogate)": (high: number, low: number) => {
      if (!isHighSurrogate(high)) throw argumentOutOfRange("highSurrogate");
      if (!isLowSurrogate(low)) throw argumentOutOfRange("lowSurrogate");
      return (high - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000;
    },
    "static int ConvertToUtf32(string s, int index)": codePointAt,
    "static char Parse(string s)": parseChar,
    "static bool TryParse(string s, out char result)": (text: string | null, result: OutCell) => {
      const good = text !== null && text.length === 1;
      result.value = good ? text.charCodeAt(0) : 0;
      return good;
    },
    "static string ToString(char c)": (unit: number) => String.fromCharCode(unit),
    "string ToString()": (unit: number) => String.fromCharCode(unit),
    "bool Equals(char obj)": (a: number, b: number) => a === b,
    "bool Equals(object obj)": (a: number, b: unknown) =>
      b instanceof Box && b.type === typeNamed("System.Char") && b.value === a,
    "int GetHashCode()": (unit: number) => unit | (unit << 16),
    "int CompareTo(char value)": (a: number, b: number) => a - b,
    "int CompareTo(object value)": (a: number, b: unknown) => {
      if (b === null) return 1;
      if (!(b instanceof Box) || b.type !== typeNamed("System.Char"))
        throw argumentError("Object must be of type Char.");
      return a - (b.value as number);
    },
  },
  { defaultValue: 0 },
);
