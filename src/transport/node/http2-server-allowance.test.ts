import { expect, test } from "vitest";
import { Allowance } from "./http2-server-allowance.ts";

test.each<[string, number[], boolean[]]>([
  ["a burst at once", [0, 0, 0, 0], [true, true, true, false]],
  ["a burst late on the clock", [1e9, 1e9, 1e9, 1e9], [true, true, true, false]],
  ["what comes back with time", [0, 0, 0, 499, 500, 501], [true, true, true, false, true, false]],
  [
    "no more than the burst after a rest",
    [0, 60_000, 60_000, 60_000, 60_000],
    [true, true, true, true, false],
  ],
  ["its pace for as long as one likes", [0, 500, 1_000, 1_500, 2_000], [true, true, true, true, true]],
])("%s", (_name, times, allowed) => {
  const allowance = new Allowance(3, 2);
  expect(times.map((now) => allowance.take(now))).toEqual(allowed);
});
