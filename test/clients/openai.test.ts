/** `openai`, its plain and its Azure class: chat, tools, responses, embeddings, images, audio; errors as their own classes. */
import OpenAI, {
  APIError,
  AuthenticationError,
  AzureOpenAI,
  BadRequestError,
  InternalServerError,
  RateLimitError,
  toFile,
} from "openai";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  carry,
  drain,
  EXHAUSTED,
  KEY,
  metricsAgree,
  PROVIDER_KEY,
  settledAs,
  startThrough,
  type Through,
  thrown,
} from "./through.ts";
import { type Fixture, compressed, json, sse, typedSse } from "./upstream.ts";

let through: Through;
let azureThrough: Through;
beforeAll(async () => {
  through = await startThrough({
    keyHeader: "bearer",
    providerHeader: "Authorization",
    path: "openai/v1",
    serviceUrl: (url) => `${url}/v1`,
  });
  azureThrough = await startThrough({
    keyHeader: "api-key",
    providerHeader: "api-key",
    path: "openai",
    serviceUrl: (url) => `${url}/openai`,
  });
});
afterAll(async () => {
  await through.close();
  await azureThrough.close();
});

const plain = (): OpenAI => new OpenAI({ baseURL: through.url, apiKey: KEY, maxRetries: 0 });
const azure = (): AzureOpenAI =>
  new AzureOpenAI({
    endpoint: azureThrough.origin,
    apiKey: KEY,
    apiVersion: "2024-10-21",
    deployment: "my-gpt",
    maxRetries: 0,
  });

const MODEL = "gpt-4o-2024-08-06";
const usage = {
  prompt_tokens: 19,
  completion_tokens: 10,
  total_tokens: 29,
  prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 3, audio_tokens: 0 },
};
const completion = { id: "chatcmpl-B9", object: "chat.completion", created: 1741569952, model: MODEL };
const piece = { ...completion, object: "chat.completion.chunk", service_tier: "default" };
const TEXT = "Hallå, världen! 😀 \u2028 “quoted”";
const messages = [{ role: "user" as const, content: "Hi" }];
const tools = [
  {
    type: "function" as const,
    function: {
      name: "get_weather",
      parameters: { type: "object", properties: { city: { type: "string" } } },
    },
  },
];
const toolCall = {
  id: "call_1",
  type: "function",
  function: { name: "get_weather", arguments: '{"city":"Örebro"}' },
};

const CHAT = json(
  {
    ...completion,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: TEXT, refusal: null },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage,
    service_tier: "default",
    tomorrows_field: { kept: [1, 2.5e-7] },
  },
  { headers: { "x-request-id": "req_011" } },
);
const TOOLS = json({
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
const delta = (change: object, finish_reason: string | null = null): object => ({
  ...piece,
  choices: [{ index: 0, delta: change, logprobs: null, finish_reason }],
  usage: null,
  obfuscation: "aK3",
});
const STREAM = sse([
  [null, delta({ role: "assistant", content: "", refusal: null })],
  ...[...TEXT].map((content) => [null, delta({ content })] as const),
  [null, delta({}, "stop")],
  [null, { ...piece, choices: [], usage }],
  [null, "[DONE]"],
]);
const TOOL_STREAM = sse([
  [null, delta({ role: "assistant", content: null })],
  [
    null,
    delta({ tool_calls: [{ index: 0, ...toolCall, function: { name: "get_weather", arguments: "" } }] }),
  ],
  ...['{"city"', ':"Öre', 'bro"}'].map(
    (text) => [null, delta({ tool_calls: [{ index: 0, function: { arguments: text } }] })] as const,
  ),
  [null, delta({}, "tool_calls")],
  [null, { ...piece, choices: [], usage }],
  [null, "[DONE]"],
]);
/** Azure begins with what its filters found in the prompt. */
const AZURE_STREAM: Fixture = {
  ...STREAM,
  body: `data: ${JSON.stringify({ choices: [], created: 0, id: "", model: "", object: "", prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }] })}\n\n${String(STREAM.body)}`,
};
const SAID = { dialect: "openai-chat", tokens: [19, 10], served: MODEL, finish: "stop" } as const;

describe.each([
  ["OpenAI", () => through, plain, STREAM, "/v1/chat/completions"],
  [
    "AzureOpenAI",
    () => azureThrough,
    azure,
    AZURE_STREAM,
    "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21",
  ],
] as const)("%s", (name, way, client, stream, target) => {
  test("chat", async () => {
    const made = await carry(way(), CHAT, () =>
      client().chat.completions.create({ model: "gpt-4o", messages }),
    );
    expect(made.result.choices[0]!.message.content).toBe(TEXT);
    expect(made.result).toEqual(JSON.parse(String(CHAT.body)));
    expect(made.result).toHaveProperty("_request_id", "req_011");
    expect(made.asked.target).toBe(target);
    const { authorization, "api-key": key } = made.asked.headers;
    expect(name === "OpenAI" ? authorization : key).toContain(PROVIDER_KEY);
    settledAs(made, { ...SAID, text: TEXT });
    expect(made.call.request.messages()).toEqual(messages);
    expect(made.call.settlement!.usage).toMatchObject({ cached: 4, reasoning: 3 });
  });

  test("chat, streaming", async () => {
    const made = await carry(way(), stream, async () => {
      const answer = client().chat.completions.stream({
        model: "gpt-4o",
        messages,
        stream_options: { include_usage: true },
      });
      return answer.finalChatCompletion();
    });
    expect(made.result.choices[0]!.message.content).toBe(TEXT);
    expect(made.result.usage).toEqual(usage);
    settledAs(made, { ...SAID, text: TEXT });
  });

  test.each([
    ["whole", TOOLS, false],
    ["streaming", TOOL_STREAM, true],
  ])("tools, %s", async (_how, fixture, streaming) => {
    const made = await carry(way(), fixture, () =>
      streaming
        ? client().chat.completions.stream({ model: "gpt-4o", messages, tools }).finalChatCompletion()
        : client().chat.completions.create({ model: "gpt-4o", messages, tools }),
    );
    expect(made.result.choices[0]!.message.tool_calls![0]).toMatchObject(toolCall);
    settledAs(made, { ...SAID, finish: "tool_calls" });
  });

  test("embeddings, in the base64 that the client asks for", async () => {
    const vector = Float32Array.from([0.25, -1.5, 3]);
    const body = {
      object: "list",
      data: [{ object: "embedding", index: 0, embedding: Buffer.from(vector.buffer).toString("base64") }],
      model: "text-embedding-3-small",
      usage: { prompt_tokens: 8, total_tokens: 8 },
    };
    const made = await carry(way(), json(body), () =>
      client().embeddings.create({ model: "text-embedding-3-small", input: "The food was delicious" }),
    );
    expect(made.result.data[0]!.embedding).toEqual([0.25, -1.5, 3]);
    settledAs(made, { dialect: "openai-embeddings", tokens: [8, 0], served: "text-embedding-3-small" });
  });
});

const responseUsage = {
  input_tokens: 36,
  input_tokens_details: { cached_tokens: 16 },
  output_tokens: 87,
  output_tokens_details: { reasoning_tokens: 64 },
  total_tokens: 123,
};
const content = { type: "output_text", text: TEXT, annotations: [], logprobs: [] };
const item = { id: "msg_1", type: "message", status: "completed", role: "assistant", content: [content] };
const response = (status: string, more: object): object => ({
  id: "resp_67",
  object: "response",
  created_at: 1741476777,
  status,
  error: null,
  incomplete_details: null,
  model: MODEL,
  output: [],
  parallel_tool_calls: true,
  tools: [],
  usage: null,
  ...more,
});
const COMPLETED = response("completed", { output: [item], usage: responseUsage });
const numbered = (events: readonly { type: string; [field: string]: unknown }[]): Fixture =>
  typedSse(events.map((event, sequence_number) => ({ ...event, sequence_number })));
const RESPONSE_STREAM = numbered([
  { type: "response.created", response: response("in_progress", {}) },
  { type: "response.in_progress", response: response("in_progress", {}) },
  {
    type: "response.output_item.added",
    output_index: 0,
    item: { ...item, status: "in_progress", content: [] },
  },
  {
    type: "response.content_part.added",
    item_id: "msg_1",
    output_index: 0,
    content_index: 0,
    part: { ...content, text: "" },
  },
  ...[...TEXT].map((text) => ({
    type: "response.output_text.delta",
    item_id: "msg_1",
    output_index: 0,
    content_index: 0,
    delta: text,
    logprobs: [],
  })),
  {
    type: "response.output_text.done",
    item_id: "msg_1",
    output_index: 0,
    content_index: 0,
    text: TEXT,
    logprobs: [],
  },
  { type: "response.content_part.done", item_id: "msg_1", output_index: 0, content_index: 0, part: content },
  { type: "response.output_item.done", output_index: 0, item },
  { type: "response.completed", response: COMPLETED },
]);
const RESPONDED = {
  dialect: "openai-responses",
  tokens: [36, 87],
  served: MODEL,
  finish: "completed",
} as const;

test.each([
  ["gzip, whole", compressed(CHAT, "gzip"), false],
  ["brotli, whole", compressed(CHAT, "br"), false],
  ["gzip, streaming", compressed(STREAM, "gzip"), true],
] as const)("compressed answers: %s", async (_how, fixture, streaming) => {
  const asked = { model: "gpt-4o", messages };
  const made = await carry(through, fixture, () =>
    streaming
      ? plain().chat.completions.stream(asked).finalChatCompletion()
      : plain().chat.completions.create(asked),
  );
  expect(made.asked.headers["accept-encoding"]).toContain("gzip");
  expect(made.result.choices[0]!.message.content).toBe(TEXT);
  settledAs(made, { ...SAID, text: TEXT });
});

test("a stream without usage, as clients have it that do not ask, is counted by the model's own encoding", async () => {
  const body = String(STREAM.body).replace(/data: [^\n]*"choices":\[\][^\n]*\n\n/, "");
  const made = await carry(through, { ...STREAM, body }, () =>
    plain().chat.completions.stream({ model: "gpt-4o", messages }).finalChatCompletion(),
  );
  expect(made.result.usage ?? null).toBeNull();
  // "Hi" is one token, as is the role; three around the message and three that the answer begins with.
  settledAs(made, { ...SAID, tokens: [8, encode(TEXT).length], evidence: "counted", text: TEXT });
});

test("thirty calls at once, whole and streaming, are each settled for themselves", async () => {
  const { upstream, gateway } = through;
  upstream.answer = ({ body }) => {
    const asked = JSON.parse(body.toString()) as { user: string; stream?: boolean };
    const fixture = asked.stream === true ? STREAM : CHAT;
    // Each has a usage of its own: 10n + 19 prompt tokens.
    return { ...fixture, body: String(fixture.body).replaceAll(`_tokens":19`, `_tokens":${asked.user}19`) };
  };
  const before = gateway.exchanges.length;
  const client = plain();
  const told = await Promise.all(
    Array.from({ length: 30 }, async (_, i) => {
      const asked = { model: "gpt-4o", messages, user: String(i + 1) };
      const answer =
        i % 2 === 0
          ? await client.chat.completions.create(asked)
          : await client.chat.completions.stream(asked).finalChatCompletion();
      return answer.usage!.prompt_tokens;
    }),
  );
  await expect.poll(() => gateway.exchanges.length, { timeout: 20_000 }).toBe(before + 30);
  const ascending = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
  const charged = gateway.exchanges.slice(before).map(({ modelCall }) => modelCall!.settlement!.prompt);
  expect(told).toEqual(Array.from({ length: 30 }, (_, i) => Number(`${i + 1}19`)));
  expect(ascending(charged)).toEqual(ascending(told));
});

test.each([
  ["whole", false],
  ["streaming", true],
] as const)("completions of the old kind, %s", async (_how, stream) => {
  const base = {
    id: "cmpl-1",
    object: "text_completion",
    created: 1589478378,
    model: "gpt-3.5-turbo-instruct",
  };
  const choice = (text: string, finish_reason: string | null): object => ({
    ...base,
    choices: [{ text, index: 0, logprobs: null, finish_reason }],
  });
  const counts = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 };
  const fixture = stream
    ? sse([
        ...[...TEXT].map((text) => [null, choice(text, null)] as const),
        [null, choice("", "stop")],
        [null, { ...base, choices: [], usage: counts }],
        [null, "[DONE]"],
      ])
    : json({ ...choice(TEXT, "stop"), usage: counts });
  const made = await carry(through, fixture, async () => {
    const asked = { model: base.model, prompt: "Say this is a test" };
    if (!stream) return (await plain().completions.create(asked)).choices[0]!.text;
    let text = "";
    for await (const chunk of await plain().completions.create({ ...asked, stream })) {
      text += chunk.choices[0]?.text ?? "";
    }
    return text;
  });
  expect(made.result).toBe(TEXT);
  settledAs(made, {
    dialect: "openai-completions",
    tokens: [5, 7],
    served: base.model,
    finish: "stop",
    text: TEXT,
  });
});

describe("the Responses API", () => {
  test("whole", async () => {
    const made = await carry(through, json(COMPLETED), () =>
      plain().responses.create({ model: "gpt-4o", input: "Hi" }),
    );
    expect(made.result.output_text).toBe(TEXT);
    settledAs(made, { ...RESPONDED, text: TEXT });
    expect(made.call.settlement!.usage).toMatchObject({ cached: 16, reasoning: 64 });
  });

  test("streaming", async () => {
    const made = await carry(through, RESPONSE_STREAM, () =>
      plain().responses.stream({ model: "gpt-4o", input: "Hi" }).finalResponse(),
    );
    expect(made.result.output_text).toBe(TEXT);
    settledAs(made, { ...RESPONDED, text: TEXT });
  });

  test("a tool call, streaming", async () => {
    const call = { id: "fc_1", type: "function_call", call_id: "call_1", name: "get_weather" };
    const done = { ...call, status: "completed", arguments: '{"city":"Örebro"}' };
    const fixture = numbered([
      { type: "response.created", response: response("in_progress", {}) },
      { type: "response.output_item.added", output_index: 0, item: { ...call, arguments: "" } },
      ...['{"city"', ':"Öre', 'bro"}'].map((delta) => ({
        type: "response.function_call_arguments.delta",
        item_id: "fc_1",
        output_index: 0,
        delta,
      })),
      {
        type: "response.function_call_arguments.done",
        item_id: "fc_1",
        output_index: 0,
        name: "get_weather",
        arguments: done.arguments,
      },
      { type: "response.output_item.done", output_index: 0, item: done },
      {
        type: "response.completed",
        response: response("completed", { output: [done], usage: responseUsage }),
      },
    ]);
    const made = await carry(through, fixture, () =>
      plain().responses.stream({ model: "gpt-4o", input: "Hi" }).finalResponse(),
    );
    expect(made.result.output).toMatchObject([done]);
    settledAs(made, { ...RESPONDED, text: done.arguments });
  });

  test("an answer that is fetched later is no call of a model", async () => {
    const { gateway, upstream } = through;
    upstream.answer = json(COMPLETED);
    const before = gateway.exchanges.length;
    expect((await plain().responses.retrieve("resp_67")).output_text).toBe(TEXT);
    await expect.poll(() => gateway.exchanges.length, { timeout: 20_000 }).toBe(before + 1);
    expect(gateway.exchanges.at(-1)!.modelCall ?? null).toBeNull();
  });

  test("a response that its bound cut off", async () => {
    const cut = response("incomplete", {
      incomplete_details: { reason: "max_output_tokens" },
      usage: responseUsage,
    });
    const made = await carry(
      through,
      numbered([
        { type: "response.created", response: response("in_progress", {}) },
        { type: "response.incomplete", response: cut },
      ]),
      async () => {
        const types: string[] = [];
        const stream = await plain().responses.create({ model: "gpt-4o", input: "Hi", stream: true });
        for await (const event of stream) types.push(event.type);
        return types;
      },
    );
    expect(made.result).toEqual(["response.created", "response.incomplete"]);
    settledAs(made, { ...RESPONDED, finish: "max_output_tokens", ending: "incomplete" });
  });
});

describe.each([
  ["OpenAI", () => through, plain, "/v1"],
  ["AzureOpenAI", () => azureThrough, azure, "/openai/deployments/my-gpt"],
] as const)("images and audio: %s", (_name, way, client, base) => {
  const imageUsage = {
    total_tokens: 4210,
    input_tokens: 50,
    output_tokens: 4160,
    input_tokens_details: { text_tokens: 10, image_tokens: 40 },
  };

  test("images", async () => {
    const body = { created: 1713833628, data: [{ b64_json: "iVBORw0KGgo=" }], usage: imageUsage };
    const made = await carry(way(), json(body), () =>
      client().images.generate({ model: "gpt-image-1", prompt: "An otter" }),
    );
    expect(made.result).toMatchObject(body);
    expect(made.asked.target).toContain(`${base}/images/generations`);
    settledAs(made, { dialect: "openai-images", tokens: [50, 4160] });
  });

  test.each([
    ["known", true],
    ["unknown", false],
  ])("pictures too large for memory, of %s length", async (_what, isKnown) => {
    const picture = "iVBORw0KGgo=".padStart(11 * 1024 * 1024, "A");
    const fixture = json({ created: 1713833628, data: [{ b64_json: picture }], usage: imageUsage });
    const length = { "content-length": String(fixture.body.length) };
    const made = await carry(
      way(),
      { ...fixture, headers: { ...fixture.headers, ...(isKnown ? length : {}) } },
      () => client().images.generate({ model: "gpt-image-1", prompt: "An otter" }),
    );
    expect(made.result.data![0]!.b64_json === picture).toBe(true);
    settledAs(made, { dialect: "openai-images", tokens: [50, 4160] });
  });

  test("images, streaming", async () => {
    const fixture = typedSse([
      { type: "image_generation.partial_image", partial_image_index: 0, b64_json: "iVBORw0K" } as never,
      { type: "image_generation.completed", b64_json: "iVBORw0KGgo=", usage: imageUsage } as never,
    ]);
    const made = await carry(way(), fixture, async () => {
      const types: string[] = [];
      const stream = await client().images.generate({
        model: "gpt-image-1",
        prompt: "An otter",
        stream: true,
        partial_images: 1,
      });
      for await (const event of stream) types.push(event.type);
      return types;
    });
    expect(made.result).toEqual(["image_generation.partial_image", "image_generation.completed"]);
    settledAs(made, { dialect: "openai-images", tokens: [50, 4160] });
  });

  test("speech: octets that are no text", async () => {
    const audio = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 31) ^ (i >> 5));
    const made = await carry(way(), { headers: { "content-type": "audio/mpeg" }, body: audio }, async () => {
      const answer = await client().audio.speech.create({ model: "tts-1", voice: "alloy", input: "Hello" });
      return Buffer.from(await answer.arrayBuffer());
    });
    expect(made.result.equals(Buffer.from(audio))).toBe(true);
    expect(made.call.dialect.name).toBe("openai-audio");
    expect(made.call.settlement!.evidence).not.toBe("reported");
  });

  test("a transcription of an uploaded file", async () => {
    const recording = Buffer.from(Uint8Array.from({ length: 5000 }, (_, i) => i * 7));
    const body = {
      text: "Imagine the wildest idea",
      usage: {
        type: "tokens",
        input_tokens: 14,
        input_token_details: { text_tokens: 0, audio_tokens: 14 },
        output_tokens: 45,
        total_tokens: 59,
      },
    };
    const made = await carry(way(), json(body), async () =>
      client().audio.transcriptions.create({
        model: "gpt-4o-transcribe",
        file: await toFile(recording, "a.mp3"),
      }),
    );
    expect(made.result.text).toBe(body.text);
    expect(made.asked.target).toContain(`${base}/audio/transcriptions`);
    expect(made.asked.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    expect(made.asked.body.includes(recording)).toBe(true);
    settledAs(made, { dialect: "openai-audio", tokens: [14, 45] });
  });
});

test("a transcription as a stream", async () => {
  const usage = { type: "tokens", input_tokens: 14, output_tokens: 45, total_tokens: 59 };
  const fixture = typedSse([
    ...["Imagine ", "the ", "wildest idea"].map((delta) => ({ type: "transcript.text.delta", delta })),
    { type: "transcript.text.done", text: "Imagine the wildest idea", usage } as { type: string },
  ]);
  const made = await carry(through, fixture, async () => {
    const stream = await plain().audio.transcriptions.create({
      model: "gpt-4o-mini-transcribe",
      file: await toFile(Buffer.from("RIFF"), "a.wav"),
      stream: true,
    });
    let text = "";
    for await (const event of stream) if (event.type === "transcript.text.delta") text += event.delta;
    return text;
  });
  expect(made.result).toBe("Imagine the wildest idea");
  settledAs(made, { dialect: "openai-audio", tokens: [14, 45] });
});

const failure = (type: string, code: string | null, message: string): object => ({
  error: { message, type, param: null, code },
});

describe("errors of the provider are the client's own", () => {
  const cases: [name: string, fixture: Fixture, error: new (...args: any[]) => Error, says: object][] = [
    [
      "a wrong key of the gateway's",
      json(failure("invalid_request_error", "invalid_api_key", "Incorrect API key provided"), {
        status: 401,
      }),
      AuthenticationError,
      { status: 401, code: "invalid_api_key", type: "invalid_request_error" },
    ],
    [
      "a limit of the provider's",
      json(failure("tokens", "rate_limit_exceeded", "Rate limit reached for gpt-4o"), {
        status: 429,
        headers: { "retry-after": "7", "x-request-id": "req_429" },
      }),
      RateLimitError,
      { status: 429, code: "rate_limit_exceeded", requestID: "req_429" },
    ],
    [
      "a prompt that is too long",
      json(failure("invalid_request_error", "context_length_exceeded", "too long"), { status: 400 }),
      BadRequestError,
      { status: 400, code: "context_length_exceeded" },
    ],
    [
      "an error page that is no JSON",
      { status: 502, headers: { "content-type": "text/html" }, body: "<html>Bad gateway</html>" },
      InternalServerError,
      { status: 502 },
    ],
  ];

  test.each(cases)("%s", async (_name, fixture, type, says) => {
    const made = await carry(through, fixture, () =>
      thrown(plain().chat.completions.create({ model: "gpt-4o", messages, stream: true })),
    );
    expect(made.result).toBeInstanceOf(type);
    expect(made.result).toMatchObject(says);
    expect(made.call).toMatchObject({ ending: "upstream-error", settlement: { evidence: "none" } });
  });

  test("Retry-After is there to be read, and heeded by a client that may retry", async () => {
    const limited = json(failure("tokens", "rate_limit_exceeded", "no"), {
      status: 429,
      headers: { "retry-after-ms": "1" },
    });
    let tries = 0;
    through.upstream.answer = () => (tries++ === 0 ? limited : CHAT);
    const client = new OpenAI({ baseURL: through.url, apiKey: KEY, maxRetries: 1 });
    const answer = await client.chat.completions.create({ model: "gpt-4o", messages });
    expect([tries, answer.choices[0]!.message.content]).toEqual([2, TEXT]);
  });

  test.each([
    ["between events", String(STREAM.body).slice(0, String(STREAM.body).indexOf("\n\n", 1500) + 2), APIError],
    ["inside of one", String(STREAM.body).slice(0, 1500), Error],
  ])("a connection that breaks %s", async (_where, body, type) => {
    const made = await carry(through, { ...STREAM, body, breaks: true }, async () => {
      const stream = await plain().chat.completions.create({ model: "gpt-4o", messages, stream: true });
      return thrown(drain(stream));
    });
    expect(made.result).toBeInstanceOf(type);
    expect(made.call.ending).toBe("upstream-reset");
    expect(made.call.settlement!.completion).toBeGreaterThan(0);
  });

  test("a client that has heard enough", async () => {
    const { gateway, upstream } = through;
    upstream.answer = { ...STREAM, body: String(STREAM.body).replace("data: [DONE]\n\n", "").repeat(2000) };
    const before = gateway.exchanges.length;
    const stream = await plain().chat.completions.create({ model: "gpt-4o", messages, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content !== "") break;
    await expect.poll(() => gateway.exchanges.length, { timeout: 20_000 }).toBe(before + 1);
    const { modelCall } = gateway.exchanges.at(-1)!;
    await expect.poll(() => modelCall!.settlement, { timeout: 20_000 }).toBeTruthy();
    expect(modelCall!.ending).toBe("client-gone");
    expect(modelCall!.settlement!.completion).toBeGreaterThan(0);
  });

  test("an error in the middle of a stream", async () => {
    const fixture = sse([
      [null, delta({ role: "assistant", content: "Hel" })],
      [null, failure("server_error", "server_error", "The server had an error")],
    ]);
    const made = await carry(through, fixture, async () => {
      const stream = await plain().chat.completions.create({ model: "gpt-4o", messages, stream: true });
      return thrown(drain(stream));
    });
    expect(made.result).toBeInstanceOf(APIError);
    expect(made.result).toMatchObject({ code: "server_error" });
    expect(made.call).toMatchObject({ ending: "incomplete", found: { error: "server_error" } });
  });
});

test("the gateway's own limit is the client's rate limit error", async () => {
  const call = plain().chat.completions.create({ model: "gpt-4o", messages }, { headers: EXHAUSTED });
  const error = await thrown(call);
  expect(error).toBeInstanceOf(RateLimitError);
  expect(error.message).toMatch(/^429 Token limit is exceeded/);
  expect(Number(error.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("what was settled is what the metrics say", () => metricsAgree(through));
