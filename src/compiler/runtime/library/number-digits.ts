/**
 * Decimal digits of a number, the common ground of all number formats: value = ± 0.d₁d₂d₃… × 10^scale. Zero has no
 * digits. Trailing zeros are kept only where the type keeps them (decimal).
 */
import type { NamedType } from "../type.ts";

export interface Digits {
  readonly negative: boolean;
  readonly digits: string;
  readonly scale: number;
}

/** What a format must know of a number's type. */
export type NumberKind = "integer" | "decimal" | "double" | "single";

const KINDS: ReadonlyMap<string, NumberKind> = new Map([
  ["System.Double", "double"],
  ["System.Single", "single"],
  ["System.Decimal", "decimal"],
]);

export function kindOf(type: NamedType): NumberKind {
  return KINDS.get(type.definition.fullName) ?? "integer";
}

export function digitsOfInteger(value: number | bigint): Digits {
  const negative = value < 0;
  const digits = String(value).slice(negative ? 1 : 0);
  return digits === "0"
    ? { negative: false, digits: "", scale: 0 }
    : { negative, digits, scale: digits.length };
}

/** Of an integer times 10^-places. */
export function digitsOfScaled(coefficient: bigint, places: number): Digits {
  const whole = digitsOfInteger(coefficient);
  return { ...whole, scale: whole.scale - places };
}

/** The shortest digits that read back as the same double (or float). @param value finite */
export function shortestDigits(value: number, single: boolean): Digits {
  return fromExponential(single ? shortestSingle(value) : value.toExponential(), value);
}

function shortestSingle(value: number): string {
  for (let count = 0; count < 9; count++) {
    const text = value.toExponential(count);
    if (Math.fround(Number(text)) === value) return text;
  }
  return value.toExponential();
}

/** The digits rounded to `count` significant ones (1–100), half away from zero, from the exact value. */
export function significantDigits(value: number, count: number): Digits {
  return fromExponential(value.toExponential(Math.min(count, 100) - 1), value);
}

function fromExponential(text: string, value: number): Digits {
  const at = text.indexOf("e");
  const negative = value < 0 || Object.is(value, -0);
  const start = value < 0 ? 1 : 0;
  const digits = trimZeros(text[start]! + text.slice(start + 2, at));
  return { negative, digits, scale: digits === "" ? 0 : Number(text.slice(at + 1)) + 1 };
}

const buffer = new DataView(new ArrayBuffer(8));

/** Every digit of a finite double: a double is an integer times a power of two, so its expansion ends. */
export function exactDigits(value: number): Digits {
  buffer.setFloat64(0, value);
  const bits = buffer.getBigUint64(0);
  const negative = bits >> 63n === 1n;
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  if (mantissa === 0n) return { negative, digits: "", scale: 0 };
  const power = (biased === 0 ? 1 : biased) - 1075;
  // m × 2^-k = m × 5^k × 10^-k
  const whole = power >= 0 ? mantissa << BigInt(power) : mantissa * 5n ** BigInt(-power);
  const text = String(whole);
  return { negative, digits: trimZeros(text), scale: text.length - (power >= 0 ? 0 : -power) };
}

function trimZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end--;
  return digits.slice(0, end);
}

/**
 * Keeps the first `position` digits, rounding half away from zero; trailing zeros go.
 *
 * @param position may be negative or beyond the end
 */
export function roundDigits(number: Digits, position: number): Digits {
  const { negative, digits, scale } = number;
  if (position >= digits.length) return { negative, digits: trimZeros(digits), scale };
  if (position < 0 || (position === 0 && digits.charCodeAt(0) < 53))
    return { negative, digits: "", scale: 0 };
  if (digits.charCodeAt(position) < 53) {
    const kept = trimZeros(digits.slice(0, position));
    return { negative, digits: kept, scale: kept === "" ? 0 : scale };
  }
  let end = position;
  while (end > 0 && digits.charCodeAt(end - 1) === 57) end--;
  if (end === 0) return { negative, digits: "1", scale: scale + 1 };
  return { negative, digits: digits.slice(0, end - 1) + String(digits.charCodeAt(end - 1) - 47), scale };
}

/** Digits before the point; `0` when there are none. */
export function integerPart({ digits, scale }: Digits): string {
  if (scale <= 0) return "0";
  return scale <= digits.length ? digits.slice(0, scale) : digits + "0".repeat(scale - digits.length);
}

/** The first `places` digits after the point, zeros included. The number is already rounded there. */
export function fractionPart({ digits, scale }: Digits, places: number): string {
  if (places <= 0) return "";
  const zeros = scale < 0 ? "0".repeat(Math.min(-scale, places)) : "";
  return (zeros + digits.slice(Math.max(scale, 0))).slice(0, places).padEnd(places, "0");
}

/** Inserts a comma every three digits from the right. */
export function grouped(integer: string): string {
  if (integer.length <= 3) return integer;
  let text = integer.slice(0, integer.length % 3);
  for (let i = integer.length % 3; i < integer.length; i += 3) {
    text += (text === "" ? "" : ",") + integer.slice(i, i + 3);
  }
  return text;
}
