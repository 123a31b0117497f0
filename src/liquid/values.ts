/**
 * What Liquid templates work with: strings, numbers, booleans, null, arrays, `Map`s (JSON objects), XML elements, dates
 * and the read-only views of `context`. Nothing else is ever put into a template's reach, and every property is read
 * through `member`, so no JavaScript property can be met.
 */
import { late } from "../compiler/runtime/library/late.ts";
import { RawDate, UNDEFINED, rawFloat } from "../compiler/runtime/library/json/raw.ts";
import { Box, type NetObject, TYPE, formatted, textOf } from "../compiler/runtime/values.ts";
import { XmlElement } from "./xml.ts";

/** A read-only object whose members are worked out when asked for. */
export abstract class View {
  /** Null when there is no such member; names compare without case. */
  abstract member(lowerName: string, name: string): unknown;
  /** For `for … in`. */
  entries(): readonly (readonly [string, unknown])[] {
    return [];
  }
  /** As output. */
  abstract get text(): string;
}

/** One round of a loop over an object: `x.Key`, `x.Value`, `x[0]`, `x[1]`, and what the value itself has. */
export class Entry {
  readonly key: string;
  readonly value: unknown;
  constructor(key: string, value: unknown) {
    this.key = key;
    this.value = value;
  }
}

/** JSON data as Liquid sees it: floats are numbers, dates are .NET dates, the literal `undefined` is null. */
export function plain(value: unknown): unknown {
  if (typeof value === "symbol") return value === UNDEFINED ? null : undefined;
  if (value instanceof Box) return typeof value.value === "bigint" ? exact(value.value) : value.value;
  if (value instanceof RawDate) return value.value(parseRoundtrip);
  return value;
}

function exact(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** `object.key` and `object[key]`; undefined when there is none. */
export function member(object: unknown, key: unknown): unknown {
  if (object === null || object === undefined || key === null || key === undefined) return undefined;
  if (Array.isArray(object)) return ofArray(object, key);
  const name = String(key);
  if (object instanceof Map)
    return object.has(name) ? plain(object.get(name)) : name === "size" ? object.size : undefined;
  if (object instanceof XmlElement) return object.member(name);
  if (object instanceof View) return object.member(name.toLowerCase(), name);
  if (object instanceof Entry) return ofEntry(object, name);
  if (typeof object === "string") return name === "size" ? object.length : undefined;
  if (isScope(object))
    return Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined;
  return undefined;
}

/** The engine's own scopes (variables, `forloop`) have no prototype. */
function isScope(object: unknown): boolean {
  return typeof object === "object" && Object.getPrototypeOf(object) === null;
}

function ofArray(array: readonly unknown[], key: unknown): unknown {
  if (key === "size") return array.length;
  if (key === "first") return plain(array[0]);
  if (key === "last") return plain(array.at(-1));
  const index =
    typeof key === "number" ? key : typeof key === "string" && /^-?\d+$/.test(key) ? Number(key) : Number.NaN;
  return Number.isInteger(index) ? plain(array.at(index)) : undefined;
}

function ofEntry(entry: Entry, name: string): unknown {
  if (name === "0" || name === "Key" || name === "key" || name === "itemName") return entry.key;
  if (name === "1" || name === "Value" || name === "value") return entry.value;
  return member(entry.value, name);
}

/** Elements of anything a loop or list filter may be given. A lone XML element is a list of one. */
export function elementsOf(value: unknown): unknown[] {
  if (value === null || value === undefined || value === "") return [];
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return [...value].map(([key, item]) => new Entry(String(key), plain(item)));
  if (value instanceof View) return value.entries().map(([key, item]) => new Entry(key, item));
  return [value];
}

/** Output as DotLiquid writes it: lists run together, booleans in lower case, null as nothing. */
export function textOfValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return Number.isSafeInteger(value) ? String(value) : textOf(rawFloat(value));
    case "bigint":
    case "boolean":
      return String(value);
    case "object":
      return value === null ? "" : textOfObject(value);
    default:
      return "";
  }
}

function textOfObject(value: object): string {
  if (Array.isArray(value)) return value.map((item) => textOfValue(plain(item))).join("");
  if (value instanceof Map)
    return [...value].map(([key, item]) => `[${key}, ${textOfValue(plain(item))}]`).join("");
  if (value instanceof XmlElement || value instanceof View) return value.text;
  if (value instanceof Entry) return `[${value.key}, ${textOfValue(value.value)}]`;
  if (isDate(value)) return textOf(value);
  return "";
}

// ── Dates ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const parseDateText = late("System.DateTime", "Parse", ["System.String"]);
const nowOf = late("System.DateTime", "Now", []);

function parseRoundtrip(text: string): NetObject {
  return parseDateText(text) as NetObject;
}

export function isDate(value: unknown): value is NetObject {
  return typeof value === "object" && value !== null && TYPE in value;
}

/** A date from a date, a text, `now` or `today`, or seconds since 1970; null when it is none. */
export function toDate(value: unknown): NetObject | null {
  if (isDate(value)) return value;
  if (typeof value === "number") return fromEpoch(value);
  if (typeof value !== "string" || value.trim() === "") return null;
  const word = value.trim().toLowerCase();
  if (word === "now" || word === "today") return nowOf() as NetObject;
  try {
    return parseDateText(value) as NetObject;
  } catch {
    return null;
  }
}

function fromEpoch(seconds: number): NetObject | null {
  const ms = seconds * 1000;
  return Math.abs(ms) > 8.64e15 ? null : toDate(new Date(ms).toISOString());
}

/** @param format .NET's, such as `yyyy-MM-dd` */
export function formatDate(date: NetObject, format: string): string {
  return formatted(date, format);
}
