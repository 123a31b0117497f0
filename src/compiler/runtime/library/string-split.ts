/** Splitting and joining strings. */
import { checkGrowth, checkLength, checkSize, hasten, sizeLimit, spend, spendUnits } from "../budget.ts";
import { argumentError, argumentNull, argumentOutOfRange } from "../errors.ts";
import type { Type } from "../type.ts";
import { type EnumValue, NetArray, box, iterate, needsBoxing, textOf, typeNamed } from "../values.ts";
import { isWhiteSpace } from "./char-class.ts";
import { trim } from "./string-edit.ts";

const REMOVE_EMPTY = 1;
const TRIM_ENTRIES = 2;

/** `string[]` of these texts. */
export function stringArray(items: string[]): NetArray {
  return new NetArray(typeNamed("System.String"), items);
}

/** Next separator at or after `from`: where it starts, and its length. Negative start = none. */
interface Finder {
  start: number;
  length: number;
  next(text: string, from: number): void;
}

class UnitFinder implements Finder {
  start = -1;
  length = 1;
  readonly #units: ReadonlySet<number> | null;
  constructor(units: readonly number[]) {
    this.#units = units.length === 0 ? null : new Set(units);
  }
  next(text: string, from: number): void {
    const units = this.#units;
    for (let i = from; i < text.length; i++) {
      if ((i & 0xffff) === 0) hasten(256);
      const unit = text.charCodeAt(i);
      if (units === null ? isWhiteSpace(unit) : units.has(unit)) {
        this.start = i;
        return;
      }
    }
    this.start = -1;
  }
}

/** Among texts that start at the same place, the one listed first wins, as in .NET. */
class TextFinder implements Finder {
  start = -1;
  length = 0;
  readonly #texts: readonly string[];
  /** Where each text occurs next; stale when before `from`. */
  readonly #next: number[];
  constructor(texts: readonly string[]) {
    this.#texts = texts;
    this.#next = texts.map(() => -2);
  }
  next(text: string, from: number): void {
    this.start = -1;
    for (let i = 0; i < this.#texts.length; i++) {
      let at = this.#next[i]!;
      if (at !== -1 && at < from) at = this.#next[i] = text.indexOf(this.#texts[i]!, from);
      if (at >= 0 && (this.start < 0 || at < this.start)) {
        this.start = at;
        this.length = this.#texts[i]!.length;
      }
    }
  }
}

/** No separators, or null: white space. */
export function splitByChars(
  text: string,
  separators: NetArray | null,
  count = Infinity,
  options: EnumValue | null = null,
): NetArray {
  const units = (separators?.items ?? []) as number[];
  if (units.length === 1 && count === Infinity && options === null)
    return splitPlain(text, String.fromCharCode(units[0]!));
  return split(text, new UnitFinder(units), count, options);
}

export function splitByChar(
  text: string,
  unit: number,
  count = Infinity,
  options: EnumValue | null = null,
): NetArray {
  const simple = count === Infinity && (options === null || options.number === 0);
  return simple
    ? splitPlain(text, String.fromCharCode(unit))
    : split(text, new UnitFinder([unit]), count, options);
}

function splitPlain(text: string, separator: string): NetArray {
  checkLength(text.length);
  const parts = text.split(separator, sizeLimit() + 1);
  checkSize(parts.length);
  spend(parts.length);
  return stringArray(parts);
}

/** Empty and null texts separate nothing; none at all: white space. */
export function splitByTexts(
  text: string,
  separators: NetArray | null,
  count = Infinity,
  options: EnumValue | null = null,
): NetArray {
  if (separators === null || separators.items.length === 0)
    return split(text, new UnitFinder([]), count, options);
  const texts = (separators.items as (string | null)[]).filter((s): s is string => s !== null && s !== "");
  return split(text, new TextFinder(texts), count, options);
}

/** A null or empty text separates nothing. */
export function splitByText(
  text: string,
  separator: string | null,
  count = Infinity,
  options: EnumValue | null = null,
): NetArray {
  return split(
    text,
    new TextFinder(separator === null || separator === "" ? [] : [separator]),
    count,
    options,
  );
}

function split(text: string, finder: Finder, count: number, options: EnumValue | null): NetArray {
  if (count < 0) throw argumentOutOfRange("count", "Non-negative number required.");
  const flags = options?.number ?? 0;
  if (flags < 0 || flags > 3) throw argumentError(`Illegal enum value: ${flags}.`, "options");
  const removeEmpty = (flags & REMOVE_EMPTY) !== 0;
  const tidy = (flags & TRIM_ENTRIES) !== 0 ? trim : same;
  checkLength(text.length);
  spendUnits(text.length);
  const parts: string[] = [];
  if (count === 0) return stringArray(parts);
  let from = 0;
  while (parts.length < count - 1) {
    finder.next(text, from);
    if (finder.start < 0) break;
    spend();
    const part = tidy(text.slice(from, finder.start));
    if (part !== "" || !removeEmpty) parts.push(part);
    checkSize(parts.length);
    from = finder.start + finder.length;
  }
  // With a count, the last part is the rest; empty parts in front of it do not count.
  if (removeEmpty) {
    for (finder.next(text, from); finder.start >= 0; finder.next(text, from)) {
      spend();
      if (tidy(text.slice(from, finder.start)) !== "") break;
      from = finder.start + finder.length;
    }
  }
  const rest = tidy(text.slice(from));
  if (rest !== "" || !removeEmpty) parts.push(rest);
  return stringArray(parts);
}

function same(text: string): string {
  return text;
}

/** Joins texts of boxed values; null is empty. */
function joinTexts(separator: string, items: Iterable<unknown>, type: Type | null): string {
  let result = "";
  let first = true;
  const boxing = type !== null && needsBoxing(type);
  for (const item of items) {
    if (first) first = false;
    else result += separator;
    const text = textOf(boxing ? box(item, type) : item);
    result += text;
    checkGrowth(result.length, text.length + separator.length);
  }
  return result;
}

export function joinArray(separator: string | null, values: NetArray | null, parameter = "value"): string {
  if (values === null) throw argumentNull(parameter);
  spend(values.items.length);
  return joinTexts(separator ?? "", values.items, null);
}

export function joinSequence(separator: string | null, values: unknown, type: Type | null): string {
  if (values === null) throw argumentNull("values");
  return joinTexts(separator ?? "", iterate(values), type);
}

export function joinPart(
  separator: string | null,
  values: NetArray | null,
  start: number,
  count: number,
): string {
  if (values === null) throw argumentNull("value");
  if (start < 0) throw argumentOutOfRange("startIndex", "StartIndex cannot be less than zero.");
  if (count < 0) throw argumentOutOfRange("count", "Count cannot be less than zero.");
  if (start > values.items.length - count) {
    throw argumentOutOfRange("startIndex", "Index and count must refer to a location within the buffer.");
  }
  spend(count);
  return joinTexts(separator ?? "", values.items.slice(start, start + count), null);
}
