/** Gemini Live: whose session it is, what it is set up for, and what its messages mean. Bills: `corpus/gemini/live-*`. */
import { describe, expect, test } from "vitest";
import type { RequestLine } from "../../dialect.ts";
import { recogniseLine } from "../../recognise.ts";
import { tapSession } from "../../session-tap.ts";
import { textFrame } from "../../websocket-frames.ts";
import { geminiLive } from "./live.ts";

function line(path: string, method = "GET"): RequestLine {
  return { method, path, query: "key=k", header: () => null };
}

const API = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
const VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent";

test.each<[string, string, boolean]>([
  ["GET", API, true],
  ["GET", `/live${API.replace("v1beta", "v1alpha")}Constrained/`, true],
  ["GET", VERTEX, true],
  ["POST", API, false],
  ["GET", "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateMusic", false],
  ["GET", "/v1beta/models/gemini-live", false],
])("%s %s: %s", (method, path, isLive) => {
  expect(recogniseLine(line(path, method))).toBe(isLive ? geminiLive : null);
});

test.each<[string, string, object | null, object]>([
  [
    "the Gemini API",
    API,
    {
      setup: {
        model: "models/gemini-live-2.5-flash",
        generationConfig: { temperature: 0.5, maxOutputTokens: 9 },
      },
    },
    {
      model: "gemini-live-2.5-flash",
      provider: null,
      stream: true,
      parameters: { temperature: 0.5, max_tokens: 9 },
    },
  ],
  [
    "Vertex AI, in snake case",
    VERTEX,
    {
      setup: {
        model: "projects/p/locations/l/publishers/google/models/gemini-live",
        generation_config: { top_p: 1 },
      },
    },
    { model: "gemini-live", provider: "gcp.vertex_ai", parameters: { top_p: 1 } },
  ],
  ["before the setup", API, null, { model: null, parameters: {} }],
  ["nonsense", API, { setup: { model: 7, generationConfig: [] } }, { model: null, parameters: {} }],
])("what is asked: %s", (_name, path, setup, expected) => {
  expect(geminiLive.readRequest(setup as never, line(path))).toMatchObject(expected);
});

const words = geminiLive.session!;

test.each<[object, boolean]>([
  [{ clientContent: { turns: [], turnComplete: true } }, true],
  [{ client_content: { turns: [], turn_complete: true } }, true],
  [{ clientContent: { turns: [] } }, false],
  [{ toolResponse: { functionResponses: [] } }, true],
  [{ realtimeInput: { audio: { data: "AAAA" } } }, false],
  [{ setup: { model: "m" } }, false],
])("the client asks with %j: %s", (message, asks) => {
  expect(words.asks(message as never)).toBe(asks);
});

test.each<[object, boolean]>([
  [{ serverContent: { modelTurn: { parts: [] } } }, true],
  [{ serverContent: { outputTranscription: { text: "Hi" } } }, true],
  [{ toolCall: { functionCalls: [] } }, true],
  [{ serverContent: { inputTranscription: { text: "Hi" } } }, false],
  [{ serverContent: { turnComplete: true } }, false],
  [{ usageMetadata: { totalTokenCount: 1 } }, false],
])("the server begins with %j: %s; once", (message, begins) => {
  expect(words.begins(message as never, false)).toBe(begins);
  expect(words.begins(message as never, true)).toBe(false);
});

describe("what is said", () => {
  test.each<["client" | "server", object, string | null]>([
    [
      "client",
      { clientContent: { turns: [{ role: "user", parts: [{ text: "How " }, { text: "far?" }] }] } },
      "user: How far?",
    ],
    ["client", { realtime_input: { text: "Hello" } }, "user: Hello"],
    ["client", { realtimeInput: { audio: { data: "A".repeat(4000) } } }, null],
    ["client", { setup: { model: "m" } }, null],
    ["server", { serverContent: { inputTranscription: { text: " far" } } }, "user+  far"],
    ["server", { serverContent: { outputTranscription: { text: "Ten" } } }, "assistant+ Ten"],
    ["server", { serverContent: { turnComplete: true } }, null],
  ])("%s %j: %s", (from, message, expected) => {
    const said: string[] = [];
    const tap = tapSession(geminiLive, {
      extensions: null,
      keepText: 0,
      onTranscript: ({ role, text, isPiece }) => said.push(`${role}${isPiece ? "+" : ":"} ${text}`),
    });
    const octets = textFrame(JSON.stringify(message), null);
    // The same in a binary frame.
    const binary = Buffer.from(octets);
    binary[0] = 0x82;
    for (const frame of [octets, binary]) {
      if (from === "client") tap.fromClient(frame);
      else tap.fromServer(frame);
    }
    expect(said).toEqual(expected === null ? [] : [expected, expected]);
  });
});
