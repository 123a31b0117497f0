import { expect, test } from "vitest";
import { PolicyCompiler } from "./compile.ts";
import { computedValue } from "./expression.ts";
import { brokenDocument, checkCompiled, checkParsed, hostileDocuments } from "./fuzz-documents.ts";
import { renderDiagnostic } from "./render-diagnostic.ts";
import { testPolicies } from "./test-policies.ts";
import { parseXml } from "./xml/parser.ts";

const value = computedValue(() => "", 0);
const compiler = new PolicyCompiler(testPolicies, () => ({ diagnostics: [], value }));
const around = {
  namedValues: new Map([["limit", { value: "3", secret: true }]]),
  fragments: new Map([["f", { id: "f", text: "<fragment><cors/></fragment>" }]]),
};

test("3,000 broken documents: always a tree, places in order, diagnostics that can be shown", () => {
  for (let seed = 0; seed < 3_000; seed++) {
    const text = brokenDocument(seed);
    try {
      checkParsed(text, parseXml(text));
      const compiled = compiler.compile({ text, scope: "api", scopeId: "/" }, around);
      checkCompiled(text, compiled);
      for (const diagnostic of compiled.diagnostics.slice(0, 5)) renderDiagnostic(diagnostic, text);
      checkCompiled(text, compiler.compileLoose(text));
    } catch (error) {
      throw new Error(`seed ${seed}: ${JSON.stringify(text)}`, { cause: error });
    }
  }
});

// A quadratic reader would need minutes for each of these and run into the test's time limit.
test("hostile documents of 512 KiB end", { timeout: 60_000 }, () => {
  for (const text of hostileDocuments(64 * 1024)) checkCompiled(text, compiler.compileLoose(text));
  const largest = hostileDocuments(512 * 1024);
  for (let i = 0; i < largest.length; i += 7) {
    const parsed = parseXml(largest[i]!);
    checkParsed(largest[i]!, parsed);
    expect(parsed.source.text.length).toBe(512 * 1024);
  }
});
