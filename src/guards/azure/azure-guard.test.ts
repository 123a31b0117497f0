/** The two calls on the wire, and what is no answer. */
import { describe, expect, test } from "vitest";
import { GuardUnavailable, type AnalyzeQuestion } from "../guard.ts";
import { createAzureGuard } from "./azure-guard.ts";

const QUESTION: AnalyzeQuestion = {
  text: "T",
  categories: ["Hate", "Custom"],
  blocklists: ["l"],
  outputType: "EightSeverityLevels",
};

/** A guard whose service says this, and what it was asked. */
function guardOf(
  answer: unknown,
  status = 200,
): { guard: ReturnType<typeof createAzureGuard>; asked: unknown[] } {
  const asked: unknown[] = [];
  const body = new TextEncoder().encode(typeof answer === "string" ? answer : JSON.stringify(answer));
  return {
    guard: createAzureGuard((path, json) => (asked.push([path, json]), Promise.resolve({ status, body }))),
    asked,
  };
}

test("analyze", async () => {
  const { guard, asked } = guardOf({
    blocklistsMatch: [],
    categoriesAnalysis: [
      { category: "hate", severity: 3 },
      { category: "Custom", severity: 0 },
    ],
  });
  expect(await guard.analyze(QUESTION)).toEqual({
    severities: [
      { category: "hate", severity: 3 },
      { category: "Custom", severity: 0 },
    ],
    blocklistMatches: [],
  });
  expect(asked).toEqual([
    [
      "/contentsafety/text:analyze",
      {
        text: "T",
        categories: ["Hate", "Custom"],
        blocklistNames: ["l"],
        haltOnBlocklistHit: true,
        outputType: "EightSeverityLevels",
      },
    ],
  ]);
});

test("what is not wanted is not asked for", async () => {
  const { guard, asked } = guardOf({ categoriesAnalysis: [{ category: "Hate", severity: 0 }] });
  await guard.analyze({ ...QUESTION, categories: ["Hate"], blocklists: [] });
  expect(asked).toEqual([
    ["/contentsafety/text:analyze", { text: "T", categories: ["Hate"], outputType: "EightSeverityLevels" }],
  ]);
});

test("a match is enough", async () => {
  const { guard } = guardOf({
    blocklistsMatch: [{ blocklistName: "l", blocklistItemId: "i", blocklistItemText: "x" }],
  });
  expect((await guard.analyze(QUESTION)).blocklistMatches).toEqual([{ blocklist: "l", item: "i" }]);
});

test("shield", async () => {
  const { guard, asked } = guardOf({
    userPromptAnalysis: { attackDetected: false },
    documentsAnalysis: [{ attackDetected: true }],
  });
  expect(await guard.shield({ userPrompt: "U", documents: ["D"] })).toEqual({
    userPromptAttack: false,
    documentAttacks: [true],
  });
  expect(asked).toEqual([["/contentsafety/text:shieldPrompt", { userPrompt: "U", documents: ["D"] }]]);
});

const FINE = { category: "Custom", severity: 0 };
describe("no answer", () => {
  test.each([
    ["a status", { blocklistsMatch: [], categoriesAnalysis: [FINE] }, 201],
    ["an error", { error: { code: "x" } }, 500],
    ["no JSON", "fine", 200],
    ["a list", [], 200],
    ["null", null, 200],
    ["a category missing", { blocklistsMatch: [], categoriesAnalysis: [FINE] }, 200],
    ["a severity missing", { blocklistsMatch: [], categoriesAnalysis: [FINE, { category: "Hate" }] }, 200],
    [
      "a severity that is none",
      { blocklistsMatch: [], categoriesAnalysis: [FINE, { category: "Hate", severity: null }] },
      200,
    ],
    ["lists missing", { categoriesAnalysis: [FINE, { category: "Hate", severity: 0 }] }, 200],
  ])("of analyze: %s", async (_, answer, status) => {
    await expect(guardOf(answer, status).guard.analyze(QUESTION)).rejects.toThrow(GuardUnavailable);
  });
  test.each([
    ["nothing", {}],
    ["no word of the prompt", { documentsAnalysis: [{ attackDetected: false }] }],
    ["no word of a document", { userPromptAnalysis: { attackDetected: false }, documentsAnalysis: [] }],
    [
      "something else",
      { userPromptAnalysis: { attackDetected: "no" }, documentsAnalysis: [{ attackDetected: false }] },
    ],
  ])("of shield: %s", async (_, answer) => {
    await expect(guardOf(answer).guard.shield({ userPrompt: "U", documents: ["D"] })).rejects.toThrow(
      GuardUnavailable,
    );
  });
  test("when nobody can be reached", async () => {
    const guard = createAzureGuard(() => Promise.reject(new Error("nobody there")));
    await expect(guard.analyze(QUESTION)).rejects.toThrow(GuardUnavailable);
  });
});
