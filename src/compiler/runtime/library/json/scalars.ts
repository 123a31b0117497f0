/**
 * What a `JValue` holds, and how it compares and prints. In `data` a bare number or bigint is an integer as JSON has
 * it (Int64, beyond that a big integer); every other value stands as an `object` slot would hold it, an Int32 in a
 * `Box`; a date that was read is a `RawDate` until somebody wants the `DateTime`.
 */
import { lookupType } from "../../define.ts";
import { NetException, argumentError } from "../../errors.ts";
import type { NamedType, Type } from "../../type.ts";
import {
  Box,
  EnumValue,
  type NetObject,
  TYPE,
  enumValue,
  equal,
  formatted,
  hashOf,
  textOf,
  typeNamed,
  typeOf,
} from "../../values.ts";
import { compareNumbers, compareOrdinal } from "../comparison.ts";
import { late } from "../late.ts";
import * as kinds from "./kinds.ts";
import { RawDate } from "./raw.ts";

const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;
const TICKS_AT_EPOCH = 621_355_968_000_000_000n;

const newDateTime = late("System.DateTime", ".ctor", ["System.Int64", "System.DateTimeKind"]);
const toLocalTime = late("System.DateTime", "ToLocalTime", []);

/** An integer too large for Int64: prints, compares and is written, no more. */
export class BigInteger implements NetObject {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
  get [TYPE](): Type {
    return typeNamed("System.Numerics.BigInteger");
  }
  netToString(): string {
    return this.value.toString();
  }
  netEquals(other: unknown): boolean {
    return other instanceof BigInteger && other.value === this.value;
  }
  netHashCode(): number {
    return hashOf(this.value);
  }
}

/** `JTokenType` of a boxed, non-null value; -1 when JSON has no place for it. */
function kindOfType(value: unknown): number {
  switch (typeof value) {
    case "string":
      return kinds.STRING;
    case "boolean":
      return kinds.BOOLEAN;
    case "number":
    case "bigint":
      return kinds.INTEGER;
    default:
  }
  if (value instanceof EnumValue) return kinds.INTEGER;
  switch (typeOf(value).name) {
    case "System.Int64":
    case "System.UInt64":
    case "System.UInt32":
    case "System.Int16":
    case "System.UInt16":
    case "System.Byte":
    case "System.SByte":
    case "System.Numerics.BigInteger":
      return kinds.INTEGER;
    case "System.Double":
    case "System.Single":
    case "System.Decimal":
      return kinds.FLOAT;
    case "System.DateTime":
    case "System.DateTimeOffset":
      return kinds.DATE;
    case "System.Byte[]":
      return kinds.BYTES;
    case "System.Guid":
      return kinds.GUID;
    case "System.Uri":
      return kinds.URI;
    case "System.TimeSpan":
      return kinds.TIME_SPAN;
    default:
      return -1;
  }
}

/** @throws ArgumentException `Could not determine JSON object type …` */
export function scalarKind(value: unknown): number {
  if (value === null) return kinds.NULL;
  const kind = kindOfType(value);
  if (kind < 0) throw argumentError(`Could not determine JSON object type for type ${typeOf(value).name}.`);
  return kind;
}

/** An integer as `data`: a number while exact. */
export function integerData(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** A boxed value as `data`. */
export function toData(value: unknown): unknown {
  if (typeof value === "number") return new Box(typeNamed("System.Int32"), value);
  if (value instanceof Box && value.type.name === "System.Int64") return integerData(value.value as bigint);
  if (value instanceof BigInteger) return value.value;
  return value;
}

/** `data` as a boxed .NET value: `JValue.Value`. */
export function toNet(data: unknown): unknown {
  switch (typeof data) {
    case "number":
      return new Box(typeNamed("System.Int64"), BigInt(data));
    case "bigint":
      return data > LONG_MAX || data < LONG_MIN
        ? new BigInteger(data)
        : new Box(typeNamed("System.Int64"), data);
    default:
      if (data instanceof RawDate) return dateOf(data);
      if (data instanceof Box && data.type.name === "System.Int32") return data.value;
      return data;
  }
}

/** The number in an integer's `data`, exact. */
export function integerOf(data: unknown): bigint {
  if (typeof data === "number" || typeof data === "bigint") return BigInt(data);
  if (data instanceof Box) return BigInt(data.value);
  return BigInt((data as EnumValue).number);
}

/** The `DateTime` of an ISO text, as Newtonsoft reads it: `Z` → Utc, offset → Local, none → Unspecified. */
export function dateOf(date: RawDate): NetObject {
  return date.value(parseIsoDate);
}

export function parseIsoDate(text: string): NetObject {
  const seconds = BigInt(Date.parse(`${text.slice(0, 19)}Z`) / 1000);
  const fraction = /^\.(\d{1,7})/.exec(text.slice(19));
  const zone = /(?:[Zz]|([+-])(\d\d):?(\d\d)?)$/.exec(text.slice(19));
  let ticks = TICKS_AT_EPOCH + seconds * 10_000_000n;
  if (fraction !== null) ticks += BigInt(fraction[1]!.padEnd(7, "0"));
  if (zone === null) return dateTime(ticks, 0);
  if (zone[1] === undefined) return dateTime(ticks, 1);
  const offset = BigInt(Number(zone[2]) * 60 + Number(zone[3] ?? "0")) * 600_000_000n;
  ticks += zone[1] === "+" ? -offset : offset;
  const last = 3_155_378_975_999_999_999n;
  return toLocalTime(dateTime(ticks < 0n ? 0n : ticks > last ? last : ticks, 1));
}

/** @param kind 0 Unspecified, 1 Utc, 2 Local */
export function dateTime(ticks: bigint, kind: number): NetObject {
  return newDateTime(ticks, enumValue(lookupType("System.DateTimeKind"), kind)) as NetObject;
}

/** `Convert.ToString(value, invariant)`, null as null: what `(string)token` gives. */
export function textOfScalar(data: unknown): string | null {
  switch (typeof data) {
    case "string":
      return data;
    case "number":
      return String(data);
    default:
      if (data === null) return null;
      if (data instanceof RawDate) return textOf(dateOf(data));
      if (data instanceof Box && data.type.name === "System.Int32") return String(data.value);
      return textOf(data);
  }
}

/** `JValue.ToString(format)`. */
export function formatScalar(data: unknown, format: string): string {
  return data === null ? "" : formatted(toNet(data), format);
}

const FLOAT_HAS_PLACE = /[.eE]/;

/** A double, float or decimal as JSON writes it: `1` becomes `1.0`, NaN a text. */
export function floatJson(value: unknown): string {
  const text = textOf(value);
  if (value instanceof Box && typeof value.value === "number" && !Number.isFinite(value.value))
    return `"${text}"`;
  return FLOAT_HAS_PLACE.test(text) ? text : `${text}.0`;
}

/** A `DateTime` or `DateTimeOffset` in the form JSON carries, without quotes. */
export function dateJson(value: unknown): string {
  return formatted(value, "yyyy-MM-ddTHH:mm:ss.FFFFFFFK");
}

/** Order of two values, by the kind of the first; -1, 0, 1. @throws ArgumentException when they do not compare */
export function compareScalars(kind: number, a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (b === null) return 1;
  if (a === null) return -1;
  switch (kind) {
    case kinds.INTEGER:
    case kinds.FLOAT:
      return compareAsNumbers(a, b);
    case kinds.STRING:
    case kinds.RAW:
      return compareOrdinal(textOfScalar(a)!, textOfScalar(b)!);
    case kinds.BOOLEAN: {
      const x = textOfScalar(a)!.toLowerCase();
      const y = textOfScalar(b)!.toLowerCase();
      return x === y ? 0 : x === "false" ? -1 : 1;
    }
    case kinds.BYTES:
      if (!(b instanceof Uint8Array)) throw argumentError("Object must be of type byte[].");
      return compareBytes(a as Uint8Array, b);
    default: {
      const x = toNet(a) as NetObject;
      const y = toNet(b);
      if (x.netCompareTo === undefined || typeOf(y) !== x[TYPE]) {
        throw argumentError(
          `Object must be of type ${(x[TYPE] as NamedType).definition?.shortName ?? "value"}.`,
        );
      }
      return x.netCompareTo(y);
    }
  }
}

function compareAsNumbers(a: unknown, b: unknown): number {
  const x = numberOf(a);
  const y = numberOf(b);
  return compareNumbers(x, y);
}

/** As a number or bigint; JavaScript compares the two exactly. */
function numberOf(data: unknown): number | bigint {
  if (typeof data === "number" || typeof data === "bigint") return data;
  if (data instanceof Box) return data.value;
  if (data instanceof EnumValue) return data.number;
  const text = textOfScalar(data) ?? "";
  const value = Number(text);
  if (text.trim() === "" || (value !== value && text !== "NaN")) {
    throw argumentError("Input string was not in a correct format.");
  }
  return value;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return Math.sign(a.length - b.length);
}

/** `JToken.DeepEquals` of two scalars: the same kind and the same value. */
export function sameScalar(kindA: number, a: unknown, kindB: number, b: unknown): boolean {
  if (kindA !== kindB) return false;
  if (a === b) return true;
  if (a === null || b === null) return false;
  try {
    return compareScalars(kindA, a, b) === 0;
  } catch (error) {
    // Not comparable: then only equality is left.
    if (!(error instanceof NetException)) throw error;
    return equal(toNet(a), toNet(b));
  }
}

export function hashScalar(data: unknown): number {
  if (data === null) return 0;
  return typeof data === "number" ? data | 0 : hashOf(toNet(data));
}
