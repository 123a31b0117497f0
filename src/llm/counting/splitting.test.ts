import {
  CL100K_TOKEN_SPLIT_REGEX,
  O200K_TOKEN_SPLIT_REGEX,
  R50K_TOKEN_SPLIT_REGEX,
} from "gpt-tokenizer/encodingParams/constants";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kindAt } from "./characters.ts";
import { PAUSED, type Pattern, Splitter } from "./splitting.ts";

/** All pieces; with `slice`, reading at most so many units before it pauses. */
function pieces(text: string, pattern: Pattern, slice = Infinity): string[] {
  const splitter = new Splitter(text, pattern);
  const found: string[] = [];
  splitter.horizon = slice;
  for (let at = 0; at < text.length;) {
    const end = splitter.end(at);
    if (end === PAUSED) {
      splitter.horizon += slice;
      continue;
    }
    found.push(text.slice(at, end));
    at = end;
    splitter.horizon = at + slice;
  }
  return found;
}

test.each<[Pattern, string, string[]]>([
  ["o200k", "Hello world's end", ["Hello", " world's", " end"]],
  ["cl100k", "Hello world's end", ["Hello", " world", "'s", " end"]],
  ["r50k", "Hello world'S end", ["Hello", " world", "'", "S", " end"]],
  ["o200k", "helloWorldHTTPServer", ["hello", "World", "HTTPServer"]],
  ["o200k", "あAAA", ["あ", "AAA"]],
  ["o200k", "a  b \n\n c", ["a", " ", " b", " \n\n", " c"]],
  ["cl100k", "a  b  ", ["a", " ", " b", "  "]],
  ["o200k", "12345678", ["123", "456", "78"]],
  ["r50k", " 12345678", [" 12345678"]],
  ["o200k", "!//\n/a", ["!//\n/", "a"]],
  ["cl100k", "!//\n/a", ["!//\n", "/a"]],
  ["o200k", "\ud800a\udc00", ["\ud800a", "\udc00"]],
  // As the reference has it, where JavaScript's `\s` and `i` differ.
  ["o200k", "1\ufeff{\n", ["1", "\ufeff{\n"]],
  ["o200k", "a\u0085\u0085b", ["a", "\u0085", "\u0085b"]],
  ["cl100k", "'ſab", ["'ſ", "ab"]],
])("%s cuts %j", (pattern, text, expected) => {
  expect(pieces(text, pattern)).toEqual(expected);
});

describe("against the regular expressions", () => {
  const REGEX: Readonly<Record<Pattern, RegExp>> = {
    o200k: O200K_TOKEN_SPLIT_REGEX,
    cl100k: CL100K_TOKEN_SPLIT_REGEX,
    r50k: R50K_TOKEN_SPLIT_REGEX,
  };
  const UNITS = [..."aAbBéÉあー́'sSlLvVeErR019٣ \t\n\r.,/!😀𝒜𐐀", "\ud800", "\udc00", "\u00a0", "'ll", "'RE"];
  const texts = fc.array(fc.constantFrom(...UNITS), { maxLength: 40 }).map((units) => units.join(""));

  test.each(["o200k", "cl100k", "r50k"] as const)("%s, paused anywhere", (pattern) => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 8 }), (text, slice) => {
        const expected = text.match(REGEX[pattern]) ?? [];
        expect(pieces(text, pattern)).toEqual([...expected]);
        expect(pieces(text, pattern, slice)).toEqual([...expected]);
      }),
      { seed: 7, numRuns: 3000 },
    );
  });
});

test("every code point has the kind that the expressions give it", () => {
  const kinds: readonly (readonly [RegExp, number])[] = [
    [/[\p{Lu}\p{Lt}]/u, 1],
    [/\p{Ll}/u, 2],
    [/[\p{Lm}\p{Lo}]/u, 4],
    [/\p{M}/u, 8],
    [/\p{N}/u, 16],
    [/[\r\n]/u, 32],
    [/\p{White_Space}/u, 64],
  ];
  const wrong: string[] = [];
  for (let point = 0; point <= 0x10ffff; point++) {
    // Planes that have nothing are looked at in passing.
    if (point > 0x40000 && point < 0xe0000 && point % 251 !== 0) continue;
    const character = String.fromCodePoint(point);
    const kind = kinds.find(([pattern]) => pattern.test(character))?.[1] ?? 128;
    if (kindAt(character, 0) !== kind) wrong.push(point.toString(16));
  }
  expect(wrong).toEqual([]);
});
