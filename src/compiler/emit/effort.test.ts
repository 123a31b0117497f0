/** How often the clock is looked at while an expression works on something large. */
import { expect, test } from "vitest";
import { compileDetailed } from "../csharp/compile-expression.ts";
import { configureBudget } from "../runtime/budget.ts";
import type { HostContext } from "../runtime/host.ts";

function looks(code: string): number {
  let count = 0;
  configureBudget(() => {
    count++;
    return 0;
  });
  const { value, diagnostics } = compileDetailed(code, "block", "any");
  if (value === null) throw new Error(diagnostics[0]!.message);
  value({} as HostContext);
  configureBudget(() => 0);
  return count;
}

const TEXT = "var s = new string('a', 1000000); int n = 0; for (int i = 0; i < 100; i++) ";
const LIST = "var l = Enumerable.Range(0, 100000).ToList(); int n = 0; for (int i = 0; i < 100; i++) ";

test.each([
  "s.Trim();",
  "n += s.GetHashCode();",
  'n += s.IndexOf("b");',
  "if (s == s + i) n++;",
  "if (s.Equals((object)(s + i))) n++;",
  "s.Contains(s);",
  'switch (s + i) { case "a": n++; break; }',
])("a call on a million characters is worth a look: %s", (loop) => {
  expect(looks(`${TEXT}{ ${loop} } return n;`)).toBeGreaterThanOrEqual(100);
});

test("comparing long texts pays steps by itself and runs out of them", () => {
  expect(() => looks(`${TEXT}{ n += string.Compare(s, s + i); } return n;`)).toThrow("steps");
});

test.each([
  "n += s.Length;",
  "n += s[i];",
  "n += s.Substring(i, 1).Length;",
  'if (s.StartsWith("a")) n++;',
  'if (s == "a") n++;',
])("what takes no time however long the text is needs none: %s", (loop) => {
  expect(looks(`${TEXT}{ ${loop} } return n;`)).toBeLessThan(50);
});

test("lists: reading and adding is free, searching is not", () => {
  const before = looks(`${LIST}{ } return n;`);
  expect(looks(`${LIST}{ n += l[i] + l.Count; } return n;`) - before).toBeLessThan(10);
  expect(looks(`${LIST}{ l.Insert(0, 1); } return n;`) - before).toBeGreaterThan(10);
});

const BIG = "var s = new string('a', 4000000); ";

test.each([
  `${BIG}return s.Replace('a', 'b').Length;`,
  `${BIG}return s.Replace("a", "").Length;`,
  `${BIG}return new StringBuilder(s).Replace('a', 'b').Length;`,
  `${BIG}return s.Split('b', 'c').Length;`,
  `${BIG}return Convert.FromBase64String(s + " aaaa ").Length;`,
  "return BitConverter.ToString(new byte[2000000]).Length;",
  "return WebUtility.UrlDecodeToBytes(new byte[4000000], 0, 4000000).Length;",
  "return JsonConvert.SerializeObject(new string('\"', 4000000)).Length;",
  "return new XElement(\"a\", new string('<', 2000000)).ToString().Length;",
  'return WebUtility.HtmlDecode(string.Concat(Enumerable.Repeat("&amp;", 400000))).Length;',
  "return Regex.Unescape(new string('\\\\', 400000)).Length;",
])("one call on a large text is looked at while it runs: %s", (code) => {
  expect(looks(code)).toBeGreaterThanOrEqual(10);
});

const DOUBLED = "object o = 1, p = 1; for (int i = 0; i < 40; i++) ";

test.each([
  "Tuple.Create({0}, {0})",
  "new KeyValuePair<object, object>({0}, {0})",
  "({0}, {0})",
  "new { a = {0}, b = {0} }",
])("what holds itself twice, forty times over, is small to make and endless to walk: %s", (pair) => {
  const twice = (name: string): string => `${name} = ${pair.replaceAll("{0}", name)};`;
  const made = `${DOUBLED} { ${twice("o")} ${twice("p")} }`;
  expect(() => looks(`${made} return o.GetHashCode();`)).toThrow("steps");
  expect(() => looks(`${made} return o.Equals(p);`)).toThrow("steps");
  expect(() => looks(`${made} return o.ToString();`)).toThrow(/steps|longer/);
});

test.each([
  ["Replace", "new string('a', 1000000).Replace(\"a\", new string('b', 1000)).Length"],
  ["a tuple", "Tuple.Create(LONG, LONG).ToString().Length"],
  ["a pair", "new KeyValuePair<string, string>(LONG, LONG).ToString().Length"],
  ["an anonymous object", "new { a = LONG, b = LONG }.ToString().Length"],
  [
    "the text of an element",
    'new XElement("a", new XElement("b", LONG), new XElement("b", LONG)).Value.Length',
  ],
])("%s does not make a text longer than allowed", (_, code) => {
  expect(() => looks(`return ${code.replaceAll("LONG", "new string('x', 9000000)")};`)).toThrow(
    "longer than",
  );
});

test.each([
  "Tuple.Create({0}, {0})",
  "({0}, {0})",
  "new { a = {0}, b = {0} }",
  "new KeyValuePair<object, int>({0}, 1)",
])("a type that doubles with every variable is refused, not built: %s", (pair) => {
  let code = "var a0 = 1; ";
  for (let i = 1; i <= 60; i++) code += `var a${i} = ${pair.replaceAll("{0}", `a${i - 1}`)}; `;
  const { value, diagnostics } = compileDetailed(`${code} return 1;`, "block", "any");
  if (pair.includes("object")) expect(value).not.toBeNull();
  else expect(diagnostics.map((d) => d.code)).toEqual(["HG3149"]);
});
