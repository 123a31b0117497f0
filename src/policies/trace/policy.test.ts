import { expect, test } from "vitest";
import type { Trace } from "../../gateway/trace.ts";
import { REQUEST_ID, exchangeOf, policyStep } from "../../gateway/testing.ts";
import { trace } from "./policy.ts";

function run(severity: string, traced: boolean, message: unknown = "hello") {
  const exchange = exchangeOf();
  const traces: string[] = [];
  const recorder: Trace = {
    message: (source, text) => void traces.push(`${source}: ${text}`),
    detail: () => {},
    failed: () => {},
    begin: () => null,
    end: () => {},
  };
  if (traced) exchange.traced = recorder;
  const children = {
    message: [{ text: message }],
    metadata: [{ attributes: { name: "k", value: () => "v" } }],
  };
  policyStep(trace, { attributes: { source: "me", severity }, children }).run(exchange, null);
  return { traces, logged: exchange.services.logged };
}

const line = (level: string, text = "hello") => ({
  level,
  msg: "trace",
  requestId: REQUEST_ID,
  source: "me",
  text,
  metadata: { k: "v" },
});

test.each([
  ["verbose", false, [], []],
  ["verbose", true, ["me: hello"], []],
  ["information", false, [], [line("info")]],
  ["error", true, ["me: hello"], [line("error")]],
  ["Error", false, [], [line("error")]],
])("%s, traced %s", (severity, traced, traces, logged) => {
  expect(run(severity, traced)).toEqual({ traces, logged });
});

test("it never fails the request", () => {
  const broken = (): never => {
    throw new Error("null reference");
  };
  expect(run("information", false, broken).logged).toEqual([line("info", "(null reference)")]);
});

test("what nobody hears is not worked out", () => {
  let asked = 0;
  run("verbose", false, () => `${asked++}`);
  expect(asked).toBe(0);
});
