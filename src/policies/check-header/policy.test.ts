import { expect, test } from "vitest";
import { GatewayError } from "../../gateway/errors.ts";
import { type Written, exchangeOf, policyStep } from "../../gateway/testing.ts";
import { checkHeader } from "./policy.ts";

const attributes = { name: "X-Role", "failed-check-httpcode": 401, "failed-check-error-message": "Go away" };
const values = (...texts: unknown[]): Written["children"] => ({ value: texts.map((text) => ({ text })) });

function check(headers: readonly string[], written: Written = {}): string {
  const step = policyStep(checkHeader, { ...written, attributes: { ...attributes, ...written.attributes } });
  try {
    step.run(exchangeOf({ headers }), null);
    return "ok";
  } catch (error) {
    const { status, reason, message, clientMessage } = error as GatewayError;
    return `${status} ${reason}: ${message} / ${clientMessage}`;
  }
}

const absent = "401 HeaderNotFound: Header X-Role was not found in the request. Access denied. / Go away";
const wrong = (value: string): string =>
  `401 HeaderValueNotAllowed: Header X-Role value of ${value} is not allowed. Access denied. / Go away`;

test.each<[string, readonly string[], Written, string]>([
  ["present", ["x-role", "any"], {}, "ok"],
  ["absent", [], {}, absent],
  ["empty", ["X-Role", ""], {}, absent],
  ["one of the values", ["X-Role", "b"], { children: values("a", "b") }, "ok"],
  ["none of them", ["X-Role", "c"], { children: values("a", "b") }, wrong("c")],
  ["case counts", ["X-Role", "A"], { children: values("a") }, wrong("A")],
  [
    "unless it does not",
    ["X-Role", "A"],
    { children: values("a"), attributes: { "ignore-case": true } },
    "ok",
  ],
  ["absent with values", [], { children: values("a") }, absent],
  ["several lines: one fits", ["X-Role", "x", "x-role", "a"], { children: values("a") }, "ok"],
  ["several lines: together they fit", ["X-Role", "x", "x-role", "a"], { children: values("x,a") }, "ok"],
  ["several lines: none fits", ["X-Role", "x", "x-role", "y"], { children: values("a") }, wrong("x,y")],
  ["the empty value, listed", ["X-Role", ""], { children: values("") }, "ok"],
  [
    "expressions",
    ["X-Role", "v"],
    { children: values(() => "v"), attributes: { name: () => "x-ROLE" } },
    "ok",
  ],
])("check-header: %s", (_name, headers, written, expected) => {
  expect(check(headers, written)).toBe(expected);
});
