/**
 * Answers of Gemini and Vertex AI, in the form that is documented ("GenerateContentResponse", "UsageMetadata", "Text
 * embeddings API") or that is known from streams.
 */
import type { Usage } from "../usage.ts";
import { type Recording, document, events } from "./recording.ts";

const MODEL = "gemini-2.5-flash";
const ID = "mAitaLmkHPPlz7IPvtfUqQ4";

function chunk(
  parts: readonly object[],
  usageMetadata?: unknown,
  finishReason?: string,
  index?: number,
): object {
  return {
    candidates: [{ content: { parts, role: "model" }, finishReason, index }],
    usageMetadata,
    modelVersion: MODEL,
    responseId: ID,
  };
}

const said = (text: string): object[] => [{ text }];

function sse(...chunks: readonly object[]): string {
  return events(chunks.map((value) => [null, value]));
}

/** As the API answers without `alt=sse`: elements on lines of their own, the commas between them. */
function array(...chunks: readonly object[]): string {
  return `[${chunks.map((value) => JSON.stringify(value, null, 2)).join("\n,\r\n")}\n]\n`;
}

function reported(prompt: number, completion: number, more: Partial<Usage> = {}): Partial<Usage> {
  return { prompt, completion, ...more };
}

const FIRST = chunk(said("Hel"), { promptTokenCount: 8, totalTokenCount: 8 }, undefined, 0);
const LAST = chunk(
  said("lo!"),
  {
    promptTokenCount: 8,
    candidatesTokenCount: 12,
    totalTokenCount: 20,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: 8 }],
  },
  "STOP",
  0,
);
const SAID_HELLO = { model: MODEL, id: ID, finishReason: "STOP", complete: true, text: "Hello!" };
const BROKEN = { ...SAID_HELLO, finishReason: null, complete: false };

export const GEMINI: readonly Recording[] = [
  {
    name: "a stream of events",
    dialect: "gemini",
    body: sse(FIRST, LAST),
    expected: { ...SAID_HELLO, usage: reported(8, 12) },
  },
  {
    name: "a stream of events with CRLF",
    dialect: "gemini",
    body: sse(FIRST, LAST).replaceAll("\n", "\r\n"),
    expected: { ...SAID_HELLO, usage: reported(8, 12) },
  },
  {
    name: "an array that comes in pieces",
    dialect: "gemini",
    body: array(FIRST, LAST),
    expected: { ...SAID_HELLO, usage: reported(8, 12) },
  },
  {
    name: "an array that breaks off between elements",
    dialect: "gemini",
    body: array(FIRST, LAST).slice(0, array(FIRST).length - 1),
    expected: { ...BROKEN, text: "Hel", usage: reported(8, 0) },
  },
  {
    name: "an array that breaks off inside a number",
    dialect: "gemini",
    body: array(FIRST, LAST).slice(0, array(FIRST, LAST).indexOf('"candidatesTokenCount": 12') + 25),
    expected: { ...BROKEN, text: "Hello!", finishReason: "STOP", usage: reported(8, 0) },
  },
  {
    name: "thoughts, which come on top of candidates",
    dialect: "gemini",
    body: sse(
      chunk([{ text: "Counting.", thought: true }], {
        promptTokenCount: 11,
        thoughtsTokenCount: 41,
        totalTokenCount: 52,
      }),
      chunk(said("42"), {
        promptTokenCount: 11,
        candidatesTokenCount: 2,
        thoughtsTokenCount: 80,
        totalTokenCount: 93,
      }),
      chunk(
        [{ text: "", thoughtSignature: "CiQB" }],
        { promptTokenCount: 11, candidatesTokenCount: 3, thoughtsTokenCount: 80, totalTokenCount: 94 },
        "STOP",
      ),
    ),
    expected: { ...SAID_HELLO, text: "Counting.42", usage: reported(11, 83, { reasoning: 80 }) },
  },
  {
    name: "thoughts that are inside candidates, as the total shows",
    dialect: "gemini",
    body: document(
      chunk(
        said("Hello!"),
        { promptTokenCount: 10, candidatesTokenCount: 50, thoughtsTokenCount: 40, totalTokenCount: 60 },
        "STOP",
      ),
    ),
    expected: { ...SAID_HELLO, usage: reported(10, 50, { reasoning: 40 }) },
  },
  {
    name: "results of tools, which come on top of the prompt",
    dialect: "gemini",
    body: document(
      chunk(
        said("Hello!"),
        {
          promptTokenCount: 10,
          toolUsePromptTokenCount: 500,
          candidatesTokenCount: 20,
          thoughtsTokenCount: 30,
          totalTokenCount: 560,
        },
        "STOP",
      ),
    ),
    expected: { ...SAID_HELLO, usage: reported(510, 50, { reasoning: 30 }) },
  },
  {
    name: "cached content, which is inside the prompt",
    dialect: "gemini",
    body: document(
      chunk(
        said("Hello!"),
        {
          promptTokenCount: 2000,
          cachedContentTokenCount: 1900,
          candidatesTokenCount: 5,
          totalTokenCount: 2005,
          cacheTokensDetails: [{ modality: "TEXT", tokenCount: 1900 }],
        },
        "STOP",
      ),
    ),
    expected: { ...SAID_HELLO, usage: reported(2000, 5, { cached: 1900 }) },
  },
  {
    name: "audio both ways",
    dialect: "gemini",
    body: document(
      chunk(
        [{ inlineData: { mimeType: "audio/pcm", data: "AAAA" } }],
        {
          promptTokenCount: 104,
          candidatesTokenCount: 50,
          totalTokenCount: 154,
          promptTokensDetails: [
            { modality: "TEXT", tokenCount: 4 },
            { modality: "AUDIO", tokenCount: 100 },
          ],
          candidatesTokensDetails: [{ modality: "AUDIO", tokenCount: 50 }],
        },
        "STOP",
      ),
    ),
    expected: {
      ...SAID_HELLO,
      text: "",
      usage: reported(104, 50, { promptAudio: 100, completionAudio: 50 }),
    },
  },
  {
    name: "usage that says nothing in between: trafficType alone, {}, null",
    dialect: "gemini",
    body: sse(
      chunk(said("Hel"), { trafficType: "ON_DEMAND" }),
      LAST,
      chunk(said(""), {}),
      chunk(said(""), null),
      chunk(said(""), { trafficType: "ON_DEMAND" }),
    ),
    expected: { ...SAID_HELLO, usage: reported(8, 12) },
  },
  {
    name: "a prompt that is counted anew at the end",
    dialect: "gemini",
    body: sse(
      chunk(said("Hel"), { promptTokenCount: 2, totalTokenCount: 2 }),
      chunk(said("lo!"), { promptTokenCount: 1, candidatesTokenCount: 10, totalTokenCount: 11 }, "STOP"),
    ),
    expected: { ...SAID_HELLO, usage: reported(1, 10) },
  },
  {
    name: "counts that are spread over chunks",
    dialect: "gemini",
    body: sse(
      chunk(said("Hel"), { promptTokenCount: 8 }),
      chunk(said("lo!"), { candidatesTokenCount: 12 }, "STOP"),
    ),
    expected: { ...SAID_HELLO, usage: reported(8, 12) },
  },
  {
    name: "usage in the middle, none at the end",
    dialect: "gemini",
    body: sse(
      chunk(said("Hel"), { promptTokenCount: 8, candidatesTokenCount: 12, totalTokenCount: 20 }),
      chunk(said("lo!"), undefined, "STOP"),
    ),
    expected: { ...SAID_HELLO, usage: reported(8, 12) },
  },
  {
    name: "calls of functions",
    dialect: "gemini",
    body: document(
      chunk(
        [
          { functionCall: { name: "now", args: { zone: "CET" } }, thoughtSignature: "CiQB" },
          { functionCall: { name: "stop" } },
        ],
        { promptTokenCount: 60, candidatesTokenCount: 15, totalTokenCount: 75 },
        "STOP",
      ),
    ),
    expected: { ...SAID_HELLO, text: '{"zone":"CET"}', usage: reported(60, 15) },
  },
  {
    name: "a call whose arguments come in pieces",
    dialect: "gemini",
    body: sse(
      chunk([{ functionCall: { name: "say", willContinue: true } }]),
      chunk([
        { functionCall: { partialArgs: [{ jsonPath: "$.text", stringValue: "Hel", willContinue: true }] } },
      ]),
      chunk([{ functionCall: { partialArgs: [{ jsonPath: "$.text", stringValue: "lo!" }] } }]),
      chunk(
        [{ functionCall: {} }],
        { promptTokenCount: 60, candidatesTokenCount: 15, totalTokenCount: 75 },
        "STOP",
      ),
    ),
    expected: { ...SAID_HELLO, usage: reported(60, 15) },
  },
  {
    name: "code that runs there",
    dialect: "gemini",
    body: document(
      chunk(
        [
          { executableCode: { language: "PYTHON", code: "print(1)" } },
          { codeExecutionResult: { outcome: "OUTCOME_OK", output: "1\n" } },
          { text: "One." },
        ],
        { promptTokenCount: 6, candidatesTokenCount: 9, totalTokenCount: 15 },
        "STOP",
      ),
    ),
    expected: { ...SAID_HELLO, text: "print(1)One.", usage: reported(6, 9) },
  },
  {
    name: "a prompt that is refused",
    dialect: "gemini",
    body: document({
      promptFeedback: { blockReason: "PROHIBITED_CONTENT" },
      usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 },
      modelVersion: MODEL,
      responseId: ID,
    }),
    expected: { ...SAID_HELLO, finishReason: "PROHIBITED_CONTENT", text: "", usage: reported(9, 0) },
  },
  {
    name: "an answer that is cut off by a filter",
    dialect: "gemini",
    body: sse(
      FIRST,
      chunk([], { promptTokenCount: 8, candidatesTokenCount: 3, totalTokenCount: 11 }, "SAFETY", 0),
    ),
    expected: { ...SAID_HELLO, finishReason: "SAFETY", text: "Hel", usage: reported(8, 3) },
  },
  {
    name: "the bound is reached while thinking",
    dialect: "gemini",
    body: document({
      candidates: [{ content: { role: "model" }, finishReason: "MAX_TOKENS", index: 0 }],
      usageMetadata: { promptTokenCount: 8, thoughtsTokenCount: 99, totalTokenCount: 107 },
      modelVersion: MODEL,
      responseId: ID,
    }),
    expected: {
      ...SAID_HELLO,
      finishReason: "MAX_TOKENS",
      text: "",
      usage: reported(8, 99, { reasoning: 99 }),
    },
  },
  {
    name: "two candidates: the first one's reason, both texts, the end when both have ended",
    dialect: "gemini",
    body: sse(
      chunk(said("Hel"), undefined, undefined, 0),
      chunk(said("By"), undefined, undefined, 1),
      chunk(said("e"), undefined, "MAX_TOKENS", 1),
      chunk(said("lo!"), { promptTokenCount: 8, candidatesTokenCount: 20, totalTokenCount: 28 }, "STOP", 0),
    ),
    expected: { ...SAID_HELLO, text: "Hello!Bye", usage: reported(8, 20) },
  },
  {
    name: "two candidates, one of which never ends",
    dialect: "gemini",
    body: sse(
      chunk(said("Hel"), undefined, undefined, 0),
      chunk(said("Bye"), undefined, undefined, 1),
      chunk(said("lo!"), { promptTokenCount: 8, candidatesTokenCount: 20, totalTokenCount: 28 }, "STOP", 0),
    ),
    expected: { ...SAID_HELLO, complete: false, text: "Hello!Bye", usage: reported(8, 20) },
  },
  {
    name: "an error in an array",
    dialect: "gemini",
    body: `[${JSON.stringify({
      error: { code: 429, message: "Resource has been exhausted", status: "RESOURCE_EXHAUSTED" },
    })}]`,
    expected: { error: "RESOURCE_EXHAUSTED" },
  },
  {
    name: "an error in mid-stream",
    dialect: "gemini",
    body: sse(FIRST, { error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } }),
    expected: { ...BROKEN, text: "Hel", error: "UNAVAILABLE", usage: reported(8, 0) },
  },
  {
    name: "fields nobody knows",
    dialect: "gemini",
    body: document({
      ...chunk(
        [{ text: "Hello!" }, { hologram: { data: "?" } }],
        { promptTokenCount: 8, candidatesTokenCount: 12, totalTokenCount: 20, dreamsTokenCount: 1000 },
        "STOP",
      ),
      future: [{ usageMetadata: { promptTokenCount: 1 } }],
    }),
    expected: { ...SAID_HELLO, usage: reported(8, 12) },
  },
  {
    name: "vectors of Vertex AI",
    dialect: "gemini",
    body: document({
      predictions: [
        { embeddings: { values: [0.1, -0.2], statistics: { truncated: false, token_count: 4 } } },
        { embeddings: { values: [0.3, 0.4], statistics: { truncated: false, token_count: 6 } } },
      ],
      metadata: { billableCharacterCount: 31 },
    }),
    expected: { complete: true, usage: reported(10, 0) },
  },
  {
    name: "many vectors of Vertex AI",
    dialect: "gemini",
    everywhere: false,
    body: document({
      predictions: Array.from({ length: 5 }, () => ({
        embeddings: {
          values: Array.from({ length: 1500 }, (_, at) => Math.sin(at)),
          statistics: { truncated: false, token_count: 7 },
        },
      })),
    }),
    expected: { complete: true, usage: reported(35, 0) },
  },
  {
    name: "vectors of the Gemini API, which says no tokens",
    dialect: "gemini",
    body: document({ embeddings: [{ values: [0.1, 0.2] }, { values: [0.3, 0.4] }] }),
    expected: { complete: true },
  },
  {
    name: "a vector with usage",
    dialect: "gemini",
    body: document({
      embedding: { values: [0.1, 0.2] },
      usageMetadata: { promptTokenCount: 5, totalTokenCount: 5 },
    }),
    expected: { complete: true, usage: reported(5, 0) },
  },
  {
    name: "pictures",
    dialect: "gemini",
    body: document({ predictions: [{ mimeType: "image/png", bytesBase64Encoded: "iVBORw0KGgo=" }] }),
    expected: { complete: true },
  },
  {
    name: "text of an older model of Vertex AI",
    dialect: "gemini",
    body: document({
      predictions: [{ content: "Hello!", safetyAttributes: {} }],
      metadata: {
        tokenMetadata: {
          inputTokenCount: { totalTokens: 3, totalBillableCharacters: 9 },
          outputTokenCount: { totalTokens: 2, totalBillableCharacters: 6 },
        },
      },
    }),
    expected: { complete: true, text: "Hello!", usage: reported(3, 2) },
  },
];
