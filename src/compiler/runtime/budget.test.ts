import { afterEach, expect, test } from "vitest";
import { DEFAULT_LIMITS, beginEvaluation, configureBudget, spend } from "./budget.ts";

afterEach(() => configureBudget(() => 0));

/** An evaluation of `turns` turns, each of which takes so much of both clocks, ms. */
function run(turns: number, each: { wall: number; work: number }): string {
  let [wall, work] = [1, 1];
  configureBudget(
    () => wall,
    DEFAULT_LIMITS,
    () => work,
  );
  beginEvaluation();
  try {
    for (let i = 0; i < turns; i++) {
      wall += each.wall;
      work += each.work;
      spend();
    }
    return "done";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const LATE = "The expression took longer than 50 ms.";

test.each([
  ["works all the time", 10_000, { wall: 0.1, work: 0.1 }, LATE],
  ["works a tenth of the time, for longer than it has", 10_000, { wall: 0.1, work: 0.01 }, LATE],
  ["stands still for longer than it has", 3_000, { wall: 0.1, work: 0.01 }, "done"],
  ["is quick", 10_000, { wall: 0.001, work: 0.001 }, "done"],
])("an expression that %s", (_name, turns, each, expected) => expect(run(turns, each)).toBe(expected));

test("one pause of the whole thread between two turns costs nothing", () => {
  let [wall, work] = [1, 1];
  configureBudget(
    () => wall,
    DEFAULT_LIMITS,
    () => work,
  );
  beginEvaluation();
  for (let i = 0; i < 5_000; i++) {
    if (i === 1_000) wall += 90;
    wall += 0.005;
    work += 0.005;
    spend();
  }
});
