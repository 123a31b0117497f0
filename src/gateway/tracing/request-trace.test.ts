import { expect, test } from "vitest";
import "../../compiler/runtime/library/index.ts";
import { Authorization } from "../../compiler/runtime/library/credentials.ts";
import { runSteps } from "../pipeline.ts";
import { ResponseMessage } from "../message.ts";
import { type TestExchange, apiOf, exchangeOf, responseOf, snapshotOf, stepOf } from "../testing.ts";
import { GatewayError } from "../errors.ts";
import { type TraceEntry, createTracing } from "./index.ts";
import { timeSpan } from "./request-trace.ts";

const KEY = Buffer.from("key");

function tracedExchange(fields: Parameters<typeof exchangeOf>[0] = {}, secrets: readonly string[] = []) {
  const api = apiOf({ path: "echo", operations: ["GET /hi"] });
  const exchange = exchangeOf({ target: "/echo/hi", ...fields }, snapshotOf({ apis: [api], secrets }));
  exchange.api = api;
  exchange.operation = api.operations[0]!;
  let id = 0;
  const tracing = createTracing({
    key: KEY,
    now: () => exchange.services.clock.now(),
    newId: () => `trace-${++id}`,
  });
  exchange.request.headers.append("Apim-Debug-Authorization", tracing.issue("echo", 1_000));
  tracing.start(exchange);
  return { exchange, tracing };
}

/** Ends the exchange and gives what was recorded of its steps. */
function entriesOf(
  { exchange, tracing }: { exchange: TestExchange; tracing: ReturnType<typeof createTracing> },
  section = "inbound",
) {
  for (const end of exchange.takeEndListeners() ?? []) end();
  const document = tracing.read("trace-1")!;
  expect(document.complete).toBe(true);
  return document.traceEntries[section as "inbound"].filter(
    (entry) => entry.source !== "api-inspector",
  ) as readonly TraceEntry[];
}

test("a step has its place, its time, and what it changed", () => {
  const one = tracedExchange();
  const { exchange } = one;
  exchange.variables.set("kept", 1);
  const step = stepOf(
    () => {
      exchange.services.clock.advance(3);
      exchange.variables.set("a", "x");
      exchange.request.headers.set("X-New", "1");
      exchange.request.method = "POST";
    },
    { element: "set-things", file: "policy.xml", line: 7, policyId: "mine", path: "set-things[1]" },
  );
  void runSteps([step], exchange, null);
  expect(entriesOf(one)).toEqual([
    {
      source: "set-things",
      timestamp: "2023-11-14T22:13:20.000Z",
      elapsed: "00:00:00.0000000",
      data: {
        policy: {
          scope: "api",
          scopeId: "/apis/a",
          path: "set-things[1]",
          file: "policy.xml",
          line: 7,
          id: "mine",
        },
        microseconds: 3_000,
        variables: { kept: { before: null, after: "1" }, a: { before: null, after: "x" } },
        changes: [
          { what: "request.method", before: "GET", after: "POST" },
          { what: "request.headers.X-New", before: null, after: "1" },
        ],
      },
    },
  ]);
});

test("a change belongs to the innermost step, and an outer one has only its own", () => {
  const one = tracedExchange();
  const { exchange } = one;
  const inner = stepOf(() => void exchange.variables.set("v", "inner"), { element: "inner" });
  const outer = stepOf(
    () => {
      exchange.traced!.detail("outer", { decision: "when[1]" });
      exchange.remark("outer", "a remark");
      void runSteps([inner], exchange, null);
      exchange.variables.set("w", "outer");
    },
    { element: "outer" },
  );
  void runSteps([outer], exchange, null);
  expect(
    entriesOf(one).map(({ source, data }) => [source, data["variables"], data["decision"], data["remarks"]]),
  ).toEqual([
    ["outer", { w: { before: null, after: "outer" } }, "when[1]", ["a remark"]],
    ["inner", { v: { before: null, after: "inner" } }, undefined, undefined],
  ]);
});

test("variables before and after, in the text of .NET", () => {
  const one = tracedExchange();
  const { exchange } = one;
  const set = (name: string, value: unknown) => stepOf(() => void exchange.variables.set(name, value));
  void runSteps(
    [set("v", true), set("v", null), set("v", new ResponseMessage(201)), set("v", new Uint8Array(3))],
    exchange,
    null,
  );
  expect(entriesOf(one).map(({ data }) => (data["variables"] as any).v)).toEqual([
    { before: null, after: "True" },
    { before: "True", after: "null" },
    { before: "null", after: "response 201 Created" },
    { before: "response 201 Created", after: "byte[3]" },
  ]);
});

test("a step that fails says with what, waiting or not", async () => {
  const failure = () =>
    new GatewayError({ source: "me", reason: "Broken", message: "it broke", status: 418 });
  const one = tracedExchange();
  const broken = stepOf(() => {
    throw failure();
  });
  expect(() => runSteps([broken], one.exchange, null)).toThrow("it broke");
  await expect(runSteps([stepOf(() => Promise.reject(failure()))], one.exchange, null)).rejects.toThrow(
    "it broke",
  );
  const expected = { source: "me", reason: "Broken", message: "it broke", status: 418 };
  expect(entriesOf(one).map(({ data }) => data["error"])).toEqual([expected, expected]);
});

test("each attempt of one step keeps its own facts", () => {
  const one = tracedExchange();
  const { traced } = one.exchange;
  const step = stepOf(
    () => {
      traced!.detail("forward-request", { backend: { id: "a" } });
      traced!.detail("forward-request", { failure: "connect_failed" });
      traced!.detail("forward-request", { backend: { id: "b" } });
      traced!.detail("forward-request", { response: { status: 200 } });
    },
    { element: "forward-request" },
  );
  void runSteps([step], one.exchange, null);
  expect(entriesOf(one)[0]!.data).toMatchObject({
    earlierAttempts: [{ backend: { id: "a" }, failure: "connect_failed" }],
    backend: { id: "b" },
    response: { status: 200 },
  });
});

test("what the gateway itself changed between two steps is its own", () => {
  const one = tracedExchange();
  const { exchange } = one;
  exchange.request.headers.set("X-Admitted", "yes");
  void runSteps([stepOf(() => {}, { element: "first" })], exchange, null);
  expect(entriesOf(one).map(({ source, data }) => [source, data["changes"]])).toEqual([
    ["gateway", [{ what: "request.headers.X-Admitted", before: null, after: "yes" }]],
    ["first", undefined],
  ]);
});

test("no secret is in what is given out, wherever it was", () => {
  const SECRETS = [
    "bearer-secret",
    "named-secret",
    "query-secret",
    "cookie-secret",
    "variable-secret",
    "later-secret",
    "authorization-secret",
  ];
  const one = tracedExchange(
    {
      target: "/echo/hi?subscription-key=query-secret&x=1",
      headers: ["Authorization", "Bearer bearer-secret", "Cookie", "a=cookie-secret"],
    },
    ["named-secret"],
  );
  const { exchange } = one;
  const step = stepOf(() => {
    exchange.variables.set("copied", "it was bearer-secret and query-secret");
    exchange.variables.set("apiKey", "variable-secret");
    exchange.variables.set("elsewhere", "variable-secret named-secret");
    exchange.variables.set("early", "later-secret");
    exchange.variables.set("context", new Authorization("authorization-secret", new Map()));
    exchange.variables.set("taken", "authorization-secret");
    exchange.request.headers.set("X-Copy", "named-secret");
    exchange.request.headers.set("X-Api-Key", "later-secret");
    exchange.remark("other", "said named-secret");
    exchange.traced!.detail("other", {
      url: "http://h/?code=later-secret",
      rawHeaders: ["api-key", "later-secret"],
    });
  });
  void runSteps([step], exchange, null);
  exchange.response = responseOf(200, null, ["Set-Cookie", "b=cookie-secret"]);
  entriesOf(one);
  const text = JSON.stringify(one.tracing.read("trace-1"));
  for (const secret of SECRETS) expect(text).not.toContain(secret);
  expect(text).toContain("subscription-key=***&x=1");
  expect(text).not.toContain(exchange.request.headers.get("apim-debug-authorization")!);
});

test("a trace stays small whatever happens in it", () => {
  const one = tracedExchange();
  const { exchange } = one;
  const big = "x".repeat(100_000);
  let i = 0;
  const step = stepOf(() => void exchange.variables.set(`v${++i}`, big));
  for (let turn = 0; turn < 2_500; turn++) void runSteps([step], exchange, null);
  const entries = entriesOf(one, "inbound");
  expect(entries.length).toBeLessThanOrEqual(2_000);
  const last = one.tracing.read("trace-1")!.traceEntries.outbound.at(-1)!;
  expect(last.data["entriesLeftOut"]).toBe(2_500 - entries.length);
  expect(JSON.stringify(one.tracing.read("trace-1")).length).toBeLessThan(2_000_000);
  expect((entries[0]!.data["variables"] as any).v1.after).toMatch(/^x{2048}… \(100000 characters\)$/);
});

test("only the last hundred are kept, and one can be read while it is under way", () => {
  const { exchange, tracing } = tracedExchange();
  expect(tracing.read("trace-1")!.complete).toBe(false);
  for (let i = 0; i < 100; i++) tracing.start(exchange);
  expect(tracing.read("trace-1")).toBeNull();
  expect(tracing.read("trace-101")).not.toBeNull();
});

test.each([
  [0, "00:00:00.0000000"],
  [0.2475, "00:00:00.0002475"],
  [61_001, "00:01:01.0010000"],
  [3_600_000 * 3, "03:00:00.0000000"],
])("%s ms is %s", (ms, text) => {
  expect(timeSpan(ms)).toBe(text);
});
