/** System.Decimal's members; its arithmetic is in `decimal-arithmetic.ts`. */
import { checkLength } from "../budget.ts";
import { type Members, defineType } from "../define.ts";
import { argumentError, argumentNull, argumentOutOfRange } from "../errors.ts";
import { type EnumValue, NetArray, type OutCell, typeNamed } from "../values.ts";
import {
  DECIMAL_ZERO,
  Decimal,
  MAX_COEFFICIENT,
  MAX_SCALE,
  type Rounding,
  addDecimal,
  compareDecimal,
  decimalFromDouble,
  decimalFromInteger,
  decimalFromParts,
  decimalFromSingle,
  decimalText,
  decimalToDouble,
  decimalToRange,
  divideDecimal,
  equalDecimal,
  multiplyDecimal,
  negateDecimal,
  remainderDecimal,
  roundDecimal,
  subtractDecimal,
} from "./decimal-arithmetic.ts";
import { type Failure, orThrow, readDecimalParts, requireText } from "./number-parse.ts";
import { INTEGRAL_TYPES } from "./numbers-integral.ts";

/** Reads like `decimal.TryParse`. */
export function readDecimal(text: string): Decimal | Failure {
  const parts = readDecimalParts(text);
  return parts === null ? "format" : decimalFromParts(parts);
}

export function parseDecimal(text: string | null): Decimal {
  return orThrow<Decimal>(readDecimal(requireText(text)), "a Decimal");
}

/** `Round(d, decimals, mode)` with .NET's checks. */
export function roundDecimalTo(value: Decimal, places: number, mode: EnumValue | null = null): Decimal {
  if (places < 0 || places > MAX_SCALE) {
    throw argumentOutOfRange("decimals", "Decimal can only round to between 0 and 28 digits of precision.");
  }
  return roundDecimal(value, places, rounding(mode));
}

function rounding(mode: EnumValue | null): Rounding {
  if (mode === null) return 0;
  if (mode.number < 0 || mode.number > 4) {
    throw argumentError(
      `The value '${mode.text}' is not valid for this usage of the type MidpointRounding.`,
      "mode",
    );
  }
  return mode.number as Rounding;
}

export const floorDecimal = (value: Decimal): Decimal => roundDecimal(value, 0, 3);
export const ceilingDecimal = (value: Decimal): Decimal => roundDecimal(value, 0, 4);
export const truncateDecimal = (value: Decimal): Decimal => roundDecimal(value, 0, 2);

function conversions(): Members {
  const members: Record<string, (value: any) => unknown> = {
    "static explicit operator float(decimal value)": (value: Decimal) => Math.fround(decimalToDouble(value)),
    "static explicit operator double(decimal value)": decimalToDouble,
    "static explicit operator decimal(float value)": decimalFromSingle,
    "static explicit operator decimal(double value)": (value: number) => decimalFromDouble(value),
    "static explicit operator char(decimal value)": (value: Decimal) =>
      decimalToRange(value, 0, 65535, "a character"),
    "static implicit operator decimal(char value)": decimalFromInteger,
    "static float ToSingle(decimal d)": (value: Decimal) => Math.fround(decimalToDouble(value)),
    "static double ToDouble(decimal d)": decimalToDouble,
  };
  for (const type of INTEGRAL_TYPES) {
    const cast = (value: Decimal): unknown => decimalToRange(value, type.min, type.max, type.article);
    members[`static explicit operator ${type.keyword}(decimal value)`] = cast;
    members[`static ${type.keyword} To${type.name}(decimal value)`] = cast;
    members[`static implicit operator decimal(${type.keyword} value)`] = decimalFromInteger;
  }
  return members;
}

function fromBits(lo: number, mid: number, hi: number, negative: boolean, scale: number): Decimal {
  if (scale > MAX_SCALE) {
    throw argumentOutOfRange("scale", "Decimal's scale value must be between 0 and 28, inclusive.");
  }
  const magnitude = (BigInt(hi >>> 0) << 64n) | (BigInt(mid >>> 0) << 32n) | BigInt(lo >>> 0);
  return new Decimal(negative ? -magnitude : magnitude, scale);
}

function toBits(value: Decimal): NetArray {
  const negative = value.coefficient < 0n;
  const magnitude = negative ? -value.coefficient : value.coefficient;
  const part = (shift: bigint): number => Number(BigInt.asIntN(32, magnitude >> shift));
  const flags = (value.scale << 16) | (negative ? -0x80000000 : 0);
  return new NetArray(typeNamed("System.Int32"), [part(0n), part(32n), part(64n), flags]);
}

defineType(
  "struct System.Decimal : IComparable, IFormattable, IComparable<decimal>, IEquatable<decimal>",
  {
    "static decimal Zero { get; }": () => DECIMAL_ZERO,
    "static decimal One { get; }": () => ONE,
    "static decimal MinusOne { get; }": () => MINUS_ONE,
    "static decimal MaxValue { get; }": () => LARGEST,
    "static decimal MinValue { get; }": () => SMALLEST,
    "Decimal(int value)": decimalFromInteger,
    "Decimal(uint value)": decimalFromInteger,
    "Decimal(long value)": decimalFromInteger,
    "Decimal(ulong value)": decimalFromInteger,
    "Decimal(float value)": decimalFromSingle,
    "Decimal(double value)": (value: number) => decimalFromDouble(value),
    "Decimal(int lo, int mid, int hi, bool isNegative, byte scale)": fromBits,
    "Decimal(int[] bits)": (bits: NetArray | null) => {
      if (bits === null) throw argumentNull("bits");
      const [lo, mid, hi, flags] = bits.items as number[];
      if (bits.items.length !== 4 || (flags! & 0x7f00ffff) !== 0 || ((flags! >> 16) & 0xff) > MAX_SCALE) {
        throw argumentError(
          "Decimal byte array constructor requires an array of length four containing valid decimal bytes.",
        );
      }
      return fromBits(lo!, mid!, hi!, flags! < 0, (flags! >> 16) & 0xff);
    },
    "static int[] GetBits(decimal d)": toBits,
    "static decimal operator +(decimal d1, decimal d2)": addDecimal,
    "static decimal operator -(decimal d1, decimal d2)": subtractDecimal,
    "static decimal operator *(decimal d1, decimal d2)": multiplyDecimal,
    "static decimal operator /(decimal d1, decimal d2)": divideDecimal,
    "static decimal operator %(decimal d1, decimal d2)": remainderDecimal,
    "static decimal operator +(decimal d)": (value: Decimal) => value,
    "static decimal operator -(decimal d)": negateDecimal,
    "static decimal operator ++(decimal d)": (value: Decimal) => addDecimal(value, ONE),
    "static decimal operator --(decimal d)": (value: Decimal) => subtractDecimal(value, ONE),
    "static bool operator ==(decimal d1, decimal d2)": equalDecimal,
    "static bool operator !=(decimal d1, decimal d2)": (a: Decimal, b: Decimal) => compareDecimal(a, b) !== 0,
    "static bool operator <(decimal d1, decimal d2)": (a: Decimal, b: Decimal) => compareDecimal(a, b) < 0,
    "static bool operator >(decimal d1, decimal d2)": (a: Decimal, b: Decimal) => compareDecimal(a, b) > 0,
    "static bool operator <=(decimal d1, decimal d2)": (a: Decimal, b: Decimal) => compareDecimal(a, b) <= 0,
    "static bool operator >=(decimal d1, decimal d2)": (a: Decimal, b: Decimal) => compareDecimal(a, b) >= 0,
    "static decimal Add(decimal d1, decimal d2)": addDecimal,
    "static decimal Subtract(decimal d1, decimal d2)": subtractDecimal,
    "static decimal Multiply(decimal d1, decimal d2)": multiplyDecimal,
    "static decimal Divide(decimal d1, decimal d2)": divideDecimal,
    "static decimal Remainder(decimal d1, decimal d2)": remainderDecimal,
    "static decimal Negate(decimal d)": negateDecimal,
    "static decimal Floor(decimal d)": floorDecimal,
    "static decimal Ceiling(decimal d)": ceilingDecimal,
    "static decimal Truncate(decimal d)": truncateDecimal,
    "static decimal Round(decimal d)": (value: Decimal) => roundDecimalTo(value, 0),
    "static decimal Round(decimal d, int decimals)": (value: Decimal, places: number) =>
      roundDecimalTo(value, places),
    "static decimal Round(decimal d, MidpointRounding mode)": (value: Decimal, mode: EnumValue) =>
      roundDecimalTo(value, 0, mode),
    "static decimal Round(decimal d, int decimals, MidpointRounding mode)": roundDecimalTo,
    "static int Compare(decimal d1, decimal d2)": compareDecimal,
    "static bool Equals(decimal d1, decimal d2)": equalDecimal,
    "static decimal Parse(string s)": parseDecimal,
    "static bool TryParse(string s, out decimal result)": (text: string | null, result: OutCell) => {
      const value = text === null ? "format" : readDecimal(text);
      result.value = value instanceof Decimal ? value : DECIMAL_ZERO;
      return value instanceof Decimal;
    },
    "string ToString()": (value: Decimal) => decimalText(value),
    "string ToString(string format)": (value: Decimal, format: string | null) => {
      const text = decimalText(value, format);
      checkLength(text.length);
      return text;
    },
    "bool Equals(decimal value)": equalDecimal,
    "bool Equals(object value)": (a: Decimal, b: unknown) => b instanceof Decimal && equalDecimal(a, b),
    "int GetHashCode()": (value: Decimal) => value.netHashCode(),
    "int CompareTo(decimal value)": compareDecimal,
    "int CompareTo(object value)": (a: Decimal, b: unknown) => (b === null ? 1 : a.netCompareTo(b)),
    ...conversions(),
  },
  { defaultValue: DECIMAL_ZERO },
);

const ONE = new Decimal(1n, 0);
const MINUS_ONE = new Decimal(-1n, 0);
const LARGEST = new Decimal(MAX_COEFFICIENT, 0);
const SMALLEST = new Decimal(-MAX_COEFFICIENT, 0);
