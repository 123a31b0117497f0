import { afterEach, expect, test } from "vitest";
import { configureBudget } from "../compiler/runtime/budget.ts";
import { runInSlices } from "./slices.ts";

let now = 0;
let work = 0;
configureBudget(
  () => now,
  undefined,
  () => work,
);
afterEach(() => {
  now = work = 0;
});

/** Steps of `stepMs`, of which the thread ran for a part. */
function* steps(count: number, stepMs: number, worked = 1): Generator<void, string> {
  for (let i = 0; i < count; i++) {
    now += stepMs;
    work += stepMs * worked;
    yield;
  }
  return `done after ${count}`;
}

test("what is done within a slice costs no promise", () => {
  expect(runInSlices(steps(4, 1))).toBe("done after 4");
});

test("what takes longer lets others go on in between", async () => {
  const result = runInSlices(steps(40, 1));
  expect(result).toBeInstanceOf(Promise);
  let others = 0;
  let over = false;
  void (result as Promise<string>).then(() => (over = true));
  while (!over) {
    others++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await result).toBe("done after 40");
  expect(others).toBeGreaterThanOrEqual(7);
});

test("work without end is stopped; a thread that stands still does not work", async () => {
  await expect(runInSlices(steps(10_000, 5))).rejects.toThrow("The expression took longer than 2000 ms.");
  expect(await runInSlices(steps(1000, 5, 0.1))).toBe("done after 1000");
});

test("a mistake comes as it is, now or later", async () => {
  function* failing(after: number): Generator<void, string> {
    yield* steps(after, 1);
    throw new RangeError("no");
  }
  expect(() => runInSlices(failing(1))).toThrow(RangeError);
  await expect(runInSlices(failing(20))).rejects.toThrow(RangeError);
});
