import { expect, test } from "vitest";
import { suggest } from "./suggest.ts";

test.each<[string, string[], string | undefined]>([
  ["backend", ["backends", "tags"], "backends"],
  ["named values", ["namedValues"], "namedValues"],
  ["subscriptionRequried", ["subscriptionRequired", "subscriptionKey"], "subscriptionRequired"],
  ["apiInformaton.json", ["apiInformation.json"], "apiInformation.json"],
  ["cuont", ["count"], "count"],
  ["same", ["same"], undefined],
  ["p", ["q"], undefined],
  ["ab", ["ac"], undefined],
  ["orders", ["customers", "products"], undefined],
  ["", ["x"], undefined],
  ["x".repeat(1000), ["x".repeat(999)], undefined],
])("%s among %j: %s", (word, candidates, expected) => {
  expect(suggest(word, candidates)).toBe(expected);
});
