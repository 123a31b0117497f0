import { expect, test } from "vitest";
import type { BackendPool, CircuitBreakerRule } from "../contract/backends.ts";
import type { BreakerRule, PoolRules } from "../gateway/snapshot.ts";
import { breakerOf, poolRulesOf } from "./balancing.ts";

const HOUR = 3_600_000;
const DEFAULTS: BreakerRule = {
  name: "",
  count: 1,
  percentage: null,
  intervalMs: HOUR,
  statusRanges: [{ min: 500, max: 599 }],
  tripMs: HOUR,
  acceptRetryAfter: false,
  maxTripMs: HOUR,
};

test.each<[CircuitBreakerRule, Partial<BreakerRule>]>([
  [{}, {}],
  [
    { name: "n", tripDuration: "PT1M30S", acceptRetryAfter: true, maxTripDuration: "P1D" },
    { name: "n", tripMs: 90_000, acceptRetryAfter: true, maxTripMs: 24 * HOUR },
  ],
  [{ failureCondition: { count: 3, interval: "PT5M" } }, { count: 3, intervalMs: 300_000 }],
  [{ failureCondition: { percentage: 50 } }, { count: null, percentage: 50 }],
  [{ failureCondition: { count: 9, percentage: 50 } }, { count: 9, percentage: 50 }],
  [
    { failureCondition: { statusCodeRanges: [{ min: 429, max: 429 }] } },
    { statusRanges: [{ min: 429, max: 429 }] },
  ],
  [
    { failureCondition: { statusCodeRanges: [{ min: 429, max: 429 }], errorReasons: ["Server errors"] } },
    {
      statusRanges: [
        { min: 429, max: 429 },
        { min: 500, max: 599 },
      ],
    },
  ],
  // Those always count; the rule names no status.
  [{ failureCondition: { errorReasons: ["Timeout"] } }, { statusRanges: [] }],
  [{ failureCondition: { interval: "PT0S" } }, {}],
  [{ tripDuration: "PT0S" }, { tripMs: 0 }],
])("a rule %o", (written, expected) => {
  expect(breakerOf({ circuitBreaker: { rules: [written] } })).toEqual({ ...DEFAULTS, ...expected });
});

test("only the first rule takes effect, and none is none", () => {
  expect(breakerOf({ circuitBreaker: { rules: [{ name: "one" }, { name: "two" }] } })).toMatchObject({
    name: "one",
  });
  expect([
    breakerOf({}),
    breakerOf({ circuitBreaker: {} }),
    breakerOf({ circuitBreaker: { rules: [] } }),
  ]).toEqual([null, null, null]);
});

const two = { services: [{ id: "a" }, { id: "b" }] };
const OUTLIERS = { consecutiveFailures: 5, ejectionMs: 30_000, maxEjectionMs: 300_000, panicPercent: 50 };

test.each<[BackendPool, Partial<PoolRules>]>([
  [two, {}],
  [{ services: [{ id: "a" }] }, { outliers: null }],
  [{ ...two, failover: {} }, { failover: { on: [429, 503, "connect"], maxAttempts: 2 } }],
  [
    { ...two, failover: { on: [500, "reset"], maxAttempts: 5 } },
    { failover: { on: [500, "reset"], maxAttempts: 5 } },
  ],
  [{ ...two, algorithm: "latency" }, { algorithm: "latency" }],
  [
    { ...two, algorithm: "promptPrefix", promptPrefix: { bytes: 9 } },
    { algorithm: "promptPrefix", promptBytes: 9 },
  ],
  [{ ...two, hedge: { afterMs: 800 } }, { hedge: { afterMs: 800 } }],
  [
    { ...two, sessionAffinity: { sessionId: { source: "Cookie", name: "S" } } },
    { affinity: { source: "cookie", name: "S" } },
  ],
  [
    { ...two, sessionAffinity: { sessionId: { source: "cookie", name: "S" }, enabled: true } },
    { affinity: { source: "cookie", name: "S" } },
  ],
  [
    { ...two, sessionAffinity: { sessionId: { source: "Header", name: "S" } } },
    { affinity: { source: "header", name: "S" } },
  ],
  [{ ...two, sessionAffinity: {} }, {}],
  [{ ...two, outlierDetection: { enabled: false } }, { outliers: null }],
  [
    { ...two, outlierDetection: { consecutiveFailures: 2, ejection: "PT10M" } },
    { outliers: { ...OUTLIERS, consecutiveFailures: 2, ejectionMs: 600_000, maxEjectionMs: 600_000 } },
  ],
  [{ ...two, outlierDetection: { panicThreshold: 0 } }, { outliers: { ...OUTLIERS, panicPercent: 0 } }],
])("a pool %o", (written, expected) => {
  expect(poolRulesOf(written)).toEqual({
    algorithm: "roundRobin",
    promptBytes: 1024,
    affinity: null,
    failover: null,
    hedge: null,
    outliers: OUTLIERS,
    ...expected,
  });
});
