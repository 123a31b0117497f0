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
