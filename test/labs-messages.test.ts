/**
 * Conversations kept for later, after the published lab `message-storing`: what was asked, what was answered and what it cost goes
 * to an event hub in the records of Azure Monitor, and whoever reads the hub puts them together by correlation id.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AzureOpenAI } from "openai";
import { afterEach, expect, test } from "vitest";
import { type StandIn, startStandIn } from "../src/telemetry/service-bus.fixture.ts";
import { type TestGateway, api, policy, subscription, testGateway } from "./gateway.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** One record; `properties` is C#, a list of members. */
const record = (properties: string): string => `
  <log-to-eventhub logger-id="messages">@{
    var record = new JObject {
      ["time"] = DateTime.UtcNow.ToString("o"),
      ["category"] = "GatewayLlmLogs",
      ["correlationId"] = context.RequestId.ToString(),
      ["properties"] = new JObject { ${properties} }
    };
    return new JObject { ["records"] = new JArray(record) }.ToString(Newtonsoft.Json.Formatting.None);
  }</log-to-eventhub>`;

const inbound = `
  <set-backend-service backend-id="model" />
  ${record(`
    ["requestMessages"] = context.Request.Body.As<JObject>(preserveContent: true)["messages"].ToString(Newtonsoft.Json.Formatting.None),
    ["ApimSubscriptionId"] = context.Subscription.Id`)}`;
const outbound = record(`
    ["responseMessages"] = new JArray(((JArray)context.Response.Body.As<JObject>(preserveContent: true)["choices"]).Select(choice => choice["message"])).ToString(Newtonsoft.Json.Formatting.None),
    ["modelName"] = context.Response.Body.As<JObject>(preserveContent: true)["model"],
    ["promptTokens"] = (long)context.Response.Body.As<JObject>(preserveContent: true)["usage"]["prompt_tokens"],
    ["completionTokens"] = (long)context.Response.Body.As<JObject>(preserveContent: true)["usage"]["completion_tokens"]`);

async function start(): Promise<{ hub: StandIn; gateway: TestGateway }> {
  const hub = await startStandIn({ send: "the key" }, () => Date.now());
  const model = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const { messages } = JSON.parse(text) as { messages: { content: string }[] };
      const content = `It is ${messages.at(-1)!.content}`;
      const choices = [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }];
      const usage = { prompt_tokens: 7, completion_tokens: content.length, total_tokens: 7 + content.length };
      const body = { id: "c", object: "chat.completion", created: 1, model: "gpt-x", choices, usage };
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => model.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(model.address() as AddressInfo).port}/openai`;
  const gateway = await testGateway({
    ...api("inference", undefined, ["POST /deployments/{deployment}/chat/completions"], {
      properties: {
        path: "inference/openai",
        subscriptionRequired: true,
        subscriptionKeyParameterNames: { header: "api-key", query: "api-key" },
      },
      policy: policy({ inbound, outbound }),
    }),
    "policy.xml":
      "<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>",
    "backends/model/backendInformation.json": { properties: { url, protocol: "http" } },
    "subscriptions/subscription1/subscriptionInformation.json": subscription("/apis/inference", "the-key"),
    "loggers/messages/loggerInformation.json": {
      properties: {
        loggerType: "azureEventHub",
        credentials: { name: "messages", connectionString: "{{hub}}" },
      },
    },
    "namedValues/hub/namedValueInformation.json": {
      properties: {
        displayName: "hub",
        secret: true,
        value: `Endpoint=${hub.url}/;SharedAccessKeyName=send;SharedAccessKey=the key`,
      },
    },
  });
  closing.push(
    () => hub.close(),
    () => model.close(),
    () => gateway.close(),
  );
  return { hub, gateway };
}

interface Conversation {
  [member: string]: string | number;
}

/** What the lab's job does with the hub: records of one correlation id become one document. */
function conversationsIn(hub: StandIn): Conversation[] {
  const found = new Map<string, Conversation>();
  for (const body of hub.received.flatMap(({ bodies }) => bodies)) {
    const { records } = JSON.parse(body) as {
      records: { correlationId: string; properties: Conversation }[];
    };
    for (const { correlationId, properties } of records)
      found.set(correlationId, { ...found.get(correlationId), ...properties });
  }
  return [...found.values()];
}

test("every conversation arrives whole", async () => {
  const { hub, gateway } = await start();
  const client = new AzureOpenAI({
    endpoint: `${gateway.url}/inference`,
    apiKey: "the-key",
    apiVersion: "2025-03-01-preview",
    maxRetries: 0,
  });
  const answers: (string | null)[] = [];
  for (const content of ["noon", "late", 'über "zehn"']) {
    const messages = [
      { role: "system" as const, content: "You are sarcastic." },
      { role: "user" as const, content },
    ];
    const { choices } = await client.chat.completions.create({ model: "gpt-x", messages });
    answers.push(choices[0]!.message.content);
  }
  expect(answers).toEqual(["It is noon", "It is late", 'It is über "zehn"']);
  await gateway.drain(5_000);
  const conversations = conversationsIn(hub);
  expect(conversations).toHaveLength(3);
  expect(conversations[2]).toEqual({
    ApimSubscriptionId: "subscription1",
    requestMessages:
      '[{"role":"system","content":"You are sarcastic."},{"role":"user","content":"über \\"zehn\\""}]',
    responseMessages: '[{"role":"assistant","content":"It is über \\"zehn\\""}]',
    modelName: "gpt-x",
    promptTokens: 7,
    completionTokens: 17,
  });
});

test("a hub that is down costs no conversation an answer", async () => {
  const { hub, gateway } = await start();
  hub.answer = 503;
  const answer = await fetch(`${gateway.url}/inference/openai/deployments/x/chat/completions`, {
    method: "POST",
    headers: { "api-key": "the-key", "Content-Type": "application/json" },
    body: '{"messages":[{"role":"user","content":"noon"}]}',
  });
  expect(answer.status).toBe(200);
});
