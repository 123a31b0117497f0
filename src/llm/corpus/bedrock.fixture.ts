import type { CorpusCase, Said } from "./corpus.fixture.ts";

const HELLO: Said = {
  tokens: [30, 62],
  cachedBeside: true,
  finish: "end_turn",
  text: "Hello! 😀",
  whole: true,
};

const CONVERSE_FILES: readonly (readonly [file: string, said: Said])[] = [
  ["converse.eventstream", HELLO],
  [
    "converse-cached-input.eventstream",
    { ...HELLO, tokens: [4, 62], total: 2066, cached: 1500, cacheWrites: 500 },
  ],
  ["converse-tool-input.eventstream", { ...HELLO, finish: "tool_use", text: '{"zone":"CET"}' }],
  ["converse-reasoning.eventstream", { ...HELLO, text: "Hm. Hello!" }],
  ["converse-guardrail.eventstream", { ...HELLO, finish: "guardrail_intervened", text: "Sorry." }],
  ["converse-max-tokens.eventstream", { ...HELLO, finish: "max_tokens" }],
  ["converse-prompt-router.eventstream", { ...HELLO, model: "anthropic.claude-3-haiku-20240307-v1:0" }],
  ["converse-unknown-events.eventstream", HELLO],
  ["converse-throttled.eventstream", { text: "Hello! 😀", error: "throttlingException" }],
  ["converse-model-error.eventstream", { text: "Hello! 😀", error: "modelStreamErrorException" }],
  ["converse-service-error.eventstream", { text: "Hello! 😀", error: "InternalServerError" }],
  ["converse-truncated-before-usage.eventstream", { finish: "end_turn", text: "Hello! 😀", whole: true }],
  ["converse-bad-checksum-text.eventstream", { ...HELLO, text: "lo! 😀" }],
  ["converse-bad-checksum-usage.eventstream", { finish: "end_turn", text: "Hello! 😀", whole: true }],
  ["converse-bad-prelude.eventstream", { text: "Hello! 😀" }],
  ["converse.body", HELLO],
  [
    "converse-with-everything.body",
    {
      ...HELLO,
      model: "amazon.nova-lite-v1:0",
      cached: 5,
      cacheWrites: 6,
      finish: "tool_use",
      text: 'Hm. Hello! cited{"zone":"CET"}',
    },
  ],
  ["converse-error.body", { error: "AccessDeniedException" }],
];

const INVOKE_FILES: readonly (readonly [file: string, said: Said])[] = [
  ["invoke-anthropic.eventstream", { ...HELLO, model: "claude-3-5-sonnet-20240620", cached: 7 }],
  [
    "invoke-anthropic-no-message-delta.eventstream",
    { ...HELLO, model: "claude-3-5-sonnet-20240620", cached: 7, finish: undefined },
  ],
  [
    "invoke-anthropic-timeout.eventstream",
    {
      model: "claude-3-5-sonnet-20240620",
      tokens: [30, 1],
      cached: 7,
      cachedBeside: true,
      text: "Hello! 😀",
      error: "modelTimeoutException",
    },
  ],
  ["invoke-anthropic.body", { ...HELLO, model: "claude-3-5-sonnet-20240620" }],
  ["invoke-client-recording.body", { ...HELLO, model: "claude-3-5-sonnet-20240620" }],
  ["invoke-claude-2.eventstream", { ...HELLO, finish: "stop_sequence", text: " Hello! 😀" }],
  ["invoke-nova.eventstream", { ...HELLO, cached: 3, cacheWrites: 4 }],
  ["invoke-nova.body", HELLO],
  ["invoke-titan.eventstream", { ...HELLO, finish: "FINISH", cachedBeside: undefined }],
  ["invoke-titan.body", { ...HELLO, finish: "LENGTH", cachedBeside: undefined }],
  ["invoke-llama.eventstream", { ...HELLO, finish: "stop", cachedBeside: undefined }],
  ["invoke-llama.body", { ...HELLO, finish: "length", cachedBeside: undefined }],
  ["invoke-mistral.eventstream", { ...HELLO, finish: "stop" }],
  ["invoke-mistral-no-usage.body", { finish: "stop", text: "Hello! 😀", whole: true }],
  ["invoke-chat-choices.eventstream", { ...HELLO, model: "m", finish: "tool_calls", text: "Hello!{}" }],
  ["invoke-jamba.body", { tokens: [30, 62], finish: "stop", text: "Hello! 😀Bye", whole: true }],
  ["invoke-cohere-command.body", { finish: "COMPLETE", text: "Hello! 😀", whole: true }],
  ["invoke-cohere-command-r.eventstream", { ...HELLO, finish: "COMPLETE" }],
  ["invoke-jurassic.body", { tokens: [2, 3], finish: "endoftext", text: "Hello! 😀", whole: true }],
  ["invoke-titan-embedding.body", { tokens: [7, 0], whole: true }],
  ["invoke-cohere-embeddings.body", { whole: true }],
  [
    "invoke-guardrail.eventstream",
    { ...HELLO, tokens: [0, 0], finish: "guardrail_intervened", text: "Sorry." },
  ],
  ["invoke-bad-chunks.eventstream", { ...HELLO, model: "claude-3-5-sonnet-20240620", cached: 7 }],
  ["invoke-validation-error.eventstream", { error: "validationException" }],
];

export const BEDROCK: readonly CorpusCase[] = [
  ...CONVERSE_FILES.map(([file, said]) => ({ file, dialect: "bedrock-converse" as const, said })),
  ...INVOKE_FILES.map(([file, said]) => ({ file, dialect: "bedrock-invoke" as const, said })),
];
