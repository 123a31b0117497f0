import { expect, test } from "vitest";
import { indexKeys } from "./keys.ts";
import { subscriptionOf } from "./testing.ts";

const index = indexKeys([
  subscriptionOf("one", { kind: "all" }),
  subscriptionOf("two", { kind: "all" }, { primaryKey: "", secondaryKey: "zweiter Schlüssel" }),
]);

test.each([
  ["one-1", "one"],
  ["one-2", "one"],
  ["zweiter Schlüssel", "two"],
  ["ONE-1", null],
  ["one-1 ", null],
  ["", null],
  ["x".repeat(257), null],
])("%j → %s", (key, expected) => {
  expect(index.find(key)?.subscription.id ?? null).toBe(expected);
});
