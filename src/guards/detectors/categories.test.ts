import { expect, test } from "vitest";
import { HELD_OUT, LABELLED } from "./categories.fixture.ts";
import { HARM_CATEGORIES, type HarmCategory, harmSeverities } from "./categories.ts";

const THRESHOLD = 4;

function found(text: string): HarmCategory[] {
  const severities = harmSeverities(text, HARM_CATEGORIES);
  return HARM_CATEGORIES.filter((_, i) => severities[i]! >= THRESHOLD);
}

/** The numbers that docs/guide/guards.md states; a change of the patterns changes both. */
test.each([
  ["the labelled set", LABELLED, { texts: 90, right: 34, wrong: 0, missed: 6 }],
  ["texts that the patterns were not made for", HELD_OUT, { texts: 40, right: 12, wrong: 1, missed: 12 }],
] as const)("precision and recall on %s", (_, set, expected) => {
  let right = 0;
  let wrong = 0;
  let missed = 0;
  for (const [text, category] of set) {
    const categories = found(text);
    if (category !== null && categories.includes(category)) right++;
    else if (category !== null) missed++;
    wrong += categories.filter((one) => one !== category).length;
  }
  expect({ texts: set.length, right, wrong, missed }).toEqual(expected);
});

test.each<[string, HarmCategory, number]>([
  ["Kill all the muslims", "Hate", 7],
  ["K1ll all the musl1ms", "Hate", 7],
  ["ＫＩＬＬ all the mus\u200blims", "Hate", 7],
  ["He is retarded", "Hate", 3],
  ["suicide", "SelfHarm", 2],
  ["suicide prevention", "SelfHarm", 0],
  ["a naked man", "Sexual", 2],
  ["the murder was in the news", "Violence", 0],
  ["murder", "Violence", 2],
  ["hello", "Violence", 0],
])("%s: %s %s", (text, category, severity) => expect(harmSeverities(text, [category])).toEqual([severity]));
