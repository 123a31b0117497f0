/** System.TimeSpan: a signed number of ticks (100 ns). */
import { spendUnits } from "../budget.ts";
import { type Members, defineType } from "../define.ts";
import { type NetException, argumentError, argumentNull, formatError, overflow } from "../errors.ts";
import type { Type } from "../type.ts";
import { type NetObject, type OutCell, TYPE, hashOf, typeNamed } from "../values.ts";
import {
  TICKS_PER_DAY,
  TICKS_PER_HOUR,
  TICKS_PER_MINUTE,
  TICKS_PER_MS,
  TICKS_PER_SECOND,
} from "./calendar.ts";

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);
const LIMIT = 2 ** 63;

export class TimeSpan implements NetObject {
  readonly ticks: bigint;

  constructor(ticks: bigint) {
    this.ticks = ticks;
  }
  get [TYPE](): Type {
    return typeNamed("System.TimeSpan");
  }
  netToString(): string {
    return timeSpanText(this);
  }
  netEquals(other: unknown): boolean {
    return other instanceof TimeSpan && other.ticks === this.ticks;
  }
  netHashCode(): number {
    return hashOf(this.ticks);
  }
  netCompareTo(other: unknown): number {
    if (!(other instanceof TimeSpan)) throw argumentError("Object must be of type TimeSpan.");
    return compare(this, other);
  }
  netFormat(format: string): string {
    return timeSpanText(this, format);
  }
}

const ZERO = new TimeSpan(0n);
const tooLong = (): NetException => overflow("TimeSpan overflowed because the duration is too long.");

/** @throws OverflowException */
export function timeSpan(ticks: bigint): TimeSpan {
  if (ticks > MAX || ticks < MIN) throw tooLong();
  return new TimeSpan(ticks);
}

function fromParts(
  days: number,
  hours: number,
  minutes: number,
  seconds: number,
  milliseconds: number,
): TimeSpan {
  const ms = ((BigInt(days) * 24n + BigInt(hours)) * 60n + BigInt(minutes)) * 60n + BigInt(seconds);
  const ticks = (ms * 1000n + BigInt(milliseconds)) * TICKS_PER_MS;
  if (ticks > MAX || ticks < MIN) {
    throw overflow("TimeSpan overflowed because the duration is too long.");
  }
  return new TimeSpan(ticks);
}

/** `FromX(double)`: keeps ticks, cuts what is finer. */
function from(value: number, unit: bigint): TimeSpan {
  if (Number.isNaN(value))
    throw argumentError("TimeSpan does not accept floating point Not-a-Number values.");
  const ticks = value * Number(unit);
  if (!(Math.abs(ticks) <= LIMIT)) throw tooLong();
  const whole = BigInt(Math.trunc(ticks));
  return new TimeSpan(whole > MAX ? MAX : whole);
}

function compare(a: TimeSpan, b: TimeSpan): number {
  return a.ticks < b.ticks ? -1 : a.ticks > b.ticks ? 1 : 0;
}

const part = (unit: bigint, modulus: bigint) => (span: TimeSpan) => Number((span.ticks / unit) % modulus);

/** Total in a unit: .NET divides the ticks as doubles. */
const total = (unit: bigint) => (span: TimeSpan) => Number(span.ticks) / Number(unit);

// ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const two = (value: number | bigint): string => String(value).padStart(2, "0");

/** Formats `c` (default), `g`, `G` and custom ones. */
export function timeSpanText(span: TimeSpan, format: string | null = null): string {
  const negative = span.ticks < 0n;
  const ticks = negative ? -span.ticks : span.ticks;
  const days = ticks / TICKS_PER_DAY;
  const hours = (ticks / TICKS_PER_HOUR) % 24n;
  const minutes = two((ticks / TICKS_PER_MINUTE) % 60n);
  const seconds = two((ticks / TICKS_PER_SECOND) % 60n);
  const fraction = String(ticks % TICKS_PER_SECOND).padStart(7, "0");
  const sign = negative ? "-" : "";
  switch (format) {
    case null:
    case "":
    case "c":
    case "t":
    case "T": {
      const head = days === 0n ? "" : `${days}.`;
      return `${sign}${head}${two(hours)}:${minutes}:${seconds}${fraction === "0000000" ? "" : `.${fraction}`}`;
    }
    case "g": {
      const tail = fraction.replace(/0+$/, "");
      return `${sign}${days === 0n ? "" : `${days}:`}${hours}:${minutes}:${seconds}${tail === "" ? "" : `.${tail}`}`;
    }
    case "G":
      return `${sign}${days}:${two(hours)}:${minutes}:${seconds}.${fraction}`;
    default:
      if (format.length === 1) throw formatError();
      return custom(format, { days, hours: Number(hours), minutes, seconds, fraction });
  }
}

interface Shown {
  readonly days: bigint;
  readonly hours: number;
  readonly minutes: string;
  readonly seconds: string;
  readonly fraction: string;
}

/** How many times a letter may be repeated. */
const LONGEST: Readonly<Record<string, number>> = { d: 8, h: 2, m: 2, s: 2, f: 7, F: 7 };

function custom(format: string, shown: Shown): string {
  spendUnits(format.length);
  let text = "";
  for (let at = 0; at < format.length;) {
    const c = format[at]!;
    if (c === "\\") {
      if (at + 1 >= format.length) throw formatError();
      text += format[at + 1]!;
      at += 2;
    } else if (c === "'" || c === '"') {
      const end = format.indexOf(c, at + 1);
      if (end < 0) throw formatError(`Cannot find a matching quote character for the character '${c}'.`);
      text += format.slice(at + 1, end);
      at = end + 1;
    } else if (c === "%") {
      if (format[at + 1] === undefined || format[at + 1] === "%") throw formatError();
      at++;
    } else {
      const longest = LONGEST[c];
      let count = 1;
      while (format[at + count] === c) count++;
      if (longest === undefined || count > longest) throw formatError();
      text += field(c, count, shown);
      at += count;
    }
  }
  return text;
}

function field(letter: string, count: number, { days, hours, minutes, seconds, fraction }: Shown): string {
  switch (letter) {
    case "d":
      return String(days).padStart(count, "0");
    case "h":
      return String(hours).padStart(count, "0");
    case "m":
      return count === 1 ? String(Number(minutes)) : minutes;
    case "s":
      return count === 1 ? String(Number(seconds)) : seconds;
    case "f":
      return fraction.slice(0, count);
    default:
      return fraction.slice(0, count).replace(/0+$/, "");
  }
}

const TEXT =
  /^\s*(-)?(?:(\d{1,8})|(?:(\d{1,8})[.:])??(\d{1,8}):(\d{1,8})(?::(\d{1,8})(?:\.(\d{1,7}))?)?)\s*$/;

/** `[-]{d | [d.]hh:mm[:ss[.ff]]}`, also with `d:`; a failure as .NET names it. */
export function readTimeSpan(text: string): TimeSpan | "format" | "range" {
  if (text.length > 200) return "format";
  const match = TEXT.exec(text);
  if (match === null) return "format";
  const dotted = /^\s*-?\d+\./.test(text);
  const number = (i: number): number => Number(match[i] ?? 0);
  let days = number(2) + number(3);
  let hours = number(4);
  let minutes = number(5);
  let seconds = number(6);
  const fraction = Number((match[7] ?? "").padEnd(7, "0"));
  if (match[3] !== undefined && !dotted && match[6] === undefined) {
    // `a:b:c` is hh:mm:ss, unless a is no hour: then it is d:hh:mm.
    if (days <= 23) [days, hours, minutes, seconds] = [0, days, hours, minutes];
  } else if (match[3] === undefined && match[6] !== undefined && match[7] === undefined && hours > 23) {
    [days, hours, minutes, seconds] = [hours, minutes, seconds, 0];
  }
  if (days > 10675199 || hours > 23 || minutes > 59 || seconds > 59) return "range";
  const time =
    BigInt(((days * 24 + hours) * 60 + minutes) * 60 + seconds) * TICKS_PER_SECOND + BigInt(fraction);
  const ticks = match[1] === "-" ? -time : time;
  return ticks > MAX || ticks < MIN ? "range" : new TimeSpan(ticks);
}

function parse(text: string | null): TimeSpan {
  if (text === null) throw argumentNull("s");
  const span = readTimeSpan(text);
  if (span === "format") throw formatError("String was not recognized as a valid TimeSpan.");
  if (span === "range") {
    throw overflow(
      "The TimeSpan could not be parsed because at least one of the numeric components is out of range or contains too many digits.",
    );
  }
  return span;
}

function divide(span: TimeSpan, divisor: number): TimeSpan {
  if (Number.isNaN(divisor))
    throw argumentError("TimeSpan does not accept floating point Not-a-Number values.", "divisor");
  return scaled(Number(span.ticks) / divisor);
}

function multiply(span: TimeSpan, factor: number): TimeSpan {
  if (Number.isNaN(factor))
    throw argumentError("TimeSpan does not accept floating point Not-a-Number values.", "factor");
  return scaled(Number(span.ticks) * factor);
}

function scaled(ticks: number): TimeSpan {
  const rounded = Math.round(ticks);
  if (!(Math.abs(rounded) <= LIMIT)) throw tooLong();
  return timeSpan(BigInt(rounded));
}

const negate = (span: TimeSpan): TimeSpan => {
  if (span.ticks === MIN)
    throw overflow("Negating the minimum value of a twos complement number is invalid.");
  return new TimeSpan(-span.ticks);
};
const add = (a: TimeSpan, b: TimeSpan): TimeSpan => timeSpan(a.ticks + b.ticks);
const subtract = (a: TimeSpan, b: TimeSpan): TimeSpan => timeSpan(a.ticks - b.ticks);

const members: Members = {
  "const long TicksPerMillisecond": TICKS_PER_MS,
  "const long TicksPerSecond": TICKS_PER_SECOND,
  "const long TicksPerMinute": TICKS_PER_MINUTE,
  "const long TicksPerHour": TICKS_PER_HOUR,
  "const long TicksPerDay": TICKS_PER_DAY,
  "static TimeSpan Zero { get; }": () => ZERO,
  "static TimeSpan MaxValue { get; }": () => LONGEST_SPAN,
  "static TimeSpan MinValue { get; }": () => SHORTEST_SPAN,
  "TimeSpan(long ticks)": (ticks: bigint) => new TimeSpan(ticks),
  "TimeSpan(int hours, int minutes, int seconds)": (h: number, m: number, s: number) =>
    fromParts(0, h, m, s, 0),
  "TimeSpan(int days, int hours, int minutes, int seconds)": (d: number, h: number, m: number, s: number) =>
    fromParts(d, h, m, s, 0),
  "TimeSpan(int days, int hours, int minutes, int seconds, int milliseconds)": fromParts,
  "static TimeSpan FromDays(double value)": (value: number) => from(value, TICKS_PER_DAY),
  "static TimeSpan FromHours(double value)": (value: number) => from(value, TICKS_PER_HOUR),
  "static TimeSpan FromMinutes(double value)": (value: number) => from(value, TICKS_PER_MINUTE),
  "static TimeSpan FromSeconds(double value)": (value: number) => from(value, TICKS_PER_SECOND),
  "static TimeSpan FromMilliseconds(double value)": (value: number) => from(value, TICKS_PER_MS),
  "static TimeSpan FromMicroseconds(double value)": (value: number) => from(value, 10n),
  "static TimeSpan FromTicks(long value)": (ticks: bigint) => new TimeSpan(ticks),
  "static TimeSpan Parse(string s)": parse,
  "static bool TryParse(string s, out TimeSpan result)": (text: string | null, result: OutCell) => {
    const span = text === null ? "format" : readTimeSpan(text);
    result.value = span instanceof TimeSpan ? span : ZERO;
    return span instanceof TimeSpan;
  },
  "static int Compare(TimeSpan t1, TimeSpan t2)": compare,
  "static bool Equals(TimeSpan t1, TimeSpan t2)": (a: TimeSpan, b: TimeSpan) => a.ticks === b.ticks,
  "int Days { get; }": (span: TimeSpan) => Number(span.ticks / TICKS_PER_DAY),
  "int Hours { get; }": part(TICKS_PER_HOUR, 24n),
  "int Minutes { get; }": part(TICKS_PER_MINUTE, 60n),
  "int Seconds { get; }": part(TICKS_PER_SECOND, 60n),
  "int Milliseconds { get; }": part(TICKS_PER_MS, 1000n),
  "long Ticks { get; }": (span: TimeSpan) => span.ticks,
  "double TotalDays { get; }": total(TICKS_PER_DAY),
  "double TotalHours { get; }": total(TICKS_PER_HOUR),
  "double TotalMinutes { get; }": total(TICKS_PER_MINUTE),
  "double TotalSeconds { get; }": total(TICKS_PER_SECOND),
  "double TotalMilliseconds { get; }": total(TICKS_PER_MS),
  "TimeSpan Add(TimeSpan ts)": add,
  "TimeSpan Subtract(TimeSpan ts)": subtract,
  "TimeSpan Multiply(double factor)": multiply,
  "TimeSpan Divide(double divisor)": divide,
  "double Divide(TimeSpan ts)": (a: TimeSpan, b: TimeSpan) => Number(a.ticks) / Number(b.ticks),
  "TimeSpan Negate()": negate,
  "TimeSpan Duration()": (span: TimeSpan) => {
    if (span.ticks === MIN)
      throw overflow(
        "The duration cannot be returned for TimeSpan.MinValue because the absolute value of TimeSpan.MinValue exceeds the value of TimeSpan.MaxValue.",
      );
    return span.ticks < 0n ? new TimeSpan(-span.ticks) : span;
  },
  "string ToString()": (span: TimeSpan) => timeSpanText(span),
  "string ToString(string format)": timeSpanText,
  "bool Equals(TimeSpan obj)": (a: TimeSpan, b: TimeSpan) => a.ticks === b.ticks,
  "bool Equals(object value)": (a: TimeSpan, b: unknown) => a.netEquals(b),
  "int GetHashCode()": (span: TimeSpan) => span.netHashCode(),
  "int CompareTo(TimeSpan value)": compare,
  "int CompareTo(object value)": (a: TimeSpan, b: unknown) => (b === null ? 1 : a.netCompareTo(b)),
  "static TimeSpan operator +(TimeSpan t)": (span: TimeSpan) => span,
  "static TimeSpan operator -(TimeSpan t)": negate,
  "static TimeSpan operator +(TimeSpan t1, TimeSpan t2)": add,
  "static TimeSpan operator -(TimeSpan t1, TimeSpan t2)": subtract,
  "static TimeSpan operator *(TimeSpan timeSpan, double factor)": multiply,
  "static TimeSpan operator *(double factor, TimeSpan timeSpan)": (factor: number, span: TimeSpan) =>
    multiply(span, factor),
  "static TimeSpan operator /(TimeSpan timeSpan, double divisor)": divide,
  "static double operator /(TimeSpan t1, TimeSpan t2)": (a: TimeSpan, b: TimeSpan) =>
    Number(a.ticks) / Number(b.ticks),
  "static bool operator ==(TimeSpan t1, TimeSpan t2)": (a: TimeSpan, b: TimeSpan) => a.ticks === b.ticks,
  "static bool operator !=(TimeSpan t1, TimeSpan t2)": (a: TimeSpan, b: TimeSpan) => a.ticks !== b.ticks,
  "static bool operator <(TimeSpan t1, TimeSpan t2)": (a: TimeSpan, b: TimeSpan) => a.ticks < b.ticks,
  "static bool operator >(TimeSpan t1, TimeSpan t2)": (a: TimeSpan, b: TimeSpan) => a.ticks > b.ticks,
  "static bool operator <=(TimeSpan t1, TimeSpan t2)": (a: TimeSpan, b: TimeSpan) => a.ticks <= b.ticks,
  "static bool operator >=(TimeSpan t1, TimeSpan t2)": (a: TimeSpan, b: TimeSpan) => a.ticks >= b.ticks,
};

const LONGEST_SPAN = new TimeSpan(MAX);
const SHORTEST_SPAN = new TimeSpan(MIN);

defineType(
  "struct System.TimeSpan : IComparable, IFormattable, IComparable<TimeSpan>, IEquatable<TimeSpan>",
  members,
  { defaultValue: ZERO },
);
