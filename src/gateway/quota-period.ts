/** What `renewal-period` and `first-period-start` of quotas may say. */

/**
 * Seconds, or an ISO 8601 duration as .NET's `XmlConvert.ToTimeSpan` takes it: a year is 365 days, a month 30.
 *
 * @returns ms, 0 = never; null when it is neither
 */
export function periodMsOf(text: string): number | null {
  if (/^\d+$/.test(text)) {
    const ms = Number(text) * 1000;
    return Number.isSafeInteger(ms) ? ms : null;
  }
  const match = /^P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(
    text,
  );
  if (match === null) return null;
  const [years, months, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  const allDays = years! * 365 + months! * 30 + days!;
  const ms = (((allDays * 24 + hours!) * 60 + minutes!) * 60 + seconds!) * 1000;
  return Number.isSafeInteger(ms) && ms > 0 ? ms : null;
}

/** The first period of quotas that name none. */
export const FIRST_PERIOD_MS = Date.parse("0001-01-01T00:00:00Z");

/** `yyyy-MM-ddTHH:mm:ssZ` → ms since the epoch; null when it is anything else. */
export function periodStartOf(text: string): number | null {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?$/.test(text)
    ? Date.parse(text.endsWith("Z") ? text : `${text}Z`)
    : NaN;
  return Number.isNaN(ms) ? null : ms;
}
