import { expect, test } from "vitest";
import { csvLine } from "./ledger-answers.ts";

test.each<[(string | number | boolean | null)[], string]>([
  [["a", 1, null, true], "a,1,,true"],
  [["a,b", 'say "x"', "two\nlines"], '"a,b","say ""x""","two\nlines"'],
  [[-1, -0.5], "-1,-0.5"],
  [["=1+1", "+1", "-1", "@SUM(A1)"], "'=1+1,'+1,'-1,'@SUM(A1)"],
  [["\t=1", "\r=1"], `'\t=1,"'\r=1"`],
  [['=HYPERLINK("http://x","y")'], `"'=HYPERLINK(""http://x"",""y"")"`],
  [["a=1", " =1"], "a=1, =1"],
])("%j is the line %j", (values, line) => {
  expect(csvLine(values)).toBe(line);
});
