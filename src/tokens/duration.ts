import { LEAST_STALE_S, MAX_STALE_MS } from "./openid.ts";

/** `jwks-max-stale` → ms; the default when it is not given. */
export function maxStaleMs(text: string | undefined): number {
  const seconds = text === undefined ? null : readDuration(text);
  return seconds === null ? MAX_STALE_MS : Math.max(LEAST_STALE_S, seconds) * 1000;
}

/** What is wrong with a `jwks-max-stale`; null when nothing is, and for a place that a tool fills in. */
export function maxStaleMistake(text: string | undefined): string | null {
  if (text === undefined || text.includes("{")) return null;
  const seconds = readDuration(text);
  if (seconds === null) return `"${text}" is not a time`;
  return seconds < LEAST_STALE_S ? "jwks-max-stale is at least a minute" : null;
}

/** Seconds or a .NET TimeSpan (`[d.]hh:mm:ss[.f]`) → seconds; null when it is neither, or negative. */
export function readDuration(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d{1,12}(?:\.\d{1,7})?$/.test(trimmed)) return Number(trimmed);
  const match = /^(?:(\d{1,6})\.)?(\d{1,2}):([0-5]?\d)(?::([0-5]?\d(?:\.\d{1,7})?))?$/.exec(trimmed);
  if (match === null) return null;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}
