import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Counting, encodingOf } from "./counting.ts";
import { LongPiece } from "./long-piece.ts";
import { RankFile } from "./rank-file.ts";
import { NONE, type Vocabulary } from "./vocabulary.ts";

function load(name: string): Vocabulary {
  const path = createRequire(import.meta.url).resolve(`gpt-tokenizer/data/${name}.tiktoken`);
  return read(readFileSync(path));
}

function read(file: Uint8Array): Vocabulary {
  const ranks = new RankFile(file);
  for (;;) {
    const vocabulary = ranks.next();
    if (vocabulary !== null) return vocabulary;
  }
}

const VOCABULARIES = ["o200k_base", "cl100k_base", "p50k_base", "r50k_base"].map(
  (name) => [name, load(name)] as const,
);
const o200k = VOCABULARIES[0]![1];

function long(vocabulary: Vocabulary, octets: Uint8Array): LongPiece {
  const piece = new LongPiece(vocabulary);
  piece.begin(octets, octets.length);
  return piece;
}

test.each(VOCABULARIES)("%s: from the left is what merging by definition yields", (_name, vocabulary) => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
    fc.uint8Array({ minLength: 1, maxLength: 300, min: 97, max: 99 }),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 120 }).map((text) => Buffer.from(text)),
    fc
      .array(fc.nat(vocabulary.size - 1), { minLength: 1, maxLength: 20 })
      .map((ids) => tokens(vocabulary, ids)),
  );
  fc.assert(
    fc.property(octets, (value) => {
      const piece = long(vocabulary, value);
      while (!piece.run(3));
      expect(piece.count).toBe(vocabulary.merge(value, value.length));
    }),
    { seed: 3, numRuns: 1500 },
  );
});

function tokens(vocabulary: Vocabulary, ids: readonly number[]): Uint8Array {
  return Buffer.concat(ids.map((id) => vocabulary.octetsOf(id))).subarray(0, 400);
}

test.each(VOCABULARIES)("%s: merging the octets of any token yields it", (_name, vocabulary) => {
  for (let id = 0; id < vocabulary.size; id += 7) expect(vocabulary.leftOf(id)).not.toBe(NONE);
});

const HOSTILE: Readonly<Record<string, (length: number) => string>> = {
  "one letter": (length) => "a".repeat(length),
  blanks: (length) => " ".repeat(length),
  "line ends": (length) => "\n".repeat(length),
  "blanks and line ends": (length) => " \n".repeat(length / 2),
  "capitals after a kana": (length) => "あ" + "A".repeat(length),
  "random letters": (length) => scattered(length, 97, 26),
  "two letters": (length) => scattered(length, 97, 2),
  "han without punctuation": (length) => scattered(length, 0x4e00, 5000),
  emoji: (length) => "😀".repeat(length / 2),
  punctuation: (length) => scattered(length, 33, 14),
  slashes: (length) => "!" + "/\n".repeat(length / 2),
  apostrophes: (length) => "'".repeat(length),
  "half pairs": (length) => "\ud800".repeat(length),
};

function scattered(length: number, from: number, count: number): string {
  let state = 1;
  let text = "";
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    text += String.fromCharCode(from + ((state >> 12) % count));
  }
  return text;
}

test.each(Object.keys(HOSTILE))("linear: %s", (name) => {
  const encoding = encodingOf("o200k", o200k);
  const slices = (length: number) => {
    const counting = new Counting(HOSTILE[name]!(length), encoding, Infinity);
    let count = 1;
    while (counting.run(2000) < 0) count++;
    return count;
  };
  // Eight times the text, eight times the slices: n log n would be 10 here, n² 64.
  expect(slices(80_000) / slices(10_000)).toBeLessThan(9);
});

test("linear in tries, too, where every token has to be taken back", () => {
  const tries = (length: number) => {
    const piece = long(o200k, Buffer.from(scattered(length, 97, 3)));
    while (!piece.run(1000));
    return piece.tried;
  };
  expect(tries(80_000) / tries(10_000)).toBeLessThan(9);
});

test.each([
  ["", /without octet 0/],
  ["IQ== 0\nIQ==\n", /not a rank file: token 1/],
  ["I?== 0\n", /not a rank file/],
  ["IQ== 5\nIg== 5\n", /not a rank file/],
  ["IQ== x\n", /not a rank file/],
  [" 0\n", /not a rank file/],
  ["IQ== 0\nIg== 1\n", /without octet 0/],
])("a damaged rank file is refused: %j", (file, message) => {
  expect(() => read(Buffer.from(file))).toThrow(message);
});
