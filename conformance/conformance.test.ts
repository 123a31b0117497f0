import { afterAll, beforeAll, expect, test } from "vitest";
import { Runner, loadCases, loadGaps, nameOf } from "./runner.ts";

const cases = loadCases();
const gaps = loadGaps();
const runner = new Runner();

beforeAll(() => runner.start());
afterAll(() => runner.close());

test.each(cases.map((one) => [nameOf(one), one] as const))("%s", async (name, one) => {
  const said = await runner.run(one);
  if (!gaps.has(name)) expect(said).toEqual([]);
  else if (said.length === 0) throw new Error("this gap is closed: delete its line from known-case-gaps.txt");
});

test("every known gap is a case", () => {
  const names = new Set(cases.map(nameOf));
  expect([...gaps].filter((gap) => !names.has(gap))).toEqual([]);
});
