import { describe, expect, test } from "vitest";
import { kindOf, canonicalType, kinds } from "./index.ts";
import * as is from "./shape.ts";

/** `code path rule` for each finding, and the normalised value. */
function check(value: unknown, shape: is.Shape) {
  const findings: is.Finding[] = [];
  const checked = is.checkShape(value, shape, findings);
  const told = findings.map(({ code, path, hint }) =>
    [code, is.pathText(path), hint && `(${hint})`].filter(Boolean).join(" "),
  );
  return { checked, told };
}

const shape = is.object(
  { name: is.text(), count: is.integer(1, 5), inner: is.object({ flag: is.boolean }) },
  ["name"],
);

test.each<[string, is.Shape, unknown, unknown, string[]]>([
  ["text", is.text(), "x", "x", []],
  ["a number for a text", is.text(), 2, "2", []],
  ["a boolean for a text", is.text(), true, undefined, ["HG5201"]],
  ["too long", is.text(2), "abc", "abc", ["HG5203"]],
  ["empty", is.text(9, { min: 1 }), "", "", ["HG5203"]],
  ["true", is.boolean, true, true, []],
  ["true as text", is.boolean, "True", true, []],
  ["yes", is.boolean, "yes", undefined, ["HG5201 (write `true` without quotes)"]],
  ["one", is.boolean, 1, undefined, ["HG5201"]],
  ["a number as text", is.integer(), "3", 3, []],
  ["a fraction", is.integer(), 1.5, undefined, ["HG5201"]],
  ["a fraction where allowed", is.number(0, 100), "0.5", 0.5, []],
  ["out of bounds", is.integer(1, 5), 6, 6, ["HG5203"]],
  ["infinite", is.number(), "1e999", undefined, ["HG5201"]],
  ["an enum in another case", is.oneOf("Segment", "Query"), "sEGMENT", "Segment", []],
  ["an enum misspelt", is.oneOf("Segment", "Query"), "Qurey", undefined, ["HG5202 (did you mean `Query`?)"]],
  ["an enum given a list", is.oneOf("Segment"), ["Segment"], undefined, ["HG5202"]],
  ["a list", is.list(is.integer()), ["1", 2], [1, 2], []],
  ["a list with gaps", is.list(is.integer()), [1, null, 2], [1, 2], ["HG5201 [1]"]],
  ["not a list", is.list(is.text()), "x", undefined, ["HG5201 (write it inside `[ ]`)"]],
  ["too many", is.list(is.text(), 1), ["a", "b"], ["a", "b"], ["HG5203"]],
  ["a map", is.map(is.integer()), { a: "1", b: null }, { a: 1 }, []],
  [
    "a map with a name that is none",
    is.map(is.integer(), (name) => (name === "b" ? { rule: "must not be b" } : undefined)),
    { a: 1, b: 2 },
    { a: 1, b: 2 },
    ["HG5203 b"],
  ],
  [
    "properties that do not go together",
    is.object({ min: is.integer(), max: is.integer() }, [], ({ min, max }) =>
      Number(min) > Number(max) ? { rule: "must not be" } : undefined,
    ),
    { min: "3", max: 2 },
    { min: 3, max: 2 },
    ["HG5203"],
  ],
  [
    "an object",
    shape,
    { name: "n", COUNT: "2", new: [1], inner: { flag: "false" } },
    { name: "n", count: 2, new: [1], inner: { flag: false } },
    [],
  ],
  [
    "everything wrong at once",
    shape,
    { count: 9, inner: { flag: 3, falg: 1 } },
    { count: 9, inner: { falg: 1 } },
    ["HG5203 count", "HG5201 inner.flag", "HG5204"],
  ],
  [
    "a misspelling of what is missing",
    shape,
    { nmae: 1 },
    { nmae: 1 },
    ["HG5205 nmae (did you mean `name`?)", "HG5204"],
  ],
  ["null is absent", shape, { name: null }, {}, ["HG5204"]],
  ["either, the second", is.either(is.list(is.text()), is.text()), "x", "x", []],
  [
    "either, none",
    is.either(is.list(is.text()), is.boolean),
    7,
    undefined,
    ["HG5201 (write it inside `[ ]`)"],
  ],
])("%s", (_, expected, value, normalised, told) => {
  expect(check(value, expected)).toEqual({ checked: normalised, told });
});

describe("durations", () => {
  test.each(["PT1M", "PT30S", "P1D", "P1DT2H3M4.5S", "P2W", "PT0S"])("%s", (text) => {
    expect(check(text, is.duration).told).toEqual([]);
  });
  test.each(["", "P", "PT", "1M", "PT1", "P1M", "P1Y", "pt1m", "PT1H30", "P1DT"])("not %s", (text) => {
    expect(check(text, is.duration).told).toHaveLength(1);
  });
});

test.each([
  ["/apis/a", "apis", "apis"],
  ["/APIS/a/Operations/o", "apis/operations", "apis/operations"],
  ["/workspaces/w", "workspaces", "workspaces"],
  ["/workspaces/w/apis/a/policies/policy", "apis/policies", "workspaces/apis/policies"],
  ["/workspaces/w/policies/policy", "workspaces/policies", "workspaces/policies"],
  ["/notifications/n", undefined, "notifications"],
  ["/", "service", "service"],
])("the kind of %s is %s, its type %s", (id, kind, type) => {
  expect(kindOf(id)?.type).toBe(kind);
  expect(canonicalType(id)).toBe(type);
});

test("each type is listed once", () => {
  expect(new Set(kinds.map(({ type }) => type)).size).toBe(kinds.length);
});
