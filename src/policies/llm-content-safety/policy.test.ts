/** What is said when a document is saved. What the policy does is in `gateway/safety` and `test/content-safety.test.ts`. */
import { expect, test } from "vitest";
import { type Written, mistakesOf } from "../../gateway/testing.ts";
import { llmContentSafety } from "./policy.ts";

const category = (name: string, threshold = 4): Written => ({ attributes: { name, threshold } });
const categories = (...all: Written[]): Written => ({ children: { category: all } });
const lists = (...ids: string[]): Written => ({ children: { id: ids.map((text) => ({ text })) } });

const NOTHING =
  "nothing would be judged: there are neither categories nor blocklists, nor is the prompt shielded";
const UNUSED = "completions are held against categories and blocklists, and there are none";

const CASES: readonly (readonly [
  name: string,
  attributes: Readonly<Record<string, unknown>>,
  children: Readonly<Record<string, readonly Written[]>>,
  section: "inbound" | "outbound",
  said: readonly string[],
])[] = [
  ["categories", {}, { categories: [categories(category("Hate"))] }, "inbound", []],
  ["lists", {}, { blocklists: [lists("a", "b")] }, "outbound", []],
  ["the shield alone", { "shield-prompt": true }, {}, "inbound", []],
  ["the shield by expression", { "shield-prompt": () => true }, {}, "inbound", []],
  ["nothing", {}, {}, "inbound", [NOTHING]],
  ["empty elements", {}, { categories: [categories()], blocklists: [lists()] }, "inbound", [NOTHING]],
  ["a shield for completions", { "shield-prompt": true }, {}, "outbound", [NOTHING]],
  [
    "completions without rules",
    { "shield-prompt": true, "enforce-on-completions": true },
    {},
    "inbound",
    [UNUSED],
  ],
  [
    "a name misspelt",
    {},
    { categories: [categories(category("Hate"), category("violence"))] },
    "inbound",
    ["Azure AI Content Safety has no category 'violence'"],
  ],
  [
    "a name of its own",
    { "backend-id": "built-in" },
    { categories: [categories(category("Secrets"), category("Nonsense"))] },
    "inbound",
    ["the gateway's own detectors know no category 'Nonsense'"],
  ],
  [
    "a category of the detectors, at a backend that may be one of them",
    { "backend-id": "ours" },
    { categories: [categories(category("PersonalData"))] },
    "inbound",
    [],
  ],
  [
    "a list that the detectors do not have",
    { "backend-id": "built-in" },
    { blocklists: [lists("words")] },
    "inbound",
    ["the gateway's own detectors have no blocklists here: every call would be refused as not judged"],
  ],
];

test.each(CASES)("%s", (_, attributes, children, section, said) => {
  const written = { attributes: { "backend-id": "safety", ...attributes }, children };
  expect(mistakesOf(llmContentSafety, written, { section })).toEqual(said);
});
