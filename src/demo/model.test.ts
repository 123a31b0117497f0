import { describe, expect, test } from "vitest";
import { HeaderList } from "../base/headers.ts";
import { DEFAULT_CONTROL } from "./control.ts";
import { answerRequest, findRoute, type ModelSettings } from "./model.ts";
import { isWrite, toBytes, type Answer, type Step } from "./steps.ts";
import { countTokens } from "./tokens.ts";

const settings: ModelSettings = {
  defaults: DEFAULT_CONTROL,
  models: ["demo/echo"],
  onlyListed: false,
  apiKeys: null,
  contextTokens: 1000,
};
const stamp = { id: "demo1", created: 1767225600 };

function post(target: string, body: unknown, headers: string[] = [], change: Partial<ModelSettings> = {}): Answer {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const request = { method: "POST", target, headers: new HeaderList(headers), body: toBytes(text) };
  return answerRequest(request, { ...settings, ...change }, stamp);
}

const ask = (content: string): object[] => [{ role: "user", content }];

function chat(fields: object, headers: string[] = []): any {
  const answer = post("/v1/chat/completions", { model: "m", messages: ask("Hi"), ...fields }, headers);
  return { status: answer.status, ...JSON.parse(answer.body as string) };
}

function writes(answer: Answer): string[] {
  return [...(answer.body as Iterable<Step>)].filter(isWrite).map((step) => Buffer.from(toBytes(step)).toString());
}

/** Data of each event; `[DONE]` stays text. */
function events(answer: Answer): any[] {
  return writes(answer)
    .join("")
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => {
      const data = event.split("\n").find((line) => line.startsWith("data: "))!.slice(6);
      return data === "[DONE]" ? data : JSON.parse(data);
    });
}

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

test.each([
  ["/v1/chat/completions", "chat/completions", null, null],
  ["/chat/completions", "chat/completions", null, null],
  ["/openai/v1/chat/completions", "chat/completions", null, null],
  ["/openai/deployments/gpt%204/chat/completions", "chat/completions", "gpt 4", null],
  ["/openai/deployments/e/embeddings", "embeddings", "e", null],
  ["/openai/responses", "responses", null, null],
  ["/models/chat/completions", "chat/completions", null, null],
  ["/v1/models", "models", null, null],
  ["/v1/models/demo%2Fecho", "models", null, "demo/echo"],
  ["/v1/models/demo/echo", "models", null, "demo/echo"],
])("path %s is %s", (path, endpoint, deployment, id) => {
  expect(findRoute(path)).toEqual({ endpoint, deployment, id });
});

test.each(["/", "/v2/models", "/v1/chat/completions/1", "/v1/chat/completions/", "/v1/models/%zz", "/x/v1/models"])(
  "path %s is unknown",
  (path) => expect(findRoute(path)).toBeNull(),
);

test("a chat completion, whole", () => {
  expect(chat({})).toEqual({
    status: 200,
    id: "chatcmpl-demo1",
    object: "chat.completion",
    created: 1767225600,
    model: "m",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: 'Hello from Headgate\'s demo model. You said: "Hi". I saw 1 message.',
          refusal: null,
          annotations: [],
        },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: {
      prompt_tokens: 7,
      completion_tokens: 20,
      total_tokens: 27,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
    service_tier: "default",
    system_fingerprint: "fp_headgate_demo",
  });
});

describe("what is said", () => {
  const opening = "Hello from Headgate's demo model.";
  test.each<[name: string, fields: object, content: string, finish: string]>([
    ["nothing", { messages: ask("") }, `${opening} You said nothing that I can repeat. I saw 1 message.`, "stop"],
    [
      "system",
      { messages: [{ role: "developer", content: "Be nice" }, ...ask("Yo")] },
      `${opening} You said: "Yo". I saw 2 messages, a system message among them.`,
      "stop",
    ],
    [
      "parts",
      {
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "a" },
              { type: "image_url", image_url: { url: "data:" } },
              { type: "text", text: "b" },
            ],
          },
        ],
      },
      `${opening} You said: "a\nb". I saw 1 message.`,
      "stop",
    ],
    ["seed", { seed: 1 }, `Hi, this is Headgate's demo model. You said: "Hi". I saw 1 message.`, "stop"],
    ["max_tokens", { max_tokens: 2 }, "Hello from", "length"],
    ["max_completion_tokens", { max_completion_tokens: 3, max_tokens: 9 }, "Hello from Headgate", "length"],
    ["enough tokens", { max_tokens: 20 }, `${opening} You said: "Hi". I saw 1 message.`, "stop"],
    ["stop", { stop: " demo" }, "Hello from Headgate's", "stop"],
    ["first of several stops", { stop: ["said", "You", "zzz"] }, `${opening} `, "stop"],
    ["stop at once", { stop: ["Hello"] }, "", "stop"],
    ["stop, then length", { stop: ["said"], max_tokens: 1 }, "Hello", "length"],
    [
      "json_object",
      { response_format: { type: "json_object" } },
      '{"model":"Headgate\'s demo model","echo":"Hi","messages":1}',
      "stop",
    ],
    [
      "json_schema",
      {
        messages: ask("city=Oslo"),
        response_format: { type: "json_schema", json_schema: { name: "x", schema: weather.function.parameters } },
      },
      '{"city":"Oslo"}',
      "stop",
    ],
    [
      "tool result",
      {
        messages: [
          ...ask("get_weather"),
          {
            role: "assistant",
            content: null,
            tool_calls: [{ id: "c", type: "function", function: { name: "get_weather", arguments: "{}" } }],
          },
          { role: "tool", tool_call_id: "c", content: "sunny" },
        ],
        tools: [weather],
        tool_choice: "required",
      },
      `${opening} The tool answered: "sunny". I saw 3 messages.`,
      "stop",
    ],
    ["tools, none named", { tools: [weather] }, `${opening} You said: "Hi". I saw 1 message.`, "stop"],
    ["tools off", { messages: ask("get_weather"), tools: [weather], tool_choice: "none" }, `${opening} You said: "get_weather". I saw 1 message.`, "stop"],
  ])("%s", (_, fields, content, finish) => {
    const reply = chat(fields);
    expect(reply.choices[0].message.content).toBe(content);
    expect(reply.choices[0].finish_reason).toBe(finish);
    expect(reply.usage.completion_tokens).toBe(countTokens(content));
  });

  test("n choices, each with another opening", () => {
    const reply = chat({ n: 3 });
    expect(reply.choices.map((choice: any) => choice.index)).toEqual([0, 1, 2]);
    const contents = reply.choices.map((choice: any) => choice.message.content as string);
    expect(new Set(contents).size).toBe(3);
    expect(reply.usage.completion_tokens).toBe(contents.reduce((sum: number, text: string) => sum + countTokens(text), 0));
  });

  test("a long message is repeated in part", () => {
    const content = chat({ messages: ask("word ".repeat(500)) }).choices[0].message.content;
    expect(countTokens(content)).toBeLessThan(250);
    expect(content).toContain("…");
  });
});

describe("tool calls", () => {
  const other = { type: "function", function: { name: "now" } };
  const tools = [weather, other];
  const named = { type: "function", function: { name: "now" } };
  const allowed = { type: "allowed_tools", allowed_tools: { mode: "required", tools: [named] } };
  test.each<[name: string, fields: object, calls: [string, object][], finish: string]>([
    ["required", { tool_choice: "required" }, [["get_weather", { city: "demo city" }]], "tool_calls"],
    ["named", { tool_choice: named }, [["now", {}]], "stop"],
    ["allowed", { tool_choice: { ...allowed } }, [["now", {}]], "stop"],
    ["mentioned", { messages: ask("Call get_weather, city=Paris!") }, [["get_weather", { city: "Paris" }]], "tool_calls"],
    ["any case", { messages: ask("NOW please") }, [["now", {}]], "tool_calls"],
    [
      "in parallel, one tool twice",
      { messages: ask("get_weather city=Paris, now, get_weather city=Rome") },
      [
        ["get_weather", { city: "Paris" }],
        ["now", {}],
        ["get_weather", { city: "Rome" }],
      ],
      "tool_calls",
    ],
    [
      "not in parallel",
      { messages: ask("now and now"), parallel_tool_calls: false },
      [["now", {}]],
      "tool_calls",
    ],
  ])("%s", (_, fields, calls, finish) => {
    const [choice] = chat({ tools, ...fields }).choices;
    expect(choice.message.content).toBeNull();
    expect(choice.message.tool_calls.map((c: any) => [c.function.name, JSON.parse(c.function.arguments)])).toEqual(calls);
    expect(new Set(choice.message.tool_calls.map((c: any) => c.id)).size).toBe(calls.length);
    expect(choice.finish_reason).toBe(finish);
  });

  test("a name inside another word calls nothing", () => {
    expect(chat({ tools, messages: ask("know nowhere get_weather_x") }).choices[0].message.content).toContain("know");
  });

  test("arguments are cut by max_tokens", () => {
    const reply = chat({ tools, tool_choice: "required", max_tokens: 3 });
    expect(reply.choices[0].finish_reason).toBe("length");
    expect(reply.choices[0].message.tool_calls[0].function.arguments).toBe('{"');
    expect(reply.usage.completion_tokens).toBe(3);
  });
});

describe("chat streams", () => {
  const stream = (fields: object = {}, headers: string[] = []): any[] =>
    events(post("/v1/chat/completions", { model: "m", messages: ask("Hi"), stream: true, ...fields }, headers));

  test("first, second and last chunk, byte for byte", () => {
    const answer = post("/v1/chat/completions", { model: "m", messages: ask("Hi"), stream: true, max_tokens: 1 });
    const head =
      'data: {"id":"chatcmpl-demo1","object":"chat.completion.chunk","created":1767225600,"model":"m",' +
      '"service_tier":"default","system_fingerprint":"fp_headgate_demo","choices":[{"index":0,"delta":';
    expect(writes(answer)).toEqual([
      `${head}{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}\n\n`,
      `${head}{"content":"Hello"},"logprobs":null,"finish_reason":null}]}\n\n`,
      `${head}{},"logprobs":null,"finish_reason":"length"}]}\n\n`,
      "data: [DONE]\n\n",
    ]);
    expect(answer.headers.slice(0, 4)).toEqual([
      "Content-Type",
      "text/event-stream; charset=utf-8",
      "Cache-Control",
      "no-cache",
    ]);
  });

  test.each<[name: string, fields: object]>([
    ["text", {}],
    ["three choices", { n: 3 }],
    ["cut", { max_tokens: 4 }],
    ["empty", { stop: "Hello" }],
    ["tools", { tools: [weather], messages: ask("get_weather city=Paris and get_weather") }],
    ["tools cut", { tools: [weather], tool_choice: "required", max_tokens: 2 }],
  ])("%s: the chunks make up the whole answer, one token each", (_, fields) => {
    const whole = chat(fields);
    const chunks = stream({ ...fields, stream_options: { include_usage: true } });
    expect(chunks.pop()).toBe("[DONE]");
    const last = chunks.pop();
    expect(last.choices).toEqual([]);
    expect(last.usage).toEqual(whole.usage);
    expect(chunks.every((chunk) => chunk.usage === null && chunk.object === "chat.completion.chunk")).toBe(true);
    const deltas = chunks.map((chunk) => chunk.choices[0].delta);
    const made = deltas.filter((delta) => (delta.content ?? "") !== "" || delta.tool_calls !== undefined);
    expect(made.length).toBe(whole.usage.completion_tokens);
    for (const choice of whole.choices) {
      const own = chunks.filter((chunk) => chunk.choices[0].index === choice.index).map((chunk) => chunk.choices[0]);
      expect(own.at(-1).finish_reason).toBe(choice.finish_reason);
      expect(own.map((one) => one.delta.content ?? "").join("")).toBe(choice.message.content ?? "");
      const calls: any[] = [];
      for (const one of own.flatMap((each) => each.delta.tool_calls ?? [])) {
        if (one.id !== undefined) calls[one.index] = { id: one.id, type: one.type, function: { ...one.function } };
        else calls[one.index].function.arguments += one.function.arguments;
      }
      expect(calls).toEqual(choice.message.tool_calls ?? []);
    }
  });

  test.each<[mode: string, asked: boolean, reports: number]>([
    ["asked", false, 0],
    ["asked", true, 1],
    ["none", true, 0],
    ["always", false, 1],
    ["middle", false, 2],
    ["twice", false, 2],
  ])("x-demo-usage %s, include_usage %s: %i reports", (mode, asked, reports) => {
    const chunks = stream({ stream_options: { include_usage: asked } }, ["x-demo-usage", mode]);
    const usages = chunks.map((chunk) => chunk.usage).filter((usage) => usage !== undefined && usage !== null);
    expect(usages.length).toBe(reports);
    if (reports > 0) expect(usages.at(-1).completion_tokens).toBe(20);
    if (mode === "middle") expect(usages[0].completion_tokens).toBe(10);
  });
});

describe("responses", () => {
  const respond = (fields: object, headers: string[] = []): any =>
    JSON.parse(post("/v1/responses", { model: "m", input: "Hi", ...fields }, headers).body as string);
  const flat = { type: "function", ...weather.function };

  test("whole", () => {
    const text = 'Hello from Headgate\'s demo model. You said: "Hi". I saw 1 message.';
    expect(respond({})).toMatchObject({
      id: "resp_demo1",
      object: "response",
      created_at: 1767225600,
      status: "completed",
      error: null,
      incomplete_details: null,
      model: "m",
      output: [
        {
          id: "msg_demo1",
          type: "message",
          status: "completed",
          role: "assistant",
          content: [{ type: "output_text", text, annotations: [] }],
        },
      ],
      usage: {
        input_tokens: 7,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: 20,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 27,
      },
    });
  });

  test.each<[name: string, fields: object, types: string[]]>([
    [
      "text",
      { max_output_tokens: 2 },
      [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.incomplete",
      ],
    ],
    [
      "calls",
      { tools: [flat], tool_choice: { type: "function", name: "get_weather" }, instructions: "x" },
      [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        ...Array<string>(10).fill("response.function_call_arguments.delta"),
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
      ],
    ],
  ])("stream of %s", (_, fields, types) => {
    const whole = respond(fields);
    const list = events(post("/v1/responses", { model: "m", input: "Hi", stream: true, ...fields }));
    expect(list.map((event) => event.type)).toEqual(types);
    expect(list.map((event) => event.sequence_number)).toEqual(types.map((__, i) => i));
    expect(list.at(-1).response).toEqual(whole);
    expect(list.findLast((event) => event.type === "response.output_item.done").item).toEqual(whole.output[0]);
    const deltas = list.filter((event) => typeof event.delta === "string");
    const named = whole.output.filter((item: any) => item.type === "function_call").length;
    expect(deltas.length + named).toBe(whole.usage.output_tokens);
    const text = whole.output[0].content?.[0].text ?? whole.output[0].arguments;
    expect(deltas.map((event) => event.delta).join("")).toBe(text);
  });

  test("a conversation with a tool's result", () => {
    const input = [
      { role: "user", content: [{ type: "input_text", text: "get_weather" }] },
      { type: "function_call", call_id: "c", name: "get_weather", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "rain" },
    ];
    expect(respond({ input, tools: [flat] }).output[0].content[0].text).toContain('The tool answered: "rain".');
  });

  test("structured text", () => {
    const text = { format: { type: "json_schema", name: "x", schema: weather.function.parameters } };
    expect(respond({ text }).output[0].content[0].text).toBe('{"city":"demo city"}');
  });
});

describe("embeddings", () => {
  const embed = (fields: object): any => JSON.parse(post("/v1/embeddings", { model: "e", ...fields }).body as string);
  const dot = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

  test("unit vectors in which similar texts are similar", () => {
    const { data, usage, object } = embed({
      input: ["How do I reset my password?", "How can I reset my password", "Ships sail at dawn"],
    });
    const [a, b, c] = data.map((one: any) => one.embedding);
    expect(object).toBe("list");
    expect(data.map((one: any) => one.index)).toEqual([0, 1, 2]);
    expect(dot(a, a)).toBeCloseTo(1, 5);
    expect(dot(a, b)).toBeGreaterThan(0.8);
    expect(Math.abs(dot(a, c))).toBeLessThan(0.3);
    expect(usage).toEqual({ prompt_tokens: 17, total_tokens: 17 });
  });

  test.each<[fields: object, dimensions: number]>([
    [{ input: "x" }, 256],
    [{ input: "x", dimensions: 8 }, 8],
    [{ input: "  ", dimensions: 8 }, 8],
    [{ input: [1, 2, 3] }, 256],
    [{ input: [[1, 2], [3]] }, 256],
    [{ input: "x", model: "text-embedding-3-large" }, 3072],
  ])("%j has %i dimensions", (fields, dimensions) => {
    const [{ embedding }] = embed(fields).data;
    expect(embedding.length).toBe(dimensions);
    expect(dot(embedding, embedding)).toBeCloseTo(1, 5);
  });

  test("base64 is the same vector", () => {
    const [{ embedding }] = embed({ input: "x", encoding_format: "base64" }).data;
    const bytes = Buffer.from(embedding, "base64");
    const floats = Array.from({ length: 256 }, (_, i) => bytes.readFloatLE(i * 4));
    expect(floats).toEqual(embed({ input: "x" }).data[0].embedding);
  });
});

describe("refusals", () => {
  const ok = { model: "m", messages: ask("Hi") };
  const c = "/v1/chat/completions";
  const r = "/v1/responses";
  const e = "/v1/embeddings";
  const call = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } };
  test.each<[target: string, body: unknown, status: number, code: string | null, param: string | null, text: string]>([
    ["/v1/nothing", {}, 404, null, null, "Invalid URL (POST /v1/nothing)"],
    ["/v1/models", {}, 405, "method_not_supported", null, "Not allowed to POST on /v1/models"],
    [c, "{", 400, null, null, "could not parse the JSON body"],
    [c, "", 400, null, null, "could not parse the JSON body"],
    [c, "[]", 400, null, null, "expected an object, but got an array"],
    [c, `{"a":${"[".repeat(101)}${"]".repeat(101)}}`, 400, null, null, "levels deep"],
    [c, {}, 400, null, null, "you must provide a model parameter"],
    [c, { model: 1 }, 400, "invalid_type", "model", "Invalid type for 'model': expected a string"],
    [c, { model: "m" }, 400, "missing_required_parameter", "messages", "Missing required parameter: 'messages'."],
    [c, { model: "m", messages: "Hi" }, 400, "invalid_type", "messages", "expected an array"],
    [c, { model: "m", messages: [] }, 400, "empty_array", "messages", "empty array"],
    [c, { model: "m", messages: [1] }, 400, "invalid_type", "messages[0]", "expected an object, but got an integer"],
    [c, { model: "m", messages: [{ role: "king" }] }, 400, "invalid_value", "messages[0].role", "Invalid value: 'king'"],
    [c, { model: "m", messages: [{ role: "__proto__" }] }, 400, "invalid_value", "messages[0].role", "Invalid value"],
    [c, { model: "m", messages: [{ role: "user" }] }, 400, "invalid_type", "messages[0].content", "but got null"],
    [c, { ...ok, messages: [{ role: "tool", tool_call_id: "x", content: "" }] }, 400, null, "messages.[0].role", "preceeding"],
    [c, { ...ok, messages: [{ role: "assistant", tool_calls: [call] }, ...ask("x")] }, 400, null, "messages", "c1"],
    [c, { ...ok, messages: ask("word ".repeat(2000)) }, 400, "context_length_exceeded", "messages", "1000 tokens"],
    [c, { ...ok, n: 0 }, 400, "integer_below_min_value", "n", "Expected a value >= 1, but got 0"],
    [c, { ...ok, n: 9 }, 400, "integer_above_max_value", "n", "Expected a value <= 8"],
    [c, { ...ok, n: 1.5 }, 400, "invalid_type", "n", "expected an integer, but got a decimal"],
    [c, { ...ok, max_tokens: 0 }, 400, "integer_below_min_value", "max_tokens", "below minimum"],
    [c, { ...ok, temperature: 3 }, 400, "decimal_above_max_value", "temperature", "<= 2"],
    [c, { ...ok, stream: "yes" }, 400, "invalid_type", "stream", "expected a boolean"],
    [c, { ...ok, stream_options: {} }, 400, null, "stream_options", "only allowed when 'stream' is enabled"],
    [c, { ...ok, stop: ["a", "b", "c", "d", "e"] }, 400, "array_above_max_length", "stop", "maximum length 4"],
    [c, { ...ok, stop: "" }, 400, null, "stop", "cannot be empty"],
    [c, { ...ok, tools: [{ type: "gadget" }] }, 400, "invalid_value", "tools[0].type", "'gadget'"],
    [c, { ...ok, tools: [{ type: "function", function: { name: "a b" } }] }, 400, "invalid_value", "tools[0].function.name", "pattern"],
    [c, { ...ok, tool_choice: "auto" }, 400, null, "tool_choice", "only allowed when 'tools'"],
    [c, { ...ok, tools: [], tool_choice: "maybe" }, 400, "invalid_value", "tool_choice", "'maybe'"],
    [c, { ...ok, tools: [weather], tool_choice: { type: "function", function: { name: "g" } } }, 400, null, "tool_choice", "'g'"],
    [c, { ...ok, response_format: { type: "xml" } }, 400, "invalid_value", "response_format.type", "'xml'"],
    [c, { ...ok, response_format: { type: "json_schema" } }, 400, "missing_required_parameter", "response_format.json_schema", "Missing"],
    [c, { ...ok, response_format: { type: "json_schema", json_schema: { name: "x", schema: { enum: ["x".repeat(1e5)] } } } }, 400, "invalid_json_schema", "response_format.json_schema.schema", "100000"],
    [r, { model: "m" }, 400, "missing_required_parameter", "input", "Missing required parameter: 'input'."],
    [r, { model: "m", input: 1 }, 400, "invalid_type", "input", "string or array"],
    [r, { model: "m", input: "x", previous_response_id: "resp_1" }, 400, "previous_response_not_found", "previous_response_id", "resp_1"],
    [r, { model: "m", input: "x", background: true }, 400, "unsupported_value", "background", "background"],
    [r, { model: "m", input: [{ type: "function_call_output", call_id: "c", output: "" }] }, 400, null, "input", "No tool call found"],
    [r, { model: "m", input: "x", text: { format: { type: "json_schema" } } }, 400, "missing_required_parameter", "text.format.name", "Missing"],
    [r, { model: "m", input: "x", text: 1 }, 400, "invalid_type", "text", "expected an object"],
    [e, { model: "e" }, 400, "missing_required_parameter", "input", "Missing"],
    [e, { model: "e", input: "" }, 400, "invalid_value", "input", "cannot be an empty string"],
    [e, { model: "e", input: [] }, 400, "empty_array", "input", "empty array"],
    [e, { model: "e", input: ["a", 1] }, 400, "invalid_type", "input[1]", "string or array of integers"],
    [e, { model: "e", input: [1, -1] }, 400, "invalid_type", "input[0][1]", "token id"],
    [e, { model: "e", input: "x", dimensions: 4000 }, 400, "integer_above_max_value", "dimensions", "<= 3072"],
    [e, { model: "e", input: "x", encoding_format: "hex" }, 400, "invalid_value", "encoding_format", "'hex'"],
    [e, { model: "e", input: Array(500).fill("x"), dimensions: 3072 }, 400, "too_many_numbers", "input", "1000000"],
    [e, { model: "e", input: Array(2049).fill("x") }, 400, "array_above_max_length", "input", "2048"],
  ])("%s %j → %i", (target, body, status, code, param, text) => {
    const answer = post(target, body);
    const { error } = JSON.parse(answer.body as string);
    expect({ status: answer.status, code: error.code, param: error.param }).toEqual({ status, code, param });
    expect(error.type).toBe("invalid_request_error");
    expect(error.message).toContain(text);
  });

  test("keys", () => {
    const keys = { apiKeys: ["k1"] };
    const status = (...headers: string[]): number => post(c, ok, headers, keys).status;
    expect([status(), status("Authorization", "Bearer k2"), status("api-key", "k1"), status("authorization", "bearer k1")]).toEqual([
      401, 401, 200, 200,
    ]);
  });

  test("unlisted models", () => {
    expect(post(c, ok, [], { onlyListed: true }).status).toBe(404);
    expect(post(c, { ...ok, model: "demo/echo" }, [], { onlyListed: true }).status).toBe(200);
  });
});

describe("orders", () => {
  const body = { model: "m", messages: ask("Hi"), stream: true };
  const run = (...headers: string[]): Answer => post("/v1/chat/completions", body, headers);
  const steps = (...headers: string[]): Step[] => [...(run(...headers).body as Iterable<Step>)];

  test.each([
    ["429", "rate_limit_exceeded", "requests"],
    ["503", "server_overloaded", "server_error"],
    ["418", null, "invalid_request_error"],
    ["500", null, "server_error"],
  ])("x-demo-status %s", (status, code, type) => {
    const answer = run("x-demo-status", status, "X-Demo-Retry-After", "7", "x-demo-latency-ms", "30");
    expect(answer.status).toBe(Number(status));
    expect(answer.latencyMs).toBe(30);
    expect(answer.headers.slice(-2)).toEqual(["Retry-After", "7"]);
    expect(JSON.parse(answer.body as string).error).toMatchObject({ code, type });
  });

  test.each([1, 2, 20, 21, 40, 500, 10_000])("x-demo-tokens %i", (tokens) => {
    const reply = chat({}, ["x-demo-tokens", String(tokens)]);
    expect(reply.usage.completion_tokens).toBe(tokens);
    expect(countTokens(reply.choices[0].message.content)).toBe(tokens);
  });

  test("x-demo-cached-tokens, x-demo-reasoning-tokens", () => {
    const { usage } = chat({}, ["x-demo-cached-tokens", "4", "x-demo-reasoning-tokens", "10"]);
    expect(usage).toMatchObject({
      prompt_tokens: 7,
      completion_tokens: 30,
      total_tokens: 37,
      prompt_tokens_details: { cached_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 10 },
    });
  });

  test("pace, pings, line ends, slices", () => {
    expect(steps("x-demo-chunk-ms", "5").slice(1, 2)).toEqual([{ waitMs: 5 }]);
    expect(steps("x-demo-ping-every", "1")[0]).toBe(": ping\n\n");
    expect(steps("x-demo-newline", "crlf").every((step) => /[^\n]\r\n\r\n$/.test(step as string))).toBe(true);
    expect(writes(run("x-demo-slice-bytes", "3")).join("")).toBe(writes(run()).join(""));
  });

  test("faults in a stream", () => {
    const whole = writes(run());
    expect(steps("x-demo-error-after-chunks", "2")).toEqual([...whole.slice(0, 2), { end: "reset" }]);
    const stall = steps("x-demo-error-after-chunks", "0", "x-demo-error-kind", "stall");
    expect(stall).toEqual([{ end: "stall" }]);
    const error = events(run("x-demo-error-after-chunks", "3", "x-demo-error-kind", "error"));
    expect(error.length).toBe(4);
    expect(error.at(-1).error.type).toBe("server_error");
    const headers = ["x-demo-error-after-chunks", "4", "x-demo-error-kind", "error"];
    const failed = events(post("/v1/responses", { model: "m", input: "Hi", stream: true }, headers));
    expect(failed.map((event) => event.sequence_number)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(failed.slice(4).map((event) => event.type)).toEqual(["error", "response.failed"]);
    expect(failed.at(-1).response).toMatchObject({ status: "failed", error: { code: "server_error" } });
  });

  test("faults in a whole answer", () => {
    const plain = { model: "m", messages: ask("Hi") };
    const answer = post("/v1/chat/completions", plain, ["x-demo-error-after-chunks", "1"]);
    const [first, end] = [...(answer.body as Iterable<Step>)];
    expect((first as Uint8Array).length).toBe(64);
    expect(end).toEqual({ end: "reset" });
    expect(Number(answer.headers.at(-1))).toBeGreaterThan(500);
    const headers = ["x-demo-error-after-chunks", "1", "x-demo-error-kind", "error"];
    expect(post("/v1/chat/completions", plain, headers).status).toBe(500);
  });

  test.each([
    ["x-demo-latency-ms", "soon"],
    ["x-demo-latency-ms", "-1"],
    ["x-demo-latency-ms", "600001"],
    ["x-demo-status", "200"],
    ["x-demo-error-kind", "fire"],
    ["x-demo-usage", "thrice"],
    ["x-demo-slice-bytes", "0"],
    ["x-demo-latency", "1"],
    ["x-demo-__proto__", "1"],
  ])("%s: %s is refused", (name, value) => {
    const answer = run(name, value);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body as string).error.message).toContain(name);
  });
});
