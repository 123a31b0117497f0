/** R-10, as far as it is arithmetic. */
import { expect, test } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

/** Requests and wished-for retries a second, for so long → retries that are allowed. */
test.each([
  [500, 1000, 60, 60 * (100 + 10)],
  [0, 1000, 60, 60 * 10],
  [5, 5, 60, 60 * 5],
  [1000, 100, 10, 1000],
])("R-10 %i requests and %i retries a second for %i s: %i", (requests, retries, seconds, allowed) => {
  const budget = new RetryBudget();
  let granted = 0;
  for (let tick = 0; tick < seconds * 100; tick++) {
    const now = tick * 10;
    for (let i = 0; i < requests / 100; i++)
      if (tick % Math.max(1, 100 / requests) === 0) budget.deposit(now);
    for (let i = 0; i < Math.ceil(retries / 100); i++) {
      if (tick % Math.max(1, 100 / retries) === 0 && budget.withdraw(now)) granted++;
    }
  }
  expect(granted).toBeLessThanOrEqual(allowed * 1.01);
  expect(granted).toBeGreaterThanOrEqual(allowed * 0.9);
});
