/** System.DateTimeOffset: a clock time and its distance from UTC. Equality and order are those of the instant. */
import { type Members, defineType } from "../define.ts";
import { argumentError, argumentNull, argumentOutOfRange, formatError } from "../errors.ts";
import { environment } from "../environment.ts";
import type { Type } from "../type.ts";
import { type NetArray, type NetObject, type OutCell, TYPE, hashOf, typeNamed } from "../values.ts";
import {
  MAX_TICKS,
  TICKS_PER_DAY,
  TICKS_PER_HOUR,
  TICKS_PER_MINUTE,
  TICKS_PER_MS,
  TICKS_PER_SECOND,
  UNIX_EPOCH_TICKS,
  fieldsOf,
  ticksOfUnixMs,
} from "./calendar.ts";
import {
  DateTime,
  LOCAL,
  NOT_A_DATE,
  UNSPECIFIED,
  UTC,
  readByFormats,
  ticksOfParts,
  checkTicks,
  ticksOfUnits,
  ticksPlusMonths,
  ticksPlusYears,
  weekdayOf,
} from "./datetime.ts";
import { formatMoment } from "./datetime-format.ts";
import { type ReadMoment, readMoment } from "./datetime-parse.ts";
import { TimeSpan, timeSpan } from "./timespan.ts";
import { localOffsetAtUtc, localOffsetOfClock } from "./zone.ts";

export class DateTimeOffset implements NetObject {
  /** Clock time. */
  readonly ticks: bigint;
  /** Minutes. */
  readonly offset: number;

  constructor(ticks: bigint, offset: number) {
    this.ticks = ticks;
    this.offset = offset;
  }
  get [TYPE](): Type {
    return typeNamed("System.DateTimeOffset");
  }
  get utcTicks(): bigint {
    return this.ticks - BigInt(this.offset) * TICKS_PER_MINUTE;
  }
  netToString(): string {
    return text(this, null);
  }
  netEquals(other: unknown): boolean {
    return other instanceof DateTimeOffset && other.utcTicks === this.utcTicks;
  }
  netHashCode(): number {
    return hashOf(this.utcTicks);
  }
  netCompareTo(other: unknown): number {
    if (!(other instanceof DateTimeOffset)) throw argumentError("Object must be of type DateTimeOffset.");
    return compare(this, other);
  }
  netFormat(format: string): string {
    return text(this, format);
  }
}

const MIN = new DateTimeOffset(0n, 0);
const MAX = new DateTimeOffset(MAX_TICKS, 0);
const EPOCH = new DateTimeOffset(UNIX_EPOCH_TICKS, 0);

function text(moment: DateTimeOffset, format: string | null): string {
  return formatMoment(
    { ticks: moment.ticks, offset: () => moment.offset, zone: "offset", hasOffset: true },
    format,
  );
}

function offsetMinutes(span: TimeSpan): number {
  if (span.ticks % TICKS_PER_MINUTE !== 0n) {
    throw argumentError("Offset must be specified in whole minutes.", "offset");
  }
  const minutes = Number(span.ticks / TICKS_PER_MINUTE);
  if (minutes < -840 || minutes > 840) {
    throw argumentOutOfRange("offset", "Offset must be within plus or minus 14 hours.");
  }
  return minutes;
}

/** @throws ArgumentOutOfRangeException when the instant leaves the calendar */
function checked(ticks: bigint, offset: number): DateTimeOffset {
  const utc = ticks - BigInt(offset) * TICKS_PER_MINUTE;
  if (utc < 0n || utc > MAX_TICKS) {
    throw argumentOutOfRange(
      "offset",
      "The UTC time represented when the offset is applied must be between year 0 and 10,000.",
    );
  }
  return new DateTimeOffset(ticks, offset);
}

/** Kind Utc: offset 0; else the local zone's. */
export function offsetFromDateTime(time: DateTime): DateTimeOffset {
  if (time.kind === UTC) return new DateTimeOffset(time.ticks, 0);
  return checked(time.ticks, localOffsetOfClock(time.ticks));
}

function withOffset(time: DateTime, span: TimeSpan): DateTimeOffset {
  const offset = offsetMinutes(span);
  if (time.kind === UTC && offset !== 0) {
    throw argumentError("The UTC Offset for Utc DateTime instances must be 0.", "offset");
  }
  if (time.kind === LOCAL && offset !== localOffsetOfClock(time.ticks)) {
    throw argumentError(
      "The UTC Offset of the local dateTime parameter does not match the offset argument.",
      "offset",
    );
  }
  return checked(time.ticks, offset);
}

function plus(moment: DateTimeOffset, ticks: bigint): DateTimeOffset {
  const sum = moment.ticks + ticks;
  const utc = moment.utcTicks + ticks;
  if (sum < 0n || sum > MAX_TICKS || utc < 0n || utc > MAX_TICKS) {
    throw argumentOutOfRange(
      "value",
      "The added or subtracted value results in an un-representable DateTime.",
    );
  }
  return new DateTimeOffset(sum, moment.offset);
}

const adder = (unit: bigint) => (moment: DateTimeOffset, value: number) =>
  plus(moment, ticksOfUnits(value, unit));

/** The same instant on another clock. */
export function atOffset(moment: DateTimeOffset, offset: number): DateTimeOffset {
  const ticks = moment.utcTicks + BigInt(offset) * TICKS_PER_MINUTE;
  if (ticks < 0n || ticks > MAX_TICKS) {
    throw argumentOutOfRange(
      "offset",
      "The UTC time represented when the offset is applied must be between year 0 and 10,000.",
    );
  }
  return new DateTimeOffset(ticks, offset);
}

const toUniversal = (moment: DateTimeOffset): DateTimeOffset => new DateTimeOffset(moment.utcTicks, 0);
const toLocal = (moment: DateTimeOffset): DateTimeOffset =>
  atOffset(moment, localOffsetAtUtc(moment.utcTicks));

function utcNow(): DateTimeOffset {
  return new DateTimeOffset(ticksOfUnixMs(environment().now()), 0);
}

function compare(a: DateTimeOffset, b: DateTimeOffset): number {
  const x = a.utcTicks;
  const y = b.utcTicks;
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Division that rounds down, unlike bigint's. */
function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value < 0n && value % divisor !== 0n ? quotient - 1n : quotient;
}

const MIN_SECONDS = -62_135_596_800n;
const MAX_SECONDS = 253_402_300_799n;

function fromUnix(value: bigint, min: bigint, max: bigint, unit: bigint, parameter: string): DateTimeOffset {
  if (value < min || value > max) {
    throw argumentOutOfRange(parameter, `Valid values are between ${min} and ${max}, inclusive.`);
  }
  return new DateTimeOffset(UNIX_EPOCH_TICKS + value * unit, 0);
}

/** What was read; without an offset it is local time. null when the instant leaves the calendar. */
function offsetOf(moment: ReadMoment | null): DateTimeOffset | null {
  if (moment === null) return null;
  const offset = moment.offset ?? localOffsetOfClock(moment.ticks);
  const utc = moment.ticks - BigInt(offset) * TICKS_PER_MINUTE;
  return utc < 0n || utc > MAX_TICKS ? null : new DateTimeOffset(moment.ticks, offset);
}

function parse(source: string | null): DateTimeOffset {
  if (source === null) throw argumentNull("input");
  const moment = offsetOf(readMoment(source));
  if (moment === null) throw formatError(NOT_A_DATE);
  return moment;
}

/** The formats R and u name UTC without an offset in their fields. */
function readExact(source: string | null, formats: NetArray | string | null): DateTimeOffset | null {
  const moment = readByFormats(source, formats);
  const utc = typeof formats === "string" && /^[rRu]$/.test(formats);
  return offsetOf(moment !== null && utc ? { ticks: moment.ticks, offset: 0 } : moment);
}

function parseExact(source: string | null, formats: NetArray | string | null): DateTimeOffset {
  const moment = readExact(source, formats);
  if (moment === null) throw formatError(NOT_A_DATE);
  return moment;
}

const field =
  (name: "year" | "month" | "day" | "hour" | "minute" | "second" | "dayOfYear") => (moment: DateTimeOffset) =>
    fieldsOf(moment.ticks)[name];
const subtract = (a: DateTimeOffset, b: DateTimeOffset): TimeSpan => timeSpan(a.utcTicks - b.utcTicks);
const subtractSpan = (a: DateTimeOffset, b: TimeSpan): DateTimeOffset => plus(a, -b.ticks);
const add = (a: DateTimeOffset, b: TimeSpan): DateTimeOffset => plus(a, b.ticks);

const members: Members = {
  "static DateTimeOffset MinValue { get; }": () => MIN,
  "static DateTimeOffset MaxValue { get; }": () => MAX,
  "static DateTimeOffset UnixEpoch { get; }": () => EPOCH,
  "static DateTimeOffset UtcNow { get; }": utcNow,
  "static DateTimeOffset Now { get; }": () => toLocal(utcNow()),
  "DateTimeOffset(DateTime dateTime)": offsetFromDateTime,
  "DateTimeOffset(DateTime dateTime, TimeSpan offset)": withOffset,
  "DateTimeOffset(long ticks, TimeSpan offset)": (ticks: bigint, offset: TimeSpan) =>
    checked(checkTicks(ticks), offsetMinutes(offset)),
  "DateTimeOffset(int year, int month, int day, int hour, int minute, int second, TimeSpan offset)": (
    y: number,
    mo: number,
    d: number,
    h: number,
    mi: number,
    s: number,
    offset: TimeSpan,
  ) => checked(ticksOfParts(y, mo, d, h, mi, s), offsetMinutes(offset)),
  "DateTimeOffset(int year, int month, int day, int hour, int minute, int second, int millisecond, TimeSpan offset)":
    (y: number, mo: number, d: number, h: number, mi: number, s: number, ms: number, offset: TimeSpan) =>
      checked(ticksOfParts(y, mo, d, h, mi, s, ms), offsetMinutes(offset)),
  "static implicit operator DateTimeOffset(DateTime dateTime)": offsetFromDateTime,
  "static DateTimeOffset FromUnixTimeSeconds(long seconds)": (seconds: bigint) =>
    fromUnix(seconds, MIN_SECONDS, MAX_SECONDS, TICKS_PER_SECOND, "seconds"),
  "static DateTimeOffset FromUnixTimeMilliseconds(long milliseconds)": (ms: bigint) =>
    fromUnix(ms, MIN_SECONDS * 1000n, MAX_SECONDS * 1000n + 999n, TICKS_PER_MS, "milliseconds"),
  "static DateTimeOffset Parse(string input)": parse,
  "static DateTimeOffset Parse(string input, IFormatProvider formatProvider)": (source: string | null) =>
    parse(source),
  "static bool TryParse(string input, out DateTimeOffset result)": (
    source: string | null,
    result: OutCell,
  ) => {
    const moment = source === null ? null : offsetOf(readMoment(source));
    result.value = moment ?? MIN;
    return moment !== null;
  },
  "static DateTimeOffset ParseExact(string input, string format, IFormatProvider formatProvider)": parseExact,
  "static int Compare(DateTimeOffset first, DateTimeOffset second)": compare,
  "static bool Equals(DateTimeOffset first, DateTimeOffset second)": (a: DateTimeOffset, b: DateTimeOffset) =>
    compare(a, b) === 0,
  "int Year { get; }": field("year"),
  "int Month { get; }": field("month"),
  "int Day { get; }": field("day"),
  "int Hour { get; }": field("hour"),
  "int Minute { get; }": field("minute"),
  "int Second { get; }": field("second"),
  "int DayOfYear { get; }": field("dayOfYear"),
  "int Millisecond { get; }": (moment: DateTimeOffset) => Number((moment.ticks / TICKS_PER_MS) % 1000n),
  "DayOfWeek DayOfWeek { get; }": (moment: DateTimeOffset) => weekdayOf(moment.ticks),
  "long Ticks { get; }": (moment: DateTimeOffset) => moment.ticks,
  "long UtcTicks { get; }": (moment: DateTimeOffset) => moment.utcTicks,
  "TimeSpan Offset { get; }": (moment: DateTimeOffset) =>
    new TimeSpan(BigInt(moment.offset) * TICKS_PER_MINUTE),
  "TimeSpan TimeOfDay { get; }": (moment: DateTimeOffset) => new TimeSpan(moment.ticks % TICKS_PER_DAY),
  "DateTime Date { get; }": (moment: DateTimeOffset) =>
    new DateTime(moment.ticks - (moment.ticks % TICKS_PER_DAY), UNSPECIFIED),
  "DateTime DateTime { get; }": (moment: DateTimeOffset) => new DateTime(moment.ticks, UNSPECIFIED),
  "DateTime UtcDateTime { get; }": (moment: DateTimeOffset) => new DateTime(moment.utcTicks, UTC),
  "DateTime LocalDateTime { get; }": (moment: DateTimeOffset) => new DateTime(toLocal(moment).ticks, LOCAL),
  "DateTimeOffset Add(TimeSpan timeSpan)": add,
  "DateTimeOffset AddDays(double days)": adder(TICKS_PER_DAY),
  "DateTimeOffset AddHours(double hours)": adder(TICKS_PER_HOUR),
  "DateTimeOffset AddMinutes(double minutes)": adder(TICKS_PER_MINUTE),
  "DateTimeOffset AddSeconds(double seconds)": adder(TICKS_PER_SECOND),
  "DateTimeOffset AddMilliseconds(double milliseconds)": adder(TICKS_PER_MS),
  "DateTimeOffset AddTicks(long ticks)": plus,
  "DateTimeOffset AddMonths(int months)": (moment: DateTimeOffset, months: number) =>
    checked(ticksPlusMonths(moment.ticks, months), moment.offset),
  "DateTimeOffset AddYears(int years)": (moment: DateTimeOffset, years: number) =>
    checked(ticksPlusYears(moment.ticks, years), moment.offset),
  "TimeSpan Subtract(DateTimeOffset value)": subtract,
  "DateTimeOffset Subtract(TimeSpan value)": subtractSpan,
  "DateTimeOffset ToOffset(TimeSpan offset)": (moment: DateTimeOffset, offset: TimeSpan) =>
    atOffset(moment, offsetMinutes(offset)),
  "DateTimeOffset ToUniversalTime()": toUniversal,
  "DateTimeOffset ToLocalTime()": toLocal,
  "long ToUnixTimeSeconds()": (moment: DateTimeOffset) =>
    floorDivide(moment.utcTicks - UNIX_EPOCH_TICKS, TICKS_PER_SECOND),
  "long ToUnixTimeMilliseconds()": (moment: DateTimeOffset) =>
    floorDivide(moment.utcTicks - UNIX_EPOCH_TICKS, TICKS_PER_MS),
  "long ToFileTime()": (moment: DateTimeOffset) => moment.utcTicks - 504_911_232_000_000_000n,
  "string ToString()": (moment: DateTimeOffset) => text(moment, null),
  "string ToString(string format)": text,
  "bool Equals(DateTimeOffset other)": (a: DateTimeOffset, b: DateTimeOffset) => compare(a, b) === 0,
  "bool Equals(object obj)": (a: DateTimeOffset, b: unknown) => a.netEquals(b),
  "bool EqualsExact(DateTimeOffset other)": (a: DateTimeOffset, b: DateTimeOffset) =>
    a.ticks === b.ticks && a.offset === b.offset,
  "int GetHashCode()": (moment: DateTimeOffset) => moment.netHashCode(),
  "int CompareTo(DateTimeOffset other)": compare,
  "int CompareTo(object obj)": (a: DateTimeOffset, b: unknown) => (b === null ? 1 : a.netCompareTo(b)),
  "static DateTimeOffset operator +(DateTimeOffset dateTimeOffset, TimeSpan timeSpan)": add,
  "static DateTimeOffset operator -(DateTimeOffset dateTimeOffset, TimeSpan timeSpan)": subtractSpan,
  "static TimeSpan operator -(DateTimeOffset left, DateTimeOffset right)": subtract,
  "static bool operator ==(DateTimeOffset left, DateTimeOffset right)": (
    a: DateTimeOffset,
    b: DateTimeOffset,
  ) => compare(a, b) === 0,
  "static bool operator !=(DateTimeOffset left, DateTimeOffset right)": (
    a: DateTimeOffset,
    b: DateTimeOffset,
  ) => compare(a, b) !== 0,
  "static bool operator <(DateTimeOffset left, DateTimeOffset right)": (
    a: DateTimeOffset,
    b: DateTimeOffset,
  ) => compare(a, b) < 0,
  "static bool operator >(DateTimeOffset left, DateTimeOffset right)": (
    a: DateTimeOffset,
    b: DateTimeOffset,
  ) => compare(a, b) > 0,
  "static bool operator <=(DateTimeOffset left, DateTimeOffset right)": (
    a: DateTimeOffset,
    b: DateTimeOffset,
  ) => compare(a, b) <= 0,
  "static bool operator >=(DateTimeOffset left, DateTimeOffset right)": (
    a: DateTimeOffset,
    b: DateTimeOffset,
  ) => compare(a, b) >= 0,
};
defineType(
  "struct System.DateTimeOffset : IComparable, IFormattable, IComparable<DateTimeOffset>, IEquatable<DateTimeOffset>",
  members,
  { defaultValue: MIN },
);
