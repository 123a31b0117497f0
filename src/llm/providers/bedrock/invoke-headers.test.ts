/** Counts of tokens that InvokeModel puts into headers: they stand in for a body that says nothing, and for nothing else. */
import { expect, test } from "vitest";
import { tapAnswer } from "../../response-tap.ts";
import { bedrockInvoke } from "./invoke.ts";

const COUNTS = { "x-amzn-bedrock-input-token-count": "31", "x-amzn-bedrock-output-token-count": "17" };
const MISTRAL = JSON.stringify({ outputs: [{ text: "Hello", stop_reason: "stop" }] });
const CLAUDE = JSON.stringify({ type: "message", content: [], usage: { input_tokens: 3, output_tokens: 4 } });

/** Prompt, completion, cached, cache writes. */
test.each<[string, string, Record<string, string>, readonly number[] | null]>([
  ["a text without counts", MISTRAL, COUNTS, [31, 17, 0, 0]],
  [
    "a text, the cache was read and written",
    MISTRAL,
    {
      ...COUNTS,
      "x-amzn-bedrock-cache-read-input-token-count": "1500",
      "x-amzn-bedrock-cache-write-input-token-count": "500",
    },
    [31, 17, 1500, 500],
  ],
  [
    "vectors: nothing was written",
    '{"embeddings":[[0.1]]}',
    { "x-amzn-bedrock-input-token-count": "9" },
    [9, 0, 0, 0],
  ],
  ["no JSON at all", "PNG", COUNTS, [31, 17, 0, 0]],
  ["an empty body", "", COUNTS, [31, 17, 0, 0]],
  ["a body that broke off", MISTRAL.slice(0, 20), COUNTS, [31, 17, 0, 0]],
  ["the model's own usage is better", CLAUDE, COUNTS, [3, 4, 0, 0]],
  ["no headers", MISTRAL, {}, null],
  ["a latency alone", MISTRAL, { "x-amzn-bedrock-invocation-latency": "900" }, null],
  ["what is no number", MISTRAL, { "x-amzn-bedrock-input-token-count": "-3, many" }, null],
])("%s", (_name, body, headers, expected) => {
  for (const size of [1, 7, 1e6]) {
    const tap = tapAnswer(bedrockInvoke, {
      contentType: "application/json",
      contentEncoding: null,
      keepText: 0,
      headers: { get: (name) => headers[name] ?? null },
    });
    const octets = Buffer.from(body);
    for (let at = 0; at < octets.length; at += size) tap.write(octets.subarray(at, at + size));
    void tap.end();
    const { usage } = tap.found;
    expect(usage && [usage.prompt, usage.completion, usage.cached, usage.cacheWrites]).toEqual(expected);
  }
});
