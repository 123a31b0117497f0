import { expect, test } from "vitest";
import { prometheusText } from "../../telemetry/metrics/prometheus.ts";
import { Metrics, Observations } from "../../telemetry/metrics/registry.ts";
import type { LedgerRecord } from "../../ledger/record.ts";
import { CHUNK_SECONDS } from "../models/answer-watch.ts";
import { GatewayMetrics } from "./gateway-metrics.ts";
import { exchangeOf, responseOf } from "../testing.ts";

function scrape(act: (metrics: GatewayMetrics) => void): string[] {
  const registry = new Metrics(0);
  act(new GatewayMetrics(registry));
  return prometheusText(registry)
    .split("\n")
    .filter((line) => /^(headgate_|gen_ai_).*(_total|_sum|_count)\b/.test(line));
}

test("an exchange that a backend answered at its second try", () => {
  const lines = scrape((metrics) => {
    const exchange = exchangeOf();
    exchange.response = responseOf(200);
    const attempt = { url: "http://b", startedMs: 1, backendId: "b" };
    exchange.attempts.push(
      { ...attempt, status: 503, error: null, headersMs: 11 },
      { ...attempt, status: 200, error: null, startedMs: 11, headersMs: 31 },
    );
    metrics.ended(exchange);
  });
  expect(lines).toEqual([
    'headgate_requests_total{api="",operation="",status_class="2xx"} 1',
    'headgate_request_duration_seconds_sum{api="",operation="",status_class="2xx"} 0',
    'headgate_request_duration_seconds_count{api="",operation="",status_class="2xx"} 1',
    'headgate_overhead_seconds_sum{api=""} 0.001',
    'headgate_overhead_seconds_count{api=""} 1',
    'headgate_upstream_duration_seconds_sum{backend="b",status_class="5xx"} 0.01',
    'headgate_upstream_duration_seconds_count{backend="b",status_class="5xx"} 1',
    'headgate_upstream_duration_seconds_sum{backend="b",status_class="2xx"} 0.02',
    'headgate_upstream_duration_seconds_count{backend="b",status_class="2xx"} 1',
    'headgate_retries_total{reason="503"} 1',
  ]);
});

test("requests by the conventions for HTTP: methods that callers make up are one", () => {
  const registry = new Metrics(0);
  const metrics = new GatewayMetrics(registry);
  for (const [method, status] of [
    ["GET", 200],
    ["GET", 200],
    ["BREW", 503],
  ] as const) {
    const exchange = exchangeOf({ method });
    exchange.response = responseOf(status);
    metrics.ended(exchange);
  }
  const lines = prometheusText(registry)
    .split("\n")
    .filter((line) => line.startsWith("http_server_request_duration_seconds_count"));
  const labels = (method: string, status: number, error: string): string =>
    `{http_request_method="${method}",url_scheme="http",http_response_status_code="${status}",http_route="",error_type="${error}"}`;
  expect(lines).toEqual([
    `http_server_request_duration_seconds_count${labels("GET", 200, "")} 2`,
    `http_server_request_duration_seconds_count${labels("_OTHER", 503, "503")} 1`,
  ]);
});

const record = {
  api: "openai",
  product: "gold",
  backend: "b",
  modelAsked: "gpt-5",
  modelServed: "gpt-5-2026",
  modelOperation: "chat",
  provider: "openai",
  stream: true,
  firstByteMs: 250,
  durationMs: 2000,
  status: 200,
  ending: "finished",
  evidence: "reported",
  error: null,
  promptTokens: 10,
  completionTokens: 20,
  cachedTokens: 4,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  costMicros: 1500,
} as unknown as LedgerRecord;

test("a settled request to a model, under the names of the conventions too", () => {
  const labels = 'api="openai",product="gold",backend="b",model="gpt-5-2026"';
  const genAi =
    'operation_name="chat",provider_name="openai",request_model="gpt-5",response_model="gpt-5-2026"';
  const chunkGaps = new Observations(CHUNK_SECONDS);
  for (const seconds of [0.5, 0.25]) chunkGaps.note(seconds);
  expect(scrape((metrics) => metrics.settled(record, chunkGaps))).toEqual([
    'headgate_time_to_first_byte_seconds_sum{api="openai"} 0.25',
    'headgate_time_to_first_byte_seconds_count{api="openai"} 1',
    `headgate_tokens_total{kind="prompt",${labels}} 10`,
    `headgate_tokens_total{kind="completion",${labels}} 20`,
    `headgate_tokens_total{kind="cached",${labels}} 4`,
    `headgate_cost_usd_total{${labels}} 0.0015`,
    `gen_ai_client_token_usage_sum{${genAi},token_type="input"} 10`,
    `gen_ai_client_token_usage_count{${genAi},token_type="input"} 1`,
    `gen_ai_client_token_usage_sum{${genAi},token_type="output"} 20`,
    `gen_ai_client_token_usage_count{${genAi},token_type="output"} 1`,
    `gen_ai_client_operation_duration_seconds_sum{${genAi},error_type=""} 2`,
    `gen_ai_client_operation_duration_seconds_count{${genAi},error_type=""} 1`,
    `gen_ai_client_operation_time_to_first_chunk_seconds_sum{${genAi}} 0.25`,
    `gen_ai_client_operation_time_to_first_chunk_seconds_count{${genAi}} 1`,
    `gen_ai_client_operation_time_per_output_chunk_seconds_sum{${genAi}} 0.75`,
    `gen_ai_client_operation_time_per_output_chunk_seconds_count{${genAi}} 2`,
  ]);
});

test("what no model served counts no tokens", () => {
  expect(scrape((metrics) => metrics.settled({ ...record, evidence: "none", ending: "refused" }))).toEqual(
    [],
  );
});
