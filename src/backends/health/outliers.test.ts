import { expect, test } from "vitest";
import { Outlier } from "./outliers.ts";

const RULE = { consecutiveFailures: 3, ejectionMs: 1000, maxEjectionMs: 2500, panicPercent: 50 };

/** `f` failure, `s` success, a number: that many ms pass. Gives how long each ejection lasts. */
test.each([
  ["f f s f f", []],
  ["f f f", [1000]],
  ["f f f f f f", [1000]],
  ["f f f 1000 f", [1000, 2000]],
  ["f f f 1000 f 2000 f 2500 f", [1000, 2000, 2500, 2500]],
  ["f f f 1000 s f f", [1000]],
  // Well for less than it was out: the next one is longer. Well for as long: a clean sheet.
  ["f f f 1500 s f f f", [1000, 2000]],
  ["f f f 2000 s f f f", [1000, 1000]],
])("%s: %s", (events, expected) => {
  const outlier = new Outlier(RULE);
  const lasts: number[] = [];
  let now = 0;
  for (const event of events.split(" ")) {
    if (/\d/.test(event)) now += Number(event);
    else if (outlier.record(event === "f", now)) lasts.push(outlier.until - now);
  }
  expect(lasts).toEqual(expected);
});
