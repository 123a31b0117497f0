import { expect, test } from "vitest";
import { NetException } from "../compiler/runtime/errors.ts";
import type { Plan, Site, Step } from "../compiler/policy.ts";
import { TransportError } from "../transport/transport.ts";
import { ClientGone, GatewayError, operationNotFound } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { fail, runPlan, runSteps } from "./pipeline.ts";
import { SkipToOutbound } from "./policy.ts";
import { ChunkSource, NO_PLAN, REQUEST_ID, exchangeOf, responseOf, stepOf } from "./testing.ts";

type Code = (exchange: Exchange) => unknown;

/** Steps written as words: `a` notes itself, others are looked up in `special`. */
function plan(sections: Partial<Record<keyof Plan, string>>, special: Readonly<Record<string, Code>> = {}) {
  const notes: string[] = [];
  const named = {
    inbound: "inbound",
    backend: "backend",
    outbound: "outbound",
    onError: "on-error",
  } as const;
  const list = (section: keyof Plan): readonly Step[] | null => {
    const words = sections[section];
    if (words === undefined) return null;
    return words.split(" ").map((word, i) =>
      stepOf(
        (exchange) => {
          notes.push(word);
          return special[word]?.(exchange);
        },
        { element: word, section: named[section], path: `${word}[${i + 1}]`, policyId: `${word}-id` },
      ),
    );
  };
  const made: Plan = {
    inbound: list("inbound"),
    backend: list("backend"),
    outbound: list("outbound"),
    onError: list("onError"),
  };
  return { plan: made, notes };
}

const later = <T>(value: T): Promise<T> => Promise.resolve(value);
const refused = (fields: Partial<ConstructorParameters<typeof GatewayError>[0]> = {}): GatewayError =>
  new GatewayError({
    source: "check",
    reason: "No",
    message: "details",
    status: 403,
    clientMessage: "Forbidden",
    ...fields,
  });

function raise(error: unknown): never {
  throw error;
}

async function answer(exchange: Exchange): Promise<string> {
  const { response } = exchange;
  if (response === null) return "nothing";
  await response.body?.buffer(1000);
  return `${response.statusCode} ${response.body === null ? "" : new TextDecoder().decode(response.body.bytes())}`;
}

const ALL = { inbound: "i1 i2", backend: "b1", outbound: "o1 o2", onError: "e1 e2" };

test.each<[string, Readonly<Record<string, Code>>, string, string]>([
  ["every section in its order", {}, "i1 i2 b1 o1 o2", "nothing"],
  [
    "the same with waits",
    { i1: () => later(undefined), b1: () => later(undefined), o2: () => later(undefined) },
    "i1 i2 b1 o1 o2",
    "nothing",
  ],
  ["a response ends everything", { i1: () => responseOf(201, "x") }, "i1", "201 x"],
  ["also a later one", { b1: () => later(responseOf(202)) }, "i1 i2 b1", "202 "],
  ["and in outbound", { o1: () => responseOf(203) }, "i1 i2 b1 o1", "203 "],
  ["a hit goes on after its other half", { i1: () => new SkipToOutbound(["o1"]) }, "i1 o2", "nothing"],
  ["also a later one", { i1: () => later(new SkipToOutbound(["o1"])) }, "i1 o2", "nothing"],
  [
    "without another half, the whole of outbound",
    { i1: () => new SkipToOutbound(["none"]) },
    "i1 o1 o2",
    "nothing",
  ],
  [
    "an error goes to on-error, and nowhere else",
    { i1: () => raise(refused()) },
    "i1 e1 e2",
    '403 { "statusCode": 403, "message": "Forbidden" }',
  ],
  [
    "also a later one",
    { b1: () => Promise.reject(refused()) },
    "i1 i2 b1 e1 e2",
    '403 { "statusCode": 403, "message": "Forbidden" }',
  ],
  [
    "on-error may answer for itself",
    { i1: () => raise(refused()), e1: () => responseOf(418, "tea") },
    "i1 e1",
    "418 tea",
  ],
  ["also later", { i1: () => raise(refused()), e1: () => later(responseOf(418, "tea")) }, "i1 e1", "418 tea"],
  [
    "an error inside on-error leaves the first one's answer as it is by then",
    {
      i1: () => raise(refused()),
      e1: (exchange) => void (exchange.response!.statusCode = 409),
      e2: () => raise(refused({ status: 401 })),
    },
    "i1 e1 e2",
    '409 { "statusCode": 403, "message": "Forbidden" }',
  ],
  [
    "also a later one",
    { i1: () => raise(refused()), e1: () => Promise.reject(new Error("bug")) },
    "i1 e1",
    '403 { "statusCode": 403, "message": "Forbidden" }',
  ],
])("%s", async (_name, special, notes, expected) => {
  const { plan: made, notes: seen } = plan(ALL, special);
  const exchange = exchangeOf();
  await runPlan(exchange, made);
  expect(seen.join(" ")).toBe(notes);
  expect(await answer(exchange)).toBe(expected);
});

test("steps that need not wait cost no promise", () => {
  expect(runPlan(exchangeOf(), plan(ALL).plan)).toBeUndefined();
  expect(runPlan(exchangeOf(), plan(ALL, { i1: () => raise(refused()) }).plan)).toBeUndefined();
  expect(runPlan(exchangeOf(), NO_PLAN)).toBeUndefined();
});

test("an error in outbound replaces the backend's response and frees it", async () => {
  const source = new ChunkSource(["x"]);
  const exchange = exchangeOf();
  await runPlan(
    exchange,
    plan(ALL, { b1: (one) => void (one.response = responseOf(200, source)), o1: () => raise(refused()) })
      .plan,
  );
  expect(source.cancelled).toBe(true);
  expect(exchange.response!.statusCode).toBe(403);
});

test("fail-on-error-status-code keeps it", async () => {
  const exchange = exchangeOf();
  const kept = refused({ keepResponse: true, status: 429 });
  await runPlan(
    exchange,
    plan(ALL, { b1: (one) => ((one.response = responseOf(429, "slow down")), raise(kept)) }).plan,
  );
  expect(await answer(exchange)).toBe("429 slow down");
  expect(exchange.lastError).toMatchObject({ source: "check" });
});

/** What `context.LastError` shows, and the client reads. */
test.each<[string, unknown, Partial<NonNullable<Exchange["lastError"]>>, string]>([
  [
    "of a policy",
    refused(),
    { source: "check", reason: "No", message: "details", httpErrorCode: 403 },
    '403 { "statusCode": 403, "message": "Forbidden" }',
  ],
  [
    "of an expression",
    new NetException(
      "System.NullReferenceException",
      "Object reference not set to an instance of an object.",
    ),
    {
      source: "i1",
      reason: "ExpressionValueEvaluationFailure",
      message: "Expression evaluation failed. Object reference not set to an instance of an object.",
    },
    `500 { "statusCode": 500, "message": "Internal server error", "activityId": "${REQUEST_ID}" }`,
  ],
  [
    "of the transport",
    new TransportError("headers_timeout", "no head in 5 s"),
    { source: "i1", reason: "Timeout", message: "no head in 5 s" },
    `500 { "statusCode": 500, "message": "Internal server error", "activityId": "${REQUEST_ID}" }`,
  ],
  [
    "of the connection",
    new TransportError("connect_failed", "refused"),
    { reason: "BackendConnectionFailure" },
    `500 { "statusCode": 500, "message": "Internal server error", "activityId": "${REQUEST_ID}" }`,
  ],
  [
    "of the caller's own body",
    new TransportError("bad_framing", "chunk size"),
    { reason: "BadRequestFraming", httpErrorCode: 400 },
    `400 { "statusCode": 400, "message": "The request body breaks the rules of its transfer coding.", "code": "bad_framing", "requestId": "${REQUEST_ID}" }`,
  ],
  [
    "of a caller too slow",
    new TransportError("client_body_timeout", "30 s"),
    { reason: "ClientConnectionFailure", httpErrorCode: 408 },
    `408 { "statusCode": 408, "message": "The request body did not arrive in time.", "code": "client_body_timeout", "requestId": "${REQUEST_ID}" }`,
  ],
  [
    "of ours",
    new TypeError("secret detail"),
    { source: "i1", reason: "InternalError" },
    `500 { "statusCode": 500, "message": "Internal server error", "activityId": "${REQUEST_ID}" }`,
  ],
  [
    "with a status that no answer can have",
    refused({ status: 42 }),
    { httpErrorCode: 500 },
    '500 { "statusCode": 500, "message": "Forbidden" }',
  ],
])("an error %s", async (_name, thrown, lastError, expected) => {
  for (const special of [{ i1: () => raise(thrown) }, { i1: () => Promise.reject(thrown) }]) {
    const exchange = exchangeOf();
    await runPlan(exchange, plan({ inbound: "i1" }, special).plan);
    expect(exchange.lastError).toMatchObject({
      ...lastError,
      scope: "api",
      section: "inbound",
      path: "i1[1]",
      policyId: "i1-id",
    });
    expect(await answer(exchange)).toBe(expected);
  }
});

test("the innermost step is the one that failed", async () => {
  const inner: Partial<Site> = { element: "inner", path: "choose[1]/when[1]/inner[1]", scope: "product" };
  const { plan: made } = plan(
    { inbound: "choose" },
    { choose: (exchange) => runSteps([stepOf(() => raise(refused()), inner)], exchange, null) },
  );
  const exchange = exchangeOf();
  await runPlan(exchange, made);
  expect(exchange.lastError).toMatchObject({ path: "choose[1]/when[1]/inner[1]", scope: "product" });
});

test("only our own errors are reported as bugs", async () => {
  const bugs = async (thrown: unknown): Promise<number> => {
    const exchange = exchangeOf();
    await runPlan(exchange, plan({ inbound: "i1" }, { i1: () => raise(thrown) }).plan);
    return exchange.services.bugs.length;
  };
  expect(await bugs(new TypeError("x"))).toBe(1);
  expect(await bugs(refused())).toBe(0);
});

test("an error before any policy has neither scope nor path", () => {
  const exchange = exchangeOf();
  void fail(exchange, NO_PLAN, operationNotFound());
  expect(exchange.lastError).toEqual({
    source: "configuration",
    reason: "OperationNotFound",
    message: "Unable to match incoming request to an operation.",
    scope: "",
    section: "inbound",
    path: "",
    policyId: "",
    httpErrorCode: 404,
  });
});

// ── The client hangs up ───────────────────────────────────────────────────────────────────────────────────────────

test.each<[string, string, string]>([
  ["inbound", "i1", "i1"],
  ["backend", "b1", "i1 i2 b1"],
  ["outbound", "o1", "i1 i2 b1 o1"],
])("a client that hangs up during %s stops everything, on-error too", async (_name, at, notes) => {
  const exchange = exchangeOf();
  const { plan: made, notes: seen } = plan(ALL, { [at]: async () => void exchange.abort.abort("client") });
  await expect(runPlan(exchange, made)).rejects.toBeInstanceOf(ClientGone);
  expect(seen.join(" ")).toBe(notes);
});

test("an error that the hang-up caused is no error", async () => {
  const exchange = exchangeOf();
  const special = {
    b1: async () => (exchange.abort.abort("client"), raise(new TransportError("aborted", "aborted"))),
  };
  await expect(runPlan(exchange, plan(ALL, special).plan)).rejects.toBeInstanceOf(ClientGone);
  expect(exchange.error).toBeNull();
});

// ── Bodies ────────────────────────────────────────────────────────────────────────────────────────────────────────

test("a body is brought into memory when a step is reached that needs it, not before", async () => {
  const source = new ChunkSource(["bo", "dy"]);
  const exchange = exchangeOf({ method: "POST", body: source });
  const started: boolean[] = [];
  const note = stepOf(() => void started.push(source.started));
  const reader = stepOf(
    (one) => void one.variables.set("text", new TextDecoder().decode(one.request.body!.bytes())),
    {},
    1,
  );
  await runPlan(exchange, { ...NO_PLAN, inbound: [note, reader, note] });
  expect(started).toEqual([false, true]);
  expect(exchange.variables.get("text")).toBe("body");
});

test("one that is too large for memory is refused, and on-error may look at it without hanging", async () => {
  const exchange = exchangeOf({ method: "POST", body: new ChunkSource(["x".repeat(11 * 1024 * 1024)]) });
  const reader = stepOf(() => {}, {}, 1);
  await runPlan(exchange, { ...NO_PLAN, inbound: [reader], onError: [reader] });
  expect(exchange.lastError).toMatchObject({ source: "gateway", reason: "RequestBodyTooLarge" });
  expect(await answer(exchange)).toBe(
    `413 { "statusCode": 413, "message": "The request body is larger than 10485760 bytes.", "code": "body_too_large", "requestId": "${REQUEST_ID}" }`,
  );
});

test("one that went to the backend as a stream is not started again", async () => {
  const exchange = exchangeOf({ method: "POST", body: new ChunkSource(["x"]) });
  exchange.request.body!.take();
  let consumed: boolean | undefined;
  await runPlan(exchange, {
    ...NO_PLAN,
    outbound: [stepOf((one) => void (consumed = one.request.body!.consumed), {}, 1)],
  });
  expect(consumed).toBe(true);
});
