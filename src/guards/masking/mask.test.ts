import { expect, test } from "vitest";
import { PERSONAL_KINDS } from "../detectors/personal-data.ts";
import { MASK_KINDS, type Masked, maskRequest, maskText } from "./mask.ts";
import { DEFAULT_FORM, badForm } from "./placeholders.ts";

const rules = { kinds: PERSONAL_KINDS, form: DEFAULT_FORM };
const MAIL = "ann@example.com";

function masked(body: unknown, kinds = rules.kinds): Masked {
  return maskRequest(typeof body === "string" ? body : JSON.stringify(body), { ...rules, kinds }) as Masked;
}

/** Bodies of every dialect; each string with the address in it is text, and each with `KEEP` is none. */
const KEEP = "4111111111111111";
test.each<[string, unknown]>([
  ["chat", { model: KEEP, user: MAIL, messages: [{ role: "user", name: KEEP, content: MAIL }] }],
  [
    "chat, parts",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: MAIL },
            { type: "image_url", image_url: { url: `https://e.example/${KEEP}` } },
          ],
        },
      ],
    },
  ],
  [
    "chat, tool calls",
    {
      messages: [
        {
          role: "assistant",
          tool_calls: [
            { id: `call_${KEEP}`, type: "function", function: { name: KEEP, arguments: `{"to":"${MAIL}"}` } },
          ],
        },
        { role: "tool", tool_call_id: KEEP, content: `{"a":[{"${MAIL}":1}]}` },
      ],
    },
  ],
  [
    "chat, tools",
    {
      tools: [
        {
          type: "function",
          function: {
            name: KEEP,
            description: MAIL,
            parameters: { properties: { a: { enum: [MAIL] } }, required: [KEEP] },
          },
        },
      ],
    },
  ],
  ["completions", { prompt: MAIL, suffix: MAIL }],
  ["completions, several", { prompt: [MAIL, MAIL] }],
  ["embeddings", { input: [MAIL], model: KEEP }],
  ["responses", { instructions: MAIL, input: MAIL, previous_response_id: KEEP }],
  [
    "responses, items",
    {
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text: MAIL },
            { type: "input_image", image_url: `data:image/png;base64,${KEEP}` },
          ],
        },
        { type: "function_call", call_id: KEEP, arguments: `{"x":"${MAIL}"}` },
        { type: "function_call_output", call_id: KEEP, output: MAIL },
        { type: "reasoning", encrypted_content: KEEP, summary: [{ text: MAIL }] },
      ],
    },
  ],
  [
    "messages",
    {
      system: [{ type: "text", text: MAIL }],
      messages: [
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: KEEP, content: [{ type: "text", text: MAIL }] }],
        },
      ],
    },
  ],
  [
    "messages, system",
    {
      system: MAIL,
      messages: [
        {
          role: "assistant",
          content: [{ type: "tool_use", id: KEEP, name: KEEP, input: { name: MAIL, id: MAIL, [MAIL]: 1 } }],
        },
      ],
    },
  ],
  [
    "messages, documents",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "document", title: MAIL, source: { type: "text", media_type: KEEP, data: MAIL } },
            { type: "document", source: { type: "base64", data: KEEP } },
          ],
        },
      ],
    },
  ],
  [
    "gemini",
    {
      systemInstruction: { parts: [{ text: MAIL }] },
      contents: [
        {
          role: "user",
          parts: [
            { text: MAIL },
            { inlineData: { mimeType: KEEP, data: KEEP } },
            { functionCall: { name: KEEP, args: { type: MAIL } } },
            { functionResponse: { name: KEEP, response: { name: MAIL } } },
          ],
        },
      ],
    },
  ],
  [
    "converse",
    {
      system: [{ text: MAIL }],
      messages: [
        {
          role: "user",
          content: [
            { text: MAIL },
            { toolResult: { toolUseId: KEEP, content: [{ json: { id: MAIL } }] } },
            { toolUse: { toolUseId: KEEP, name: KEEP, input: { name: MAIL } } },
            { image: { format: KEEP, source: { bytes: KEEP } } },
          ],
        },
      ],
    },
  ],
  ["titan", { inputText: MAIL }],
  [
    "cohere",
    {
      preamble: MAIL,
      message: MAIL,
      chat_history: [{ role: "USER", message: MAIL }],
      documents: [{ id: MAIL, snippet: MAIL }],
    },
  ],
  [
    "what nobody knows yet",
    { messages: [{ role: "user", content: [{ type: "hologram", caption: { deep: [MAIL] } }] }] },
  ],
])("masks every text and nothing else of %s", (_, body) => {
  const { text, values } = masked(body);
  expect(text).toBe(JSON.stringify(body).replaceAll(MAIL, "<EMAIL_1>"));
  expect([...values]).toEqual([["<EMAIL_1>", MAIL]]);
});

test.each<[string, string, string]>([
  [
    "blanks, numbers and double members stay",
    ` { "a" : 1.0, "prompt":"${MAIL}", "prompt" : "b", "n":1e400 } `,
    ` { "a" : 1.0, "prompt":"<EMAIL_1>", "prompt" : "b", "n":1e400 } `,
  ],
  [
    "a placeholder that is there already is nobody's",
    `{"prompt":"${MAIL} <EMAIL_1> <EMAIL_3>","b":"bob@example.com"}`,
    '{"prompt":"<EMAIL_2> <EMAIL_1> <EMAIL_3>","b":"<EMAIL_4>"}',
  ],
  [
    "also where it is escaped",
    `{"prompt":"${MAIL}","id":"\\u003cEMAIL_1\\u003e","b":"\\u003cEMAIL_2>"}`,
    '{"prompt":"<EMAIL_3>","id":"\\u003cEMAIL_1\\u003e","b":"\\u003cEMAIL_2>"}',
  ],
  [
    "the same value is the same",
    `{"a":"${MAIL} x@y.example ${MAIL}"}`,
    '{"a":"<EMAIL_1> <EMAIL_2> <EMAIL_1>"}',
  ],
  [
    "numbers in arguments become strings",
    '{"messages":[{"tool_calls":[{"function":{"arguments":"{\\"card\\":4111111111111111,\\"n\\":12}"}}]}]}',
    '{"messages":[{"tool_calls":[{"function":{"arguments":"{\\"card\\":\\"<CARD_1>\\",\\"n\\":12}"}}]}]}',
  ],
  [
    "escapes in the text",
    `{"prompt":"\\u0061nn\\u0040example.com \\"é\\""}`,
    '{"prompt":"<EMAIL_1> \\"é\\""}',
  ],
  ["an array at the top", `["${MAIL}"]`, '["<EMAIL_1>"]'],
])("%s", (_, body, expected) => expect(masked(body).text).toBe(expected));

test("secrets only when they are asked for", () => {
  const body = { prompt: "key AKIAIOSFODNN7EXAMPLE" };
  expect(masked(body).values.size).toBe(0);
  expect(masked(body, MASK_KINDS as typeof PERSONAL_KINDS).text).toBe('{"prompt":"key <SECRET_1>"}');
});

test.each([
  ['{"response_format":{"type":"json_schema"}}', true],
  ['{"text":{"format":{"type": "json_object"}}}', true],
  ['{"generationConfig":{"responseMimeType":"application/json"}}', true],
  ['{"messages":[{"content":[{"type":"text"}]}]}', false],
])("whether JSON is asked for: %s", (body, wants) => expect(masked(body).wantsJson).toBe(wants));

test("what is no JSON is not masked as JSON", () => {
  for (const body of ["", "{", "{}x", '{"a":}', "nothing", '{"a":"\n\\x"}', "[".repeat(500)])
    expect(maskRequest(body, rules)).toBeNull();
  expect((maskText(`Mail ${MAIL}`, rules) as Masked).text).toBe("Mail <EMAIL_1>");
});

test("a long text is masked in turns, at every place, seams or not", async () => {
  const address = "742 Evergreen Terrace, Springfield, OR 97403";
  for (const at of [7000, 7150, 7168, 8150, 8180, 8192, 15_000, 15_300, 39_000]) {
    const text = `${"word ".repeat(10_000).slice(0, at)} ${address} ${MAIL} ${"word ".repeat(1000)}`;
    const done = await maskRequest(JSON.stringify({ prompt: text }), rules);
    expect(JSON.parse(done!.text).prompt).toBe(
      text.replace(address, "<ADDRESS_1>").replace(MAIL, "<EMAIL_1>"),
    );
  }
});

test.each([
  [DEFAULT_FORM, true],
  ["[{kind}-{n}]", true],
  ["⟨{kind}{n}⟩", false],
  ["{kind}_{n}>", false],
  ["<{kind}_{n}", false],
  ["<{n}>", false],
  ['<"{kind}_{n}>', false],
  ["<<<<{kind}_{n}>>>>", false],
])("a placeholder's form: %s", (form, fine) => expect(badForm(form) === null).toBe(fine));
