/** `@anthropic-ai/sdk`: messages, tools, thinking, cached prompts; errors as its own classes. */
import Anthropic, {
  APIError,
  AuthenticationError,
  InternalServerError,
  OverloadedError,
  RateLimitError,
} from "@anthropic-ai/sdk";
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
import { type Fixture, json, typedSse } from "./upstream.ts";

let through: Through;
beforeAll(async () => {
  through = await startThrough({
    keyHeader: "x-api-key",
    providerHeader: "Authorization",
    path: "anthropic",
  });
});
afterAll(() => through.close());

const client = (): Anthropic => new Anthropic({ baseURL: through.url, apiKey: KEY, maxRetries: 0 });

const MODEL = "claude-sonnet-5-20260915";
const ID = "msg_01XFDUDYJgAACzvnptvVoYEL";
const TEXT = "Grüß Gott! 🦉 \u2028 …";
const HEADERS = { "request-id": "req_018EeWyXxfu5pfWkrYcMdjWG" };
const asked = {
  model: "claude-sonnet-5",
  max_tokens: 64,
  messages: [{ role: "user" as const, content: "Hi" }],
};
const usage = {
  input_tokens: 25,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 15,
};

const message = (content: readonly object[], stop_reason: string | null, more: object = {}): object => ({
  id: ID,
  type: "message",
  role: "assistant",
  model: MODEL,
  content,
  stop_reason,
  stop_sequence: null,
  usage,
  ...more,
});

type Event = { readonly type: string; readonly [field: string]: unknown };

/** One block with its deltas. */
const block = (index: number, content_block: object, deltas: readonly object[]): Event[] => [
  { type: "content_block_start", index, content_block },
  ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
  { type: "content_block_stop", index },
];
const stream = (blocks: readonly Event[], stop_reason: string, begun: object, ended: object): Fixture => {
  const fixture = typedSse([
    { type: "message_start", message: message([], null, { usage: begun }) } as Event,
    { type: "ping" },
    ...blocks,
    { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage: ended } as Event,
    { type: "message_stop" },
  ]);
  return { ...fixture, headers: { ...fixture.headers, ...HEADERS } };
};
const texts = [...TEXT].map((text) => ({ type: "text_delta", text }));
const TEXT_BLOCK = { type: "text", text: "" };
const TOOL = { type: "tool_use", id: "toolu_1", name: "get_weather", input: {} };
const tools = [{ name: "get_weather", input_schema: { type: "object" as const } }];
const SAID = { dialect: "anthropic-messages", tokens: [25, 15], served: MODEL, finish: "end_turn" } as const;

describe("messages", () => {
  test("whole", async () => {
    const body = message([{ type: "text", text: TEXT }], "end_turn");
    const made = await carry(through, json(body, { headers: HEADERS }), () =>
      client().messages.create(asked),
    );
    expect(made.result).toMatchObject(body);
    expect(made.result).toHaveProperty("_request_id", HEADERS["request-id"]);
    expect(made.asked).toMatchObject({
      target: "/v1/messages",
      headers: { authorization: `Bearer ${PROVIDER_KEY}` },
    });
    settledAs(made, { ...SAID, text: TEXT });
  });

  test("the key in the header of Anthropic's own", async () => {
    const body = message([{ type: "text", text: TEXT }], "end_turn");
    const older = new Anthropic({
      baseURL: through.url,
      apiKey: null,
      defaultHeaders: { "x-api-key": KEY },
      maxRetries: 0,
    });
    const made = await carry(through, json(body), () => older.messages.create(asked));
    expect(made.exchange.subscription!.id).toBe("one");
    settledAs(made, { ...SAID, text: TEXT });
  });

  test("streaming", async () => {
    const fixture = stream(
      block(0, TEXT_BLOCK, texts),
      "end_turn",
      { input_tokens: 25, output_tokens: 1 },
      {
        output_tokens: 15,
      },
    );
    const made = await carry(through, fixture, () => client().messages.stream(asked).finalMessage());
    expect(made.result.content).toEqual([{ type: "text", text: TEXT }]);
    expect(made.result.usage).toMatchObject({ input_tokens: 25, output_tokens: 15 });
    settledAs(made, { ...SAID, text: TEXT });
  });

  test("tools, whole", async () => {
    const body = message([{ ...TOOL, input: { city: "Örebro" } }], "tool_use");
    const made = await carry(through, json(body), () => client().messages.create({ ...asked, tools }));
    expect(made.result.content[0]).toMatchObject({ name: "get_weather", input: { city: "Örebro" } });
    settledAs(made, { ...SAID, finish: "tool_use" });
  });

  test("tools, streaming", async () => {
    const parts = ["", '{"ci', 'ty": "Öre', 'bro"}'].map((partial_json) => ({
      type: "input_json_delta",
      partial_json,
    }));
    const fixture = stream(
      [...block(0, TEXT_BLOCK, texts), ...block(1, TOOL, parts)],
      "tool_use",
      { input_tokens: 25, output_tokens: 2 },
      { output_tokens: 15 },
    );
    const made = await carry(through, fixture, () =>
      client()
        .messages.stream({ ...asked, tools })
        .finalMessage(),
    );
    expect(made.result.content[1]).toMatchObject({ name: "get_weather", input: { city: "Örebro" } });
    settledAs(made, { ...SAID, finish: "tool_use" });
  });

  test("thinking, streaming, with a cached prompt", async () => {
    const cached = { input_tokens: 3, cache_creation_input_tokens: 200, cache_read_input_tokens: 1800 };
    const fixture = stream(
      [
        ...block(0, { type: "thinking", thinking: "", signature: "" }, [
          { type: "thinking_delta", thinking: "Hm. " },
          { type: "thinking_delta", thinking: "Well…" },
          { type: "signature_delta", signature: "EqQBCgIYAhIM1gbcDa9GJwZA2b3h" },
        ]),
        ...block(1, TEXT_BLOCK, texts),
      ],
      "end_turn",
      { ...cached, output_tokens: 1 },
      { ...cached, output_tokens: 90 },
    );
    const made = await carry(through, fixture, () =>
      client()
        .messages.stream({ ...asked, max_tokens: 4096, thinking: { type: "enabled", budget_tokens: 2048 } })
        .finalMessage(),
    );
    expect(made.result.content).toMatchObject([
      { type: "thinking", thinking: "Hm. Well…", signature: "EqQBCgIYAhIM1gbcDa9GJwZA2b3h" },
      { type: "text", text: TEXT },
    ]);
    settledAs(made, { ...SAID, tokens: [3, 90] });
    expect(made.call.settlement).toMatchObject({
      usage: { cached: 1800, cacheWrites: 200, cachedInside: false },
      // What was read from the cache is not charged, what was written is.
      prompt: 203,
    });
  });

  test("an answer that its bound cut off", async () => {
    const body = message([{ type: "text", text: TEXT }], "max_tokens");
    const made = await carry(through, json(body), () => client().messages.create(asked));
    settledAs(made, { ...SAID, finish: "max_tokens", ending: "incomplete" });
  });
});

test("counting tokens is no call of a model", async () => {
  const { gateway, upstream } = through;
  upstream.answer = json({ input_tokens: 14 });
  const counted = await client().messages.countTokens({ model: asked.model, messages: asked.messages });
  expect(counted.input_tokens).toBe(14);
  await expect.poll(() => gateway.exchanges.at(-1)!.request.originalUrl.path).toMatch(/count_tokens$/);
  expect(gateway.exchanges.at(-1)!.modelCall ?? null).toBeNull();
});

const failure = (type: string, text: string): object => ({
  type: "error",
  error: { type, message: text },
  request_id: HEADERS["request-id"],
});

describe("errors of the provider are the client's own", () => {
  test.each([
    [401, "authentication_error", AuthenticationError, {}],
    [429, "rate_limit_error", RateLimitError, { "retry-after": "12" }],
    [529, "overloaded_error", OverloadedError, { "x-should-retry": "false" }],
    [500, "api_error", InternalServerError, {}],
  ])("%i %s", async (status, type, expected, more) => {
    const body = failure(type, "something is wrong");
    const made = await carry(through, json(body, { status, headers: { ...HEADERS, ...more } }), () =>
      thrown(client().messages.create({ ...asked, stream: true })),
    );
    expect(made.result).toBeInstanceOf(expected);
    expect(made.result).toMatchObject({ status, error: body, requestID: HEADERS["request-id"] });
    for (const [name, value] of Object.entries(more)) expect(made.result.headers.get(name)).toBe(value);
    expect(made.call).toMatchObject({ ending: "upstream-error", settlement: { evidence: "none" } });
  });

  test("a connection that breaks in the middle of a stream", async () => {
    const whole = stream(
      block(0, TEXT_BLOCK, texts),
      "end_turn",
      { input_tokens: 25, output_tokens: 1 },
      { output_tokens: 15 },
    );
    const body = String(whole.body);
    const half = body.slice(0, body.indexOf("event: content_block_stop"));
    const made = await carry(through, { ...whole, body: half, breaks: true }, () =>
      thrown(client().messages.stream(asked).finalMessage()),
    );
    expect(made.result).toBeInstanceOf(APIError);
    expect(made.result.error).toMatchObject({ error: { code: "upstream_closed" } });
    expect(made.call.ending).toBe("upstream-reset");
    // The prompt is known since the stream began; of the answer what was written is more than was reported.
    expect(made.call.settlement!.prompt).toBe(25);
    expect(made.call.settlement!.completion).toBeGreaterThan(1);
  });

  test("an error in the middle of a stream", async () => {
    const fixture = typedSse([
      {
        type: "message_start",
        message: message([], null, { usage: { input_tokens: 25, output_tokens: 1 } }),
      } as Event,
      { type: "content_block_start", index: 0, content_block: TEXT_BLOCK } as Event,
      { type: "content_block_delta", index: 0, delta: texts[0] } as Event,
      failure("overloaded_error", "Overloaded") as Event,
    ]);
    const made = await carry(through, fixture, () => thrown(client().messages.stream(asked).finalMessage()));
    expect(made.result).toBeInstanceOf(APIError);
    expect(made.result.error).toMatchObject({ error: { type: "overloaded_error" } });
    expect(made.call).toMatchObject({ ending: "incomplete", found: { error: "overloaded_error" } });
  });
});

test("the gateway's own limit is the client's rate limit error", async () => {
  const error = await thrown(client().messages.create(asked, { headers: EXHAUSTED }));
  expect(error).toBeInstanceOf(RateLimitError);
  expect(error.message).toMatch(/^429 .*Token limit is exceeded/);
  expect(Number(error.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("what was settled is what the metrics say", () => metricsAgree(through));
