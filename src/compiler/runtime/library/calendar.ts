/** The proleptic Gregorian calendar in ticks: 100 ns units since 0001-01-01. */

export const TICKS_PER_MS = 10_000n;
export const TICKS_PER_SECOND = 10_000_000n;
export const TICKS_PER_MINUTE = 600_000_000n;
export const TICKS_PER_HOUR = 36_000_000_000n;
export const TICKS_PER_DAY = 864_000_000_000n;
export const MAX_TICKS = 3_155_378_975_999_999_999n;
/** 1970-01-01. */
export const UNIX_EPOCH_TICKS = 621_355_968_000_000_000n;

/** A point on the calendar; `fraction` in ticks, 0–9,999,999. */
export interface CalendarFields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly fraction: number;
  /** 0 = Sunday. */
  readonly weekday: number;
  /** From 1. */
  readonly dayOfYear: number;
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : MONTH_DAYS[month - 1]!;
}

/** Days from 0001-01-01; no checks. */
export function daysOf(year: number, month: number, day: number): number {
  const before = year - 1;
  let days = before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  for (let m = 1; m < month; m++) days += daysInMonth(year, m);
  return days + day - 1;
}

/** Year, month and day of a day number. */
export function dateOf(days: number): { year: number; month: number; day: number; dayOfYear: number } {
  let rest = days;
  const n400 = Math.floor(rest / 146097);
  rest -= n400 * 146097;
  const n100 = Math.min(Math.floor(rest / 36524), 3);
  rest -= n100 * 36524;
  const n4 = Math.floor(rest / 1461);
  rest -= n4 * 1461;
  const n1 = Math.min(Math.floor(rest / 365), 3);
  rest -= n1 * 365;
  const year = n400 * 400 + n100 * 100 + n4 * 4 + n1 + 1;
  const dayOfYear = rest + 1;
  let month = 1;
  while (rest >= daysInMonth(year, month)) rest -= daysInMonth(year, month++);
  return { year, month, day: rest + 1, dayOfYear };
}

export function fieldsOf(ticks: bigint): CalendarFields {
  const days = Number(ticks / TICKS_PER_DAY);
  let rest = Number(ticks % TICKS_PER_DAY);
  const fraction = rest % 10_000_000;
  rest = (rest - fraction) / 10_000_000;
  return {
    ...dateOf(days),
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    fraction,
    weekday: (days + 1) % 7,
  };
}

/** Ticks of a date and a time; null when there is no such moment. */
export function ticksOf(
  year: number,
  month: number,
  day: number,
  hour = 0,
  minute = 0,
  second = 0,
  fraction = 0,
): bigint | null {
  if (!(year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1)) return null;
  if (day > daysInMonth(year, month)) return null;
  if (!(hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60)) return null;
  const time = ((hour * 60 + minute) * 60 + second) * 10_000_000 + fraction;
  return BigInt(daysOf(year, month, day)) * TICKS_PER_DAY + BigInt(time);
}

/** Time of day in ticks, exact as a number. */
export function timeOfDay(ticks: bigint): number {
  return Number(ticks % TICKS_PER_DAY);
}

/** Ticks of a moment in ms since the Unix epoch; a fraction of a ms is kept. */
export function ticksOfUnixMs(ms: number): bigint {
  const whole = Math.floor(ms);
  return UNIX_EPOCH_TICKS + BigInt(whole) * TICKS_PER_MS + BigInt(Math.floor((ms - whole) * 10_000));
}

/** Ms since the Unix epoch, rounded down. */
export function unixMsOfTicks(ticks: bigint): number {
  const distance = ticks - UNIX_EPOCH_TICKS;
  const ms = distance / TICKS_PER_MS;
  return Number(distance < 0n && distance % TICKS_PER_MS !== 0n ? ms - 1n : ms);
}
