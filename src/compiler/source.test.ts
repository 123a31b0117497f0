import { expect, test } from "vitest";
import { MappedText, MappedTextBuilder, SourceText } from "./source.ts";

test.each([
  ["a\nbc", 0, 1, 1],
  ["a\nbc", 1, 1, 2],
  ["a\nbc", 2, 2, 1],
  ["a\nbc", 4, 2, 3],
  ["a\nbc", 99, 2, 3],
  ["a\r\nbc", 3, 2, 1],
  ["a\rbc", 2, 2, 1],
  ["\ufeffab", 1, 1, 1],
  ["\ufeffab", 2, 1, 2],
  ["😀b", 2, 1, 3],
  ["", 0, 1, 1],
])("position in %j of %i is %i:%i", (text, offset, line, column) => {
  expect(new SourceText(text).positionAt(offset)).toMatchObject({ line, column });
});

test.each([
  ["a\nbc\r\nd", 1, "a"],
  ["a\nbc\r\nd", 2, "bc"],
  ["a\nbc\r\nd", 3, "d"],
  ["a\nbc\r\nd", 4, ""],
  ["\ufeffa", 1, "a"],
])("line of %j", (text, line, expected) => {
  expect(new SourceText(text).lineText(line)).toBe(expected);
});

/** `ab&lt;cd{{x}}e` at offset 100, decoded and with x = "XYZ". */
function mapped(): MappedText {
  const builder = new MappedTextBuilder(100);
  builder.copy("ab", 100);
  builder.replace("<", 102, 4);
  builder.copy("cd", 106);
  builder.replace("XYZ", 108, 5, { namedValue: "x", secret: true });
  builder.copy("e", 113);
  return builder.build(114);
}

test("each index leads to its place", () => {
  const text = mapped();
  expect(text.text).toBe("ab<cdXYZe");
  expect([...text.text, ""].map((_, i) => text.startOf(i))).toEqual([
    100, 101, 102, 106, 107, 108, 108, 108, 113, 114,
  ]);
  expect([...text.text, ""].map((_, i) => text.endOf(i))).toEqual([
    100, 101, 102, 106, 107, 108, 113, 113, 113, 114,
  ]);
});

test("slices keep their places", () => {
  const slice = mapped().slice(2, 7);
  expect(slice.text).toBe("<cdXY");
  expect([slice.start, slice.end]).toEqual([102, 113]);
  expect([0, 1, 3, 4].map((i) => slice.startOf(i))).toEqual([102, 106, 108, 108]);
  expect(slice.hasSecret).toBe(true);
  expect(mapped().slice(0, 5).hasSecret).toBe(false);
});

test("named values are found by range, borders included", () => {
  const text = mapped();
  expect(text.namedValuesIn(0, 4).map((s) => s.namedValue)).toEqual([]);
  expect(text.namedValuesIn(0, 5).map((s) => s.namedValue)).toEqual(["x"]);
  expect(text.namedValuesIn(8, 9).map((s) => s.namedValue)).toEqual(["x"]);
  expect(text.namedValuesIn(6, 6).map((s) => s.namedValue)).toEqual(["x"]);
});

test("a text copied in one piece has no stretches", () => {
  const builder = new MappedTextBuilder(5);
  builder.copy("ab", 5);
  builder.append(new MappedText("cd", 7, 9));
  expect(builder.build(9)).toEqual(new MappedText("abcd", 5, 9));
});
