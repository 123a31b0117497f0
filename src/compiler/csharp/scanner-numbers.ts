/**
 * Numeric literals (C# specification §6.4.5.3, §6.4.5.4): decimal, `0x`, `0b`, `_` between digits, fractions,
 * exponents and suffixes. The type of an integer is the first of int, uint, long, ulong that fits.
 */
import type { LiteralValue } from "./tree.ts";
import { isDigit, isHexDigit, isNamePart } from "./scanner-characters.ts";

export type NumberProblem = "malformed" | "tooLarge";

export interface ScannedNumber {
  readonly end: number;
  readonly literal: LiteralValue;
  readonly problem: NumberProblem | null;
  /** Name of the type that is too small, for `tooLarge`. */
  readonly type: string;
}

const ZERO: LiteralValue = { type: "int", value: 0 };

/** Scans the number that starts at `start`; there is a digit, or a point and a digit. */
export function scanNumber(source: string, start: number): ScannedNumber {
  const second = source.charCodeAt(start + 1) | 32;
  if (source.charCodeAt(start) === 48 && (second === 120 || second === 98)) {
    return scanRadix(source, start, second === 120 ? 16 : 2);
  }
  return scanDecimal(source, start);
}

function scanRadix(source: string, start: number, radix: 16 | 2): ScannedNumber {
  const isMember = radix === 16 ? isHexDigit : (c: number): boolean => c === 48 || c === 49;
  let at = start + 2;
  while (isMember(source.charCodeAt(at)) || source.charCodeAt(at) === 95) at++;
  const digits = source.slice(start + 2, at);
  const suffix = integerSuffix(source, at);
  const end = nameEnd(source, at + suffix.length);
  if (end > at + suffix.length || !wellSeparated(digits.replace(/^_+/, ""))) return malformed(end);
  const value = BigInt((radix === 16 ? "0x" : "0b") + digits.replaceAll("_", ""));
  return integer(value, suffix, end);
}

function scanDecimal(source: string, start: number): ScannedNumber {
  let at = digitsEnd(source, start);
  let isReal = false;
  if (source.charCodeAt(at) === 46 && isDigit(source.charCodeAt(at + 1))) {
    isReal = true;
    at = digitsEnd(source, at + 1);
  }
  if ((source.charCodeAt(at) | 32) === 101) {
    const sign = source.charCodeAt(at + 1);
    const first = sign === 43 || sign === 45 ? at + 2 : at + 1;
    if (isDigit(source.charCodeAt(first))) {
      isReal = true;
      at = digitsEnd(source, first);
    }
  }
  const raw = source.slice(start, at);
  const digits = raw.replaceAll("_", "");
  const separated = raw.split(/[.eE+-]/).every((part) => part === "" || wellSeparated(part));
  const real = "dfm".indexOf((source[at] ?? " ").toLowerCase());
  if (real >= 0 || isReal) {
    const after = real >= 0 ? at + 1 : at;
    const end = nameEnd(source, after);
    if (end > after || !separated) return malformed(end);
    return realNumber(digits, (["double", "float", "decimal"] as const)[Math.max(real, 0)]!, end);
  }
  const suffix = integerSuffix(source, at);
  const end = nameEnd(source, at + suffix.length);
  if (end > at + suffix.length || !separated) return malformed(end);
  return integer(BigInt(digits), suffix, end);
}

function realNumber(digits: string, type: "double" | "float" | "decimal", end: number): ScannedNumber {
  if (type === "decimal") {
    const problem = decimalFits(digits) ? null : "tooLarge";
    return { end, literal: { type, value: digits }, problem, type };
  }
  const value = type === "float" ? Math.fround(Number(digits)) : Number(digits);
  return { end, literal: { type, value }, problem: Number.isFinite(value) ? null : "tooLarge", type };
}

const MAX_DECIMAL = 79228162514264337593543950335n;

function decimalFits(digits: string): boolean {
  const [mantissa = "", exponent = "0"] = digits.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const places = whole.replace(/^0+/, "").length + Number(exponent);
  if (places < 29) return true;
  if (places > 29) return /^[0.]*$/.test(mantissa);
  return BigInt((whole.replace(/^0+/, "") + fraction).slice(0, 29).padEnd(29, "0")) <= MAX_DECIMAL;
}

function integer(value: bigint, suffix: string, end: number): ScannedNumber {
  const isUnsigned = suffix.includes("u");
  const isLong = suffix.includes("l");
  if (value >= 1n << 64n)
    return { end, literal: { type: "ulong", value: 0n }, problem: "tooLarge", type: "ulong" };
  const done = (literal: LiteralValue): ScannedNumber => ({
    end,
    literal,
    problem: null,
    type: literal.type,
  });
  if (!isLong) {
    if (!isUnsigned && value < 1n << 31n) return done({ type: "int", value: Number(value) });
    if (value < 1n << 32n) return done({ type: "uint", value: Number(value) });
  }
  return done({ type: !isUnsigned && value < 1n << 63n ? "long" : "ulong", value });
}

/** `u`, `l`, `ul` or `lu`, in lower case. */
function integerSuffix(source: string, at: number): string {
  const two = source.slice(at, at + 2).toLowerCase();
  if (two === "ul" || two === "lu") return two;
  return two[0] === "u" || two[0] === "l" ? two[0] : "";
}

function digitsEnd(source: string, at: number): number {
  while (isDigit(source.charCodeAt(at)) || source.charCodeAt(at) === 95) at++;
  return at;
}

function nameEnd(source: string, at: number): number {
  while (at < source.length && isNamePart(source.charCodeAt(at))) at++;
  return at;
}

function wellSeparated(digits: string): boolean {
  return digits !== "" && !digits.startsWith("_") && !digits.endsWith("_");
}

function malformed(end: number): ScannedNumber {
  return { end, literal: ZERO, problem: "malformed", type: "int" };
}
