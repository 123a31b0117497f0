/** Seconds or a .NET TimeSpan (`[d.]hh:mm:ss[.f]`) → seconds; null when it is neither, or negative. */
export function readDuration(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d{1,12}(?:\.\d{1,7})?$/.test(trimmed)) return Number(trimmed);
  const match = /^(?:(\d{1,6})\.)?(\d{1,2}):([0-5]?\d)(?::([0-5]?\d(?:\.\d{1,7})?))?$/.exec(trimmed);
  if (match === null) return null;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [number, number, number, number];
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}
