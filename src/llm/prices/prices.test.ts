import { readFileSync } from "node:fs";
import { calcPrice } from "@pydantic/genai-prices";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_USAGE, type Usage } from "../usage.ts";
import { BUNDLED_DATE, type PricedCall, Prices, readOverrides } from "./index.ts";

const NOON = Date.UTC(2026, 9, 1, 12);

function call(given: Partial<PricedCall>, usage: Partial<Usage>): PricedCall {
  return {
    provider: "openai",
    modelServed: null,
    modelAsked: null,
    deployment: null,
    timeMs: NOON,
    ...given,
    usage: { ...NO_USAGE, ...usage },
  };
}

const M = 1_000_000;
const bundled = new Prices();

describe("bundled prices", () => {
  const each: Partial<Usage> = { prompt: M, completion: M };
  const cases: [string, string, Partial<Usage>, number | null, string?][] = [
    ["openai", "gpt-4o-2024-08-06", each, 12.5, "openai/gpt-4o"],
    ["azure.ai.openai", "gpt-4o-2024-08-06", each, 12.5, "azure/gpt-4o"],
    ["azure.ai.inference", "gpt-4o", each, 12.5, "azure/gpt-4o"],
    ["openai", "ft:gpt-4o-2024-08-06:org::x", each, 18.75, "openai/ft:gpt-4o"],
    ["openai", "text-embedding-3-small", { prompt: M }, 0.02, "openai/text-embedding-3-small"],
    ["anthropic", "claude-opus-4-6", each, 30, "anthropic/claude-opus-4-6"],
    ["aws.bedrock", "us.anthropic.claude-sonnet-4-20250514-v1:0", each, 18],
    ["aws.bedrock", "anthropic.claude-3-5-haiku-20241022-v1:0", each, 4.8],
    [
      "aws.bedrock",
      "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0",
      each,
      18,
    ],
    ["aws.bedrock", "amazon.nova-lite-v1:0", each, 0.3],
    ["gcp.vertex_ai", "claude-sonnet-4@20250514", each, 18],
    ["gcp.vertex_ai", "publishers/google/models/gemini-2.5-flash", each, 2.8],
    ["gcp.gemini", "models/gemini-2.5-flash", each, 2.8],
    // Parts at their own rates: inside the prompt (OpenAI), beside it (Anthropic).
    ["openai", "gpt-4o", { prompt: M, cached: M / 2 }, 1.25 + 0.625],
    [
      "anthropic",
      "claude-opus-4-6",
      { prompt: M, cached: M, cacheWrites: M, cachedInside: false },
      5 + 0.5 + 6.25,
    ],
    // Reasoning is part of the completion.
    ["openai", "o3", { completion: M, reasoning: M / 2 }, 8],
    [
      "openai",
      "gpt-realtime",
      { prompt: M, promptAudio: M / 2, completion: M, completionAudio: M },
      2 + 16 + 64,
    ],
    // The second tier is for all tokens of a long prompt.
    ["gcp.gemini", "gemini-2.5-pro", { prompt: 200_000, completion: 1000 }, 0.25 + 0.01],
    ["gcp.gemini", "gemini-2.5-pro", { prompt: 300_000, completion: 1000 }, 0.75 + 0.015],
    // More parts than there is of the whole: never more than the whole.
    ["openai", "gpt-4o", { prompt: 100, cached: 5 * M }, (100 * 1.25) / M],
    ["openai", "gpt-4o", {}, 0],
    // Unknown stays unknown.
    ["openai", "demo-model", each, null],
    ["somebody", "gpt-4o-but-not-theirs", each, null],
    ["azure.ai.openai", "my-deployment", each, null],
    ["openai", "dall-e-3", {}, null],
    ["openai", "whisper-1", {}, null],
    ["openai", "x".repeat(1_000_000), each, null],
    ["", "", each, null],
  ];
  test.each(
    cases.map(([provider, model, ...rest]) => [provider, model.slice(0, 80), model, ...rest] as const),
  )("%s %s", (provider, _, model, usage, dollars, entry) => {
    const price = bundled.priceOf(call({ provider, modelServed: model }, usage));
    if (dollars === null) expect(price).toBeNull();
    else expect(price).toMatchObject({ costMicros: Math.round(dollars * M), date: BUNDLED_DATE });
    if (entry !== undefined) expect(price!.price).toBe(entry);
  });
});

test("the arithmetic is the library's", () => {
  const count = fc.nat(500_000);
  const models = [
    ["openai", "openai", "gpt-4o"],
    ["openai", "openai", "gpt-4o-transcribe"],
    ["anthropic", "anthropic", "claude-opus-4-6"],
    ["gcp.gemini", "google", "gemini-2.5-pro"],
    ["aws.bedrock", "aws", "amazon.nova-lite-v1:0"],
  ] as const;
  fc.assert(
    fc.property(
      fc.constantFrom(...models),
      count,
      count,
      count,
      count,
      (model, plain, cached, writes, completion) => {
        const [provider, providerId, modelServed] = model;
        const prompt = plain + cached + writes;
        const theirs = calcPrice(
          {
            input_tokens: prompt,
            cache_read_tokens: cached,
            cache_write_tokens: writes,
            output_tokens: completion,
          },
          modelServed,
          { providerId, timestamp: new Date(NOON) },
        )!;
        const ours = bundled.priceOf(
          call({ provider, modelServed }, { prompt, cached, cacheWrites: writes, completion }),
        );
        expect(Math.abs(ours!.costMicros - theirs.total_price * M)).toBeLessThanOrEqual(0.51);
      },
    ),
  );
});

describe("which name is paid for", () => {
  const usage = { prompt: M };
  const own = new Prices(
    readOverrides(
      "prices:\n - {model: mine, input: 1}\n - {model: gpt-4o, provider: azure.ai.openai, input: 2}",
    ).overrides,
  );
  const cases: [Partial<PricedCall>, string | null][] = [
    [{ modelServed: "gpt-4o", modelAsked: "o3" }, "openai/gpt-4o"],
    [{ modelServed: "unheard-of", modelAsked: "o3" }, "openai/o3"],
    [{ modelAsked: "o3" }, "openai/o3"],
    [{ deployment: "gpt-4o" }, "openai/gpt-4o"],
    [{ modelServed: "unheard-of", deployment: "gpt-4o" }, null],
    [{ modelServed: "unheard-of", deployment: "mine" }, "prices.yaml:2"],
    [{ modelServed: "MINE" }, "prices.yaml:2"],
    [{ modelServed: "gpt-4o", provider: "azure.ai.openai" }, "prices.yaml:3"],
    [{ modelServed: "gpt-4o" }, "openai/gpt-4o"],
    [{}, null],
  ];
  test.each(cases)("%j: %s", (given, expected) => {
    expect(own.priceOf(call(given, usage))?.price ?? null).toBe(expected);
    // Remembered as it was found.
    expect(own.priceOf(call(given, usage))?.price ?? null).toBe(expected);
  });
});

describe("the operator's own", () => {
  const usage: Partial<Usage> = { prompt: M, cached: M / 2, completion: M, completionAudio: M / 2 };
  const cases: [string, number | null][] = [
    ["input: 2, output: 4", 2 + 4],
    ["input: 2, output: 4, cacheRead: 1", 1 + 0.5 + 4],
    ["input: 2, output: 4, outputAudio: 8", 2 + 2 + 4],
    ["input: 0, output: 0", 0],
    ["input: 2, output: 4, request: 0.5", 6.5],
    ["input: 2", null],
  ];
  test.each(cases)("%s", (rates, dollars) => {
    const prices = new Prices(readOverrides(`prices:\n  - {model: "m*", ${rates}}`).overrides);
    const price = prices.priceOf(call({ modelServed: "my-model" }, usage));
    expect(price?.costMicros ?? null).toBe(dollars === null ? null : dollars * M);
  });

  const broken: [string, string[]][] = [
    ["", []],
    ["# nothing yet", []],
    ["prices: []", []],
    ["prices:\n  - model: a\n    input: 1", []],
    ["- model: a", ["HG5801 1:1 there is no list `prices`"]],
    ["prices: 5", ["HG5801 1:1 there is no list `prices`"]],
    ["prices: [", ["HG5801 1:10 this is not YAML"]],
    ["prices:\n  - 5", ["HG5802 2:5 an entry is a mapping"]],
    ["prices:\n  - input: 5", ["HG5802 2:5 an entry needs a `model`"]],
    ["prices:\n  - model: a", ["HG5802 2:5 an entry needs a rate"]],
    ["prices:\n  - modle: a\n    input: 1", ["HG5802 2:5 `modle` means nothing here"]],
    ["prices:\n  - model: a\n    input: -1", ["HG5802 3:12 `input` is a number"]],
    ["prices:\n  - model: a\n    input: '2'", ["HG5802 3:12 `input` is a number"]],
    ["prices:\n  - model: a\n    input: .nan", ["HG5802 3:12 `input` is a number"]],
    ["prices:\n  - model: [a]\n    input: 1", ["HG5802 2:12 `model` is a name"]],
    ["prices:\n  - model: a\n    input: 1\n    input: 2", ["HG5801 4:5 this is not YAML"]],
    [
      "prices:\n  - {model: a*, input: 1}\n  - {model: ab, input: 1}",
      ["HG5803 3:5 prices.yaml:2 fits everything"],
    ],
    ["prices:\n  - {model: ab, input: 1}\n  - {model: a*, input: 1}", []],
    ["prices: &a [*a]", ["HG5802 1:13 an entry is a mapping"]],
  ];
  test.each(broken)("%j", (text, expected) => {
    const { problems } = readOverrides(text);
    const said = problems.map(
      ({ code, range, message }) => `${code} ${range?.start.line}:${range?.start.column} ${message}`,
    );
    expect(said).toEqual(expected.map((one) => expect.stringContaining(one)));
  });
});

test("the date is that of the version that is installed", () => {
  const installed = new URL("../../../node_modules/@pydantic/genai-prices/package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(installed, "utf8")) as { version: string };
  expect({ version, date: BUNDLED_DATE }).toEqual({ version: "0.1.8", date: "2026-09-23" });
});
