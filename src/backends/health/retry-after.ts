import type { HeaderList } from "../../base/headers.ts";

/**
 * How long an answer asks to be left alone: `retry-after-ms`, or `Retry-After` as seconds or as an HTTP date (RFC 9110
 * §10.2.3).
 *
 * @param nowMs ms since the epoch; a date in the past is no time at all
 * @returns ms, or null when it does not say or cannot be understood
 */
export function retryAfterMs(headers: HeaderList, nowMs: number): number | null {
  const exact = headers.get("retry-after-ms")?.trim();
  if (exact !== undefined && /^\d{1,300}(\.\d{1,6})?$/.test(exact)) return Number(exact);
  const text = headers.get("retry-after")?.trim();
  if (text === undefined || text === "") return null;
  // Some providers write fractions, which the standard does not know.
  if (/^\d{1,300}(\.\d{1,6})?$/.test(text)) return Number(text) * 1000;
  // Every form of an HTTP date begins with the day of the week; Date.parse takes much that is none.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) || text.length > 40) return null;
  const date = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}
