/** The line that every request leaves in the log: names as `deployment.md` D6 has them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestGateway, api, policy, subscription, testGateway } from "./gateway.ts";
import { until } from "./hang-up.ts";
import { type StandIn, standIn } from "./stand-in.ts";

let upstream: StandIn;
let gateway: TestGateway;

const ANSWER = {
  object: "chat.completion",
  model: "gpt-4o-2024-08-06",
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: {
    prompt_tokens: 11,
    completion_tokens: 7,
    total_tokens: 18,
    prompt_tokens_details: { cached_tokens: 4 },
  },
};

beforeAll(async () => {
  upstream = await standIn("model", (request, response) =>
    request.method === "GET"
      ? void response.end("page")
      : void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(ANSWER)),
  );
  gateway = await testGateway({
    ...api("ai", undefined, ["POST /chat/completions", "GET /page"], {
      properties: { subscriptionRequired: true },
      policy: policy({
        inbound: `
          <set-backend-service backend-id="east" />
          <cache-lookup vary-by-developer="false" vary-by-developer-groups="false" caching-type="internal" />
          <llm-token-limit counter-key="k" tokens-per-minute="10" estimate-prompt-tokens="false" />`,
        outbound: `<cache-store duration="60" />`,
      }),
    }),
    "subscriptions/mine/subscriptionInformation.json": subscription("/apis", "key-of-mine"),
    "backends/east/backendInformation.json": { properties: { url: upstream.url, protocol: "http" } },
  });
});
afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
});

/** The line of a request. */
async function line(path: string, body?: object): Promise<Record<string, unknown>> {
  const before = gateway.log.length;
  const reply = await fetch(gateway.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { "ocp-apim-subscription-key": "key-of-mine", "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  await reply.arrayBuffer();
  const found = () => gateway.log.slice(before).find(({ msg }) => msg === "request");
  await until(() => found() !== undefined);
  return found()!;
}

const number = expect.any(Number) as number;
const text = expect.any(String) as string;
const call = { model: "gpt-4o", messages: [{ role: "user", content: "hello" }] };

test("a request to a model", async () => {
  expect(await line("/ai/chat/completions?api-version=1", call)).toEqual({
    ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
    level: "info",
    msg: "request",
    request_id: text,
    client_ip: "127.0.0.1",
    method: "POST",
    route: "/chat/completions",
    path: "/ai/chat/completions",
    http_version: "1.1",
    status: 200,
    duration_ms: number,
    overhead_ms: number,
    ttfb_ms: number,
    bytes_in: JSON.stringify(call).length,
    bytes_out: JSON.stringify(ANSWER).length,
    api: "ai",
    operation: "op0",
    subscription_id: "mine",
    backend: "east",
    backend_status: 200,
    model_requested: "gpt-4o",
    model_served: "gpt-4o-2024-08-06",
    tokens_in: 11,
    tokens_out: 7,
    tokens_cached: 4,
    usage_source: "reported",
    config_version: 1,
  });
});

test("one that a limit refuses", async () => {
  const refused = await line("/ai/chat/completions", call);
  expect(refused).toMatchObject({
    status: 429,
    code: "token_limit_exceeded",
    reason: "OpenAITokenLimitExceeded",
    model_requested: "gpt-4o",
    tokens_in: 0,
  });
  expect(refused).not.toHaveProperty("backend");
  expect(refused).not.toHaveProperty("ttfb_ms");
});

test.each([["miss"], ["hit"]])("one that a cache is asked for: %s", async (cache) => {
  expect(await line("/ai/page")).toMatchObject({ status: 200, cache });
});
