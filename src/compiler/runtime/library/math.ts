/** System.Math. */
import { type Members, defineType } from "../define.ts";
import { NetException, argumentError, argumentOutOfRange, divideByZero, overflow } from "../errors.ts";
import type { EnumValue, OutCell } from "../values.ts";
import { type Decimal, compareDecimal, negateDecimal } from "./decimal-arithmetic.ts";
import { ceilingDecimal, floorDecimal, roundDecimalTo, truncateDecimal } from "./decimal.ts";
import { INTEGRAL_TYPES } from "./numbers-integral.ts";

/** Ties to even, as `Math.Round` and Convert do. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return keepSign(floor, value);
  if (rest > 0.5) return keepSign(floor + 1, value);
  return keepSign(floor % 2 === 0 ? floor : floor + 1, value);
}

function keepSign(result: number, value: number): number {
  return result === 0 && (value < 0 || Object.is(value, -0)) ? -0 : result;
}

/** Rounds to an integer by `MidpointRounding`. */
function roundBy(value: number, mode: number): number {
  switch (mode) {
    case 0:
      return roundHalfEven(value);
    case 1: {
      const whole = Math.trunc(value);
      return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : keepSign(whole, value);
    }
    case 2:
      return Math.trunc(value);
    case 3:
      return Math.floor(value);
    case 4:
      return Math.ceil(value);
    default:
      throw argumentError(
        `The value '${mode}' is not valid for this usage of the type MidpointRounding.`,
        "mode",
      );
  }
}

/** From here on a double has no digits behind the point that rounding could touch. */
const ROUND_LIMIT = 1e16;

/** .NET scales by a power of ten, rounds and scales back; so do we, with the same inexactness. */
function round(value: number, digits = 0, mode: EnumValue | null = null): number {
  if (digits < 0 || digits > 15) {
    throw argumentOutOfRange("digits", "Rounding digits must be between 0 and 15, inclusive.");
  }
  const kind = mode?.number ?? 0;
  if (digits === 0) return roundBy(value, kind);
  if (kind < 0 || kind > 4) roundBy(0, kind);
  if (!(Math.abs(value) < ROUND_LIMIT)) return value;
  const power = 10 ** digits;
  return roundBy(value * power, kind) / power;
}

/** To the nearest multiple, ties to even. */
function ieeeRemainder(x: number, y: number): number {
  const rest = x % y;
  if (Number.isNaN(rest)) return NaN;
  if (rest === 0) return keepSign(0, x);
  const other = rest - Math.abs(y) * Math.sign(x);
  const a = Math.abs(rest);
  const b = Math.abs(other);
  if (a !== b) return a < b ? rest : other;
  return Math.abs(roundHalfEven(x / y)) > Math.abs(x / y) ? other : rest;
}

function log(value: number, base: number): number {
  if (Number.isNaN(value)) return value;
  if (Number.isNaN(base)) return base;
  if (base === 1) return NaN;
  if (value !== 1 && (base === 0 || base === Infinity)) return NaN;
  return base === 10 ? Math.log10(value) : base === 2 ? Math.log2(value) : Math.log(value) / Math.log(base);
}

function sign(value: number): number {
  if (Number.isNaN(value)) {
    throw new NetException(
      "System.ArithmeticException",
      "Function does not accept floating point Not-a-Number values.",
    );
  }
  return value > 0 ? 1 : value < 0 ? -1 : 0;
}

function clamp<T extends number | bigint>(value: T, min: T, max: T): T {
  if (min > max) throw argumentError(`'${min}' cannot be greater than ${max}.`);
  return value < min ? min : value > max ? max : value;
}

const members: Record<string, (...args: any[]) => unknown> = {};

for (const { keyword: k, min } of INTEGRAL_TYPES) {
  members[`static ${k} Max(${k} val1, ${k} val2)`] = larger;
  members[`static ${k} Min(${k} val1, ${k} val2)`] = smaller;
  members[`static ${k} Clamp(${k} value, ${k} min, ${k} max)`] = clamp;
  if (min >= 0) continue;
  members[`static ${k} Abs(${k} value)`] = (value: number | bigint) => {
    if (value === min) throw overflow("Negating the minimum value of a twos complement number is invalid.");
    return value < 0 ? -value : value;
  };
  members[`static int Sign(${k} value)`] = (value: number | bigint) => (value > 0 ? 1 : value < 0 ? -1 : 0);
}

function larger(a: number | bigint, b: number | bigint): number | bigint {
  return a >= b ? a : b;
}

function smaller(a: number | bigint, b: number | bigint): number | bigint {
  return a <= b ? a : b;
}

for (const k of ["double", "float"]) {
  members[`static ${k} Max(${k} val1, ${k} val2)`] = Math.max;
  members[`static ${k} Min(${k} val1, ${k} val2)`] = Math.min;
  members[`static ${k} Abs(${k} value)`] = Math.abs;
  members[`static ${k} Clamp(${k} value, ${k} min, ${k} max)`] = clamp;
  members[`static int Sign(${k} value)`] = sign;
}

const decimals: Members = {
  "static decimal Max(decimal val1, decimal val2)": (a: Decimal, b: Decimal) =>
    compareDecimal(a, b) >= 0 ? a : b,
  "static decimal Min(decimal val1, decimal val2)": (a: Decimal, b: Decimal) =>
    compareDecimal(a, b) <= 0 ? a : b,
  "static decimal Abs(decimal value)": (value: Decimal) =>
    value.coefficient < 0n ? negateDecimal(value) : value,
  "static decimal Clamp(decimal value, decimal min, decimal max)": (
    value: Decimal,
    min: Decimal,
    max: Decimal,
  ) => {
    if (compareDecimal(min, max) > 0) throw argumentError("'min' cannot be greater than 'max'.");
    return compareDecimal(value, min) < 0 ? min : compareDecimal(value, max) > 0 ? max : value;
  },
  "static int Sign(decimal value)": (value: Decimal) =>
    value.coefficient > 0n ? 1 : value.coefficient < 0n ? -1 : 0,
  "static decimal Floor(decimal d)": floorDecimal,
  "static decimal Ceiling(decimal d)": ceilingDecimal,
  "static decimal Truncate(decimal d)": truncateDecimal,
  "static decimal Round(decimal d)": (value: Decimal) => roundDecimalTo(value, 0),
  "static decimal Round(decimal d, int decimals)": (value: Decimal, places: number) =>
    roundDecimalTo(value, places),
  "static decimal Round(decimal d, MidpointRounding mode)": (value: Decimal, mode: EnumValue) =>
    roundDecimalTo(value, 0, mode),
  "static decimal Round(decimal d, int decimals, MidpointRounding mode)": roundDecimalTo,
};

/** One argument, one result, the same in both worlds. */
const SAME = {
  Acos: Math.acos,
  Acosh: Math.acosh,
  Asin: Math.asin,
  Asinh: Math.asinh,
  Atan: Math.atan,
  Atanh: Math.atanh,
  Cbrt: Math.cbrt,
  Ceiling: Math.ceil,
  Cos: Math.cos,
  Cosh: Math.cosh,
  Exp: Math.exp,
  Floor: Math.floor,
  Log: Math.log,
  Log10: Math.log10,
  Log2: Math.log2,
  Sin: Math.sin,
  Sinh: Math.sinh,
  Sqrt: Math.sqrt,
  Tan: Math.tan,
  Tanh: Math.tanh,
  Truncate: Math.trunc,
};
for (const [name, code] of Object.entries(SAME)) members[`static double ${name}(double d)`] = code;

/** JavaScript gives NaN for ±1 to an infinite power, .NET gives 1. */
function pow(x: number, y: number): number {
  return x === 1 || (x === -1 && !Number.isFinite(y) && !Number.isNaN(y)) ? 1 : x ** y;
}

function divRem(a: number, b: number): [number, number] {
  if (b === 0) throw divideByZero();
  const quotient = Math.trunc(a / b) | 0;
  return [quotient, (a % b) | 0];
}

defineType("static System.Math", {
  "const double PI": Math.PI,
  "const double E": Math.E,
  ...members,
  ...decimals,
  "static double Round(double a)": roundHalfEven,
  "static double Round(double value, int digits)": (value: number, digits: number) => round(value, digits),
  "static double Round(double value, MidpointRounding mode)": (value: number, mode: EnumValue) =>
    round(value, 0, mode),
  "static double Round(double value, int digits, MidpointRounding mode)": round,
  "static double Log(double a, double newBase)": log,
  "static double Pow(double x, double y)": pow,
  "static double Atan2(double y, double x)": Math.atan2,
  "static double IEEERemainder(double x, double y)": ieeeRemainder,
  "static long BigMul(int a, int b)": (a: number, b: number) => BigInt(a) * BigInt(b),
  "static int DivRem(int a, int b, out int result)": (a: number, b: number, result: OutCell) => {
    const [quotient, rest] = divRem(a, b);
    result.value = rest;
    return quotient;
  },
  "static long DivRem(long a, long b, out long result)": (a: bigint, b: bigint, result: OutCell) => {
    if (b === 0n) throw divideByZero();
    result.value = a % b;
    return BigInt.asIntN(64, a / b);
  },
});
