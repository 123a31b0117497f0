import { expect, test } from "vitest";
import type { RequestLine } from "../../dialect.ts";
import type { PromptMessage } from "../../prompt.ts";
import { recognise } from "../../recognise.ts";
import { geminiInteractions } from "./interactions.ts";

function line(path: string, method = "POST"): RequestLine {
  return { method, path, query: "", header: () => null };
}

const ASK = line("/v1beta/interactions");

test.each<[string, boolean, RequestLine]>([
  ["the Gemini API", true, ASK],
  ["below an API's path", true, line("/google/v1beta/interactions/")],
  ["Vertex AI", true, line("/v1beta1/projects/p/locations/global/interactions")],
  ["one interaction", false, line("/v1beta/interactions/v1_abc")],
  ["cancelling one", false, line("/v1beta/interactions/v1_abc/cancel")],
  ["reading", false, line("/v1beta/interactions", "GET")],
  ["somebody else's", false, line("/crm/interactions")],
])("%s: %s", (_, matches, asked) => {
  expect(recognise(asked, null) === geminiInteractions).toBe(matches);
});

test("what is asked", () => {
  const asked = geminiInteractions.readRequest(
    {
      model: "models/gemini-2.5-flash",
      input: "Hi",
      stream: true,
      generation_config: {
        max_output_tokens: 50,
        temperature: 0.5,
        top_p: 1,
        seed: 3,
        stop_sequences: ["X"],
      },
    },
    ASK,
  );
  expect(asked).toMatchObject({
    model: "gemini-2.5-flash",
    provider: null,
    stream: true,
    outputBound: 50,
    parameters: { max_tokens: 50, temperature: 0.5, top_p: 1, seed: 3, stop_sequences: ["X"] },
  });
  expect(geminiInteractions.readRequest({ agent: "deep-research" }, ASK)).toMatchObject({
    model: "deep-research",
    stream: false,
    outputBound: null,
  });
  expect(geminiInteractions.readRequest(null, ASK).prompt().messages).toEqual([]);
});

const text = (said: string) => ({ kind: "text", text: said }) as const;

test.each<[string, unknown, readonly Omit<PromptMessage, "name">[]]>([
  ["text", "Hi", [{ role: "user", parts: [text("Hi")] }]],
  [
    "parts of a message",
    [
      { type: "text", text: "What is it?" },
      { type: "image", data: "AAAA", mime_type: "image/png" },
      { type: "audio", uri: "gs://a" },
      { type: "document", data: "AAAAAAAA", mime_type: "application/pdf" },
    ],
    [
      {
        role: "user",
        parts: [
          text("What is it?"),
          { kind: "image", detail: "auto", width: null, height: null },
          { kind: "audio", seconds: null },
          { kind: "file", bytes: 6 },
        ],
      },
    ],
  ],
  ["one part", { type: "text", text: "Hi" }, [{ role: "user", parts: [text("Hi")] }]],
  [
    "turns",
    [
      { role: "user", content: "Hi" },
      { role: "model", content: [{ type: "text", text: "Hello!" }] },
    ],
    [
      { role: "user", parts: [text("Hi")] },
      { role: "model", parts: [text("Hello!")] },
    ],
  ],
  [
    "steps",
    [
      { type: "user_input", content: [{ type: "text", text: "Hi" }] },
      { type: "thought", signature: "AA", summary: [{ type: "text", text: "Hm." }] },
      { type: "function_call", id: "c1", name: "zone", arguments: { zone: "CET" } },
      { type: "function_result", call_id: "c1", name: "zone", result: "+1" },
      { type: "model_output", content: [{ type: "text", text: "One." }] },
    ],
    [
      { role: "user", parts: [text("Hi")] },
      { role: "model", parts: [text("Hm.")] },
      { role: "model", parts: [{ kind: "json", value: { name: "zone", arguments: { zone: "CET" } } }] },
      { role: "tool", parts: [{ kind: "json", value: { name: "zone", result: "+1" } }] },
      { role: "model", parts: [text("One.")] },
    ],
  ],
  ["nothing", undefined, []],
  ["nonsense", [7, null, { type: 5 }], [{ role: "user", parts: [] }]],
])("input that is %s", (_, input, messages) => {
  const body = {
    input,
    system_instruction: "Be brief.",
    tools: [{ type: "google_search" }],
    response_format: { type: "text", schema: { type: "object" } },
  };
  const asked = geminiInteractions.readRequest(body, ASK);
  expect(asked.prompt()).toEqual({
    messages: [{ role: "system", parts: [text("Be brief.")] }, ...messages].map((one) => ({
      ...one,
      name: null,
    })),
    tools: [{ type: "google_search" }],
    schema: { type: "object" },
    kind: "chat",
  });
  expect(asked.messages()[0]).toEqual({ role: "system", content: "Be brief." });
  expect(asked.messages()).toHaveLength(messages.length + 1);
});
