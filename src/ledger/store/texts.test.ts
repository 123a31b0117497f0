import fc from "fast-check";
import { expect, test } from "vitest";
import { wordsOf } from "./texts.ts";

const key = fc.constantFrom("role", "content", "type", "text", "a:b", 'q"', "\\");
const text = fc.oneof(
  fc.string(),
  fc.constantFrom("退款", '"', '\\"', "a\nb", "\\", ":", "x".repeat(300), "é\u0000"),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { weight: 4, arbitrary: text },
    fc.constantFrom(null, 1, true),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(key, tie("tree"), { maxKeys: 4 }),
  ),
}));

test("words are the same whether JSON has blanks in it, which makes it be read as a whole, or none", () => {
  fc.assert(
    fc.property(tree, (value) => {
      const dense = Buffer.from(JSON.stringify(value));
      const spaced = Buffer.from(JSON.stringify([value], null, 1));
      expect(wordsOf(dense)).toBe(wordsOf(spaced));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [null, ""],
  ["", ""],
  ["[]", ""],
  ['[{"role":"user","content":"hello"}]', "hello"],
  ['[{"content":"a \\"quoted\\" word"},{"content":"b"}]', 'a "quoted" word b'],
  ['[{"content":"\\u9000"}]', " 退 "],
  ['["cut off\\nhere', '["cut off here'],
  ['"one" and "two"', '"one" and "two"'],
  [`["${"k".repeat(201)}","said"]`, "said"],
])("%s: %j", (octets, expected) => {
  expect(wordsOf(octets === null ? null : Buffer.from(octets))).toBe(expected);
});
