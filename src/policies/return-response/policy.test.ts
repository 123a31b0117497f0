import { expect, test } from "vitest";
import type { ResponseMessage } from "../../gateway/message.ts";
import { exchangeOf, policyStep, responseOf, stepOf } from "../../gateway/testing.ts";
import { setBody } from "../set-body/policy.ts";
import { setHeader } from "../set-header/policy.ts";
import { setStatus } from "../set-status/policy.ts";
import { returnResponse } from "./policy.ts";

const inside = { inMessage: true } as const;
const status = (code: unknown) => policyStep(setStatus, { attributes: { code } }, inside);
const header = (name: string, text: unknown) =>
  policyStep(setHeader, { attributes: { name }, children: { value: [{ text }] } }, inside);
const body = (text: unknown, attributes = {}) => policyStep(setBody, { text, attributes }, inside);

function shown({ statusCode, statusReason, headers, body: content }: ResponseMessage): string {
  return `${statusCode} ${statusReason} [${headers.raw.join("=")}] ${content === null ? "-" : new TextDecoder().decode(content.bytes())}`;
}

test("a fresh 200 with what the children say, in order; nothing of the pending response carries over", async () => {
  const exchange = exchangeOf();
  exchange.response = responseOf(404, "theirs", ["X", "1"]);
  const run = (...steps: ReturnType<typeof status>[]): string =>
    shown(
      policyStep(returnResponse, { steps }, { section: "outbound" }).run(exchange, null) as ResponseMessage,
    );
  expect(run()).toBe("200 OK [] -");
  expect(run(status(403), header("A", "1"), body("no"))).toBe("403 Forbidden [A=1] no");
  expect(run(status((context: typeof exchange) => context.response!.statusCode))).toBe("404 Not Found [] -");
  expect(exchange.response).toMatchObject({ statusCode: 404 });
});

test("in inbound its set-header and set-body leave the request alone", () => {
  const exchange = exchangeOf();
  policyStep(returnResponse, { steps: [header("A", "1"), body("x")] }).run(exchange, null);
  expect(exchange.request).toMatchObject({ body: null });
  expect(exchange.request.headers.has("a")).toBe(false);
});

test("a template inside sees no body", () => {
  const exchange = exchangeOf({
    method: "POST",
    headers: ["Content-Type", "application/json"],
    body: '{"a":1}',
  });
  const step = policyStep(returnResponse, { steps: [body("[{{body.a}}]", { template: "liquid" })] });
  expect(shown(step.run(exchange, null) as ResponseMessage)).toBe("200 OK [] []");
});

test("children may wait", async () => {
  const outcome = policyStep(returnResponse, { steps: [stepOf(async () => undefined), status(418)] }).run(
    exchangeOf(),
    null,
  );
  expect(shown((await outcome) as ResponseMessage)).toBe("418 I'm a teapot [] -");
});

test("a held response is copied, so that it can be returned and read", () => {
  const exchange = exchangeOf();
  const held = responseOf(202, "held", ["X", "1"]);
  exchange.variables.set("r", held);
  const step = policyStep(returnResponse, {
    attributes: { "response-variable-name": "r" },
    steps: [header("X", "2")],
  });
  expect(shown(step.run(exchange, null) as ResponseMessage)).toBe("202 Accepted [X=2] held");
  expect(held.headers.get("x")).toBe("1");
});

test("a variable that nobody has set is as good as none", () => {
  const step = policyStep(returnResponse, {
    attributes: { "response-variable-name": "existing response variable" },
    steps: [status(401)],
  });
  expect(shown(step.run(exchangeOf(), null) as ResponseMessage)).toBe("401 Unauthorized [] -");
});

test.each([["null"], ["text"]])("a variable with no response (%s) is an error", (name) => {
  const exchange = exchangeOf();
  exchange.variables.set("null", null);
  exchange.variables.set("text", "x");
  const step = policyStep(returnResponse, { attributes: { "response-variable-name": name } });
  expect(() => step.run(exchange, null)).toThrow(
    expect.objectContaining({ source: "return-response", status: 500 }),
  );
});
