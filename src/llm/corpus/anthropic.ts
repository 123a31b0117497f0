/**
 * Answers of Anthropic Messages, in the form that is documented ("Streaming Messages", "Messages", "Extended thinking",
 * "Web search tool") or that its relays are known to send.
 */
import type { Usage } from "../usage.ts";
import { type Recording, document, events, lines } from "./recording.ts";

const MODEL = "claude-sonnet-4-5-20250929";
const ID = "msg_01XFDUDYJgAACzvnptvVoYEL";

/** `message_start` as it comes: the input is known, a first token of output is written. */
function start(usage: object, more: object = {}): object {
  return {
    type: "message_start",
    message: {
      id: ID,
      type: "message",
      role: "assistant",
      model: MODEL,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage,
      ...more,
    },
  };
}

function blockStart(index: number, content_block: object): object {
  return { type: "content_block_start", index, content_block };
}

function delta(index: number, change: object): object {
  return { type: "content_block_delta", index, delta: change };
}

function text(piece: string, index = 0): object {
  return delta(index, { type: "text_delta", text: piece });
}

function stop(index = 0): object {
  return { type: "content_block_stop", index };
}

function messageDelta(stop_reason: string | null, usage: object | undefined, more: object = {}): object {
  return { type: "message_delta", delta: { stop_reason, stop_sequence: null, ...more }, usage };
}

const TEXT = blockStart(0, { type: "text", text: "" });
const PING = { type: "ping" };
const END = { type: "message_stop" };

/** Each value as an event under its own `type`. */
function stream(...values: readonly object[]): string {
  return events(values.map((value) => [(value as { type: string }).type, value]));
}

function reported(prompt: number, completion: number, more: Partial<Usage> = {}): Partial<Usage> {
  return { prompt, completion, cachedInside: false, ...more };
}

const HELLO = stream(
  start({ input_tokens: 25, output_tokens: 1 }),
  TEXT,
  PING,
  text("Hello"),
  text("!"),
  stop(),
  messageDelta("end_turn", { output_tokens: 15 }),
  END,
);
const SAID_HELLO = { model: MODEL, id: ID, finishReason: "end_turn", complete: true, text: "Hello!" };

const MESSAGE = {
  id: ID,
  type: "message",
  role: "assistant",
  model: MODEL,
  content: [{ type: "text", text: "Hello!" }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 25, output_tokens: 15 },
};

export const ANTHROPIC: readonly Recording[] = [
  {
    name: "a stream",
    dialect: "anthropic-messages",
    body: HELLO,
    expected: { ...SAID_HELLO, usage: reported(25, 15) },
  },
  {
    name: "a stream with CRLF",
    dialect: "anthropic-messages",
    body: HELLO.replaceAll("\n", "\r\n"),
    expected: { ...SAID_HELLO, usage: reported(25, 15) },
  },
  {
    name: "a stream without names of events, as relays send it",
    dialect: "anthropic-messages",
    body: HELLO.replaceAll(/^event: .*\n/gm, ""),
    expected: { ...SAID_HELLO, usage: reported(25, 15) },
  },
  {
    name: "a stream with comments, pings and events nobody knows",
    dialect: "anthropic-messages",
    body: `: hello\n\n${stream(
      PING,
      start({ input_tokens: 25, output_tokens: 1 }),
      { type: "content_block_progress", index: 0, usage: { output_tokens: 999 } },
      TEXT,
      text("Hello!"),
      PING,
    )}: keep-alive\n\nevent: new\ndata: not json\n\n${stream(
      delta(0, { type: "new_delta", text: "?" }),
      messageDelta("end_turn", { output_tokens: 15 }),
      END,
    )}`,
    expected: { ...SAID_HELLO, usage: reported(25, 15) },
  },
  {
    name: "cached input, read and written",
    dialect: "anthropic-messages",
    body: stream(
      start({
        input_tokens: 3,
        cache_creation_input_tokens: 2048,
        cache_read_input_tokens: 18_000,
        cache_creation: { ephemeral_5m_input_tokens: 1024, ephemeral_1h_input_tokens: 1024 },
        output_tokens: 4,
        service_tier: "standard",
      }),
      TEXT,
      text("Hello!"),
      stop(),
      messageDelta("end_turn", { output_tokens: 503 }),
      END,
    ),
    expected: { ...SAID_HELLO, usage: reported(3, 503, { cached: 18_000, cacheWrites: 2048 }) },
  },
  {
    name: "all counts restated at the end",
    dialect: "anthropic-messages",
    body: stream(
      start({
        input_tokens: 25,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 7,
        output_tokens: 1,
      }),
      TEXT,
      text("Hello!"),
      messageDelta("end_turn", {
        input_tokens: 25,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 7,
        output_tokens: 15,
      }),
      END,
    ),
    expected: { ...SAID_HELLO, usage: reported(25, 15, { cached: 7 }) },
  },
  {
    name: "input that grew while a server's tool worked",
    dialect: "anthropic-messages",
    body: stream(
      start({ input_tokens: 2679, cache_read_input_tokens: 0, output_tokens: 3 }),
      blockStart(0, { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} }),
      delta(0, { type: "input_json_delta", partial_json: '{"query":' }),
      delta(0, { type: "input_json_delta", partial_json: '"weather"}' }),
      stop(0),
      blockStart(1, {
        type: "web_search_tool_result",
        tool_use_id: "srvtoolu_1",
        content: [
          { type: "web_search_result", title: "Weather", url: "https://example.com", encrypted_content: "x" },
        ],
      }),
      stop(1),
      blockStart(2, { type: "text", text: "" }),
      text("Sunny", 2),
      delta(2, {
        type: "citations_delta",
        citation: { type: "web_search_result_location", cited_text: "Sun" },
      }),
      stop(2),
      messageDelta("end_turn", {
        input_tokens: 10_682,
        cache_read_input_tokens: 0,
        output_tokens: 510,
        server_tool_use: { web_search_requests: 1 },
      }),
      END,
    ),
    expected: { ...SAID_HELLO, text: '{"query":"weather"}Sunny', usage: reported(10_682, 510) },
  },
  {
    name: "zeros and nulls restated by a relay take nothing back",
    dialect: "anthropic-messages",
    body: stream(
      start({ input_tokens: 25, cache_read_input_tokens: 7, output_tokens: 1 }),
      TEXT,
      text("Hello!"),
      messageDelta("end_turn", { input_tokens: 0, cache_read_input_tokens: null, output_tokens: 15 }),
      END,
    ),
    expected: { ...SAID_HELLO, usage: reported(25, 15, { cached: 7 }) },
  },
  {
    name: "input said at the end alone, as relays do",
    dialect: "anthropic-messages",
    body: stream(
      start({ input_tokens: 0, output_tokens: 0 }),
      TEXT,
      text("Hello!"),
      messageDelta("end_turn", { input_tokens: 25, output_tokens: 15 }),
      END,
    ),
    expected: { ...SAID_HELLO, usage: reported(25, 15) },
  },
  {
    name: "several message_delta: the last counts",
    dialect: "anthropic-messages",
    body: stream(
      start({ input_tokens: 25, output_tokens: 1 }),
      TEXT,
      text("Hello"),
      messageDelta(null, { output_tokens: 8 }),
      text("!"),
      messageDelta("end_turn", { output_tokens: 15 }),
      END,
    ),
    expected: { ...SAID_HELLO, usage: reported(25, 15) },
  },
  {
    name: "a broken stream: the input, and a first token of output",
    dialect: "anthropic-messages",
    body:
      stream(start({ input_tokens: 25, output_tokens: 1 }), TEXT, text("Hel")) +
      "event: content_block_delta\nda",
    expected: { ...SAID_HELLO, finishReason: null, complete: false, text: "Hel", usage: reported(25, 1) },
  },
  {
    name: "a stream that breaks off inside a count",
    dialect: "anthropic-messages",
    body:
      stream(start({ input_tokens: 25, output_tokens: 1 }), TEXT, text("Hello!")) +
      'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1',
    expected: { ...SAID_HELLO, finishReason: null, complete: false, usage: reported(25, 1) },
  },
  {
    name: "a stream without its last blank line",
    dialect: "anthropic-messages",
    body: HELLO.trimEnd(),
    expected: { ...SAID_HELLO, usage: reported(25, 15) },
  },
  {
    name: "an error in mid-stream",
    dialect: "anthropic-messages",
    body: stream(start({ input_tokens: 25, output_tokens: 1 }), TEXT, text("Hel"), {
      type: "error",
      error: { type: "overloaded_error", message: "Overloaded" },
      request_id: "req_011CSHoEeqs5C35K2UUqR7Fy",
    }),
    expected: {
      ...SAID_HELLO,
      finishReason: null,
      complete: false,
      text: "Hel",
      error: "overloaded_error",
      usage: reported(25, 1),
    },
  },
  {
    name: "an error instead of a message",
    dialect: "anthropic-messages",
    body: document({
      type: "error",
      error: { type: "rate_limit_error", message: "This request would exceed your rate limit." },
      request_id: "req_011CSHoEeqs5C35K2UUqR7Fy",
    }),
    expected: { error: "rate_limit_error" },
  },
  {
    name: "a refusal",
    dialect: "anthropic-messages",
    body: stream(
      start({ input_tokens: 564, output_tokens: 5 }),
      TEXT,
      text("I"),
      messageDelta("refusal", { output_tokens: 22 }),
      END,
    ),
    expected: { ...SAID_HELLO, finishReason: "refusal", text: "I", usage: reported(564, 22) },
  },
  {
    name: "the bound is reached",
    dialect: "anthropic-messages",
    body: stream(
      start({ input_tokens: 25, output_tokens: 1 }),
      TEXT,
      text("Hello"),
      messageDelta("max_tokens", { output_tokens: 16 }),
      END,
    ),
    expected: { ...SAID_HELLO, finishReason: "max_tokens", text: "Hello", usage: reported(25, 16) },
  },
  {
    name: "thinking, with a count of it",
    dialect: "anthropic-messages",
    body: stream(
      start({ input_tokens: 43, output_tokens: 2, output_tokens_details: { thinking_tokens: 0 } }),
      blockStart(0, { type: "thinking", thinking: "", signature: "" }),
      delta(0, { type: "thinking_delta", thinking: "27 * 453 = " }),
      delta(0, { type: "thinking_delta", thinking: "12,231" }),
      delta(0, { type: "signature_delta", signature: "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk" }),
      stop(0),
      blockStart(1, { type: "redacted_thinking", data: "EmwKAhgBEgy3va3pzix" }),
      stop(1),
      blockStart(2, { type: "text", text: "" }),
      text("12,231", 2),
      stop(2),
      messageDelta("end_turn", { output_tokens: 90, output_tokens_details: { thinking_tokens: 77 } }),
      END,
    ),
    expected: { ...SAID_HELLO, text: "27 * 453 = 12,23112,231", usage: reported(43, 90, { reasoning: 77 }) },
  },
  {
    name: "two tools, their input in pieces",
    dialect: "anthropic-messages",
    body: stream(
      start({ input_tokens: 472, output_tokens: 2 }),
      TEXT,
      text("Checking…"),
      stop(0),
      blockStart(1, { type: "tool_use", id: "toolu_1", name: "get_weather", input: {} }),
      delta(1, { type: "input_json_delta", partial_json: "" }),
      delta(1, { type: "input_json_delta", partial_json: '{"location":' }),
      delta(1, { type: "input_json_delta", partial_json: ' "Zürich 🏔️"}' }),
      stop(1),
      blockStart(2, { type: "tool_use", id: "toolu_2", name: "get_time", input: {} }),
      delta(2, { type: "input_json_delta", partial_json: "{}" }),
      stop(2),
      messageDelta("tool_use", { output_tokens: 89 }),
      END,
    ),
    expected: {
      ...SAID_HELLO,
      finishReason: "tool_use",
      text: 'Checking…{"location": "Zürich 🏔️"}{}',
      usage: reported(472, 89),
    },
  },
  {
    name: "a turn that is paused",
    dialect: "anthropic-messages",
    body: stream(
      start({ input_tokens: 9, output_tokens: 1 }),
      messageDelta("pause_turn", { output_tokens: 7 }),
      END,
    ),
    expected: { ...SAID_HELLO, finishReason: "pause_turn", text: "", usage: reported(9, 7) },
  },
  {
    name: "a message",
    dialect: "anthropic-messages",
    body: document(MESSAGE),
    expected: { ...SAID_HELLO, usage: reported(25, 15) },
  },
  {
    name: "a message with everything in it",
    dialect: "anthropic-messages",
    body: document({
      ...MESSAGE,
      stop_reason: "tool_use",
      content: [
        { type: "thinking", thinking: "Hm", signature: "x" },
        { type: "text", text: "Hello!", citations: null },
        { type: "tool_use", id: "toolu_1", name: "now", input: { zone: "CET" } },
        { type: "new", text: "?" },
      ],
      usage: {
        input_tokens: 25,
        cache_creation_input_tokens: null,
        cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
        cache_read_input_tokens: 40,
        output_tokens: 15,
        output_tokens_details: { thinking_tokens: 5 },
        server_tool_use: null,
      },
    }),
    expected: {
      ...SAID_HELLO,
      finishReason: "tool_use",
      text: 'HmHello!{"zone":"CET"}',
      usage: reported(25, 15, { cached: 40, cacheWrites: 30, reasoning: 5 }),
    },
  },
  {
    name: "a message whose numbers are none",
    dialect: "anthropic-messages",
    body: document({
      ...MESSAGE,
      id: 7,
      model: null,
      usage: { input_tokens: "25", output_tokens: -3, cache_read_input_tokens: [1] },
    }),
    expected: { ...SAID_HELLO, id: null, model: null, usage: reported(0, 0) },
  },
  {
    name: "a message without usage",
    dialect: "anthropic-messages",
    body: document({ ...MESSAGE, usage: null }),
    expected: SAID_HELLO,
  },
  {
    name: "no answer of this kind",
    dialect: "anthropic-messages",
    body: lines("upstream connect error or disconnect/reset before headers"),
    expected: {},
  },
];
