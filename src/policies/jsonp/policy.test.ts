import { expect, test } from "vitest";
import { ChunkSource, exchangeOf, policyStep, responseOf } from "../../gateway/testing.ts";
import type { GatewayError } from "../../gateway/errors.ts";
import { jsonp } from "./policy.ts";

async function run(target: string, type = "application/json", name: unknown = "cb"): Promise<string> {
  const exchange = exchangeOf({ target });
  exchange.response = responseOf(
    200,
    new ChunkSource(['{"a":', "1}"]),
    type === "" ? [] : ["Content-Type", type],
  );
  try {
    await policyStep(jsonp, { attributes: { "callback-parameter-name": name } }).run(exchange, null);
  } catch (error) {
    const { status, reason, message } = error as GatewayError;
    return `${status} ${reason}: ${message}`;
  }
  const { body, headers } = exchange.response!;
  if (!body!.buffered) return "streams on";
  return `${headers.get("content-type")} ${Buffer.from(body!.bytes()).toString()}`;
}

const invalid =
  "400 CallbackParameterInvalid: Value of callback parameter cb is not a valid JavaScript identifier.";

test.each<[string, string, string | undefined, unknown, string]>([
  ["a function", "/x?a=1&cb=show_1", undefined, undefined, 'application/javascript show_1({"a":1});'],
  [
    "a charset stays",
    "/x?cb=f",
    "application/json; charset=utf-8",
    undefined,
    'application/javascript; charset=utf-8 f({"a":1});',
  ],
  ["no parameter", "/x?a=1", undefined, undefined, "streams on"],
  [
    "letters of all languages",
    "/x?cb=%C3%BC%24",
    undefined,
    undefined,
    'application/javascript ü$({"a":1});',
  ],
  ["an expression", "/x?fn=f", undefined, () => "fn", 'application/javascript f({"a":1});'],
  ["no content type", "/x?cb=f", "", undefined, 'application/javascript f({"a":1});'],
  ["not JSON", "/x?cb=f", "text/html", undefined, "streams on"],
  ["a script", "/x?cb=alert(1)//", undefined, undefined, invalid],
  ["a path", "/x?cb=a.b", undefined, undefined, invalid],
  ["empty", "/x?cb=", undefined, undefined, invalid],
  ["a digit first", "/x?cb=1a", undefined, undefined, invalid],
  ["a word of the language", "/x?cb=delete", undefined, undefined, invalid],
  ["very long", `/x?cb=${"a".repeat(300)}`, undefined, undefined, invalid],
])("jsonp: %s", async (_name, target, type, name, expected) => {
  expect(await run(target, type, name)).toBe(expected);
});
