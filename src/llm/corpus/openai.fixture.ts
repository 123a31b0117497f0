import type { CorpusCase, Said } from "./corpus.fixture.ts";

const GPT = "gpt-4o-2024-08-06";
const HELLO: Said = { model: GPT, tokens: [19, 10], finish: "stop", text: "Hello there!", whole: true };
const HELLO_UNCOUNTED: Said = { model: GPT, finish: "stop", text: "Hello there!", whole: true };
const CUT: Said = { model: GPT, text: "Hello" };

const CHAT: readonly (readonly [file: string, said: Said])[] = [
  // Framing.
  ["chat-usage.sse", HELLO],
  ["chat-crlf.sse", HELLO],
  ["chat-cr.sse", HELLO],
  ["chat-mixed-line-ends.sse", HELLO],
  ["chat-bom.sse", HELLO],
  ["chat-leading-blank-lines.sse", HELLO],
  ["chat-comments.sse", HELLO],
  ["chat-no-blank-lines.sse", { model: "m1", tokens: [3, 4], finish: "stop", text: "A", whole: true }],
  ["chat-no-space.sse", HELLO],
  ["chat-no-final-newline.sse", HELLO],
  ["chat-no-done.sse", { ...HELLO, whole: undefined }],
  ["chat-no-done-no-newline.sse", { ...HELLO, whole: undefined }],
  ["chat-multi-line-data.sse", HELLO],
  ["chat-id-retry-fields.sse", HELLO],
  ["chat-non-json-lines.sse", HELLO],
  ["chat-html-error.sse", {}],
  ["empty.sse", {}],
  ["only-done.sse", { whole: true }],
  // Usage in its places.
  ["chat-no-usage.sse", HELLO_UNCOUNTED],
  ["chat-usage-middle.sse", { ...HELLO, tokens: [19, 1] }],
  ["chat-usage-with-choice.sse", HELLO],
  ["chat-usage-twice.sse", HELLO],
  ["chat-usage-cumulative.sse", { ...HELLO, tokens: [19, 4] }],
  ["chat-usage-then-null.sse", HELLO],
  ["chat-usage-then-zeros.sse", { model: "m1", tokens: [21, 9], text: "A", whole: true }],
  ["chat-usage-after-done.sse", HELLO],
  ["chat-keys-reversed.sse", HELLO],
  ["chat-no-object-field.sse", HELLO],
  ["chat-obfuscation.sse", HELLO],
  ["chat-odd-numbers.sse", { ...HELLO, tokens: [19, 0] }],
  ["chat-duplicated-events.sse", { ...HELLO, text: "HelloHello there! there!" }],
  [
    "chat-usage-in-text.sse",
    {
      ...HELLO,
      tokens: [31, 42],
      text:
        '"usage":{"prompt_tokens":999,"completion_tokens":999,"total_tokens":1998}' +
        '\n\ndata: {"usage":{"prompt_tokens":7}}\n\ndata: [DONE]\n\n',
    },
  ],
  // Broken off.
  ["chat-truncated-in-text.sse", CUT],
  ["chat-truncated-after-text.sse", { ...CUT, text: "Hello there!" }],
  ["chat-truncated-in-usage.sse", { ...CUT, text: "Hello there!", finish: "stop" }],
  // What models write.
  ["chat-unicode.sse", { ...HELLO, tokens: [8, 14], text: "Grüße, 世界 👩‍👩‍👧 𝔘𝔫𝔦" }],
  ["chat-unicode-escaped.sse", { ...HELLO, tokens: [8, 14], text: "Grüße, 世界 👩‍👩‍👧 𝔘𝔫𝔦" }],
  ["chat-huge-delta.sse", { ...HELLO, tokens: [19, 400], text: "x".repeat(3000) }],
  ["chat-refusal.sse", { ...HELLO, tokens: [25, 11], text: "I'm sorry, I can't help with that." }],
  [
    "chat-tool-calls.sse",
    { ...HELLO, tokens: [82, 34], finish: "tool_calls", text: '{"location":"Paris"}{}' },
  ],
  ["chat-function-call.sse", { ...HELLO, tokens: [50, 7], finish: "function_call", text: '{"a":1}' }],
  ["chat-choices.sse", { ...HELLO, tokens: [9, 6], text: "OneUno" }],
  ["chat-audio.sse", { ...HELLO, tokens: [30, 60], promptAudio: 12, completionAudio: 48, text: "Hi you" }],
  [
    "chat-o-reasoning.sse",
    {
      model: "o4-mini-2025-04-16",
      tokens: [1117, 1042],
      cached: 1024,
      reasoning: 1024,
      finish: "stop",
      text: "42",
      whole: true,
    },
  ],
  // Errors.
  ["chat-error-data.sse", { model: GPT, text: "Hel", error: "server_error" }],
  ["chat-error-event.sse", { model: GPT, text: "Hel", error: "rate_limit_exceeded" }],
  ["chat-error.body", { error: "invalid_api_key" }],
  ["azure-error.body", { error: "429" }],
  ["mistral-error.body", { error: "3505" }],
  ["gemini-shim-error.body", { error: "429" }],
  ["gateway-error.body", { error: "429" }],
  ["groq-error.sse", { model: "m1", finish: "stop", text: "ok", error: "over_capacity", whole: true }],
  ["vllm-error.sse", { model: "m1", text: "A", error: "500", whole: true }],
  ["azure-filtered-prompt.body", { error: "content_filter" }],
  // Azure OpenAI.
  ["azure-filters-first.sse", { ...HELLO, model: "gpt-4o-mini-2024-07-18", tokens: [12, 3], text: "Hello!" }],
  ["azure-content-filter.sse", { ...AZURE(), finish: "content_filter", text: "The way to" }],
  ["azure-async-filter.sse", { ...AZURE(), tokens: [12, 2], finish: "stop", text: "Hi" }],
  [
    "azure-model-router.sse",
    { ...HELLO, model: "gpt-5-mini-2025-08-07", tokens: [11, 12], reasoning: 10, text: "Hi" },
  ],
  ["azure-on-your-data.body", { ...HELLO, model: "gpt-4o", tokens: [4200, 33], text: "It is [doc1]." }],
  // Those who speak alike.
  [
    "together-text-beside-delta.sse",
    { ...HELLO, model: "meta-llama/Llama-3.3-70B", tokens: [36, 2], finish: "eos", text: "Hi" },
  ],
  [
    "openrouter.sse",
    {
      ...HELLO,
      model: "anthropic/claude-sonnet-4.5",
      tokens: [194, 20],
      cached: 10,
      cacheWrites: 100,
      reasoning: 7,
      text: "HmOk",
    },
  ],
  [
    "litellm-cache-writes.sse",
    { ...HELLO, model: "m1", tokens: [12, 3], cached: 2, cacheWrites: 6, text: "Hi" },
  ],
  [
    "deepseek-reasoning.sse",
    {
      model: "deepseek-reasoner",
      tokens: [22, 320],
      cached: 16,
      reasoning: 300,
      finish: "stop",
      text: "Let me think.9.8",
      whole: true,
    },
  ],
  ["groq-x-usage.sse", { ...HELLO, model: "llama-3.3-70b-versatile", tokens: [40, 2], text: "Hi" }],
  [
    "moonshot-choice-usage.sse",
    { ...HELLO, model: "moonshot-v1-8k", tokens: [19, 13], cached: 4, text: "你好" },
  ],
  ["perplexity-message-beside-delta.sse", { model: "sonar", tokens: [5, 2], finish: "stop", text: "AB" }],
  [
    "mistral-thinking-parts.sse",
    { ...HELLO, model: "magistral-medium-2507", tokens: [10, 4], text: "HmmYes." },
  ],
  ["vllm-reasoning.sse", { ...HELLO, model: "qwen3", tokens: [11, 4], text: "a bc" }],
  [
    "openrouter-error-mid-stream.sse",
    { model: "openai/gpt-4o", finish: "error", text: "Par", error: "server_error" },
  ],
  [
    "perplexity-research.body",
    { ...HELLO, model: "sonar-deep-research", tokens: [19, 710], total: 29, reasoning: 700 },
  ],
  [
    "xai-reasoning-beside.sse",
    {
      ...HELLO,
      model: "grok-3-mini",
      tokens: [32, 103],
      total: 135,
      cached: 6,
      reasoning: 94,
      text: "Hm.Yes",
    },
  ],
  [
    "aggregator-both-wordings.body",
    { ...HELLO, model: "grok-4", tokens: [686, 123], cached: 679, reasoning: 112, text: "Hello!" },
  ],
  ["aggregator-other-wording.body", { ...HELLO, model: "grok-4", tokens: [686, 123], text: "Hello!" }],
  // Documents.
  ["chat.body", HELLO],
  ["chat-pretty.body", { ...HELLO, cached: 5, reasoning: 3 }],
  ["chat-bom.body", HELLO],
  ["chat-usage-first.body", HELLO],
  ["chat-logprobs.body", HELLO],
  [
    "chat-tools.body",
    { ...HELLO, tokens: [82, 17], finish: "tool_calls", text: '{"location":"Boston"}SELECT 1' },
  ],
  ["chat-escapes.body", { ...HELLO, model: "m/1", tokens: [10, 2], text: 'a"b\\c\n😀\t' }],
  ["chat-lines.body", { ...HELLO, whole: undefined }],
  ["chat-truncated.body", { model: GPT, text: "Hello th" }],
  ["chat-truncated-in-usage.body", { ...HELLO_UNCOUNTED, whole: undefined }],
  ["models-list.body", { whole: true }],
];

function AZURE(): Said {
  return { model: "gpt-4o-mini-2024-07-18", whole: true };
}

const REALTIME = "gpt-realtime-2025-08-28";
const FIRST: Said = {
  model: REALTIME,
  tokens: [120, 64],
  cached: 64,
  promptAudio: 100,
  completionAudio: 50,
  finish: "completed",
  text: "Hello!",
  whole: true,
};
const BOTH: Said = {
  ...FIRST,
  tokens: [320, 70],
  cached: 192,
  finish: "turn_detected",
  text: "Hello!Bye",
  responses: 2,
};

const GPT41 = "gpt-4.1-2025-04-14";
const HI: Said = { model: GPT41, tokens: [37, 11], finish: "completed", text: "Hi there!", whole: true };

export const OPENAI: readonly CorpusCase[] = [
  ...CHAT.map(([file, said]): CorpusCase => ({ file, dialect: "openai-chat", said })),
  { file: "chat.gz", dialect: "openai-chat", contentEncoding: "gzip", said: HELLO },
  { file: "chat-sse.gz", dialect: "openai-chat", contentEncoding: "gzip", said: HELLO },
  {
    file: "chat-lines.body",
    dialect: "openai-chat",
    contentType: "application/x-ndjson",
    said: { ...HELLO, whole: undefined },
  },
  { file: "chat-sse.deflate", dialect: "openai-chat", contentEncoding: "deflate", said: HELLO },
  // Content types that are not true.
  { file: "chat-usage.sse", dialect: "openai-chat", contentType: "application/json", said: HELLO },
  { file: "chat-usage.sse", dialect: "openai-chat", contentType: "text/plain", said: HELLO },
  { file: "chat.body", dialect: "openai-chat", contentType: "text/event-stream", said: HELLO },
  { file: "chat.body", dialect: "openai-chat", contentType: "text/plain; charset=utf-8", said: HELLO },
  { file: "completions-as-chat.body", dialect: "openai-completions", said: HELLO },
  {
    file: "completions.sse",
    dialect: "openai-completions",
    said: {
      model: "gpt-3.5-turbo-instruct",
      tokens: [4, 2],
      finish: "length",
      text: "Once upon",
      whole: true,
    },
  },
  {
    file: "completions.body",
    dialect: "openai-completions",
    said: {
      model: "gpt-3.5-turbo-instruct",
      tokens: [5, 7],
      finish: "length",
      text: "\n\nThis isAnd",
      whole: true,
    },
  },
  {
    file: "embeddings.body",
    dialect: "openai-embeddings",
    said: { model: "text-embedding-3-small", tokens: [24, 0], whole: true },
  },
  {
    file: "embeddings-base64.body",
    dialect: "openai-embeddings",
    said: { model: "text-embedding-ada-002-v2", tokens: [8, 0], whole: true },
  },
  {
    file: "embeddings-total-alone.body",
    dialect: "openai-embeddings",
    said: { model: "voyage-3", tokens: [10, 0], whole: true },
  },
  {
    file: "responses-compact.body",
    dialect: "openai-responses",
    said: { tokens: [139, 438], reasoning: 64, finish: "completed", whole: true },
  },
  {
    file: "responses-left-in-background.sse",
    dialect: "openai-responses",
    said: { model: GPT, text: "Once", goesOn: true },
  },
  { file: "responses.sse", dialect: "openai-responses", said: { ...HI, cached: 5 } },
  { file: "responses-unnamed.sse", dialect: "openai-responses", said: HI },
  { file: "responses-event-name-only.sse", dialect: "openai-responses", said: HI },
  { file: "responses-no-deltas.sse", dialect: "openai-responses", said: HI },
  {
    file: "responses-incomplete.sse",
    dialect: "openai-responses",
    said: { ...HI, tokens: [37, 16], reasoning: 14, finish: "max_output_tokens", text: "Hi" },
  },
  {
    file: "responses-failed.sse",
    dialect: "openai-responses",
    said: { model: GPT41, tokens: [37, 0], finish: "failed", error: "server_error", whole: true },
  },
  {
    file: "responses-failed-no-usage.sse",
    dialect: "openai-responses",
    said: { model: GPT41, finish: "failed", error: "server_error", whole: true },
  },
  {
    file: "responses-error-event.sse",
    dialect: "openai-responses",
    said: { model: GPT41, text: "Hi", error: "ERR_SOMETHING", goesOn: true },
  },
  {
    file: "responses-error-nested.sse",
    dialect: "openai-responses",
    said: { model: GPT41, error: "rate_limit_exceeded", goesOn: true },
  },
  {
    file: "responses-function-call.sse",
    dialect: "openai-responses",
    said: { ...HI, tokens: [291, 23], text: '{"location":"Paris"}' },
  },
  {
    file: "responses-reasoning.sse",
    dialect: "openai-responses",
    said: {
      ...HI,
      model: "o4-mini-2025-04-16",
      tokens: [81, 1035],
      reasoning: 832,
      text: "**Thinking**42",
    },
  },
  {
    file: "responses-refusal.sse",
    dialect: "openai-responses",
    said: { ...HI, tokens: [50, 8], text: "I can't do that." },
  },
  {
    file: "responses-tool-output-is-no-text.sse",
    dialect: "openai-responses",
    said: { ...HI, tokens: [20, 2], text: "ok" },
  },
  {
    file: "responses-truncated.sse",
    dialect: "openai-responses",
    said: { goesOn: true, model: GPT41, text: "Hi there!" },
  },
  {
    file: "responses.body",
    dialect: "openai-responses",
    said: { ...HI, tokens: [36, 87], cached: 2, reasoning: 64, text: "Hm.Hi there!" },
  },
  {
    file: "responses-incomplete.body",
    dialect: "openai-responses",
    said: { ...HI, tokens: [36, 3], finish: "content_filter", text: "Hi" },
  },
  {
    file: "responses-queued.body",
    dialect: "openai-responses",
    said: { goesOn: true, model: GPT41, whole: true },
  },
  {
    file: "responses-failed.body",
    dialect: "openai-responses",
    said: { model: GPT41, finish: "failed", error: "rate_limit_exceeded", whole: true },
  },
  { file: "images.body", dialect: "openai-images", said: { tokens: [50, 4160], whole: true } },
  { file: "images-dalle.body", dialect: "openai-images", said: { whole: true } },
  { file: "images.sse", dialect: "openai-images", said: { tokens: [50, 50], whole: true } },
  {
    file: "transcription.body",
    dialect: "openai-audio",
    said: { tokens: [14, 101], promptAudio: 4, text: "Imagine the wildest idea.", whole: true },
  },
  {
    file: "transcription-duration.body",
    dialect: "openai-audio",
    said: { text: "Hello", whole: true },
  },
  {
    file: "transcription-verbose.body",
    dialect: "openai-audio",
    said: { text: "The beach.", whole: true },
  },
  {
    file: "transcription.sse",
    dialect: "openai-audio",
    said: { tokens: [14, 45], promptAudio: 14, text: "I see", whole: true },
  },
  { file: "speech.sse", dialect: "openai-audio", said: { tokens: [14, 101], whole: true } },
  { file: "realtime.frames", dialect: "openai-realtime", said: FIRST },
  { file: "realtime-fragmented.frames", dialect: "openai-realtime", said: FIRST },
  { file: "realtime-binary-between.frames", dialect: "openai-realtime", said: FIRST },
  { file: "realtime-masked.frames", dialect: "openai-realtime", said: FIRST },
  { file: "realtime-two-responses.frames", dialect: "openai-realtime", said: BOTH },
  {
    file: "realtime-deflated.frames",
    dialect: "openai-realtime",
    said: BOTH,
  },
  {
    file: "realtime-truncated.frames",
    dialect: "openai-realtime",
    said: { model: REALTIME, text: "Hello!" },
  },
  { file: "realtime.jsonl", dialect: "openai-realtime", said: BOTH },
  { file: "realtime-array.body", dialect: "openai-realtime", said: FIRST },
  {
    file: "realtime-failed.jsonl",
    dialect: "openai-realtime",
    said: { model: REALTIME, tokens: [10, 0], finish: "failed", error: "invalid_event", whole: true },
  },
  {
    file: "realtime-beta.jsonl",
    dialect: "openai-realtime",
    said: {
      model: "gpt-4o-realtime-preview-2024-12-17",
      tokens: [9, 9],
      finish: "max_output_tokens",
      text: "Hi you{}",
      whole: true,
    },
  },
  {
    file: "realtime-transcribing.jsonl",
    dialect: "openai-realtime",
    said: {
      model: "gpt-4o-transcribe",
      tokens: [36, 7],
      promptAudio: 35,
      text: "Grüß Gott!",
      whole: true,
      responses: 2,
    },
  },
  {
    file: "realtime-transcribing-beta.jsonl",
    dialect: "openai-realtime",
    said: { model: "whisper-1", text: "Hello", error: "audio_unintelligible", whole: true, responses: 2 },
  },
  {
    file: "realtime-caller-transcribed.jsonl",
    dialect: "openai-realtime",
    said: {
      model: "gpt-realtime",
      tokens: [6, 3],
      cached: 1,
      promptAudio: 2,
      finish: "completed",
      text: "That.",
      whole: true,
    },
  },
];
