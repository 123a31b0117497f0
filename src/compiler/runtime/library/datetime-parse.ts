/**
 * Reading dates as `DateTime.Parse` does under the invariant culture: ISO 8601, month/day/year, month names, RFC 1123,
 * a time alone. `datetime-exact.ts` reads by a given format.
 */
import { environment } from "../environment.ts";
import { DAYS, MONTHS } from "./datetime-format.ts";
import { TICKS_PER_DAY, fieldsOf, ticksOf, ticksOfUnixMs } from "./calendar.ts";
import { localOffsetAtUtc } from "./zone.ts";

/** A clock time and, if the text gave one, its distance from UTC in minutes. */
export interface ReadMoment {
  readonly ticks: bigint;
  readonly offset: number | null;
}

const DATE =
  /(?:(\d{3,4})[-/. ](\d{1,2})(?:[-/. ](\d{1,2}))?|(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{2,4})|(\d{1,2})[-/](\d{1,2})(?![-/.\d]))/y;
const NAMED_DATE =
  /(?:(\d{1,2})[-/ ,]*([a-z]{3,9})\.?(?:[-/ ,]+(\d{2,4})(?![\d:]))?|([a-z]{3,9})\.?[-/ ,]+(\d{1,2})(?![\d:])(?:[-/ ,]+(\d{2,4})(?![\d:]))?|([a-z]{3,9})[-/ ,]+(\d{3,4}))/iy;
const TIME = /(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?)?(?:\s*(am?|pm?)(?![a-z]))?/iy;
const ZONE = /\s*(?:(z|gmt|utc)(?![a-z])|([+-])(\d{1,2})(?::?(\d{2}))?)/iy;
const WEEKDAY = /([a-z]{3,9})\.?,?\s*/iy;
const GAP = /(?:\s*,\s*|\s+|T)/iy;

/** Longer texts hold no date and are not looked at. */
const LONGEST = 200;

interface Cursor {
  readonly text: string;
  at: number;
}

function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text);
  if (match !== null) cursor.at = pattern.lastIndex;
  return match;
}

interface ReadDate {
  year: number;
  month: number;
  day: number;
}

interface ReadTime {
  hour: number;
  minute: number;
  second: number;
  fraction: number;
}

/** null when the text is no date. */
export function readMoment(source: string): ReadMoment | null {
  if (source.length > LONGEST) return null;
  const text = source.replace(/^[\s\0]+|[\s\0]+$/g, "");
  return readWith(text, true) ?? readWith(text, false);
}

function readWith(text: string, dateFirst: boolean): ReadMoment | null {
  const cursor = { text, at: 0 };
  const weekday = readWeekday(cursor);
  let date: ReadDate | null = null;
  let time: ReadTime | null = null;
  if (dateFirst) {
    date = readDate(cursor);
    if (date === null) return null;
    if (cursor.at < text.length) {
      const before = cursor.at;
      if (take(cursor, GAP) !== null) time = readTime(cursor);
      if (time === null) cursor.at = before;
    }
  } else {
    time = readTime(cursor);
    if (time === null) return null;
    const before = cursor.at;
    if (take(cursor, GAP) !== null) {
      readWeekday(cursor);
      date = readDate(cursor);
    }
    if (date === null) cursor.at = before;
  }
  const offset = readZone(cursor);
  if (offset === undefined || cursor.at < text.length) return null;
  const { year, month, day } = date ?? today();
  const { hour, minute, second, fraction } = time ?? { hour: 0, minute: 0, second: 0, fraction: 0 };
  const ticks = ticksOf(year, month, day, hour, minute, second, fraction);
  if (ticks === null) return null;
  if (weekday !== null && Number((ticks / TICKS_PER_DAY + 1n) % 7n) !== weekday) return null;
  return { ticks, offset };
}

function readWeekday(cursor: Cursor): number | null {
  const before = cursor.at;
  const word = take(cursor, WEEKDAY)?.[1]?.toLowerCase();
  if (word !== undefined) {
    const found = DAYS.findIndex(
      (day) => word === day.toLowerCase() || word === day.slice(0, 3).toLowerCase(),
    );
    if (found >= 0) return found;
  }
  cursor.at = before;
  return null;
}

function today(): ReadDate {
  const utc = ticksOfUnixMs(environment().now());
  return fieldsOf(utc + BigInt(localOffsetAtUtc(utc)) * 600_000_000n);
}

/** Two digits: 1950–2049. */
function fullYear(text: string): number {
  const year = Number(text);
  return text.length > 2 ? year : year < 50 ? 2000 + year : 1900 + year;
}

function monthNamed(name: string): number {
  const word = name.toLowerCase();
  return (
    MONTHS.findIndex((month) => word === month.toLowerCase() || word === month.slice(0, 3).toLowerCase()) + 1
  );
}

function readDate(cursor: Cursor): ReadDate | null {
  const before = cursor.at;
  const numeric = take(cursor, DATE);
  if (numeric !== null && cursor.text[cursor.at] !== ":") {
    const [, isoYear, isoMonth, isoDay, month, day, year, shortMonth, shortDay] = numeric;
    if (isoYear !== undefined)
      return { year: Number(isoYear), month: Number(isoMonth), day: Number(isoDay ?? 1) };
    if (year !== undefined) return { year: fullYear(year), month: Number(month), day: Number(day) };
    return { year: today().year, month: Number(shortMonth), day: Number(shortDay) };
  }
  cursor.at = before;
  const named = take(cursor, NAMED_DATE);
  if (named !== null) {
    const [, day1, name1, year1, name2, day2, year2, name3, year3] = named;
    const month = monthNamed(name1 ?? name2 ?? name3!);
    if (month > 0) {
      const year = year1 ?? year2 ?? year3;
      return {
        year: year === undefined ? today().year : fullYear(year),
        month,
        day: Number(day1 ?? day2 ?? 1),
      };
    }
  }
  cursor.at = before;
  return null;
}

function readTime(cursor: Cursor): ReadTime | null {
  const before = cursor.at;
  const match = take(cursor, TIME);
  const [, hours, minutes, seconds, digits, half] = match ?? [];
  if (match === null || (minutes === undefined && half === undefined)) {
    cursor.at = before;
    return null;
  }
  let hour = Number(hours);
  if (half !== undefined) {
    if (hour > 12) return { hour: NaN, minute: 0, second: 0, fraction: 0 };
    hour = (hour % 12) + (half.toLowerCase().startsWith("p") ? 12 : 0);
  }
  const fraction = digits === undefined ? 0 : Math.round(Number(`0.${digits}`) * 1e7);
  return { hour, minute: Number(minutes ?? 0), second: Number(seconds ?? 0), fraction };
}

/** null: none given; undefined: one that does not exist. */
function readZone(cursor: Cursor): number | null | undefined {
  const match = take(cursor, ZONE);
  if (match === null) return null;
  if (match[1] !== undefined) return 0;
  const minutes = Number(match[3]) * 60 + Number(match[4] ?? 0);
  if (Number(match[4] ?? 0) > 59 || minutes > 14 * 60) return undefined;
  return match[2] === "-" ? -minutes : minutes;
}
