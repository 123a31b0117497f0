/** Every expression case passes, but for the known gaps, and a gap that starts to pass has to leave the list. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type CaseResult, readCases, runCases } from "./expression-runner.ts";

const path = (name: string): string => new URL(name, import.meta.url).pathname;
const gaps = new Set(
  readFileSync(path("known-gaps.txt"), "utf8")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== ""),
);
const results = runCases(readCases(path("expression-cases.json")));
const text = ({ id, expected, actual }: CaseResult): string =>
  `${id}: expected ${expected}, actual ${actual}`;

test("expression cases pass", () => {
  expect(results.filter((result) => !result.passed && !gaps.has(result.id)).map(text)).toEqual([]);
});

test("known gaps are gaps", () => {
  expect(results.filter((result) => result.passed && gaps.has(result.id)).map(({ id }) => id)).toEqual([]);
});
