import fc from "fast-check";
import { expect, test } from "vitest";
import type { Dialect, RequestLine } from "../../dialect.ts";
import type { PromptPart } from "../../prompt.ts";
import { bedrockConverse } from "./converse.ts";
import { bedrockInvoke, bedrockInvokeEmbeddings, bedrockInvokeImages } from "./invoke.ts";

function line(path: string, method = "POST"): RequestLine {
  return { method, path, query: "", header: () => null };
}

const ALL = [bedrockConverse, bedrockInvoke, bedrockInvokeEmbeddings, bedrockInvokeImages];
const CLAUDE = "anthropic.claude-3-5-sonnet-20240620-v1:0";
const PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-v1:0";

test.each<[string, Dialect | null, string | null, boolean]>([
  [`/model/${CLAUDE}/converse`, bedrockConverse, CLAUDE, false],
  [`/model/${encodeURIComponent(CLAUDE)}/converse-stream`, bedrockConverse, CLAUDE, true],
  ["/bedrock/model/us.amazon.nova-lite-v1%3A0/Converse", bedrockConverse, "us.amazon.nova-lite-v1:0", false],
  [`/model/${encodeURIComponent(PROFILE)}/converse`, bedrockConverse, PROFILE, false],
  [`/model/${PROFILE}/converse`, bedrockConverse, PROFILE, false],
  ["/model/not%encoded/converse", bedrockConverse, "not%encoded", false],
  [`/model/${CLAUDE}/invoke`, bedrockInvoke, CLAUDE, false],
  [`/model/${CLAUDE}/invoke-with-response-stream`, bedrockInvoke, CLAUDE, true],
  [
    "/model/amazon.titan-embed-text-v2%3A0/invoke",
    bedrockInvokeEmbeddings,
    "amazon.titan-embed-text-v2:0",
    false,
  ],
  ["/model/cohere.embed-english-v3/invoke", bedrockInvokeEmbeddings, "cohere.embed-english-v3", false],
  ["/model/stability.sd3-large-v1:0/invoke", bedrockInvokeImages, "stability.sd3-large-v1:0", false],
  ["/model/amazon.nova-canvas-v1:0/invoke", bedrockInvokeImages, "amazon.nova-canvas-v1:0", false],
  [`/model/${CLAUDE}/count-tokens`, null, null, false],
  [`/model/${CLAUDE}/async-invoke`, null, null, false],
  ["/model//converse", null, null, false],
  ["/model/converse", null, null, false],
  ["/converse", null, null, false],
  ["/guardrail/g/version/1/apply", null, null, false],
])("%s is recognised", (path, dialect, model, stream) => {
  expect(ALL.filter((each) => each.matchesLine(line(path)))).toEqual(dialect === null ? [] : [dialect]);
  expect(ALL.filter((each) => each.matchesLine(line(path, "GET")))).toEqual([]);
  if (dialect !== null) expect(dialect.readRequest({}, line(path))).toMatchObject({ model, stream });
});

const CONVERSE = line(`/model/${CLAUDE}/converse`);

test.each<[string, Record<string, unknown> | null, object]>([
  [
    "everything",
    {
      inferenceConfig: { maxTokens: 512, temperature: 0.5, topP: 0.9, stopSequences: ["END"] },
      additionalModelRequestFields: { top_k: 200 },
    },
    {
      outputBound: 512,
      parameters: { max_tokens: 512, temperature: 0.5, top_p: 0.9, top_k: 200, stop_sequences: ["END"] },
    },
  ],
  ["nothing", {}, { model: CLAUDE, provider: null, outputBound: null, parameters: {} }],
  ["no body", null, { model: CLAUDE, outputBound: null, parameters: {} }],
  ["wrong types", { inferenceConfig: { maxTokens: "1" }, messages: 7 }, { outputBound: null }],
])("Converse: reads a request with %s", (_, body, expected) => {
  expect(bedrockConverse.readRequest(body, CONVERSE)).toMatchObject(expected);
});

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAUCAYAAAA=";

test.each<[string, unknown[], PromptPart[]]>([
  ["text", [{ text: "Hello" }, { cachePoint: { type: "default" } }], [{ kind: "text", text: "Hello" }]],
  [
    "images",
    [
      { image: { format: "png", source: { bytes: PNG } } },
      { image: { format: "png", source: { s3Location: { uri: "s3://b/a.png" } } } },
    ],
    [
      { kind: "image", detail: "auto", width: 10, height: 20 },
      { kind: "image", detail: "auto", width: null, height: null },
    ],
  ],
  [
    "documents",
    [
      { document: { format: "pdf", name: "a", source: { bytes: "JVBERi0=" } } },
      { document: { format: "txt", name: "b", context: "c", source: { text: "plain" } } },
      { document: { name: "d", source: { content: [{ text: "inner" }] } } },
      { document: { name: "e", source: { s3Location: { uri: "s3://b/e" } } } },
    ],
    [
      { kind: "file", bytes: 5 },
      { kind: "text", text: "c" },
      { kind: "text", text: "plain" },
      { kind: "text", text: "inner" },
      { kind: "file", bytes: null },
    ],
  ],
  [
    "sound and film",
    [
      { audio: { format: "mp3", source: { bytes: "AAAA" } } },
      { video: { format: "mp4", source: { bytes: "AAAA" } } },
    ],
    [
      { kind: "audio", seconds: null },
      { kind: "file", bytes: 3 },
    ],
  ],
  [
    "tools",
    [
      { toolUse: { toolUseId: "t", name: "now", input: { zone: "CET" } } },
      { toolResult: { toolUseId: "t", content: [{ json: { time: "12:00" } }, { text: "noon" }] } },
    ],
    [
      { kind: "json", value: { name: "now", input: { zone: "CET" } } },
      { kind: "json", value: { time: "12:00" } },
      { kind: "text", text: "noon" },
    ],
  ],
  [
    "reasons, guarded and cited text",
    [
      { reasoningContent: { reasoningText: { text: "Hm", signature: "x" } } },
      { guardContent: { text: { text: "guarded", qualifiers: ["query"] } } },
      { citationsContent: { content: [{ text: "cited" }], citations: [] } },
    ],
    [
      { kind: "text", text: "Hm" },
      { kind: "text", text: "guarded" },
      { kind: "text", text: "cited" },
    ],
  ],
  ["what nobody knows", [{ new: { x: 1 } }, null, 7], [{ kind: "json", value: { new: { x: 1 } } }]],
])("Converse: reads a prompt of %s", (_, content, parts) => {
  const request = bedrockConverse.readRequest({ messages: [{ role: "user", content }] }, CONVERSE);
  expect(request.prompt().messages).toEqual([{ role: "user", name: null, parts }]);
});

test("Converse: system text comes first, tools and schema are there", () => {
  const toolSpec = { name: "now", inputSchema: { json: { type: "object" } } };
  const request = bedrockConverse.readRequest(
    {
      system: [{ text: "Be brief." }],
      messages: [{ role: "user", content: [{ text: "Hi" }] }],
      toolConfig: { tools: [{ toolSpec }, { cachePoint: { type: "default" } }] },
      outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema: { schema: "{}" } } } },
    },
    CONVERSE,
  );
  expect(request.prompt()).toEqual({
    messages: [
      { role: "system", name: null, parts: [{ kind: "text", text: "Be brief." }] },
      { role: "user", name: null, parts: [{ kind: "text", text: "Hi" }] },
    ],
    tools: [toolSpec],
    schema: "{}",
    kind: "chat",
  });
  expect(request.messages()).toEqual([
    { role: "system", content: [{ text: "Be brief." }] },
    { role: "user", content: [{ text: "Hi" }] },
  ]);
});

/** Bodies of the makers: bound, parameters, texts of the prompt. */
test.each<[string, Record<string, unknown>, number | null, object, [role: string, text: string][]]>([
  [
    "Anthropic",
    {
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 100,
      system: "S",
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
    },
    100,
    { max_tokens: 100 },
    [
      ["system", "S"],
      ["user", "Hi"],
    ],
  ],
  [
    "Nova",
    {
      schemaVersion: "messages-v1",
      system: [{ text: "S" }],
      messages: [{ role: "user", content: [{ text: "Hi" }] }],
      inferenceConfig: { max_new_tokens: 300, topK: 20, topP: 0.9 },
    },
    300,
    { max_tokens: 300, top_k: 20, top_p: 0.9 },
    [
      ["system", "S"],
      ["user", "Hi"],
    ],
  ],
  [
    "Nova without a config",
    { messages: [{ role: "user", content: [{ text: "Hi" }] }] },
    null,
    {},
    [["user", "Hi"]],
  ],
  [
    "Titan",
    {
      inputText: "Hi",
      textGenerationConfig: { maxTokenCount: 50, temperature: 0, topP: 1, stopSequences: ["User:"] },
    },
    50,
    { max_tokens: 50, temperature: 0, top_p: 1, stop_sequences: ["User:"] },
    [["", "Hi"]],
  ],
  ["Llama", { prompt: "Hi", max_gen_len: 60, top_p: 0.9 }, 60, { max_tokens: 60, top_p: 0.9 }, [["", "Hi"]]],
  [
    "Mistral",
    { prompt: "<s>[INST] Hi [/INST]", max_tokens: 70, top_k: 50 },
    70,
    { max_tokens: 70, top_k: 50 },
    [["", "<s>[INST] Hi [/INST]"]],
  ],
  [
    "a chat as OpenAI's",
    {
      messages: [
        { role: "system", content: "S" },
        { role: "user", content: [{ type: "text", text: "Hi" }] },
      ],
      max_completion_tokens: 80,
      n: 2,
      stop: ["x"],
    },
    160,
    { max_tokens: 80, "choice.count": 2, stop_sequences: ["x"] },
    [
      ["system", "S"],
      ["user", "Hi"],
    ],
  ],
  [
    "Cohere Command",
    { prompt: "Hi", max_tokens: 10, num_generations: 3, p: 0.5, k: 1 },
    30,
    { max_tokens: 10, "choice.count": 3, top_p: 0.5, top_k: 1 },
    [["", "Hi"]],
  ],
  [
    "Cohere Command R",
    {
      preamble: "S",
      chat_history: [
        { role: "USER", message: "Hi" },
        { role: "CHATBOT", message: "Hello" },
      ],
      message: "How?",
      max_tokens: 90,
    },
    90,
    { max_tokens: 90 },
    [
      ["system", "S"],
      ["user", "Hi"],
      ["chatbot", "Hello"],
      ["user", "How?"],
    ],
  ],
  ["AI21 Jurassic", { prompt: "Hi", maxTokens: 20, numResults: 2 }, 40, { max_tokens: 20 }, [["", "Hi"]]],
  [
    "Claude 2",
    { prompt: "\n\nHuman: Hi\n\nAssistant:", max_tokens_to_sample: 30 },
    30,
    { max_tokens: 30 },
    [["", "\n\nHuman: Hi\n\nAssistant:"]],
  ],
  ["nobody", {}, null, {}, []],
])("InvokeModel: reads a request for %s", (_, body, bound, parameters, texts) => {
  const request = bedrockInvoke.readRequest(body, line("/model/x/invoke"));
  expect(request).toMatchObject({ model: "x", outputBound: bound, parameters });
  expect(
    request
      .prompt()
      .messages.flatMap(({ role, parts }) =>
        parts.map((part) => [role, part.kind === "text" ? part.text : part.kind]),
      ),
  ).toEqual(texts);
  expect(request.messages()).toHaveLength(body["preamble"] === undefined ? texts.length : texts.length - 1);
});

test.each<[string, Record<string, unknown>, PromptPart[]]>([
  ["amazon.titan-embed-text-v2:0", { inputText: "a" }, [{ kind: "text", text: "a" }]],
  [
    "cohere.embed-english-v3",
    { texts: ["a", "b"], input_type: "search_query" },
    [
      { kind: "text", text: "a" },
      { kind: "text", text: "b" },
    ],
  ],
  [
    "amazon.titan-embed-image-v1",
    { inputText: "a", inputImage: PNG },
    [
      { kind: "text", text: "a" },
      { kind: "image", detail: "auto", width: 10, height: 20 },
    ],
  ],
])("InvokeModel: reads what %s embeds", (model, body, parts) => {
  const request = bedrockInvokeEmbeddings.readRequest(body, line(`/model/${model}/invoke`));
  expect(request.outputBound).toBe(0);
  expect(request.prompt()).toMatchObject({ kind: "embeddings" });
  expect(request.prompt().messages.flatMap((message) => message.parts)).toEqual(parts);
});

/** Bedrock's count beside the model's own. */
test.each<[string, object[], object | null]>([
  ["none of either", [{ "amazon-bedrock-invocationMetrics": { invocationLatency: 5 } }], null],
  [
    "Bedrock's alone",
    [
      {
        "amazon-bedrock-invocationMetrics": {
          inputTokenCount: 3,
          outputTokenCount: 13,
          cacheReadInputTokenCount: 5,
          cacheWriteInputTokenCount: 25_037,
        },
      },
    ],
    { prompt: 3, completion: 13, total: 16, cached: 5, cacheWrites: 25_037, cachedInside: false },
  ],
  [
    "the model's, whose cached input is inside",
    [
      {
        choices: [],
        usage: { prompt_tokens: 30, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 20 } },
        "amazon-bedrock-invocationMetrics": {
          inputTokenCount: 10,
          cacheReadInputTokenCount: 20,
          outputTokenCount: 4,
        },
      },
    ],
    { prompt: 30, completion: 4, total: 34, cached: 20, cachedInside: true },
  ],
  [
    "the model's beginning, Bedrock's end",
    [
      { type: "message_start", message: { usage: { input_tokens: 3, output_tokens: 1 } } },
      {
        type: "message_stop",
        "amazon-bedrock-invocationMetrics": {
          inputTokenCount: 3,
          outputTokenCount: 13,
          cacheReadInputTokenCount: 5,
        },
      },
    ],
    { prompt: 3, completion: 13, total: 16, cached: 5, cachedInside: false },
  ],
])("InvokeModel: reads counts, %s", (_, values, usage) => {
  const reader = bedrockInvoke.readAnswer(0);
  for (const value of values) {
    reader.take("chunk", { bytes: Buffer.from(JSON.stringify(value)).toString("base64") });
  }
  expect(reader.found.complete).toBe(true);
  if (usage === null) expect(reader.found.usage).toBeNull();
  else expect(reader.found.usage).toMatchObject(usage);
});

test("content inside content without end is read to a depth", () => {
  let content: unknown = [{ text: "deep" }];
  let guarded: unknown = { text: "deep" };
  for (let depth = 0; depth < 50_000; depth++) {
    content = [{ toolResult: { content } }];
    guarded = { guardContent: guarded };
  }
  const request = bedrockConverse.readRequest({ messages: [{ content }, { content: [guarded] }] }, CONVERSE);
  expect(request.prompt().messages.map((message) => message.parts)).toEqual([[], []]);
});

const words = (text: string): string[] => text.split(" ");

test("arbitrary bodies and answers never throw", () => {
  const key = fc.constantFrom(
    ...words("messages content text toolUse toolResult guardContent inferenceConfig usage"),
    ...words("output message metadata contentBlockDelta delta choices results type bytes"),
    ...words("generation outputs completions data finishReason tool_calls error prompt"),
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.jsonValue().map((json) => Buffer.from(JSON.stringify(json)).toString("base64")),
      fc.constantFrom("message_delta", "text", "content_block_delta"),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(key, tie("any"), { maxKeys: 4 }),
    ),
  })).any;
  const event = fc.constantFrom(null, "chunk", "metadata", "contentBlockDelta", "throttlingException", "new");
  fc.assert(
    fc.property(fc.dictionary(key, value), event, value, (body, name, other) => {
      for (const dialect of ALL) {
        const request = dialect.readRequest(body, line("/model/x/invoke"));
        request.prompt();
        request.messages();
        const reader = dialect.readAnswer(100);
        reader.take(name, body);
        reader.take(name, other);
        expect(reader.found.textLength).toBeGreaterThanOrEqual(0);
      }
    }),
    { seed: 5, numRuns: 500 },
  );
});
