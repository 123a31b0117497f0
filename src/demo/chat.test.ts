import { describe, expect, test } from "vitest";
import { ask, chat, events, post, weather, writes } from "./asking.ts";
import { countTokens } from "./tokens.ts";

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
    [
      "nothing",
      { messages: ask("") },
      `${opening} You said nothing that I can repeat. I saw 1 message.`,
      "stop",
    ],
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
        response_format: {
          type: "json_schema",
          json_schema: { name: "x", schema: weather.function.parameters },
        },
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
    [
      "tools off",
      { messages: ask("get_weather"), tools: [weather], tool_choice: "none" },
      `${opening} You said: "get_weather". I saw 1 message.`,
      "stop",
    ],
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
    expect(reply.usage.completion_tokens).toBe(
      contents.reduce((sum: number, text: string) => sum + countTokens(text), 0),
    );
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
    [
      "mentioned",
      { messages: ask("Call get_weather, city=Paris!") },
      [["get_weather", { city: "Paris" }]],
      "tool_calls",
    ],
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
    expect(
      choice.message.tool_calls.map((c: any) => [c.function.name, JSON.parse(c.function.arguments)]),
    ).toEqual(calls);
    expect(new Set(choice.message.tool_calls.map((c: any) => c.id)).size).toBe(calls.length);
    expect(choice.finish_reason).toBe(finish);
  });

  test("a name inside another word calls nothing", () => {
    expect(chat({ tools, messages: ask("know nowhere get_weather_x") }).choices[0].message.content).toContain(
      "know",
    );
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
    events(
      post("/v1/chat/completions", { model: "m", messages: ask("Hi"), stream: true, ...fields }, headers),
    );

  test("first, second and last chunk, byte for byte", () => {
    const answer = post("/v1/chat/completions", {
      model: "m",
      messages: ask("Hi"),
      stream: true,
      max_tokens: 1,
    });
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
    expect(chunks.every((chunk) => chunk.usage === null && chunk.object === "chat.completion.chunk")).toBe(
      true,
    );
    const deltas = chunks.map((chunk) => chunk.choices[0].delta);
    const made = deltas.filter((delta) => (delta.content ?? "") !== "" || delta.tool_calls !== undefined);
    expect(made.length).toBe(whole.usage.completion_tokens);
    for (const choice of whole.choices) {
      const own = chunks
        .filter((chunk) => chunk.choices[0].index === choice.index)
        .map((chunk) => chunk.choices[0]);
      expect(own.at(-1).finish_reason).toBe(choice.finish_reason);
      expect(own.map((one) => one.delta.content ?? "").join("")).toBe(choice.message.content ?? "");
      const calls: any[] = [];
      for (const one of own.flatMap((each) => each.delta.tool_calls ?? [])) {
        if (one.id !== undefined)
          calls[one.index] = { id: one.id, type: one.type, function: { ...one.function } };
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
    const usages = chunks
      .map((chunk) => chunk.usage)
      .filter((usage) => usage !== undefined && usage !== null);
    expect(usages.length).toBe(reports);
    if (reports > 0) expect(usages.at(-1).completion_tokens).toBe(20);
    if (mode === "middle") expect(usages[0].completion_tokens).toBe(10);
  });
});
