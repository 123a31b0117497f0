/**
 * System.Convert: every pair of base types. Real numbers round half to even, whatever does not fit throws
 * OverflowException, null texts and null objects give the zero of the type.
 */
import { checkBytes, checkLength, spendUnits } from "../budget.ts";
import { type Members, defineType } from "../define.ts";
import {
  NetException,
  argumentError,
  argumentNull,
  argumentOutOfRange,
  formatError,
  invalidCast,
  overflow,
} from "../errors.ts";

import { isValueType } from "../type.ts";
import { Box, type EnumValue, type NetObject, TYPE, box, textOf, typeNamed, typeOf } from "../values.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { parseBoolean } from "./boolean.ts";
import { parseChar } from "./char.ts";
import {
  DECIMAL_ZERO,
  Decimal,
  decimalFromDouble,
  decimalFromInteger,
  decimalFromSingle,
  decimalToDouble,
  decimalToRange,
  roundDecimal,
} from "./decimal-arithmetic.ts";
import { parseDecimal } from "./decimal.ts";
import { DateTime, UNSPECIFIED, parseDateTime } from "./datetime.ts";
import { floatingText } from "./format-standard.ts";
import { parseDouble, parseSingle } from "./numbers-floating.ts";
import { INTEGRAL_TYPES, type IntegralType, readIntegral } from "./numbers-integral.ts";
import { orThrow } from "./number-parse.ts";
import { roundHalfEven } from "./math.ts";
import type { TypeObject } from "./object.ts";

type Convertible = boolean | number | bigint | Decimal;

const INTEGERS = INTEGRAL_TYPES.map((type) => type.keyword);

/** An integral target: from integers, reals, decimal, bool, char, text, object. */
function toIntegral(type: IntegralType): (value: Convertible) => number | bigint {
  const { min, max, article } = type;
  const big = typeof min === "bigint";
  const inRange = (value: number | bigint): number | bigint => {
    if (value < min || value > max) throw overflow(`Value was either too large or too small for ${article}.`);
    return big ? BigInt(value) : Number(value);
  };
  return (value) => {
    switch (typeof value) {
      case "number": {
        if (Number.isInteger(value)) return inRange(value);
        const rounded = roundHalfEven(value);
        if (!Number.isFinite(rounded))
          throw overflow(`Value was either too large or too small for ${article}.`);
        return inRange(rounded);
      }
      case "bigint":
        return inRange(value);
      case "boolean":
        return big ? (value ? 1n : 0n) : value ? 1 : 0;
      default:
        return decimalToRange<number | bigint>(roundDecimal(value, 0, 0), min, max, article);
    }
  };
}

/** The raw value inside an object; text apart. @throws InvalidCastException for what does not convert */
function source(value: unknown, target: string): Convertible | string {
  if (value instanceof Box) return value.value;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (value instanceof Decimal) return value;
  const enumeration = value as Partial<EnumValue>;
  if (enumeration.definition !== undefined && typeof enumeration.number === "number")
    return enumeration.number;
  throw new NetException(
    "System.InvalidCastException",
    TYPE in (value as object)
      ? invalidCast((value as NetObject)[TYPE].name, "System.IConvertible").message
      : `Invalid cast from '${typeOf(value).name}' to '${target}'.`,
  );
}

/** Whether a boxed value is a char, which refuses to become a bool, a real number or a date. */
function isBoxedChar(value: unknown): boolean {
  return value instanceof Box && value.type === typeNamed("System.Char");
}

const badCast = (from: string, to: string): NetException =>
  new NetException("System.InvalidCastException", `Invalid cast from '${from}' to '${to}'.`);

const members: Record<string, (...args: any[]) => unknown> = {};

/** Overloads of `ToName` for every source that .NET can convert. */
function define(
  name: string,
  keyword: string,
  convert: (value: Convertible) => unknown,
  parse: (text: string | null) => unknown,
  zero: unknown,
  sources: readonly string[],
): void {
  for (const from of sources) members[`static ${keyword} To${name}(${from} value)`] = convert;
  members[`static ${keyword} To${name}(${keyword} value)`] = same;
  members[`static ${keyword} To${name}(string value)`] = (text: string | null) =>
    text === null ? zero : parse(text);
  members[`static ${keyword} To${name}(object value)`] = (value: unknown) => {
    if (value === null) return zero;
    if (isBoxedChar(value) && !sources.includes("char") && keyword !== "char") {
      throw badCast("Char", name);
    }
    const raw = source(value, name);
    return typeof raw === "string" ? parse(raw) : convert(raw);
  };
}

function same(value: unknown): unknown {
  return value;
}

for (const type of INTEGRAL_TYPES) {
  const zero = typeof type.min === "bigint" ? 0n : 0;
  define(
    type.name,
    type.keyword,
    toIntegral(type),
    (text) => orThrow(readIntegral(text!, type), type.article),
    zero,
    [...INTEGERS.filter((k) => k !== type.keyword), "bool", "char", "float", "double", "decimal"],
  );
  members[`static ${type.keyword} To${type.name}(string value, int fromBase)`] = (
    text: string | null,
    base: number,
  ) => fromBaseText(text, base, type);
}

const toDouble = (value: Convertible): number =>
  value instanceof Decimal ? decimalToDouble(value) : Number(value);
define("Double", "double", toDouble, parseDouble, 0, [...INTEGERS, "bool", "float", "decimal"]);
define("Single", "float", (value) => Math.fround(toDouble(value)), parseSingle, 0, [
  ...INTEGERS,
  "bool",
  "double",
  "decimal",
]);
const toDecimal = (value: Convertible): Decimal => {
  if (value instanceof Decimal) return value;
  if (typeof value === "number" && !Number.isSafeInteger(value)) return decimalFromDouble(value);
  return decimalFromInteger(typeof value === "boolean" ? Number(value) : value);
};
define("Decimal", "decimal", toDecimal, parseDecimal, DECIMAL_ZERO, [...INTEGERS, "bool", "double"]);
members["static decimal ToDecimal(float value)"] = decimalFromSingle;
members["static decimal ToDecimal(double value)"] = (value: number) => decimalFromDouble(value);

const toBoolean = (value: Convertible): boolean =>
  value instanceof Decimal ? value.coefficient !== 0n : typeof value === "boolean" ? value : value != 0;
define("Boolean", "bool", toBoolean, parseBoolean, false, [...INTEGERS, "float", "double", "decimal"]);

const toChar = (value: Convertible): number => {
  if (typeof value !== "number" && typeof value !== "bigint") throw badCast(typeNameOf(value), "Char");
  if (value < 0 || value > 0xffff) throw overflow("Value was either too large or too small for a character.");
  return Number(value);
};
define("Char", "char", toChar, (text) => parseChar(text, "value"), 0, INTEGERS);
members["static char ToChar(string value)"] = (text: string | null) => parseChar(text, "value");
members["static char ToChar(object value)"] = (value: unknown) => {
  if (value === null) return 0;
  const raw = source(value, "Char");
  if (typeof raw === "string") return parseChar(raw, "value");
  if (value instanceof Box && /Double|Single/.test(value.type.name))
    throw badCast(value.type.definition.shortName, "Char");
  return toChar(raw);
};

function typeNameOf(value: Convertible): string {
  return value instanceof Decimal ? "Decimal" : "Boolean";
}

// ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────────

for (const type of INTEGRAL_TYPES) members[`static string ToString(${type.keyword} value)`] = String;
members["static string ToString(bool value)"] = textOf;
members["static string ToString(char value)"] = (unit: number) => String.fromCharCode(unit);
members["static string ToString(double value)"] = (value: number) => floatingText(value, false);
members["static string ToString(float value)"] = (value: number) => floatingText(value, true);
members["static string ToString(decimal value)"] = textOf;
members["static string ToString(string value)"] = same;
members["static string ToString(DateTime value)"] = textOf;
members["static string ToString(object value)"] = textOf;
members["static DateTime ToDateTime(DateTime value)"] = same;
members["static DateTime ToDateTime(string value)"] = (text: string | null) =>
  text === null ? EARLIEST : parseDateTime(text);
members["static DateTime ToDateTime(object value)"] = (value: unknown) => {
  if (value === null) return EARLIEST;
  if (value instanceof DateTime) return value;
  if (typeof value === "string") return parseDateTime(value);
  throw badCast(typeOf(value).name.replace("System.", ""), "DateTime");
};

const RADIX_TYPES: readonly [string, number][] = [
  ["byte", 8],
  ["short", 16],
  ["int", 32],
  ["long", 64],
];
for (const [keyword, bits] of RADIX_TYPES) {
  members[`static string ToString(${keyword} value, int toBase)`] = (
    value: number | bigint,
    base: number,
  ) => {
    checkBase(base);
    return base === 10 ? String(value) : BigInt.asUintN(bits, BigInt(value)).toString(base);
  };
}

function checkBase(base: number): void {
  if (base !== 2 && base !== 8 && base !== 10 && base !== 16) throw argumentError("Invalid Base.");
}

const DIGITS: Readonly<Record<number, RegExp>> = {
  2: /^[01]+$/,
  8: /^[0-7]+$/,
  10: /^\d+$/,
  16: /^[\da-fA-F]+$/,
};

/** `Convert.ToInt32("ff", 16)`: two's complement in any base but ten. */
function fromBaseText(text: string | null, base: number, type: IntegralType): number | bigint {
  checkBase(base);
  const big = typeof type.min === "bigint";
  if (text === null) return big ? 0n : 0;
  if (base === 10) return orThrow(readIntegral(text, type), type.article);
  if (text === "")
    throw argumentOutOfRange(
      "startIndex",
      "Index was out of range. Must be non-negative and less than the size of the collection.",
    );
  const digits = base === 16 ? text.replace(/^0[xX]/, "") : text;
  if (text.startsWith("-")) throw argumentError("String cannot contain a minus sign if the base is not 10.");
  if (!DIGITS[base]!.test(digits))
    throw formatError(
      digits === ""
        ? "Could not find any recognizable digits."
        : "Additional non-parsable characters are at the end of the string.",
    );
  const significant = digits.replace(/^0+(?=.)/, "");
  const bits = BITS[type.name]!;
  const value =
    significant.length > 64
      ? 1n << 64n
      : BigInt(base === 16 ? `0x${significant}` : base === 8 ? `0o${significant}` : `0b${significant}`);
  if (value >= 1n << BigInt(bits))
    throw overflow(`Value was either too large or too small for ${type.article}.`);
  const whole = type.min < 0 ? BigInt.asIntN(bits, value) : value;
  return big ? whole : Number(whole);
}

const BITS: Readonly<Record<string, number>> = {
  SByte: 8,
  Byte: 8,
  Int16: 16,
  UInt16: 16,
  Int32: 32,
  UInt32: 32,
  Int64: 64,
  UInt64: 64,
};

// ── Base64, hexadecimal ─────────────────────────────────────────────────────────────────────────────────────────────

function base64Of(bytes: Uint8Array | null, options: EnumValue | null = null): string {
  if (bytes === null) throw argumentNull("inArray");
  const breaks = options?.number === 1;
  checkLength(Math.ceil(bytes.length / 3) * 4);
  const text = toBase64(bytes);
  return breaks ? text.replace(/.{76}(?=.)/g, "$&\r\n") : text;
}

function partOf(bytes: Uint8Array | null, offset: number, length: number): Uint8Array {
  if (bytes === null) throw argumentNull("inArray");
  if (length < 0)
    throw argumentOutOfRange(
      "length",
      "Index was out of range. Must be non-negative and less than the size of the collection.",
    );
  if (offset < 0) throw argumentOutOfRange("offset", "Value must be positive.");
  if (offset + length > bytes.length)
    throw argumentOutOfRange("offset", "Offset and length must refer to a position in the string.");
  return bytes.subarray(offset, offset + length);
}

const base64Members: Members = {
  "static string ToBase64String(byte[] inArray)": (bytes: Uint8Array | null) => base64Of(bytes),
  "static string ToBase64String(byte[] inArray, Base64FormattingOptions options)": base64Of,
  "static string ToBase64String(byte[] inArray, int offset, int length)": (
    bytes: Uint8Array | null,
    offset: number,
    length: number,
  ) => base64Of(partOf(bytes, offset, length)),
  "static string ToBase64String(byte[] inArray, int offset, int length, Base64FormattingOptions options)": (
    bytes: Uint8Array | null,
    offset: number,
    length: number,
    options: EnumValue,
  ) => base64Of(partOf(bytes, offset, length), options),
  "static byte[] FromBase64String(string s)": (text: string | null) => {
    if (text === null) throw argumentNull("s");
    checkBytes(Math.ceil(text.length * 0.75));
    return fromBase64(text);
  },
  "static string ToHexString(byte[] inArray)": (bytes: Uint8Array | null) => {
    if (bytes === null) throw argumentNull("inArray");
    checkLength(bytes.length * 2);
    spendUnits(bytes.length);
    let text = "";
    for (const byte of bytes) text += HEX[byte];
    return text;
  },
  "static byte[] FromHexString(string s)": (text: string | null) => {
    if (text === null) throw argumentNull("s");
    if (text.length % 2 !== 0)
      throw formatError("The input is not a valid hex string as its length is not a multiple of 2.");
    if (!/^[\da-fA-F]*$/.test(text))
      throw formatError("The input is not a valid hex string as it contains a non-hex character.");
    checkBytes(text.length / 2);
    spendUnits(text.length);
    return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
      Number.parseInt(text.slice(i * 2, i * 2 + 2), 16),
    );
  },
};

const EARLIEST = new DateTime(0n, UNSPECIFIED);
const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).toUpperCase().padStart(2, "0"),
);

/** `ChangeType(value, typeof(T))`: the conversion that the type's own `ToT(object)` makes. */
function changeType(value: unknown, type: TypeObject | null): unknown {
  if (type === null) throw argumentNull("conversionType");
  const target = type.type;
  if (value === null) {
    if (isValueType(target)) {
      throw new NetException(
        "System.InvalidCastException",
        "Null object cannot be converted to a value type.",
      );
    }
    return null;
  }
  if (typeOf(value) === target) return value;
  const name = target.kind === "named" ? target.definition.fullName.replace(/^System\./, "") : "";
  const convert = CHANGES.get(name);
  if (convert === undefined) throw badCast(typeOf(value).name, target.name);
  return box(convert(value), target);
}

const CHANGES = new Map<string, (value: unknown) => unknown>();
for (const [signature, convert] of Object.entries(members)) {
  const match = /^static \w+ To(\w+)\(object value\)$/.exec(signature);
  if (match !== null) CHANGES.set(match[1]!, convert);
}

defineType("static System.Convert", {
  ...members,
  ...base64Members,
  "static object ChangeType(object value, Type conversionType)": changeType,
});
