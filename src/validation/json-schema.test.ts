import { expect, test } from "vitest";
import "../compiler/runtime/library/index.ts";
import { configureBudget } from "../compiler/runtime/budget.ts";
import type { SchemaDocument } from "../gateway/snapshot.ts";
import { foldNames } from "./dialect.ts";
import { UNCHANGED, schemaFor } from "./json-schema.ts";
import { placeOf, tooMuchJson } from "./json-text.ts";

configureBudget(() => performance.now());

const NONE = new Map();

/** What is wrong with a JSON text, with its place; `ok`; or why the schema cannot be used. */
function check(
  schema: SchemaDocument,
  text: string,
  pointer = "#",
  changes = UNCHANGED,
  stored = NONE,
): string {
  const compiled = schemaFor({ document: schema, pointer, name: "" }, stored, changes);
  if (!compiled.ok) return `${compiled.what}: ${compiled.cause}`;
  const data: unknown = JSON.parse(text);
  const mistake = compiled.check(changes.foldNames ? foldNames(data) : data);
  if (mistake === null) return "ok";
  const { line, position } = placeOf(text, mistake.path, changes.foldNames);
  return `${mistake.text} ${line}:${position}`;
}

const object = (properties: object, more: object = {}): SchemaDocument => ({
  type: "object",
  properties,
  ...more,
});

test.each<[SchemaDocument, string, string]>([
  [object({ a: { type: "string" } }), '{"a":null}', "Invalid type. Expected String but got Null. 1:9"],
  [
    object({ a: { type: ["string", "null"] } }),
    '{\n "a": 1}',
    "Invalid type. Expected String, Null but got Integer. 2:7",
  ],
  [object({ a: { type: "integer" } }), '{"a":1.5}', "Invalid type. Expected Integer but got Number. 1:8"],
  [
    object({}, { required: ["x", "y", "z"] }),
    '{"y":1}',
    "Required properties are missing from object: x, z. 1:1",
  ],
  [
    object({ a: {} }, { additionalProperties: false }),
    '{"a":1,"b":{"c":2}}',
    "Property 'b' has not been defined and the schema does not allow additional properties. 1:12",
  ],
  [{ type: "string", minLength: 3 }, '"ab"', "String 'ab' is less than minimum length of 3. 1:4"],
  [{ type: "string", maxLength: 1 }, '"ab"', "String 'ab' exceeds maximum length of 1. 1:4"],
  [
    { type: "string", pattern: "^[A-Z]+$" },
    '"ab"',
    "String 'ab' does not match regex pattern '^[A-Z]+$'. 1:4",
  ],
  [{ type: "string", pattern: "^[A-Z]+$" }, '"AB"', "ok"],
  [
    { type: "string", format: "date" },
    '"2020-02-30"',
    "String '2020-02-30' does not validate against format 'date'. 1:12",
  ],
  [{ type: "string", format: "no-such-format" }, '"x"', "ok"],
  [{ type: "integer", minimum: 5 }, "4", "Integer 4 is less than minimum value of 5. 1:1"],
  [{ type: "integer", maximum: 5 }, "6", "Integer 6 exceeds maximum value of 5. 1:1"],
  [
    { minimum: 5, exclusiveMinimum: true },
    "5",
    "Integer 5 equals minimum value of 5 and exclusive minimum is true. 1:1",
  ],
  [{ exclusiveMaximum: 5 }, "5.5", "Number 5.5 exceeds maximum value of 5. 1:3"],
  [{ multipleOf: 2 }, "3", "Integer 3 is not a multiple of 2. 1:1"],
  [{ enum: ["a", "b"] }, '"c"', 'Value "c" is not defined in enum. 1:3'],
  [{ const: 1 }, "2", "Value 2 does not match const. 1:1"],
  [{ type: "array", minItems: 2 }, "[1]", "Array item count 1 is less than minimum count of 2. 1:1"],
  [{ type: "array", maxItems: 1 }, "[1,2]", "Array item count 2 exceeds maximum count of 1. 1:1"],
  [
    { type: "array", uniqueItems: true },
    '[{"a":1,"b":2},{"b":2,"a":1}]',
    "Non-unique array item at index 1. 1:1",
  ],
  [
    { type: "array", items: { type: "string" } },
    '["a", 2]',
    "Invalid type. Expected String but got Integer. 1:7",
  ],
  [
    { type: "object", minProperties: 1 },
    "{}",
    "Object property count 0 is less than minimum count of 1. 1:1",
  ],
  [
    { anyOf: [{ type: "string" }, { type: "null" }] },
    "1",
    "JSON does not match any schemas from 'anyOf'. 1:1",
  ],
  [
    { oneOf: [{ type: "string" }, { type: "null" }] },
    "1",
    "JSON is valid against no schemas from 'oneOf'. 1:1",
  ],
  [
    { oneOf: [{ type: "integer" }, { minimum: 0 }] },
    "1",
    "JSON is valid against more than one schema from 'oneOf'. Valid schema indexes: 0, 1. 1:1",
  ],
  [{ not: { type: "string" } }, '"x"', "JSON is valid against schema from 'not'. 1:3"],
  [
    { allOf: [{ type: "object" }, { required: ["a"] }] },
    "{}",
    "Required properties are missing from object: a. 1:1",
  ],
  [object({ a: { type: "string", nullable: true, enum: ["x"] } }), '{"a":null}', "ok"],
  [
    {
      components: { schemas: { a: { nullable: true, allOf: [{ type: "string" }] } } },
      $ref: "#/components/schemas/a",
    },
    "null",
    "ok",
  ],
  [{ type: "file" }, "1", "ok"],
  [
    object({ id: { type: "string" } }, { id: "urn:x", $schema: "http://json-schema.org/draft-04/schema#" }),
    '{"id":1}',
    "Invalid type. Expected String but got Integer. 1:7",
  ],
  [
    { $schema: "https://json-schema.org/draft/2020-12/schema", prefixItems: [{ type: "string" }] },
    "[1]",
    "Invalid type. Expected String but got Integer. 1:2",
  ],
  [
    object({ example: { type: "string" } }, { example: { nullable: true } }),
    '{"example":1}',
    "Invalid type. Expected String but got Integer. 1:12",
  ],
  [
    object({ __proto__x: {} }, { required: ["toString"] }),
    "{}",
    "Required properties are missing from object: toString. 1:1",
  ],
])("%j: %s", (schema, text, expected) => {
  expect(check(schema, text)).toBe(expected);
});

const API = {
  components: {
    schemas: {
      "A/B": { $ref: "#/components/schemas/C" },
      C: { type: "string" },
      Broken: { $ref: "#/components/schemas/None" },
    },
  },
};

test("definitions are found by pointer", () => {
  expect(check(API, "1", "#/components/schemas/A~1B")).toBe(
    "Invalid type. Expected String but got Integer. 1:1",
  );
  expect(check(API, "1", "#/components/schemas/D")).toBe("definition: There is no #/components/schemas/D.");
  expect(check(API, "1", "#/definitions/D")).toBe("definitions: There is no #/definitions/D.");
  expect(check({ definitions: {} }, "1", "#/definitions/D")).toMatch(/^definitions: /);
  expect(check({}, "1", "#/paths/D")).toMatch(/^definition: /);
  expect(check(API, "1", "#/components/schemas/Broken")).toMatch(/^schema: can't resolve reference/);
});

test("a schema that recurses", () => {
  const tree = { type: "object", properties: { next: { $ref: "#" } }, required: ["v"] };
  expect(check(tree, '{"v":1,"next":{"v":2,"next":{}}}')).toBe(
    "Required properties are missing from object: v. 1:29",
  );
});

test("stored schemas refer to each other", () => {
  const stored = new Map([
    ["other", { type: "json" as const, document: { definitions: { N: { type: "integer" } } } }],
  ]);
  expect(
    check(object({ n: { $ref: "/schemas/Other#/definitions/N" } }), '{"n":"x"}', "#", UNCHANGED, stored),
  ).toBe("Invalid type. Expected Integer but got String. 1:8");
});

test("additional properties, overridden both ways", () => {
  const closed = object({ a: object({}) }, { additionalProperties: false });
  const open = object({ a: object({}) });
  const changes = (additionalProperties: boolean) => ({ additionalProperties, foldNames: false });
  expect(check(closed, '{"b":1}', "#", changes(true))).toBe("ok");
  expect(check(open, '{"a":{"b":1}}', "#", changes(false))).toBe(
    "Property 'b' has not been defined and the schema does not allow additional properties. 1:11",
  );
});

test("names without case", () => {
  const schema = object({ Name: { type: "string" } }, { required: ["Name"] });
  const changes = { additionalProperties: null, foldNames: true };
  expect(check(schema, '{"NAME":1}', "#", changes)).toBe(
    "Invalid type. Expected String but got Integer. 1:9",
  );
  expect(check(schema, '{"name":"x"}', "#", changes)).toBe("ok");
});

test("a pattern that explodes is stopped", () => {
  const compiled = schemaFor({ document: { pattern: "^(a+)+$" }, pointer: "#", name: "" }, NONE);
  expect(() => compiled.ok && compiled.check(`${"a".repeat(5000)}!`)).toThrow(/took/);
});

test("the same schema is compiled once", () => {
  const document = { type: "string" };
  const use = { document, pointer: "#", name: "" };
  expect(schemaFor(use, NONE)).toBe(schemaFor({ ...use }, NONE));
});

test("what is too much to parse", () => {
  expect(tooMuchJson(`${"[".repeat(128)}${"]".repeat(128)}`)).toBeNull();
  expect(tooMuchJson("[".repeat(129))).toBe("It is nested deeper than 128.");
  expect(tooMuchJson(`{${'"a":1,'.repeat(50_001)}`)).toBe("It has more than 50000 properties.");
  expect(tooMuchJson('{"[[[::":"\\"{{{"}')).toBeNull();
});
