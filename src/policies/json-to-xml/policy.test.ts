import { expect, test } from "vitest";
import "../../compiler/runtime/library/index.ts";
import { threadTimeMs } from "../../base/system-clock.ts";
import type { Section } from "../../compiler/policy.ts";
import { configureBudget } from "../../compiler/runtime/budget.ts";
import type { GatewayError } from "../../gateway/errors.ts";
import { exchangeOf, policyStep, responseOf } from "../../gateway/testing.ts";
import { jsonToXml } from "./policy.ts";

configureBudget(() => performance.now(), undefined, threadTimeMs);

const HEAD = '<?xml version="1.0" encoding="utf-8"?>';

async function convert(
  body: string,
  attributes: Record<string, unknown> = {},
  type = "application/json",
  accept?: string,
): Promise<string> {
  const exchange = exchangeOf({ headers: accept === undefined ? [] : ["Accept", accept] });
  exchange.response = responseOf(200, body, ["Content-Type", type]);
  const step = policyStep(
    jsonToXml,
    { attributes: { apply: "always", ...attributes } },
    { section: "outbound" },
  );
  try {
    await step.run(exchange, null);
  } catch (error) {
    const { status, reason, message } = error as GatewayError;
    return `${status} ${reason}: ${message}`;
  }
  const text = Buffer.from(exchange.response!.body!.bytes()).toString();
  if (!text.startsWith(HEAD)) return `unchanged (${exchange.response!.headers.get("content-type")}): ${text}`;
  expect(exchange.response!.headers.get("content-type")).toBe("application/xml; charset=utf-8");
  return text.slice(HEAD.length);
}

const soap = { "namespace-separator": ":", "namespace-prefix": "xmlns", "attribute-block-name": "#attrs" };

test.each<[string, string, Record<string, unknown>, string]>([
  ["an object", '{"a":{"b":"1","c":"x"}}', {}, "<a><b>1</b><c>x</c></a>"],
  [
    "scalars",
    '{"a":{"n":1.50,"i":-7,"t":true,"z":null,"e":"","o":{}}}',
    {},
    "<a><n>1.5</n><i>-7</i><t>true</t><z /><e></e><o /></a>",
  ],
  [
    "integers of any size",
    '{"a":123456789012345678901234567890}',
    {},
    "<a>123456789012345678901234567890</a>",
  ],
  [
    "members keep their order",
    '{"a":{"z":1,"2":2,"1":3}}',
    {},
    "<a><z>1</z><_x0032_>2</_x0032_><_x0031_>3</_x0031_></a>",
  ],
  ["an array repeats its element", '{"a":{"b":[1,{"c":2},null]}}', {}, "<a><b>1</b><b><c>2</c></b><b /></a>"],
  ["an empty array is nothing", '{"a":{"b":[]}}', {}, "<a />".replace(" />", "></a>")],
  ["arrays of arrays", '{"a":{"b":[[1,2],[3]]}}', {}, "<a><b><b>1</b><b>2</b></b><b><b>3</b></b></a>"],
  ["several roots", '{"a":1,"b":2}', {}, "<Document><a>1</a><b>2</b></Document>"],
  ["no root", "{}", {}, "<Document />"],
  ["a root that repeats", '{"a":[1,2]}', {}, "<Document><a>1</a><a>2</a></Document>"],
  ["a root array of one", '{"a":[1]}', {}, "<a>1</a>"],
  ["an array as root", '[1,{"b":2}]', {}, "<Document><Array>1</Array><Array><b>2</b></Array></Document>"],
  ["a scalar as root", '"x"', {}, "<Document>x</Document>"],
  ["a lone text property is no root", '{"#text":"x"}', {}, "<Document>x</Document>"],
  [
    "escapes",
    '{"a":{"@q":"\\"<\\n","#text":"a<b>&\\r"}}',
    {},
    '<a q="&quot;&lt;&#xA;">a&lt;b&gt;&amp;&#xD;</a>',
  ],
  [
    "odd names",
    '{"a b":{"1":1,"":2,"_x0020_":3,"x:y":4}}',
    {},
    "<a_x0020_b><_x0031_>1</_x0031_><_>2</_><_x005F_x0020_>3</_x005F_x0020_><x_x003A_y>4</x_x003A_y></a_x0020_b>",
  ],
  [
    "Newtonsoft's own marks",
    '{"?xml":{"@version":"1.0"},"a":{"@id":7,"#text":"t","#cdata-section":"<x>"}}',
    {},
    '<a id="7">t<![CDATA[<x>]]></a>',
  ],
  ["CDATA cannot end early", '{"a":{"#cdata-section":"]]>"}}', {}, "<a><![CDATA[]]]]><![CDATA[>]]></a>"],
  ["dates in round-trip form", '{"a":"2020-01-02T03:04:05.500Z"}', {}, "<a>2020-01-02T03:04:05.5Z</a>"],
  [
    "or as they were",
    '{"a":"2020-01-02T03:04:05.500Z"}',
    { "parse-date": false },
    "<a>2020-01-02T03:04:05.500Z</a>",
  ],
  [
    "namespaces and attributes",
    '{"s:Envelope":{"xmlns:s":"urn:s","xmlns":"urn:d","s:Header":{},"s:Body":{"#attrs":{"id":1,"s:x":"y"},"Item":"t"}}}',
    soap,
    '<s:Envelope xmlns:s="urn:s" xmlns="urn:d"><s:Header /><s:Body id="1" s:x="y"><Item>t</Item></s:Body></s:Envelope>',
  ],
  [
    "underscore is the default separator",
    '{"s_A":{"xmlns_s":"urn:s","s_B":1,"q_B":2}}',
    { "namespace-prefix": "xmlns" },
    '<s:A xmlns:s="urn:s"><s:B>1</s:B><q_B>2</q_B></s:A>',
  ],
  [
    "without a namespace prefix nothing is declared",
    '{"s_A":{"xmlns_s":"urn:s"}}',
    {},
    "<s_A><xmlns_s>urn:s</xmlns_s></s_A>",
  ],
  [
    "an attribute block that is no object is an element",
    '{"a":{"#attrs":1}}',
    { "attribute-block-name": "#attrs" },
    "<a><_x0023_attrs>1</_x0023_attrs></a>",
  ],
  [
    "expressions",
    '{"a":{"at":{"x":1}}}',
    { apply: () => "always", "attribute-block-name": () => "at" },
    '<a x="1" />',
  ],
  [
    "an attribute that is an object",
    '{"a":{"#attrs":{"x":{}}}}',
    { "attribute-block-name": "#attrs" },
    '500 ConversionFailure: The response body cannot be converted from JSON to XML. The attribute "x" holds an object or array.',
  ],
  [
    "control characters",
    '{"a":"\\u0001"}',
    {},
    "500 ConversionFailure: The response body cannot be converted from JSON to XML. The character with hexadecimal value 0x01 has no place in XML.",
  ],
  [
    "no JSON",
    '{"a":',
    {},
    "500 ConversionFailure: The response body cannot be converted from JSON to XML. Unexpected end of content while loading JToken. Path 'a', line 1, position 5.",
  ],
  [
    "too deep",
    "[".repeat(200),
    {},
    "500 ConversionFailure: The response body cannot be converted from JSON to XML. The reader's MaxDepth of 128 has been exceeded. Path '" +
      "[0]".repeat(128) +
      "', line 1, position 129.",
  ],
])("json-to-xml: %s", async (_name, body, attributes, expected) => {
  expect(await convert(body, attributes)).toBe(expected);
});

test.each<[string, Record<string, unknown>, type: string, accept: string | undefined, boolean]>([
  ["always, whatever the type", {}, "text/plain", undefined, true],
  ["by type", { apply: "content-type-json" }, "application/problem+json; charset=utf-8", undefined, true],
  ["not of this type", { apply: "content-type-json" }, "text/plain", undefined, false],
  ["the caller takes XML", {}, "application/json", "text/xml", true],
  ["the caller takes JSON", {}, "application/json", "application/json", false],
  [
    "what the caller takes does not matter",
    { "consider-accept-header": false },
    "application/json",
    "application/json",
    true,
  ],
])("json-to-xml applies: %s", async (_name, attributes, type, accept, applies) => {
  expect(await convert('{"a":1}', attributes, type, accept)).toBe(
    applies ? "<a>1</a>" : `unchanged (${type}): {"a":1}`,
  );
});

test("an empty body stays empty", async () => {
  expect(await convert("")).toBe("unchanged (application/json): ");
});

test("the request, in its charset", async () => {
  const section: Section = "inbound";
  const body = Buffer.from('{"a":"ü"}', "latin1");
  const exchange = exchangeOf({ headers: ["Content-Type", "application/json; charset=iso-8859-1"], body });
  await policyStep(jsonToXml, { attributes: { apply: "always" } }, { section }).run(exchange, null);
  expect(Buffer.from(exchange.request.body!.bytes()).toString()).toBe(`${HEAD}<a>ü</a>`);
});

test("a long body is converted while others go on, and comes out as a short one would", async () => {
  const rows = 20_000;
  const row = '{"@i":1,"n":"a & \u{1f600}","t":[1,null,{"x":[]}]}';
  let turns = 0;
  let over = false;
  const converted = convert(`{"a":{"r":[${Array<string>(rows).fill(row).join(",")}]}}`).finally(
    () => (over = true),
  );
  while (!over) {
    turns++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const one = await convert(`{"r":${row}}`);
  expect((await converted) === `<a>${one.repeat(rows)}</a>`).toBe(true);
  expect(turns).toBeGreaterThan(5);
});
