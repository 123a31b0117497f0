import { describe, expect, test } from "vitest";
import { ask, post, weather } from "./asking.ts";

describe("refusals", () => {
  const ok = { model: "m", messages: ask("Hi") };
  const c = "/v1/chat/completions";
  const r = "/v1/responses";
  const e = "/v1/embeddings";
  const call = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } };
  test.each<
    [target: string, body: unknown, status: number, code: string | null, param: string | null, text: string]
  >([
    ["/v1/nothing", {}, 404, null, null, "Invalid URL (POST /v1/nothing)"],
    ["/v1/models", {}, 405, "method_not_supported", null, "Not allowed to POST on /v1/models"],
    [c, "{", 400, null, null, "could not parse the JSON body"],
    [c, "", 400, null, null, "could not parse the JSON body"],
    [c, "[]", 400, null, null, "expected an object, but got an array"],
    [c, `{"a":${"[".repeat(101)}${"]".repeat(101)}}`, 400, null, null, "levels deep"],
    [c, {}, 400, null, null, "you must provide a model parameter"],
    [c, { model: 1 }, 400, "invalid_type", "model", "Invalid type for 'model': expected a string"],
    [
      c,
      { model: "m" },
      400,
      "missing_required_parameter",
      "messages",
      "Missing required parameter: 'messages'.",
    ],
    [c, { model: "m", messages: "Hi" }, 400, "invalid_type", "messages", "expected an array"],
    [c, { model: "m", messages: [] }, 400, "empty_array", "messages", "empty array"],
    [
      c,
      { model: "m", messages: [1] },
      400,
      "invalid_type",
      "messages[0]",
      "expected an object, but got an integer",
    ],
    [
      c,
      { model: "m", messages: [{ role: "king" }] },
      400,
      "invalid_value",
      "messages[0].role",
      "Invalid value: 'king'",
    ],
    [
      c,
      { model: "m", messages: [{ role: "__proto__" }] },
      400,
      "invalid_value",
      "messages[0].role",
      "Invalid value",
    ],
    [
      c,
      { model: "m", messages: [{ role: "user" }] },
      400,
      "invalid_type",
      "messages[0].content",
      "but got null",
    ],
    [
      c,
      { ...ok, messages: [{ role: "tool", tool_call_id: "x", content: "" }] },
      400,
      null,
      "messages.[0].role",
      "preceeding",
    ],
    [
      c,
      { ...ok, messages: [{ role: "assistant", tool_calls: [call] }, ...ask("x")] },
      400,
      null,
      "messages",
      "c1",
    ],
    [
      c,
      { ...ok, messages: ask("word ".repeat(2000)) },
      400,
      "context_length_exceeded",
      "messages",
      "1000 tokens",
    ],
    [c, { ...ok, n: 0 }, 400, "integer_below_min_value", "n", "Expected a value >= 1, but got 0"],
    [c, { ...ok, n: 9 }, 400, "integer_above_max_value", "n", "Expected a value <= 8"],
    [c, { ...ok, n: 1.5 }, 400, "invalid_type", "n", "expected an integer, but got a decimal"],
    [c, { ...ok, max_tokens: 0 }, 400, "integer_below_min_value", "max_tokens", "below minimum"],
    [c, { ...ok, temperature: 3 }, 400, "decimal_above_max_value", "temperature", "<= 2"],
    [c, { ...ok, stream: "yes" }, 400, "invalid_type", "stream", "expected a boolean"],
    [c, { ...ok, stream_options: {} }, 400, null, "stream_options", "only allowed when 'stream' is enabled"],
    [
      c,
      { ...ok, stop: ["a", "b", "c", "d", "e"] },
      400,
      "array_above_max_length",
      "stop",
      "maximum length 4",
    ],
    [c, { ...ok, stop: "" }, 400, null, "stop", "cannot be empty"],
    [c, { ...ok, tools: [{ type: "gadget" }] }, 400, "invalid_value", "tools[0].type", "'gadget'"],
    [
      c,
      { ...ok, tools: [{ type: "function", function: { name: "a b" } }] },
      400,
      "invalid_value",
      "tools[0].function.name",
      "pattern",
    ],
    [c, { ...ok, tool_choice: "auto" }, 400, null, "tool_choice", "only allowed when 'tools'"],
    [c, { ...ok, tools: [], tool_choice: "maybe" }, 400, "invalid_value", "tool_choice", "'maybe'"],
    [
      c,
      { ...ok, tools: [weather], tool_choice: { type: "function", function: { name: "g" } } },
      400,
      null,
      "tool_choice",
      "'g'",
    ],
    [c, { ...ok, response_format: { type: "xml" } }, 400, "invalid_value", "response_format.type", "'xml'"],
    [
      c,
      { ...ok, response_format: { type: "json_schema" } },
      400,
      "missing_required_parameter",
      "response_format.json_schema",
      "Missing",
    ],
    [
      c,
      {
        ...ok,
        response_format: {
          type: "json_schema",
          json_schema: { name: "x", schema: { enum: ["x".repeat(1e5)] } },
        },
      },
      400,
      "invalid_json_schema",
      "response_format.json_schema.schema",
      "100000",
    ],
    [r, { model: "m" }, 400, "missing_required_parameter", "input", "Missing required parameter: 'input'."],
    [r, { model: "m", input: 1 }, 400, "invalid_type", "input", "string or array"],
    [
      r,
      { model: "m", input: "x", previous_response_id: "resp_1" },
      400,
      "previous_response_not_found",
      "previous_response_id",
      "resp_1",
    ],
    [r, { model: "m", input: "x", background: true }, 400, "unsupported_value", "background", "background"],
    [
      r,
      { model: "m", input: [{ type: "function_call_output", call_id: "c", output: "" }] },
      400,
      null,
      "input",
      "No tool call found",
    ],
    [
      r,
      { model: "m", input: "x", text: { format: { type: "json_schema" } } },
      400,
      "missing_required_parameter",
      "text.format.name",
      "Missing",
    ],
    [r, { model: "m", input: "x", text: 1 }, 400, "invalid_type", "text", "expected an object"],
    [e, { model: "e" }, 400, "missing_required_parameter", "input", "Missing"],
    [e, { model: "e", input: "" }, 400, "invalid_value", "input", "cannot be an empty string"],
    [e, { model: "e", input: [] }, 400, "empty_array", "input", "empty array"],
    [e, { model: "e", input: ["a", 1] }, 400, "invalid_type", "input[1]", "string or array of integers"],
    [e, { model: "e", input: [1, -1] }, 400, "invalid_type", "input[0][1]", "token id"],
    [
      e,
      { model: "e", input: "x", dimensions: 4000 },
      400,
      "integer_above_max_value",
      "dimensions",
      "<= 3072",
    ],
    [e, { model: "e", input: "x", encoding_format: "hex" }, 400, "invalid_value", "encoding_format", "'hex'"],
    [
      e,
      { model: "e", input: Array(500).fill("x"), dimensions: 3072 },
      400,
      "too_many_numbers",
      "input",
      "1000000",
    ],
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
    expect([
      status(),
      status("Authorization", "Bearer k2"),
      status("api-key", "k1"),
      status("authorization", "bearer k1"),
    ]).toEqual([401, 401, 200, 200]);
  });

  test("unlisted models", () => {
    expect(post(c, ok, [], { onlyListed: true }).status).toBe(404);
    expect(post(c, { ...ok, model: "demo/echo" }, [], { onlyListed: true }).status).toBe(200);
  });
});
