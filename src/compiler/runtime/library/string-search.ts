/**
 * Searching in strings: IndexOf and its kin, Contains, StartsWith, EndsWith, Replace. Ordinal throughout, also where
 * .NET would ask the culture (`expressions.md` §5.2); the IgnoreCase comparisons compare upper-invariant units.
 */
import { checkGrowth, checkLength, spend, spendUnits } from "../budget.ts";
import { argumentError, argumentNull, argumentOutOfRange } from "../errors.ts";
import type { EnumValue, NetArray } from "../values.ts";
import { foldCase, ignoresCase, sameTextIgnoringCase } from "./comparers.ts";

const OUT_OF_RANGE =
  "Index was out of range. Must be non-negative and less than or equal to the size of the collection.";
const BAD_COUNT =
  "Count must be positive and count must refer to a location within the string/array/collection.";

function need(value: string | null): string {
  if (value === null) throw argumentNull("value");
  return value;
}

/** `Contains(value)`. */
export function contains(text: string, value: string | null): boolean {
  checkLength(text.length);
  return text.includes(need(value));
}

export function containsBy(text: string, value: string | null, comparison: EnumValue): boolean {
  return indexOfBy(text, value, comparison) >= 0;
}

export function startsWith(text: string, value: string | null): boolean {
  return text.startsWith(need(value));
}

export function endsWith(text: string, value: string | null): boolean {
  return text.endsWith(need(value));
}

export function startsWithBy(text: string, value: string | null, comparison: EnumValue): boolean {
  const start = need(value);
  if (!ignoresCase(comparison)) return text.startsWith(start);
  return text.length >= start.length && sameTextIgnoringCase(text.slice(0, start.length), start);
}

export function endsWithBy(text: string, value: string | null, comparison: EnumValue): boolean {
  const end = need(value);
  if (!ignoresCase(comparison)) return text.endsWith(end);
  return text.length >= end.length && sameTextIgnoringCase(text.slice(text.length - end.length), end);
}

/** Index of the first occurrence wholly inside `start … start + count`, or -1. */
export function indexOf(text: string, value: string | null, start = 0, count = text.length - start): number {
  const wanted = need(value);
  checkRange(text, start, count);
  checkLength(count);
  const within = start + count === text.length ? text : text.slice(0, start + count);
  return within.indexOf(wanted, start);
}

export function indexOfBy(
  text: string,
  value: string | null,
  comparison: EnumValue,
  start = 0,
  count = text.length - start,
): number {
  if (!ignoresCase(comparison)) return indexOf(text, value, start, count);
  return indexOf(foldCase(text), foldCase(need(value)), start, count);
}

function checkRange(text: string, start: number, count: number): void {
  if (start < 0 || start > text.length) throw argumentOutOfRange("startIndex", OUT_OF_RANGE);
  if (count < 0 || start + count > text.length) throw argumentOutOfRange("count", BAD_COUNT);
}

/** The search goes from `start` back over `count` units; the whole occurrence lies in there. */
export function lastIndexOf(
  text: string,
  value: string | null,
  start = text.length - 1,
  count = start + 1,
): number {
  const wanted = need(value);
  if (text.length === 0 && (start === -1 || start === 0)) return wanted.length === 0 ? 0 : -1;
  if (start < 0 || start > text.length) throw argumentOutOfRange("startIndex", OUT_OF_RANGE);
  if (start === text.length) {
    start--;
    if (count > 0) count--;
  }
  if (count < 0 || start - count + 1 < 0) throw argumentOutOfRange("count", BAD_COUNT);
  checkLength(count);
  if (wanted.length === 0) return start + 1;
  const last = start - wanted.length + 1;
  const first = start - count + 1;
  if (last < first) return -1;
  const within = first === 0 ? text : text.slice(first);
  const found = within.lastIndexOf(wanted, last - first);
  return found < 0 ? -1 : found + first;
}

export function lastIndexOfBy(
  text: string,
  value: string | null,
  comparison: EnumValue,
  start = text.length - 1,
  count = start + 1,
): number {
  if (!ignoresCase(comparison)) return lastIndexOf(text, value, start, count);
  return lastIndexOf(foldCase(text), foldCase(need(value)), start, count);
}

export function indexOfChar(text: string, unit: number, start = 0, count = text.length - start): number {
  return indexOf(text, String.fromCharCode(unit), start, count);
}

export function lastIndexOfChar(
  text: string,
  unit: number,
  start = text.length - 1,
  count = start + 1,
): number {
  if (text.length === 0) return -1;
  if (start < 0 || start >= text.length) throw argumentOutOfRange("startIndex", OUT_OF_RANGE);
  return lastIndexOf(text, String.fromCharCode(unit), start, count);
}

function unitsOf(anyOf: NetArray | null): Set<number> {
  if (anyOf === null) throw argumentNull("anyOf");
  return new Set(anyOf.items as number[]);
}

export function indexOfAny(
  text: string,
  anyOf: NetArray | null,
  start = 0,
  count = text.length - start,
): number {
  const units = unitsOf(anyOf);
  checkRange(text, start, count);
  spendUnits(count);
  for (let i = start; i < start + count; i++) if (units.has(text.charCodeAt(i))) return i;
  return -1;
}

export function lastIndexOfAny(
  text: string,
  anyOf: NetArray | null,
  start = text.length - 1,
  count = start + 1,
): number {
  const units = unitsOf(anyOf);
  if (text.length === 0) return -1;
  if (start < 0 || start >= text.length) throw argumentOutOfRange("startIndex", OUT_OF_RANGE);
  if (count < 0 || start - count + 1 < 0) throw argumentOutOfRange("count", BAD_COUNT);
  spendUnits(count);
  for (let i = start; i > start - count; i--) if (units.has(text.charCodeAt(i))) return i;
  return -1;
}

/** All occurrences, literally; `$` has no meaning; a null replacement removes. */
export function replace(text: string, oldValue: string | null, newValue: string | null): string {
  checkOld(oldValue);
  return replaceEach(text, oldValue!, newValue ?? "");
}

/** Matches that are replaced in one go, between two looks at the clock. */
const PIECE_MATCHES = 4096;

/**
 * JavaScript's own `replaceAll`, piece by piece: on a text that is nothing but matches it would take a second, and the
 * result may be much longer than the text.
 */
function replaceEach(text: string, old: string, replacement: string): string {
  checkLength(text.length);
  const growth = replacement.length - old.length;
  const written = literally(replacement);
  let result = "";
  let from = 0;
  let found = 0;
  for (let at = text.indexOf(old); at >= 0; at = text.indexOf(old, at + old.length)) {
    if (found === PIECE_MATCHES) {
      checkLength(result.length + at - from + found * growth);
      spend(PIECE_MATCHES >>> 6);
      result += text.slice(from, at).replaceAll(old, written);
      from = at;
      found = 0;
    }
    found++;
  }
  if (found === 0) return text;
  checkLength(result.length + text.length - from + found * growth);
  return result + text.slice(from).replaceAll(old, written);
}

/**
 * `text.replace(pattern, change)` that looks at the clock on the way; JavaScript's own finds all matches of the text
 * before it asks for the first replacement.
 *
 * @param pattern global, never matching nothing
 */
export function replaceStepwise(
  text: string,
  pattern: RegExp,
  change: (match: RegExpExecArray) => string,
): string {
  let result = "";
  let from = 0;
  let found = 0;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if ((++found & 255) === 0) spend(16);
    const at = pattern.lastIndex;
    result += text.slice(from, match.index) + change(match);
    from = at;
    pattern.lastIndex = at;
  }
  return from === 0 ? text : result + text.slice(from);
}

/** `$` means something to JavaScript; it is doubled away. */
function literally(replacement: string): string {
  return replacement.includes("$") ? replacement.replaceAll("$", "$$$$") : replacement;
}

function checkOld(value: string | null): void {
  if (value === null) throw argumentNull("oldValue");
  if (value === "") throw argumentError("String cannot be of zero length.", "oldValue");
}

export function replaceBy(
  text: string,
  oldValue: string | null,
  newValue: string | null,
  comparison: EnumValue,
): string {
  if (!ignoresCase(comparison)) return replace(text, oldValue, newValue);
  checkOld(oldValue);
  const folded = foldCase(text);
  const wanted = foldCase(oldValue!);
  const replacement = newValue ?? "";
  let result = "";
  let from = 0;
  for (let at = folded.indexOf(wanted); at >= 0; at = folded.indexOf(wanted, from)) {
    result += text.slice(from, at) + replacement;
    checkGrowth(result.length, at + replacement.length - from);
    from = at + wanted.length;
  }
  return result + text.slice(from);
}

export function replaceChar(text: string, oldUnit: number, newUnit: number): string {
  return replaceEach(text, String.fromCharCode(oldUnit), String.fromCharCode(newUnit));
}
