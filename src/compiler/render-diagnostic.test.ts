import { expect, test } from "vitest";
import { diagnose } from "./diagnostics.ts";
import { renderDiagnostic } from "./render-diagnostic.ts";
import { SourceText } from "./source.ts";

const text = `<policies>
  <inbound>
    <llm-token-limit token-per-minute="5000" />
  </inbound>
</policies>
`;

function unknownAttribute(source: SourceText): ReturnType<typeof diagnose> {
  const at = source.text.indexOf("token-per-minute");
  const values = { element: "llm-token-limit", attribute: "token-per-minute" };
  const notes = ["allowed here: counter-key, tokens-per-minute"];
  return diagnose("HG2107", source, at, at + 16, values, {
    hint: "did you mean `tokens-per-minute`?",
    notes,
  });
}

test("the form of a good compiler", () => {
  const source = new SourceText(text, "apis/chat/policy.xml");
  expect(renderDiagnostic(unknownAttribute(source), text)).toBe(
    `error[HG2107]: <llm-token-limit> has no attribute \`token-per-minute\`
  --> apis/chat/policy.xml:3:22
   |
 2 |   <inbound>
 3 |     <llm-token-limit token-per-minute="5000" />
   |                      ^^^^^^^^^^^^^^^^ did you mean \`tokens-per-minute\`?
   = note: allowed here: counter-key, tokens-per-minute
   = help: headgate explain HG2107
`,
  );
});

test("without source, with colour", () => {
  const source = new SourceText(text, "p.xml");
  const plain = renderDiagnostic(unknownAttribute(source), null);
  expect(plain).toContain("= hint: did you mean `tokens-per-minute`?");
  expect(plain).not.toContain("\u001b");
  expect(renderDiagnostic(unknownAttribute(source), text, { color: true })).toContain(
    "\u001b[1;31merror[HG2107]\u001b[0m",
  );
});

test("tabs stay under tabs, wide gutters line up", () => {
  const source = new SourceText(`${"\n".repeat(99)}\t\t<x/>`);
  const shown = renderDiagnostic(diagnose("HG2101", source, 101, 105, { element: "x" }), source);
  expect(shown).toContain("    --> 100:3\n     |\n  99 |\n 100 | \t\t<x/>\n     | \t\t^^^^");
});

test("long lines are cut around the place", () => {
  const line = `${"a".repeat(500)}<x/>${"b".repeat(500)}`;
  const source = new SourceText(line);
  const shown = renderDiagnostic(diagnose("HG2101", source, 500, 504, { element: "x" }), source).split("\n");
  const at = shown[3]!.indexOf("<x/>");
  expect(at).toBeGreaterThan(0);
  expect(shown[4]!.indexOf("^^^^")).toBe(at);
  expect(Math.max(...shown.map((l) => l.length))).toBeLessThan(140);
});

test("control characters of a document never reach the terminal", () => {
  const source = new SourceText("<a>\u001b[31m\u0007</a>", "p\u001b.xml");
  const shown = renderDiagnostic(diagnose("HG1028", source, 3, 4, { character: "\u001b" }), source);
  // oxlint-disable-next-line no-control-regex
  expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
});

test("an empty range has one caret, one over lines goes to the line's end", () => {
  const source = new SourceText("ab\ncd");
  expect(renderDiagnostic(diagnose("HG1002", source, 1, 1), source)).toContain(" |  ^ ");
  expect(renderDiagnostic(diagnose("HG1002", source, 0, 5), source)).toContain(" | ^^ ");
});
