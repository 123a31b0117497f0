/** The eight integral types. Their operators are the compiler's; here are the members. */
import { checkLength } from "../budget.ts";
import { type Members, defineType } from "../define.ts";
import { argumentError } from "../errors.ts";
import { type OutCell, Box, equal, typeNamed } from "../values.ts";
import { compareNumbers } from "./comparison.ts";
import { numberText } from "./format-standard.ts";
import { type Failure, orThrow, readBigInteger, readSmallInteger, requireText } from "./number-parse.ts";

/** Everything that differs between the integral types. */
export interface IntegralType {
  readonly name: string;
  readonly keyword: string;
  /** `an Int32`, for messages. */
  readonly article: string;
  readonly min: number | bigint;
  readonly max: number | bigint;
}

export const INTEGRAL_TYPES: readonly IntegralType[] = [
  { name: "SByte", keyword: "sbyte", article: "a signed byte", min: -128, max: 127 },
  { name: "Byte", keyword: "byte", article: "an unsigned byte", min: 0, max: 255 },
  { name: "Int16", keyword: "short", article: "an Int16", min: -32768, max: 32767 },
  { name: "UInt16", keyword: "ushort", article: "a UInt16", min: 0, max: 65535 },
  { name: "Int32", keyword: "int", article: "an Int32", min: -2147483648, max: 2147483647 },
  { name: "UInt32", keyword: "uint", article: "a UInt32", min: 0, max: 4294967295 },
  { name: "Int64", keyword: "long", article: "an Int64", min: -(2n ** 63n), max: 2n ** 63n - 1n },
  { name: "UInt64", keyword: "ulong", article: "a UInt64", min: 0n, max: 2n ** 64n - 1n },
];

/** Reads a text as this type; a string tells why not. */
export function readIntegral(text: string, type: IntegralType): number | bigint | Failure {
  return typeof type.min === "number"
    ? readSmallInteger(text, type.min, type.max as number)
    : readBigInteger(text, type.min, type.max as bigint);
}

for (const type of INTEGRAL_TYPES) {
  const zero = typeof type.min === "number" ? 0 : 0n;
  const fullName = `System.${type.name}`;
  const k = type.keyword;
  const members: Members = {
    [`const ${k} MinValue`]: type.min,
    [`const ${k} MaxValue`]: type.max,
    [`static ${k} Parse(string s)`]: (text: string | null) =>
      orThrow(readIntegral(requireText(text), type), type.article),
    [`static bool TryParse(string s, out ${k} result)`]: (text: string | null, result: OutCell) => {
      const value = text === null ? "format" : readIntegral(text, type);
      const good = typeof value !== "string";
      result.value = good ? value : zero;
      return good;
    },
    "string ToString()": (value: number | bigint) => String(value),
    "string ToString(string format)": (value: number | bigint, format: string | null) => {
      const text = numberText(value, typeNamed(fullName), format);
      checkLength(text.length);
      return text;
    },
    [`bool Equals(${k} obj)`]: (a: unknown, b: unknown) => a === b,
    "bool Equals(object obj)": (a: number | bigint, b: unknown) => equal(boxed(a), b),
    "int GetHashCode()": (value: number | bigint) => hashIntegral(value),
    [`int CompareTo(${k} value)`]: compareNumbers,
    "int CompareTo(object value)": (a: number | bigint, b: unknown) => {
      if (b === null) return 1;
      const raw =
        type.name === "Int32" ? b : b instanceof Box && b.type === typeNamed(fullName) ? b.value : null;
      if (typeof raw !== typeof zero) throw argumentError(`Object must be of type ${type.name}.`);
      return compareNumbers(a, raw as number | bigint);
    },
  };
  defineType(`struct ${fullName} : IComparable, IFormattable, IComparable<${k}>, IEquatable<${k}>`, members, {
    defaultValue: zero,
  });

  function boxed(value: number | bigint): unknown {
    return type.name === "Int32" ? value : new Box(typeNamed(fullName), value);
  }
}

function hashIntegral(value: number | bigint): number {
  return typeof value === "number" ? value | 0 : Number(BigInt.asIntN(32, value ^ (value >> 32n)));
}
