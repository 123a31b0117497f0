import { expect, test } from "vitest";
import "../../compiler/runtime/library/index.ts";
import { type Written, exchangeOf, policyStep, responseOf } from "../../gateway/testing.ts";
import { GENERIC } from "../../validation/findings.ts";
import { describeOperation, outcomeOf } from "../../validation/testing.ts";
import { validateStatusCode } from "./policy.ts";

const only = (...statuses: string[]) => statuses.map((status) => ({ status, headers: [], bodies: [] }));
const codes = (...pairs: [number, unknown][]): Written["children"] => ({
  "status-code": pairs.map(([code, action]) => ({ attributes: { code, action } })),
});

const refused = (status: number): string =>
  `502 Response not allowed: Response status code ${status} is not allowed. | client: ${GENERIC}`;
const noted = (status: number, action: string): string =>
  `[{"Name":"${status}","Type":"StatusCode","ValidationRule":"Unspecified","Details":"Response status code ${status} is not allowed.","Action":"${action}"}]`;

test.each<[string, number, readonly string[], Written, string]>([
  ["described", 200, ["200"], {}, "ok"],
  ["not described", 201, ["200"], {}, `${refused(201)} | ${noted(201, "prevent")}`],
  ["its range is described", 404, ["200", "4XX"], {}, "ok"],
  ["another range is", 500, ["200", "4XX"], {}, `${refused(500)} | ${noted(500, "prevent")}`],
  ["there is a default", 500, ["default"], {}, "ok"],
  ["nothing is described", 200, [], {}, `${refused(200)} | ${noted(200, "prevent")}`],
  [
    "detected",
    201,
    ["200"],
    { attributes: { "unspecified-status-code-action": "detect" } },
    noted(201, "detect"),
  ],
  ["ignored", 201, ["200"], { attributes: { "unspecified-status-code-action": "ignore" } }, "ok"],
  ["this one is ignored", 201, ["200"], { children: codes([201, "ignore"]) }, "ok"],
  [
    "this one is not",
    201,
    ["200"],
    { attributes: { "unspecified-status-code-action": "ignore" }, children: codes([201, () => "Prevent"]) },
    `${refused(201)} | ${noted(201, "prevent")}`,
  ],
  ["an override of a described one means nothing", 200, ["200"], { children: codes([200, "prevent"]) }, "ok"],
  [
    "the variable's other name",
    201,
    ["200"],
    { attributes: { "errors-variable-name": undefined, "error-variable-name": "errors" } },
    `${refused(201)} | ${noted(201, "prevent")}`,
  ],
  ["no variable", 201, ["200"], { attributes: { "errors-variable-name": "" } }, refused(201)],
  [
    "an action that is none",
    201,
    ["200"],
    { attributes: { "unspecified-status-code-action": () => "stop" } },
    '500 InvalidAction: "stop" is not an action; allowed: ignore, prevent, detect. | client: Internal server error',
  ],
])("validate-status-code: %s", async (_name, status, described, written, expected) => {
  const exchange = exchangeOf();
  describeOperation(exchange, "/x", { responses: only(...described) });
  exchange.response = responseOf(status);
  const attributes = {
    "unspecified-status-code-action": "prevent",
    "errors-variable-name": "errors",
    ...written.attributes,
  };
  const step = policyStep(validateStatusCode, { ...written, attributes }, { section: "outbound" });
  expect(await outcomeOf(step, exchange)).toBe(expected);
});
