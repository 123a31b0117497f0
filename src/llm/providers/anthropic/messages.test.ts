import fc from "fast-check";
import { expect, test } from "vitest";
import type { RequestLine } from "../../dialect.ts";
import type { PromptPart } from "../../prompt.ts";
import { recognise } from "../../recognise.ts";
import { anthropicMessages } from "./messages.ts";

function line(path: string, headers: Readonly<Record<string, string>> = {}, method = "POST"): RequestLine {
  return { method, path, query: "", header: (name) => headers[name.toLowerCase()] ?? null };
}

const VERSION = { "anthropic-version": "2023-06-01" };
const AT_ANTHROPIC = line("/v1/messages", VERSION);

test.each<[string, boolean, RequestLine]>([
  ["its path", true, line("/v1/messages")],
  ["its path under an API's", true, line("/claude/V1/Messages/")],
  ["Azure AI Foundry", true, line("/anthropic/v1/messages")],
  ["a short path with the version header", true, line("/claude/messages", VERSION)],
  ["a short path without it", false, line("/v1/threads/thread_1/messages")],
  ["another method", false, line("/v1/messages", VERSION, "GET")],
  ["counting tokens", false, line("/v1/messages/count_tokens", VERSION)],
  ["batches", false, line("/v1/messages/batches", VERSION)],
  [
    "Vertex AI",
    true,
    line("/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-4@20250514:rawPredict"),
  ],
  [
    "Vertex AI, streamed, encoded",
    true,
    line(
      "/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-4%4020250514%3AstreamRawPredict",
    ),
  ],
  [
    "Vertex AI's counting",
    false,
    line("/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict"),
  ],
  ["another publisher", false, line("/v1/projects/p/locations/l/publishers/mistralai/models/m:rawPredict")],
])("is recognised by %s: %s", (_, matches, asked) => {
  expect(anthropicMessages.matchesLine(asked)).toBe(matches);
});

test.each<[string, boolean, Record<string, unknown>, RequestLine]>([
  ["messages, max_tokens and the header", true, { messages: [], max_tokens: 1 }, line("/x", VERSION)],
  ["a version in the body", true, { messages: [], anthropic_version: "vertex-2023-10-16" }, line("/x")],
  ["a chat of OpenAI's", false, { messages: [], max_tokens: 1 }, line("/x")],
  ["no messages", false, { prompt: "", max_tokens: 1 }, line("/x", VERSION)],
])("is recognised by a body with %s: %s", (_, matches, body, asked) => {
  expect(anthropicMessages.matchesBody!(body, asked)).toBe(matches);
});

test.each<[string, Record<string, unknown> | null, RequestLine, object]>([
  [
    "everything",
    {
      model: "claude-sonnet-4-5",
      max_tokens: 1024,
      stream: true,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ["END"],
      messages: [],
    },
    AT_ANTHROPIC,
    {
      model: "claude-sonnet-4-5",
      provider: null,
      deployment: null,
      stream: true,
      outputBound: 1024,
      parameters: { max_tokens: 1024, temperature: 0.5, top_p: 0.9, top_k: 40, stop_sequences: ["END"] },
    },
  ],
  [
    "nothing",
    {},
    AT_ANTHROPIC,
    { model: null, provider: null, stream: false, outputBound: null, parameters: {} },
  ],
  ["no body", null, AT_ANTHROPIC, { model: null, stream: false, outputBound: null, parameters: {} }],
  [
    "wrong types",
    { model: 7, max_tokens: "many", stream: "yes", temperature: null, stop_sequences: [1], messages: "hi" },
    AT_ANTHROPIC,
    { model: null, stream: false, outputBound: null, parameters: {} },
  ],
  [
    "Vertex AI",
    { anthropic_version: "vertex-2023-10-16", max_tokens: 5, messages: [] },
    line("/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-4%4020250514:streamRawPredict"),
    { model: "claude-opus-4@20250514", provider: "gcp.vertex_ai", stream: true, outputBound: 5 },
  ],
])("reads a request with %s", (_, body, asked, expected) => {
  expect(anthropicMessages.readRequest(body, asked)).toMatchObject(expected);
});

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAUCAYAAAA=";

test.each<[string, unknown, PromptPart[]]>([
  ["text", "Hello", [{ kind: "text", text: "Hello" }]],
  ["a text block", [{ type: "text", text: "Hello", cache_control: {} }], [{ kind: "text", text: "Hello" }]],
  [
    "an image",
    [{ type: "image", source: { type: "base64", media_type: "image/png", data: PNG } }],
    [{ kind: "image", detail: "auto", width: 10, height: 20 }],
  ],
  [
    "an image elsewhere",
    [{ type: "image", source: { type: "url", url: "https://example.com/a.png" } }],
    [{ kind: "image", detail: "auto", width: null, height: null }],
  ],
  [
    "documents",
    [
      { type: "document", title: "T", source: { type: "text", media_type: "text/plain", data: "plain" } },
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" } },
      { type: "document", source: { type: "content", content: [{ type: "text", text: "inner" }] } },
      { type: "document", source: { type: "file", file_id: "file_1" } },
    ],
    [
      { kind: "text", text: "T" },
      { kind: "text", text: "plain" },
      { kind: "file", bytes: 5 },
      { kind: "text", text: "inner" },
      { kind: "file", bytes: null },
    ],
  ],
  [
    "thinking",
    [
      { type: "thinking", thinking: "Hm", signature: "abc" },
      { type: "redacted_thinking", data: "xyz" },
    ],
    [{ kind: "text", text: "Hm" }],
  ],
  [
    "a tool's use",
    [{ type: "tool_use", id: "toolu_1", name: "now", input: { zone: "CET" } }],
    [{ kind: "json", value: { name: "now", input: { zone: "CET" } } }],
  ],
  [
    "a tool's results",
    [
      { type: "tool_result", tool_use_id: "toolu_1", content: "12:00" },
      { type: "tool_result", tool_use_id: "toolu_2", content: [{ type: "text", text: "13:00" }] },
    ],
    [
      { kind: "text", text: "12:00" },
      { kind: "text", text: "13:00" },
    ],
  ],
  ["what nobody knows", [{ type: "new", x: 1 }, 7, null], [{ kind: "json", value: { type: "new", x: 1 } }]],
  ["nothing", null, []],
])("reads a prompt of %s", (_, content, parts) => {
  const request = anthropicMessages.readRequest({ messages: [{ role: "user", content }] }, AT_ANTHROPIC);
  expect(request.prompt().messages).toEqual([{ role: "user", name: null, parts }]);
});

test("system text comes first, in the prompt and in the log; tools and schema are there", () => {
  const tool = { name: "now", input_schema: { type: "object" } };
  const schema = { type: "object" };
  const system = [{ type: "text", text: "Be brief." }];
  const request = anthropicMessages.readRequest(
    {
      system,
      messages: [{ role: "user", content: "Hi" }],
      tools: [tool],
      output_config: { format: { type: "json_schema", schema } },
    },
    AT_ANTHROPIC,
  );
  expect(request.prompt()).toEqual({
    messages: [
      { role: "system", name: null, parts: [{ kind: "text", text: "Be brief." }] },
      { role: "user", name: null, parts: [{ kind: "text", text: "Hi" }] },
    ],
    tools: [tool],
    schema,
    kind: "chat",
  });
  expect(request.prompt()).toBe(request.prompt());
  expect(request.messages()).toEqual([
    { role: "system", content: system },
    { role: "user", content: "Hi" },
  ]);
});

test("content inside content without end is read to a depth", () => {
  let content: unknown = "deep";
  for (let depth = 0; depth < 50_000; depth++) content = [{ type: "tool_result", content }];
  const request = anthropicMessages.readRequest({ messages: [{ role: "user", content }] }, AT_ANTHROPIC);
  expect(request.prompt().messages).toEqual([{ role: "user", name: null, parts: [] }]);
});

test.each<[string, unknown[], object]>([
  [
    "a stream's id",
    [{ type: "message_start", message: { id: "msg_1", model: "m" } }],
    { id: "msg_1", model: "m", usage: null },
  ],
  [
    "a message's id",
    [{ type: "message", id: "msg_2", content: [] }],
    { id: "msg_2", complete: true, responses: 1 },
  ],
  [
    "Anthropic's error",
    [{ type: "error", error: { type: "api_error" } }],
    { error: "api_error", complete: false },
  ],
  ["Azure's error", [{ error: { code: "429", message: "" } }], { error: "429" }],
  [
    "Google's error",
    [{ error: { code: 429, status: "RESOURCE_EXHAUSTED" } }],
    { error: "RESOURCE_EXHAUSTED" },
  ],
  ["an error of no kind", [{ error: {} }], { error: "error" }],
  ["no error", [{ error: null }, "[DONE]", null, []], { error: null }],
  [
    "cache counts alone",
    [
      { type: "message_start", message: { usage: { input_tokens: 3, output_tokens: 1 } } },
      { type: "message_delta", usage: { cache_read_input_tokens: 9 } },
    ],
    { usage: { prompt: 3, completion: 1, cached: 0 } },
  ],
])("reads %s", (_, values, expected) => {
  const reader = anthropicMessages.readAnswer(100);
  for (const value of values) reader.take(null, value);
  expect(reader.found).toMatchObject(expected);
});

test("counting tokens at Vertex AI is not taken for a chat", () => {
  const asked = line("/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict");
  expect(recognise(asked, { model: "claude-opus-4", messages: [] })).toBeNull();
});

const words = (text: string): string[] => text.split(" ");

test("arbitrary bodies and answers never throw", () => {
  const key = fc.constantFrom(
    ...words("type messages content source system usage message delta error input"),
  );
  const type = fc.constantFrom(
    ...words("text image document tool_use tool_result message_start message_delta"),
    ...words("message"),
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      fc.jsonValue({ maxDepth: 1 }),
      type,
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(key, tie("any"), { maxKeys: 4 }),
    ),
  })).any;
  fc.assert(
    fc.property(fc.dictionary(key, value), (body) => {
      const request = anthropicMessages.readRequest(body, AT_ANTHROPIC);
      request.prompt();
      request.messages();
      const reader = anthropicMessages.readAnswer(100);
      reader.take(null, body);
      expect(reader.found.textLength).toBeGreaterThanOrEqual(0);
    }),
    { seed: 5, numRuns: 500 },
  );
});
