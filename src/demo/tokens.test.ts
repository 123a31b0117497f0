import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countTokens, tokenise } from "./tokens.ts";

describe("tokenise", () => {
  test.each<[string, string[]]>([
    ["", []],
    ["Hello, world!", ["Hello", ",", " world", "!"]],
    ["  two\nlines", ["  two", "\nlines"]],
    ["internationalisation", ["internationa", "lisation"]],
    ["snake_case x2", ["snake_case", " x2"]],
    ["日本語", ["日本語"]],
    ["a 🙂b", ["a", " 🙂", "b"]],
    [" ".repeat(20) + "x", [" ".repeat(8), " ".repeat(8), "    x"]],
    ["x   ", ["x", "   "]],
  ])("%j", (text, tokens) => {
    expect(tokenise(text)).toEqual(tokens);
    expect(countTokens(text)).toBe(tokens.length);
  });

  test("joins to the text, and every cut between tokens keeps the count", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.nat(20), (text, cut) => {
        const tokens = tokenise(text);
        const head = tokens.slice(0, cut).join("");
        return tokens.join("") === text && countTokens(head) === Math.min(cut, tokens.length);
      }),
      { seed: 1 },
    );
  });

  test("stops at the limit", () => {
    expect(tokenise("a b c d", 2)).toEqual(["a", " b"]);
    expect(countTokens("a b c d", 3)).toBe(3);
  });
});
