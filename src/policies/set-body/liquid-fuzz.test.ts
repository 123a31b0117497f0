/** Templates and bodies of any shape: an output or a `GatewayError`, never anything else. */
import fc from "fast-check";
import { test } from "vitest";
import "../../compiler/runtime/library/index.ts";
import { Body } from "../../gateway/body.ts";
import { GatewayError } from "../../gateway/errors.ts";
import { exchangeOf } from "../../gateway/testing.ts";
import { parseTemplate } from "../../liquid/engine.ts";
import { filters } from "../../liquid/filters.ts";

const value = fc.constantFrom(
  "body",
  "body.a",
  "body.list",
  "body['x']",
  "body.deep.er",
  "body[0]",
  "body.list[-1]",
  "body.constructor",
  "context",
  "context.Request",
  "context.Request.Headers",
  "context.Request.Url",
  "context.Variables['v']",
  "forloop",
  "x",
  "1",
  "-2.5",
  "99999999999999999999",
  "'s'",
  '"q"',
  "'%'",
  "'<b'",
  "(1..5)",
  "nil",
  "empty",
  "blank",
  "true",
);
const filter = fc
  .tuple(fc.constantFrom(...filters.keys()), fc.array(value, { maxLength: 3 }))
  .map(([name, args]) => ` | ${name}${args.length === 0 ? "" : `: ${args.join(", ")}`}`);
const operator = fc.constantFrom(
  "==",
  "!=",
  "<>",
  ">",
  "<=",
  "contains",
  "Contains",
  "startsWith",
  "HasKey",
  "HasValue",
  "and",
);
const odd = fc.constantFrom(
  "text",
  "{%",
  "{{",
  "%}",
  "}}",
  "{% raw %}",
  "{% else %}",
  "{% break %}",
  "{% cycle 1, 2 %}",
  "{% increment x %}",
);

const { template } = fc.letrec<{ template: string }>((tie) => {
  const inner = tie("template");
  return {
    template: fc.oneof(
      { maxDepth: 3 },
      fc
        .tuple(value, fc.array(filter, { maxLength: 3 }))
        .map(([one, list]) => `{{ ${one}${list.join("")} }}`),
      odd,
      fc
        .tuple(value, operator, value, inner)
        .map(([a, by, b, body]) => `{% if ${a} ${by} ${b} %}${body}{% endif %}`),
      fc
        .tuple(value, value, inner)
        .map(([list, n, body]) => `{% for x in ${list} limit:${n} %}${body}{% endfor %}`),
      fc
        .tuple(value, inner)
        .map(([list, body]) => `{% JSONArrayFor x in ${list} %}${body}{% endJSONArrayFor %}`),
      fc
        .tuple(value, value, inner)
        .map(([a, b, body]) => `{% case ${a} %}{% when ${b} %}${body}{% endcase %}`),
      inner.map((body) => `{% capture x %}${body}{% endcapture %}`),
      fc.tuple(value, filter).map(([one, by]) => `{% assign x = ${one}${by} %}`),
      fc.array(inner, { maxLength: 4 }).map((parts) => parts.join("")),
    ),
  };
});

const body = fc.constantFrom<[string, string]>(
  [
    "application/json",
    '{"a":"text","list":[1,2,{"x":null}],"x":{"y":1.5},"deep":{"er":"2024-01-01T00:00:00Z"},"__proto__":{"z":1}}',
  ],
  ["application/json", "[1,[2]]"],
  ["application/json", "{broken"],
  ["text/xml", "<a><list>1</list><list>2</list><x y='1'>t</x></a>"],
  ["text/plain", "<<<<%%%%"],
);

test("an output or a GatewayError", () => {
  fc.assert(
    fc.property(template, body, (source, [type, text]) => {
      const parsed = parseTemplate(source);
      if (!parsed.ok) return;
      const exchange = exchangeOf({ method: "POST", headers: ["Content-Type", type], body: text });
      exchange.request.body = Body.text("request", text);
      try {
        parsed.template.render(exchange, exchange.request, { nilAsNull: false, parseDates: true });
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});
