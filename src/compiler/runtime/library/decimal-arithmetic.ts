/**
 * System.Decimal as a value: a 96-bit coefficient times 10^-scale, scale 0–28. Trailing zeros are part of it
 * (`1.10`), equality ignores them. Results that need more room lose digits behind the point, ties to even.
 */
import { NetException, argumentError, divideByZero, overflow } from "../errors.ts";
import type { Type } from "../type.ts";
import { type NetObject, TYPE, hashOf, typeNamed } from "../values.ts";
import { formatNumber } from "./format-standard.ts";
import { digitsOfScaled } from "./number-digits.ts";

export const MAX_SCALE = 28;
export const MAX_COEFFICIENT = (1n << 96n) - 1n;

const POWERS: readonly bigint[] = Array.from({ length: 60 }, (_, i) => 10n ** BigInt(i));

export class Decimal implements NetObject {
  /** Signed. */
  readonly coefficient: bigint;
  readonly scale: number;

  /** @param coefficient within ±(2⁹⁶ − 1) @param scale 0–28; `fit` makes both so */
  constructor(coefficient: bigint, scale: number) {
    this.coefficient = coefficient;
    this.scale = scale;
  }
  get [TYPE](): Type {
    return typeNamed("System.Decimal");
  }
  netToString(): string {
    return decimalText(this);
  }
  netEquals(other: unknown): boolean {
    return other instanceof Decimal && compareDecimal(this, other) === 0;
  }
  netHashCode(): number {
    const { coefficient, scale } = withoutTrailingZeros(this);
    return (hashOf(coefficient) ^ scale) | 0;
  }
  netCompareTo(other: unknown): number {
    if (!(other instanceof Decimal)) throw argumentError("Object must be of type Decimal.");
    return compareDecimal(this, other);
  }
  netFormat(format: string): string {
    return decimalText(this, format);
  }
}

export const DECIMAL_ZERO = new Decimal(0n, 0);
const tooLarge = (article = "a Decimal"): NetException =>
  overflow(`Value was either too large or too small for ${article}.`);

/** `ToString()` / `ToString(format)`. */
export function decimalText(value: Decimal, format: string | null = null): string {
  const { coefficient, scale } = value;
  if (format !== null && format !== "") {
    const digits = digitsOfScaled(coefficient, scale);
    return formatNumber({ kind: "decimal", value: 0, digits, bits: 0, places: scale }, format);
  }
  if (scale === 0) return coefficient.toString();
  const negative = coefficient < 0n;
  const text = (negative ? -coefficient : coefficient).toString().padStart(scale + 1, "0");
  return `${negative ? "-" : ""}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

/** Integer division, ties to even. */
function divideRounding(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = dividend - quotient * divisor;
  if (rest === 0n) return quotient;
  const twice = (rest < 0n ? -rest : rest) * 2n - (divisor < 0n ? -divisor : divisor);
  if (twice < 0n || (twice === 0n && (quotient & 1n) === 0n)) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}

/** The decimal nearest to coefficient × 10^-scale. @throws OverflowException */
export function fit(coefficient: bigint, scale: number): Decimal {
  if (scale <= MAX_SCALE && coefficient <= MAX_COEFFICIENT && coefficient >= -MAX_COEFFICIENT) {
    return new Decimal(coefficient, scale);
  }
  const magnitude = coefficient < 0n ? -coefficient : coefficient;
  let drop = Math.max(
    0,
    scale - MAX_SCALE,
    magnitude > MAX_COEFFICIENT ? magnitude.toString().length - 29 : 0,
  );
  for (; drop <= scale; drop++) {
    const rounded = divideRounding(coefficient, powerOfTen(drop));
    if (rounded <= MAX_COEFFICIENT && rounded >= -MAX_COEFFICIENT) return new Decimal(rounded, scale - drop);
  }
  throw tooLarge();
}

function powerOfTen(exponent: number): bigint {
  return POWERS[exponent] ?? 10n ** BigInt(exponent);
}

/** Both coefficients at the larger of both scales. */
function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  if (a.scale === b.scale) return [a.coefficient, b.coefficient, a.scale];
  if (a.scale > b.scale) return [a.coefficient, b.coefficient * POWERS[a.scale - b.scale]!, a.scale];
  return [a.coefficient * POWERS[b.scale - a.scale]!, b.coefficient, b.scale];
}

export function addDecimal(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = aligned(a, b);
  return fit(x + y, scale);
}

export function subtractDecimal(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = aligned(a, b);
  return fit(x - y, scale);
}

export function multiplyDecimal(a: Decimal, b: Decimal): Decimal {
  return fit(a.coefficient * b.coefficient, a.scale + b.scale);
}

/** An exact quotient keeps the difference of the scales; others get as many digits as fit, without trailing zeros. */
export function divideDecimal(a: Decimal, b: Decimal): Decimal {
  if (b.coefficient === 0n) throw divideByZero();
  const scale = a.scale - b.scale;
  if (a.coefficient % b.coefficient === 0n) {
    const quotient = a.coefficient / b.coefficient;
    return scale >= 0 ? fit(quotient, scale) : fit(quotient * POWERS[-scale]!, 0);
  }
  const dividend = a.coefficient * POWERS[MAX_SCALE - scale]!;
  const whole = (dividend / b.coefficient).toString().length;
  for (let drop = Math.max(0, whole - 30); drop <= MAX_SCALE; drop++) {
    const quotient = divideRounding(dividend, b.coefficient * POWERS[drop]!);
    if (quotient <= MAX_COEFFICIENT && quotient >= -MAX_COEFFICIENT) {
      return withoutTrailingZeros(new Decimal(quotient, MAX_SCALE - drop));
    }
  }
  throw tooLarge();
}

/** Takes the sign of the dividend. */
export function remainderDecimal(a: Decimal, b: Decimal): Decimal {
  if (b.coefficient === 0n) throw divideByZero();
  const [x, y, scale] = aligned(a, b);
  if ((x < 0n ? -x : x) < (y < 0n ? -y : y)) return a;
  return fit(x % y, scale);
}

export function negateDecimal(a: Decimal): Decimal {
  return new Decimal(-a.coefficient, a.scale);
}

export function compareDecimal(a: Decimal, b: Decimal): number {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function equalDecimal(a: Decimal, b: Decimal): boolean {
  return compareDecimal(a, b) === 0;
}

function withoutTrailingZeros(value: Decimal): Decimal {
  let { coefficient, scale } = value;
  while (scale > 0 && coefficient % 10n === 0n) {
    coefficient /= 10n;
    scale--;
  }
  return scale === value.scale ? value : new Decimal(coefficient, scale);
}

/** How `Math.Round` and `decimal.Round` treat what they cut off; names of System.MidpointRounding, by number. */
export type Rounding = 0 | 1 | 2 | 3 | 4;

/** Cuts to `places` behind the point; fewer places stay as they are. */
export function roundDecimal(value: Decimal, places: number, mode: Rounding): Decimal {
  if (value.scale <= places) return value;
  const divisor = POWERS[value.scale - places]!;
  return new Decimal(roundQuotient(value.coefficient, divisor, mode), places);
}

function roundQuotient(dividend: bigint, divisor: bigint, mode: Rounding): bigint {
  const quotient = dividend / divisor;
  const rest = dividend % divisor;
  if (rest === 0n) return quotient;
  const away = dividend < 0n ? quotient - 1n : quotient + 1n;
  switch (mode) {
    case 0:
      return divideRounding(dividend, divisor);
    case 1:
      return (rest < 0n ? -rest : rest) * 2n >= divisor ? away : quotient;
    case 2:
      return quotient;
    case 3:
      return dividend < 0n ? away : quotient;
    case 4:
      return dividend < 0n ? quotient : away;
  }
}

/** From any integral value. */
export function decimalFromInteger(value: number | bigint): Decimal {
  return new Decimal(BigInt(value), 0);
}

/** Like .NET: a double gives its 15, a float its 7 significant digits. @throws OverflowException */
export function decimalFromDouble(value: number, significant = 15): Decimal {
  if (!Number.isFinite(value)) throw tooLarge();
  const text = value.toExponential(significant - 1);
  const at = text.indexOf("e");
  const exponent = Number(text.slice(at + 1));
  const scale = significant - 1 - exponent;
  if (scale > MAX_SCALE + significant) return DECIMAL_ZERO;
  const digits = BigInt(text.slice(0, at).replace(".", ""));
  return withoutTrailingZeros(scale >= 0 ? fit(digits, scale) : fit(digits * powerOfTen(-scale), 0));
}

export function decimalFromSingle(value: number): Decimal {
  return decimalFromDouble(value, 7);
}

export function decimalToDouble(value: Decimal): number {
  return Number(decimalText(value));
}

/** Truncated toward zero. */
export function decimalToInteger(value: Decimal): bigint {
  return value.scale === 0 ? value.coefficient : value.coefficient / POWERS[value.scale]!;
}

/** Truncated, in the representation of the bounds. @param article `an Int32` @throws OverflowException */
export function decimalToRange<T extends number | bigint>(
  value: Decimal,
  min: T,
  max: T,
  article: string,
): T {
  const whole = decimalToInteger(value);
  if (whole < min || whole > max) throw tooLarge(article);
  return (typeof min === "number" ? Number(whole) : whole) as T;
}

/** @returns the failure when there is no such decimal. Digits past the 28th place are rounded away */
export function decimalFromParts(parts: {
  negative: boolean;
  integer: string;
  fraction: string;
}): Decimal | "range" {
  const integer = parts.integer.replace(/^0+/, "");
  if (integer.length > 29) return "range";
  // One digit more than can be kept decides ties; what lies beyond it only breaks them.
  const kept = parts.fraction.slice(0, MAX_SCALE + 1);
  const beyond = /[1-9]/.test(parts.fraction.slice(MAX_SCALE + 1)) ? "1" : "";
  const magnitude = BigInt(`0${integer}${kept}${beyond}`);
  try {
    return fit(parts.negative ? -magnitude : magnitude, kept.length + beyond.length);
  } catch (error) {
    if (error instanceof NetException) return "range";
    throw error;
  }
}

/** From a C# literal such as `1.50` (digits and a point only). */
export function decimalLiteral(text: string): Decimal | null {
  const [integer, fraction = ""] = text.split(".");
  const value = decimalFromParts({ negative: false, integer: integer!, fraction });
  return value === "range" ? null : value;
}
