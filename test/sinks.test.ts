/** Diagnostics through a whole gateway to Application Insights and to files, and the rows of WebSocket connections. */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import {
  type Ingestion,
  startIngestion,
} from "../src/telemetry/exporters/application-insights/ingestion.fixture.ts";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { type StandIn, standIn } from "./stand-in.ts";

const KEY = "12345678-1234-1234-1234-123456789abc";
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const ANSWER = {
  id: "chatcmpl-1",
  model: "gpt-4o-2024-08-06",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
};

let service: Ingestion;
let upstream: StandIn;
let server: WebSocketServer;
let gateway: TestGateway;
let data: string;

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), "headgate-sinks-"));
  service = await startIngestion();
  upstream = await standIn(
    "model",
    (_request, response) =>
      void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(ANSWER)),
  );
  server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket) => socket.on("message", (text) => socket.send(text)));
  await new Promise((resolve) => server.once("listening", resolve));
  const diagnostic = (logger: string, more: object = {}): object => ({
    properties: { loggerId: `/loggers/${logger}`, verbosity: "information", ...more },
  });
  gateway = await testGateway(
    {
      ...api("ai", `${upstream.url}/v1`, ["POST /chat/completions", "GET /forbidden"], {
        policy: policy({
          inbound: `
            <choose><when condition='@(context.Operation.Method == "GET")'><check-header name="x-pass" failed-check-httpcode="403" failed-check-error-message="no" ignore-case="true" /></when></choose>
            <trace source="mine" severity="information"><message>hello</message><metadata name="who" value="me" /></trace>
            <trace source="mine" severity="verbose"><message>too much</message></trace>
            <llm-emit-token-metric namespace="tokens"><dimension name="API ID" /></llm-emit-token-metric>
            <emit-metric name="Calls" namespace="mine" value="2"><dimension name="Region" value="here" /></emit-metric>`,
        }),
      }),
      "loggers/insights/loggerInformation.json": {
        properties: {
          loggerType: "applicationInsights",
          credentials: { connectionString: `InstrumentationKey=${KEY};IngestionEndpoint=${service.url}/` },
        },
      },
      "loggers/rows/loggerInformation.json": {
        properties: { loggerType: "file", credentials: { path: "rows" } },
      },
      "apis/ai/diagnostics/applicationinsights/diagnosticInformation.json": diagnostic("insights", {
        metrics: true,
        httpCorrelationProtocol: "W3C",
        largeLanguageModel: {
          logs: "enabled",
          requests: { messages: "all" },
          responses: { messages: "all" },
        },
      }),
      "apis/ai/diagnostics/azuremonitor/diagnosticInformation.json": diagnostic("rows"),
      ...api("rare", `${upstream.url}/v1`, ["GET /x"], {
        policy: policy({
          inbound:
            '<trace source="mine" severity="error"><message>never dropped</message></trace><return-response />',
        }),
      }),
      "apis/rare/diagnostics/applicationinsights/diagnosticInformation.json": diagnostic("insights", {
        sampling: { samplingType: "fixed", percentage: 0 },
      }),
      "apis/socket/apiInformation.json": {
        properties: {
          displayName: "socket",
          path: "socket",
          type: "websocket",
          protocols: ["ws"],
          serviceUrl: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
          subscriptionRequired: false,
        },
      },
      "apis/socket/diagnostics/azuremonitor/diagnosticInformation.json": diagnostic("rows"),
    },
    { dataDir: data },
  );
  expect(gateway.problems).toEqual([]);
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
  await service.close();
  for (const socket of server.clients) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
  rmSync(data, { recursive: true, force: true });
});

function rows(): Record<string, unknown>[] {
  const folder = join(data, "rows");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), "utf8")
      .split("\n")
      // The last line may be on its way.
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
}

function connectionRows(): unknown[] {
  return rows()
    .filter(({ category }) => category === "WebSocketConnectionLogs")
    .map(({ EventName, Source, Destination }) => [EventName, Source, Destination]);
}

test("connection events of a WebSocket session", async () => {
  const socket = new WebSocket(`${gateway.url.replace("http", "ws")}/socket`);
  await new Promise((resolve) => socket.once("open", resolve));
  socket.send("hi");
  await new Promise((resolve) => socket.once("message", resolve));
  socket.close();
  const closed = [
    ["ConnectionOpened", "client", "backend"],
    ["ConnectionClosed", "client", "backend"],
  ];
  await expect.poll(connectionRows, { timeout: 10_000 }).toHaveLength(2);
  // Who of the two ends first after the closing handshake is theirs to decide.
  expect(connectionRows()[0]).toEqual(closed[0]);
  expect(connectionRows()[1]).toContain("ConnectionClosed");
});

test("a backend that breaks off is told apart from one that ends", async () => {
  const before = connectionRows().length;
  const socket = new WebSocket(`${gateway.url.replace("http", "ws")}/socket`);
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("open", resolve));
  for (const one of server.clients) (one as unknown as { _socket: Socket })._socket.resetAndDestroy();
  await new Promise((resolve) => socket.once("close", resolve));
  await expect.poll(() => connectionRows().length, { timeout: 10_000 }).toBe(before + 2);
  expect(connectionRows().slice(before)).toEqual([
    ["ConnectionOpened", "client", "backend"],
    ["ConnectionError", "backend", "client"],
  ]);
  expect(rows().find(({ EventName }) => EventName === "ConnectionError")).toMatchObject({
    ApiId: "socket",
    Error: "upstream_closed",
  });
});

test("what Application Insights and a file get of requests to a model", async () => {
  const answer = await fetch(`${gateway.url}/ai/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", traceparent: `00-${TRACE}-${PARENT}-01` },
    body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "Hi" }] }),
  });
  await answer.text();
  const told = upstream.headers["traceparent"];
  await (await fetch(`${gateway.url}/ai/forbidden`)).text();
  await (await fetch(`${gateway.url}/rare/x`)).text();
  await gateway.drain(5_000);

  expect(service.mistakes).toEqual([]);
  const requests = service.taken.filter(({ data: { baseType } }) => baseType === "RequestData");
  expect(requests.map(({ data: { baseData } }) => [baseData.name, baseData.responseCode])).toEqual([
    ["ai;rev=1 - op0", "200"],
    ["ai;rev=1 - op1", "403"],
  ]);
  expect(requests[0]!.tags).toMatchObject({ "ai.operation.id": TRACE, "ai.operation.parentId": PARENT });
  const [attempt] = service.data("RemoteDependencyData");
  // The backend was told of this attempt.
  expect(told).toBe(`00-${TRACE}-${attempt.id}-01`);
  expect(attempt).toMatchObject({ name: "POST /v1/chat/completions", resultCode: "200", success: true });

  // Its request was not sampled.
  expect(service.data("MessageData").filter(({ message }) => message === "never dropped")).toHaveLength(1);

  const own = service.taken.filter(({ tags }) => tags["ai.operation.id"] === TRACE);
  const messages = own.filter(({ data: { baseType } }) => baseType === "MessageData");
  // With what was said to the model, which is one of the request's own records.
  expect(messages.map(({ data: { baseData } }) => baseData.properties.Category ?? baseData.message)).toEqual([
    "hello",
    "GatewayLlmLogs",
    "GatewayLlmLogs",
    "GatewayLlmLogs",
  ]);
  expect(messages[0]!.data.baseData.properties).toMatchObject({ Source: "mine", who: "me" });
  expect(service.data("ExceptionData")).toMatchObject([{ exceptions: [{ typeName: "HeaderNotFound" }] }]);

  const llm = service
    .data("MessageData")
    .filter(({ properties }) => properties.Category === "GatewayLlmLogs");
  expect(llm.map(({ message }) => message)).toEqual([
    "GatewayLlmLogs",
    '[{"role":"user","content":"Hi"}]',
    '[{"role":"assistant","content":"Hello"}]',
  ]);
  expect(llm[0].properties).toMatchObject({ PromptTokens: "11", CompletionTokens: "7" });

  const metrics = service.data("MetricData").map(({ metrics: [metric], properties }) => ({
    of: `${metric.ns}/${metric.name}`,
    value: metric.value,
    count: metric.count,
    properties,
  }));
  expect(metrics).toEqual(
    expect.arrayContaining([
      { of: "tokens/Total Tokens", value: 18, count: 1, properties: { "API ID": "ai" } },
      { of: "tokens/Prompt Tokens", value: 11, count: 1, properties: { "API ID": "ai" } },
    ]),
  );
  const calls = metrics.find(({ of }) => of === "mine/Calls")!;
  expect(calls.value).toBe(2 * calls.count);

  const written = rows().filter(({ ApiId, category }) => ApiId === "ai" && category === "GatewayLogs");
  expect(written.map(({ ResponseCode, OperationId }) => [OperationId, ResponseCode])).toEqual([
    ["op0", 200],
    ["op1", 403],
  ]);
  expect(written[0]!["TraceRecords"]).toEqual([
    { source: "mine", severity: "information", message: "hello", metadata: { who: "me" } },
  ]);
});

test.each<[string, Record<string, string>, string]>([
  ["applicationInsights", {}, "it has neither a connectionString nor an instrumentationKey"],
  [
    "applicationInsights",
    { connectionString: "Endpoint=x" },
    "of its connection string, it has no InstrumentationKey",
  ],
  ["applicationInsights", { instrumentationKey: "{{nowhere}}" }, "nowhere"],
  ["ApplicationInsights", { instrumentationKey: "secret" }, "its InstrumentationKey is no GUID"],
  ["file", {}, "it has no path"],
  ["file", { path: "a/../../b" }, "a relative path stays below the data folder"],
  ["file", { path: "a", keepDays: "many" }, "keepDays is not a whole number"],
])("a logger of type %s with %j is refused", async (loggerType, credentials, expected) => {
  const files = {
    "loggers/l/loggerInformation.json": { properties: { loggerType, credentials } },
  };
  const reloads: string[] = [];
  const refused = testGateway(files, {
    onReload: ({ problems }) => reloads.push(...problems.map(({ message }) => message)),
  });
  await expect(refused).rejects.toThrow("The configuration has 1 errors");
  expect(reloads.join()).toContain(expected);
  expect(reloads.join()).not.toContain("secret");
});
