import { describe, expect, test } from "vitest";
import { events, post, weather } from "./asking.ts";

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
    expect(list.findLast((event) => event.type === "response.output_item.done").item).toEqual(
      whole.output[0],
    );
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
    expect(respond({ input, tools: [flat] }).output[0].content[0].text).toContain(
      'The tool answered: "rain".',
    );
  });

  test("structured text", () => {
    const text = { format: { type: "json_schema", name: "x", schema: weather.function.parameters } };
    expect(respond({ text }).output[0].content[0].text).toBe('{"city":"demo city"}');
  });
});
