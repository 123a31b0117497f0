/** System.DateTime: ticks (100 ns since 0001-01-01) and a kind. Comparing ignores the kind. */
import { type Members, defineType } from "../define.ts";
import { NetException, argumentError, argumentNull, argumentOutOfRange, formatError } from "../errors.ts";
import { environment } from "../environment.ts";
import type { Type } from "../type.ts";
import {
  type EnumValue,
  type NetObject,
  NetArray,
  type OutCell,
  TYPE,
  enumValue,
  hashOf,
  typeNamed,
} from "../values.ts";
import {
  MAX_TICKS,
  TICKS_PER_DAY,
  TICKS_PER_HOUR,
  TICKS_PER_MINUTE,
  TICKS_PER_MS,
  TICKS_PER_SECOND,
  UNIX_EPOCH_TICKS,
  daysInMonth,
  fieldsOf,
  isLeapYear,
  ticksOf,
  ticksOfUnixMs,
} from "./calendar.ts";
import { readExactly } from "./datetime-exact.ts";
import { formatMoment } from "./datetime-format.ts";
import { type ReadMoment, readMoment } from "./datetime-parse.ts";
import { TimeSpan, timeSpan } from "./timespan.ts";
import { localOffsetAtUtc, localOffsetOfClock, standardOffset } from "./zone.ts";

/** Numbers of DateTimeKind. */
export const UNSPECIFIED = 0;
export const UTC = 1;
export const LOCAL = 2;
export type Kind = 0 | 1 | 2;

export class DateTime implements NetObject {
  readonly ticks: bigint;
  readonly kind: Kind;

  /** @param ticks 0 … MAX_TICKS; `moment` checks */
  constructor(ticks: bigint, kind: Kind) {
    this.ticks = ticks;
    this.kind = kind;
  }
  get [TYPE](): Type {
    return typeNamed("System.DateTime");
  }
  netToString(): string {
    return dateTimeText(this, null);
  }
  netEquals(other: unknown): boolean {
    return other instanceof DateTime && other.ticks === this.ticks;
  }
  netHashCode(): number {
    return hashOf(this.ticks);
  }
  netCompareTo(other: unknown): number {
    if (!(other instanceof DateTime)) throw argumentError("Object must be of type DateTime.");
    return compare(this, other);
  }
  netFormat(format: string): string {
    return dateTimeText(this, format);
  }
}

const MIN = new DateTime(0n, UNSPECIFIED);
const MAX = new DateTime(MAX_TICKS, UNSPECIFIED);
const EPOCH = new DateTime(UNIX_EPOCH_TICKS, UTC);

/** `ToString(format)`. */
export function dateTimeText(time: DateTime, format: string | null): string {
  return formatMoment(
    {
      ticks: time.ticks,
      offset: () => (time.kind === UTC ? 0 : localOffsetOfClock(time.ticks)),
      zone: time.kind === UTC ? "utc" : time.kind === LOCAL ? "offset" : "none",
      hasOffset: false,
    },
    format,
  );
}

/** A DateTime of the wall clock's ms since the Unix epoch, kind Utc. */
export function utcFromUnixMs(ms: number): DateTime {
  return new DateTime(ticksOfUnixMs(ms), UTC);
}

function utcNow(): DateTime {
  return utcFromUnixMs(environment().now());
}

/** To the local zone; ends of the calendar clamp. */
export function toLocal(time: DateTime): DateTime {
  if (time.kind === LOCAL) return time;
  return new DateTime(clamp(time.ticks + BigInt(localOffsetAtUtc(time.ticks)) * TICKS_PER_MINUTE), LOCAL);
}

export function toUniversal(time: DateTime): DateTime {
  if (time.kind === UTC) return time;
  return new DateTime(clamp(time.ticks - BigInt(localOffsetOfClock(time.ticks)) * TICKS_PER_MINUTE), UTC);
}

function clamp(ticks: bigint): bigint {
  return ticks < 0n ? 0n : ticks > MAX_TICKS ? MAX_TICKS : ticks;
}

function unrepresentable(parameter: string): NetException {
  return argumentOutOfRange(
    parameter,
    "The added or subtracted value results in an un-representable DateTime.",
  );
}

function plus(time: DateTime, ticks: bigint, parameter = "value"): DateTime {
  const sum = time.ticks + ticks;
  if (sum < 0n || sum > MAX_TICKS) throw unrepresentable(parameter);
  return new DateTime(sum, time.kind);
}

/** `value` units of `unit` ticks, whole ones exactly and the rest cut to a tick. @throws when out of the calendar */
export function ticksOfUnits(value: number, unit: bigint): bigint {
  if (!(Math.abs(value) <= Number(MAX_TICKS / unit) + 1)) {
    throw argumentOutOfRange("value", "Value to add was out of range.");
  }
  const whole = Math.trunc(value);
  return BigInt(whole) * unit + BigInt(Math.trunc((value - whole) * Number(unit)));
}

const adder = (unit: bigint) => (time: DateTime, value: number) => plus(time, ticksOfUnits(value, unit));

/** The day is cut to the length of the month that is reached. */
export function ticksPlusMonths(ticks: bigint, months: number): bigint {
  if (months < -120000 || months > 120000) {
    throw argumentOutOfRange("months", "Months value must be between +/-120000.");
  }
  const { year, month, day } = fieldsOf(ticks);
  const index = year * 12 + (month - 1) + months;
  const toYear = Math.floor(index / 12);
  const toMonth = (index % 12) + 1;
  if (toYear < 1 || toYear > 9999) throw unrepresentable("months");
  return ticksOf(toYear, toMonth, Math.min(day, daysInMonth(toYear, toMonth)))! + (ticks % TICKS_PER_DAY);
}

export function ticksPlusYears(ticks: bigint, years: number): bigint {
  if (years < -10000 || years > 10000) {
    throw argumentOutOfRange("years", "Years value must be between +/-10000.");
  }
  return ticksPlusMonths(ticks, years * 12);
}

function compare(a: DateTime, b: DateTime): number {
  return a.ticks < b.ticks ? -1 : a.ticks > b.ticks ? 1 : 0;
}

function kindOf(kind: EnumValue): Kind {
  if (kind.number < 0 || kind.number > 2) throw argumentError("Invalid DateTimeKind value.", "kind");
  return kind.number as Kind;
}

/** Ticks of calendar parts, with .NET's complaints. */
export function ticksOfParts(
  year: number,
  month: number,
  day: number,
  hour = 0,
  minute = 0,
  second = 0,
  millisecond = 0,
): bigint {
  const date = ticksOf(year, month, day);
  if (date === null) {
    throw outOfRange("Year, Month, and Day parameters describe an un-representable DateTime.");
  }
  const ticks = ticksOf(year, month, day, hour, minute, second);
  if (ticks === null) {
    throw outOfRange("Hour, Minute, and Second parameters describe an un-representable DateTime.");
  }
  if (millisecond < 0 || millisecond > 999) {
    throw argumentOutOfRange("millisecond", "Valid values are between 0 and 999, inclusive.");
  }
  return ticks + BigInt(millisecond) * TICKS_PER_MS;
}

function outOfRange(message: string): NetException {
  return new NetException("System.ArgumentOutOfRangeException", message);
}

/** @throws ArgumentOutOfRangeException */
export function checkTicks(ticks: bigint): bigint {
  if (ticks < 0n || ticks > MAX_TICKS) {
    throw argumentOutOfRange(
      "ticks",
      "Ticks must be between DateTime.MinValue.Ticks and DateTime.MaxValue.Ticks.",
    );
  }
  return ticks;
}

/** What was read, as a DateTime: a given offset converts to local time. null when that leaves the calendar. */
export function dateTimeOf(moment: ReadMoment | null): DateTime | null {
  if (moment === null) return null;
  if (moment.offset === null) return new DateTime(moment.ticks, UNSPECIFIED);
  const utc = moment.ticks - BigInt(moment.offset) * TICKS_PER_MINUTE;
  if (utc < 0n || utc > MAX_TICKS) return null;
  return toLocal(new DateTime(utc, UTC));
}

export const NOT_A_DATE = "String was not recognized as a valid DateTime.";

/** `DateTime.Parse`. */
export function parseDateTime(text: string | null): DateTime {
  if (text === null) throw argumentNull("s");
  const time = dateTimeOf(readMoment(text));
  if (time === null) throw formatError(NOT_A_DATE);
  return time;
}

/** The formats of ParseExact, one or several. */
export function formatsOf(formats: NetArray | string | null): readonly string[] {
  if (formats === null) throw argumentNull("format");
  return typeof formats === "string" ? [formats] : (formats.items as string[]);
}

/** Tries each format. @throws FormatException when a format itself is wrong */
export function readByFormats(text: string | null, formats: NetArray | string | null): ReadMoment | null {
  if (text === null) throw argumentNull("s");
  for (const format of formatsOf(formats)) {
    const moment = readExactly(text, format ?? "");
    if (moment === "bad format") throw formatError("Format specifier was invalid.");
    if (moment !== null) return moment;
  }
  return null;
}

function parseExact(text: string | null, formats: NetArray | string | null): DateTime {
  const time = dateTimeOf(readByFormats(text, formats));
  if (time === null) throw formatError(NOT_A_DATE);
  return time;
}

function isDaylight(time: DateTime): boolean {
  if (time.kind === UTC) return false;
  const zone = environment().timeZone;
  return localOffsetOfClock(time.ticks) !== standardOffset(zone, time.ticks);
}

const field =
  (name: "year" | "month" | "day" | "hour" | "minute" | "second" | "dayOfYear") => (time: DateTime) =>
    fieldsOf(time.ticks)[name];

const subtract = (a: DateTime, b: DateTime): TimeSpan => timeSpan(a.ticks - b.ticks);
const subtractSpan = (a: DateTime, b: TimeSpan): DateTime => plus(a, -b.ticks);
const add = (a: DateTime, b: TimeSpan): DateTime => plus(a, b.ticks);

const members: Members = {
  "static DateTime MinValue { get; }": () => MIN,
  "static DateTime MaxValue { get; }": () => MAX,
  "static DateTime UnixEpoch { get; }": () => EPOCH,
  "static DateTime Now { get; }": () => toLocal(utcNow()),
  "static DateTime UtcNow { get; }": utcNow,
  "static DateTime Today { get; }": () => {
    const now = toLocal(utcNow());
    return new DateTime(now.ticks - (now.ticks % TICKS_PER_DAY), LOCAL);
  },
  "DateTime(long ticks)": (ticks: bigint) => new DateTime(checkTicks(ticks), UNSPECIFIED),
  "DateTime(long ticks, DateTimeKind kind)": (ticks: bigint, kind: EnumValue) =>
    new DateTime(checkTicks(ticks), kindOf(kind)),
  "DateTime(int year, int month, int day)": (y: number, m: number, d: number) =>
    new DateTime(ticksOfParts(y, m, d), UNSPECIFIED),
  "DateTime(int year, int month, int day, int hour, int minute, int second)": (...parts: number[]) =>
    new DateTime(ticksOfParts(...(parts as [number, number, number])), UNSPECIFIED),
  "DateTime(int year, int month, int day, int hour, int minute, int second, DateTimeKind kind)": (
    y: number,
    mo: number,
    d: number,
    h: number,
    mi: number,
    s: number,
    kind: EnumValue,
  ) => new DateTime(ticksOfParts(y, mo, d, h, mi, s), kindOf(kind)),
  "DateTime(int year, int month, int day, int hour, int minute, int second, int millisecond)": (
    ...parts: number[]
  ) => new DateTime(ticksOfParts(...(parts as [number, number, number])), UNSPECIFIED),
  "DateTime(int year, int month, int day, int hour, int minute, int second, int millisecond, DateTimeKind kind)":
    (y: number, mo: number, d: number, h: number, mi: number, s: number, ms: number, kind: EnumValue) =>
      new DateTime(ticksOfParts(y, mo, d, h, mi, s, ms), kindOf(kind)),
  "static int DaysInMonth(int year, int month)": (year: number, month: number) => {
    if (month < 1 || month > 12) throw argumentOutOfRange("month", "Month must be between one and twelve.");
    checkYear(year);
    return daysInMonth(year, month);
  },
  "static bool IsLeapYear(int year)": (year: number) => {
    checkYear(year);
    return isLeapYear(year);
  },
  "static int Compare(DateTime t1, DateTime t2)": compare,
  "static bool Equals(DateTime t1, DateTime t2)": (a: DateTime, b: DateTime) => a.ticks === b.ticks,
  "static DateTime SpecifyKind(DateTime value, DateTimeKind kind)": (time: DateTime, kind: EnumValue) =>
    new DateTime(time.ticks, kindOf(kind)),
  "static DateTime Parse(string s)": parseDateTime,
  "static DateTime Parse(string s, IFormatProvider provider)": (text: string | null) => parseDateTime(text),
  "static bool TryParse(string s, out DateTime result)": (text: string | null, result: OutCell) => {
    const time = text === null ? null : dateTimeOf(readMoment(text));
    result.value = time ?? MIN;
    return time !== null;
  },
  "static DateTime ParseExact(string s, string format, IFormatProvider provider)": parseExact,
  "int Year { get; }": field("year"),
  "int Month { get; }": field("month"),
  "int Day { get; }": field("day"),
  "int Hour { get; }": field("hour"),
  "int Minute { get; }": field("minute"),
  "int Second { get; }": field("second"),
  "int Millisecond { get; }": (time: DateTime) => Number((time.ticks / TICKS_PER_MS) % 1000n),
  "int DayOfYear { get; }": field("dayOfYear"),
  "DayOfWeek DayOfWeek { get; }": (time: DateTime) => weekdayOf(time.ticks),
  "long Ticks { get; }": (time: DateTime) => time.ticks,
  "DateTimeKind Kind { get; }": (time: DateTime) =>
    enumValue(typeNamed("System.DateTimeKind").definition, time.kind),
  "DateTime Date { get; }": (time: DateTime) =>
    new DateTime(time.ticks - (time.ticks % TICKS_PER_DAY), time.kind),
  "TimeSpan TimeOfDay { get; }": (time: DateTime) => new TimeSpan(time.ticks % TICKS_PER_DAY),
  "DateTime Add(TimeSpan value)": add,
  "DateTime AddDays(double value)": adder(TICKS_PER_DAY),
  "DateTime AddHours(double value)": adder(TICKS_PER_HOUR),
  "DateTime AddMinutes(double value)": adder(TICKS_PER_MINUTE),
  "DateTime AddSeconds(double value)": adder(TICKS_PER_SECOND),
  "DateTime AddMilliseconds(double value)": adder(TICKS_PER_MS),
  "DateTime AddTicks(long value)": (time: DateTime, ticks: bigint) => plus(time, ticks),
  "DateTime AddMonths(int months)": (time: DateTime, months: number) =>
    new DateTime(ticksPlusMonths(time.ticks, months), time.kind),
  "DateTime AddYears(int value)": (time: DateTime, years: number) =>
    new DateTime(ticksPlusYears(time.ticks, years), time.kind),
  "TimeSpan Subtract(DateTime value)": subtract,
  "DateTime Subtract(TimeSpan value)": subtractSpan,
  "bool IsDaylightSavingTime()": isDaylight,
  "DateTime ToLocalTime()": toLocal,
  "DateTime ToUniversalTime()": toUniversal,
  "string ToString()": (time: DateTime) => dateTimeText(time, null),
  "string ToString(string format)": dateTimeText,
  "bool Equals(DateTime value)": (a: DateTime, b: DateTime) => a.ticks === b.ticks,
  "bool Equals(object value)": (a: DateTime, b: unknown) => a.netEquals(b),
  "int GetHashCode()": (time: DateTime) => time.netHashCode(),
  "int CompareTo(DateTime value)": compare,
  "int CompareTo(object value)": (a: DateTime, b: unknown) => (b === null ? 1 : a.netCompareTo(b)),
  "static DateTime operator +(DateTime d, TimeSpan t)": add,
  "static DateTime operator -(DateTime d, TimeSpan t)": subtractSpan,
  "static TimeSpan operator -(DateTime d1, DateTime d2)": subtract,
  "static bool operator ==(DateTime d1, DateTime d2)": (a: DateTime, b: DateTime) => a.ticks === b.ticks,
  "static bool operator !=(DateTime d1, DateTime d2)": (a: DateTime, b: DateTime) => a.ticks !== b.ticks,
  "static bool operator <(DateTime t1, DateTime t2)": (a: DateTime, b: DateTime) => a.ticks < b.ticks,
  "static bool operator >(DateTime t1, DateTime t2)": (a: DateTime, b: DateTime) => a.ticks > b.ticks,
  "static bool operator <=(DateTime t1, DateTime t2)": (a: DateTime, b: DateTime) => a.ticks <= b.ticks,
  "static bool operator >=(DateTime t1, DateTime t2)": (a: DateTime, b: DateTime) => a.ticks >= b.ticks,
};

function checkYear(year: number): void {
  if (year < 1 || year > 9999) throw argumentOutOfRange("year", "Year must be between 1 and 9999.");
}

/** The DayOfWeek of a clock time. */
export function weekdayOf(ticks: bigint): EnumValue {
  return enumValue(typeNamed("System.DayOfWeek").definition, Number((ticks / TICKS_PER_DAY + 1n) % 7n));
}

defineType(
  "struct System.DateTime : IComparable, IFormattable, IComparable<DateTime>, IEquatable<DateTime>",
  members,
  { defaultValue: MIN },
);
