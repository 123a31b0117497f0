import { countTokens as cl100k } from "gpt-tokenizer/encoding/cl100k_base";
import { countTokens as o200k } from "gpt-tokenizer/encoding/o200k_base";
import { countTokens as p50k } from "gpt-tokenizer/encoding/p50k_base";
import { countTokens as r50k } from "gpt-tokenizer/encoding/r50k_base";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type EncodingName,
  countText,
  countTexts,
  countTokens,
  estimateTokens,
  isReady,
  ready,
} from "./count.ts";

const ENCODINGS = ["o200k_base", "cl100k_base", "p50k_base", "r50k_base"] as const;
const AS_TEXT = { disallowedSpecial: new Set<string>() };
const ORACLES: Readonly<Record<EncodingName, (text: string) => number>> = {
  o200k_base: (text) => o200k(text, AS_TEXT),
  cl100k_base: (text) => cl100k(text, AS_TEXT),
  p50k_base: (text) => p50k(text, AS_TEXT),
  r50k_base: (text) => r50k(text, AS_TEXT),
};

/** A small generator with a seed, for texts that are only large. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 0x80000000;
}

function text(length: number, character: (random: () => number) => string, seed = 1): string {
  const next = random(seed);
  return Array.from({ length }, () => character(next)).join("");
}

const letter = (next: () => number) => String.fromCharCode(97 + Math.floor(next() * 26));
const han = (next: () => number) => String.fromCharCode(0x4e00 + Math.floor(next() * 20000));

test("before it is loaded, a count is an estimate", () => {
  expect(isReady("r50k_base")).toBe(false);
  expect(countTokens("x".repeat(400), "r50k_base")).toBe(100);
  expect(estimateTokens("")).toBe(0);
});

test("a count that comes before waits", async () => {
  const early = countText("hello world", "p50k_base");
  expect(early).toBeInstanceOf(Promise);
  expect(await early).toBe(2);
  expect(countText("hello world", "p50k_base")).toBe(2);
});

describe("with all encodings", () => {
  beforeAll(() => Promise.all(ENCODINGS.map(ready)));

  const WORDS = [
    ..."abtABéßЖяΣçñ中文ーǅʰ́ं'’.,!?-/_{}\"\t\n\r 0123٣Ⅷ😀𝒜𐐀𐐨\0",
    ..."　\u00a0\u2028\u200d\ud800\udc00",
    ..."the| of|ing|Hello| world|THE|'s|'S|'ll|'RE|'|日本語|हि|न्दी|👩‍👩‍👧|\r\n|  |   |//|<\\|endoftext\\|>|<\\|im_start\\|>|{\"a\":|1234567".split(
      "|",
    ),
  ];
  /** The oracle's own errors are left out; `splitting.test.ts` has them. */
  const sound = (value: string) => value.replace(/[\u0085\ufeff\u017f]/g, "");
  const TEXTS = fc
    .oneof(
      fc.array(fc.constantFrom(...WORDS), { maxLength: 80 }).map((words) => words.join("")),
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.string({ unit: "grapheme", maxLength: 60 }),
      fc.string({
        unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
        maxLength: 60,
      }),
      fc.string({ unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz"), minLength: 30, maxLength: 300 }),
      fc.string({ unit: fc.constantFrom(..."aAéÉあ́ 1"), maxLength: 150 }),
      fc.string({
        unit: fc.integer({ min: 0x4e00, max: 0x9fff }).map((unit) => String.fromCharCode(unit)),
        maxLength: 90,
      }),
    )
    .map(sound);

  test.each(ENCODINGS)("%s counts what the reference counts: 2,500 texts", (name) => {
    fc.assert(
      fc.property(TEXTS, (value) => {
        expect(countTokens(value, name)).toBe(ORACLES[name](value));
      }),
      { seed: 20261123, numRuns: 2500 },
    );
  });

  test.each(ENCODINGS)("%s: long texts of one kind", (name) => {
    const texts = [
      "a".repeat(3000),
      " ".repeat(3000),
      "\n".repeat(700),
      " \n".repeat(300),
      "あ" + "A".repeat(900) + "b",
      ("あ" + "A".repeat(50)).repeat(20),
      "!".repeat(900) + "/\n".repeat(100),
      "😀".repeat(300),
      "ab".repeat(800),
      text(900, letter),
      text(500, han),
      "<|endoftext|>".repeat(20),
      "0123456789".repeat(60),
      "\ud800".repeat(100),
    ];
    for (const value of texts) expect(countTokens(value, name)).toBe(ORACLES[name](value));
  });

  test("the same in slices, however small, as at once", async () => {
    const texts = [
      text(60_000, letter),
      "a".repeat(300_000),
      "あ" + "A".repeat(250_000),
      "!" + "/\n".repeat(150_000),
      text(30_000, han),
      text(30_000, (next) => (next() < 0.2 ? " " : letter(next))),
    ];
    for (const value of texts) {
      const count = countText(value, "o200k_base");
      expect(count).toBeInstanceOf(Promise);
      expect(await count).toBe(countTokens(value, "o200k_base"));
    }
    const all = texts.reduce((sum, value) => sum + countTokens(value, "o200k_base"), 0);
    expect(await countTexts(texts, "o200k_base")).toBe(all);
  });

  test("short texts are counted at once", () => {
    expect(countText("Hello world", "o200k_base")).toBe(2);
    expect(countText("", "o200k_base")).toBe(0);
    expect(countTexts([], "o200k_base")).toBe(0);
    expect(countTexts(["Hello world", "", "Hello"], "cl100k_base")).toBe(3);
  });

  test("beyond a limit it says so, and only then", async () => {
    const value = "one two three four five ".repeat(2000);
    const tokens = countTokens(value, "o200k_base");
    expect(await countText(value, "o200k_base", { limit: tokens })).toBe(tokens);
    expect(await countText(value, "o200k_base", { limit: tokens - 1 })).toBeGreaterThan(tokens - 1);
    const early = await countText(value, "o200k_base", { limit: 100 });
    expect(early).toBeGreaterThan(100);
    expect(early).toBeLessThan(tokens);
    // A token has 128 octets at most: a megabyte needs no look to have more than a thousand.
    expect(countText(text(1_000_000, letter), "o200k_base", { limit: 1000 })).toBeGreaterThan(1000);
  });
});
