/**
 * The official `openai` package against the demo model: what it accepts and understands is the API's shape.
 */
import OpenAI, { APIError, AzureOpenAI } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startDemoModel, type DemoModel } from "./index.ts";

let model: DemoModel;
let openai: OpenAI;
let azure: AzureOpenAI;

beforeAll(async () => {
  model = await startDemoModel({ apiKeys: ["demo-key"] });
  openai = new OpenAI({ apiKey: "demo-key", baseURL: `${model.url}/v1`, maxRetries: 0 });
  azure = new AzureOpenAI({
    apiKey: "demo-key",
    endpoint: model.url,
    apiVersion: "2024-10-21",
    maxRetries: 0,
  });
});

afterAll(() => model.close());

const messages = [{ role: "user" as const, content: "Hi there" }];
const text = 'Hello from Headgate\'s demo model. You said: "Hi there". I saw 1 message.';
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const tools = [{ type: "function" as const, function: { name: "get_weather", parameters } }];
const flatTools = [{ type: "function" as const, name: "get_weather", parameters, strict: true }];

describe.each([
  ["OpenAI", () => openai],
  ["AzureOpenAI", () => azure],
])("%s", (name, client) => {
  test("chat", async () => {
    const completion = await client().chat.completions.create({ model: "demo/echo", messages });
    expect(completion.choices[0]!.message.content).toBe(text);
    expect(completion.model).toBe("demo/echo");
    expect(completion._request_id).toMatch(/^req_demo/);
    const azurePath = "/openai/deployments/demo%2Fecho/chat/completions?api-version=2024-10-21";
    expect(model.seen.at(-1)!.target).toBe(name === "OpenAI" ? "/v1/chat/completions" : azurePath);
  });

  test("chat, streamed", async () => {
    const stream = await client().chat.completions.create({
      model: "demo/echo",
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let said = "";
    let deltas = 0;
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      const delta = chunk.choices[0]?.delta.content ?? "";
      if (delta !== "") deltas++;
      said += delta;
      usage = chunk.usage ?? usage;
    }
    expect(said).toBe(text);
    expect(usage!.completion_tokens).toBe(deltas);
  });

  test("responses", async () => {
    const response = await client().responses.create({ model: "demo/echo", input: "Hi there" });
    expect(response.output_text).toBe(text);
    expect(response.status).toBe("completed");
  });

  test("embeddings, as floats and as the client's base64", async () => {
    const input = ["one", "two"];
    const floats = await client().embeddings.create({
      model: "demo/embedding",
      input,
      encoding_format: "float",
    });
    // Without a format the client asks for base64 and decodes it itself.
    const decoded = await client().embeddings.create({ model: "demo/embedding", input });
    expect(decoded.data.map((one) => Array.from(one.embedding))).toEqual(
      floats.data.map((one) => one.embedding),
    );
    expect(floats.usage).toEqual({ prompt_tokens: 2, total_tokens: 2 });
  });
});

test("the stream helper builds the same message as the whole answer", async () => {
  const body = {
    model: "demo/echo",
    messages: [{ role: "user" as const, content: "get_weather city=Oslo, get_weather" }],
    tools,
  };
  const streamed = await openai.chat.completions.stream(body).finalChatCompletion();
  const whole = await openai.chat.completions.create(body);
  const calls = (completion: OpenAI.ChatCompletion): unknown[] =>
    completion.choices[0]!.message.tool_calls!.map(
      (call) => call.type === "function" && [call.function.name, call.function.arguments],
    );
  expect(calls(streamed)).toEqual(calls(whole));
  expect(calls(whole)).toEqual([
    ["get_weather", '{"city":"Oslo"}'],
    ["get_weather", '{"city":"demo city"}'],
  ]);
  expect(streamed.choices[0]!.finish_reason).toBe("tool_calls");
});

test("the tool runner goes round once", async () => {
  const asked: string[] = [];
  const runner = openai.chat.completions.runTools({
    model: "demo/echo",
    messages: [{ role: "user", content: "Use get_weather with city=Oslo" }],
    tools: [
      {
        type: "function",
        function: {
          name: "get_weather",
          description: "The weather in a city.",
          parameters: {
            ...parameters,
            type: "object" as const,
            properties: { city: { type: "string" as const } },
          },
          parse: (args: string) => JSON.parse(args) as { city: string },
          function: ({ city }: { city: string }) => {
            asked.push(city);
            return "sunny";
          },
        },
      },
    ],
  });
  expect(await runner.finalContent()).toContain('The tool answered: "sunny".');
  expect(asked).toEqual(["Oslo"]);
});

test("structured output parses", async () => {
  const completion = await openai.chat.completions.parse({
    model: "demo/echo",
    messages,
    response_format: {
      type: "json_schema",
      json_schema: { name: "place", schema: parameters, strict: true },
    },
  });
  expect(JSON.parse(completion.choices[0]!.message.content!)).toEqual({ city: "demo city" });
});

test("responses, streamed: the helper's final response is the model's", async () => {
  const stream = openai.responses.stream({ model: "demo/echo", input: "Hi there" });
  const types = new Set<string>();
  stream.on("event", (event) => void types.add(event.type));
  const final = await stream.finalResponse();
  expect(final.output_text).toBe(text);
  expect(final.usage!.output_tokens).toBe(20 + 1);
  expect(types).toContain("response.content_part.done");
});

test("responses with a function call and its result", async () => {
  const first = await openai.responses.create({
    model: "demo/echo",
    input: "get_weather city=Oslo",
    tools: flatTools,
  });
  const call = first.output[0] as OpenAI.Responses.ResponseFunctionToolCall;
  expect([call.type, call.name, call.arguments]).toEqual(["function_call", "get_weather", '{"city":"Oslo"}']);
  const second = await openai.responses.create({
    model: "demo/echo",
    input: [
      { role: "user", content: "get_weather city=Oslo" },
      call,
      { type: "function_call_output", call_id: call.call_id, output: "rain" },
    ],
    tools: flatTools,
  });
  expect(second.output_text).toContain('The tool answered: "rain".');
});

test("models", async () => {
  const names: string[] = [];
  for await (const one of openai.models.list()) names.push(one.id);
  expect(names).toEqual(["demo/echo", "demo/embedding"]);
  expect((await openai.models.retrieve("demo/echo")).owned_by).toBe("headgate");
});

describe("errors reach the client as its own classes", () => {
  const failing = (headers: Record<string, string>, stream = false): Promise<unknown> =>
    openai.chat.completions.create({ model: "demo/echo", messages, stream }, { headers }).then(
      () => null,
      (error: unknown) => error,
    );

  test.each([
    [{ "x-demo-status": "400" }, "BadRequestError"],
    [{ "x-demo-status": "401" }, "AuthenticationError"],
    [{ "x-demo-status": "429" }, "RateLimitError"],
    [{ "x-demo-status": "503" }, "InternalServerError"],
    [{ authorization: "Bearer wrong" }, "AuthenticationError"],
  ])("%j is %s", async (headers, name) => {
    const error = (await failing(headers)) as APIError;
    expect(error.constructor.name).toBe(name);
    expect(error.message).not.toContain("no body");
  });

  test.each(["reset", "error"])("a stream that ends in %s throws after what came", async (kind) => {
    const stream = await openai.chat.completions.create(
      { model: "demo/echo", messages, stream: true },
      { headers: { "x-demo-error-after-chunks": "3", "x-demo-error-kind": kind } },
    );
    let chunks = 0;
    await expect(
      (async () => {
        for await (const _ of stream) chunks++;
      })(),
    ).rejects.toThrow();
    // A reset may overtake chunks in the client's buffers; an error event cannot.
    expect(chunks).toBeLessThanOrEqual(3);
    if (kind === "error") expect(chunks).toBe(3);
  });

  test("retries after Retry-After succeed when the model does", async () => {
    let calls = 0;
    const flaky = await startDemoModel({
      script: () =>
        calls++ === 0 ? { status: 429, headers: ["Retry-After-Ms", "1"], body: "{}" } : undefined,
    });
    const client = new OpenAI({ apiKey: "k", baseURL: flaky.url, maxRetries: 1 });
    const completion = await client.chat.completions.create({ model: "m", messages });
    expect(completion.choices[0]!.message.content).toBe(text);
    expect(calls).toBe(2);
    await flaky.close();
  });
});

test("breaking out of a stream closes it", async () => {
  const stream = await openai.chat.completions.create(
    { model: "demo/echo", messages, stream: true },
    { headers: { "x-demo-tokens": "100000", "x-demo-chunk-ms": "1" } },
  );
  for await (const _ of stream) break;
  expect(await model.seen.at(-1)!.done).toBe("closed-early");
});
