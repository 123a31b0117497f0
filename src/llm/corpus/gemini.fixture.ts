import type { CorpusCase, Said } from "./corpus.fixture.ts";

const HELLO: Said = {
  model: "gemini-2.5-flash",
  tokens: [8, 12],
  finish: "STOP",
  text: "Hello!",
  whole: true,
};

const INTERACTION: Said = {
  ...HELLO,
  tokens: [70, 96],
  cached: 8,
  reasoning: 84,
  promptAudio: 10,
  finish: "completed",
  text: 'Counting.print(1){"zone":"CET"}Hello!',
};

const GEMINI_FILES: readonly (readonly [file: string, said: Said])[] = [
  ["stream.sse", HELLO],
  ["stream-crlf.sse", HELLO],
  ["array.body", HELLO],
  ["array-truncated-between-elements.body", { model: "gemini-2.5-flash", tokens: [8, 0], text: "Hel" }],
  ["array-truncated-in-number.body", { ...HELLO, tokens: [8, 0], whole: undefined }],
  ["thoughts.sse", { ...HELLO, tokens: [11, 83], reasoning: 80, text: "Counting.42" }],
  ["thoughts-inside-candidates.body", { ...HELLO, tokens: [10, 50], reasoning: 40 }],
  ["tool-use-prompt.body", { ...HELLO, tokens: [510, 50], reasoning: 30 }],
  ["cached-content.body", { ...HELLO, tokens: [2000, 5], cached: 1900 }],
  ["audio.body", { ...HELLO, tokens: [104, 50], promptAudio: 100, completionAudio: 50, text: undefined }],
  ["empty-usage-between.sse", HELLO],
  ["prompt-recounted.sse", { ...HELLO, tokens: [1, 10] }],
  ["counts-spread-over-chunks.sse", HELLO],
  ["usage-in-middle.sse", HELLO],
  ["function-calls.body", { ...HELLO, tokens: [60, 15], text: '{"zone":"CET"}' }],
  ["function-call-in-pieces.sse", { ...HELLO, tokens: [60, 15] }],
  ["code-execution.body", { ...HELLO, tokens: [6, 9], text: "print(1)One." }],
  ["prompt-blocked.body", { ...HELLO, tokens: [9, 0], finish: "PROHIBITED_CONTENT", text: undefined }],
  [
    "prompt-blocked-numbered.body",
    { ...HELLO, tokens: [9, 0], finish: "PROHIBITED_CONTENT", text: undefined },
  ],
  ["numbered-enums.body", { ...HELLO, promptAudio: 3 }],
  ["numbered-reasons-unknown.sse", { ...HELLO, finish: "11" }],
  ["safety.sse", { ...HELLO, tokens: [8, 3], finish: "SAFETY", text: "Hel" }],
  [
    "max-tokens-in-thoughts.body",
    { ...HELLO, tokens: [8, 99], reasoning: 99, finish: "MAX_TOKENS", text: undefined },
  ],
  ["two-candidates.sse", { ...HELLO, tokens: [8, 20], text: "Hello!Bye" }],
  ["two-candidates-truncated.sse", { ...HELLO, tokens: [8, 20], text: "Hello!Bye", whole: undefined }],
  ["error-in-array.body", { error: "RESOURCE_EXHAUSTED" }],
  ["error-mid-stream.sse", { model: "gemini-2.5-flash", tokens: [8, 0], text: "Hel", error: "UNAVAILABLE" }],
  ["unknown-fields.body", HELLO],
  ["interaction.sse", { ...INTERACTION, text: 'Counting.Hello!{"zone":"CET"}', finish: "requires_action" }],
  ["interaction-cut.sse", { model: "gemini-2.5-flash", tokens: [40, 1], text: "Hel" }],
  ["interaction-error.sse", { model: "deep-research", error: "gateway_timeout" }],
  ["interaction-first-revision.sse", { ...HELLO, finish: "completed" }],
  ["interaction.body", INTERACTION],
  ["interaction-outputs.body", { ...HELLO, finish: "completed" }],
  ["interaction-background.body", { model: "deep-research", goesOn: true, whole: true }],
  ["vertex-embeddings.body", { tokens: [10, 0], whole: true }],
  ["embeddings-no-usage.body", { whole: true }],
  ["embedding-with-usage.body", { tokens: [5, 0], whole: true }],
  ["imagen.body", { whole: true }],
  ["vertex-text.body", { tokens: [3, 2], text: "Hello!", whole: true }],
];

const LIVE: Said = {
  tokens: [30, 62],
  promptAudio: 25,
  completionAudio: 62,
  finish: "turnComplete",
  text: "Hello there!",
  whole: true,
};

const LIVE_FILES: readonly (readonly [file: string, said: Said])[] = [
  ["live-audio.frames", LIVE],
  ["live-text.frames", { ...LIVE, promptAudio: 0, completionAudio: 0 }],
  ["live-fragmented.frames", LIVE],
  [
    "live-two-turns.frames",
    {
      ...LIVE,
      tokens: [80, 18],
      promptAudio: 70,
      completionAudio: 18,
      finish: "interrupted",
      text: "OneTwo",
      responses: 2,
    },
  ],
  [
    "live-usage-after-the-end.frames",
    { ...LIVE, tokens: [100, 14], promptAudio: 90, completionAudio: 14, text: "OneTwoThree", responses: 3 },
  ],
  ["live-usage-twice.frames", { ...LIVE, tokens: [30, 10], completionAudio: 10, text: "One" }],
  [
    "live-tool-call.frames",
    {
      tokens: [43, 15],
      reasoning: 6,
      cached: 7,
      finish: "RESPONSE_REJECTED",
      text: '{"room":"hall"}Done.',
      whole: true,
    },
  ],
  ["live-thoughts-beside-sound.frames", { ...LIVE, tokens: [30, 79], total: 92, reasoning: 17 }],
  ["live-cut.frames", { tokens: [30, 4], promptAudio: 25, completionAudio: 4, text: "Hello" }],
];

export const GEMINI: readonly CorpusCase[] = [
  ...GEMINI_FILES.map(([file, said]) => ({ file, dialect: "gemini" as const, said })),
  ...LIVE_FILES.map(([file, said]) => ({ file, dialect: "gemini-live" as const, said })),
];
