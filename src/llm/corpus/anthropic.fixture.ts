import type { CorpusCase, Said } from "./corpus.fixture.ts";

const HELLO: Said = {
  model: "claude-sonnet-4-5-20250929",
  tokens: [25, 15],
  cachedBeside: true,
  finish: "end_turn",
  text: "Hello!",
  whole: true,
};

const COMPACTED: Said = { ...HELLO, tokens: [925, 85], cached: 4000, text: "They greeted. Hello!" };

const ANTHROPIC_FILES: readonly (readonly [file: string, said: Said])[] = [
  ["stream.sse", HELLO],
  ["stream-crlf.sse", HELLO],
  ["unnamed-events.sse", HELLO],
  ["comments-and-unknown-events.sse", HELLO],
  ["cached-input.sse", { ...HELLO, tokens: [3, 503], cached: 18000, cacheWrites: 2048 }],
  ["counts-restated.sse", { ...HELLO, cached: 7 }],
  ["input-grows-with-server-tool.sse", { ...HELLO, tokens: [10682, 510], text: '{"query":"weather"}Sunny' }],
  ["cache-read-shrinks.sse", HELLO],
  ["zeros-restated.sse", { ...HELLO, cached: 7 }],
  ["input-at-end-alone.sse", HELLO],
  ["several-message-deltas.sse", HELLO],
  ["truncated.sse", { ...HELLO, tokens: [25, 1], text: "Hel", finish: undefined, whole: undefined }],
  ["truncated-in-count.sse", { ...HELLO, tokens: [25, 1], finish: undefined, whole: undefined }],
  ["no-final-newline.sse", HELLO],
  [
    "error-mid-stream.sse",
    {
      ...HELLO,
      tokens: [25, 1],
      text: "Hel",
      error: "overloaded_error",
      finish: undefined,
      whole: undefined,
    },
  ],
  ["error.body", { error: "rate_limit_error" }],
  ["compaction.sse", { ...HELLO, text: "They greeted. Hello!" }],
  ["compaction-counted-beside.sse", COMPACTED],
  ["compaction-counted-beside.body", COMPACTED],
  ["refusal.sse", { ...HELLO, tokens: [564, 22], finish: "refusal", text: "I" }],
  ["max-tokens.sse", { ...HELLO, tokens: [25, 16], finish: "max_tokens", text: "Hello" }],
  ["thinking.sse", { ...HELLO, tokens: [43, 90], reasoning: 77, text: "27 * 453 = 12,23112,231" }],
  [
    "tool-inputs.sse",
    { ...HELLO, tokens: [472, 89], finish: "tool_use", text: 'Checking…{"location": "Zürich 🏔️"}{}' },
  ],
  ["pause-turn.sse", { ...HELLO, tokens: [9, 7], finish: "pause_turn", text: undefined }],
  ["message.body", HELLO],
  [
    "message-with-everything.body",
    {
      ...HELLO,
      cached: 40,
      cacheWrites: 30,
      reasoning: 5,
      finish: "tool_use",
      text: 'HmHello!{"zone":"CET"}',
    },
  ],
  ["message-odd-numbers.body", { ...HELLO, tokens: [0, 0], model: undefined }],
  ["message-no-usage.body", { ...HELLO, tokens: undefined, cachedBeside: undefined }],
  ["no-json.body", {}],
];

export const ANTHROPIC: readonly CorpusCase[] = ANTHROPIC_FILES.map(([file, said]) => ({
  file,
  dialect: "anthropic-messages" as const,
  said,
}));
