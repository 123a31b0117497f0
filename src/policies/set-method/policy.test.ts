import { expect, test } from "vitest";
import { exchangeOf, policyStep } from "../../gateway/testing.ts";
import { setMethod } from "./policy.ts";

test.each<[unknown, string]>([
  ["POST", "POST"],
  [" get\n", "GET"],
  [() => "Patch", "PATCH"],
  ["M-SEARCH", "M-SEARCH"],
])("%s → %s", (text, expected) => {
  const exchange = exchangeOf();
  policyStep(setMethod, { text }).run(exchange, null);
  expect(exchange.request.method).toBe(expected);
});

test.each([["GET /x"], [""], ["A\r\nB"]])("%j is refused", (text) => {
  expect(() => policyStep(setMethod, { text: () => text }).run(exchangeOf(), null)).toThrow(
    expect.objectContaining({ source: "set-method", reason: "InvalidMethod", status: 500 }),
  );
});
