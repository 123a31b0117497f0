import { expect, test } from "vitest";
import { PolicyCompiler } from "./compile.ts";
import { compileExpression } from "./csharp/compile-expression.ts";
import { restMessage } from "./diagnostics.ts";
import { renderDiagnostic } from "./render-diagnostic.ts";
import { testPolicies } from "./test-policies.ts";

const secret = "hunterTwo";

/** However a secret is used wrongly, no diagnostic shows a piece of it. `KEY` stands for the reference. */
test.each([
  "@(KEY)",
  "@(KEY.Length)",
  "@(context.KEY)",
  "@(new KEY())",
  '@("KEY" + nothing)',
  '@("KEY".Nothing())',
  '@(int.Parse("KEY", 1, 2, 3))',
  "@{ var KEY = 1; return hunterTow; }",
  "@{ string KEY(int a) => 1; return KEY(1, 2); }",
  "@{ goto KEY; }",
  "@(context.Variables['KEY'])",
  '@(context.Variables["KEY"] + 1 +)',
  '@($"{KEY}")',
  '@($"{context.RequestId:KEY',
])("%s", (expression) => {
  const text = `<policies><inbound><set-method>${expression.replaceAll("KEY", "{{key}}")}</set-method></inbound><backend/><outbound/><on-error/></policies>`;
  const compiler = new PolicyCompiler(testPolicies, compileExpression);
  const around = { namedValues: new Map([["key", { value: secret, secret: true }]]), fragments: new Map() };
  const { diagnostics } = compiler.compile({ text, scope: "api", scopeId: "/" }, around);
  expect(diagnostics.length).toBeGreaterThan(0);
  for (const diagnostic of diagnostics) {
    expect(
      JSON.stringify(diagnostic) + renderDiagnostic(diagnostic, text) + restMessage(diagnostic),
    ).not.toContain("hunterTwo");
  }
});
