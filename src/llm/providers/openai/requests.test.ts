import { describe, expect, it } from "vitest";
import type { ModelRequest, RequestLine } from "../../dialect.ts";
import type { PromptMessage } from "../../prompt.ts";
import { recogniseLine } from "../../recognise.ts";

const ROUTES = {
  chat: "/v1/chat/completions",
  azure: "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21",
  completions: "/v1/completions",
  responses: "/v1/responses",
  embeddings: "/v1/embeddings",
  images: "/v1/images/generations",
  speech: "/v1/audio/speech",
};

function lineOf(method: string, target: string, host: string | null = null): RequestLine {
  const [path, query] = target.split("?") as [string, string | undefined];
  return { method, path, query: query ?? "", header: (name) => (name === "host" ? host : null) };
}

function read(route: keyof typeof ROUTES, body: Record<string, unknown> | null, host?: string): ModelRequest {
  const line = lineOf("POST", ROUTES[route], host);
  return recogniseLine(line)!.readRequest(body, line);
}

const text = (role: string, ...texts: string[]): PromptMessage => ({
  role,
  name: null,
  parts: texts.map((one) => ({ kind: "text", text: one })),
});

describe("model, stream, bound", () => {
  it.each([
    ["chat", { model: "gpt-4o" }, { model: "gpt-4o", deployment: null, stream: false, outputBound: null }],
    ["chat", { model: 5, stream: "yes" }, { model: null, stream: false }],
    ["chat", null, { model: null, stream: false, outputBound: null, wantsUsage: false }],
    ["azure", { model: "ignored" }, { model: "my gpt", deployment: "my gpt", provider: "azure.ai.openai" }],
    ["chat", { stream: true }, { stream: true, wantsUsage: false }],
    ["chat", { stream: true, stream_options: { include_usage: true } }, { stream: true, wantsUsage: true }],
    ["chat", { stream: false, stream_options: { include_usage: true } }, { wantsUsage: false }],
    ["chat", { max_tokens: 100 }, { outputBound: 100 }],
    ["chat", { max_tokens: 100, max_completion_tokens: 50 }, { outputBound: 50 }],
    ["chat", { max_tokens: 100, n: 3 }, { outputBound: 300 }],
    ["chat", { max_tokens: null, n: 3 }, { outputBound: null }],
    ["chat", { max_tokens: "100" }, { outputBound: null }],
    ["chat", { max_tokens: -1 }, { outputBound: null }],
    ["chat", { max_tokens: 1e300 }, { outputBound: null }],
    ["completions", { max_tokens: 10, n: 2, best_of: 5 }, { outputBound: 50 }],
    ["completions", { max_tokens: 10, prompt: ["a", "b"] }, { outputBound: 20 }],
    ["completions", { max_tokens: 10, prompt: [1, 2, 3] }, { outputBound: 10 }],
    ["completions", { max_tokens: 10, prompt: [[1], [2], [3]], n: 2 }, { outputBound: 60 }],
    [
      "responses",
      { max_output_tokens: 77, stream: true },
      { outputBound: 77, stream: true, wantsUsage: false },
    ],
    ["embeddings", { model: "e" }, { model: "e", outputBound: 0, stream: false }],
    ["images", { model: "gpt-image-1", stream: true }, { outputBound: null, stream: true }],
    ["speech", { model: "tts-1", stream_format: "sse" }, { stream: true }],
  ] as const)("%s %j", (route, body, said) => expect(read(route, body)).toMatchObject(said));

  it.each([
    ["GET /v1/realtime?model=gpt-realtime", { model: "gpt-realtime", deployment: null, provider: null }],
    [
      "GET /openai/realtime?api-version=1&Deployment=rt",
      { model: "rt", deployment: "rt", provider: "azure.ai.openai" },
    ],
    ["GET /v1/realtime", { model: null }],
  ])("%s", (request, said) => {
    const line = lineOf(...(request.split(" ") as [string, string]));
    expect(recogniseLine(line)!.readRequest(null, line)).toMatchObject({
      ...said,
      stream: true,
      outputBound: null,
    });
  });

  it("whose it is, by host", () => {
    expect(read("chat", {}, "api.deepseek.com").provider).toBe("deepseek");
    expect(read("chat", {}, "gateway.example").provider).toBeNull();
  });

  it.each([
    [
      "chat",
      {
        temperature: 0.5,
        top_p: 1,
        max_completion_tokens: 9,
        seed: 1,
        stop: "x",
        n: 2,
        frequency_penalty: 0,
        user: "u",
      },
      {
        temperature: 0.5,
        top_p: 1,
        max_tokens: 9,
        seed: 1,
        stop_sequences: ["x"],
        "choice.count": 2,
        frequency_penalty: 0,
      },
    ],
    ["chat", { temperature: null, n: 1, stop: [1, "a"] }, { stop_sequences: ["a"] }],
    ["responses", { max_output_tokens: 5, temperature: 1 }, { max_tokens: 5, temperature: 1 }],
    ["embeddings", { encoding_format: "base64" }, { encoding_formats: ["base64"] }],
  ] as const)("parameters of %s %j", (route, body, parameters) => {
    expect(read(route, body).parameters).toEqual(parameters);
  });
});

// A PNG of 3 × 2 pixels, as far as its size needs it.
const PNG = `data:image/png;base64,${Buffer.from("89504e470d0a1a0a0000000d4948445200000003000000020802000000", "hex").toString("base64")}`;

describe("prompts of Chat Completions", () => {
  it.each([
    [[{ role: "user", content: "Hi" }], [text("user", "Hi")]],
    [[{ role: "user", name: "Bob", content: "Hi" }], [{ ...text("user", "Hi"), name: "Bob" }]],
    [
      [
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        },
      ],
      [text("user", "a", "b")],
    ],
    [[{ role: "user", content: null }], [text("user")]],
    [[{ role: "tool", tool_call_id: "c", content: "42" }], [text("tool", "42")]],
    [[{ role: "assistant", refusal: "No." }], [text("assistant", "No.")]],
    [
      [
        {
          role: "assistant",
          content: "",
          tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
        },
      ],
      [{ role: "assistant", name: null, parts: [{ kind: "json", value: { name: "f", arguments: "{}" } }] }],
    ],
    [
      [{ role: "assistant", function_call: { name: "f", arguments: "{}" } }],
      [{ role: "assistant", name: null, parts: [{ kind: "json", value: { name: "f", arguments: "{}" } }] }],
    ],
    [
      [
        {
          role: "user",
          content: [
            { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } },
            { type: "image_url", image_url: { url: PNG } },
            { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
            { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAAAA==" } },
            { type: "new_kind", x: 1 },
          ],
        },
      ],
      [
        {
          role: "user",
          name: null,
          parts: [
            { kind: "image", detail: "low", width: null, height: null },
            { kind: "image", detail: "auto", width: 3, height: 2 },
            { kind: "audio", seconds: null },
            { kind: "file", bytes: 4 },
            { kind: "json", value: { type: "new_kind", x: 1 } },
          ],
        },
      ],
    ],
    [[null, 5, "x", {}], [text("")]],
    ["nonsense", []],
    [undefined, []],
  ])("%j", (messages, wanted) => {
    const request = read("chat", { messages });
    expect(request.prompt().messages).toEqual(wanted);
    expect(request.prompt()).toBe(request.prompt());
    expect(request.messages()).toEqual(Array.isArray(messages) ? messages : []);
  });

  it("tools, functions and schema", () => {
    const request = read("chat", {
      tools: [{ type: "function", function: { name: "f" } }],
      functions: [{ name: "g" }],
      response_format: { type: "json_schema", json_schema: { name: "s", schema: { type: "object" } } },
    });
    expect(request.prompt()).toMatchObject({
      tools: [{ type: "function", function: { name: "f" } }, { name: "g" }],
      schema: { type: "object" },
      kind: "chat",
    });
    expect(read("chat", { response_format: { type: "json_object" } }).prompt().schema).toBeNull();
  });
});

describe("prompts of Responses", () => {
  it.each([
    [{ input: "Hi" }, [text("user", "Hi")]],
    [{ instructions: "Be brief.", input: "Hi" }, [text("system", "Be brief."), text("user", "Hi")]],
    [{ input: [{ role: "developer", content: "a" }] }, [text("developer", "a")]],
    [
      {
        input: [
          {
            type: "message",
            role: "user",
            content: [
              { type: "input_text", text: "a" },
              { type: "input_image", image_url: PNG, detail: "high" },
            ],
          },
        ],
      },
      [
        {
          role: "user",
          name: null,
          parts: [
            { kind: "text", text: "a" },
            { kind: "image", detail: "high", width: 3, height: 2 },
          ],
        },
      ],
    ],
    [
      {
        input: [
          {
            type: "message",
            role: "assistant",
            content: [
              { type: "output_text", text: "a" },
              { type: "refusal", refusal: "b" },
            ],
          },
        ],
      },
      [text("assistant", "a", "b")],
    ],
    [
      {
        input: [
          { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
          { type: "function_call_output", call_id: "c", output: "42" },
        ],
      },
      [
        { role: "assistant", name: null, parts: [{ kind: "json", value: { name: "f", arguments: "{}" } }] },
        text("tool", "42"),
      ],
    ],
    [
      {
        input: [
          { type: "function_call_output", output: [{ type: "input_text", text: "x" }] },
          { type: "computer_call_output", output: { type: "computer_screenshot", image_url: PNG } },
        ],
      },
      [
        text("tool", "x"),
        { role: "tool", name: null, parts: [{ kind: "image", detail: "auto", width: 3, height: 2 }] },
      ],
    ],
    [
      {
        input: [
          { type: "reasoning", summary: [{ type: "summary_text", text: "hm" }], encrypted_content: "gAAA" },
        ],
      },
      [text("assistant", "hm")],
    ],
    [{ input: [{ type: "item_reference", id: "x" }] }, [text("assistant")]],
    [
      { input: [{ type: "mcp_call", name: "m" }] },
      [{ role: "assistant", name: null, parts: [{ kind: "json", value: { type: "mcp_call", name: "m" } }] }],
    ],
    [{ input: [5, null] }, []],
    [{}, []],
  ])("%j", (body, wanted) => expect(read("responses", body).prompt().messages).toEqual(wanted));

  it("schema, tools, and messages for the log", () => {
    const request = read("responses", {
      instructions: "Be brief.",
      input: [
        { role: "user", content: "a" },
        { type: "function_call_output", output: "42" },
      ],
      tools: [{ type: "web_search" }],
      text: { format: { type: "json_schema", schema: { type: "object" } } },
    });
    expect(request.prompt()).toMatchObject({ schema: { type: "object" }, tools: [{ type: "web_search" }] });
    expect(request.messages()).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "a" },
      { role: "tool", content: [{ type: "function_call_output", output: "42" }] },
    ]);
  });
});

it.each(["chat", "responses", "completions", "embeddings"] as const)(
  "%s: nesting without end harms nobody",
  (route) => {
    const lists = JSON.parse("[".repeat(100_000) + "]".repeat(100_000)) as unknown;
    const parts = JSON.parse(`${'{"type":"text","text":'.repeat(50_000)}1${"}".repeat(50_000)}`) as unknown;
    for (const deep of [lists, parts]) {
      const request = read(route, {
        messages: [{ content: deep }],
        instructions: deep,
        input: [deep],
        prompt: deep,
      });
      expect(() => request.prompt()).not.toThrow();
      expect(() => request.messages()).not.toThrow();
    }
  },
);

describe("prompts without messages", () => {
  it.each([
    ["completions", { prompt: "a" }, [{ kind: "text", text: "a" }]],
    [
      "completions",
      { prompt: ["a", "b"] },
      [
        { kind: "text", text: "a" },
        { kind: "text", text: "b" },
      ],
    ],
    ["completions", { prompt: [1, 2, 3] }, [{ kind: "tokens", tokens: 3 }]],
    [
      "embeddings",
      { input: [[1, 2], [3]] },
      [
        { kind: "tokens", tokens: 2 },
        { kind: "tokens", tokens: 1 },
      ],
    ],
    ["embeddings", { input: "a" }, [{ kind: "text", text: "a" }]],
    [
      "embeddings",
      { input: [{ image: "data:", text: "a" }] },
      [
        { kind: "text", text: "a" },
        { kind: "image", detail: "auto", width: null, height: null },
      ],
    ],
    ["images", { prompt: "A cat" }, [{ kind: "text", text: "A cat" }]],
    ["speech", { input: "Say" }, [{ kind: "text", text: "Say" }]],
    ["embeddings", { input: 5 }, []],
  ] as const)("%s %j", (route, body, parts) => {
    expect(read(route, body).prompt().messages).toEqual([{ role: "", name: null, parts }]);
  });

  it("for the log", () => {
    expect(read("embeddings", { input: ["a"] }).messages()).toEqual([{ role: "user", content: ["a"] }]);
    expect(read("embeddings", {}).messages()).toEqual([]);
  });
});
