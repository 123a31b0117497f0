import { describe, expect, it } from "vitest";
import type { RequestLine } from "./dialect.ts";
import { providerOfHost } from "./provider-hosts.ts";
import { dialectNamed, recognise, recogniseLine } from "./recognise.ts";

function line(text: string, headers: Readonly<Record<string, string>> = {}): RequestLine {
  const [method, target] = text.split(" ") as [string, string];
  const [path, query] = target.split("?") as [string, string | undefined];
  return { method, path, query: query ?? "", header: (name) => headers[name.toLowerCase()] ?? null };
}

const named = (text: string): string | null => recogniseLine(line(text))?.name ?? null;

describe("by the line", () => {
  it.each([
    ["POST /v1/chat/completions", "openai-chat"],
    ["POST /chat/completions", "openai-chat"],
    ["POST /any/base/Chat/Completions/", "openai-chat"],
    ["POST /openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", "openai-chat"],
    ["POST /openai/deployments/gpt-4o/extensions/chat/completions", "openai-chat"],
    ["POST /openai/v1/chat/completions", "openai-chat"],
    ["POST /models/chat/completions?api-version=2024-05-01-preview", "openai-chat"],
    ["POST /v1beta/openai/chat/completions", "openai-chat"],
    ["POST /v1/completions", "openai-completions"],
    ["POST /openai/deployments/instruct/completions", "openai-completions"],
    ["POST /v1/responses", "openai-responses"],
    ["POST /v1/responses/compact", "openai-responses"],
    ["POST /openai/responses?api-version=2025-04-01-preview", "openai-responses"],
    ["POST /v1/embeddings", "openai-embeddings"],
    ["POST /models/images/embeddings", "openai-embeddings"],
    ["POST /v1/images/generations", "openai-images"],
    ["POST /v1/images/edits", "openai-images"],
    ["POST /v1/images/variations", "openai-images"],
    ["POST /v1/audio/speech", "openai-audio"],
    ["POST /openai/deployments/whisper/audio/transcriptions", "openai-audio"],
    ["POST /v1/audio/translations", "openai-audio"],
    ["GET /v1/realtime?model=gpt-realtime", "openai-realtime"],
    ["GET /openai/realtime?api-version=2024-10-01-preview&deployment=rt", "openai-realtime"],
    // No model is asked.
    ["GET /v1/chat/completions", null],
    ["POST /v1/chat/completions/chatcmpl-1", null],
    ["GET /v1/responses/resp_1", null],
    ["POST /v1/responses/resp_1/cancel", null],
    ["POST /v1/responses/input_tokens", null],
    ["DELETE /v1/responses/resp_1", null],
    ["POST /v1/realtime/sessions", null],
    ["GET /v1/models", null],
    ["POST /v1/moderations", null],
    ["POST /v1/mycompletions", null],
    ["POST /", null],
  ])("%s → %s", (text, name) => expect(named(text)).toBe(name));
});

describe("by the body, where the line is silent", () => {
  it.each([
    [{ messages: [] }, "openai-chat"],
    [{ model: "m", messages: [], max_tokens: 5 }, "openai-chat"],
    [{ model: "gpt-5", input: "Hi" }, "openai-responses"],
    [{ model: "text-embedding-3-small", input: "Hi" }, "openai-embeddings"],
    [{ model: "m", input: ["a"], dimensions: 256 }, "openai-embeddings"],
    [{ model: "gpt-3.5-turbo-instruct", prompt: "Hi" }, "openai-completions"],
    [{ model: "gpt-image-1", prompt: "A cat" }, "openai-images"],
    [{ model: "m" }, null],
    [{ input: "Hi" }, null],
    [{}, null],
  ])("%j → %s", (body, name) => {
    expect(recognise(line("POST /llm"), body)?.name ?? null).toBe(name);
    expect(recognise(line("GET /llm"), body)).toBeNull();
    expect(recognise(line("POST /v1/moderations"), body)).toBeNull();
    expect(recognise(line("POST /v1/responses/resp_1/cancel"), body)).toBeNull();
  });

  it("the line has the word before the body", () => {
    expect(recognise(line("POST /v1/embeddings"), { messages: [] })?.name).toBe("openai-embeddings");
    expect(recognise(line("POST /v1/embeddings"), null)?.name).toBe("openai-embeddings");
    expect(recognise(line("POST /llm"), null)).toBeNull();
  });

  it("the header of Anthropic makes messages theirs", () => {
    const request = line("POST /llm", { "anthropic-version": "2023-06-01" });
    expect(recognise(request, { messages: [], max_tokens: 5 })?.name).toBe("anthropic-messages");
  });
});

it("dialects have names", () => {
  expect(dialectNamed("openai-chat")?.name).toBe("openai-chat");
  expect(dialectNamed("nonsense" as never)).toBeNull();
});

it.each([
  ["api.openai.com", "openai"],
  ["my.openai.azure.com:443", "azure.ai.openai"],
  ["my.services.ai.azure.com", "azure.ai.inference"],
  ["API.DeepSeek.com", "deepseek"],
  ["api.x.ai", "x_ai"],
  ["notx.ai", null],
  ["localhost:8080", null],
  [null, null],
])("the host %s belongs to %s", (host, provider) => expect(providerOfHost(host)).toBe(provider));
