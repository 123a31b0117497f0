import { expect, test } from "vitest";
import { tapAnswer } from "../../response-tap.ts";
import { gemini } from "./gemini.ts";

/** What answers say in every form is in `corpus/`; here is what no small file shows. */

test("tokens of many vectors are summed, though the vectors are read over", () => {
  const vector = Array.from({ length: 1500 }, (_, at) => Math.sin(at));
  const embeddings = { values: vector, statistics: { truncated: false, token_count: 7 } };
  const body = Buffer.from(JSON.stringify({ predictions: Array(5).fill({ embeddings }) }));
  expect(body.length).toBeGreaterThan(64 * 1024);
  for (const size of [body.length, 1000]) {
    const tap = tapAnswer(gemini, { contentType: "application/json", contentEncoding: null, keepText: 0 });
    for (let at = 0; at < body.length; at += size) tap.write(body.subarray(at, at + size));
    void tap.end();
    expect(tap.found).toMatchObject({ complete: true, usage: { prompt: 35, completion: 0, total: 35 } });
  }
});

test("usage behind a picture is read", () => {
  const chunk = {
    candidates: [
      { content: { parts: [{ inlineData: { data: "A".repeat(2_000_000) } }] }, finishReason: "STOP" },
    ],
    usageMetadata: { promptTokenCount: 6, candidatesTokenCount: 1290, totalTokenCount: 1296 },
    responseId: "r1",
  };
  for (const body of [
    JSON.stringify(chunk),
    `[${JSON.stringify(chunk)}]`,
    `data: ${JSON.stringify(chunk)}\n\n`,
  ]) {
    const tap = tapAnswer(gemini, { contentType: null, contentEncoding: null, keepText: 0 });
    const octets = Buffer.from(body);
    for (let at = 0; at < octets.length; at += 16_384) tap.write(octets.subarray(at, at + 16_384));
    void tap.end();
    expect(tap.found).toMatchObject({
      id: "r1",
      finishReason: "STOP",
      complete: true,
      usage: { prompt: 6, completion: 1290 },
    });
  }
});

test("candidates without end cost no memory without end", () => {
  const reader = gemini.readAnswer(10);
  for (let index = 0; index < 10_000; index++)
    reader.take(null, { candidates: [{ index, finishReason: "STOP" }] });
  expect(reader.found).toMatchObject({ complete: true, finishReason: "STOP" });
});
