import { expect, test } from "vitest";
import { clipToWidth, fitToWidth, textWidth } from "./text-width.ts";

test.each([
  ["", 0],
  ["gpt-4o", 6],
  ["Grüße", 5],
  ["Gru\u0308ße", 5],
  ["世界", 4],
  ["한국어", 6],
  ["模型-v2", 7],
  ["a👍b", 4],
  ["…", 1],
])("%j takes %i columns", (text, columns) => expect(textWidth(text)).toBe(columns));

test.each([
  ["abcdef", 6, "abcdef"],
  ["abcdefg", 6, "abcde…"],
  ["世界世界", 6, "世界…"],
  ["世界世", 6, "世界世"],
  ["a世界世界", 6, "a世界…"],
])("%j in %i columns is %j", (text, columns, clipped) => {
  expect(clipToWidth(text, columns)).toBe(clipped);
  expect(textWidth(fitToWidth(text, columns))).toBe(columns);
});

test("cells are as wide as their column", () => {
  expect([fitToWidth("世界", 6), fitToWidth("世界", 6, true)]).toEqual(["世界  ", "  世界"]);
});
