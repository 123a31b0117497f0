/** What a collector sees of a request to a model: spans by the conventions, metrics, and rows of a diagnostic. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { type Collector, collector } from "./otlp-receiver.ts";
import { type StandIn, standIn } from "./stand-in.ts";

let upstream: StandIn;
let sink: Collector;
let gateway: TestGateway;

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

beforeAll(async () => {
  sink = await collector();
  upstream = await standIn(
    "model",
    (_request, response) =>
      void response.writeHead(200, { "content-type": "application/json" }).end(
        JSON.stringify({
          id: "chatcmpl-1",
          model: "gpt-4o-2024-08-06",
          choices: [
            {
              index: 0,
              message: { role: "assistant", content: "Hello secret-value-123" },
              finish_reason: "stop",
            },
          ],
          usage: {
            prompt_tokens: 11,
            completion_tokens: 7,
            total_tokens: 18,
            prompt_tokens_details: { cached_tokens: 4 },
          },
        }),
      ),
  );
  gateway = await testGateway(
    {
      ...api("ai", `${upstream.url}/v1`, ["POST /chat/completions"], {
        policy: policy({
          inbound: `<azure-openai-emit-token-metric namespace="openai"><dimension name="API ID" /><dimension name="Client IP" value="@(context.Request.IpAddress)" /></azure-openai-emit-token-metric>`,
        }),
      }),
      "namedValues/a-secret/namedValueInformation.json": {
        properties: { displayName: "a-secret", value: "secret-value-123", secret: true },
      },
      "loggers/otel/loggerInformation.json": {
        properties: { loggerType: "otlp", credentials: { endpoint: sink.url, headers: "x-team=ours" } },
      },
      "apis/ai/diagnostics/azuremonitor/diagnosticInformation.json": {
        properties: {
          loggerId: "/loggers/otel",
          sampling: { samplingType: "fixed", percentage: 100 },
          frontend: { request: { headers: ["x-tenant", "authorization"], body: { bytes: 20 } } },
          largeLanguageModel: {
            logs: "enabled",
            requests: { messages: "all", maxSizeInBytes: 262144 },
            responses: { messages: "all", maxSizeInBytes: 262144 },
          },
        },
      },
    },
    {
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
        OTEL_METRIC_EXPORT_INTERVAL: "100",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
      },
    },
  );
  const answer = await fetch(`${gateway.url}/ai/chat/completions?api-version=2024-10-21`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      traceparent: `00-${TRACE}-${PARENT}-01`,
      "x-tenant": "blue",
      authorization: "Bearer not-for-logs",
    },
    body: JSON.stringify({
      model: "gpt-4o",
      temperature: 0.5,
      max_tokens: 9,
      messages: [{ role: "user", content: "Hi" }],
    }),
  });
  await answer.text();
  await vi.waitFor(
    () => {
      expect(sink.spans.length).toBe(3);
      expect(sink.logs.length).toBe(4);
      expect(sink.metrics.has("openai/Total Tokens")).toBe(true);
    },
    { timeout: 20_000 },
  );
}, 30_000);
afterAll(async () => {
  await gateway.close();
  await upstream.close();
  await sink.close();
});

test("spans: the request below its caller's, the attempt below it, the model by the released names", () => {
  const server = sink.spans.find(({ kind }) => kind === 2)!;
  const [attempt, model] = [
    sink.spans.find(({ name }) => name === "POST")!,
    sink.spans.find(({ name }) => name === "chat gpt-4o")!,
  ];
  expect(sink.spans.map(({ traceId }) => traceId)).toEqual([TRACE, TRACE, TRACE]);
  expect(server).toMatchObject({
    name: "POST /ai/chat/completions",
    parentSpanId: PARENT,
    resource: { "service.name": "headgate", "deployment.environment.name": "test" },
    attributes: {
      "http.request.method": "POST",
      "http.route": "/ai/chat/completions",
      "http.response.status_code": 200,
      "url.path": "/ai/chat/completions",
      "headgate.api": "ai",
    },
  });
  expect(attempt).toMatchObject({ kind: 3, parentSpanId: server["spanId"] });
  // The backend was told of this attempt.
  expect(upstream.headers["traceparent"]).toBe(`00-${TRACE}-${attempt["spanId"]}-01`);
  expect(model).toMatchObject({ kind: 3, parentSpanId: server["spanId"] });
  expect(model.attributes).toMatchObject({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "azure.ai.openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.request.max_tokens": 9,
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 11,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
  });
});

test("metrics: what policies emit, in their namespace, and the conventions' own", () => {
  const point = (name: string): any => sink.metrics.get(name)?.["histogram"]?.points[0];
  expect(point("openai/Total Tokens")).toMatchObject({ count: 1, sum: 18 });
  expect(point("openai/Prompt Cached Tokens")).toMatchObject({ count: 1, sum: 4 });
  expect(sink.metrics.get("openai/Total Tokens")!["unit"]).toBe("{token}");
  const usage = sink.metrics.get("headgate/gen_ai.client.token.usage")!;
  expect(usage["histogram"].points.map(({ sum }: any) => sum)).toEqual([11, 7]);
  expect(sink.metrics.get("headgate/gen_ai.client.operation.duration")!["unit"]).toBe("s");
  expect(point("headgate/http.server.request.duration")).toMatchObject({
    count: 1,
    attributes: [
      { key: "http.request.method", value: { string: "POST" } },
      { key: "url.scheme", value: { string: "http" } },
      { key: "http.response.status_code", value: { int: 200 } },
      { key: "http.route", value: { string: "/ai/chat/completions" } },
    ],
  });
});

test("rows of a diagnostic: the request, the model's header row, both contents, without secrets", () => {
  const columns = sink.logs.map(({ attributes }) => attributes);
  expect(sink.logs.map(({ eventName }) => eventName).sort()).toEqual([
    "GatewayLlmLogs",
    "GatewayLlmLogs",
    "GatewayLlmLogs",
    "GatewayLogs",
  ]);
  expect(columns.find(({ OperationName }) => String(OperationName).endsWith("/GatewayLogs"))).toMatchObject({
    ApiId: "ai",
    ResponseCode: 200,
    RequestBody: '{"model":"gpt-4o","t',
    RequestHeaders: JSON.stringify({ "x-tenant": "blue", authorization: "*****" }),
  });
  expect(columns.find(({ SequenceNumber }) => SequenceNumber === 0)).toMatchObject({
    DeploymentName: "gpt-4o",
    ModelName: "gpt-4o-2024-08-06",
    ApiVersion: "2024-10-21",
    PromptTokens: 11,
    CompletionTokens: 7,
    TotalTokens: 18,
    UsageSource: "reported",
  });
  const messages = (name: string): unknown =>
    JSON.parse(String(columns.find((row) => row[name] !== undefined)![name]));
  expect(messages("RequestMessages")).toEqual([{ role: "user", content: "Hi" }]);
  expect(messages("ResponseMessages")).toEqual([{ role: "assistant", content: "Hello *****" }]);
});
