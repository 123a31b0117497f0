import { expect, test } from "vitest";
import { fuzzExpression } from "./expression-fuzz.ts";
import { ExpressionChecker } from "./expression-fuzz-check.ts";

/** A thousandth of what `node scripts/fuzz-expressions.ts` runs. */
test("made and mutated expressions: no crash, no broken promise", () => {
  const checker = new ExpressionChecker("conformance/expression-cases.json");
  const outcomes = new Map<string, number>();
  for (let seed = 0; seed < 1000; seed++) {
    const input = fuzzExpression(seed, checker.cases);
    const { outcome } = checker.check(input, seed);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  // The generator must not degenerate into what is refused at once.
  expect(outcomes.get("value")).toBeGreaterThan(50);
  expect(outcomes.get("exception")).toBeGreaterThan(20);
  expect(outcomes.get("refused")).toBeGreaterThan(200);
}, 60_000);
