import { expect, test } from "vitest";
import { computedValue } from "../../compiler/expression.ts";
import { type Exchange } from "../../gateway/exchange.ts";
import { runSteps } from "../../gateway/pipeline.ts";
import {
  ChunkSource,
  argsOf,
  exchangeOf,
  mistakesOf,
  policyStep,
  responseOf,
  siteOf,
} from "../../gateway/testing.ts";
import { setBody } from "./policy.ts";

const decoder = new TextDecoder();

async function bodyAfter(
  written: Parameters<typeof policyStep>[1],
  exchange: Exchange = exchangeOf(),
): Promise<string> {
  await runSteps([policyStep(setBody, written)], exchange, null);
  return decoder.decode(exchange.request.body!.bytes());
}

test.each<[string, unknown, string]>([
  ["a text", "Hello", "Hello"],
  ["white space stays", " a\n ", " a\n "],
  ["nothing between the tags", undefined, ""],
  ["null of an expression", () => null, ""],
  ["octets", () => new Uint8Array([104, 105]), "hi"],
  ["letters beyond ASCII", "grüß €", "grüß €"],
])("set-body: %s", async (_name, text, expected) => {
  expect(await bodyAfter({ text })).toBe(expected);
});

test("the old body is thrown away unread", async () => {
  const source = new ChunkSource(["old"]);
  await bodyAfter({ text: "new" }, exchangeOf({ method: "POST", body: source }));
  expect(source).toMatchObject({ started: false });
});

test("an expression that reads the old body gets it", async () => {
  const exchange = exchangeOf({ method: "POST", body: new ChunkSource(["o", "ld"]) });
  const value = computedValue((context) => `${decoder.decode(context.request.body!.bytes())}er`, 1);
  const step = policyStep(setBody, { text: value });
  await runSteps([{ ...step, needs: value.needs }], exchange, null);
  expect(decoder.decode(exchange.request.body!.bytes())).toBe("older");
});

test("in outbound and on-error it is the response's body, its content-coding forgotten", async () => {
  for (const section of ["outbound", "on-error"] as const) {
    const exchange = exchangeOf();
    exchange.response = responseOf(200, new ChunkSource(["x"]), ["Content-Encoding", "gzip"]);
    await runSteps([policyStep(setBody, { text: "plain" }, { section })], exchange, null);
    expect(decoder.decode(exchange.response.body!.bytes())).toBe("plain");
    expect(exchange.response.body!.recoded).toBe(true);
  }
});

test("without a response yet, one is begun", async () => {
  const exchange = exchangeOf();
  await runSteps([policyStep(setBody, { text: "x" }, { section: "outbound" })], exchange, null);
  expect(exchange.response).toMatchObject({ statusCode: 200 });
});

test("only a body that the template speaks of is read", async () => {
  const source = new ChunkSource(["{}"]);
  const exchange = exchangeOf({
    method: "POST",
    body: source,
    headers: ["Content-Type", "application/json"],
  });
  expect(
    await bodyAfter({ attributes: { template: "liquid" }, text: "{{ context.Request.Method }}" }, exchange),
  ).toBe("POST");
  expect(source.started).toBe(false);
});

test.each([
  ["{% if a %}", ["Liquid: tag {% if a %} not closed"]],
  ["a\n  {{ b | Upcas }}", ['Liquid: there is no filter "Upcas"; did you mean "Upcase"?']],
  ["{% include 'x' %}", ['Liquid: tag "include" not found']],
  ["{% render 'x' %}", ['Liquid: tag "render" not found']],
  ["{% layout 'x' %}", ['Liquid: tag "layout" not found']],
  ["{% for x of y %}{% endfor %}", ["Liquid: {% for x of y %} is not of the form {% for x in list %}"]],
  ["{{ a", ['Liquid: output "{{ a" not closed']],
  ["{% if a %}".repeat(101), ["Liquid: blocks are nested deeper than 100"]],
  ["{{ a | Upcase }}", []],
])("template %#", (text, mistakes) => {
  expect(mistakesOf(setBody, { attributes: { template: "liquid" }, text })).toEqual(mistakes);
});

test("a mistake in a template has its place", () => {
  const places: unknown[] = [];
  const args = argsOf(setBody.shape, { attributes: { template: "liquid" }, text: "a\n  {{ b | Upcas }}" });
  setBody.check!(args, (_message, at) => void places.push(at), siteOf("set-body"));
  expect(places).toEqual([{ value: true, offset: 4 }]);
});

test("an expression is no template", () => {
  expect(mistakesOf(setBody, { attributes: { template: "liquid" }, text: () => "x" })).toEqual([
    "a Liquid template cannot be an expression",
  ]);
});
