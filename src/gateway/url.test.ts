import { expect, test } from "vitest";
import { composeUrl, joinPath } from "./message.ts";
import { decodeOnce, originalUrlOf, parseQuery, parseTarget, splitTarget } from "./url.ts";

/** Path and query as `path?query`, or null when refused. */
function split(target: string): string | null {
  const result = splitTarget(target);
  return result === null ? null : result.path + (result.query === "" ? "" : `?${result.query}`);
}

test.each<[string, string | null]>([
  ["/", "/"],
  ["/a/b?c=d", "/a/b?c=d"],
  ["/a//b", "/a//b"],
  ["//a", "//a"],
  ["/a/", "/a/"],
  ["/a?", "/a"],
  ["/a?b?c", "/a?b?c"],
  ["/a%20b", "/a%20b"],
  ["/a%2Fb", "/a%2Fb"],
  ["/a%2fb", "/a%2fb"],
  ["/items(1);v=2,3", "/items(1);v=2,3"],
  ["/.well-known/x", "/.well-known/x"],
  ["/a..b/...", "/a..b/..."],
  // Dot segments are resolved
  ["/a/./b", "/a/b"],
  ["/a/../b", "/b"],
  ["/a/b/..", "/a/"],
  ["/a/.", "/a/"],
  ["/../../a", "/a"],
  ["/..", "/"],
  // and refused where they hide
  ["/a/%2e%2e/b", null],
  ["/a/%2E/b", null],
  ["/a/.%2e/b", null],
  ["/a%2F..%2Fb", null],
  ["/a%2f%2e%2e", null],
  ["/a/..%5Cb", null],
  ["/a%5Cb", null],
  ["/a\\b", null],
  // A dot segment decoded twice is data
  ["/a/%252e%252e", "/a/%252e%252e"],
  // Bad escapes and control characters
  ["/a%", null],
  ["/a%2", null],
  ["/a%zz", null],
  ["/a%ff", null],
  ["/a%00", null],
  ["/a%0d%0a", null],
  ["/a%7f", null],
  ["/a#b", null],
  // The query is not looked at
  ["/a?x=%zz&y=/../", "/a?x=%zz&y=/../"],
  // Absolute form and others
  ["http://host:80/a?b", "/a?b"],
  ["https://host", "/"],
  ["http://host?a=b", "/?a=b"],
  ["a/b", null],
  ["", null],
])("target %j", (target, expected) => {
  expect(split(target)).toBe(expected);
});

test("a target of slashes takes time in proportion to its length", () => {
  expect(split(`${"/".repeat(8000)}%41`)).toBe(`${"/".repeat(8000)}%41`);
  expect(split(`${"/a".repeat(4000)}\\`)).toBeNull();
});

test.each<[string, string | null]>([
  ["http://h", "http h 80 h '' ''"],
  ["HTTPS://H:443/", "https h 443 h '' ''"],
  ["https://h:8443/a/b/", "https h 8443 h:8443 '/a/b' ''"],
  ["http://h/a?x=1&y", "http h 80 h '/a' 'x=1&y'"],
  ["http://h/a#f", "http h 80 h '/a' ''"],
  ["wss://h/a", "https h 443 h '/a' ''"],
  ["ws://h:80", "http h 80 h '' ''"],
  ["http://[::1]:81/x", "http ::1 81 [::1]:81 '/x' ''"],
  ["http://user:pass@h/x", "http h 80 h '/x' ''"],
  [" http://h ", "http h 80 h '' ''"],
  ["ftp://h", null],
  ["http://", null],
  ["http://h:0", null],
  ["http://h:99999", null],
  ["http://a b", null],
  ["/a", null],
  ["h", null],
])("base URL %j", (url, expected) => {
  const target = parseTarget(url);
  const shown =
    target &&
    `${target.scheme} ${target.host} ${target.port} ${target.authority} '${target.basePath}' '${target.baseQuery}'`;
  expect(shown).toBe(expected);
});

test.each([
  // [base URL, path, query, result]
  [
    "https://r1/openai",
    "/deployments/gpt/chat/completions",
    "api-version=1",
    "https://r1:443/openai/deployments/gpt/chat/completions?api-version=1",
  ],
  ["https://h/api/8.2/", "/partners/15", "", "https://h:443/api/8.2/partners/15"],
  ["http://h:11434", "/v1/chat/completions", "", "http://h:11434/v1/chat/completions"],
  ["https://h/mcp", "", "", "https://h:443/mcp"],
  ["https://h/mcp", "/", "", "https://h:443/mcp"],
  ["https://h", "", "", "https://h:443/"],
  ["https://h", "/", "x", "https://h:443/?x"],
  ["https://h/a?k=1", "/b", "", "https://h:443/a/b?k=1"],
  ["https://h/a?k=1&l=2", "/b", "K=9&z=&z", "https://h:443/a/b?l=2&K=9&z=&z"],
  ["https://h/a?k=1", "", "k=2&k=3", "https://h:443/a?k=2&k=3"],
  ["https://h", "/a%2Fb//c", "q=%20+", "https://h:443/a%2Fb//c?q=%20+"],
])("%s with %s and %s", (base, path, query, expected) => {
  const { scheme, host, port, path: full, queryString } = composeUrl(parseTarget(base)!, path, query);
  expect(`${scheme}://${host}:${port}${full}${queryString}`).toBe(expected);
});

test("joinPath adds no slash for an empty path", () => {
  expect(joinPath("", "")).toBe("");
});

test.each<[string, [string, string][]]>([
  ["", []],
  [
    "a=1&b=2&a=3",
    [
      ["a", "1"],
      ["b", "2"],
      ["a", "3"],
    ],
  ],
  [
    "a&b=&=c&&",
    [
      ["a", ""],
      ["b", ""],
      ["", "c"],
    ],
  ],
  ["a%20b+c=%41+d", [["a b c", "%41+d"]]],
  ["%zz=1", [["%zz", "1"]]],
  ["a=b=c", [["a", "b=c"]]],
])("query %j", (query, expected) => {
  expect(parseQuery(query).entries).toEqual(expected);
});

test.each([
  ["plain", "plain"],
  ["%41%20", "A "],
  ["%2541", "%41"],
  ["%C3%A9", "é"],
  ["%C3", null],
  ["%", null],
])("decodeOnce(%j)", (text, expected) => {
  expect(decodeOnce(text)).toBe(expected);
});

test.each([
  ["http", "h", "http h 80"],
  ["https", "h", "https h 443"],
  ["http", "h:8080", "http h 8080"],
  ["http", "[::1]:81", "http [::1] 81"],
  ["http", "", "http  80"],
] as const)("original URL: %s, Host %j", (scheme, host, expected) => {
  const url = originalUrlOf(scheme, host, { path: "/p", query: "q=1" });
  expect(`${url.scheme} ${url.host} ${url.port}`).toBe(expected);
  expect(url.path + url.queryString).toBe("/p?q=1");
});
