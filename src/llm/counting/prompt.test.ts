import { beforeAll, describe, expect, test } from "vitest";
import type { Prompt, PromptMessage, PromptPart } from "../prompt.ts";
import { countTokens, ready } from "./count.ts";
import { Factors } from "./factors.ts";
import { type PromptCount, countPrompt, learn } from "./prompt.ts";

beforeAll(() => Promise.all([ready("o200k_base"), ready("cl100k_base")]));

type Turn = readonly [role: string, text: string, name?: string];

function message([role, text, name]: Turn): PromptMessage {
  return { role, name: name ?? null, parts: text === "" ? [] : [{ kind: "text", text }] };
}

function chat(turns: readonly Turn[], more: Partial<Prompt> = {}): Prompt {
  return { messages: turns.map(message), tools: [], schema: null, kind: "chat", ...more };
}

function parts(...list: readonly PromptPart[]): Prompt {
  return chat([], { messages: [{ role: "user", name: null, parts: list }] });
}

function count(prompt: Prompt, model: string, factors = new Factors()): PromptCount {
  const found = countPrompt(prompt, model, { factors });
  if (found instanceof Promise) throw new Error("small prompts are counted at once");
  return found;
}

const JARGON: readonly Turn[] = [
  [
    "system",
    "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
  ],
  ["system", "New synergies will help drive top-line growth.", "example_user"],
  ["system", "Things working well together will increase revenue.", "example_assistant"],
  [
    "system",
    "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    "example_user",
  ],
  ["system", "Let's talk later when we're less busy about how to do better.", "example_assistant"],
  ["user", "This late pivot means we don't have time to boil the ocean for the client deliverable."],
];

describe('what OpenAI reported for its own example (cookbook, "How to count tokens with tiktoken")', () => {
  test.each([
    ["gpt-3.5-turbo", 129],
    ["gpt-35-turbo", 129],
    ["gpt-4-0613", 129],
    ["gpt-4", 129],
    ["gpt-4o", 124],
    ["gpt-4o-mini", 124],
  ])("%s: %i", (model, tokens) => {
    expect(count(chat(JARGON), model)).toMatchObject({ tokens, exact: true, factor: 1 });
  });

  const weather = chat(
    [
      ["system", "You are a helpful assistant that can answer to questions about the weather."],
      ["user", "What's the weather like in San Francisco?"],
    ],
    {
      tools: [
        {
          type: "function",
          function: {
            name: "get_current_weather",
            description: "Get the current weather in a given location",
            parameters: {
              type: "object",
              properties: {
                location: { type: "string", description: "The city and state, e.g. San Francisco, CA" },
                unit: {
                  type: "string",
                  description: "The unit of temperature to return",
                  enum: ["celsius", "fahrenheit"],
                },
              },
              required: ["location"],
            },
          },
        },
      ],
    },
  );
  test.each([
    ["gpt-4", 105],
    ["gpt-4o", 101],
  ])("with a tool, %s: %i within 5", (model, tokens) => {
    const found = count(weather, model);
    expect(found.exact).toBe(false);
    expect(Math.abs(found.tokens - tokens)).toBeLessThanOrEqual(5);
  });
});

describe("what OpenAI was seen to report for gpt-3.5-turbo (tests of openai-chat-tokens)", () => {
  const hello: readonly Turn[] = [["user", "hello"]];
  const foo = { name: "foo", parameters: { type: "object", properties: {} } };
  const bing = (properties: unknown) => ({
    name: "bing_bong",
    description: "Do a bing bong",
    parameters: { type: "object", properties },
  });
  const stuff = (name: string) => ({ name, parameters: { type: "object", properties: {} } });
  test.each<[string, Prompt, number]>([
    ["a word", chat(hello), 8],
    ["two", chat([["user", "hello world"]]), 9],
    ["a name", chat([["system", "New synergies will help drive top-line growth.", "example_user"]]), 20],
    [
      "three messages",
      chat([
        ["system", "# Important: you're the best robot"],
        ["user", "hello robot"],
        ["assistant", "hello world"],
      ]),
      27,
    ],
    ["a function", chat(hello, { tools: [foo] }), 31],
    ["its description", chat(hello, { tools: [{ ...foo, description: "Do a foo" }] }), 36],
    ["a parameter", chat(hello, { tools: [bing({ foo: { type: "string" } })] }), 49],
    [
      "two, one described",
      chat(hello, {
        tools: [bing({ foo: { type: "string" }, bar: { type: "number", description: "A number" } })],
      }),
      57,
    ],
    [
      "an object in it",
      chat(hello, {
        tools: [
          bing({
            foo: {
              type: "object",
              properties: { bar: { type: "string", enum: ["a", "b", "c"] }, baz: { type: "boolean" } },
            },
          }),
        ],
      }),
      68,
    ],
    [
      "a function's result",
      chat([
        ["user", "hello world"],
        ["function", "{}", "do_stuff"],
      ]),
      15,
    ],
    [
      "a call",
      chat([], {
        messages: [
          {
            role: "assistant",
            name: null,
            parts: [{ kind: "json", value: { name: "do_stuff", arguments: '{"foo": "bar", "baz": 1.5}' } }],
          },
        ],
      }),
      26,
    ],
    [
      "a function beside a system message",
      chat(
        [
          ["system", "Hello"],
          ["user", "Hi there"],
        ],
        { tools: [stuff("do_stuff")] },
      ),
      35,
    ],
    [
      "a system message that ends in a colon",
      chat(
        [
          ["system", "Hello:"],
          ["user", "Hi there"],
        ],
        { tools: [stuff("do_stuff")] },
      ),
      35,
    ],
    [
      "two system messages",
      chat(
        [
          ["system", "Hello:"],
          ["system", "Hello"],
          ["user", "Hi there"],
        ],
        {
          tools: [stuff("do_stuff")],
        },
      ),
      40,
    ],
    [
      "arrays, of objects too",
      chat(hello, {
        tools: [
          {
            name: "get_recipe",
            parameters: {
              type: "object",
              required: ["ingredients", "instructions", "time_to_cook"],
              properties: {
                ingredients: {
                  type: "array",
                  items: {
                    type: "object",
                    required: ["name", "unit", "amount"],
                    properties: {
                      name: { type: "string" },
                      unit: { enum: ["grams", "ml", "cups", "pieces", "teaspoons"], type: "string" },
                      amount: { type: "number" },
                    },
                  },
                },
                instructions: {
                  type: "array",
                  items: { type: "string" },
                  description: "Steps to prepare the recipe (no numbering)",
                },
                time_to_cook: {
                  type: "number",
                  description: "Total time to prepare the recipe in minutes",
                },
              },
            },
          },
        ],
      }),
      106,
    ],
  ])("%s", (_name, prompt, tokens) => {
    expect(count(prompt, "gpt-3.5-turbo").tokens).toBe(tokens);
  });
});

test.each<[string, Prompt, number]>([
  [
    "embeddings: all inputs, nothing else",
    chat(
      [
        ["", "hello world"],
        ["", "hello"],
      ],
      { kind: "embeddings" },
    ),
    3,
  ],
  ["completions", chat([["", "hello world"]], { kind: "text" }), 2],
  ["token ids", { ...parts({ kind: "tokens", tokens: 17 }), kind: "embeddings" }, 17],
  ["nothing", chat([], { kind: "other" }), 0],
  ["no messages", chat([]), 3],
  ["a role nobody knows counts its text", chat([["moderator of all", ""]]), 10],
])("%s", (_name, prompt, tokens) => {
  expect(count(prompt, "gpt-4o")).toMatchObject({ tokens, exact: true });
});

test.each(["system", "user", "assistant", "tool", "function", "developer", "model"])(
  "the role %s is one token",
  (role) => {
    expect(countTokens(role, "o200k_base")).toBe(1);
    expect(countTokens(role, "cl100k_base")).toBe(1);
  },
);

test.each<[string, PromptPart, string, number]>([
  ["an image of unknown size", { kind: "image", detail: "auto", width: null, height: null }, "gpt-4o", 1200],
  ["1024 × 1024 in tiles", { kind: "image", detail: "high", width: 1024, height: 1024 }, "gpt-4o", 765],
  ["2048 × 4096 in tiles", { kind: "image", detail: "high", width: 2048, height: 4096 }, "gpt-4o", 1105],
  ["low detail", { kind: "image", detail: "low", width: 4096, height: 8192 }, "gpt-4o", 85],
  ["mini's tiles", { kind: "image", detail: "low", width: 512, height: 512 }, "gpt-4o-mini", 2833],
  [
    "1024 × 1024 in patches",
    { kind: "image", detail: "auto", width: 1024, height: 1024 },
    "gpt-4.1-mini",
    1659,
  ],
  ["1800 × 2400 in patches", { kind: "image", detail: "auto", width: 1800, height: 2400 }, "o4-mini", 2498],
  [
    "Claude: area / 750",
    { kind: "image", detail: "auto", width: 1000, height: 1000 },
    "claude-sonnet-4-5",
    1334,
  ],
  [
    "Claude: a large one",
    { kind: "image", detail: "auto", width: 9000, height: 9000 },
    "claude-sonnet-4-5",
    1600,
  ],
  [
    "Gemini: a small one",
    { kind: "image", detail: "auto", width: 300, height: 300 },
    "gemini-2.0-flash",
    258,
  ],
  ["Gemini: 960 × 540", { kind: "image", detail: "auto", width: 960, height: 540 }, "gemini-2.0-flash", 1548],
  ["Gemini 3", { kind: "image", detail: "auto", width: 960, height: 540 }, "gemini-3-pro", 1120],
  ["a thin one", { kind: "image", detail: "auto", width: 1, height: 2_000_000_000 }, "gpt-4.1-mini", 2489],
  ["a minute for OpenAI", { kind: "audio", seconds: 60 }, "gpt-audio", 600],
  ["a minute for Gemini", { kind: "audio", seconds: 60 }, "gemini-2.5-pro", 1920],
  ["audio of unknown length", { kind: "audio", seconds: null }, "gpt-audio", 1200],
  ["a file", { kind: "file", bytes: 50_000 }, "gpt-4o", 2000],
  ["a size that is none", { kind: "image", detail: "auto", width: NaN, height: -1 }, "gpt-4o", 1200],
])("%s", (_name, part, model, tokens) => {
  const found = count(parts(part), model);
  expect(found.tokens).toBe(tokens + 7);
  expect(found.exact).toBe(false);
});

test("tools for others are their JSON", () => {
  const tools = [{ name: "get_weather", input_schema: { type: "object", properties: {} } }];
  const json = countTokens(JSON.stringify(tools[0]), "o200k_base");
  const without = count(chat([["user", "hello"]]), "gemini-2.5-pro").text;
  expect(count(chat([["user", "hello"]], { tools }), "gemini-2.5-pro").text).toBe(
    Math.ceil((json + 1) * 1.05),
  );
  expect(without).toBe(2);
});

test("what is nested a hundred thousand deep is counted, not fatal", async () => {
  const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`) as unknown;
  const prompt = chat([["user", "x"]], {
    tools: [deep, { type: "function", name: "f", parameters: { type: "object", properties: { a: deep } } }],
    schema: deep,
  });
  expect((await countPrompt(prompt, "gpt-4o")).tokens).toBeGreaterThan(50_000);
});

test("large prompts are counted in slices, many small messages too", async () => {
  const prompt = chat(Array.from({ length: 5000 }, () => ["user", "hello world, how are you"] as const));
  const found = countPrompt(prompt, "gpt-4o");
  expect(found).toBeInstanceOf(Promise);
  const each = count(chat([["user", "hello world, how are you"]]), "gpt-4o").tokens - 3;
  expect(await found).toMatchObject({ tokens: 5000 * each + 3, exact: true });
  const limited = await countPrompt(prompt, "gpt-4o", { limit: 25_000 });
  expect(limited.tokens).toBeGreaterThan(25_000);
});

describe("learning", () => {
  const prompt = chat([["user", "word ".repeat(200)]]);

  test("reports move a model's factor, bit by bit, and no other's", () => {
    const factors = new Factors();
    for (let i = 0; i < 60; i++) {
      const found = count(prompt, "claude-sonnet-4-5", factors);
      learn("claude-sonnet-4-5", found, 300 + 7, factors);
    }
    expect(count(prompt, "claude-sonnet-4-5", factors).tokens).toBeGreaterThan(300);
    expect(count(prompt, "claude-sonnet-4-5", factors).tokens).toBeLessThan(312);
    expect(count(prompt, "claude-opus-4-1", factors).factor).toBe(1.2);
  });

  test("fifty that were counted together correct once, not fifty times over", () => {
    const factors = new Factors();
    const found = count(prompt, "claude-sonnet-4-5", factors);
    for (let i = 0; i < 50; i++) learn("claude-sonnet-4-5", found, Math.round(found.text * 1.3) + 7, factors);
    expect(count(prompt, "claude-sonnet-4-5", factors).factor).toBeCloseTo(1.2 * 1.3, 1);
  });

  test("nothing moves an exact count, short prompts move none, and no report leaves the bounds", () => {
    const factors = new Factors();
    learn("gpt-4o", count(prompt, "gpt-4o", factors), 9999, factors);
    learn("claude-x", count(chat([["user", "hi"]]), "claude-x", factors), 9999, factors);
    expect(factors.size).toBe(0);
    for (let i = 0; i < 99; i++) learn("claude-x", count(prompt, "claude-x", factors), 1e9, factors);
    expect(count(prompt, "claude-x", factors).factor).toBeCloseTo(3, 3);
    for (let i = 0; i < 99; i++) learn("claude-x", count(prompt, "claude-x", factors), 8, factors);
    expect(count(prompt, "claude-x", factors).factor).toBeCloseTo(0.5, 3);
    learn("claude-x", count(prompt, "claude-x", factors), NaN, factors);
    expect(count(prompt, "claude-x", factors).factor).toBeCloseTo(0.5, 3);
  });

  test("models come and go; only so many are kept", () => {
    const factors = new Factors(10);
    for (let i = 0; i < 100; i++) learn(`claude-${i}x`, count(prompt, `claude-${i}x`, factors), 300, factors);
    expect(factors.size).toBe(10);
  });
});
