import { describe, expect, test } from "vitest";
import { affinityOf, promptKey, seedOf } from "./prompt-prefix.ts";

const keyOf = (body: string, bytes = 16): number | null => promptKey(Buffer.from(body), bytes);
const messages = (...texts: string[]): string =>
  JSON.stringify({ model: "m", messages: texts.map((content) => ({ role: "user", content })), stream: true });

describe("the same beginning", () => {
  test.each<[string, string, string, number]>([
    ["another end", messages("a long beginning that is shared"), messages("a long beginning, or so"), 32],
    [
      "the next turn",
      messages("a long beginning that is shared"),
      messages("a long beginning that is shared", "b"),
      40,
    ],
    [
      "other settings before",
      `{"a":1,${messages("one").slice(1)}`,
      `{"temperature":[{"x":"}"}],${messages("one").slice(1)}`,
      24,
    ],
    [
      "other settings behind",
      '{"input":"some text","stream":true}',
      '{"input":"some text","stream":false,"user":"x"}',
      99,
    ],
    ["white space between", '{ "input" : "some text" }', '{"input":"some text"}', 99],
    ["no JSON", "plain text, one", "plain text, two", 11],
    ["not even half of it", '{"input":"abcdef', '{"input":"abcdefgh', 5],
    ["quotes in the text", '{"user":"a\\\\\\"}","prompt":"p"}', '{"prompt":"p"}', 9],
  ])("%s", (_name, one, other, bytes) => {
    expect(keyOf(one, bytes)).toBe(keyOf(other, bytes));
  });
});

describe("another beginning", () => {
  test.each<[string, string, string, number]>([
    ["of the messages", messages("one"), messages("two"), 64],
    ["of the system's words", '{"system":"a","messages":[]}', '{"system":"b","messages":[]}', 64],
    ["of Gemini's contents", '{"contents":[{"a":1}]}', '{"contents":[{"a":2}]}', 64],
    ["of no prompt at all", '{"model":"a"}', '{"model":"b"}', 64],
    ["within the bytes that count", '{"input":"aaab"}', '{"input":"aaac"}', 5],
  ])("%s", (_name, one, other, bytes) => {
    expect(keyOf(one, bytes)).not.toBe(keyOf(other, bytes));
  });
});

test.each([
  "",
  "{",
  '{"',
  '{"messages"',
  '{"messages":',
  "{{{{",
  '{"a":}',
  '{"a"',
  '"\\',
  '{"a":"\\',
  "[]",
  "nul",
  "{,,}",
])("%j neither hangs nor throws", (body) => {
  const key = keyOf(body);
  expect(key === null).toBe(body === "");
});

test("it ends at once on a body that is all quotes, or deep", () => {
  for (const body of ['"'.repeat(100_000), `{"a":${"[".repeat(200_000)}`, `{"a":"${"\\".repeat(200_000)}`])
    expect(keyOf(body)).not.toBeNull();
});

describe("who wants it", () => {
  const ids = ["a", "b", "c", "d"];
  const favourite = (key: number, members: readonly string[], weights?: readonly number[]): string =>
    members
      .map((id, i) => [affinityOf(key, seedOf(id), weights?.[i] ?? 1), id] as const)
      .reduce((best, one) => (one[0] > best[0] ? one : best))[1];
  const keys = Array.from({ length: 20_000 }, (_none, i) => keyOf(`prompt ${i}`, 99)!);
  const shares = (members: readonly string[], weights?: readonly number[]): number[] => {
    const counts = new Map(members.map((id) => [id, 0]));
    for (const key of keys) {
      const id = favourite(key, members, weights);
      counts.set(id, counts.get(id)! + 1);
    }
    return members.map((id) => counts.get(id)! / keys.length);
  };

  test.each([
    [
      [1, 1, 1, 1],
      [0.25, 0.25, 0.25, 0.25],
    ],
    [
      [1, 2, 3, 4],
      [0.1, 0.2, 0.3, 0.4],
    ],
  ])("weights %j are shares", (weights, expected) => {
    shares(ids, weights).forEach((share, i) => expect(Math.abs(share - expected[i]!)).toBeLessThan(0.015));
  });

  test("only what a member had moves when it goes", () => {
    for (const key of keys.slice(0, 2000)) {
      const before = favourite(key, ids);
      if (before !== "c") expect(favourite(key, ["a", "b", "d"])).toBe(before);
    }
  });
});
