import { expect, test } from "vitest";
import { exchangeOf, policyStep, responseOf } from "../../gateway/testing.ts";
import { setStatus } from "./policy.ts";

test.each<[Readonly<Record<string, unknown>>, string]>([
  [{ code: 404 }, "404 Not Found"],
  [{ code: 404, reason: "Nothing here" }, "404 Nothing here"],
  [{ code: () => 503, reason: () => "" }, "503 Service Unavailable"],
  [{ code: 799 }, "799 "],
  [{ code: 404, reason: "Grüß" }, "404 Grüß"],
])("%o", (attributes, expected) => {
  const exchange = exchangeOf();
  exchange.response = responseOf(200, "stays");
  policyStep(setStatus, { attributes }, { section: "outbound" }).run(exchange, null);
  expect(`${exchange.response.statusCode} ${exchange.response.statusReason}`).toBe(expected);
  expect(exchange.response.body!.length).toBe(5);
});

test("before there is a response, one is begun", () => {
  const exchange = exchangeOf();
  policyStep(setStatus, { attributes: { code: 202 } }).run(exchange, null);
  expect(exchange.response).toMatchObject({ statusCode: 202, body: null });
});

test.each<[Readonly<Record<string, unknown>>, string]>([
  [{ code: () => 101 }, "101 is not the status code of a final response (200 to 999)."],
  [{ code: () => 1000 }, "1000 is not the status code of a final response (200 to 999)."],
  [{ code: 200, reason: () => "a\r\nX: 1" }, "The reason phrase contains a line break or control character."],
  [{ code: 200, reason: () => "a\u0001" }, "The reason phrase contains a line break or control character."],
])("%o is refused", (attributes, message) => {
  expect(() => policyStep(setStatus, { attributes }).run(exchangeOf(), null)).toThrow(
    expect.objectContaining({ source: "set-status", message }),
  );
});
