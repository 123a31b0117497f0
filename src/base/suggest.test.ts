import { expect, test } from "vitest";
import { editDistance, suggest } from "./suggest.ts";

const attributes = [
  "counter-key",
  "tokens-per-minute",
  "token-quota",
  "token-quota-period",
  "estimate-prompt-tokens",
];
const policies = [
  "set-header",
  "set-body",
  "set-backend-service",
  "forward-request",
  "rate-limit",
  "rate-limit-by-key",
  "choose",
  "cors",
];

test.each([
  ["token-per-minute", attributes, "tokens-per-minute"],
  ["tokensPerMinute", attributes, "tokens-per-minute"],
  ["tokens_per_minute", attributes, "tokens-per-minute"],
  ["minute-tokens-per", attributes, "tokens-per-minute"],
  ["per-minute", attributes, "tokens-per-minute"],
  ["conuter-key", attributes, "counter-key"],
  ["Counter-Key", attributes, "counter-key"],
  ["quota", attributes, "token-quota"],
  ["Set-Header", policies, "set-header"],
  ["setheader", policies, "set-header"],
  ["set-haeder", policies, "set-header"],
  ["set-backend", policies, "set-backend-service"],
  ["chose", policies, "choose"],
  ["cor", policies, "cors"],
  ["ratelimit", policies, "rate-limit"],
  ["xyz", policies, null],
  ["backend", ["backends", "tags"], "backends"],
  ["named values", ["namedValues"], "namedValues"],
  ["subscriptionRequried", ["subscriptionRequired", "subscriptionKey"], "subscriptionRequired"],
  ["apiInformaton.json", ["apiInformation.json"], "apiInformation.json"],
  ["cuont", ["count"], "count"],
  ["p", ["q"], null],
  ["orders", ["customers", "products"], null],
  ["x".repeat(1000), ["x".repeat(999)], null],
  ["", policies, null],
  ["x".repeat(100), policies, null],
  ["set-header", ["set-header"], null],
])("%s", (name, candidates, expected) => {
  expect(suggest(name, candidates)).toBe(expected);
});

test.each([
  ["", "", 0],
  ["a", "", 1],
  ["ab", "ba", 1],
  ["abc", "acb", 1],
  ["kitten", "sitting", 3],
])("distance of %j and %j", (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
});
