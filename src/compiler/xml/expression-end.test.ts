import { describe, expect, test } from "vitest";
import { findExpressionEnd } from "./expression-end.ts";

/** The region found, or what was left open and where. */
function end(text: string, entities = false): string {
  const found = findExpressionEnd(text, 0, entities);
  if (found.encoded) return "encoded";
  return found.end === -1 ? `${found.failure}@${found.failureAt}` : text.slice(0, found.end);
}

describe("the bracket that matches", () => {
  test.each([
    ["@(1)", "tail"],
    ["@{ return 1; }", " tail"],
    ["@((1))", ")"],
    ['@(")")', ")"],
    ['@("\\")")', ")"],
    ["@(')')", ")"],
    ["@('\\'' + ')')", ")"],
    ['@(@"\\")', ")"],
    ['@(@"a"")")', ")"],
    ['@($"{a})")', ")"],
    ['@($"{{)")', ")"],
    ['@($"{f("}")})")', ")"],
    ['@($"{f($"{g(")")}")}")', ")"],
    ['@($"{a:0)}")', ")"],
    ["@($\"{d:h':'mm}\")", ")"],
    ['@($"{(a ? ")" : "(")}")', ")"],
    ['@($@"\n""{a}"")")', ")"],
    ['@(@$"{a}""")', ")"],
    ['@("""a ")" b""")', ")"],
    ['@($$"""{a}{{b}})""")', ")"],
    ["@(a // )\n)", ")"],
    ["@(a /* ) */)", ")"],
    ["@(@class)", ")"],
    ["@(a < b && c > d)", ")"],
    ["@{ if (a) { return 1; } return 2; }", "}"],
    ["@{\n#region )}\n return 1;\n#endregion '\n}", "}"],
    ["@(don't)", ")"],
  ])("%s", (region, rest) => {
    expect(end(region + rest)).toBe(region);
  });
});

describe("what is left open", () => {
  test.each([
    ["@(", "bracket@0"],
    ["@(a", "bracket@0"],
    ["@{ { }", "bracket@0"],
    ['@("a', "string@2"],
    ['@("a\n")', "string@2"],
    ['@("a\\', "string@2"],
    ['@(@"a""', "string@2"],
    ['@($"{a', "bracket@0"],
    ['@($"{a:0', "bracket@0"],
    ['@($"a\n', "string@2"],
    ['@($"{f("x\n")}")', "string@7"],
    ['@($"id {a.b")', "hole@7"],
    ['@("""a""', "string@2"],
    ["@(/* a", "comment@2"],
  ])("%s", (text, expected) => {
    expect(end(text)).toBe(expected);
  });
});

describe("entities", () => {
  test.each([
    ['@(a[&quot;b&quot;])"', "encoded"],
    ["@(&apos;(&apos;)", "encoded"],
    ["@(&#34;)&#34;)", "encoded"],
    ["@(&#x22;)&#x22;)", "encoded"],
    ['@("a" + &quot;)', '@("a" + &quot;)'],
    ["@(a &amp;&amp; b)", "@(a &amp;&amp; b)"],
    ["@(s.Split(&apos;)&apos;)", "encoded"],
    ['@("" + &apos;)&apos;)', '@("" + &apos;)&apos;)'],
  ])("%s", (text, expected) => {
    expect(end(text, true)).toBe(expected);
  });
  test("only those in code are told", () => {
    const text = '@(s.Replace("&amp;", "&lt;") &lt; 1 &amp;&amp; b)';
    expect(findExpressionEnd(text, 0, true).codeEntities).toEqual([
      text.indexOf("&lt; 1"),
      text.indexOf("&amp;&amp;"),
      text.indexOf("&amp;&amp;") + 5,
    ]);
  });
});

test("an XML comment is walked over and told", () => {
  const text = "@{ <!-- ) don't --> return 1; }";
  const found = findExpressionEnd(text, 0, false);
  expect(found.end).toBe(text.length);
  expect(text.slice(found.comment!.start, found.comment!.end)).toBe("<!-- ) don't -->");
});
