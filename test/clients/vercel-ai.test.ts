/** Vercel's `ai` with `@ai-sdk/openai`: text whole and streaming, tools, over both APIs of OpenAI; errors as its own class. */
import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, embed, generateText, jsonSchema, streamText, tool } from "ai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  carry,
  EXHAUSTED,
  KEY,
  metricsAgree,
  PROVIDER_KEY,
  settledAs,
  startThrough,
  type Through,
  thrown,
} from "./through.ts";
import { type Fixture, json, sse, typedSse } from "./upstream.ts";

let through: Through;
beforeAll(async () => {
  through = await startThrough({
    keyHeader: "bearer",
    providerHeader: "Authorization",
    path: "openai/v1",
    serviceUrl: (url) => `${url}/v1`,
  });
});
afterAll(() => through.close());

const provider = (): ReturnType<typeof createOpenAI> => createOpenAI({ baseURL: through.url, apiKey: KEY });

const MODEL = "gpt-4o-2024-08-06";
const TEXT = "Moin! ⚓ \u2028 wie geht’s?";
const prompt = "Hi";

const usage = { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29 };
const completion = { id: "chatcmpl-B9", object: "chat.completion", created: 1741569952, model: MODEL };
const chunk = (delta: object, finish_reason: string | null = null): object => ({
  ...completion,
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, finish_reason }],
});
const CHAT = json({
  ...completion,
  choices: [{ index: 0, message: { role: "assistant", content: TEXT }, finish_reason: "stop" }],
  usage,
});
const CHAT_STREAM = sse([
  [null, chunk({ role: "assistant", content: "" })],
  ...[...TEXT].map((content) => [null, chunk({ content })] as const),
  [null, chunk({}, "stop")],
  [null, { ...completion, object: "chat.completion.chunk", choices: [], usage }],
  [null, "[DONE]"],
]);
const CHAT_SAID = { dialect: "openai-chat", tokens: [19, 10], served: MODEL, finish: "stop" } as const;

const responseUsage = {
  input_tokens: 36,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 87,
  output_tokens_details: { reasoning_tokens: 64 },
  total_tokens: 123,
};
const item = {
  id: "msg_1",
  type: "message",
  status: "completed",
  role: "assistant",
  content: [{ type: "output_text", text: TEXT, annotations: [], logprobs: [] }],
};
const response = { id: "resp_67", object: "response", created_at: 1741476777, model: MODEL };
const COMPLETED = { ...response, status: "completed", output: [item], usage: responseUsage };
const RESPONSE_STREAM = typedSse(
  [
    { type: "response.created", response: { ...response, status: "in_progress", output: [] } },
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { ...item, status: "in_progress", content: [] },
    },
    ...[...TEXT].map((delta) => ({
      type: "response.output_text.delta",
      item_id: "msg_1",
      output_index: 0,
      content_index: 0,
      delta,
      logprobs: [],
    })),
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: COMPLETED },
  ].map((event, sequence_number) => ({ ...event, sequence_number })),
);
const RESPONSE_SAID = {
  dialect: "openai-responses",
  tokens: [36, 87],
  served: MODEL,
  finish: "completed",
} as const;

describe.each([
  ["chat", "chat", CHAT, CHAT_STREAM, CHAT_SAID],
  ["responses", "responses", json(COMPLETED), RESPONSE_STREAM, RESPONSE_SAID],
] as const)("over %s", (_name, kind, whole, stream, said) => {
  const model = (): Parameters<typeof generateText>[0]["model"] => provider()[kind]("gpt-4o");
  const [inputTokens, outputTokens] = said.tokens;

  test("generateText", async () => {
    const made = await carry(through, whole, () => generateText({ model: model(), prompt, maxRetries: 0 }));
    expect(made.result.text).toBe(TEXT);
    expect(made.result.usage).toMatchObject({ inputTokens, outputTokens });
    expect(made.result.finishReason).toBe("stop");
    expect(made.asked.headers["authorization"]).toBe(`Bearer ${PROVIDER_KEY}`);
    settledAs(made, { ...said, text: TEXT });
  });

  test("streamText", async () => {
    const made = await carry(through, stream, async () => {
      const answer = streamText({ model: model(), prompt, maxRetries: 0 });
      let text = "";
      for await (const part of answer.textStream) text += part;
      return { text, usage: await answer.usage };
    });
    expect(made.result).toMatchObject({ text: TEXT, usage: { inputTokens, outputTokens } });
    settledAs(made, { ...said, text: TEXT });
  });
});

test("tools", async () => {
  const toolCall = {
    id: "call_1",
    type: "function",
    function: { name: "weather", arguments: '{"city":"Husum"}' },
  };
  const fixture = json({
    ...completion,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: null, tool_calls: [toolCall] },
        finish_reason: "tool_calls",
      },
    ],
    usage,
  });
  const weather = tool({
    inputSchema: jsonSchema<{ city: string }>({ type: "object", properties: { city: { type: "string" } } }),
  });
  const made = await carry(through, fixture, () =>
    generateText({ model: provider().chat("gpt-4o"), prompt, tools: { weather }, maxRetries: 0 }),
  );
  expect(made.result.toolCalls).toMatchObject([{ toolName: "weather", input: { city: "Husum" } }]);
  settledAs(made, { ...CHAT_SAID, finish: "tool_calls" });
});

test("embed", async () => {
  const body = {
    object: "list",
    data: [{ object: "embedding", index: 0, embedding: [0.5, -0.25] }],
    model: "text-embedding-3-small",
    usage: { prompt_tokens: 8, total_tokens: 8 },
  };
  const made = await carry(through, json(body), () =>
    embed({ model: provider().embedding("text-embedding-3-small"), value: "Hi", maxRetries: 0 }),
  );
  expect(made.result).toMatchObject({ embedding: [0.5, -0.25], usage: { tokens: 8 } });
  settledAs(made, { dialect: "openai-embeddings", tokens: [8, 0], served: "text-embedding-3-small" });
});

describe("errors of the provider are the client's own", () => {
  const failure = { error: { message: "no", type: "tokens", param: null, code: "rate_limit_exceeded" } };

  test.each([
    [401, {}, false],
    [429, { "retry-after": "7" }, true],
    [500, {}, true],
  ])("%i", async (status, headers, isRetryable) => {
    const fixture: Fixture = json(failure, { status, headers });
    const made = await carry(through, fixture, () =>
      thrown(generateText({ model: provider().chat("gpt-4o"), prompt, maxRetries: 0 })),
    );
    expect(APICallError.isInstance(made.result)).toBe(true);
    expect(made.result).toMatchObject({ statusCode: status, isRetryable, responseBody: fixture.body });
    expect(made.result.responseHeaders).toMatchObject(headers);
  });

  test("a connection that breaks in the middle of a stream", async () => {
    const body = String(CHAT_STREAM.body).slice(0, String(CHAT_STREAM.body).indexOf("\n\n", 1000) + 2);
    const made = await carry(through, { ...CHAT_STREAM, body, breaks: true }, () => errorsOf());
    expect(made.result).not.toHaveLength(0);
    expect(made.call.ending).toBe("upstream-reset");
  });

  async function errorsOf(): Promise<unknown[]> {
    const errors: unknown[] = [];
    const answer = streamText({
      model: provider().chat("gpt-4o"),
      prompt,
      maxRetries: 0,
      onError: ({ error }) => void errors.push(error),
    });
    await answer.consumeStream();
    return errors;
  }

  test("an error in the middle of a stream", async () => {
    const fixture = sse([
      [null, chunk({ role: "assistant", content: "Mo" })],
      [null, { error: { message: "overloaded", type: "server_error", param: null, code: null } }],
    ]);
    const made = await carry(through, fixture, () => errorsOf());
    expect(made.result).toMatchObject([{ message: "overloaded" }]);
    expect(made.call).toMatchObject({ ending: "incomplete", found: { error: "server_error" } });
  });
});

test("the gateway's own limit is an error of the call that may be tried again", async () => {
  const error = await thrown(
    generateText({ model: provider().chat("gpt-4o"), prompt, maxRetries: 0, headers: EXHAUSTED }),
  );
  expect(APICallError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({ statusCode: 429, isRetryable: true });
  expect(error.responseBody).toContain("Token limit is exceeded");
  expect(Number(error.responseHeaders["retry-after"])).toBeGreaterThan(0);
});

test("what was settled is what the metrics say", () => metricsAgree(through));
