import fc from "fast-check";
import { expect, test } from "vitest";
import type { Dialect, RequestLine } from "../../dialect.ts";
import type { PromptPart } from "../../prompt.ts";
import { gemini, geminiEmbeddings, geminiImages } from "./gemini.ts";

function line(path: string, headers: Readonly<Record<string, string>> = {}, method = "POST"): RequestLine {
  return { method, path, query: "", header: (name) => headers[name.toLowerCase()] ?? null };
}

const VERTEX = "/v1/projects/p/locations/us-central1/publishers/google/models";

test.each<[string, Dialect | null, string | null]>([
  ["/v1beta/models/gemini-2.5-flash:generateContent", gemini, null],
  ["/v1/models/gemini-2.5-flash:streamGenerateContent", gemini, null],
  ["/gemini/v1beta/models/gemini-2.5-flash%3AGenerateContent", gemini, null],
  ["/v1beta/tunedModels/mine-abc:generateContent", gemini, null],
  [`${VERTEX}/gemini-2.5-pro:streamGenerateContent`, gemini, "gcp.vertex_ai"],
  ["/v1/projects/p/locations/l/endpoints/123:generateContent", gemini, "gcp.vertex_ai"],
  ["/v1/publishers/google/models/gemini-2.5-pro:generateContent", gemini, "gcp.vertex_ai"],
  ["/v1beta/models/gemini-embedding-001:embedContent", geminiEmbeddings, null],
  ["/v1beta/models/gemini-embedding-001:batchEmbedContents", geminiEmbeddings, null],
  [`${VERTEX}/text-embedding-005:predict`, geminiEmbeddings, "gcp.vertex_ai"],
  [`${VERTEX}/textembedding-gecko@003:predict`, geminiEmbeddings, "gcp.vertex_ai"],
  [`${VERTEX}/imagen-4.0-generate-001:predict`, geminiImages, "gcp.vertex_ai"],
  [`${VERTEX}/imagegeneration@006:predict`, geminiImages, "gcp.vertex_ai"],
  [`${VERTEX}/text-bison:predict`, gemini, "gcp.vertex_ai"],
  ["/v1beta/models/gemini-2.5-flash:countTokens", null, null],
  ["/v1beta/models/gemini-2.5-flash:batchGenerateContent", null, null],
  ["/v1beta/models/veo-3.0:predictLongRunning", null, null],
  ["/v1beta/models/gemini-2.5-flash", null, null],
  ["/v1beta/openai/chat/completions", null, null],
])("%s is recognised", (path, dialect, provider) => {
  const matching = [gemini, geminiEmbeddings, geminiImages].filter((each) => each.matchesLine(line(path)));
  expect(matching).toEqual(dialect === null ? [] : [dialect]);
  if (dialect !== null) expect(dialect.readRequest({}, line(path)).provider).toBe(provider);
});

test("Vertex AI is told by its host too", () => {
  const asked = line("/v1/models/gemini-2.5-pro:generateContent", {
    host: "us-central1-aiplatform.googleapis.com",
  });
  expect(gemini.readRequest({}, asked).provider).toBe("gcp.vertex_ai");
});

test.each<[string, boolean, Record<string, unknown>]>([
  ["/mine", true, { contents: [] }],
  ["/mine", false, { content: {} }],
  ["/v1beta/models/gemini-2.5-flash:countTokens", false, { contents: [] }],
])("%s with a body is Gemini's: %s", (path, matches, body) => {
  expect(gemini.matchesBody!(body, line(path))).toBe(matches);
});

const GENERATE = line("/v1beta/models/gemini-2.5-flash:generateContent");

test.each<[string, Record<string, unknown> | null, RequestLine, object]>([
  [
    "everything",
    {
      contents: [],
      generationConfig: {
        maxOutputTokens: 100,
        candidateCount: 3,
        temperature: 0,
        topP: 0.9,
        topK: 40,
        seed: 7,
        stopSequences: ["END"],
        presencePenalty: 0.1,
        frequencyPenalty: 0.2,
      },
    },
    line("/v1beta/models/gemini-2.5-flash:streamGenerateContent"),
    {
      model: "gemini-2.5-flash",
      stream: true,
      outputBound: 300,
      parameters: {
        max_tokens: 100,
        "choice.count": 3,
        temperature: 0,
        top_p: 0.9,
        top_k: 40,
        seed: 7,
        stop_sequences: ["END"],
        presence_penalty: 0.1,
        frequency_penalty: 0.2,
      },
    },
  ],
  [
    "snake_case",
    { generation_config: { max_output_tokens: 10, candidate_count: 2 } },
    GENERATE,
    { stream: false, outputBound: 20, parameters: { max_tokens: 10, "choice.count": 2 } },
  ],
  ["nothing", {}, GENERATE, { model: "gemini-2.5-flash", outputBound: null, parameters: {} }],
  ["no body", null, GENERATE, { model: "gemini-2.5-flash", outputBound: null, parameters: {} }],
  [
    "wrong types",
    { generationConfig: [], contents: 7, tools: {} },
    GENERATE,
    { outputBound: null, parameters: {} },
  ],
  [
    "a bound beyond counting",
    { generationConfig: { maxOutputTokens: 9e15, candidateCount: 9e15 } },
    GENERATE,
    { outputBound: null },
  ],
  [
    "a model in the body alone",
    { model: "models/gemini-2.5-pro", contents: [] },
    line("/mine"),
    { model: "gemini-2.5-pro" },
  ],
  [
    "texts to embed",
    { instances: [{ content: "a" }] },
    line(`${VERTEX}/text-embedding-005:predict`),
    { outputBound: 0 },
  ],
  ["a text to embed", {}, line("/v1beta/models/gemini-embedding-001:embedContent"), { outputBound: 0 }],
  [
    "something to draw",
    { instances: [{ prompt: "a" }], parameters: { sampleCount: 2 } },
    line(`${VERTEX}/imagen-4.0:predict`),
    { outputBound: 0 },
  ],
  [
    "something to write",
    { instances: [{ prompt: "a" }], parameters: { maxOutputTokens: 64 } },
    line(`${VERTEX}/text-bison:predict`),
    { outputBound: 64, parameters: { max_tokens: 64 } },
  ],
])("reads a request with %s", (_, body, asked, expected) => {
  expect(gemini.readRequest(body, asked)).toMatchObject(expected);
});

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAUCAYAAAA=";

test.each<[string, unknown[], PromptPart[]]>([
  ["text", [{ text: "Hello" }], [{ kind: "text", text: "Hello" }]],
  ["a thought", [{ text: "Hm", thought: true, thoughtSignature: "x" }], [{ kind: "text", text: "Hm" }]],
  [
    "an image",
    [{ inlineData: { mimeType: "image/png", data: PNG } }],
    [{ kind: "image", detail: "auto", width: 10, height: 20 }],
  ],
  [
    "media in snake_case",
    [{ inline_data: { mime_type: "audio/wav", data: "AAAA" } }],
    [{ kind: "audio", seconds: null }],
  ],
  [
    "files",
    [
      { fileData: { mimeType: "image/jpeg", fileUri: "gs://b/a.jpg" } },
      { inlineData: { mimeType: "application/pdf", data: "JVBERi0=" } },
      { fileData: { fileUri: "https://youtu.be/x" } },
    ],
    [
      { kind: "image", detail: "auto", width: null, height: null },
      { kind: "file", bytes: 5 },
      { kind: "file", bytes: null },
    ],
  ],
  [
    "calls",
    [
      { functionCall: { name: "now", args: { zone: "CET" } }, thoughtSignature: "x" },
      { functionResponse: { name: "now", response: { time: "12:00" } } },
    ],
    [
      { kind: "json", value: { name: "now", args: { zone: "CET" } } },
      { kind: "json", value: { name: "now", response: { time: "12:00" } } },
    ],
  ],
  [
    "code",
    [
      { executableCode: { language: "PYTHON", code: "1+1" } },
      { codeExecutionResult: { outcome: "OUTCOME_OK", output: "2" } },
    ],
    [
      { kind: "text", text: "1+1" },
      { kind: "text", text: "2" },
    ],
  ],
  ["nothing", [{}, { thoughtSignature: "x" }, null, 7], []],
])("reads a prompt of %s", (_, parts, expected) => {
  const request = gemini.readRequest({ contents: [{ role: "user", parts }] }, GENERATE);
  expect(request.prompt().messages).toEqual([{ role: "user", name: null, parts: expected }]);
});

test("system text and what is cached come first; tools and schema are there", () => {
  const tools = [{ functionDeclarations: [{ name: "now" }] }];
  const request = gemini.readRequest(
    {
      cachedContent: "cachedContents/abc",
      systemInstruction: { parts: [{ text: "Be brief." }] },
      contents: [{ parts: [{ text: "Hi" }] }],
      tools,
      generationConfig: { responseSchema: { type: "STRING" } },
    },
    GENERATE,
  );
  expect(request.prompt()).toEqual({
    messages: [
      { role: "cached", name: null, parts: [{ kind: "file", bytes: null }] },
      { role: "system", name: null, parts: [{ kind: "text", text: "Be brief." }] },
      { role: "user", name: null, parts: [{ kind: "text", text: "Hi" }] },
    ],
    tools,
    schema: { type: "STRING" },
    kind: "chat",
  });
  expect(request.prompt()).toBe(request.prompt());
  expect(request.messages()).toEqual([
    { role: "system", content: [{ text: "Be brief." }] },
    { role: "user", content: [{ text: "Hi" }] },
  ]);
});

test.each<[string, string, Record<string, unknown>, string[], string, unknown[]]>([
  [
    "embedContent",
    "/v1beta/models/e:embedContent",
    { content: { parts: [{ text: "a" }, { text: "b" }] } },
    ["a", "b"],
    "embeddings",
    [{ role: "", content: [{ text: "a" }, { text: "b" }] }],
  ],
  [
    "batchEmbedContents",
    "/v1beta/models/e:batchEmbedContents",
    { requests: [{ content: { parts: [{ text: "a" }] } }, { content: { parts: [{ text: "b" }] } }] },
    ["a", "b"],
    "embeddings",
    [
      { role: "", content: [{ text: "a" }] },
      { role: "", content: [{ text: "b" }] },
    ],
  ],
  [
    "predict for vectors",
    `${VERTEX}/text-embedding-005:predict`,
    { instances: [{ content: "a", title: "t" }] },
    ["t", "a"],
    "embeddings",
    [{ role: "", content: { content: "a", title: "t" } }],
  ],
  [
    "predict for pictures",
    `${VERTEX}/imagen-4.0:predict`,
    { instances: [{ prompt: "a cat" }] },
    ["a cat"],
    "other",
    [{ role: "", content: { prompt: "a cat" } }],
  ],
])("reads the prompt of %s", (_, path, body, texts, kind, logged) => {
  const request = gemini.readRequest(body, line(path));
  const parts = request.prompt().messages.flatMap((message) => message.parts);
  expect(parts.map((part) => (part.kind === "text" ? part.text : part))).toEqual(texts);
  expect(request.prompt().kind).toBe(kind);
  expect(request.messages()).toEqual(logged);
});

const words = (text: string): string[] => text.split(" ");

test("arbitrary bodies and answers never throw", () => {
  const key = fc.constantFrom(
    ...words("contents parts text inlineData functionCall args candidates content index"),
    ...words("usageMetadata promptTokenCount predictions requests instances"),
    ...words("generationConfig"),
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(key, tie("any"), { maxKeys: 4 }),
    ),
  })).any;
  const path = fc.constantFrom("generateContent", "embedContent", "batchEmbedContents", "predict");
  fc.assert(
    fc.property(fc.dictionary(key, value), path, (body, action) => {
      const request = gemini.readRequest(body, line(`/v1beta/models/imagen:${action}`));
      request.prompt();
      request.messages();
      const reader = gemini.readAnswer(100);
      reader.take(null, body);
      reader.take(null, [body]);
      expect(reader.found.textLength).toBeGreaterThanOrEqual(0);
    }),
    { seed: 5, numRuns: 500 },
  );
});
