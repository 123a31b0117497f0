/**
 * Reading numbers as .NET's `Parse` does with the invariant culture (`expressions.md` §5.3): white space around, a
 * leading sign, for real numbers also thousands commas and (not for decimal) an exponent.
 */
import { argumentNull, formatError, overflow } from "../errors.ts";

/** White space of number parsing: U+0009–U+000D and the space; NULs may trail. */
const INTEGER = /^[\t-\r ]*([+-]?)(\d+)[\t-\r ]*\0*$/;
const REAL = /^[\t-\r ]*([+-]?)(?=\.?\d)((?:\d[\d,]*)?)(?:\.(\d*))?(?:[eE]([+-]?\d+))?[\t-\r ]*\0*$/;
const DECIMAL = /^[\t-\r ]*([+-]?)(?=\.?\d)((?:\d[\d,]*)?)(?:\.(\d*))?(?:[\t-\r ]*([+-]))?[\t-\r ]*\0*$/;

/** Why a text is no number. */
export type Failure = "format" | "range";

/** @returns an exact small integer, or the failure. For types whose range lies within ±2⁵³ */
export function readSmallInteger(text: string, min: number, max: number): number | Failure {
  const match = INTEGER.exec(text);
  if (match === null) return "format";
  const magnitude = Number(match[2]);
  const value = match[1] === "-" ? -magnitude : magnitude;
  if (value < min || value > max) return "range";
  return value === 0 ? 0 : value;
}

export function readBigInteger(text: string, min: bigint, max: bigint): bigint | Failure {
  const match = INTEGER.exec(text);
  if (match === null) return "format";
  const digits = match[2]!.replace(/^0+(?=\d)/, "");
  if (digits.length > 20) return "range";
  const magnitude = BigInt(digits);
  const value = match[1] === "-" ? -magnitude : magnitude;
  return value < min || value > max ? "range" : value;
}

/** A double; too large gives an infinity, as on current .NET. */
export function readDouble(text: string): number | "format" {
  const match = REAL.exec(text);
  if (match === null) return readSymbol(text);
  const integer = match[2]!.includes(",") ? match[2]!.replaceAll(",", "") : match[2]!;
  const value = Number(`${integer === "" ? "0" : integer}.${match[3] ?? ""}0e${match[4] ?? "0"}`);
  return match[1] === "-" ? -value : value;
}

function readSymbol(text: string): number | "format" {
  switch (text.trim().toLowerCase()) {
    case "nan":
    case "-nan":
    case "+nan":
      return NaN;
    case "infinity":
    case "+infinity":
      return Infinity;
    case "-infinity":
      return -Infinity;
    default:
      return "format";
  }
}

/** Parts of a decimal; null when the text is none. A sign may lead or trail. */
export function readDecimalParts(
  text: string,
): { negative: boolean; integer: string; fraction: string } | null {
  const match = DECIMAL.exec(text);
  if (match === null || (match[1] !== "" && match[4] !== undefined)) return null;
  return {
    negative: match[1] === "-" || match[4] === "-",
    integer: match[2]!.replaceAll(",", ""),
    fraction: match[3] ?? "",
  };
}

/** The value, or the exception that `Parse` throws. @param article such as `an Int32` */
export function orThrow<T>(value: T | Failure, article: string): T {
  if (value === "format") throw formatError();
  if (value === "range") throw overflow(`Value was either too large or too small for ${article}.`);
  return value as T;
}

export function requireText(text: string | null, parameter = "s"): string {
  if (text === null) throw argumentNull(parameter);
  return text;
}
