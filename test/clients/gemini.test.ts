/** `@google/genai` on the Gemini API's own paths: content, streams, tools, thoughts, embeddings; errors as its own class. */
import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from "@google/genai";
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
import { type Fixture, json } from "./upstream.ts";

let through: Through;
beforeAll(async () => {
  through = await startThrough({
    keyHeader: "x-goog-api-key",
    providerHeader: "x-goog-api-key",
    path: "gemini",
  });
});
afterAll(() => through.close());

const client = (): GoogleGenAI => new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: through.url } });

const MODEL = "gemini-2.5-flash";
const TEXT = "Ciao! 🍝 \u2028 perché no?";
const usageMetadata = {
  promptTokenCount: 8,
  candidatesTokenCount: 21,
  totalTokenCount: 64,
  promptTokensDetails: [{ modality: "TEXT", tokenCount: 8 }],
  thoughtsTokenCount: 35,
};
const answer = (
  parts: readonly object[],
  more: object = {},
  finishReason: string | null = "STOP",
): object => ({
  candidates: [
    { content: { parts, role: "model" }, ...(finishReason === null ? {} : { finishReason }), index: 0 },
  ],
  usageMetadata,
  modelVersion: MODEL,
  responseId: "s3nZaO6QCs",
  ...more,
});
/** As `alt=sse` has them: data lines with carriage returns. */
const stream = (values: readonly object[]): Fixture => ({
  headers: { "content-type": "text/event-stream" },
  body: values.map((value) => `data: ${JSON.stringify(value)}\r\n\r\n`).join(""),
});
const early = { promptTokenCount: 8, totalTokenCount: 8 };
const SAID = { dialect: "gemini", tokens: [8, 56], served: MODEL, finish: "STOP" } as const;
const request = { model: MODEL, contents: "Ciao" };
const tool = {
  functionDeclarations: [{ name: "weather", parametersJsonSchema: { type: "object" } }],
};
const CALL = { functionCall: { name: "weather", args: { city: "Forlì" } }, thoughtSignature: "CpQB" };

describe("content", () => {
  test("whole", async () => {
    const made = await carry(through, json(answer([{ text: TEXT }])), () =>
      client().models.generateContent(request),
    );
    expect(made.result.text).toBe(TEXT);
    expect(made.asked).toMatchObject({
      target: `/v1/models/${MODEL}:generateContent`,
      headers: { "x-goog-api-key": PROVIDER_KEY },
    });
    settledAs(made, { ...SAID, text: TEXT });
    expect(made.call.settlement!.usage).toMatchObject({ reasoning: 35, total: 64 });
  });

  test("streaming", async () => {
    const fixture = stream([
      ...[...TEXT].map((text) => answer([{ text }], { usageMetadata: early }, null)),
      answer([{ text: "" }]),
    ]);
    const made = await carry(through, fixture, async () => {
      let text = "";
      for await (const chunk of await client().models.generateContentStream(request))
        text += chunk.text ?? "";
      return text;
    });
    expect(made.result).toBe(TEXT);
    expect(made.asked.target).toBe(`/v1/models/${MODEL}:streamGenerateContent?alt=sse`);
    settledAs(made, { ...SAID, text: TEXT });
  });

  test.each([
    ["whole", json(answer([CALL])), false],
    [
      "streaming",
      stream([answer([{ text: "Hm", thought: true }], { usageMetadata: early }, null), answer([CALL])]),
      true,
    ],
  ])("tools, %s", async (_how, fixture, streaming) => {
    const config = {
      tools: [tool],
      toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
    };
    const made = await carry(through, fixture, async () => {
      const asked = { ...request, config };
      if (!streaming) return (await client().models.generateContent(asked)).functionCalls;
      let calls;
      for await (const chunk of await client().models.generateContentStream(asked))
        calls = chunk.functionCalls;
      return calls;
    });
    expect(made.result).toEqual([CALL.functionCall]);
    settledAs(made, SAID);
  });

  test("a prompt that is blocked", async () => {
    const body = {
      promptFeedback: { blockReason: "PROHIBITED_CONTENT" },
      usageMetadata: { promptTokenCount: 8, totalTokenCount: 8 },
      modelVersion: MODEL,
    };
    const made = await carry(through, json(body), () => client().models.generateContent(request));
    expect(made.result.promptFeedback!.blockReason).toBe("PROHIBITED_CONTENT");
    settledAs(made, { ...SAID, tokens: [8, 0], finish: "PROHIBITED_CONTENT", ending: "incomplete" });
  });

  describe("Vertex AI's paths, in express mode", () => {
    const vertex = (): GoogleGenAI =>
      new GoogleGenAI({ vertexai: true, apiKey: KEY, httpOptions: { baseUrl: through.url } });

    test("content", async () => {
      const made = await carry(through, json(answer([{ text: TEXT }])), () =>
        vertex().models.generateContent(request),
      );
      expect(made.result.text).toBe(TEXT);
      expect(made.asked.target).toMatch(/\/publishers\/google\/models\/gemini-2\.5-flash:generateContent$/);
      settledAs(made, { ...SAID, text: TEXT });
      expect(made.call.request.provider).toBe("gcp.vertex_ai");
    });

    test("embeddings, with tokens counted by Google", async () => {
      const prediction = {
        embeddings: { values: [0.5, -0.25], statistics: { token_count: 3, truncated: false } },
      };
      const made = await carry(through, json({ predictions: [prediction] }), () =>
        vertex().models.embedContent({ model: "text-embedding-005", contents: "Ciao" }),
      );
      expect(made.result.embeddings![0]!.values).toEqual([0.5, -0.25]);
      settledAs(made, { dialect: "gemini", tokens: [3, 0] });
    });
  });

  test("embeddings", async () => {
    const made = await carry(through, json({ embeddings: [{ values: [0.5, -0.25] }] }), () =>
      client().models.embedContent({ model: "gemini-embedding-001", contents: "Ciao" }),
    );
    expect(made.result.embeddings).toEqual([{ values: [0.5, -0.25] }]);
    expect(made.call).toMatchObject({
      dialect: { name: "gemini", operation: "embeddings" },
      ending: "finished",
    });
  });
});

const failure = (code: number, status: string, message: string): object => ({
  error: { code, message, status, details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo" }] },
});

describe("errors of the provider are the client's own", () => {
  test.each([
    [400, "INVALID_ARGUMENT", {}],
    [401, "UNAUTHENTICATED", {}],
    [429, "RESOURCE_EXHAUSTED", { "retry-after": "31" }],
    [503, "UNAVAILABLE", {}],
  ])("%i %s", async (code, status, headers) => {
    const body = failure(code, status, "something is wrong");
    const made = await carry(through, json(body, { status: code, headers }), () =>
      thrown(client().models.generateContent(request)),
    );
    expect(made.result).toBeInstanceOf(ApiError);
    expect(made.result.status).toBe(code);
    expect(JSON.parse(made.result.message)).toEqual(body);
    expect(made.call).toMatchObject({ ending: "upstream-error", settlement: { evidence: "none" } });
  });

  test("a connection that breaks in the middle of a stream is no good end", async () => {
    const whole = stream([...TEXT].map((text) => answer([{ text }], { usageMetadata: early }, null)));
    const made = await carry(through, { ...whole, breaks: true }, () =>
      thrown(client().models.generateContentStream(request).then(drain)),
    );
    expect(made.result).toBeInstanceOf(Error);
    expect(made.call.ending).toBe("upstream-reset");
  });

  test("an error in the middle of a stream", async () => {
    const fixture = stream([
      answer([{ text: "Ci" }], { usageMetadata: early }, null),
      failure(503, "UNAVAILABLE", "overloaded"),
    ]);
    const made = await carry(through, fixture, () =>
      thrown(client().models.generateContentStream(request).then(drain)),
    );
    expect(made.result).toBeInstanceOf(ApiError);
    expect(made.result.message).toContain("UNAVAILABLE");
    expect(made.call).toMatchObject({ ending: "incomplete", found: { error: "UNAVAILABLE" } });
  });
});

test("the gateway's own limit is the client's own error", async () => {
  const config = { httpOptions: { headers: EXHAUSTED } };
  const error = await thrown(client().models.generateContent({ ...request, config }));
  expect(error).toBeInstanceOf(ApiError);
  expect(error.status).toBe(429);
  expect(error.message).toContain("Token limit is exceeded");
});

test("what was settled is what the metrics say", () => metricsAgree(through));
