import { expect, test } from "vitest";
import { operationOf } from "./testing.ts";
import { indexOperations } from "./api-index.ts";
import { compileTemplate } from "./template.ts";
import { decodeOnce, parseQuery } from "./url.ts";

/** Parameters as `a=1 b=2`; null when it does not match. */
function matched(template: string, url: string): string | null {
  const matcher = compileTemplate(template);
  if (typeof matcher === "string") throw new Error(matcher);
  const [path = "", query = ""] = url.split("?");
  const raw = path === "" ? [] : path.split("/");
  const result = matcher.match(
    { raw, decoded: raw.map((segment) => decodeOnce(segment)!) },
    parseQuery(query),
  );
  return result && [...result.parameters].map(([name, value]) => `${name}=${value}`).join(" ");
}

test.each<[template: string, url: string, expected: string | null]>([
  ["/", "", ""],
  ["", "", ""],
  ["/", "a", null],
  ["/x", "x", ""],
  ["x", "x", ""],
  ["/x/", "x", ""],
  ["/X", "x", ""],
  ["/x", "x/y", null],
  ["/a%20b", "a b", ""],
  ["/{id}", "7", "id=7"],
  ["/{id}", "", null],
  ["/{id}", "a%2Fb", "id=a/b"],
  ["/{id}", "a%20b", "id=a b"],
  ["/a/{x}/b/{y}", "a/1/b/2", "x=1 y=2"],
  ["/a/{x}/b", "a//b", null],
  // Part of a segment
  ["/items({id})", "items(7)", "id=7"],
  ["/items({id})", "ITEMS(7)", "id=7"],
  ["/items({id})", "items()", null],
  ["/items({id})", "items(7)x", null],
  ["/file.{ext}", "file.tar.gz", "ext=tar.gz"],
  ["/{name}.{ext}", "a.b.c", "name=a ext=b.c"],
  ["/{name}.json", "a.json.json", "name=a.json"],
  ["/{name}.json", ".json", null],
  ["/{a}-{b}", "x-y-z", "a=x b=y-z"],
  ["/v{n}", "v", null],
  // Catch-alls
  ["/{*path}", "", "path="],
  ["/{*path}", "a/b/c", "path=a/b/c"],
  ["/x/{*path}", "x", "path="],
  ["/x/{*path}", "x/a%2Fb", "path=a/b"],
  ["/x/{*path}", "y", null],
  ["/*", "", "*="],
  ["/*", "a/b", "*=a/b"],
  // Query
  ["/x?v={v}", "x", null],
  ["/x?v={v}", "x?v=1", "v=1"],
  ["/x?v={v}", "x?V=%20", "v=%20"],
  ["/x?v={v}", "x?v=", "v="],
  ["/x?a={a}&b={b}", "x?b=2&z&a=1", "a=1 b=2"],
  ["/x?a=Lit", "x?a=lIT", ""],
  ["/x?a=lit", "x?a=other", null],
  ["/x?a=lit", "x?a=other&a=lit", ""],
  ["/x?flag", "x?flag", ""],
])("%s and %s", (template, url, expected) => {
  expect(matched(template, url)).toBe(expected);
});

test.each([
  ["/{*a}/b", 'the catch-all "{*a}" must be the last segment'],
  ["/a/*/b", 'the catch-all "*" must be the last segment'],
  ["/{a", '"{a" has a "{" without "}"'],
  ["/a}", '"a}" has a "}" without "{"'],
  ["/{a}{b}", '"{a}{b}" has two parameters with nothing between them'],
  ["/x{}", '"{}" is not a parameter name'],
])("%s is refused", (template, why) => {
  expect(compileTemplate(template)).toBe(why);
});

/** Each list is in the order in which templates must be tried. */
test.each([
  [["/a/b", "/a/x{p}", "/a/{p}", "/a/{*r}", "/a/*", "/{*r}", "/*"]],
  [["/a", "/a/{*r}"]],
  [["/a/{p}/c", "/a/{p}/{q}", "/{p}/b/c"]],
  [["/a?x={x}&y={y}", "/a?x=1", "/a?x={x}", "/a"]],
])("precedence %j", (templates) => {
  const first = templates[0]!.split("/")[1]!.split("?")[0]!;
  for (const given of [templates, templates.toReversed()]) {
    const index = indexOperations(given.map((template) => operationOf({ template })));
    const tried = index.candidates("GET", first).map(({ urlTemplate }) => urlTemplate);
    expect(tried).toEqual(templates);
  }
});

test("equal templates keep the order of definition", () => {
  const index = indexOperations([
    operationOf({ id: "1", template: "/{a}" }),
    operationOf({ id: "2", template: "/{b}" }),
  ]);
  expect(index.candidates("GET", "x").map(({ id }) => id)).toEqual(["1", "2"]);
  expect(index.candidates("POST", "x")).toEqual([]);
});
