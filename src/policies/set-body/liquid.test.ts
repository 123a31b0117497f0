import { expect, test } from "vitest";
import "../../compiler/runtime/library/index.ts";
import { readJson } from "../../compiler/runtime/library/json/reader.ts";
import { tokenOf } from "../../compiler/runtime/library/json/token.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { runSteps } from "../../gateway/pipeline.ts";
import { exchangeOf, policyStep, responseOf } from "../../gateway/testing.ts";
import { setBody } from "./policy.ts";

interface Input {
  readonly json?: unknown;
  readonly xml?: string;
  readonly text?: string;
  readonly type?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly prepare?: (exchange: Exchange) => void;
}

async function render(template: string, input: Input = {}): Promise<string> {
  const { json, xml, text } = input;
  const type =
    input.type ??
    (json !== undefined
      ? "application/json"
      : xml !== undefined
        ? "application/soap+xml; charset=utf-8"
        : "text/plain");
  const body = typeof json === "string" ? json : json !== undefined ? JSON.stringify(json) : (xml ?? text);
  const exchange = exchangeOf({
    method: "POST",
    target: "/items/7?q=a%20b&q=c&e=",
    headers: ["Content-Type", type, "X-Two", "1", "x-two", "2"],
    body,
  });
  for (const [name, value] of Object.entries(input.variables ?? {})) exchange.variables.set(name, value);
  input.prepare?.(exchange);
  await runSteps(
    [policyStep(setBody, { attributes: { template: "liquid", ...input.attributes }, text: template })],
    exchange,
    null,
  );
  return new TextDecoder().decode(exchange.request.body!.bytes());
}

const order = {
  id: 7,
  name: "Ann",
  price: 1.5,
  paid: true,
  note: null,
  tags: ["a", "b"],
  lines: [
    { sku: "x", n: 1 },
    { sku: "y", n: 2 },
  ],
};

test.each<[template: string, expected: string]>([
  // Output
  ["{{body.id}} {{ body.name }} {{body.price}} {{body.paid}}", "7 Ann 1.5 true"],
  ["[{{body.note}}{{body.absent}}{{body.absent.deeper}}{{nothing}}]", "[]"],
  ["{{body.tags}}", "ab"],
  [
    "{{body['name']}} {{body.tags[1]}} {{body.tags.first}}{{body.tags.last}} {{body.tags.size}}",
    "Ann b ab 2",
  ],
  ["{{body.Name}}", ""],
  // Tags
  ["{% if body.paid %}yes{% else %}no{% endif %}", "yes"],
  ["{% if body.id == 7 and body.name == 'Ann' %}1{% endif %}{% unless body.note %}2{% endunless %}", "12"],
  ["{% if body.price > 1 %}1{% endif %}{% if body.id <> 8 %}2{% endif %}", "12"],
  ["{% if body.tags contains 'b' %}1{% endif %}{% if body.name Contains 'nn' %}2{% endif %}", "12"],
  ["{% if body.name StartsWith 'A' %}1{% endif %}{% if body HasKey 'id' %}2{% endif %}", "12"],
  ["{% case body.id %}{% when 6 %}six{% when 7 %}seven{% endcase %}", "seven"],
  ["{% assign x = body.id | Plus: 1 %}{{ x }}{% capture y %}<{{x}}>{% endcapture %}{{y}}", "8<8>"],
  ["a {%- if true -%}  b  {%- endif -%} c", "abc"],
  ["{% raw %}{{ body.id }}{% endraw %}{% comment %}no{% endcomment %}", "{{ body.id }}"],
  ["{% for i in (1..3) %}{% cycle 'a', 'b' %}{{ i }}{% endfor %}", "a1b2a3"],
  ["{% for l in body.lines %}{{l.sku}}{% if forloop.last %}.{% else %},{% endif %}{% endfor %}", "x,y."],
  ["{% for l in body.lines reversed %}{{l.sku}}{% endfor %}", "yx"],
  ["{% for i in body.tags limit:1 offset:1 %}{{i}}{% endfor %}", "b"],
  ["{% for i in body.none %}{{i}}{% else %}none{% endfor %}", "none"],
  [
    "{% for i in (1..9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{i}}{% endfor %}",
    "13",
  ],
  ['[{% JSONArrayFor l in body.lines %}{"s":"{{l.sku}}"}{% endJSONArrayFor %}]', '[{"s":"x"},{"s":"y"}]'],
  [
    "{% for p in body.lines[0] %}{{p[0]}}={{p[1]}},{{p.Key}}={{p.Value}};{% endfor %}",
    "sku=x,sku=x;n=1,n=1;",
  ],
  // Filters, in each of their names
  ["{{ 'a b' | Upcase }}{{ 'a b' | upcase }}{{ 'X' | Downcase }}", "A BA Bx"],
  ["{{ 'hello big WORLD' | Capitalize }}", "Hello Big WORLD"],
  ["{{ 'a' | Append: 'b' | Prepend: 'c' }}", "cab"],
  ["{{ ' a ' | Strip }}|{{ ' a' | Lstrip }}|{{ 'a ' | Rstrip }}", "a|a|a"],
  ["{{ '<b>\"x\"</b>' | Escape }} {{ '&' | H }}", "&lt;b&gt;&quot;x&quot;&lt;/b&gt; &amp;"],
  ["{{ '<p>a<br>b</p>c<' | StripHtml }}{{ '<b>x' | strip_html }}", "abc<x"],
  ["{{ 'a.b.a' | Replace: 'a', '$&' }} {{ 'a.b.a' | ReplaceFirst: 'a', 'c' }}", "$&.b.$& c.b.a"],
  ["{{ 'aXbX' | Remove: 'X' }} {{ 'aXbX' | RemoveFirst: 'X' }}", "ab abX"],
  ["{{ 'a,b,,c' | Split: ',' | Join: '-' }} {{ 'a,b' | Split: ',' | Size }}", "a-b-c 2"],
  [
    "{{ 'abcdef' | Truncate: 5 }} {{ 'a b c' | TruncateWords: 2 }} {{ 'abc' | Truncate: 9 }}",
    "ab... a b... abc",
  ],
  ["{{ 'abcdef' | Slice: 1, 2 }}{{ 'abc' | Slice: -1 }}", "bcc"],
  ["{{ 'a b&c' | UrlEncode }} {{ 'a+b%26%C3%A9' | UrlDecode }}", "a+b%26c a b&é"],
  ["{{ body.tags | First }}{{ body.tags | Last }}{{ body.tags | Size }}", "ab2"],
  ["{{ body.lines | Map: 'sku' | Join: '/' }}", "x/y"],
  ["{% assign s = body.tags | Sort %}{{ s }}{{ 'b,a,b' | Split: ',' | Uniq | Sort | Join }}", "aba b"],
  ["{{ body.note | Default: 'd' }}{{ body.name | Default: 'd' }}{{ '' | Default: 'e' }}", "dAnne"],
  [
    "{{ 5 | Plus: 2 }} {{ 5 | Minus: 2 }} {{ 5 | Times: 2 }} {{ 5 | DividedBy: 2 }} {{ 5 | Modulo: 2 }}",
    "7 3 10 2 1",
  ],
  ["{{ 5 | DividedBy: 2.5 }} {{ 7.5 | divided_by: 2 }} {{ 7 | dividedby: 2 }}", "2 3.75 3"],
  [
    "{{ -3 | Abs }} {{ 3 | AtLeast: 5 }} {{ 3 | AtMost: 2 }} {{ '4' | Plus: '3' }} {{ 'a' | Plus: 3 }}",
    "3 5 2 7 a3",
  ],
  ["[{{ body.none | Plus: 1 }}{{ 1 | Plus: body.none }}{{ body.none | Round }}{{ body.none | Abs }}]", "[]"],
  [
    "{{ 2.5 | Round }} {{ 3.5 | Round }} {{ 2.345 | Round: 2 }} {{ 2.355 | Round: 2 }} {{ -2.7 | Round }}",
    "2 4 2.34 2.36 -3",
  ],
  ["{{ 1234.5 | Currency }} {{ 1234.5 | Currency: 'en-US' }}", "¤1,234.50 $1,234.50"],
  ["{{ '2024-03-09T14:05:06Z' | Date: 'yyyyMMddTHH:mm:ssZ' }}", "20240309T14:05:06Z"],
  ["{{ 0 | Date: 'yyyy-MM-dd' }} {{ 'soon' | Date: 'yyyy' }}", "1970-01-01 soon"],
  // The context
  [
    "{{context.Request.Method}} {{context.Request.Url.Path}} {{context.Request.OriginalUrl.Host}}",
    "POST /items/7 gateway.example",
  ],
  ["{{context.Request.Url.Query.q}} {{context.Request.Url.QueryString}}", "a b,c ?q=a%20b&q=c&e="],
  [
    "{{context.Request.OriginalUrl}} {{context.Request.OriginalUrl.Port}} {{context.Request.OriginalUrl.Scheme}}",
    "http://gateway.example/items/7?q=a%20b&q=c&e= 80 http",
  ],
  [
    "{{context.Request.Headers['x-two']}} {{context.Request.Headers.X-Two}} {{context.Request.IpAddress}}",
    "1,2 1,2 203.0.113.7",
  ],
  ["{{context.Request.HasBody}}", "true"],
  [
    "{% for h in context.Request.Headers %}{{h.Key}}={{h.Value}};{% endfor %}",
    "Host=gateway.example;Content-Type=application/json;X-Two=1,2;",
  ],
  ["{{context.Response.StatusCode}}{{context.Nothing}}{{context.Request.Nothing}}", ""],
  // Nothing of JavaScript
  [
    "{{body.constructor}}{{body.__proto__}}{{body.tags.length}}{{body.name.constructor}}{{context.constructor.name}}",
    "",
  ],
  [
    "{{constructor}}{{__proto__}}{{context.Request.Headers.constructor}}{{toString}}{{body.hasOwnProperty}}",
    "",
  ],
])("%s", async (template, expected) => {
  expect(await render(template, { json: order })).toBe(expected);
});

test.each<[string, Input, string]>([
  ["{{body.a}}", { json: '{"a":12345678901234567890,"b":1.0,"c":1e30}' }, "12345678901234567890"],
  ["{{body.b}} {{body.c}}", { json: '{"b":1.0,"c":1e30}' }, "1 1E+30"],
  ["{{body[0]}}{% for x in body %}({{x}}){% endfor %}", { json: "[1,2]" }, "1(1)(2)"],
  ["{{body.__proto__}}", { json: '{"__proto__":"own"}' }, "own"],
  ["{{body.d}}", { json: { d: "2024-03-09T14:05:06Z" } }, "03/09/2024 14:05:06"],
  ["{{body.d | Date: 'dd.MM.yy'}}", { json: { d: "2024-03-09T14:05:06Z" } }, "09.03.24"],
  [
    "{{body.d}}",
    { json: { d: "2024-03-09T14:05:06Z" }, attributes: { "parse-date": false } },
    "2024-03-09T14:05:06Z",
  ],
  ["{{body.a}}", { json: { a: 1 }, type: "application/vnd.x+json; charset=utf-8" }, "1"],
  ["<{{body}}>", { text: "plain words" }, "<plain words>"],
  ["<{{body}}>", {}, "<>"],
  [
    "{{context.Variables['n']}}{{context.Variables.s}}{{context.Variables['x']}}",
    { variables: { n: 5, s: "t" } },
    "5t",
  ],
  [
    "{{context.Variables['o'].a.b}}",
    { variables: { o: tokenOf(readJson('{"a":{"b":3}}', "JObject")) } },
    "3",
  ],
  [
    "{% assign v = context.Variables['l'] %}{{v | Size}}",
    { variables: { l: tokenOf(readJson("[1,2,3]", "JArray")) } },
    "3",
  ],
  [
    "{{context.Response.StatusCode}} {{context.Response.Headers.X}}",
    { prepare: (exchange) => void (exchange.response = responseOf(404, null, ["X", "y"])) },
    "404 y",
  ],
])("%s of %o", async (template, input, expected) => {
  expect(await render(template, input)).toBe(expected);
});

const soap =
  '<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><m:Order xmlns:m="urn:m" id="7">' +
  '<m:Line>a</m:Line><m:Line>b &amp; c</m:Line><One>1</One><Nil xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>' +
  '<Text lang="de">Wort</Text><Empty/></m:Order></soap:Body></soap:Envelope>';

test.each<[string, string, Readonly<Record<string, unknown>>?]>([
  ["{{body.Envelope.Body.Order.One}}", "1"],
  ["{{body.envelope.body.order.one}}", "1"],
  [
    "{% assign o = body.envelope.body.order %}{{o['@id']}} {% for l in o.Line %}[{{l}}]{% endfor %}",
    "7 [a][b & c]",
  ],
  ["{% for x in body.envelope.body.order.one %}[{{x}}]{% endfor %}", "[1]"],
  ["{% assign t = body.envelope.body.order.text %}{{t}} {{t['@lang']}} {{t['#text']}}", "Wort de Wort"],
  ["[{{body.envelope.body.order.empty}}{{body.envelope.body.order.none}}]", "[]"],
  ["{% if body.envelope.body.order.nil == null %}null{% else %}blank{% endif %}", "blank"],
  [
    "{% if body.envelope.body.order.nil == null %}null{% else %}blank{% endif %}",
    "null",
    { "xsi-nil": "null" },
  ],
  ["{{body.envelope.body.order}}", ""],
])("XML: %s", async (template, expected, attributes) => {
  expect(await render(template, { xml: soap, attributes })).toBe(expected);
});

test.each<[string, Input, RegExp]>([
  ["{{body.a}}", { json: "{not json" }, /Liquid: /],
  ["{{body.a}}", { xml: "<a><b></a>" }, /Liquid: .*unexpected close tag/i],
  ["{{body.a}}", { xml: "<a>".repeat(300) + "</a>".repeat(300) }, /nested deeper than 256/],
  ["{{body.a}}", { xml: '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>' }, /undefined entity/],
  ["{{ 1 | DividedBy: 0 }}", {}, /divide by zero/],
  ["{{ 'x' | Times: 2 }}", {}, /"x" is not a number/],
  ["{% for i in (1..1000000000) %}{% endfor %}", {}, /limit exceeded/],
  [
    "{% assign a = 'xxxxxxxxxxxxxxxx' %}{% for i in (1..40) %}{% assign a = a | Append: a %}{% endfor %}",
    {},
    /limit exceeded|longer than/,
  ],
  [
    "{% assign a = 'xxxxxxxxxxxxxxxx' %}{% for i in (1..40) %}{% capture a %}{{a}}{{a}}{% endcapture %}{% endfor %}",
    {},
    /longer than/,
  ],
])("fails: %s", async (template, input, message) => {
  await expect(render(template, input)).rejects.toMatchObject({
    source: "set-body",
    reason: "ExpressionValueEvaluationFailure",
    status: 500,
    message: expect.stringMatching(message),
  });
});
