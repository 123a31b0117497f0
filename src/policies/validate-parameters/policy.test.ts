import { expect, test } from "vitest";
import "../../compiler/runtime/library/index.ts";
import type { OperationContract, ParameterRule } from "../../gateway/snapshot.ts";
import { type Written, exchangeOf, policyStep } from "../../gateway/testing.ts";
import { GENERIC } from "../../validation/findings.ts";
import { describeOperation, outcomeOf } from "../../validation/testing.ts";
import { validateParameters } from "./policy.ts";

const rule = (name: string, type = "string", more: Partial<ParameterRule> = {}): ParameterRule => ({
  name,
  type,
  required: false,
  values: [],
  schema: null,
  ...more,
});
const schema = (document: Record<string, unknown>): Partial<ParameterRule> => ({
  schema: { document, pointer: "#", name: "" },
});

interface Given {
  readonly target?: string;
  readonly headers?: readonly string[];
  readonly contract?: Partial<OperationContract>;
  readonly path?: Record<string, string>;
  readonly attributes?: Record<string, unknown>;
  readonly children?: Written["children"];
}

async function run({
  target = "/api/x",
  headers = [],
  contract = {},
  path = {},
  attributes,
  children = {},
}: Given): Promise<string> {
  const exchange = exchangeOf({ target, headers });
  describeOperation(exchange, "/x", contract);
  exchange.request.matchedParameters = new Map(Object.entries(path));
  const all = {
    "specified-parameter-action": "prevent",
    "unspecified-parameter-action": "prevent",
    ...attributes,
  };
  // Host is always there.
  const ignoringHost = {
    headers: [{ children: { parameter: [{ attributes: { name: "host", action: "ignore" } }] } }],
    ...children,
  };
  return outcomeOf(policyStep(validateParameters, { attributes: all, children: ignoringHost }), exchange);
}

const q = (...rules: ParameterRule[]): Given["contract"] => ({ query: rules });
const bad = (details: string, client?: string): string =>
  `400 Bad request: ${details}${client === undefined ? "" : ` | client: ${client}`}`;
const unparsed = (name: string, reason: string): string =>
  bad(`Value of the query parameter ${name} cannot be parsed according to the definition. ${reason}`);
const wrong = (name: string, reason: string): string =>
  bad(
    `Value of the query parameter ${name} does not conform to the definition. ${reason}`,
    `The value of the query parameter ${name} does not conform to the definition. ${reason}`,
  );
const override = (name: string, action: unknown) => ({
  children: { parameter: [{ attributes: { name, action } }] },
});

test.each<[string, Given, string]>([
  ["nothing given, nothing described", {}, "ok"],
  ["described", { target: "/api/x?a=1", contract: q(rule("a", "integer")) }, "ok"],
  [
    "not an integer",
    { target: "/api/x?a=1.5", contract: q(rule("a", "integer")) },
    unparsed("a", "'1.5' is not an integer."),
  ],
  ["a number", { target: "/api/x?a=-1.5e3", contract: q(rule("a", "number")) }, "ok"],
  [
    "not a number",
    { target: "/api/x?a=one%20two", contract: q(rule("a", "number")) },
    unparsed("a", "'one two' is not a number."),
  ],
  ["a boolean", { target: "/api/x?a=True", contract: q(rule("a", "boolean")) }, "ok"],
  [
    "not a boolean",
    { target: "/api/x?a=1", contract: q(rule("a", "boolean")) },
    unparsed("a", "'1' is not a boolean."),
  ],
  ["a type that nobody knows is text", { target: "/api/x?a=1", contract: q(rule("a", "datetime")) }, "ok"],
  [
    "given twice",
    { target: "/api/x?a=1&a=2", contract: q(rule("a")) },
    bad("Request cannot contain multiple values for the query parameter a."),
  ],
  ["an array", { target: "/api/x?a=1&a=2", contract: q(rule("a", "array")) }, "ok"],
  [
    "an array with commas",
    {
      target: "/api/x?a=1,2,x",
      contract: q(rule("a", "array", schema({ type: "array", items: { type: "integer" } }))),
    },
    unparsed("a", "'x' is not an integer."),
  ],
  ...(
    [
      ["1", { anyOf: [{ type: "integer" }, { type: "null" }] }, "ok"],
      ["x", { anyOf: [{ type: "integer" }, { type: "null" }] }, unparsed("a", "'x' is not an integer.")],
      ["x", { type: ["integer", "string"] }, "ok"],
      ["true", { oneOf: [{ type: "boolean" }, { type: "integer" }] }, "ok"],
      ["5", { allOf: [{ $ref: "#/definitions/N" }], definitions: { N: { type: "integer" } } }, "ok"],
      [
        "1,2",
        { type: "array", items: { $ref: "#/definitions/N" }, definitions: { N: { type: "integer" } } },
        "ok",
      ],
      ["1,x", { type: "array", items: { type: ["integer", "string"] } }, "ok"],
    ] as const
  ).map(([value, described, expected]): [string, Given, string] => [
    `${value} by ${JSON.stringify(described)}`,
    {
      target: `/api/x?a=${value}`,
      contract: q(
        rule("a", "type" in described && described.type === "array" ? "array" : "string", schema(described)),
      ),
    },
    expected,
  ]),
  [
    "a long array",
    { target: "/api/x?a=1,2,3", contract: q(rule("a", "array", schema({ type: "array", maxItems: 2 }))) },
    wrong("a", "Array item count 3 exceeds maximum count of 2. Line: 1, Position: 1"),
  ],
  [
    "an object",
    { target: "/api/x?a=%7B%22b%22%3A1%7D", contract: q(rule("a", "object", schema({ required: ["c"] }))) },
    wrong("a", "Required properties are missing from object: c. Line: 1, Position: 1"),
  ],
  [
    "by its schema",
    { target: "/api/x?a=12", contract: q(rule("a", "", schema({ type: "integer", maximum: 10 }))) },
    wrong("a", "Integer 12 exceeds maximum value of 10. Line: 1, Position: 2"),
  ],
  [
    "by its pattern",
    { target: "/api/x?a=ab", contract: q(rule("a", "string", schema({ pattern: "^[0-9]+$" }))) },
    wrong("a", "String 'ab' does not match regex pattern '^[0-9]+$'. Line: 1, Position: 4"),
  ],
  [
    "a schema that does not exist",
    {
      target: "/api/x?a=1",
      contract: q(rule("a", "string", { schema: { document: null, pointer: "#", name: "A" } })),
    },
    bad("API's schema does not exist or it could not be resolved.", GENERIC),
  ],
  [
    "a schema without definitions",
    {
      target: "/api/x?a=1",
      contract: q(rule("a", "string", { schema: { document: {}, pointer: "#/definitions/A", name: "A" } })),
    },
    bad("API's schema does not specify definitions.", GENERIC),
  ],
  [
    "a definition that does not exist",
    {
      target: "/api/x?a=1",
      contract: q(
        rule("a", "string", {
          schema: { document: { definitions: { B: {} } }, pointer: "#/definitions/A", name: "A" },
        }),
      ),
    },
    bad(
      "API's schema does not contain definition A, which is associated with the query parameter a.",
      GENERIC,
    ),
  ],
  [
    "listed values",
    { target: "/api/x?a=c", contract: q(rule("a", "string", { values: ["a", "b"] })) },
    wrong("a", 'Value "c" is not defined in enum. Line: 1, Position: 3'),
  ],
  [
    "required",
    { contract: q(rule("a", "string", { required: true })) },
    bad("Required query parameter a is missing."),
  ],
  ["not described", { target: "/api/x?b=1" }, bad("Unspecified query parameter b is not allowed.")],
  [
    "query names have case",
    { target: "/api/x?A=1", contract: q(rule("a")) },
    bad("Unspecified query parameter A is not allowed."),
  ],
  [
    "header names have none",
    { headers: ["X-ID", "7"], contract: { headers: [rule("x-id", "integer")] } },
    "ok",
  ],
  [
    "a header of the wrong type",
    { headers: ["X-ID", "x"], contract: { headers: [rule("x-id", "integer")] } },
    bad("Value of the header x-id cannot be parsed according to the definition. 'x' is not an integer."),
  ],
  [
    "the trap: Authorization",
    { headers: ["Authorization", "Basic x"] },
    bad("Unspecified header Authorization is not allowed."),
  ],
  [
    "the subscription key is the gateway's own",
    { target: "/api/x?subscription-key=1", headers: ["ocp-apim-subscription-key", "1"] },
    "ok",
  ],
  [
    "path",
    { path: { id: "x" }, contract: { path: [rule("ID", "integer")] } },
    bad(
      "Value of the path parameter ID cannot be parsed according to the definition. 'x' is not an integer.",
    ),
  ],
  ["path parameters are never unspecified", { path: { id: "x" } }, "ok"],
  [
    "ignored",
    {
      target: "/api/x?a=x&b=1",
      contract: q(rule("a", "integer")),
      attributes: { "specified-parameter-action": "ignore", "unspecified-parameter-action": "ignore" },
    },
    "ok",
  ],
  [
    "the group overrides",
    {
      target: "/api/x?b=1",
      children: { query: [{ attributes: { "unspecified-parameter-action": "ignore" } }] },
    },
    "ok",
  ],
  [
    "the parameter overrides the group",
    {
      target: "/api/x?b=1",
      children: {
        query: [
          { attributes: { "unspecified-parameter-action": "ignore" }, ...override("b", () => "prevent") },
        ],
      },
    },
    bad("Unspecified query parameter b is not allowed."),
  ],
  [
    "a path override",
    {
      path: { id: "x" },
      contract: { path: [rule("id", "integer")] },
      children: { path: [override("id", "ignore")] },
    },
    "ok",
  ],
])("validate-parameters: %s", async (_name, given, expected) => {
  expect(await run(given)).toBe(expected);
});

test("detected: everything is noted; prevented: the first group that has something ends it", async () => {
  const given: Given = {
    target: "/api/x?b=1&c=2",
    headers: ["X-A", "1"],
    path: { id: "x" },
    contract: { path: [rule("id", "integer")] },
    attributes: { "errors-variable-name": "errors" },
  };
  const noted = async (action: string): Promise<string[]> => {
    const said = await run({
      ...given,
      attributes: {
        ...given.attributes,
        "specified-parameter-action": action,
        "unspecified-parameter-action": action,
      },
    });
    return (
      JSON.parse(said.slice(said.indexOf("["))) as { Type: string; Name: string; Action: string }[]
    ).map(({ Type, Name, Action }) => `${Type} ${Name} ${Action}`);
  };
  expect(await noted("detect")).toEqual([
    "RequestHeader X-A detect",
    "QueryParameter b detect",
    "QueryParameter c detect",
    "PathParameter id detect",
  ]);
  expect(await noted("prevent")).toEqual(["RequestHeader X-A prevent"]);
});
