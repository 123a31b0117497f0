import { expect, test } from "vitest";
import { Metrics } from "../../telemetry/metrics/registry.ts";
import { prometheusText } from "../../telemetry/metrics/prometheus.ts";
import { type GatewayState, stateMetrics } from "./state-metrics.ts";

const clock = { nowMs: 1_000_000, upMs: 0, now: () => clock.nowMs, monotonic: () => clock.upMs };
const QUIET: GatewayState = {
  version: "1",
  inFlight: () => 0,
  configVersion: () => 0,
  rejectedConfigurations: () => 0,
  degraded: () => [],
  backends: () => [],
  heldTokens: () => 0,
  limitStoreErrors: () => 0,
  dropped: () => [],
  clock,
  eventLoopDelay: () => 0,
};

function scraped(metrics: Metrics, name: string): string[] {
  return prometheusText(metrics)
    .split("\n")
    .filter((line) => line.startsWith(name));
}

test("a clock that is set is counted, one that runs a little fast is not", () => {
  const metrics = new Metrics(0);
  stateMetrics(metrics, QUIET);
  const counts = [
    [60_000, 60_000],
    [60_030, 60_000],
    [3_660_000, 60_000],
    [60_000, 60_000],
    [-3_540_000, 60_000],
  ].map(([setMs, upMs]) => {
    clock.nowMs += setMs!;
    clock.upMs += upMs!;
    return scraped(metrics, "headgate_clock_step_total");
  });
  expect(counts).toEqual([0, 0, 1, 1, 2].map((count) => [`headgate_clock_step_total ${count}`]));
});

test("breakers tell how often they came into each state", () => {
  const metrics = new Metrics(0);
  const transitions = { closed: 1, open: 2, "half-open": 2 };
  stateMetrics(metrics, {
    ...QUIET,
    backends: () => [
      { id: "a", breaker: "open", inFlight: 0, transitions },
      { id: "b", breaker: null, inFlight: 0, transitions: null },
    ],
  });
  expect(scraped(metrics, "headgate_breaker_")).toEqual([
    'headgate_breaker_state{backend="a"} 2',
    'headgate_breaker_transitions_total{backend="a",to="closed"} 1',
    'headgate_breaker_transitions_total{backend="a",to="open"} 2',
    'headgate_breaker_transitions_total{backend="a",to="half-open"} 2',
  ]);
});
