/**
 * DotLiquid's standard filters (`policies.md` 8.1). Each has its name in Pascal case, in snake case and in lower case.
 * All take time linear in their input (sorting: n log n), and pay for it.
 *
 * Where we go our own way: `Replace` and its kin take their argument as text, never as a pattern; arithmetic on a text
 * that is a number is arithmetic.
 */
import type { FilterImplOptions } from "liquidjs";
import { toValue } from "liquidjs";
import { rawFloat } from "../compiler/runtime/library/json/raw.ts";
import { formatted } from "../compiler/runtime/values.ts";
import { suggest } from "../base/suggest.ts";
import { Entry, elementsOf, formatDate, member, textOfValue, toDate } from "./values.ts";

type Filter = (input: unknown, args: readonly unknown[]) => unknown;

const text = textOfValue;

const byPascalName: Readonly<Record<string, Filter>> = {
  // ── Text ──
  Append: (input, [tail]) => text(input) + text(tail),
  Prepend: (input, [head]) => text(head) + text(input),
  Capitalize: (input) => titleCase(text(input)),
  Downcase: (input) => text(input).toLowerCase(),
  Upcase: (input) => text(input).toUpperCase(),
  Escape: (input) => escapeHtml(text(input)),
  H: (input) => escapeHtml(text(input)),
  Lstrip: (input) => text(input).trimStart(),
  Rstrip: (input) => text(input).trimEnd(),
  Strip: (input) => text(input).trim(),
  NewlineToBr: (input) => text(input).replace(/\r?\n/g, (end) => `<br />${end}`),
  StripNewlines: (input) => text(input).replace(/\r?\n/g, ""),
  StripHtml: (input) => stripHtml(text(input)),
  Remove: (input, [part]) => replaceText(text(input), text(part), "", false),
  RemoveFirst: (input, [part]) => replaceText(text(input), text(part), "", true),
  Replace: (input, [part, by]) => replaceText(text(input), text(part), text(by), false),
  ReplaceFirst: (input, [part, by]) => replaceText(text(input), text(part), text(by), true),
  Split: (input, [separator]) => split(text(input), text(separator)),
  Truncate: (input, [length, tail]) =>
    truncate(text(input), whole(length, 50), tail === undefined ? "..." : text(tail)),
  TruncateWords: (input, [words, tail]) =>
    truncateWords(text(input), whole(words, 15), tail === undefined ? "..." : text(tail)),
  UrlDecode: (input) => urlDecode(text(input)),
  UrlEncode: (input) => urlEncode(text(input)),

  // ── Lists and either ──
  Compact: (input) => elementsOf(input).filter((item) => item !== null && item !== undefined),
  First: (input) => (typeof input === "string" ? input.slice(0, 1) : (elementsOf(input)[0] ?? null)),
  Last: (input) => (typeof input === "string" ? input.slice(-1) : (elementsOf(input).at(-1) ?? null)),
  Join: (input, [glue]) =>
    elementsOf(input)
      .map(text)
      .join(glue === undefined ? " " : text(glue)),
  Map: (input, [property]) => elementsOf(input).map((item) => member(item, text(property)) ?? null),
  Size: (input) => (typeof input === "string" ? input.length : elementsOf(input).length),
  Slice: (input, [from, count]) => slice(input, whole(from, 0), whole(count, 1)),
  Sort: (input, [property]) => sort(elementsOf(input), property === undefined ? null : text(property)),
  Uniq: (input) => [...new Set(elementsOf(input))],
  Default: (input, [otherwise]) => (isBlank(input) ? otherwise : input),

  // ── Numbers and dates; of nothing comes nothing ──
  Abs: math((input) => Math.abs(number(input))),
  AtLeast: math((input, least) => Math.max(number(input), number(least))),
  AtMost: math((input, most) => Math.min(number(input), number(most))),
  Plus: math(plus),
  Minus: math((input, operand) => number(input) - number(operand)),
  Times: math((input, operand) => number(input) * number(operand)),
  DividedBy: math(divide),
  Modulo: math(modulo),
  Round: (input, [places]) =>
    input === null || input === undefined ? null : round(number(input), whole(places, 0)),
  Currency: (input, [culture]) => currency(input, culture === undefined ? "" : text(culture)),
  Date: (input, [format]) => date(input, text(format)),
};

/** Every name a template may use. */
export const filters: ReadonlyMap<string, FilterImplOptions> = new Map(
  Object.entries(byPascalName).flatMap(([name, filter]) => {
    const snake = name.replace(/(?<!^)[A-Z]/g, "_$&").toLowerCase();
    const names = new Set([name, snake, name.toLowerCase(), name[0]!.toLowerCase() + name.slice(1)]);
    return [...names].map((one): [string, FilterImplOptions] => [one, metered(filter)]);
  }),
);

export function suggestFilter(name: string): string | null {
  return suggest(name, filters.keys());
}

/** Charges for what goes in; what comes out is charged when it goes into the next filter or the output. */
function metered(filter: Filter): FilterImplOptions {
  return function (input: unknown, ...args: unknown[]): unknown {
    const value = toValue(input as never) as unknown;
    this.context.memoryLimit.use(typeof value === "string" || Array.isArray(value) ? value.length + 1 : 1);
    // A named argument comes as a pair; DotLiquid has none, so its value counts.
    const plain = args.map((arg) => toValue((Array.isArray(arg) ? arg[1] : arg) as never) as unknown);
    return filter(value, plain);
  };
}

// ── Text ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `TextInfo.ToTitleCase`: words in capitals stay as they are. */
function titleCase(value: string): string {
  return value.replace(/[\p{L}\p{N}']+/gu, (word) =>
    word.length > 1 && word === word.toUpperCase()
      ? word
      : word[0]!.toUpperCase() + word.slice(1).toLowerCase(),
  );
}

const HTML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (sign) => HTML[sign]!);
}

/** Everything from a `<` to the next `>`, in one pass. */
function stripHtml(value: string): string {
  let out = "";
  for (let at = 0; at < value.length;) {
    const open = value.indexOf("<", at);
    const close = open < 0 ? -1 : value.indexOf(">", open);
    if (close < 0) return out + value.slice(at);
    out += value.slice(at, open);
    at = close + 1;
  }
  return out;
}

function replaceText(value: string, part: string, by: string, onlyFirst: boolean): string {
  if (part === "") return value;
  if (onlyFirst) return value.replace(part, () => by);
  const pieces = value.split(part);
  const length = value.length + (pieces.length - 1) * (by.length - part.length);
  if (length > MOST_TEXT) throw new Error(`a text would be longer than ${MOST_TEXT} characters`);
  return pieces.join(by);
}

const MOST_TEXT = 10 * 1024 * 1024;

/** Empty parts are left out; without a separator, the characters. */
function split(value: string, separator: string): string[] {
  return separator === "" ? [...value] : value.split(separator).filter((part) => part !== "");
}

function truncate(value: string, length: number, tail: string): string {
  return value.length <= length ? value : value.slice(0, Math.max(0, length - tail.length)) + tail;
}

function truncateWords(value: string, words: number, tail: string): string {
  const list = value.split(" ");
  const most = Math.max(0, words);
  return list.length <= most ? value : list.slice(0, most).join(" ") + tail;
}

/** `WebUtility.UrlEncode`: a space becomes `+`. */
function urlEncode(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replace(/%20|['~]/g, (sign) =>
    sign === "%20" ? "+" : sign === "'" ? "%27" : "%7E",
  );
}

function urlDecode(value: string): string {
  const spaced = value.replaceAll("+", " ");
  return spaced.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll("%", ""), "hex").toString("utf8"),
  );
}

// ── Lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function slice(input: unknown, from: number, count: number): unknown {
  const whole = typeof input === "string" ? input : Array.isArray(input) ? elementsOf(input) : text(input);
  const start = from < 0 ? Math.max(0, whole.length + from) : from;
  return whole.slice(start, start + Math.max(0, count));
}

function sort(list: unknown[], property: string | null): unknown[] {
  const keyOf = (item: unknown): unknown =>
    property === null ? (item instanceof Entry ? item.key : item) : member(item, property);
  return list
    .map((item) => ({ item, key: keyOf(item) }))
    .sort((a, b) => compare(a.key, b.key))
    .map(({ item }) => item);
}

/** Nothing first, numbers by value, the rest as text. */
function compare(a: unknown, b: unknown): number {
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : -1;
  if (b === null || b === undefined) return 1;
  if (isNumber(a) && isNumber(b)) return a < b ? -1 : a > b ? 1 : 0;
  const [left, right] = [text(a), text(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function isBlank(input: unknown): boolean {
  if (input === null || input === undefined) return true;
  return typeof input === "string" ? input.trim() === "" : Array.isArray(input) && input.length === 0;
}

// ── Numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────

function math(calculate: (input: unknown, operand: unknown) => unknown): Filter {
  return (input, args) => {
    const isMissing =
      input === null ||
      input === undefined ||
      (args.length > 0 && (args[0] === null || args[0] === undefined));
    return isMissing ? null : calculate(input, args[0]);
  };
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** @throws Error when it is none */
function number(value: unknown): number {
  if (value === null || value === undefined) return 0;
  if (isNumber(value)) return Number(value);
  const written = text(value).trim();
  const parsed = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(written) ? Number(written) : Number.NaN;
  if (Number.isNaN(parsed)) throw new Error(`"${written.slice(0, 40)}" is not a number`);
  return parsed;
}

function whole(value: unknown, otherwise: number): number {
  if (value === undefined || value === null) return otherwise;
  return Math.trunc(number(value));
}

function plus(input: unknown, operand: unknown): unknown {
  if (typeof input === "string" && !/^\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*$/.test(input))
    return input + text(operand);
  return number(input) + number(operand);
}

/** Two whole numbers divide to a whole one, cut towards zero. */
function divide(input: unknown, operand: unknown): number {
  const [a, b] = [number(input), number(operand)];
  if (b === 0) throw new Error("Attempted to divide by zero.");
  return Number.isInteger(a) && Number.isInteger(b) ? Math.trunc(a / b) : a / b;
}

function modulo(input: unknown, operand: unknown): number {
  const [a, b] = [number(input), number(operand)];
  if (b === 0) throw new Error("Attempted to divide by zero.");
  return a % b;
}

/** `Math.Round`: a half goes to the even neighbour. */
function round(value: number, places: number): number {
  const digits = Math.max(0, Math.min(15, places));
  const [whole_, fraction = ""] = Math.abs(value).toString().split(".");
  if (/e/.test(whole_! + fraction) || fraction.length <= digits) return value;
  const kept = BigInt(whole_! + fraction.slice(0, digits).padEnd(digits, "0"));
  const rest = fraction.slice(digits);
  const half = rest[0] === "5" && /^50*$/.test(rest);
  const up = half ? kept % 2n === 1n : rest[0]! >= "5";
  const scaled = (kept + (up ? 1n : 0n)).toString().padStart(digits + 1, "0");
  const magnitude = Number(digits === 0 ? scaled : `${scaled.slice(0, -digits)}.${scaled.slice(-digits)}`);
  return value < 0 ? -magnitude : magnitude;
}

const EURO = ["AT", "BE", "DE", "ES", "FI", "FR", "GR", "IE", "IT", "LU", "NL", "PT", "SI", "SK"];
const CURRENCIES: ReadonlyMap<string, string> = new Map([
  ...EURO.map((region): [string, string] => [region, "EUR"]),
  ["AU", "AUD"],
  ["BR", "BRL"],
  ["CA", "CAD"],
  ["CH", "CHF"],
  ["CN", "CNY"],
  ["CZ", "CZK"],
  ["DK", "DKK"],
  ["GB", "GBP"],
  ["IN", "INR"],
  ["JP", "JPY"],
  ["KR", "KRW"],
  ["MX", "MXN"],
  ["NO", "NOK"],
  ["NZ", "NZD"],
  ["PL", "PLN"],
  ["SE", "SEK"],
  ["US", "USD"],
  ["ZA", "ZAR"],
]);

/** Without a culture, the invariant one: `¤1,234.50`. */
function currency(input: unknown, culture: string): string {
  const value = typeof input === "string" && input.trim() === "" ? Number.NaN : safeNumber(input);
  if (Number.isNaN(value)) return text(input);
  const region = /^[a-z]{2,3}(?:-[a-z]{4})?-([a-z]{2})$/i.exec(culture)?.[1]?.toUpperCase();
  const unit = region === undefined ? undefined : CURRENCIES.get(region);
  if (unit === undefined) return formatted(rawFloat(value), "C");
  return new Intl.NumberFormat(culture, { style: "currency", currency: unit }).format(value);
}

function safeNumber(value: unknown): number {
  try {
    return number(value);
  } catch {
    return Number.NaN;
  }
}

// ── Dates ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What is no date, and an empty format, leave the input as it is. */
function date(input: unknown, format: string): unknown {
  const value = toDate(input);
  if (value === null || format.trim() === "") return input;
  return formatDate(value, format);
}
