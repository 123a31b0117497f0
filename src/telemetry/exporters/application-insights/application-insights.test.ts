import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { FakeClock } from "../../../gateway/testing.ts";
import { createClient } from "../../../transport/node/index.ts";
import type { LogRow, RequestDetail } from "../../diagnostic.ts";
import { AppInsightsExporter } from "./application-insights.ts";
import { timeSpan } from "./envelope.ts";
import { type Ingestion, startIngestion } from "./ingestion.fixture.ts";
import { type AppInsightsSettings, placeOf, readConnectionString } from "./settings.ts";

const KEY = "12345678-1234-1234-1234-123456789abc";
const client = createClient();
let service: Ingestion;
let other: Ingestion;
let clock: FakeClock;
beforeAll(async () => {
  [service, other] = [await startIngestion(), await startIngestion()];
});
beforeEach(() => {
  clock = new FakeClock();
  for (const one of [service, other]) {
    one.taken.length = one.requests.length = one.mistakes.length = 0;
    one.answer = null;
  }
});
afterAll(async () => {
  await client.close();
  await service.close();
  await other.close();
});

function exporterTo(settings: Partial<AppInsightsSettings> = {}): AppInsightsExporter {
  return new AppInsightsExporter(
    {
      kind: "application-insights",
      id: "ai",
      type: "applicationInsights",
      key: "k",
      settings: {
        instrumentationKey: KEY,
        endpoint: placeOf(`${service.url}/sub/`)!,
        identity: null,
        isBuffered: true,
        ...settings,
      },
    },
    {
      client,
      clock,
      random: () => 0.5,
      report: () => {},
      azureToken: (resource, clientId) => `token for ${resource} as ${clientId}`,
      role: "headgate",
      instance: "one",
    },
  );
}

const counts = ({ state: { added, sent, dropped, waiting } }: AppInsightsExporter): number[] => [
  added,
  sent,
  dropped,
  waiting,
];

function request(
  columns: Readonly<Record<string, unknown>> = {},
  detail: Partial<RequestDetail> = {},
): LogRow {
  return {
    category: "GatewayLogs",
    timeMs: 1_700_000_000_000,
    correlationId: "corr-1",
    columns: {
      ApiId: "ai",
      Method: "POST",
      Url: "https://gw.example/ai/chat",
      ResponseCode: 200,
      IsRequestSuccess: true,
      TotalTime: 1234,
      Region: "self-hosted",
      ...columns,
    },
    detail: {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      parentSpanId: null,
      name: "ai;rev=1 - chat",
      percentage: 25,
      attempts: [],
      ...detail,
    },
  };
}

const llm = (i: number): LogRow => ({
  category: "GatewayLlmLogs",
  timeMs: 1_700_000_000_000,
  correlationId: `c${i}`,
  columns: { CorrelationId: `c${i}`, RequestMessages: `message ${i}` },
});

/** What arrived, by the number in its text. */
const arrived = (): string[] => service.data("MessageData").map(({ message }) => message.split(" ")[1]);

test("a request, its attempts, what policies said and what went wrong, in one operation", async () => {
  const exporter = exporterTo();
  const row = request(
    {
      CallerIpAddress: "192.0.2.1",
      RequestHeaders: { "X-Tenant": "blue" },
      RequestBody: "x".repeat(9000),
      Errors: [{ source: "quota", reason: "QuotaExceeded", message: "no more" }],
      TraceRecords: [{ source: "me", severity: "error", message: "oh", metadata: { user: "u" } }],
    },
    {
      parentSpanId: "00f067aa0ba902b7",
      attempts: [
        {
          spanId: "1111111111111111",
          method: "POST",
          url: "https://model.example/v1/chat",
          backendId: "one",
          startedMs: 5,
          durationMs: 61_001,
          status: 503,
          error: null,
        },
      ],
    },
  );
  exporter.addRow(row);
  await exporter.flush();
  expect(service.mistakes).toEqual([]);
  expect(service.requests.map(({ path }) => path)).toEqual(["/sub/v2.1/track", "/sub/v2.1/track"]);
  expect(service.taken.map(({ tags }) => tags["ai.operation.id"])).toEqual(
    Array(4).fill("0af7651916cd43dd8448eb211c80319c"),
  );
  const [parent, ...children] = service.taken.map(({ tags }) => tags["ai.operation.parentId"]);
  expect([parent, ...new Set(children)]).toEqual(["00f067aa0ba902b7", "b7ad6b7169203331"]);
  expect(service.taken[0]).toMatchObject({
    sampleRate: 25,
    iKey: KEY,
    tags: {
      "ai.operation.name": "ai;rev=1 - chat",
      "ai.location.ip": "192.0.2.1",
      "ai.cloud.role": "headgate",
      "ai.cloud.roleInstance": "one",
    },
  });
  expect(service.data("RequestData")[0]).toMatchObject({
    id: "b7ad6b7169203331",
    duration: "00:00:01.234",
    responseCode: "200",
    success: true,
    properties: { "API Name": "ai", "Request-X-Tenant": "blue", "Request-Body": "x".repeat(8192) },
  });
  expect(service.data("RemoteDependencyData")[0]).toMatchObject({
    id: "1111111111111111",
    name: "POST /v1/chat",
    target: "model.example",
    duration: "00:01:01.001",
    resultCode: "503",
    success: false,
    properties: { "Backend ID": "one" },
  });
  expect(service.data("MessageData")[0]).toMatchObject({
    message: "oh",
    severityLevel: 3,
    properties: { Source: "me", user: "u" },
  });
  expect(service.data("ExceptionData")[0].exceptions[0]).toMatchObject({
    typeName: "QuotaExceeded",
    message: "no more",
  });
});

test("of a request that was not sampled only what policies said", async () => {
  const exporter = exporterTo();
  const TraceRecords = [{ source: "me", severity: "information", message: "said" }];
  exporter.addRow({ ...request({ TraceRecords, Errors: [{ source: "quota" }] }, {}), isUnsampled: true });
  await exporter.flush();
  expect(service.mistakes).toEqual([]);
  expect(service.taken).toMatchObject([
    { sampleRate: 100, data: { baseType: "MessageData", baseData: { message: "said" } } },
  ]);
});

test("metrics are gathered for a minute", async () => {
  const exporter = exporterTo();
  for (const value of [5, 7, 1])
    exporter.addMeasure({ namespace: "ns", name: "Tokens", value, dimensions: ["API"], values: ["a"] });
  exporter.addMeasure({ namespace: "ns", name: "Tokens", value: 2, dimensions: ["API"], values: ["b"] });
  exporter.addMeasure({ namespace: "ns", name: "Tokens", value: NaN, dimensions: ["API"], values: ["b"] });
  expect(counts(exporter)).toEqual([0, 0, 0, 0]);
  clock.advance(60_000);
  await exporter.flush();
  expect(service.mistakes).toEqual([]);
  expect(service.data("MetricData")).toMatchObject([
    {
      metrics: [{ ns: "ns", name: "Tokens", value: 13, count: 3, min: 1, max: 7 }],
      properties: { API: "a" },
    },
    { metrics: [{ value: 2, count: 1 }], properties: { API: "b" } },
  ]);
});

test("what the service refuses is dropped, what it has no room for goes again", async () => {
  const exporter = exporterTo();
  exporter.addRow(llm(0));
  for (let i = 1; i <= 4; i++) exporter.addRow(llm(i));
  let first = true;
  service.answer = (envelopes) => {
    if (envelopes.length !== 4 || !first) return undefined;
    first = false;
    service.taken.push(envelopes[0]!);
    const errors = [
      { index: 1, statusCode: 400, message: "bad" },
      { index: 3, statusCode: 429, message: "throttled" },
      { index: 2, statusCode: 500, message: "oops" },
      { index: 99, statusCode: 500, message: "there is none" },
    ];
    return { status: 206, body: { itemsReceived: 4, itemsAccepted: 1, errors } };
  };
  const flushed = exporter.flush();
  await expect.poll(() => clock.waits.filter((ms) => ms < 1000).length).toBe(1);
  clock.advance(1000);
  await flushed;
  expect(arrived()).toEqual(["0", "1", "3", "4"]);
  expect(counts(exporter)).toEqual([5, 4, 1, 0]);
});

test.each<[number, Record<string, string>, number, number]>([
  [429, { "retry-after": "7" }, 7_000, 5],
  [503, { "retry-after": new Date(1_700_000_000_000 + 9_000).toUTCString() }, 9_000, 5],
  [503, {}, 188, 5],
  [439, { "retry-after": "99999" }, 600_000, 5],
])("%i with %j: again after %i ms", async (status, headers, waitMs) => {
  const exporter = exporterTo();
  let asked = 0;
  service.answer = () => (asked++ === 0 ? { status, headers } : undefined);
  exporter.addRow(llm(1));
  await expect.poll(() => exporter.state.isFailing).toBe(true);
  expect(Math.round(clock.waits.at(-1)!)).toBe(waitMs);
  clock.advance(waitMs + 1);
  await exporter.flush();
  expect(counts(exporter)).toEqual([1, 1, 0, 0]);
});

test.each([400, 402, 404, 413])("%i is not tried again", async (status) => {
  const exporter = exporterTo();
  service.answer = () => ({ status });
  exporter.addRow(llm(1));
  await exporter.flush();
  expect(counts(exporter)).toEqual([1, 0, 1, 0]);
});

test("the service may say somewhere else, once and for all; not in another domain", async () => {
  const exporter = exporterTo({ identity: { clientId: "me" } });
  service.answer = () => ({ status: 308, headers: { location: `${other.url}/v2.1/track` } });
  exporter.addRow(llm(1));
  await exporter.flush();
  exporter.addRow(llm(2));
  await exporter.flush();
  expect([service.requests.length, other.requests.length]).toEqual([1, 2]);
  expect(other.requests[0]!.headers.authorization).toBe("Bearer token for https://monitor.azure.com as me");

  const wary = exporterTo();
  service.answer = () => ({ status: 307, headers: { location: "http://elsewhere.example/v2.1/track" } });
  wary.addRow(llm(3));
  await expect.poll(() => wary.state.isFailing).toBe(true);
  wary.close();
  expect(counts(wary)).toEqual([1, 0, 1, 0]);
});

test.each<[string, ReturnType<typeof readConnectionString> | object]>([
  ["", "it has no InstrumentationKey"],
  ["InstrumentationKey=abc", "its InstrumentationKey is no GUID"],
  [`InstrumentationKey=${KEY};IngestionEndpoint=nowhere`, "its IngestionEndpoint is no http or https URL"],
  [
    `instrumentationkey=${KEY}`,
    { scheme: "https", host: "dc.services.visualstudio.com", port: 443, path: "" },
  ],
  [
    `InstrumentationKey=${KEY};IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/;LiveEndpoint=x`,
    { scheme: "https", host: "westeurope-5.in.applicationinsights.azure.com", port: 443, path: "" },
  ],
  [
    `InstrumentationKey=${KEY};EndpointSuffix=ai.contoso.com;Location=west`,
    { scheme: "https", host: "west.dc.ai.contoso.com", port: 443, path: "" },
  ],
])("connection string %s", (text, expected) => {
  const read = readConnectionString(text);
  expect(typeof read === "string" ? read : read.endpoint).toEqual(expected);
});

test.each([
  [0, "00:00:00.000"],
  [1.6, "00:00:00.002"],
  [3_723_004, "01:02:03.004"],
  [86_400_000 * 2 + 1, "2.00:00:00.001"],
  [-5, "00:00:00.000"],
])("%i ms is %s", (ms, text) => {
  expect(timeSpan(ms)).toBe(text);
});
