import { expect, test } from "vitest";
import { ClientGone, GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import {
  ChunkSource,
  type TestExchange,
  type Written,
  exchangeOf,
  policyStep,
  responseOf,
  servicesOf,
  snapshotOf,
  stepOf,
} from "../../gateway/testing.ts";
import { retry } from "./policy.ts";
import { waitBeforeRetry } from "./schedule.ts";

/** The table of `policies.md` 3; `random` in the middle, so that r = delta. */
test.each<[string, number | null, number | null, boolean, readonly number[]]>([
  ["interval", null, null, false, [10, 10, 10]],
  ["interval + delta", 10, null, false, [10, 20, 30]],
  ["all three", 10, 100, false, [10, 20, 40, 80, 100, 100]],
  ["interval + max-interval", null, 4, false, [4, 4]],
  ["a first fast retry takes the place of the first", 10, null, true, [0, 20, 30]],
])("waits: %s", (_name, delta, max, firstFast, expected) => {
  const ms = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1000);
  const waits = {
    intervalMs: 10_000,
    deltaMs: ms(delta),
    maxIntervalMs: ms(max),
    firstFast,
    random: () => 0.5,
  };
  expect(expected.map((_wait, i) => waitBeforeRetry(i + 1, waits) / 1000)).toEqual(expected);
});

test("the exponential wait varies by a fifth of delta either way", () => {
  const waits = { intervalMs: 1000, deltaMs: 1000, maxIntervalMs: 100_000, firstFast: false };
  expect(waitBeforeRetry(3, { ...waits, random: () => 0 })).toBeCloseTo(3400);
  expect(waitBeforeRetry(3, { ...waits, random: () => 1 })).toBeCloseTo(4600);
});

interface Run {
  readonly exchange: TestExchange;
  readonly waited: number[];
  readonly outcome: unknown;
  readonly runs: number;
}

/** Runs it, moving the clock on whenever it waits. */
async function run(
  attributes: Written["attributes"],
  child: (exchange: Exchange, turn: number) => unknown,
): Promise<Run> {
  const exchange = exchangeOf();
  let runs = 0;
  const step = policyStep(retry, {
    attributes: { condition: true, count: 2, interval: 1, ...attributes },
    steps: [stepOf((one) => child(one, ++runs))],
  });
  const waited: number[] = [];
  let over = false;
  const pending = Promise.resolve(step.run(exchange, null)).finally(() => (over = true));
  pending.catch(() => {});
  while (!over) {
    await new Promise((resolve) => setImmediate(resolve));
    const [ms] = exchange.services.clock.waits;
    if (ms === undefined) continue;
    waited.push(ms / 1000);
    exchange.services.clock.advance(ms);
  }
  const outcome = await pending.catch((error: unknown) => error);
  return { exchange, waited, outcome, runs };
}

test.each<[string, Written["attributes"], number, readonly number[]]>([
  ["count more times", {}, 3, [1, 1]],
  ["not while the condition does not hold", { condition: () => false }, 1, []],
  ["until it does not", { condition: countdown(1), count: 5 }, 2, [1]],
  ["no more than fifty times", { count: () => 1000, interval: 0 }, 51, Array<number>(50).fill(0)],
  ["at least once", { count: () => -3 }, 2, [1]],
  ["an interval of nothing", { interval: 0 }, 3, [0, 0]],
  ["a negative interval is none", { interval: () => -5 }, 3, [0, 0]],
  [
    "an endless one is as long as a timer can be",
    { interval: () => 1e300, count: 1 },
    2,
    [0x7fffffff / 1000],
  ],
  ["what is no number is none", { interval: () => Number.NaN, count: 1 }, 2, [0]],
])("retry: %s", async (_name, attributes, runs, waited) => {
  const result = await run(attributes, () => undefined);
  expect(result).toMatchObject({ runs, waited, outcome: undefined });
});

function countdown(turns: number): () => boolean {
  let left = turns;
  return () => left-- > 0;
}

test("a response ends it at once", async () => {
  const response = responseOf(200);
  expect(await run({}, () => response)).toMatchObject({ runs: 1, outcome: response });
});

const failure = new GatewayError({
  source: "forward-request",
  reason: "Timeout",
  message: "slow",
  status: 500,
});

test("an error is held while the condition, which sees it, asks for more, and thrown at the end", async () => {
  const seen: unknown[] = [];
  const condition = (context: { lastError: { reason: string } | null; response: unknown }): boolean => {
    seen.push(`${context.lastError?.reason} ${String(context.response)}`);
    return true;
  };
  const result = await run({ condition }, () => Promise.reject(failure));
  expect(result).toMatchObject({ runs: 3, outcome: failure });
  expect(seen).toEqual(["Timeout null", "Timeout null", "Timeout null"]);
  expect(result.exchange.lastError).toBeNull();
});

test("a later success makes the error forgotten", async () => {
  const result = await run(
    { condition: (context: Exchange) => context.lastError !== null },
    (_exchange, turn) => {
      if (turn === 1) throw failure;
    },
  );
  expect(result).toMatchObject({ runs: 2, outcome: undefined });
});

test("a condition that fails over a held error means no", async () => {
  const condition = (): boolean => {
    throw new Error("null reference");
  };
  expect(await run({ condition }, () => Promise.reject(failure))).toMatchObject({
    runs: 1,
    outcome: failure,
  });
  expect((await run({ condition }, () => undefined)).outcome).toMatchObject({ message: "null reference" });
});

test("the gateway's own 503 is seen as the response, and only by the condition", async () => {
  const exhausted = new GatewayError({
    source: "forward-request",
    reason: "BackendUnavailable",
    message: "",
    status: 503,
    clientMessage: "Service Unavailable",
    statusReason: "Backend 'x' is temporarily unavailable",
    showsResponse: true,
  });
  const seen: unknown[] = [];
  const condition = (context: Exchange): boolean => {
    seen.push(`${context.response?.statusCode} ${context.response?.statusReason}`);
    return false;
  };
  const result = await run({ condition }, () => Promise.reject(exhausted));
  expect(seen).toEqual(["503 Backend 'x' is temporarily unavailable"]);
  expect(result.exchange.response).toBeNull();
});

test.each<[string, number | null, boolean]>([
  ["a failure is not repeated beyond the budget", 503, false],
  ["nor is one without an answer", null, false],
  ["asking again until something is ready costs nothing of it", 202, true],
])("%s", async (_name, status, again) => {
  const exchange = exchangeOf({}, snapshotOf(), servicesOf({ mayRetry: () => false }));
  let runs = 0;
  const step = policyStep(retry, {
    attributes: { condition: true, count: 1, interval: 0, "first-fast-retry": true },
    steps: [
      stepOf((one) => {
        runs++;
        one.attempts.push({ backendId: null, url: "", status, error: null, startedMs: 0, headersMs: null });
      }),
    ],
  });
  const pending = step.run(exchange, null) as Promise<unknown>;
  await new Promise((resolve) => setImmediate(resolve));
  exchange.services.clock.advance(0);
  await pending;
  expect(runs).toBe(again ? 2 : 1);
});

test("a client that hangs up in the pause ends it", async () => {
  const exchange = exchangeOf();
  const step = policyStep(retry, {
    attributes: { condition: true, count: 3, interval: 60 },
    steps: [stepOf(() => {})],
  });
  const pending = step.run(exchange, null) as Promise<unknown>;
  while (exchange.services.clock.waits.length === 0) await new Promise((resolve) => setImmediate(resolve));
  exchange.abort.abort("client");
  await expect(pending).rejects.toBeInstanceOf(ClientGone);
  expect(exchange.services.clock.waits).toEqual([]);
});

test("a condition that reads the answer's body has it in memory", async () => {
  const condition = Object.assign((context: Exchange) => context.response!.body!.bytes().length > 0, {
    constant: undefined,
    isConstant: false,
    needs: 2,
  });
  const result = await run(
    { condition, count: 1 },
    (exchange) => void (exchange.response = responseOf(200, new ChunkSource(["x"]))),
  );
  expect(result.runs).toBe(2);
});
