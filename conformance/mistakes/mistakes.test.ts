import { expect, test } from "vitest";
import { judge, loadMistakes, run } from "./runner.ts";

const mistakes = loadMistakes();

test.each(mistakes.map(({ name, mistake }) => [name, mistake] as const))("%s", async (_name, mistake) => {
  const output = await run(mistake);
  expect(judge(mistake, output)).toEqual([]);
  expect(output).toBe(mistake.output);
});

test.each([
  ["xml", 30],
  ["attributes", 40],
  ["expressions", 40],
  ["references", 20],
  ["configuration", 20],
])("%s: at least %i", (group, count) => {
  expect(mistakes.filter(({ name }) => name.startsWith(`${group}/`)).length).toBeGreaterThanOrEqual(count);
});
