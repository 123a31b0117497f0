import { describe, expect, test } from "vitest";
import { examplePattern } from "./pattern-example.ts";
import { exampleFor } from "./schema-example.ts";

const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

describe("exampleFor", () => {
  test.each<[schema: unknown, words: string, value: unknown]>([
    [undefined, "", "demo"],
    [{}, "", "demo"],
    [{ type: "string" }, "", "demo"],
    [{ type: "string", minLength: 6 }, "", "demo.."],
    [{ type: "string", maxLength: 2 }, "", "de"],
    [{ type: "string", format: "date" }, "", "2026-01-01"],
    [{ type: "string", pattern: "^[A-Z]{3}-\\d{2}$" }, "", "AAA-00"],
    [{ type: "integer" }, "", 1],
    [{ type: "integer", minimum: 5, maximum: 9 }, "", 5],
    [{ type: "integer", exclusiveMinimum: 5 }, "", 6],
    [{ type: "integer", exclusiveMaximum: 0 }, "", -1],
    [{ type: "integer", minimum: 2.5 }, "", 3],
    [{ type: "number", multipleOf: 10, minimum: 15 }, "", 20],
    [{ type: "number", maximum: 0.5 }, "", 0],
    [{ type: "number", minimum: 0.25, maximum: 0.5 }, "", 0.25],
    [{ type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 }, "", 0.5],
    [{ type: "boolean" }, "", true],
    [{ type: "null" }, "", null],
    [{ type: ["null", "integer"] }, "", 1],
    [{ type: [{ toString: 1, valueOf: 1 }] }, "", null],
    [{ properties: { a: { enum: [{ toString: 1 }, 2] } } }, "a=2", { a: 2 }],
    [{ const: 7 }, "", 7],
    [{ enum: ["celsius", "fahrenheit"] }, "", "celsius"],
    [{ enum: ["celsius", "fahrenheit"] }, "in Fahrenheit please", "fahrenheit"],
    [{ type: "string", default: "x" }, "", "x"],
    [{ type: "string", examples: ["y"] }, "", "y"],
    [{ type: "string", default: "x", example: "y" }, "", "y"],
    [{ type: "array", items: { type: "integer" } }, "", [1]],
    [{ type: "array", items: { type: "integer" }, minItems: 3, uniqueItems: true }, "", [1, 2, 3]],
    [{ type: "array", items: { type: "integer" }, maxItems: 0 }, "", []],
    [{ type: "array", prefixItems: [{ type: "integer" }, { type: "boolean" }] }, "", [1, true]],
    [city, "", { city: "demo city" }],
    [city, "city=Paris", { city: "Paris" }],
    [city, "the city is Paris.", { city: "Paris" }],
    [city, 'city: "New York", please', { city: "New York" }],
    [city, '{"city": "Rome"}', { city: "Rome" }],
    [city, "velocity=3", { city: "demo city" }],
    [
      { properties: { n: { type: "integer" }, on: { type: "boolean" } } },
      "n=4 on=false",
      { n: 4, on: false },
    ],
    [{ properties: { n: { type: "integer", maximum: 3 } } }, "n=4", { n: 1 }],
    [{ type: "object", required: ["x"] }, "", { x: "demo x" }],
    [{ type: "object", minProperties: 1, additionalProperties: { type: "integer" } }, "", { key1: 1 }],
    [{ anyOf: [{ type: "null" }, { type: "integer" }] }, "", 1],
    [
      { allOf: [{ properties: { a: { type: "integer" } } }, { properties: { b: { const: 2 } } }] },
      "",
      { a: 1, b: 2 },
    ],
    [{ $ref: "#/$defs/n", $defs: { n: { type: "integer", minimum: 4 } } }, "", 4],
    [{ $ref: "#/nowhere" }, "", "demo"],
    [{ $ref: "#" }, "", "demo"],
    [JSON.parse('{"properties":{"__proto__":{"const":1}}}'), "", JSON.parse('{"__proto__":1}')],
  ])("%j with %j", (schema, words, value) => {
    expect(exampleFor(schema, words)).toEqual(value);
  });

  test("ends on recursive schemas", () => {
    const tree = {
      type: "object",
      properties: { name: { type: "string" }, children: { type: "array", items: { $ref: "#" } } },
      required: ["name", "children"],
    };
    expect(JSON.stringify(exampleFor(tree, "")).length).toBeLessThan(500);
    const list = {
      type: "object",
      properties: { next: { anyOf: [{ $ref: "#" }, { type: "null" }] } },
      required: ["next"],
    };
    expect(JSON.stringify(exampleFor(list, ""))).toMatch(/null\}+$/);
    const endless = {
      type: "object",
      properties: { a: { $ref: "#" }, b: { $ref: "#" } },
      required: ["a", "b"],
    };
    expect(JSON.stringify(exampleFor(endless, "")).length).toBeLessThan(100_000);
  });
});

describe("examplePattern", () => {
  test.each([
    "^[A-Z]{3}-\\d{2}$",
    "^(foo|bar)+$",
    "a?b*c+",
    "^\\w+@\\w+\\.(com|org)$",
    "^[^a]{2,4}$",
    "^(?:x|y){2}z$",
    "^(?<year>\\d{4})-\\s.$",
    "^[\\d.-]+$",
    "^\\+?[1-9]\\d{1,14}$",
    "^$",
  ])("%s matches itself", (pattern) => {
    expect(examplePattern(pattern)).toMatch(new RegExp(pattern));
  });

  test.each(["(?=a)b", "(a)\\1", "\\p{L}", "[", "(", "*", "a{99999}", "(".repeat(1000)])(
    "%s is not known",
    (pattern) => {
      expect(examplePattern(pattern)).toBeNull();
    },
  );
});
