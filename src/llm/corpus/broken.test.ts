import fc from "fast-check";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dialectNamed } from "../recognise.ts";
import { tapAnswer } from "../response-tap.ts";
import { ANTHROPIC } from "./anthropic.fixture.ts";
import { BEDROCK } from "./bedrock.fixture.ts";
import type { CorpusCase } from "./corpus.fixture.ts";
import { GEMINI } from "./gemini.fixture.ts";

const RECORDED = Object.entries({ anthropic: ANTHROPIC, gemini: GEMINI, bedrock: BEDROCK }).flatMap(
  ([family, cases]) =>
    cases.map((recorded) => ({
      recorded,
      octets: readFileSync(`${import.meta.dirname}/${family}/${recorded.file}`),
    })),
);

function read({ dialect }: CorpusCase, octets: Uint8Array, size: number): unknown {
  const tap = tapAnswer(dialectNamed(dialect)!, { contentType: null, contentEncoding: null, keepText: 100 });
  for (let at = 0; at < octets.length; at += size) tap.write(octets.subarray(at, at + size));
  void tap.end();
  return { ...tap.found, text: tap.found.text.read(null) };
}

test("answers that are broken anywhere are read the same however they are cut, and nothing throws", () => {
  const broken = fc.record({
    from: fc.constantFrom(...RECORDED),
    at: fc.nat(),
    octets: fc.uint8Array({ minLength: 1, maxLength: 4 }),
    end: fc.nat(),
    size: fc.integer({ min: 1, max: 200 }),
  });
  fc.assert(
    fc.property(broken, ({ from, at, octets, end, size }) => {
      const bytes = Buffer.from(from.octets);
      bytes.set(octets, at % (bytes.length - octets.length));
      const kept = bytes.subarray(0, 1 + (end % bytes.length));
      expect(read(from.recorded, kept, size)).toEqual(read(from.recorded, kept, kept.length));
    }),
    { seed: 5, numRuns: 2000 },
  );
});
