/** Conversions that need work at run time: between numbers, to and from `object`, enums, nullable values. */
import type { Conversion, NumericKind } from "../csharp/bound.ts";
import { boxer, unboxerTo } from "../runtime/cast.ts";
import { invalidOperation, overflow } from "../runtime/errors.ts";
import {
  type Decimal,
  decimalFromDouble,
  decimalFromInteger,
  decimalFromSingle,
  decimalToDouble,
  decimalToInteger,
} from "../runtime/library/decimal-arithmetic.ts";
import { type NamedType, type Type, underlyingOfNullable } from "../runtime/type.ts";
import { type EnumValue, enumValue } from "../runtime/values.ts";

export type Convert = (value: any) => unknown;

/** What turns a value of type `from` into one of type `to`; null where nothing has to be done. */
export function converter(conversion: Conversion, from: Type, to: Type): Convert | null {
  switch (conversion.kind) {
    case "upcast":
    case "wrap":
      return null;
    case "box":
      return boxer(from);
    case "unbox":
    case "downcast":
      return unboxerTo(to);
    case "unwrap":
      return unwrap;
    case "numeric":
      return numeric(conversion.from, conversion.to, conversion.checked);
    case "enumToNumber": {
      const narrow = numeric("int", conversion.to, false);
      return narrow === null
        ? (value: EnumValue) => value.number
        : (value: EnumValue) => narrow(value.number);
    }
    case "numberToEnum": {
      const narrow = numeric(conversion.from, "int", false);
      const { definition } = (underlyingOfNullable(to) ?? to) as NamedType;
      if (narrow === null) return (value: number) => enumValue(definition, value);
      return (value) => enumValue(definition, narrow(value) as number);
    }
  }
}

function unwrap(value: unknown): unknown {
  if (value === null) throw invalidOperation("Nullable object must have a value.");
  return value;
}

const isWide = (kind: NumericKind): boolean => kind === "long" || kind === "ulong";
const isReal = (kind: NumericKind): boolean => kind === "float" || kind === "double";

/** Integers that live in a JavaScript number → how they wrap to another such width. */
const NARROW: Partial<Record<NumericKind, (value: number) => number>> = {
  sbyte: (value) => (value << 24) >> 24,
  byte: (value) => value & 0xff,
  short: (value) => (value << 16) >> 16,
  ushort: (value) => value & 0xffff,
  char: (value) => value & 0xffff,
  int: (value) => value | 0,
  uint: (value) => value >>> 0,
};

const RANGES: Partial<Record<NumericKind, readonly [number, number]>> = {
  sbyte: [-128, 127],
  byte: [0, 255],
  short: [-32768, 32767],
  ushort: [0, 65535],
  char: [0, 65535],
  int: [-2147483648, 2147483647],
  uint: [0, 4294967295],
};

const WIDE_RANGES: Partial<Record<NumericKind, readonly [bigint, bigint]>> = {
  long: [-(1n << 63n), (1n << 63n) - 1n],
  ulong: [0n, (1n << 64n) - 1n],
};

/** Between two kinds of numbers; null when the representation stays as it is. */
export function numeric(from: NumericKind, to: NumericKind, checked: boolean): Convert | null {
  if (from === to) return null;
  if (from === "decimal") return fromDecimal(to);
  if (to === "decimal") {
    if (from === "double") return (value: number) => decimalFromDouble(value);
    return from === "float" ? decimalFromSingle : decimalFromInteger;
  }
  if (isReal(to)) {
    if (isWide(from)) return to === "float" ? (value: bigint) => Math.fround(Number(value)) : Number;
    return to === "float" && !isExactInFloat(from) ? Math.fround : null;
  }
  if (isReal(from)) return fromReal(to, checked);
  return isWide(from) ? fromWide(to, checked) : fromNarrow(from, to, checked);
}

function isExactInFloat(kind: NumericKind): boolean {
  return kind !== "int" && kind !== "uint" && kind !== "double";
}

function fromNarrow(from: NumericKind, to: NumericKind, checked: boolean): Convert | null {
  const [fromLow, fromHigh] = RANGES[from]!;
  if (isWide(to)) {
    if (to === "long" || fromLow >= 0) return BigInt;
    if (!checked) return (value: number) => BigInt.asUintN(64, BigInt(value));
    return (value: number) => {
      if (value < 0) throw overflow();
      return BigInt(value);
    };
  }
  const [low, high] = RANGES[to]!;
  if (fromLow >= low && fromHigh <= high) return null;
  if (!checked) return NARROW[to]!;
  return (value: number) => {
    if (value < low || value > high) throw overflow();
    return value;
  };
}

function fromWide(to: NumericKind, checked: boolean): Convert {
  if (isWide(to)) {
    const [low, high] = WIDE_RANGES[to]!;
    if (!checked)
      return (value: bigint) => (to === "long" ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value));
    return (value: bigint) => {
      if (value < low || value > high) throw overflow();
      return value;
    };
  }
  const [low, high] = RANGES[to]!;
  const narrow = NARROW[to]!;
  return (value: bigint) => {
    if (checked && (value < low || value > high)) throw overflow();
    return narrow(Number(BigInt.asIntN(32, value)));
  };
}

/** Truncates toward zero. Out of range the language leaves the result open; we wrap, as for integers. */
function fromReal(to: NumericKind, checked: boolean): Convert {
  if (isWide(to)) {
    const [low, high] = WIDE_RANGES[to]!;
    return (value: number) => {
      if (!Number.isFinite(value)) {
        if (checked) throw overflow();
        return 0n;
      }
      const whole = BigInt(Math.trunc(value));
      if (checked && (whole < low || whole > high)) throw overflow();
      return to === "long" ? BigInt.asIntN(64, whole) : BigInt.asUintN(64, whole);
    };
  }
  const [low, high] = RANGES[to]!;
  const narrow = NARROW[to]!;
  return (value: number) => {
    const whole = Math.trunc(value);
    if (checked && !(whole >= low && whole <= high)) throw overflow();
    return narrow(whole);
  };
}

/** Decimal to integer is always checked. */
function fromDecimal(to: NumericKind): Convert {
  if (to === "double") return decimalToDouble;
  if (to === "float") return (value: Decimal) => Math.fround(decimalToDouble(value));
  const isBig = isWide(to);
  const [low, high] = isBig ? WIDE_RANGES[to]! : RANGES[to]!.map(BigInt);
  const message = `Value was either too large or too small for ${ARTICLES[to] ?? "the type"}.`;
  return (value: Decimal) => {
    const whole = decimalToInteger(value);
    if (whole < low! || whole > high!) throw overflow(message);
    return isBig ? whole : Number(whole);
  };
}

const ARTICLES: Partial<Record<NumericKind, string>> = {
  sbyte: "a signed byte",
  byte: "an unsigned byte",
  short: "an Int16",
  ushort: "a UInt16",
  char: "a character",
  int: "an Int32",
  uint: "a UInt32",
  long: "an Int64",
  ulong: "a UInt64",
};
