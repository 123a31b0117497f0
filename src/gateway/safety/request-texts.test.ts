/** Every body form of every dialect: whose words are in it. */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { questionsOf, pieces, renditions, packed } from "./questions.ts";
import { type RequestTexts, readRequestTexts } from "./request-texts.ts";

const read = (
  body: unknown,
  contentType: string | null = "application/json",
  charset: string | null = null,
  isKnown = true,
): RequestTexts =>
  readRequestTexts(
    typeof body === "string"
      ? Buffer.from(body)
      : body instanceof Uint8Array
        ? body
        : Buffer.from(JSON.stringify(body)),
    charset,
    contentType,
    isKnown,
  );
/** `whose: parts`, in order. */
const told = (texts: RequestTexts): string[] =>
  texts.turns.map(({ whose, parts }) => `${whose}: ${parts.join(" | ").replaceAll("\n", "")}`);

const TOOL = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Weather of a place",
    parameters: { type: "object", properties: { place: { type: "string" } } },
  },
};
const PIXEL = Buffer.from(Array.from({ length: 100 }, (_, i) => (i * 37) % 251)).toString("base64");

const BODIES: readonly (readonly [name: string, body: unknown, texts: readonly string[]])[] = [
  // Chat Completions.
  [
    "chat: strings",
    {
      model: "gpt-4o",
      temperature: 1,
      messages: [
        { role: "system", content: "S" },
        { role: "user", content: "U" },
      ],
    },
    ["system: S", "user: U"],
  ],
  ["chat: developer", { messages: [{ role: "developer", content: "S" }] }, ["system: S"]],
  ["chat: a role that nobody knows", { messages: [{ role: "critic", content: "U" }] }, ["user: U"]],
  ["chat: no role", { messages: [{ content: "U" }] }, ["user: U"]],
  ["chat: a message that is a string", { messages: ["U"] }, ["user: U"]],
  [
    "chat: system in parts",
    {
      messages: [
        {
          role: "system",
          content: [
            { type: "text", text: "S" },
            { type: "text", text: "T" },
          ],
        },
      ],
    },
    ["system: S | T"],
  ],
  [
    "chat: parts and a picture",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "U" },
            { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}`, detail: "low" } },
          ],
        },
      ],
    },
    ["user: U"],
  ],
  [
    "chat: a picture elsewhere",
    {
      messages: [
        {
          role: "user",
          content: [{ type: "image_url", image_url: { url: "https://x.example/a.png?q=bomb" } }],
        },
      ],
    },
    [],
  ],
  [
    "chat: sound",
    {
      messages: [
        { role: "user", content: [{ type: "input_audio", input_audio: { data: PIXEL, format: "wav" } }] },
      ],
    },
    [],
  ],
  [
    "chat: a file that is text",
    {
      messages: [
        {
          role: "user",
          content: [
            {
              type: "file",
              file: {
                filename: "a b.txt",
                file_data: `data:text/plain;base64,${Buffer.from("F").toString("base64")}`,
              },
            },
          ],
        },
      ],
    },
    ["tool: a b.txt | F"],
  ],
  ["chat: a name", { messages: [{ role: "user", name: "Alex", content: "U" }] }, ["rest: Alex", "user: U"]],
  [
    "chat: turns",
    {
      messages: [
        { role: "user", content: "1" },
        { role: "assistant", content: "2" },
        { role: "user", content: "3" },
      ],
    },
    ["user: 1", "assistant: 2", "user: 3"],
  ],
  [
    "chat: a call and its result",
    {
      messages: [
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: '{"q":"A"}' } }],
        },
        { role: "tool", tool_call_id: "call_1", content: "R" },
      ],
    },
    ["rest: f", 'assistant: {"q":"A"}', "tool: R"],
  ],
  [
    "chat: an old call and its result",
    {
      messages: [
        { role: "assistant", function_call: { name: "f", arguments: "{}" } },
        { role: "function", name: "f", content: "R" },
      ],
    },
    ["rest: f", "assistant: {}", "rest: f", "tool: R"],
  ],
  [
    "chat: escapes in arguments",
    { messages: [{ role: "assistant", tool_calls: [{ function: { arguments: '{"q":"\\u0062omb"}' } }] }] },
    ['assistant: {"q":"\\u0062omb"} | {"q":"bomb"}'],
  ],
  [
    "chat: reasoning and refusal",
    { messages: [{ role: "assistant", reasoning_content: "H", refusal: "N" }] },
    ["assistant: H | N"],
  ],
  [
    "chat: tools",
    { messages: [], tools: [TOOL] },
    [
      "rest: type: | function | function: | name: | get_weather | description: | Weather of a place | parameters: | type: | object | properties: | place: | type: | string",
    ],
  ],
  [
    "chat: a schema",
    {
      messages: [],
      response_format: { type: "json_schema", json_schema: { name: "x", schema: { description: "D" } } },
    },
    ["rest: x | D"],
  ],
  [
    "chat: a field of tomorrow",
    { messages: [{ role: "user", content: [{ type: "hologram", words: "U" }] }], hint: "V" },
    ["user: U", "user: V"],
  ],
  [
    "chat: stop words and settings",
    {
      messages: [],
      stop: ["\n", "END"],
      user: "u-1",
      model: "gpt",
      modalities: ["text"],
      reasoning_effort: "low",
      stream: true,
    },
    [],
  ],
  [
    "chat: a type that is words",
    { messages: [{ role: "user", content: [{ type: "how to do it", text: "U" }] }] },
    ["user: how to do it | U"],
  ],
  // Completions.
  ["completions: a string", { prompt: "U", model: "x" }, ["user: U"]],
  ["completions: strings", { prompt: ["U", "V"], suffix: "W" }, ["user: U", "user: V", "user: W"]],
  // Responses.
  ["responses: a string", { model: "gpt-4.1", input: "U", instructions: "S" }, ["user: U", "system: S"]],
  [
    "responses: items",
    {
      input: [
        { role: "user", content: [{ type: "input_text", text: "U" }] },
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "A" }] },
      ],
    },
    ["user: U", "assistant: A"],
  ],
  [
    "responses: a call and its result",
    {
      input: [
        { type: "function_call", call_id: "c", name: "f", arguments: '{"q":"A"}' },
        { type: "function_call_output", call_id: "c", output: "R" },
      ],
    },
    ["rest: f", 'assistant: {"q":"A"}', "tool: R"],
  ],
  [
    "responses: a result in parts",
    { input: [{ type: "function_call_output", output: [{ type: "input_text", text: "R" }] }] },
    ["tool: R"],
  ],
  [
    "responses: reasoning",
    {
      input: [
        {
          type: "reasoning",
          id: "r",
          summary: [{ type: "summary_text", text: "H" }],
          encrypted_content: "gAAAA=",
        },
      ],
    },
    ["assistant: H"],
  ],
  // Anthropic Messages.
  [
    "messages: system as text",
    { system: "S", max_tokens: 9, messages: [{ role: "user", content: "U" }] },
    ["system: S", "user: U"],
  ],
  [
    "messages: system as a list",
    { system: [{ type: "text", text: "S", cache_control: { type: "ephemeral" } }], messages: [] },
    ["system: S"],
  ],
  [
    "messages: blocks",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "U" },
            { type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "R" }] },
          ],
        },
      ],
    },
    ["user: U", "tool: R"],
  ],
  [
    "messages: a result as text",
    { messages: [{ role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "R" }] }] },
    ["tool: R"],
  ],
  [
    "messages: a call",
    {
      messages: [
        {
          role: "assistant",
          content: [{ type: "tool_use", id: "t", name: "f", input: { q: "A", n: 4111 } }],
        },
      ],
    },
    ["rest: f", "assistant: q: | A | n: | 4111"],
  ],
  [
    "messages: a document of text",
    {
      messages: [
        {
          role: "user",
          content: [
            {
              type: "document",
              title: "T",
              source: { type: "text", media_type: "text/plain", data: "some words" },
            },
          ],
        },
      ],
    },
    ["tool: T | some words"],
  ],
  [
    "messages: a picture",
    {
      messages: [
        {
          role: "user",
          content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: PIXEL } }],
        },
      ],
    },
    [],
  ],
  [
    "messages: thinking",
    {
      messages: [
        {
          role: "assistant",
          content: [{ type: "thinking", thinking: "H", signature: `${PIXEL}${PIXEL}${PIXEL}` }],
        },
      ],
    },
    ["assistant: H"],
  ],
  ["messages: whose call it is", { metadata: { user_id: "u-1" }, messages: [] }, []],
  // Gemini.
  [
    "gemini: parts",
    {
      contents: [{ role: "user", parts: [{ text: "U" }, { text: "V" }] }],
      generationConfig: { temperature: 1, responseModalities: ["TEXT"] },
    },
    ["user: U | V"],
  ],
  [
    "interaction: words alone",
    {
      model: "gemini-2.5-flash",
      input: "U",
      system_instruction: "S",
      previous_interaction_id: "v1_abc",
      generation_config: { thinking_level: "low", thinking_summaries: "auto", tool_choice: "auto" },
      response_modalities: ["text"],
    },
    ["user: U", "system: S"],
  ],
  ["interaction: one content", { agent: "deep-research", input: { type: "text", text: "U" } }, ["user: U"]],
  [
    "interaction: contents",
    {
      input: [
        { type: "text", text: "U" },
        { type: "image", mime_type: "image/png", data: PIXEL },
        { type: "document", uri: "https://example.test/a.pdf" },
      ],
    },
    ["user: U"],
  ],
  [
    "interaction: steps",
    {
      input: [
        { type: "user_input", content: [{ type: "text", text: "1" }] },
        { type: "thought", signature: "CqwB", summary: [{ type: "text", text: "2" }] },
        { type: "function_call", id: "c1", name: "zone", arguments: { q: "3" } },
        { type: "function_result", call_id: "c1", result: [{ type: "text", text: "4" }] },
        { type: "function_result", call_id: "c1", result: { zone: "5" } },
        {
          type: "google_search_result",
          call_id: "s1",
          result: [{ title: "6", url: "https://example.test" }],
        },
        { type: "model_output", content: [{ type: "text", text: "7" }] },
        { type: "user_input", content: "8" },
      ],
    },
    [
      "user: 1",
      "assistant: 2",
      "rest: zone",
      "assistant: q: | 3",
      "tool: 4",
      "tool: zone: | 5",
      "tool: 6",
      "assistant: 7",
      "user: 8",
    ],
  ],
  ["gemini: one content", { contents: { parts: [{ text: "U" }] } }, ["user: U"]],
  ["gemini: system", { systemInstruction: { parts: [{ text: "S" }] }, contents: [] }, ["system: S"]],
  ["gemini: system in snake case", { system_instruction: { parts: [{ text: "S" }] } }, ["system: S"]],
  [
    "gemini: a call and its result",
    {
      contents: [
        { role: "model", parts: [{ functionCall: { name: "f", args: { q: "A" } } }] },
        { role: "user", parts: [{ functionResponse: { name: "f", response: { result: "R" } } }] },
      ],
    },
    ["rest: f", "assistant: q: | A", "rest: f", "tool: result: | R"],
  ],
  [
    "gemini: a picture",
    { contents: [{ parts: [{ inlineData: { mimeType: "image/png", data: PIXEL } }] }] },
    [],
  ],
  [
    "gemini: a file of text",
    {
      contents: [
        {
          parts: [
            {
              inlineData: {
                mimeType: "text/plain",
                data: Buffer.from(
                  "words in a file, and more of them than a picture could ever have had",
                ).toString("base64"),
              },
            },
          ],
        },
      ],
    },
    ["tool: words in a file, and more of them than a picture could ever have had"],
  ],
  [
    "gemini: results of code",
    {
      contents: [
        {
          role: "model",
          parts: [
            { executableCode: { code: "print(1)" } },
            { codeExecutionResult: { outcome: "OUTCOME_OK", output: "R" } },
          ],
        },
      ],
    },
    ["assistant: print(1)", "tool: OUTCOME_OK | R"],
  ],
  ["vertex: instances", { instances: [{ prompt: "U", content: "V" }] }, ["user: U | V"]],
  // Bedrock.
  [
    "converse",
    {
      system: [{ text: "S" }],
      messages: [{ role: "user", content: [{ text: "U" }, { guardContent: { text: { text: "G" } } }] }],
    },
    ["system: S", "user: U | G"],
  ],
  [
    "converse: a call and its result",
    {
      messages: [
        { role: "assistant", content: [{ toolUse: { toolUseId: "t", name: "f", input: { q: "A" } } }] },
        {
          role: "user",
          content: [
            {
              toolResult: {
                toolUseId: "t",
                content: [{ text: "R" }, { json: { k: "J" } }],
                status: "success",
              },
            },
          ],
        },
      ],
    },
    ["rest: f", "assistant: q: | A", "tool: R | k: | J"],
  ],
  [
    "converse: a document of text",
    {
      messages: [
        {
          role: "user",
          content: [
            {
              document: {
                format: "txt",
                name: "notes",
                source: {
                  bytes: Buffer.from(
                    "words in a document, and more of them than a picture could have",
                  ).toString("base64"),
                },
              },
            },
          ],
        },
      ],
    },
    ["rest: notes", "tool: words in a document, and more of them than a picture could have"],
  ],
  ["invoke: Titan", { inputText: "U", textGenerationConfig: { maxTokenCount: 9 } }, ["user: U"]],
  ["invoke: Llama", { prompt: "U", max_gen_len: 9 }, ["user: U"]],
  [
    "invoke: Cohere",
    {
      message: "U",
      preamble: "S",
      chat_history: [{ role: "CHATBOT", message: "A" }],
      documents: [{ snippet: "R" }],
    },
    ["user: U", "system: S", "assistant: A", "tool: R"],
  ],
  [
    "invoke: Anthropic",
    {
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 1,
      system: "S",
      messages: [{ role: "user", content: "U" }],
    },
    ["system: S", "user: U"],
  ],
  // JSON-RPC.
  [
    "MCP: a call",
    {
      jsonrpc: "2.0",
      id: 7,
      method: "tools/call",
      params: { name: "f", arguments: { q: "A", list: ["B", { c: "D" }] } },
    },
    ["rest: f", "user: q: | A | list: | B | c: | D"],
  ],
  [
    "MCP: a result",
    {
      jsonrpc: "2.0",
      id: 7,
      result: { content: [{ type: "text", text: "R" }], structuredContent: { k: "S" } },
    },
    ["tool: R | k: | S"],
  ],
  [
    "MCP: several",
    [
      { jsonrpc: "2.0", method: "tools/call", params: { arguments: { q: "A" } } },
      { jsonrpc: "2.0", method: "tools/call", params: { arguments: { q: "B" } } },
    ],
    ["user: q: | A", "user: q: | B"],
  ],
  [
    "A2A: a message",
    {
      jsonrpc: "2.0",
      id: "1",
      method: "message/send",
      params: {
        message: {
          kind: "message",
          role: "user",
          messageId: "m",
          parts: [
            { kind: "text", text: "U" },
            { kind: "data", data: { k: "D" } },
          ],
        },
        configuration: { acceptedOutputModes: ["text"] },
      },
    },
    ["user: U | k: | D"],
  ],
  [
    "A2A: of an agent",
    {
      jsonrpc: "2.0",
      id: "1",
      result: { kind: "message", role: "agent", parts: [{ kind: "text", text: "A" }] },
    },
    ["assistant: A"],
  ],
  ["embeddings", { input: ["U", "V"], model: "e" }, ["user: U", "user: V"]],
  // What is none of these.
  ["a string", '"U"', ["user: U"]],
  ["a number", "42", []],
  ["no JSON", "U and V", ["user: U and V"]],
  [
    "broken JSON",
    '{"messages":[{"role":"user","content":"U \\u0062omb',
    ['user: {"messages":[{"role":"user","content":"U bomb'],
  ],
  ["nothing", "", ["user: "]],
];

describe("whose words", () => {
  it.each(BODIES)("%s", (_, body, texts) => {
    const all = told(read(body));
    expect(all).toEqual(texts);
  });
});

describe("what would hide words", () => {
  const hidden = '{"messages":[{"role":"user","content":"bomb"}]}';
  it.each([
    [
      "the same name twice",
      '{"messages":[{"role":"user","content":"bomb"}],"messages":[{"role":"user","content":"hi"}]}',
    ],
    ["the same name twice, inside", '{"messages":[{"role":"user","content":"bomb","content":"hi"}]}'],
    ["UTF-16", Buffer.from(hidden, "utf16le")],
    ["UTF-16 with a mark", Buffer.from(`\ufeff${hidden}`, "utf16le")],
    ["UTF-16, the other way round", Buffer.from(hidden, "utf16le").swap16()],
    ["UTF-32", Buffer.from([...hidden].flatMap((c) => [c.charCodeAt(0), 0, 0, 0]))],
    ["a mark at the beginning", `\ufeff${hidden}`],
    ["depth", `${'{"a":'.repeat(300)}"bomb"${"}".repeat(300)}`],
    [
      "a picture that is none",
      '{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:text/plain,bomb"}}]}]}',
    ],
    [
      "a picture of text",
      `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,${Buffer.from("bomb").toString("base64")}"}}]}]}`,
    ],
    ["escapes", '{"messages":[{"role":"user","content":"\\u0062omb"}]}'],
    ["a name", '{"messages":[{"role":"user","bomb":1}],"x":{"arguments":{"bomb":1}}}'],
    ["something behind it", `${hidden} trailing`],
    ["a body that says it is sound", Buffer.from(hidden)],
  ])("%s", (name, body) => {
    const texts = read(body, name.includes("sound") ? "audio/wav" : "application/json");
    expect(told(texts).join("\n")).toContain("bomb");
  });

  it("bodies that nobody knows have no structure", () => {
    const body = { model: "bomb", "how to": { id: "mix" }, n: 7, list: [{ role: "system", type: "x" }] };
    expect(told(read(body, null, null, false))).toEqual([
      "user: model: | bomb | how to: | id: | mix | n: | 7 | list: | role: | system | type: | x",
    ]);
    const call = { jsonrpc: "2.0", id: 7, method: "tools/call", params: { arguments: { q: "A" } } };
    expect(told(read([call], null, null, false))).toEqual(["user: q: | A"]);
  });

  it("a charset", () => {
    const body = Buffer.from('{"prompt":"b\xf6mb"}', "latin1");
    expect(told(read(body, null, "iso-8859-1"))).toEqual(["user: bömb"]);
  });
});

describe("forms with files", () => {
  const form = (parts: string): Buffer => Buffer.from(parts.replaceAll("\n", "\r\n"), "latin1");
  it("fields are text, files of sound are not", () => {
    const texts = read(
      form(`--B
Content-Disposition: form-data; name="prompt"

what to say
--B
Content-Disposition: form-data; name="file"; filename="a.wav"
Content-Type: audio/wav

RIFF\x00\x01\x02
--B--
`),
      'multipart/form-data; boundary="B"',
    );
    expect(texts.turns.map(({ parts }) => parts[0]!.trim())).toEqual(["what to say"]);
    expect(texts.media).toBe(true);
  });
  it("files of text are", () => {
    const texts = read(
      form(`--B
Content-Disposition: form-data; name="file"; filename="a.wav"
Content-Type: audio/wav

words
--B--
`),
      "multipart/form-data; boundary=B",
    );
    expect(texts.turns.map(({ parts }) => parts[0]!.trim())).toEqual(["words"]);
  });
});

it("an encoded body comes decoded", () => {
  // `Body.bytes` undoes codings; here only that nothing is assumed of octets.
  expect(told(read(gzipSync("words")))).toHaveLength(1);
});

describe("questions", () => {
  const turns = (...all: [RequestTexts["turns"][number]["whose"], ...string[]][]): RequestTexts => ({
    turns: all.map(([whose, ...parts]) => ({ whose, parts })),
    media: false,
  });
  it("the newest words stand alone, the earlier ones by role", () => {
    const texts = turns(
      ["system", "S"],
      ["user", "1"],
      ["assistant", "A"],
      ["user", "2"],
      ["tool", "R"],
      ["tool", "Q"],
      ["user", "3"],
      ["rest", "X"],
    );
    expect(questionsOf(texts, 10_000, false, true)).toEqual({
      analyze: ["3", "1\n\n2", "R\n\nQ", "S", "A", "X"],
      shield: [
        { userPrompt: "3", documents: ["R", "Q"] },
        { userPrompt: "1\n\n2", documents: [] },
      ],
    });
  });
  it("as one text, on request", () => {
    const texts = turns(["system", "S"], ["user", "1"], ["tool", "R"]);
    expect(questionsOf(texts, 10_000, true, true)).toEqual({
      analyze: ["S\n1\nR"],
      shield: [{ userPrompt: "S\n1\nR", documents: [] }],
    });
  });
  it("documents come five at a time and within the bound together", () => {
    const texts = turns(
      ["user", "U"],
      ...Array.from({ length: 7 }, (_, i): ["tool", string] => ["tool", `${i}`.repeat(40)]),
    );
    expect(questionsOf(texts, 100, false, true).shield.map(({ documents }) => documents.length)).toEqual([
      2, 2, 2, 1,
    ]);
    expect(questionsOf(texts, 10_000, false, true).shield.map(({ documents }) => documents.length)).toEqual([
      5, 2,
    ]);
  });
  it.each([
    [["a"], ["a"]],
    [
      ["bo", "mb"],
      ["bo\nmb", "bomb"],
    ],
    [["End.", "Begin"], ["End.\nBegin"]],
    [["a ", "b"], ["a \nb"]],
  ])("parts %j may be read as %j", (parts, expected) => expect(renditions(parts)).toEqual(expected));

  it.each([1, 199, 200, 201, 10_000, 10_001, 12_345, 100_000])(
    "a text of %i is cut without a gap",
    (length) => {
      const text = Array.from({ length }, (_, i) => (i % 7 === 0 ? "😀" : "x")).join("");
      const all = pieces(text, 10_000);
      let joined = all[0]!;
      for (const piece of all.slice(1)) {
        expect(piece.length).toBeLessThanOrEqual(10_000);
        expect(piece.isWellFormed()).toBe(true);
        const shared = [201, 200, 199].find((n) => joined.endsWith(piece.slice(0, n)))!;
        joined += piece.slice(shared);
      }
      expect(joined).toBe(text);
    },
  );
  it("short texts share a question", () => {
    expect(packed(["a", " ", "b", "c".repeat(8), "d"], 10)).toEqual(["a\n\nb", "cccccccc", "d"]);
  });
});
