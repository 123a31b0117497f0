import { expect, test } from "vitest";
import { exchangeOf, policyStep } from "../../gateway/testing.ts";
import { setVariable } from "./policy.ts";

test.each<[unknown, unknown]>([
  ["5", "5"],
  ["", ""],
  [() => 5, 5],
  [() => null, null],
])("%s is stored as it is", (value, stored) => {
  const exchange = exchangeOf();
  policyStep(setVariable, { attributes: { name: "v", value: "before" } }).run(exchange, null);
  policyStep(setVariable, { attributes: { name: "v", value } }).run(exchange, null);
  expect([...exchange.variables]).toEqual([["v", stored]]);
});

test("names differ by case", () => {
  const exchange = exchangeOf();
  for (const name of ["v", "V"])
    policyStep(setVariable, { attributes: { name, value: name } }).run(exchange, null);
  expect([...exchange.variables.keys()]).toEqual(["v", "V"]);
});
