/** System.TimeZoneInfo over the platform's tz data; ids are Windows' or IANA's. */
import { type Members, defineType } from "../define.ts";
import { NetException, argumentError, argumentNull } from "../errors.ts";
import { environment } from "../environment.ts";
import type { Type } from "../type.ts";
import { type NetObject, TYPE, hashOf, typeNamed } from "../values.ts";
import { MAX_TICKS, TICKS_PER_MINUTE, ticksOfUnixMs } from "./calendar.ts";
import { DateTime, LOCAL, UNSPECIFIED, UTC, toLocal, toUniversal } from "./datetime.ts";
import { DateTimeOffset, atOffset } from "./datetimeoffset.ts";
import { TimeSpan } from "./timespan.ts";
import {
  canonicalZone,
  hasDaylight,
  offsetAtUtc,
  offsetOfClock,
  offsetsOfClock,
  standardOffset,
} from "./zone.ts";
import { WINDOWS_ZONES } from "./zone-names.ts";

class TimeZoneInfo implements NetObject {
  /** As the author named it. */
  readonly id: string;
  readonly iana: string;

  constructor(id: string, iana: string) {
    this.id = id;
    this.iana = iana;
  }
  get [TYPE](): Type {
    return typeNamed("System.TimeZoneInfo");
  }
  netToString(): string {
    return displayName(this);
  }
  netEquals(other: unknown): boolean {
    return other instanceof TimeZoneInfo && other.id.toLowerCase() === this.id.toLowerCase();
  }
  netHashCode(): number {
    return hashOf(this.id.toLowerCase());
  }
}

const UTC_ZONE = new TimeZoneInfo("UTC", "UTC");
let localZone: TimeZoneInfo | null = null;

function local(): TimeZoneInfo {
  const id = environment().timeZone;
  if (id === "UTC") return UTC_ZONE;
  return localZone?.id === id ? localZone : (localZone = new TimeZoneInfo(id, id));
}

function find(id: string | null): TimeZoneInfo {
  if (id === null) throw argumentNull("id");
  if (/^(?:utc|etc\/utc)$/i.test(id)) return UTC_ZONE;
  const windows = WINDOWS_ZONES.get(id.toLowerCase());
  // Offsets such as `+02:00` are time zones to Intl, but not to .NET.
  const iana = windows ?? (/^[A-Za-z]/.test(id) && id.length < 64 ? canonicalZone(id) : null);
  if (iana === null) {
    throw new NetException(
      "System.TimeZoneNotFoundException",
      `The time zone ID '${id}' was not found on the local computer.`,
    );
  }
  return new TimeZoneInfo(id, iana);
}

const span = (minutes: number): TimeSpan => new TimeSpan(BigInt(minutes) * TICKS_PER_MINUTE);

function now(): bigint {
  return ticksOfUnixMs(environment().now());
}

function baseOffset(zone: TimeZoneInfo): number {
  return standardOffset(zone.iana, now());
}

function displayName(zone: TimeZoneInfo): string {
  if (zone.iana === "UTC") return "(UTC) Coordinated Universal Time";
  const minutes = baseOffset(zone);
  const hours = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, "0");
  const rest = String(Math.abs(minutes) % 60).padStart(2, "0");
  return `(UTC${minutes < 0 ? "-" : "+"}${hours}:${rest}) ${zone.id}`;
}

function clamp(ticks: bigint): bigint {
  return ticks < 0n ? 0n : ticks > MAX_TICKS ? MAX_TICKS : ticks;
}

function need(zone: TimeZoneInfo | null, parameter: string): TimeZoneInfo {
  if (zone === null) throw argumentNull(parameter);
  return zone;
}

/** @throws ArgumentException for a clock time that was skipped */
function clockToUtc(zone: TimeZoneInfo, ticks: bigint): bigint {
  if (zone.iana !== "UTC" && offsetsOfClock(zone.iana, ticks).length === 0) {
    throw argumentError(
      "The supplied DateTime represents an invalid time.  For example, when the clock is adjusted forward, any time in the period that is skipped is invalid.",
      "dateTime",
    );
  }
  return clamp(ticks - BigInt(offsetOfClock(zone.iana, ticks)) * TICKS_PER_MINUTE);
}

function fromUtc(zone: TimeZoneInfo, utc: bigint): DateTime {
  const kind = zone.iana === "UTC" ? UTC : zone === local() ? LOCAL : UNSPECIFIED;
  return new DateTime(clamp(utc + BigInt(offsetAtUtc(zone.iana, utc)) * TICKS_PER_MINUTE), kind);
}

/** The zone a DateTime's kind implies. */
function impliedZone(time: DateTime): TimeZoneInfo {
  return time.kind === UTC ? UTC_ZONE : local();
}

function checkKind(time: DateTime, source: TimeZoneInfo): void {
  if (time.kind !== UNSPECIFIED && impliedZone(time).iana !== source.iana) {
    throw argumentError(
      "The conversion could not be completed because the supplied DateTime did not have the Kind property set correctly.  For example, when the Kind property is DateTimeKind.Local, the source time zone must be TimeZoneInfo.Local.",
      "sourceTimeZone",
    );
  }
}

function convert(time: DateTime, source: TimeZoneInfo | null, target: TimeZoneInfo | null): DateTime {
  const from = need(source, "sourceTimeZone");
  const to = need(target, "destinationTimeZone");
  checkKind(time, from);
  return fromUtc(to, clockToUtc(from, time.ticks));
}

function toUtc(time: DateTime, source: TimeZoneInfo | null): DateTime {
  return convert(time, source, UTC_ZONE);
}

function convertFromUtc(time: DateTime, zone: TimeZoneInfo | null): DateTime {
  const to = need(zone, "destinationTimeZone");
  checkKind(time, UTC_ZONE);
  return fromUtc(to, time.ticks);
}

function convertOffset(moment: DateTimeOffset, zone: TimeZoneInfo | null): DateTimeOffset {
  return atOffset(moment, offsetAtUtc(need(zone, "destinationTimeZone").iana, moment.utcTicks));
}

/** Offset in this zone of what a DateTime means by its kind. */
function offsetFor(zone: TimeZoneInfo, time: DateTime): number {
  if (time.kind === UNSPECIFIED || impliedZone(time).iana === zone.iana)
    return offsetOfClock(zone.iana, time.ticks);
  return offsetAtUtc(zone.iana, clockToUtc(impliedZone(time), time.ticks));
}

function isDaylight(zone: TimeZoneInfo, time: DateTime): boolean {
  return offsetFor(zone, time) !== standardOffset(zone.iana, time.ticks);
}

function longName(zone: TimeZoneInfo, summer: boolean): string {
  if (zone.iana === "UTC") return "Coordinated Universal Time";
  if (!zone.id.includes("/") && !summer) return zone.id;
  return summer ? zone.id.replace(/ Standard Time$/, " Daylight Time") : zone.id;
}

class CurrentTimeZone implements NetObject {
  get [TYPE](): Type {
    return typeNamed("System.TimeZone");
  }
}

const members: Members = {
  "static TimeZoneInfo Utc { get; }": () => UTC_ZONE,
  "static TimeZoneInfo Local { get; }": local,
  "static TimeZoneInfo FindSystemTimeZoneById(string id)": find,
  "static DateTime ConvertTimeToUtc(DateTime dateTime)": (time: DateTime) => toUtc(time, impliedZone(time)),
  "static DateTime ConvertTimeToUtc(DateTime dateTime, TimeZoneInfo sourceTimeZone)": toUtc,
  "static DateTime ConvertTimeFromUtc(DateTime dateTime, TimeZoneInfo destinationTimeZone)": convertFromUtc,
  "static DateTime ConvertTime(DateTime dateTime, TimeZoneInfo destinationTimeZone)": (
    time: DateTime,
    zone: TimeZoneInfo | null,
  ) => convert(time, impliedZone(time), zone),
  "static DateTime ConvertTime(DateTime dateTime, TimeZoneInfo sourceTimeZone, TimeZoneInfo destinationTimeZone)":
    convert,
  "static DateTimeOffset ConvertTime(DateTimeOffset dateTimeOffset, TimeZoneInfo destinationTimeZone)":
    convertOffset,
  "static DateTime ConvertTimeBySystemTimeZoneId(DateTime dateTime, string destinationTimeZoneId)": (
    time: DateTime,
    id: string | null,
  ) => convert(time, impliedZone(time), find(id)),
  "static DateTime ConvertTimeBySystemTimeZoneId(DateTime dateTime, string sourceTimeZoneId, string destinationTimeZoneId)":
    (time: DateTime, source: string | null, target: string | null) =>
      convert(time, find(source), find(target)),
  "static DateTimeOffset ConvertTimeBySystemTimeZoneId(DateTimeOffset dateTimeOffset, string destinationTimeZoneId)":
    (moment: DateTimeOffset, id: string | null) => convertOffset(moment, find(id)),
  "string Id { get; }": (zone: TimeZoneInfo) => zone.id,
  "string DisplayName { get; }": displayName,
  "string StandardName { get; }": (zone: TimeZoneInfo) => longName(zone, false),
  "string DaylightName { get; }": (zone: TimeZoneInfo) => longName(zone, true),
  "TimeSpan BaseUtcOffset { get; }": (zone: TimeZoneInfo) => span(baseOffset(zone)),
  "bool SupportsDaylightSavingTime { get; }": (zone: TimeZoneInfo) => hasDaylight(zone.iana, now()),
  "TimeSpan GetUtcOffset(DateTime dateTime)": (zone: TimeZoneInfo, time: DateTime) =>
    span(offsetFor(zone, time)),
  "TimeSpan GetUtcOffset(DateTimeOffset dateTimeOffset)": (zone: TimeZoneInfo, moment: DateTimeOffset) =>
    span(offsetAtUtc(zone.iana, moment.utcTicks)),
  "bool IsDaylightSavingTime(DateTime dateTime)": isDaylight,
  "bool IsDaylightSavingTime(DateTimeOffset dateTimeOffset)": (zone: TimeZoneInfo, moment: DateTimeOffset) =>
    offsetAtUtc(zone.iana, moment.utcTicks) !== standardOffset(zone.iana, moment.utcTicks),
  "bool IsAmbiguousTime(DateTime dateTime)": (zone: TimeZoneInfo, time: DateTime) =>
    offsetsOfClock(zone.iana, time.ticks).length > 1,
  "bool IsInvalidTime(DateTime dateTime)": (zone: TimeZoneInfo, time: DateTime) =>
    offsetsOfClock(zone.iana, time.ticks).length === 0,
  "bool HasSameRules(TimeZoneInfo other)": (zone: TimeZoneInfo, other: TimeZoneInfo | null) =>
    need(other, "other").iana === zone.iana,
  "bool Equals(TimeZoneInfo other)": (zone: TimeZoneInfo, other: TimeZoneInfo | null) =>
    zone.netEquals(other),
  "bool Equals(object obj)": (zone: TimeZoneInfo, other: unknown) => zone.netEquals(other),
  "int GetHashCode()": (zone: TimeZoneInfo) => zone.netHashCode(),
  "string ToString()": displayName,
};
defineType("class System.TimeZoneInfo", members);

/** System.TimeZone, the obsolete forerunner: only the local zone. */
defineType("class System.TimeZone", {
  "static TimeZone CurrentTimeZone { get; }": () => new CurrentTimeZone(),
  "string StandardName { get; }": () => longName(local(), false),
  "string DaylightName { get; }": () => longName(local(), true),
  "TimeSpan GetUtcOffset(DateTime time)": (_: unknown, time: DateTime) => span(offsetFor(local(), time)),
  "bool IsDaylightSavingTime(DateTime time)": (_: unknown, time: DateTime) => isDaylight(local(), time),
  "DateTime ToLocalTime(DateTime time)": (_: unknown, time: DateTime) => toLocal(time),
  "DateTime ToUniversalTime(DateTime time)": (_: unknown, time: DateTime) => toUniversal(time),
});
