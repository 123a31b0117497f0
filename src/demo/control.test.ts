import { describe, expect, test } from "vitest";
import { ask, chat, events, post, writes } from "./asking.ts";
import type { Answer, Step } from "./steps.ts";
import { countTokens } from "./tokens.ts";

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
