import { expect, test } from "vitest";
import { exposition } from "./prometheus.ts";
import { Metrics } from "./registry.ts";

function measured(): Metrics {
  const metrics = new Metrics(0);
  metrics
    .counter({ name: "calls_total", help: 'Calls, "all".\nSo far.', unit: "1", labels: ["who"] })
    .record(3, ['a "b"']);
  metrics.gauge({ name: "busy", help: "Now.", unit: "1", labels: [] }).record(0.5);
  const took = metrics.histogram({
    name: "took_seconds",
    help: "Time.",
    unit: "s",
    labels: ["api"],
    bounds: [0.5, 1],
  });
  const series = took.at(["x"]);
  for (const seconds of [0.25, 0.75, 3]) took.note(series, seconds);
  series.exemplar = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", value: 0.75, atMs: 1_764_000_000_500 };
  metrics.summary({ name: "said", help: "Words.", unit: "1", labels: [] }).record(7);
  metrics.counter({ name: "unused_total", help: "Nothing.", unit: "1", labels: [] });
  return metrics;
}

/** As Prometheus 2 and 3 ask. */
const SCRAPER =
  "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

test.each<[string, string, string]>([
  [
    "*/*",
    "text/plain; version=0.0.4; charset=utf-8",
    String.raw`# HELP calls_total Calls, "all".\nSo far.
# TYPE calls_total counter
calls_total{who="a \"b\""} 3
# HELP busy Now.
# TYPE busy gauge
busy 0.5
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{api="x",le="0.5"} 1
took_seconds_bucket{api="x",le="1"} 2
took_seconds_bucket{api="x",le="+Inf"} 3
took_seconds_sum{api="x"} 4
took_seconds_count{api="x"} 3
# HELP said Words.
# TYPE said summary
said_sum 7
said_count 1
# HELP unused_total Nothing.
# TYPE unused_total counter
`,
  ],
  [
    SCRAPER,
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
    String.raw`# HELP calls Calls, \"all\".\nSo far.
# TYPE calls counter
calls_total{who="a \"b\""} 3
# HELP busy Now.
# TYPE busy gauge
busy 0.5
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{api="x",le="0.5"} 1
took_seconds_bucket{api="x",le="1.0"} 2 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.75 1764000000.5
took_seconds_bucket{api="x",le="+Inf"} 3
took_seconds_sum{api="x"} 4
took_seconds_count{api="x"} 3
# HELP said Words.
# TYPE said summary
said_sum 7
said_count 1
# HELP unused Nothing.
# TYPE unused counter
# EOF
`,
  ],
])("what a scraper gets that accepts %s", (accept, contentType, body) => {
  expect(exposition(measured(), accept)).toEqual({ contentType, body });
});
