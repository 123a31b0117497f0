import type { Period } from "./fixed-period.ts";

/** Lengths of periods that begin where the UTC calendar says, not at the first use (`ai-policies.md` §1.3). */
export type CalendarUnit = "hour" | "day" | "week" | "month" | "year";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** 1 January 1970. */
const THURSDAY = 4;

/** @param weekStart day on which weeks begin: 0 = Sunday, 1 = Monday, … */
export function calendarPeriodAt(unit: CalendarUnit, weekStart: number, now: number): Period {
  if (unit === "hour") return aligned(now, HOUR_MS);
  if (unit === "day") return aligned(now, DAY_MS);
  if (unit === "week") {
    const day = Math.floor(now / DAY_MS);
    const startMs = (day - ((((day + THURSDAY - weekStart) % 7) + 7) % 7)) * DAY_MS;
    return { startMs, endMs: startMs + 7 * DAY_MS };
  }
  const date = new Date(now);
  const year = date.getUTCFullYear();
  if (unit === "year") return { startMs: Date.UTC(year, 0), endMs: Date.UTC(year + 1, 0) };
  const month = date.getUTCMonth();
  return { startMs: Date.UTC(year, month), endMs: Date.UTC(year, month + 1) };
}

function aligned(now: number, lengthMs: number): Period {
  const startMs = Math.floor(now / lengthMs) * lengthMs;
  return { startMs, endMs: startMs + lengthMs };
}

/** Beginnings of the last, this and the next period and the end of that: for a store whose clock differs a little. */
export function boundariesAround(
  unit: CalendarUnit,
  weekStart: number,
  now: number,
): readonly [number, number, number, number] {
  const { startMs, endMs } = calendarPeriodAt(unit, weekStart, now);
  const last = calendarPeriodAt(unit, weekStart, startMs - 1).startMs;
  return [last, startMs, endMs, calendarPeriodAt(unit, weekStart, endMs).endMs];
}
