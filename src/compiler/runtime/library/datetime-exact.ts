/** `ParseExact`: reading a date by one standard or custom format. */
import { environment } from "../environment.ts";
import { DAYS, MONTHS } from "./datetime-format.ts";
import type { ReadMoment } from "./datetime-parse.ts";
import { TICKS_PER_DAY, fieldsOf, ticksOf, ticksOfUnixMs } from "./calendar.ts";

const STANDARD: Readonly<Record<string, string>> = {
  d: "MM/dd/yyyy",
  D: "dddd, dd MMMM yyyy",
  f: "dddd, dd MMMM yyyy HH:mm",
  F: "dddd, dd MMMM yyyy HH:mm:ss",
  g: "MM/dd/yyyy HH:mm",
  G: "MM/dd/yyyy HH:mm:ss",
  m: "MMMM dd",
  M: "MMMM dd",
  o: "yyyy-MM-ddTHH:mm:ss.fffffffK",
  O: "yyyy-MM-ddTHH:mm:ss.fffffffK",
  r: "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
  R: "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
  s: "yyyy-MM-ddTHH:mm:ss",
  t: "HH:mm",
  T: "HH:mm:ss",
  u: "yyyy-MM-dd HH:mm:ss'Z'",
  y: "yyyy MMMM",
  Y: "yyyy MMMM",
};

/** What has been read so far; -1 = not given. */
class Reading {
  readonly text: string;
  at = 0;
  year = -1;
  month = -1;
  day = -1;
  hour = -1;
  half = -1;
  minute = -1;
  second = -1;
  fraction = -1;
  weekday = -1;
  offset: number | null = null;

  constructor(text: string) {
    this.text = text;
  }

  /** A number of `least` to `most` digits, -1 when there is none. */
  digits(least: number, most: number): number {
    let end = this.at;
    while (end < this.text.length && end - this.at < most && /\d/.test(this.text[end]!)) end++;
    if (end - this.at < least) return -1;
    const value = Number(this.text.slice(this.at, end));
    this.at = end;
    return value;
  }

  /** Index of the name found here, -1 when there is none. */
  name(names: readonly string[], short: boolean): number {
    for (const [i, full] of names.entries()) {
      const name = short ? full.slice(0, 3) : full;
      if (this.text.slice(this.at, this.at + name.length).toLowerCase() === name.toLowerCase()) {
        this.at += name.length;
        return i;
      }
    }
    return -1;
  }

  literal(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }
}

/** @returns null when the text is not in this format, `"bad format"` when the format itself is wrong */
export function readExactly(text: string, format: string): ReadMoment | null | "bad format" {
  if (format === "") return "bad format";
  let pattern = format;
  if (format.length === 1) {
    const standard = STANDARD[format];
    if (standard === undefined) return "bad format";
    pattern = standard;
  }
  const reading = new Reading(text);
  for (let at = 0; at < pattern.length;) {
    const c = pattern[at]!;
    if (c === "'" || c === '"') {
      const end = pattern.indexOf(c, at + 1);
      if (end < 0) return "bad format";
      if (!reading.literal(pattern.slice(at + 1, end))) return null;
      at = end + 1;
    } else if (c === "\\") {
      if (at + 1 >= pattern.length) return "bad format";
      if (!reading.literal(pattern[at + 1]!)) return null;
      at += 2;
    } else if (c === "%") {
      at++;
    } else {
      let count = 1;
      while (pattern[at + count] === c) count++;
      if (!readField(reading, c, count, pattern, at)) return null;
      at += count;
    }
  }
  if (reading.at < text.length) return null;
  return finish(reading);
}

/** @returns whether the text goes on as the letter wants it */
function readField(reading: Reading, letter: string, count: number, pattern: string, at: number): boolean {
  switch (letter) {
    case "y":
      reading.year =
        count <= 2 ? century(reading.digits(count, 2)) : reading.digits(count, Math.max(count, 4));
      return reading.year >= 0;
    case "M":
      reading.month = count <= 2 ? reading.digits(count, 2) : reading.name(MONTHS, count === 3) + 1;
      return reading.month > 0;
    case "d":
      if (count > 2) return (reading.weekday = reading.name(DAYS, count === 3)) >= 0;
      return (reading.day = reading.digits(count, 2)) >= 0;
    case "H":
    case "h":
      reading.hour = reading.digits(Math.min(count, 2), 2);
      return reading.hour >= 0 && (letter === "H" || reading.hour <= 12);
    case "m":
      return (reading.minute = reading.digits(Math.min(count, 2), 2)) >= 0;
    case "s":
      return (reading.second = reading.digits(Math.min(count, 2), 2)) >= 0;
    case "f":
      return readFraction(reading, count, count);
    case "F":
      return readFraction(reading, 0, count);
    case ".":
      // Optional in front of an optional fraction.
      return reading.literal(".".repeat(count)) || pattern[at + count] === "F";
    case "t":
      reading.half = reading.name(count === 1 ? ["A", "P"] : ["AM", "PM"], false);
      return reading.half >= 0;
    case "z":
      return readOffset(reading, count === 1 ? 1 : 2, count > 2);
    case "K":
      if (reading.literal("Z") || reading.literal("z")) reading.offset = 0;
      else if (/[+-]/.test(reading.text[reading.at] ?? "")) return readOffset(reading, 2, true);
      return true;
    case " ":
      while (reading.text[reading.at] === " ") reading.at++;
      return true;
    default:
      return reading.literal(letter.repeat(count));
  }
}

function century(year: number): number {
  return year < 0 ? year : year < 50 ? 2000 + year : 1900 + year;
}

function readFraction(reading: Reading, least: number, most: number): boolean {
  if (most > 7) return false;
  const start = reading.at;
  if (reading.digits(least, most) < 0) return false;
  reading.fraction = Number(reading.text.slice(start, reading.at).padEnd(7, "0"));
  return true;
}

function readOffset(reading: Reading, hourDigits: number, minutes: boolean): boolean {
  const sign = reading.text[reading.at];
  if (sign !== "+" && sign !== "-") return false;
  reading.at++;
  const hours = reading.digits(hourDigits, 2);
  let rest = 0;
  if (minutes) {
    reading.literal(":");
    rest = reading.digits(2, 2);
  }
  if (hours < 0 || rest < 0 || rest > 59 || hours * 60 + rest > 840) return false;
  reading.offset = (hours * 60 + rest) * (sign === "-" ? -1 : 1);
  return true;
}

function finish(reading: Reading): ReadMoment | null {
  if (reading.half >= 0 && reading.hour >= 0) {
    if (reading.hour > 12) return null;
    reading.hour = (reading.hour % 12) + reading.half * 12;
  }
  const dated = reading.year >= 0 || reading.month >= 0 || reading.day >= 0;
  const now = fieldsOf(ticksOfUnixMs(environment().now()));
  const ticks = ticksOf(
    reading.year >= 0 ? reading.year : now.year,
    reading.month >= 0 ? reading.month : dated ? 1 : now.month,
    reading.day >= 0 ? reading.day : dated ? 1 : now.day,
    Math.max(reading.hour, 0),
    Math.max(reading.minute, 0),
    Math.max(reading.second, 0),
    Math.max(reading.fraction, 0),
  );
  if (ticks === null) return null;
  if (reading.weekday >= 0 && Number((ticks / TICKS_PER_DAY + 1n) % 7n) !== reading.weekday) return null;
  return { ticks, offset: reading.offset };
}
