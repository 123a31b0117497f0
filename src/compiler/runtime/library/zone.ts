/** Offsets of time zones, read from the platform's own tz data through Intl. */
import { environment } from "../environment.ts";
import { MAX_TICKS, TICKS_PER_MINUTE, fieldsOf, ticksOf, unixMsOfTicks } from "./calendar.ts";

/** One formatter per zone: making one costs a thousand times a use of it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/** @returns null when the platform does not know the zone */
function formatterOf(zone: string): Intl.DateTimeFormat | null {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    try {
      formatter = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
    } catch {
      return null;
    }
    formatters.set(zone, formatter);
  }
  return formatter;
}

/** The platform's spelling of an IANA id, null when it is none. */
export function canonicalZone(zone: string): string | null {
  return formatterOf(zone)?.resolvedOptions().timeZone ?? null;
}

/** Minutes from UTC at a moment (UTC ticks). */
export function offsetAtUtc(zone: string, utcTicks: bigint): number {
  if (zone === "UTC" || zone === "Etc/UTC") return 0;
  const parts = formatterOf(zone)!.formatToParts(unixMsOfTicks(utcTicks));
  const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "GMT";
  const match = /^GMT([+-])(\d+)(?::(\d+))?/.exec(name);
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return match[1] === "-" ? -minutes : minutes;
}

/**
 * Minutes from UTC of a clock time. One that occurs twice is standard time, one that was skipped takes the offset
 * before the gap, as in .NET.
 */
export function offsetOfClock(zone: string, ticks: bigint): number {
  const { first, second } = candidates(zone, ticks);
  return first === second ? first : Math.min(first, second);
}

/** The offsets that hold a day before and a day after; only near a change do they differ. */
function candidates(zone: string, ticks: bigint): { first: number; second: number; valid: number[] } {
  if (zone === "UTC" || zone === "Etc/UTC") return { first: 0, second: 0, valid: [0] };
  const day = 1440n * TICKS_PER_MINUTE;
  const before = offsetAtUtc(zone, clamp(ticks - day));
  const after = offsetAtUtc(zone, clamp(ticks + day));
  if (before === after) return { first: before, second: before, valid: [before] };
  const valid = [before, after].filter(
    (offset) => offsetAtUtc(zone, clamp(ticks - BigInt(offset) * TICKS_PER_MINUTE)) === offset,
  );
  if (valid.length === 1) return { first: valid[0]!, second: valid[0]!, valid };
  return { first: before, second: after, valid };
}

function clamp(ticks: bigint): bigint {
  return ticks < 0n ? 0n : ticks > MAX_TICKS ? MAX_TICKS : ticks;
}

/** The offsets with which a clock time exists: none in a gap, two when it occurs twice. */
export function offsetsOfClock(zone: string, ticks: bigint): readonly number[] {
  return candidates(zone, ticks).valid;
}

export function localOffsetAtUtc(utcTicks: bigint): number {
  return offsetAtUtc(environment().timeZone, utcTicks);
}

export function localOffsetOfClock(ticks: bigint): number {
  return offsetOfClock(environment().timeZone, ticks);
}

/** The zone's offset without daylight saving in the year of a clock time: the smaller one of its winter and summer. */
export function standardOffset(zone: string, ticks: bigint): number {
  if (zone === "UTC" || zone === "Etc/UTC") return 0;
  const { year } = fieldsOf(ticks);
  return Math.min(offsetAtUtc(zone, ticksOf(year, 1, 1)!), offsetAtUtc(zone, ticksOf(year, 7, 1)!));
}

/** Whether the zone has daylight saving in that year. */
export function hasDaylight(zone: string, ticks: bigint): boolean {
  if (zone === "UTC" || zone === "Etc/UTC") return false;
  const { year } = fieldsOf(ticks);
  return offsetAtUtc(zone, ticksOf(year, 1, 1)!) !== offsetAtUtc(zone, ticksOf(year, 7, 1)!);
}
