import { expect, test } from "vitest";
import { encodingOfModel } from "./encodings.ts";

test.each([
  ["gpt-5", "o200k_base", true],
  ["gpt-5.4-mini-2026-03-17", "o200k_base", true],
  ["gpt-4.1-nano", "o200k_base", true],
  ["gpt-4.5-preview", "o200k_base", true],
  ["gpt-4o", "o200k_base", true],
  ["GPT-4o-2024-08-06", "o200k_base", true],
  ["chatgpt-4o-latest", "o200k_base", true],
  ["o1", "o200k_base", true],
  ["o3-pro", "o200k_base", true],
  ["o4-mini-deep-research", "o200k_base", true],
  ["gpt-oss-120b", "o200k_base", true],
  ["openai.gpt-oss-120b-1:0", "o200k_base", true],
  ["gpt-realtime-2", "o200k_base", true],
  ["openai/gpt-4o-mini", "o200k_base", true],
  ["ft:gpt-4o-mini-2024-07-18:acme::a1b2", "o200k_base", true],
  ["ft:gpt-3.5-turbo:acme::a1b2", "cl100k_base", true],
  ["gpt-4", "cl100k_base", true],
  ["gpt-4-32k", "cl100k_base", true],
  ["gpt-4-turbo-2024-04-09", "cl100k_base", true],
  ["gpt-3.5-turbo-instruct", "cl100k_base", true],
  ["gpt-35-turbo-16k", "cl100k_base", true],
  ["text-embedding-3-large", "cl100k_base", true],
  ["text-embedding-ada-002", "cl100k_base", true],
  ["davinci-002", "cl100k_base", true],
  ["babbage-002", "cl100k_base", true],
  ["text-davinci-003", "p50k_base", true],
  ["code-davinci-002", "p50k_base", true],
  ["davinci", "r50k_base", true],
  ["text-similarity-ada-001", "r50k_base", true],
  ["gpt2", "r50k_base", true],
  // Deployments: what their name says, but only as a guess.
  ["prod-gpt-4o-eu", "o200k_base", false],
  ["our-gpt4", "cl100k_base", false],
  ["chat", "o200k_base", false],
  ["", "o200k_base", false],
  ["x".repeat(400), "o200k_base", false],
])("%s: %s, exact %s", (model, encoding, exact) => {
  expect(encodingOfModel(model)).toMatchObject({ encoding, exact, factor: 1 });
});

test.each([
  ["claude-3-5-sonnet-20241022", "anthropic", 1.2],
  ["claude-opus-4-20250514", "anthropic", 1.2],
  ["claude-opus-4-6", "anthropic", 1.2],
  ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic", 1.2],
  ["claude-opus-4-7", "anthropic", 1.55],
  ["claude-sonnet-5", "anthropic", 1.55],
  ["global.anthropic.claude-opus-5-5-v1:0", "anthropic", 1.55],
  ["models/gemini-2.5-pro", "gemini", 1.05],
  ["publishers/google/models/gemma-3", "gemini", 1.05],
  ["meta-llama/Llama-3.3-70B-Instruct", "other", 1.05],
  ["Mistral-7B-Instruct-v0.2", "other", 1.25],
  ["amazon.nova-pro-v1:0", "other", 1.1],
  ["deepseek-chat", "other", 1.1],
])("%s: %s, %d times o200k's count", (model, family, factor) => {
  expect(encodingOfModel(model)).toMatchObject({ encoding: "o200k_base", exact: false, family, factor });
});
