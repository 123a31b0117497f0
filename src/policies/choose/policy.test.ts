import { expect, test } from "vitest";
import { computedValue } from "../../compiler/expression.ts";
import type { Step } from "../../compiler/policy.ts";
import { ChunkSource, exchangeOf, policyStep, responseOf, stepOf } from "../../gateway/testing.ts";
import { choose } from "./policy.ts";

function harness() {
  const notes: string[] = [];
  const note = (name: string): Step => stepOf(() => void notes.push(name));
  const when = (name: string, result: unknown) => ({
    attributes: { condition: () => (notes.push(`${name}?`), result) },
    steps: [note(name)],
  });
  return { notes, note, when };
}

test.each<[string, readonly boolean[], boolean, string]>([
  ["the first that holds", [false, true, true], true, "0? 1? 1"],
  ["otherwise", [false, false], true, "0? 1? otherwise"],
  ["nothing", [false], false, "0?"],
])("choose: %s; later conditions are not asked", (_name, results, hasOtherwise, expected) => {
  const { notes, note, when } = harness();
  const children = {
    when: results.map((result, i) => when(String(i), result)),
    otherwise: hasOtherwise ? [{ steps: [note("otherwise")] }] : [],
  };
  policyStep(choose, { children }).run(exchangeOf(), null);
  expect(notes.join(" ")).toBe(expected);
});

test("what ends the exchange inside a branch ends it", () => {
  const response = responseOf(204);
  const children = { when: [{ attributes: { condition: true }, steps: [stepOf(() => response)] }] };
  expect(policyStep(choose, { children }).run(exchangeOf(), null)).toBe(response);
});

test("a body is read only when the condition that wants it is asked", async () => {
  for (const first of [true, false]) {
    const source = new ChunkSource(["x"]);
    const exchange = exchangeOf({ method: "POST", body: source });
    const children = {
      when: [
        { attributes: { condition: () => first }, steps: [] },
        {
          attributes: {
            condition: computedValue((context) => context.request.body!.bytes().length === 1, 1),
          },
          steps: [],
        },
      ],
    };
    await policyStep(choose, { children }).run(exchange, null);
    expect(source.started).toBe(!first);
  }
});

test("branches wait one after the other", async () => {
  const { notes, note } = harness();
  const wait = stepOf(async () => void notes.push("waited"));
  const children = { when: [{ attributes: { condition: true }, steps: [wait, note("then")] }] };
  await policyStep(choose, { children }).run(exchangeOf(), null);
  expect(notes).toEqual(["waited", "then"]);
});
