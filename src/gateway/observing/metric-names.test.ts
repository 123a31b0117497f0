/** docs/guide/observability.md lists every metric that there is, and none besides. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Metrics } from "../../telemetry/metrics/registry.ts";
import { GatewayMetrics } from "./gateway-metrics.ts";
import { stateMetrics } from "./state-metrics.ts";

const page = readFileSync(new URL("../../../docs/guide/observability.md", import.meta.url), "utf8");

test("the guide's table of metrics is the registry's", () => {
  const metrics = new Metrics(0);
  new GatewayMetrics(metrics);
  stateMetrics(metrics, {
    version: "1",
    inFlight: () => 0,
    configVersion: () => 0,
    rejectedConfigurations: () => 0,
    degraded: () => [],
    backends: () => [],
    heldTokens: () => 0,
    limitStoreErrors: () => 0,
    dropped: () => [],
    clock: { now: () => 0, monotonic: () => 0 },
    eventLoopDelay: () => 0,
  });
  const kept = [...metrics.families()].map(({ kind, options: { name, labels, help } }) =>
    `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`.replace(
      "|  |",
      "| |",
    ),
  );
  const listed = page.split("\n").filter((line) => /^\| `(?:headgate|gen_ai|http)_/.test(line));
  expect(listed.sort()).toEqual(kept.sort());
  // Names that only OTLP has.
  for (const { options } of metrics.families())
    if (options.otlpName !== undefined) expect(page).toContain(`\`${options.otlpName}\``);
});
