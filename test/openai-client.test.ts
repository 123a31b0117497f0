/** The official OpenAI clients, unmodified, through the gateway and the example configuration to a model and back. */
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import OpenAI, { AzureOpenAI } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoModel, startDemoModel } from "../src/demo/index.ts";
import { type TestGateway, subscription, testGateway } from "./gateway.ts";

const START = join(import.meta.dirname, "..", "examples", "start");
let model: DemoModel;
let gateway: TestGateway;

function exampleFiles(): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(START, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[relative(START, path)] = readFileSync(path, "utf8");
  }
  return files;
}

beforeAll(async () => {
  model = await startDemoModel({});
  gateway = await testGateway(
    {
      ...exampleFiles(),
      "subscriptions/mine/subscriptionInformation.json": subscription("/products/starter", "key-of-mine"),
      "subscriptions/off/subscriptionInformation.json": subscription(
        "/products/starter",
        "key-off",
        "suspended",
      ),
    },
    { environment: { HEADGATE_NAMED_VALUE_DEMO_MODEL_URL: model.url } },
  );
});
afterAll(async () => {
  await gateway.close();
  await model.close();
});

const openai = (apiKey = "key-of-mine"): OpenAI =>
  new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey, maxRetries: 0 });
const azure = (apiKey = "key-of-mine"): AzureOpenAI =>
  new AzureOpenAI({
    endpoint: gateway.url,
    apiKey,
    apiVersion: "2024-10-21",
    deployment: "gpt-4o",
    maxRetries: 0,
  });
const hello = { model: "gpt-4o", messages: [{ role: "user" as const, content: "Hello there" }] };

describe.each([
  ["OpenAI", openai],
  ["AzureOpenAI", azure],
])("%s", (_name, client) => {
  it("gets a whole answer with truthful usage", async () => {
    const answer = await client().chat.completions.create(hello);
    expect(answer.choices[0]!.message.content).toContain("Hello there");
    expect(answer.model).toBe("gpt-4o");
    expect(answer.usage!.total_tokens).toBe(answer.usage!.prompt_tokens + answer.usage!.completion_tokens);
  });

  it("gets the same answer as a stream", async () => {
    const stream = await client().chat.completions.create({
      ...hello,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let usage = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage?.total_tokens ?? usage;
    }
    expect(text).toContain("Hello there");
    expect(usage).toBeGreaterThan(0);
  });

  it("gets embeddings", async () => {
    const { data } = await client().embeddings.create({ model: "gpt-4o", input: ["a", "b"] });
    expect(data).toHaveLength(2);
  });

  it.each([
    ["a wrong key", "nonsense", "invalid subscription key"],
    ["a disabled key", "key-off", "invalid subscription key"],
  ])("is refused with %s", async (_what, key, says) => {
    await expect(client(key).chat.completions.create(hello)).rejects.toMatchObject({ status: 401 });
    await expect(client(key).chat.completions.create(hello)).rejects.toThrow(new RegExp(`401.*${says}|401`));
  });
});

it("the Responses API streams its events", async () => {
  const stream = await openai().responses.create({ model: "demo", input: "Hello there", stream: true });
  const types: string[] = [];
  for await (const event of stream) types.push(event.type);
  expect(types[0]).toBe("response.created");
  expect(types.at(-1)).toBe("response.completed");
});

it("a tool call comes through as it was made", async () => {
  const tools = [
    {
      type: "function" as const,
      function: {
        name: "get_weather",
        parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    },
  ];
  const answer = await openai().chat.completions.create({ ...hello, tools, tool_choice: "required" });
  expect(answer.choices[0]!.message.tool_calls![0]).toMatchObject({
    type: "function",
    function: { name: "get_weather" },
  });
});

const MISSING =
  '{ "statusCode": 401, "message": "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API." }';
const INVALID =
  '{ "statusCode": 401, "message": "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription." }';
const NOT_FOUND = '{ "statusCode": 404, "message": "Resource not found" }';
const CHAT = "/openai/v1/chat/completions";
const AZURE_CHAT = "/openai/deployments/d/chat/completions";

const unusual: [what: string, path: string, init: RequestInit, status: number, body: string][] = [
  ["no key", CHAT, { method: "POST" }, 401, MISSING],
  ["an unknown key", CHAT, { method: "POST", headers: { "api-key": "nope" } }, 401, INVALID],
  ["a suspended key", CHAT, { method: "POST", headers: { "api-key": "key-off" } }, 401, INVALID],
  [
    "a wrong header key although the query has a right one",
    `${CHAT}?api-key=key-of-mine`,
    { method: "POST", headers: { "api-key": "x" } },
    401,
    INVALID,
  ],
  [
    "the default key header where the API has its own",
    CHAT,
    { method: "POST", headers: { "Ocp-Apim-Subscription-Key": "key-of-mine" } },
    401,
    MISSING,
  ],
  ["an unknown path", "/nowhere", {}, 404, NOT_FOUND],
  ["an unknown operation", "/openai/v1/nothing", { headers: { "api-key": "key-of-mine" } }, 404, NOT_FOUND],
  ["a wrong method", CHAT, { method: "GET", headers: { "api-key": "key-of-mine" } }, 404, NOT_FOUND],
  [
    "a missing required query parameter",
    AZURE_CHAT,
    { method: "POST", headers: { "api-key": "key-of-mine" } },
    404,
    NOT_FOUND,
  ],
  ["a key where the path is unknown", "/nowhere", { headers: { "api-key": "nope" } }, 404, NOT_FOUND],
  [
    "HEAD where only GET exists",
    "/openai/v1/models",
    { method: "HEAD", headers: { "api-key": "key-of-mine" } },
    404,
    "",
  ],
];

describe("unusual requests get the exact answers", () => {
  it.each(unusual)("%s", async (_what, path, init, status, body) => {
    const answer = await fetch(gateway.url + path, init);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe(body);
    expect(answer.headers.get("content-type")).toBe("application/json");
    if (status !== 401) return;
    const { host } = new URL(gateway.url);
    const base = path.startsWith(CHAT) ? "openai/v1" : "openai";
    expect(answer.headers.get("www-authenticate")).toBe(
      `AzureApiManagementKey realm="https://${host}/${base}",name="api-key",type="header"`,
    );
  });

  it("a header block that is too large", async () => {
    const answer = await fetch(`${gateway.url}${CHAT}`, {
      method: "POST",
      headers: { "x-large": "x".repeat(20_000) },
    });
    expect(answer.status).toBe(431);
    expect(await answer.text()).toMatch(
      /^\{ "statusCode": 431, "message": ".*", "code": "header_too_large", "requestId": "[0-9a-f-]{36}" \}$/,
    );
  });
});

it("every exchange leaves one line in the log, without key or body", async () => {
  const before = gateway.exchanges.length;
  await openai().chat.completions.create(hello);
  const { accessLine } = await import("../src/gateway/observing/access-record.ts");
  const lines = gateway.exchanges.slice(before).map((exchange) => accessLine(exchange));
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    msg: "request",
    status: 200,
    api: "openai",
    product: "starter",
    subscription_id: "mine",
    backend: "demo-model",
  });
  expect(lines[0]).not.toMatch(/key-of-mine|Hello there/);
});
