import { expect, test } from "vitest";
import { exchangeOf, mistakesOf, policyStep } from "../../gateway/testing.ts";
import { setQueryParameter } from "./policy.ts";

const written = (name: unknown, action: unknown, values: readonly unknown[]) => ({
  attributes: { name, "exists-action": action },
  children: { value: values.map((text) => ({ text })) },
});

function after(query: string, name: unknown, action: unknown, values: readonly unknown[]): string {
  const exchange = exchangeOf({ target: `/?${query}` });
  policyStep(setQueryParameter, written(name, action, values)).run(exchange, null);
  return exchange.request.query;
}

test.each<[string, unknown, unknown, readonly unknown[], string]>([
  ["a=1&x=old&b=2", "x", "override", ["new"], "a=1&b=2&x=new"],
  ["", "x", "override", ["new"], "x=new"],
  ["x=old", "x", "skip", ["new"], "x=old"],
  ["a", "x", "skip", ["new"], "a&x=new"],
  ["x=old", "x", "append", ["new"], "x=old&x=new"],
  ["", "x", "append", ["new"], "x=new"],
  ["a=1&x=1&x=2", "x", "delete", [], "a=1"],
  ["a=1", "x", "delete", [], "a=1"],
  ["X=1&b", "x", "delete", [], "b"],
  ["%78=1&b", "x", "delete", [], "b"],
  ["x+y=1", "x y", "delete", [], ""],
  ["", "x", "override", ["1", "2"], "x=1&x=2"],
  ["", "a b", "override", ["c d&e=f+g/ü"], "a%20b=c%20d%26e%3Df%2Bg%2F%C3%BC"],
  ["x=1", "x", "override", [() => null], ""],
  ["", "x", "override", [""], "x="],
  ["", "x", "override", ["\ud800"], "x=%EF%BF%BD"],
  ["a=%zz&&b", "x", "override", ["1"], "a=%zz&&b&x=1"],
  ["x=1", () => "x", () => "Delete", [], ""],
  ["$top=1", "$format", "override", ["json$"], "$top=1&$format=json%24"],
  ["%24format=xml", "$format", "override", ["json"], "$format=json"],
  ["", () => "\ud800", "override", ["1"], "%EF%BF%BD=1"],
])("%j %s %s %j → %s", (query, name, action, values, expected) => {
  expect(after(query, name, action, values)).toBe(expected);
});

test.each<[unknown, unknown, string]>([
  [() => "", "override", "The name of the query parameter is empty."],
  ["x", () => "replace", 'exists-action is override, skip, append or delete, not "replace".'],
])("%s %s is refused", (name, action, message) => {
  expect(() => after("", name, action, ["1"])).toThrow(
    expect.objectContaining({ source: "set-query-parameter", message }),
  );
});

test.each<[string, readonly unknown[], readonly string[]]>([
  ["delete", [], []],
  ["override", ["1"], []],
  ["override", [], ["at least one <value> is needed unless exists-action is delete"]],
])("%s with %j", (action, values, expected) => {
  expect(mistakesOf(setQueryParameter, written("x", action, values))).toEqual(expected);
});
