import { expect, test } from "vitest";
import { HeaderList } from "../../base/headers.ts";
import { retryAfterMs } from "./retry-after.ts";

const NOW = Date.parse("2024-11-06T08:49:30Z");

test.each<[Record<string, string>, number | null]>([
  [{}, null],
  [{ "Retry-After": "12" }, 12_000],
  [{ "Retry-After": " 0 " }, 0],
  [{ "Retry-After": "1.5" }, 1500],
  [{ "Retry-After": "Wed, 06 Nov 2024 08:49:37 GMT" }, 7000],
  [{ "Retry-After": "Wednesday, 06-Nov-24 08:49:37 GMT" }, 7000],
  [{ "Retry-After": "Wed Nov  6 08:49:37 2024" }, 7000],
  [{ "Retry-After": "Tue, 05 Nov 2024 08:49:37 GMT" }, 0],
  [{ "Retry-After": "-1" }, null],
  [{ "Retry-After": "soon" }, null],
  [{ "Retry-After": "2024-11-06" }, null],
  [{ "Retry-After": "99999999999999" }, 99_999_999_999_999_000],
  [{ "retry-after-ms": "250" }, 250],
  [{ "retry-after-ms": "250", "Retry-After": "1" }, 250],
  [{ "retry-after-ms": "x", "Retry-After": "1" }, 1000],
])("%o: %s", (headers, expected) => {
  expect(retryAfterMs(new HeaderList(Object.entries(headers).flat()), NOW)).toBe(expected);
});
