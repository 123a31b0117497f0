import { describe, expect, test } from "vitest";
import { HeaderList } from "../../base/headers.ts";
import { Allowance, resetMs } from "./allowance.ts";

const EPOCH = Date.parse("2026-01-01T00:00:00Z");

test.each<[string | null, number]>([
  ["1s", 1000],
  ["6m0s", 360_000],
  ["1h2m3.5s", 3_723_500],
  ["20ms", 20],
  ["1m20ms", 60_020],
  ["59", 59_000],
  ["0.5", 500],
  ["2026-01-01T00:00:30Z", 30_000],
  ["2025-12-31T23:59:00Z", -60_000],
  // What says nothing: a minute, as providers count.
  [null, 60_000],
  ["", 60_000],
  ["soon", 60_000],
  ["1s ago", 60_000],
  ["9".repeat(100), 60_000],
])("a reset of %j is in %i ms", (text, expected) => {
  expect(resetMs(text, EPOCH)).toBe(expected);
});

describe("what is left", () => {
  const after = (now: number, ...answers: [at: number, raw: string[]][]): Allowance => {
    const allowance = new Allowance();
    for (const [at, raw] of answers) allowance.read(new HeaderList(raw), at, EPOCH + at);
    expect(now).toBeGreaterThanOrEqual(answers.at(-1)?.[0] ?? 0);
    return allowance;
  };
  const openAi = (remaining: number | string, reset = "1m0s", limit?: number): string[] => [
    "X-RateLimit-Remaining-Tokens",
    String(remaining),
    "x-ratelimit-reset-tokens",
    reset,
    ...(limit === undefined ? [] : ["x-ratelimit-limit-tokens", String(limit)]),
  ];

  test.each<[string, [number, string[]][], number, number | null]>([
    ["nothing is known", [], 0, null],
    ["an answer that says nothing", [[0, ["content-type", "a/b"]]], 0, null],
    ["OpenAI", [[0, openAi(149_984, "6m0s")]], 0, 149_984],
    [
      "the last word counts",
      [
        [0, openAi(9000)],
        [1, openAi(8000)],
      ],
      1,
      8000,
    ],
    ["after the reset it is unknown", [[0, openAi(5, "1s")]], 1000, null],
    ["or full, where the limit is known", [[0, openAi(5, "1s", 10_000)]], 1000, 10_000],
    ["just before it is not", [[0, openAi(5, "1s", 10_000)]], 999, 5],
    ["no number", [[0, openAi("many")]], 0, null],
    ["less than nothing", [[0, openAi(-3)]], 0, 0],
    [
      "Anthropic: the least of its allowances",
      [
        [
          0,
          [
            "anthropic-ratelimit-tokens-remaining",
            "90000",
            "anthropic-ratelimit-input-tokens-remaining",
            "50000",
            "anthropic-ratelimit-input-tokens-reset",
            "2026-01-01T00:00:10Z",
            "anthropic-ratelimit-output-tokens-remaining",
            "70000",
          ],
        ],
      ],
      9999,
      50_000,
    ],
    ["requests are not tokens", [[0, ["anthropic-ratelimit-requests-remaining", "1"]]], 0, null],
  ])("%s", (_name, answers, now, expected) => {
    const allowance = after(now, ...answers);
    expect(allowance.remaining(now)).toBe(expected);
    expect(allowance.left(now, 0)).toBe(expected ?? Infinity);
  });

  test("what is under way costs what the last ones did", () => {
    const allowance = after(2, [0, openAi(10_000)], [1, openAi(9000)], [2, openAi(8600)]);
    // 1000, then a quarter of the way to 400.
    expect([0, 1, 4].map((inFlight) => allowance.left(2, inFlight))).toEqual([8600, 7750, 5200]);
  });
});
