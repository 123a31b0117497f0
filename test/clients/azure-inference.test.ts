/** `@azure-rest/ai-inference`: chat, its stream through `asNodeStream`, tools, embeddings; errors as it tells them. */
import ModelClient, { isUnexpected } from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";
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
} from "./through.ts";
import { json, sse } from "./upstream.ts";

let through: Through;
beforeAll(async () => {
  through = await startThrough({
    keyHeader: "api-key",
    providerHeader: "api-key",
    path: "inference/models",
    serviceUrl: (url) => `${url}/models`,
  });
});
afterAll(() => through.close());

const client = (): ReturnType<typeof ModelClient> =>
  ModelClient(through.url, new AzureKeyCredential(KEY), {
    allowInsecureConnection: true,
    apiVersion: "2024-05-01-preview",
    retryOptions: { maxRetries: 0 },
  });

const MODEL = "DeepSeek-V3.2";
const TEXT = "Zdravo! 🏔 \u2028 šta ima?";
const usage = { completion_tokens: 31, prompt_tokens: 12, total_tokens: 43 };
const completion = { id: "c2d7", object: "chat.completion", created: 1741569952, model: MODEL };
const piece = { ...completion, object: "chat.completion.chunk" };
const body = { model: MODEL, messages: [{ role: "user", content: "Hi" }] };
const SAID = { dialect: "openai-chat", tokens: [12, 31], served: MODEL, finish: "stop" } as const;
const whole = (message: object, finish_reason: string): object => ({
  ...completion,
  choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason }],
  usage,
});

describe("chat", () => {
  test("whole", async () => {
    const answer = whole({ content: TEXT }, "stop");
    const made = await carry(through, json(answer), () => client().path("/chat/completions").post({ body }));
    if (isUnexpected(made.result)) throw made.result.body.error;
    expect(made.result.body).toEqual(answer);
    expect(made.asked).toMatchObject({
      target: "/models/chat/completions?api-version=2024-05-01-preview",
      headers: { "api-key": PROVIDER_KEY },
    });
    settledAs(made, { ...SAID, text: TEXT });
  });

  test("streaming", async () => {
    const chunk = (delta: object, finish_reason: string | null = null): object => ({
      ...piece,
      choices: [{ index: 0, delta, finish_reason }],
    });
    const fixture = sse([
      [null, chunk({ role: "assistant", content: "" })],
      ...[...TEXT].map((content) => [null, chunk({ content })] as const),
      [null, { ...chunk({}, "stop"), usage }],
      [null, "[DONE]"],
    ]);
    const made = await carry(through, fixture, async () => {
      const answer = await client()
        .path("/chat/completions")
        .post({ body: { ...body, stream: true } })
        .asNodeStream();
      expect(answer.status).toBe("200");
      const chunks: Buffer[] = [];
      for await (const part of answer.body!) chunks.push(Buffer.from(part));
      return Buffer.concat(chunks).toString();
    });
    expect(made.result).toBe(fixture.body);
    settledAs(made, { ...SAID, text: TEXT });
  });

  test("tools", async () => {
    const tool_calls = [
      { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Niš"}' } },
    ];
    const made = await carry(through, json(whole({ content: null, tool_calls }, "tool_calls")), () =>
      client()
        .path("/chat/completions")
        .post({ body: { ...body, tools: [{ type: "function", function: { name: "weather" } }] } }),
    );
    if (isUnexpected(made.result)) throw made.result.body.error;
    expect(made.result.body.choices[0]!.message.tool_calls).toEqual(tool_calls);
    settledAs(made, { ...SAID, finish: "tool_calls" });
  });
});

test("embeddings of pictures", async () => {
  const answer = {
    object: "list",
    data: [{ index: 0, object: "embedding", embedding: [0.5] }],
    model: "embed-v-4-0",
    usage: { prompt_tokens: 512, completion_tokens: 0, total_tokens: 512 },
  };
  const made = await carry(through, json(answer), () =>
    client()
      .path("/images/embeddings")
      .post({ body: { input: [{ image: "data:image/png;base64,iVBORw0KGgo=" }], model: "embed-v-4-0" } }),
  );
  expect(made.result.body).toEqual(answer);
  settledAs(made, { dialect: "openai-embeddings", tokens: [512, 0], served: "embed-v-4-0" });
});

test("embeddings", async () => {
  const answer = {
    object: "list",
    data: [{ index: 0, object: "embedding", embedding: [0.5, -0.25] }],
    model: "text-embedding-3-small",
    usage: { prompt_tokens: 6, completion_tokens: 0, total_tokens: 6 },
  };
  const made = await carry(through, json(answer), () =>
    client()
      .path("/embeddings")
      .post({ body: { input: ["Hi"], model: "text-embedding-3-small" } }),
  );
  expect(made.result.body).toEqual(answer);
  settledAs(made, { dialect: "openai-embeddings", tokens: [6, 0], served: "text-embedding-3-small" });
});

test.each([
  [401, { error: { code: "unauthorized", message: "Unauthorized" } }, {}],
  [
    429,
    { error: { code: "RateLimitReached", message: "Rate limit of 1 per 60s exceeded" } },
    { "retry-after": "17" },
  ],
  [422, { error: { code: "extra_forbidden", message: "Extra inputs are not permitted" } }, {}],
])("%i of the provider is the client's own error", async (status, answer, headers) => {
  const made = await carry(through, json(answer, { status, headers }), () =>
    client().path("/chat/completions").post({ body }),
  );
  expect(isUnexpected(made.result)).toBe(true);
  expect(made.result).toMatchObject({ status: String(status), body: answer, headers });
  expect(made.call).toMatchObject({ ending: "upstream-error", settlement: { evidence: "none" } });
});

test("the gateway's own limit is told as any other", async () => {
  const answer = await client().path("/chat/completions").post({ body, headers: EXHAUSTED });
  expect(isUnexpected(answer)).toBe(true);
  expect(answer).toMatchObject({ status: "429", body: { statusCode: 429 } });
  expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
});

test("what was settled is what the metrics say", () => metricsAgree(through));
