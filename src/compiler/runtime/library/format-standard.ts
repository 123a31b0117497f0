/**
 * Standard numeric formats: C D E F G N P R X (and B), with the invariant culture's symbols. Ties round away from
 * zero (`expressions.md` §5.3). Anything that is not one letter and up to nine digits is a custom format.
 */
import { checkLength } from "../budget.ts";
import { formatError } from "../errors.ts";
import type { NamedType } from "../type.ts";
import { setNumberText } from "../values.ts";
import { formatCustom } from "./format-custom.ts";
import {
  type Digits,
  type NumberKind,
  digitsOfInteger,
  exactDigits,
  fractionPart,
  grouped,
  integerPart,
  kindOf,
  roundDigits,
  shortestDigits,
  significantDigits,
} from "./number-digits.ts";

/** A number as formats take it. `bits` is the width of integral types, for X and B. */
export interface Formattable {
  readonly kind: NumberKind;
  readonly value: number | bigint;
  /** For integers and decimals, known at once; doubles work theirs out per format. */
  readonly digits: Digits | null;
  readonly bits: number;
  /** Places behind the point that a decimal keeps, zeros included. */
  readonly places?: number;
}

const invalid = (): Error => formatError("Format specifier was invalid.");

const BITS: ReadonlyMap<string, number> = new Map([
  ["System.SByte", 8],
  ["System.Byte", 8],
  ["System.Int16", 16],
  ["System.UInt16", 16],
  ["System.Int32", 32],
  ["System.UInt32", 32],
  ["System.Int64", 64],
  ["System.UInt64", 64],
]);

/** `ToString(format)` of a raw number of a predefined type other than decimal. */
export function numberText(value: number | bigint, type: NamedType, format: string | null): string {
  const name = type.definition.fullName;
  if (name === "System.Char") return String.fromCharCode(value as number);
  const kind = kindOf(type);
  if (format === null || format === "") {
    return kind === "integer" ? String(value) : floatingText(value as number, kind === "single");
  }
  if (kind === "integer") {
    if (format === "D" || format === "d" || format === "G" || format === "g") return String(value);
    return formatNumber({ kind, value, digits: digitsOfInteger(value), bits: BITS.get(name) ?? 64 }, format);
  }
  const special = specialText(value as number);
  if (special !== null) return special;
  return formatNumber({ kind, value, digits: null, bits: 64 }, format);
}
setNumberText(numberText);

/** `double.ToString()`, `float.ToString()`: shortest round trip, exponent from 1E+15 up and below 1E-05. */
export function floatingText(value: number, single: boolean): string {
  if (!single && Number.isSafeInteger(value) && value < 1e15 && value > -1e15) {
    return value === 0 && 1 / value < 0 ? "-0" : String(value);
  }
  return specialText(value) ?? general(shortestDigits(value, single), single ? 7 : 15, "E", 2);
}

function specialText(value: number): string | null {
  if (Number.isFinite(value)) return null;
  return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

/** Any finite number in a standard or custom format. @throws FormatException */
export function formatNumber(number: Formattable, format: string): string {
  const standard = /^([A-Za-z])(\d{0,9})$/.exec(format);
  if (standard === null) return formatCustom(customDigits(number), number.kind, format);
  const letter = standard[1]!;
  const precision = standard[2] === "" ? -1 : Number(standard[2]);
  checkLength(precision);
  switch (letter.toUpperCase()) {
    case "D":
      if (number.kind !== "integer") throw invalid();
      return signed(number.digits!, integerPart(number.digits!).padStart(precision, "0"));
    case "X":
      return bitsText(number, 16, precision, letter === "x");
    case "B":
      return bitsText(number, 2, precision, false);
    case "F": {
      const plain = plainFixed(number, precision);
      if (plain !== null) return plain;
      const { rounded, places } = fixed(number, precision, 2, 0);
      return signed(rounded, withPoint(integerPart(rounded), fractionPart(rounded, places)));
    }
    case "N": {
      const { rounded, places } = fixed(number, precision, 2, 0);
      return signed(rounded, withPoint(grouped(integerPart(rounded)), fractionPart(rounded, places)));
    }
    case "C": {
      const { rounded, places } = fixed(number, precision, 2, 0);
      const text = `¤${withPoint(grouped(integerPart(rounded)), fractionPart(rounded, places))}`;
      return rounded.negative ? `(${text})` : text;
    }
    case "P": {
      const { rounded, places } = fixed(number, precision, 2, 2);
      return signed(rounded, `${withPoint(grouped(integerPart(rounded)), fractionPart(rounded, places))} %`);
    }
    case "E": {
      const digits = precision < 0 ? 6 : precision;
      return exponential(rounded(number, digits + 1), digits, letter, 3);
    }
    case "G":
      return generalText(number, precision, letter);
    case "R":
      if (number.kind === "integer" || number.kind === "decimal") throw invalid();
      return generalText(number, -1, letter === "R" ? "E" : "e");
    default:
      throw invalid();
  }
}

/** Custom formats look at 15 significant digits of a double, 7 of a float. */
function customDigits(number: Formattable): Digits {
  return number.digits ?? significantDigits(number.value as number, number.kind === "single" ? 7 : 15);
}

/** Rounded to `count` significant digits. */
function rounded(number: Formattable, count: number): Digits {
  if (number.digits !== null) return positive(number, roundDigits(number.digits, count));
  return count > 100 ? exactDigits(number.value as number) : significantDigits(number.value as number, count);
}

/** Rounded to `precision` (or the default) places after the point, times 10^shift. */
function fixed(number: Formattable, precision: number, normal: number, shift: number) {
  const places = precision < 0 ? normal : precision;
  const exact = number.digits ?? exactDigits(number.value as number);
  const moved = exact.digits === "" ? exact : { ...exact, scale: exact.scale + shift };
  return { rounded: positive(number, roundDigits(moved, moved.scale + places)), places };
}

/** JavaScript's own `toFixed` also works from the exact value and rounds half away from zero; it ends at 10^21. */
function plainFixed(number: Formattable, precision: number): string | null {
  if (number.digits !== null || precision > 100) return null;
  const value = number.value as number;
  const size = Math.abs(value);
  if (!(size < 1e21)) return null;
  const text = size.toFixed(precision < 0 ? 2 : precision);
  return value < 0 || Object.is(value, -0) ? `-${text}` : text;
}

/** Only floating point knows a negative zero. */
function positive(number: Formattable, digits: Digits): Digits {
  const exactZero = digits.digits === "" && digits.negative && number.digits !== null;
  return exactZero ? { ...digits, negative: false } : digits;
}

function signed(number: Digits, text: string): string {
  return number.negative ? `-${text}` : text;
}

function withPoint(integer: string, fraction: string): string {
  return fraction === "" ? integer : `${integer}.${fraction}`;
}

function generalText(number: Formattable, precision: number, letter: string): string {
  const exponent = letter === "g" || letter === "e" ? "e" : "E";
  if (number.kind === "decimal" && precision <= 0) return plainDecimal(number.digits!, number);
  if (number.kind === "double" || number.kind === "single") {
    const normal = number.kind === "single" ? 7 : 15;
    if (precision <= 0)
      return general(shortestDigits(number.value as number, number.kind === "single"), normal, exponent, 2);
    return general(significantDigits(number.value as number, precision), precision, exponent, 2, precision);
  }
  const digits = number.digits!;
  const limit = precision > 0 ? precision : Math.max(digits.digits.length, number.bits === 64 ? 19 : 10);
  return general(roundDigits(digits, limit), limit, exponent, 2, limit);
}

/** G of a decimal: every digit of its scale, never an exponent. */
function plainDecimal(digits: Digits, number: Formattable): string {
  const text = withPoint(integerPart(digits), fractionPart(digits, number.places ?? 0));
  return signed(positive(number, digits), text);
}

/**
 * The general form: plain, or scientific when the point lies far outside the digits.
 *
 * @param limit digits that fit before the exponent form starts, when the number itself has fewer
 */
function general(
  number: Digits,
  normal: number,
  letter: string,
  exponentDigits: number,
  limit?: number,
): string {
  const { digits, scale } = number;
  const most = limit ?? Math.max(digits.length, normal);
  if (digits === "") return number.negative ? "-0" : "0";
  if (scale > most || scale < -3) {
    return exponential(number, digits.length - 1, letter, exponentDigits);
  }
  return signed(
    number,
    withPoint(integerPart(number), fractionPart(number, Math.max(digits.length - scale, 0))),
  );
}

function exponential(number: Digits, places: number, letter: string, exponentDigits: number): string {
  const { digits, scale } = number;
  const exponent = digits === "" ? 0 : scale - 1;
  const mantissa = withPoint(digits[0] ?? "0", digits.slice(1, places + 1).padEnd(places, "0"));
  const sign = exponent < 0 ? "-" : "+";
  return signed(
    number,
    `${mantissa}${letter}${sign}${String(Math.abs(exponent)).padStart(exponentDigits, "0")}`,
  );
}

function bitsText(number: Formattable, radix: number, precision: number, lower: boolean): string {
  if (number.kind !== "integer") throw invalid();
  const text = BigInt.asUintN(number.bits, BigInt(number.value)).toString(radix);
  return (lower ? text : text.toUpperCase()).padStart(precision, "0");
}
