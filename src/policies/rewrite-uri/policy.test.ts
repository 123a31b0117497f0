import { expect, test } from "vitest";
import { route } from "../../gateway/router.ts";
import { apiOf, exchangeOf, mistakesOf, policyStep, snapshotOf } from "../../gateway/testing.ts";
import { rewriteUri } from "./policy.ts";

/** Routes `url` by the operation's template, rewrites, and shows path and query. */
function rewritten(
  operation: string,
  url: string,
  template: unknown,
  attributes: Readonly<Record<string, unknown>> = {},
): string {
  const snapshot = snapshotOf({ apis: [apiOf({ path: "a", operations: [{ template: operation }] })] });
  const exchange = exchangeOf({ target: `/a${url}` }, snapshot);
  const match = route(snapshot, exchange);
  if (match.kind === "none") throw new Error("no match");
  const { request } = exchange;
  exchange.operation = match.operation;
  request.rawParameters = match.rawParameters;
  request.path = match.remainder;
  policyStep(rewriteUri, { attributes: { template, ...attributes } }).run(exchange, null);
  return request.path + (request.query === "" ? "" : `?${request.query}`);
}

const noCopy = { "copy-unmatched-params": false };

test.each<
  [
    operation: string,
    url: string,
    template: unknown,
    expected: string,
    attributes?: Readonly<Record<string, unknown>>,
  ]
>([
  // The documented example
  ["/get?a={b}", "/get?a=b&c=d", "/put", "/put?c=d"],
  ["/get?a={b}", "/get?a=b&c=d", "/put", "/put", noCopy],
  ["/token", "/token?x=1&y", "/token", "/token?x=1&y"],
  ["/x", "/x", "/y?v=1", "/y?v=1"],
  ["/x", "/x?v=2&w=3", "/y?v=1", "/y?v=1&w=3"],
  ["/x", "/x?V=2", "/y?v=1", "/y?v=1"],
  ["/x?a={a}", "/x?a=1%202", "/y?b={a}", "/y?b=1%202"],
  ["/x/{id}", "/x/7", "/y/{id}/z", "/y/7/z"],
  ["/x/{id}", "/x/7", "/y/{ID}", "/y/7"],
  ["/x/{id}", "/x/a%2Fb%20c", "/y/{id}", "/y/a%2Fb%20c"],
  ["/x/{id}", "/x/a&b", "/y?q={id}", "/y?q=a%26b"],
  ["/x/{*rest}", "/x/a/b%20c/d?q", "/y/{rest}", "/y/a/b%20c/d?q"],
  ["/x/{*rest}", "/x", "/y/{*rest}", "/y/"],
  ["/x", "/x", "y", "/y"],
  ["/x", "/x", "", "/"],
  ["/x", "/x", "/a b/ü?q=<c>", "/a%20b/%C3%BC?q=%3Cc%3E"],
  ["/x", "/x", "/a%20b#c", "/a%20b%23c"],
  ["/x/{id}", "/x/7", () => "/e/{id}?f={id}", "/e/7?f=7"],
  ["/x", "/x?a=1", () => "/e", "/e", { "copy-unmatched-params": () => false }],
])("%s, %s → %s: %s", (operation, url, template, expected, attributes) => {
  expect(rewritten(operation, url, template, attributes)).toBe(expected);
});

test.each<[unknown, string]>([
  [
    () => "/{nobody}",
    "Only parameters specified in the original URL template can be used in the rewrite template",
  ],
  [() => "/a\r\nb", "The rewritten URL contains a control character."],
])("refused at run time", (template, message) => {
  expect(() => rewritten("/x", "/x", template)).toThrow(
    expect.objectContaining({ source: "rewrite-uri", status: 500, message }),
  );
});

test("several executions: each starts from where the one before left off", () => {
  const exchange = exchangeOf({ target: "/x?a=1" });
  policyStep(rewriteUri, { attributes: { template: "/y?b=2" } }).run(exchange, null);
  policyStep(rewriteUri, { attributes: { template: "/z" } }).run(exchange, null);
  expect(`${exchange.request.path}?${exchange.request.query}`).toBe("/z?b=2&a=1");
});

const unknown = "Only parameters specified in the original URL template can be used in the rewrite template";

test.each<[string | null, string, readonly string[]]>([
  ["/x/{id}?v={v}", "/y/{id}?w={V}", []],
  ["/x/{*rest}", "/y/{*rest}", []],
  ["/x", "/y/{id}", [unknown]],
  ["/x/{id}", "/{a}/{b}", [unknown, unknown]],
  [null, "/y/{id}", []],
])("operation %s, template %s: %j", (operationTemplate, template, expected) => {
  expect(mistakesOf(rewriteUri, { attributes: { template } }, { operationTemplate })).toEqual(expected);
});
