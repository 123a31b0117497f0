/**
 * Custom numeric formats: `0 # . , % ‰ E0`, quoted and escaped literals, `;` between the sections for positive,
 * negative and zero numbers.
 */
import { checkLength, spendUnits } from "../budget.ts";
import { type Digits, type NumberKind, roundDigits } from "./number-digits.ts";

/** What one section of a format asks for. */
interface Shape {
  /** Digit places (`0` and `#`) in all, and before the point. */
  readonly places: number;
  readonly before: number;
  /** Digits that must show: this many before the point, that many behind it. */
  readonly leastBefore: number;
  readonly leastAfter: number;
  readonly scientific: boolean;
  readonly thousands: boolean;
  /** Powers of ten: +2 per %, +3 per ‰, -3 per scaling comma. */
  readonly shift: number;
}

/** Formats `number`, whose digits the caller has cut to what the type shows (15 for a double). */
export function formatCustom(number: Digits, kind: NumberKind, format: string): string {
  const section = sectionFor(format, number.digits === "" ? 2 : number.negative ? 1 : 0);
  const shape = readShape(format, section);
  const value = roundTo(number, shape);
  if (value.digits === "" && number.digits !== "") {
    const zero = sectionFor(format, 2);
    if (zero !== section) return write(value, format, zero, readShape(format, zero));
  }
  const floating = kind === "double" || kind === "single";
  const negative = value.negative && (value.digits !== "" || floating);
  return write({ ...value, negative }, format, section, shape);
}

function roundTo(number: Digits, shape: Shape): Digits {
  if (number.digits === "") return { ...number, scale: 0 };
  const moved = { ...number, scale: number.scale + shape.shift };
  return roundDigits(moved, shape.scientific ? shape.places : moved.scale + shape.places - shape.before);
}

/** Where section `wanted` starts; an absent or empty one falls back to the first. */
function sectionFor(format: string, wanted: number): number {
  if (wanted === 0) return 0;
  let left = wanted;
  for (let at = 0; at < format.length; at++) {
    const c = format[at]!;
    if (c === "'" || c === '"') at = endOfQuote(format, at);
    else if (c === "\\") at++;
    else if (c === ";" && --left === 0) {
      const next = format[at + 1];
      return next === undefined || next === ";" ? 0 : at + 1;
    }
  }
  return 0;
}

/** Index of the closing quote, or the format's length when it is missing. */
function endOfQuote(format: string, open: number): number {
  const close = format.indexOf(format[open]!, open + 1);
  return close < 0 ? format.length : close;
}

function readShape(format: string, start: number): Shape {
  let places = 0;
  let before = -1;
  let firstZero = Infinity;
  let lastZero = 0;
  let scientific = false;
  let thousands = false;
  let shift = 0;
  let commaAt = -1;
  let commas = 0;
  for (let at = start; at < format.length && format[at] !== ";"; at++) {
    switch (format[at]) {
      case "#":
        places++;
        break;
      case "0":
        if (firstZero === Infinity) firstZero = places;
        lastZero = ++places;
        break;
      case ".":
        if (before < 0) before = places;
        break;
      case ",":
        if (places === 0 || before >= 0) break;
        if (commaAt === places) {
          commas++;
          break;
        }
        if (commaAt >= 0) thousands = true;
        commaAt = places;
        commas = 1;
        break;
      case "%":
        shift += 2;
        break;
      case "‰":
        shift += 3;
        break;
      case "'":
      case '"':
        at = endOfQuote(format, at);
        break;
      case "\\":
        at++;
        break;
      case "E":
      case "e":
        if (startsExponent(format, at)) {
          at = exponentEnd(format, at) - 1;
          scientific = true;
        }
        break;
    }
  }
  if (before < 0) before = places;
  if (commaAt === before) shift -= commas * 3;
  else if (commaAt >= 0) thousands = true;
  const leastBefore = firstZero < before ? before - firstZero : 0;
  const leastAfter = lastZero > before ? lastZero - before : 0;
  return { places, before, leastBefore, leastAfter, scientific, thousands, shift };
}

function startsExponent(format: string, at: number): boolean {
  const next = format[at + 1];
  return next === "0" || ((next === "+" || next === "-") && format[at + 2] === "0");
}

/** Behind the zeros of `E+000`. */
function exponentEnd(format: string, at: number): number {
  let end = at + 1;
  if (format[end] === "+" || format[end] === "-") end++;
  while (format[end] === "0") end++;
  return end;
}

function write(value: Digits, format: string, section: number, shape: Shape): string {
  const { digits, scale } = value;
  checkLength(format.length + Math.abs(scale) + digits.length);
  let text = "";
  let next = 0;
  // `place` counts down to the point: 1 is the unit, 0 the first digit behind it. `surplus` > 0: digits more than
  // places, written in front of the first place; < 0: places that have no digit yet.
  let place = shape.scientific ? shape.before : Math.max(scale, shape.before);
  let surplus = shape.scientific ? 0 : scale - shape.before;
  let pointWritten = false;
  let scientific = shape.scientific;

  const put = (digit: string): void => {
    text += digit;
    if (shape.thousands && place > 1 && (place - 1) % 3 === 0) text += ",";
  };

  for (let at = section; at < format.length && format[at] !== ";"; at++) {
    if ((at & 1023) === 1023) spendUnits(1024);
    const c = format[at]!;
    if (surplus > 0 && (c === "#" || c === "0" || c === ".")) {
      for (; surplus > 0; surplus--, place--) put(digits[next++] ?? "0");
    }
    switch (c) {
      case "#":
      case "0":
        if (surplus < 0) {
          surplus++;
          if (place <= shape.leastBefore) put("0");
        } else if (next < digits.length) put(digits[next++]!);
        else if (place > -shape.leastAfter) put("0");
        place--;
        break;
      case ".":
        if (place !== 0 || pointWritten) break;
        if (shape.leastAfter > 0 || (shape.before < shape.places && next < digits.length)) {
          text += ".";
          pointWritten = true;
        }
        break;
      case ",":
        break;
      case "'":
      case '"': {
        const end = endOfQuote(format, at);
        text += format.slice(at + 1, end);
        at = end;
        break;
      }
      case "\\":
        text += format[++at] ?? "";
        break;
      case "E":
      case "e": {
        if (!startsExponent(format, at)) {
          text += c;
          break;
        }
        const end = exponentEnd(format, at);
        if (scientific) text += exponentText(format.slice(at, end), digits === "" ? 0 : scale - shape.before);
        else text += format.slice(at, end);
        scientific = false;
        at = end - 1;
        break;
      }
      default:
        text += c;
    }
  }
  return value.negative && section === 0 && text !== "" ? `-${text}` : text;
}

/** @param pattern such as `E+00` */
function exponentText(pattern: string, exponent: number): string {
  const plus = pattern[1] === "+";
  const zeros = pattern.length - (plus || pattern[1] === "-" ? 2 : 1);
  const sign = exponent < 0 ? "-" : plus ? "+" : "";
  return pattern[0]! + sign + String(Math.abs(exponent)).padStart(Math.min(zeros, 10), "0");
}
