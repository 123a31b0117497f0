import { expect, test } from "vitest";
import "../../compiler/runtime/library/index.ts";
import type { ParameterRule } from "../../gateway/snapshot.ts";
import { type Written, exchangeOf, policyStep, responseOf } from "../../gateway/testing.ts";
import { GENERIC } from "../../validation/findings.ts";
import { describeOperation, outcomeOf } from "../../validation/testing.ts";
import { validateHeaders } from "./policy.ts";

const rule = (name: string, type = "string", more: Partial<ParameterRule> = {}): ParameterRule => ({
  name,
  type,
  required: false,
  values: [],
  schema: null,
  ...more,
});
const header = (name: string, action: unknown): Written["children"] => ({
  header: [{ attributes: { name, action } }],
});

const refused = (details: string): string => `502 Response not allowed: ${details} | client: ${GENERIC}`;

test.each<[string, readonly string[], readonly ParameterRule[], Written, string]>([
  ["as described", ["X-A", "text"], [rule("x-a")], {}, "ok"],
  [
    "wrong type",
    ["X-A", "x"],
    [rule("X-A", "integer")],
    {},
    refused("Value of the header X-A cannot be parsed according to the definition. 'x' is not an integer."),
  ],
  [
    "twice",
    ["X-A", "1", "x-a", "2"],
    [rule("X-A")],
    {},
    refused("Response cannot contain multiple values for the header X-A."),
  ],
  ["a list", ["X-A", "1", "x-a", "2"], [rule("X-A", "array")], {}, "ok"],
  ["not described", ["X-B", "1"], [], {}, refused("Unspecified header X-B is not allowed.")],
  ["not described, ignored", ["X-B", "1"], [], { children: header("x-b", "ignore") }, "ok"],
  [
    "required",
    [],
    [rule("X-A", "string", { required: true })],
    {},
    refused("Required header X-A is missing."),
  ],
  [
    "framing is no business of ours",
    ["Connection", "close", "Content-Length", "3", "Transfer-Encoding", "chunked"],
    [],
    {},
    "ok",
  ],
  [
    "wrong, ignored",
    ["X-A", "x"],
    [rule("X-A", "integer")],
    { attributes: { "specified-header-action": "ignore" } },
    "ok",
  ],
  [
    "wrong, ignored but for this",
    ["X-A", "x"],
    [rule("X-A", "boolean")],
    { attributes: { "specified-header-action": "ignore" }, children: header("X-A", "prevent") },
    refused("Value of the header X-A cannot be parsed according to the definition. 'x' is not a boolean."),
  ],
  [
    "listed values",
    ["X-A", "c"],
    [rule("X-A", "string", { values: ["a", "b"] })],
    {},
    refused(
      'Value of the header X-A does not conform to the definition. Value "c" is not defined in enum. Line: 1, Position: 3',
    ),
  ],
])("validate-headers: %s", async (_name, headers, rules, written, expected) => {
  const exchange = exchangeOf();
  describeOperation(exchange, "/x", { responses: [{ status: "200", headers: rules, bodies: [] }] });
  exchange.response = responseOf(200, null, headers);
  const attributes = {
    "specified-header-action": "prevent",
    "unspecified-header-action": "prevent",
    ...written.attributes,
  };
  const step = policyStep(validateHeaders, { ...written, attributes }, { section: "outbound" });
  expect(await outcomeOf(step, exchange)).toBe(expected);
});

test("detected: all of them", async () => {
  const exchange = exchangeOf();
  describeOperation(exchange, "/x", {
    responses: [{ status: "2XX", headers: [rule("X-A", "number")], bodies: [] }],
  });
  exchange.response = responseOf(204, null, ["X-A", "x", "X-B", "y"]);
  const attributes = {
    "specified-header-action": "detect",
    "unspecified-header-action": () => "detect",
    "errors-variable-name": "errors",
  };
  expect(
    await outcomeOf(policyStep(validateHeaders, { attributes }, { section: "outbound" }), exchange),
  ).toBe(
    JSON.stringify([
      {
        Name: "X-A",
        Type: "ResponseHeader",
        ValidationRule: "IncorrectMessage",
        Details: "Value of the header X-A cannot be parsed according to the definition. 'x' is not a number.",
        Action: "detect",
      },
      {
        Name: "X-B",
        Type: "ResponseHeader",
        ValidationRule: "Unspecified",
        Details: "Unspecified header X-B is not allowed.",
        Action: "detect",
      },
    ]),
  );
});
