/** Cutting, trimming, padding and changing strings. Bounds errors throw where JavaScript would clamp. */
import { checkLength, checkSize, spendUnits } from "../budget.ts";
import { argumentNull, argumentOutOfRange, indexOutOfRange } from "../errors.ts";
import { NetArray, typeNamed } from "../values.ts";
import { isWhiteSpace } from "./char-class.ts";

export function charAt(text: string, index: number): number {
  if (index < 0 || index >= text.length) throw indexOutOfRange();
  return text.charCodeAt(index);
}

export function substring(text: string, start: number): string {
  if (start < 0) throw argumentOutOfRange("startIndex", "StartIndex cannot be less than zero.");
  if (start > text.length)
    throw argumentOutOfRange("startIndex", "startIndex cannot be larger than length of string.");
  return text.slice(start);
}

export function substringOf(text: string, start: number, length: number): string {
  if (start < 0) throw argumentOutOfRange("startIndex", "StartIndex cannot be less than zero.");
  if (start > text.length)
    throw argumentOutOfRange("startIndex", "startIndex cannot be larger than length of string.");
  if (length < 0) throw argumentOutOfRange("length", "Length cannot be less than zero.");
  if (start + length > text.length) {
    throw argumentOutOfRange("length", "Index and length must refer to a location within the string.");
  }
  return text.slice(start, start + length);
}

export function insert(text: string, index: number, value: string | null): string {
  if (value === null) throw argumentNull("value");
  if (index < 0 || index > text.length) throw argumentOutOfRange("startIndex");
  checkLength(text.length + value.length);
  return text.slice(0, index) + value + text.slice(index);
}

export function remove(text: string, start: number): string {
  if (start < 0) throw argumentOutOfRange("startIndex", "StartIndex cannot be less than zero.");
  if (start >= text.length)
    throw argumentOutOfRange("startIndex", "startIndex must be less than length of string.");
  return text.slice(0, start);
}

export function removeCount(text: string, start: number, count: number): string {
  if (start < 0) throw argumentOutOfRange("startIndex", "StartIndex cannot be less than zero.");
  if (count < 0) throw argumentOutOfRange("count", "Count cannot be less than zero.");
  if (start + count > text.length) {
    throw argumentOutOfRange("count", "Index and count must refer to a location within the string.");
  }
  return text.slice(0, start) + text.slice(start + count);
}

export function pad(text: string, width: number, unit: number, right: boolean): string {
  if (width < 0) throw argumentOutOfRange("totalWidth", "Non-negative number required.");
  if (width <= text.length) return text;
  checkLength(width);
  const filler = String.fromCharCode(unit);
  return right ? text.padEnd(width, filler) : text.padStart(width, filler);
}

export function repeat(unit: number, count: number): string {
  if (count < 0) throw argumentOutOfRange("count", "'count' must be non-negative.");
  checkLength(count);
  return String.fromCharCode(unit).repeat(count);
}

/** Without white space at both ends. */
export function trim(text: string): string {
  return trimBy(text, null, true, true);
}

/** @param units what to remove; null or empty: white space */
export function trimBy(
  text: string,
  units: readonly number[] | null,
  atStart: boolean,
  atEnd: boolean,
): string {
  const white = units === null || units.length === 0;
  let start = 0;
  let end = text.length;
  if (atStart) while (start < end && goes(text.charCodeAt(start))) start++;
  if (atEnd) while (end > start && goes(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);

  function goes(unit: number): boolean {
    return white ? isWhiteSpace(unit) : units!.includes(unit);
  }
}

/** `char[]` of the units in a part of the text. */
export function toCharArray(text: string, start = 0, length = text.length - start): NetArray {
  if (start < 0 || start > text.length || length < 0 || start + length > text.length) {
    throw argumentOutOfRange("startIndex");
  }
  checkSize(length);
  spendUnits(length);
  const units: number[] = [];
  for (let i = start; i < start + length; i++) units.push(text.charCodeAt(i));
  return new NetArray(typeNamed("System.Char"), units);
}

/** A text of these units. */
export function fromUnits(units: readonly number[]): string {
  checkLength(units.length);
  spendUnits(units.length);
  let text = "";
  for (let i = 0; i < units.length; i += 8192) text += String.fromCharCode(...units.slice(i, i + 8192));
  return text;
}
