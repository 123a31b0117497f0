import { expect, test } from "vitest";
import { threadTimeMs } from "../../base/system-clock.ts";
import { configureBudget } from "../../compiler/runtime/budget.ts";
import { Body, charsetOf } from "../../gateway/body.ts";
import type { GatewayError } from "../../gateway/errors.ts";
import { exchangeOf, policyStep, responseOf } from "../../gateway/testing.ts";
import { xmlToJson } from "./policy.ts";

configureBudget(() => performance.now(), undefined, threadTimeMs);

async function convert(
  body: string | Buffer,
  attributes: Record<string, unknown> = {},
  type = "text/xml",
  accept?: string,
): Promise<string> {
  const exchange = exchangeOf({ headers: accept === undefined ? [] : ["Accept", accept] });
  exchange.response = responseOf(200, String(body), ["Content-Type", type]);
  if (typeof body !== "string")
    exchange.response.body = Body.of("response", body, charsetOf(exchange.response.headers));
  const step = policyStep(
    xmlToJson,
    { attributes: { kind: "direct", apply: "always", ...attributes } },
    { section: "outbound" },
  );
  try {
    await step.run(exchange, null);
  } catch (error) {
    const { status, reason, message } = error as GatewayError;
    return `${status} ${reason}: ${message}`;
  }
  const text = Buffer.from(exchange.response!.body!.bytes()).toString();
  const after = exchange.response!.headers.get("content-type");
  return after === "application/json" ? text : `unchanged (${after}): ${text}`;
}

const friendly = { kind: "javascript-friendly" };
const arrays = { "always-array-child-elements": true };

test.each<[string, string, Record<string, unknown>, string]>([
  ["text", "<a>x</a>", {}, '{"a":"x"}'],
  ["empty", "<a><b/><c></c><d> </d></a>", {}, '{"a":{"b":null,"c":"","d":""}}'],
  ["all values are text", "<a><n>1</n><t>true</t></a>", {}, '{"a":{"n":"1","t":"true"}}'],
  ["attributes", '<a x="1" y="&lt;2"><b/></a>', {}, '{"a":{"@x":"1","@y":"<2","b":null}}'],
  ["attributes and text", '<a x="1">t</a>', {}, '{"a":{"@x":"1","#text":"t"}}'],
  ["mixed content", "<a>one<b/>two</a>", {}, '{"a":{"#text":["one","two"],"b":null}}'],
  ["layout is no content", "<a>\n  <b>1</b>\n</a>", {}, '{"a":{"b":"1"}}'],
  ["repeated names", "<a><b>1</b><c/><b>2</b></a>", {}, '{"a":{"b":["1","2"],"c":null}}'],
  [
    "declaration",
    '<?xml version="1.0" encoding="utf-8"?><a/>',
    {},
    '{"?xml":{"@version":"1.0","@encoding":"utf-8"},"a":null}',
  ],
  ["CDATA", "<a><![CDATA[<x>]]></a>", {}, '{"a":{"#cdata-section":"<x>"}}'],
  ["instructions, comments", '<a><?p q="1"?><!-- c --><b/></a>', {}, '{"a":{"?p":"q=\\"1\\"","b":null}}'],
  [
    "namespaces",
    '<s:a xmlns:s="urn:s" xmlns="urn:d" s:x="1"><b/></s:a>',
    {},
    '{"s:a":{"@xmlns:s":"urn:s","@xmlns":"urn:d","@s:x":"1","b":null}}',
  ],
  ["encoded names", "<a_x0020_b/>", {}, '{"a b":null}'],
  [
    "json:Array",
    '<a xmlns:json="http://james.newtonking.com/projects/json"><b json:Array="true">1</b></a>',
    {},
    '{"a":{"b":["1"]}}',
  ],
  ["always arrays", '<a x="1"><b><c/></b><b>2</b></a>', arrays, '{"a":{"@x":"1","b":[{"c":[null]},"2"]}}'],
  ["names of JavaScript", "<a><__proto__>1</__proto__></a>", {}, '{"a":{"__proto__":"1"}}'],
  ["friendly: attributes are members", '<a x="1"><b>2</b></a>', friendly, '{"a":{"x":"1","b":"2"}}'],
  [
    "friendly: text beside attributes",
    '<a x="1">t<![CDATA[&]]></a>',
    friendly,
    '{"a":{"x":"1","value":"t&"}}',
  ],
  ["friendly: CDATA is text", "<a><![CDATA[<x>]]></a>", friendly, '{"a":"<x>"}'],
  [
    "friendly: no prefixes, no declarations",
    '<?xml version="1.0"?><s:a xmlns:s="urn:s" s:x="1"><s:b/></s:a>',
    friendly,
    '{"a":{"x":"1","b":null}}',
  ],
  ["friendly: only a declaration of a namespace", '<a xmlns="urn:d">t</a>', friendly, '{"a":"t"}'],
  ["friendly: always arrays", "<a><b>1</b></a>", { ...friendly, ...arrays }, '{"a":{"b":["1"]}}'],
  ["expressions", "<a><b>1</b></a>", { kind: () => "direct", apply: () => "always" }, '{"a":{"b":"1"}}'],
  [
    "no XML",
    "<a><b></a>",
    {},
    "500 ConversionFailure: The response body cannot be converted from XML to JSON. Unexpected close tag. Line 1, position 11.",
  ],
  [
    "undeclared prefix",
    "<s:a/>",
    {},
    '500 ConversionFailure: The response body cannot be converted from XML to JSON. Unbound namespace prefix: "s". Line 1, position 7.',
  ],
  [
    "not even a tag",
    "hello",
    {},
    "500 ConversionFailure: The response body cannot be converted from XML to JSON. Text data outside of root node. Line 1, position 7.",
  ],
  [
    "document types",
    "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
    {},
    "500 ConversionFailure: The response body cannot be converted from XML to JSON. A document type declaration is not allowed. Line 1, position 31.",
  ],
  [
    "too deep",
    "<a>".repeat(300),
    {},
    "500 ConversionFailure: The response body cannot be converted from XML to JSON. Elements are nested deeper than 256. Line 1, position 772.",
  ],
])("xml-to-json: %s", async (_name, body, attributes, expected) => {
  expect(await convert(body, attributes)).toBe(expected);
});

test.each<[string, Record<string, unknown>, type: string, accept: string | undefined, boolean]>([
  ["always, whatever the type", {}, "text/plain", undefined, true],
  ["by type", { apply: "content-type-xml" }, "application/soap+xml; charset=utf-8", undefined, true],
  ["not of this type", { apply: "content-type-xml" }, "text/html", undefined, false],
  ["the caller takes JSON", {}, "text/xml", "application/json", true],
  ["the caller takes XML", {}, "text/xml", "application/xml", false],
  [
    "what the caller takes does not matter",
    { "consider-accept-header": false },
    "text/xml",
    "application/xml",
    true,
  ],
])("xml-to-json applies: %s", async (_name, attributes, type, accept, applies) => {
  expect(await convert("<a>1</a>", attributes, type, accept)).toBe(
    applies ? '{"a":"1"}' : `unchanged (${type}): <a>1</a>`,
  );
});

test("a long body is converted while others go on, and comes out as a short one would", async () => {
  const row = '<r i="1"><n>a &amp; \u{1f600}</n>\r\n<t><![CDATA[<x>]]></t><e/></r>\n';
  const rows = 20_000;
  let turns = 0;
  let over = false;
  const converted = convert(`<a>${row.repeat(rows)}</a>`).finally(() => (over = true));
  while (!over) {
    turns++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const one = '{"@i":"1","n":"a & \u{1f600}","t":{"#cdata-section":"<x>"},"e":null}';
  // Not compared by the test's own means, which would show millions of characters.
  expect((await converted) === `{"a":{"r":[${Array<string>(rows).fill(one).join(",")}]}}`).toBe(true);
  expect(turns).toBeGreaterThan(10);
});

test("what goes wrong late in a long body is told as in a short one", async () => {
  expect(await convert(`<a>${"<b>1</b>\n".repeat(60_000)}<b></a>`)).toBe(
    "500 ConversionFailure: The response body cannot be converted from XML to JSON. Unexpected close tag. Line 60001, position 8.",
  );
});

const LATIN1 = '<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>';

test.each<[string, Buffer, string]>([
  ["what the declaration says", Buffer.from(LATIN1, "latin1"), "text/xml"],
  ["Content-Type goes before it", Buffer.from(LATIN1), "text/xml; charset=utf-8"],
  ["a text that a policy has made is UTF-8", Buffer.from(LATIN1), "text/xml"],
  ["a mark of UTF-16", Buffer.from("\ufeff<a>ü</a>", "utf16le"), "text/xml"],
  ["a mark of UTF-16, the other way round", Buffer.from("\ufeff<a>ü</a>", "utf16le").swap16(), "text/xml"],
  ["a mark goes before everything", Buffer.from("\ufeff<a>ü</a>", "utf16le"), "text/xml; charset=utf-8"],
  ["a mark of UTF-8", Buffer.from("\ufeff<a>ü</a>"), "text/xml"],
])("charset: %s", async (_name, octets, type) => {
  expect(JSON.parse(await convert(octets, {}, type))).toMatchObject({ a: "ü" });
});
