import { expect, test } from "vitest";
import type { Trace } from "../../gateway/trace.ts";
import type { ApiDiagnostics } from "../../telemetry/diagnostic.ts";
import {
  REQUEST_ID,
  type Written,
  apiOf,
  exchangeOf,
  mistakesOf,
  policyStep,
} from "../../gateway/testing.ts";
import { trace } from "./policy.ts";

function run(severity: string, traced: boolean, message: unknown = "hello", verbosities: string[] = []) {
  const exchange = exchangeOf();
  if (verbosities.length > 0) {
    const diagnostics = {
      each: verbosities.map((verbosity) => ({ verbosity })),
    } as unknown as ApiDiagnostics;
    exchange.api = { ...apiOf({ path: "a" }), diagnostics };
  }
  const traces: string[] = [];
  const recorder: Trace = {
    message: (source, text, more) => void traces.push(`${source}: ${text} ${JSON.stringify(more)}`),
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
  ["verbose", true, ['me: hello {"severity":"verbose","metadata":{"k":"v"}}'], []],
  ["information", false, [], [line("info")]],
  ["error", true, ['me: hello {"severity":"error","metadata":{"k":"v"}}'], [line("error")]],
  ["Error", false, [], [line("error")]],
])("%s, traced %s", (severity, traced, traces, logged) => {
  expect(run(severity, traced)).toEqual({ traces, logged });
});

test.each([
  ["verbose", ["verbose"], true],
  ["verbose", ["error", "verbose"], true],
  ["verbose", ["information"], false],
  ["information", ["error"], false],
  ["information", ["error", "information"], true],
  ["error", ["error"], true],
])("%s with diagnostics of verbosity %j: logged %s", (severity, verbosities, expected) => {
  expect(run(severity, false, "hello", verbosities).logged).toHaveLength(expected ? 1 : 0);
});

test.each<[Written, string[]]>([
  [{ children: { message: [{ text: "m" }] } }, []],
  [{ text: "m" }, []],
  [{}, ["nothing is said"]],
  [{ text: "m", children: { message: [{ text: "m" }] } }, ["text and <message> cannot stand together"]],
])("%j: %j", (written, expected) => {
  expect(mistakesOf(trace, { attributes: { source: "me" }, ...written })).toEqual(expected);
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
