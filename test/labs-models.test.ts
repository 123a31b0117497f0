/**
 * Public labs about other makers' models and about speech, run with the client they use: `aws-bedrock`, `gemini-models`,
 * `google-gemini-api`, `realtime-audio`.
 */
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { GoogleGenAI } from "@google/genai";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { readLocalAccess } from "../src/base/local-access.ts";
import { signatureProblem } from "../src/backends/aws/verify.fixture.ts";
import type { Exchange } from "../src/gateway/exchange.ts";
import type { LedgerRow } from "../src/ledger/query.ts";
import { eventStreamMessage } from "../src/llm/event-stream.ts";
import { makeIdentity } from "../src/transport/suite/certificates.ts";
import { type Asked, type Fixture, type Upstream, json, startUpstream } from "./clients/upstream.ts";
import { type Files, type TestGateway, api, subscription, testGateway } from "./gateway.ts";
import { IDENTITY_SECRET, startIdentityProvider } from "./identity-provider.ts";
import { awsBedrock } from "./labs-bedrock.fixture.ts";
import * as labs from "./labs-llm.fixture.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
  await upstream.close();
});

async function start(files: Files, options: Parameters<typeof testGateway>[1] = {}): Promise<TestGateway> {
  const gateway = await testGateway({ ...labs.SERVICE, ...files }, options);
  closing.push(() => gateway.close());
  return gateway;
}

const POLL = { timeout: 20_000 };

/** The last exchange, once it is settled. */
async function settled(gateway: TestGateway, count: number): Promise<Exchange> {
  await vi.waitFor(() => expect(gateway.exchanges.length).toBe(count), POLL);
  const exchange = gateway.exchanges.at(-1)!;
  await vi.waitFor(() => expect(exchange.modelCall?.settlement).toBeTruthy(), POLL);
  return exchange;
}

const watched = (name: string): Files => ({
  [`apis/${name}/diagnostics/azuremonitor/diagnosticInformation.json`]: labs.LLM_DIAGNOSTIC,
});
const PASS_THROUGH = ["GET /*", "POST /*", "PUT /*", "DELETE /*", "PATCH /*", "HEAD /*", "OPTIONS /*"];

describe("aws-bedrock", () => {
  const KEYS = {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  };
  const MODEL = "us.anthropic.claude-3-5-haiku-20241022-v1:0";
  const usage = { inputTokens: 30, outputTokens: 62, totalTokens: 92 };
  let gateway: TestGateway;
  let bedrock: BedrockRuntimeClient;

  beforeAll(async () => {
    const secret = (displayName: string, value: string): Files => ({
      [`namedValues/${displayName}/namedValueInformation.json`]: {
        properties: { displayName, secret: true, value },
      },
    });
    gateway = await start({
      ...api("inference-api", upstream.url, PASS_THROUGH, {
        properties: {
          path: "inference",
          subscriptionRequired: true,
          subscriptionKeyParameterNames: { header: "api-key", query: "api-key" },
        },
        policy: awsBedrock(),
      }),
      ...watched("inference-api"),
      ...secret("accesskey", KEYS.accessKeyId),
      ...secret("secretkey", KEYS.secretAccessKey),
      "subscriptions/subscription1/subscriptionInformation.json": subscription("/apis", "key-1"),
    });
    bedrock = new BedrockRuntimeClient({
      endpoint: `${gateway.url}/inference`,
      region: "us-east-1",
      // The client must have some; they are not those that the gateway signs with.
      credentials: { accessKeyId: "nobody", secretAccessKey: "nothing" },
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler(),
    });
    closing.push(() => bedrock.destroy());
    bedrock.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["api-key"] = "key-1";
        return next(args);
      },
      { step: "build", name: "subscription-key" },
    );
  });

  /** Amazon's side: whatever is not signed well is refused, in Amazon's words. */
  const amazon =
    (answer: Fixture) =>
    (asked: Asked): Fixture => {
      const problem = signatureProblem(asked, KEYS, "bedrock");
      return problem === null
        ? answer
        : json(
            { message: problem },
            { status: 403, headers: { "x-amzn-errortype": "AccessDeniedException" } },
          );
    };

  test("converse", async () => {
    upstream.answer = amazon(
      json({
        metrics: { latencyMs: 914 },
        output: { message: { role: "assistant", content: [{ text: "Time you got a watch." }] } },
        stopReason: "end_turn",
        usage,
      }),
    );
    const answer = await bedrock.send(
      new ConverseCommand({
        modelId: MODEL,
        messages: [
          { role: "assistant", content: [{ text: "You are a sarcastic, unhelpful assistant." }] },
          { role: "user", content: [{ text: "Can you tell me the time, please? 🕰" }] },
        ],
        inferenceConfig: { maxTokens: 2000, temperature: 0 },
      }),
    );
    expect(answer.usage).toEqual(usage);
    expect(answer.output!.message!.content).toEqual([{ text: "Time you got a watch." }]);
    const exchange = await settled(gateway, 1);
    expect(exchange.modelCall).toMatchObject({
      dialect: { name: "bedrock-converse" },
      settlement: { prompt: 30, completion: 62, evidence: "reported" },
      request: { model: MODEL, outputBound: 2000 },
    });
  });

  test("converse, streaming", async () => {
    const event = (type: string, value: object): Uint8Array =>
      eventStreamMessage(
        { ":event-type": type, ":content-type": "application/json", ":message-type": "event" },
        Buffer.from(JSON.stringify(value)),
      );
    const numbers = Array.from({ length: 100 }, (_, i) => `${i + 1}`).join(", ");
    upstream.answer = amazon({
      headers: { "content-type": "application/vnd.amazon.eventstream" },
      body: Buffer.concat([
        event("messageStart", { role: "assistant" }),
        ...numbers
          .match(/.{1,9}/g)!
          .map((text) => event("contentBlockDelta", { contentBlockIndex: 0, delta: { text } })),
        event("contentBlockStop", { contentBlockIndex: 0 }),
        event("messageStop", { stopReason: "end_turn" }),
        event("metadata", { metrics: { latencyMs: 914 }, usage }),
      ]),
    });
    const answer = await bedrock.send(
      new ConverseStreamCommand({
        modelId: MODEL,
        messages: [{ role: "user", content: [{ text: "Count to 100, with a comma between each number." }] }],
        inferenceConfig: { maxTokens: 2000, temperature: 0 },
      }),
    );
    let said = "";
    for await (const part of answer.stream!) said += part.contentBlockDelta?.delta?.text ?? "";
    expect(said).toBe(numbers);
    const exchange = await settled(gateway, 2);
    expect(exchange.modelCall!.settlement).toMatchObject({
      prompt: 30,
      completion: 62,
      evidence: "reported",
    });
  });
});

const OPENAI_USAGE = { prompt_tokens: 9, completion_tokens: 14, total_tokens: 23 };
/** As Gemini answers at its OpenAI-compatible path. */
const compatible = (text: string): Fixture =>
  json({
    id: "IKyaaN",
    object: "chat.completion",
    created: 1754967072,
    model: "gemini-2.5-flash",
    choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
    usage: OPENAI_USAGE,
  });

/** A breaker of the labs. */
const breaker = (...ranges: readonly (readonly [min: number, max: number])[]): object => ({
  rules: [
    {
      failureCondition: {
        count: 1,
        errorReasons: ["Server errors"],
        interval: "PT5M",
        statusCodeRanges: ranges.map(([min, max]) => ({ min, max })),
      },
      name: "geminiBreakerRule",
      tripDuration: "PT1M",
      acceptRetryAfter: true,
    },
  ],
});

describe("gemini-models", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    const backend = (header: object): object => ({
      properties: {
        url: upstream.url,
        protocol: "http",
        credentials: { header },
        circuitBreaker: breaker([429, 429]),
      },
    });
    gateway = await start({
      ...api("gemini-inference-api", undefined, PASS_THROUGH, {
        properties: {
          path: "geminiapi",
          subscriptionRequired: true,
          subscriptionKeyParameterNames: { header: "x-goog-api-key", query: "x-goog-api-key" },
        },
        policy: labs.geminiModels("gemini-backend"),
      }),
      ...api("openai-inference-api", undefined, PASS_THROUGH, {
        properties: {
          path: "openaicompatible",
          subscriptionRequired: true,
          subscriptionKeyParameterNames: { header: "api-key", query: "api-key", bearer: "enabled" },
        },
        policy: labs.geminiModels("gemini-backend-with-openai-compatibility"),
      }),
      ...watched("gemini-inference-api"),
      ...watched("openai-inference-api"),
      "backends/gemini-backend/backendInformation.json": backend({ "x-goog-api-key": ["key-of-google"] }),
      "backends/gemini-backend-with-openai-compatibility/backendInformation.json": backend({
        Authorization: ["Bearer key-of-google"],
      }),
      "subscriptions/subscription1/subscriptionInformation.json": subscription("/apis", "key-1"),
    });
  });

  test("Google's client, on Google's path", async () => {
    upstream.answer = json({
      candidates: [
        {
          content: { parts: [{ text: "Patterns in, patterns out." }], role: "model" },
          finishReason: "STOP",
          index: 0,
        },
      ],
      usageMetadata: {
        promptTokenCount: 8,
        candidatesTokenCount: 6,
        totalTokenCount: 49,
        thoughtsTokenCount: 35,
      },
      modelVersion: "gemini-2.5-flash",
    });
    const client = new GoogleGenAI({
      apiKey: "key-1",
      httpOptions: { baseUrl: `${gateway.url}/geminiapi`, apiVersion: "v1beta" },
    });
    const answer = await client.models.generateContent({
      model: "gemini-2.5-flash",
      contents: "Explain how AI works in a few words",
    });
    expect(answer.text).toBe("Patterns in, patterns out.");
    expect(upstream.asked.at(-1)).toMatchObject({
      target: "/v1beta/models/gemini-2.5-flash:generateContent",
      headers: { "x-goog-api-key": "key-of-google" },
    });
    const exchange = await settled(gateway, 1);
    expect(exchange.modelCall).toMatchObject({
      dialect: { name: "gemini" },
      settlement: { prompt: 8, completion: 41, evidence: "reported" },
    });
  });

  test("OpenAI's client, with the subscription's key as its bearer token", async () => {
    upstream.answer = compatible("One, two.");
    const client = new OpenAI({
      baseURL: `${gateway.url}/openaicompatible/v1beta/openai`,
      apiKey: "key-1",
      maxRetries: 0,
    });
    const answer = await client.chat.completions.create({
      model: "gemini-2.5-flash",
      messages: [{ role: "user", content: "Count" }],
    });
    expect(answer.choices[0]!.message.content).toBe("One, two.");
    expect(upstream.asked.at(-1)).toMatchObject({
      target: "/v1beta/openai/chat/completions",
      headers: { authorization: "Bearer key-of-google" },
    });
    const exchange = await settled(gateway, 2);
    expect(exchange).toMatchObject({ subscription: { id: "subscription1" } });
    expect(exchange.modelCall!.settlement).toMatchObject({ prompt: 9, completion: 14, evidence: "reported" });
  });
});

test("google-gemini-api: a key in its own header beside the client's bearer token, and metrics", async () => {
  const gateway = await start(
    {
      ...api("gemini-openai-api", undefined, ["POST /chat/completions", "POST /embeddings"], {
        properties: {
          path: "gemini/openai",
          subscriptionRequired: true,
          subscriptionKeyParameterNames: { header: "api-key", query: "api-key", bearer: "enabled" },
        },
        policy: labs.googleGeminiApi(),
      }),
      ...watched("gemini-openai-api"),
      "namedValues/gemini-api-key/namedValueInformation.json": {
        properties: {
          displayName: "gemini-api-key",
          secret: true,
          value: "Bearer key-of-google",
          tags: ["gemini"],
        },
      },
      "backends/gemini-backend/backendInformation.json": {
        properties: {
          url: `${upstream.url}/v1beta/openai`,
          protocol: "http",
          credentials: { header: { Authorization: ["{{gemini-api-key}}"] } },
          circuitBreaker: breaker([429, 429], [500, 503]),
        },
      },
      "subscriptions/subscription1/subscriptionInformation.json": subscription("/apis", "key-1"),
    },
    { admin: { host: "127.0.0.1", port: 0, portIsDefault: false, token: null } },
  );
  const client = new OpenAI({
    baseURL: `${gateway.url}/gemini/openai`,
    apiKey: "not-used",
    defaultHeaders: { "api-key": "key-1" },
    maxRetries: 0,
  });
  upstream.answer = compatible("A gateway for APIs.");
  const answer = await client.chat.completions.create({
    model: "gemini-3-flash-preview",
    messages: [{ role: "user", content: "What is Azure API Management?" }],
    max_tokens: 500,
  });
  expect(answer.usage).toEqual(OPENAI_USAGE);
  expect(upstream.asked.at(-1)).toMatchObject({
    target: "/v1beta/openai/chat/completions",
    headers: { authorization: "Bearer key-of-google" },
  });
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const labels = `subscription_id="subscription1",client_ip="127.0.0.1",api_id="gemini-openai-api",user_id="N/A"`;
  expect(text).toMatch(new RegExp(`^gemini_total_tokens_sum\\{.*\\} 23$`, "m"));
  for (const label of labels.split(",")) expect(text).toContain(label);
});

test("realtime-audio: the service's identity opens the session; what is said in it is counted and logged", async () => {
  const identity = await startIdentityProvider();
  const model = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => model.once("listening", resolve));
  closing.push(
    () => identity.close(),
    () => {
      for (const socket of model.clients) socket.terminate();
      model.close();
    },
  );
  const opened: { url: string; authorization: string }[] = [];
  model.on("connection", (socket, request) => {
    opened.push({ url: request.url!, authorization: request.headers["authorization"] ?? "" });
    const say = (event: object): void => socket.send(JSON.stringify(event));
    say({ type: "session.created", session: { model: "gpt-4o-mini-realtime-preview" } });
    socket.on("message", (data) => {
      const { type } = JSON.parse(String(data)) as { type: string };
      if (type === "session.update")
        return say({ type: "session.updated", session: { modalities: ["text"] } });
      if (type !== "response.create") return;
      say({ type: "response.created", response: { id: "resp_1", status: "in_progress" } });
      for (const delta of ["Lis", "bon", "."])
        say({ type: "response.text.delta", response_id: "resp_1", delta });
      say({ type: "response.text.done", response_id: "resp_1", text: "Lisbon." });
      say({
        type: "response.done",
        response: {
          id: "resp_1",
          status: "completed",
          output: [],
          usage: { total_tokens: 143, input_tokens: 121, output_tokens: 22 },
        },
      });
    });
  });
  const { port } = model.address() as AddressInfo;
  const dataDir = mkdtempSync(join(tmpdir(), "headgate-lab-"));
  closing.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const certificate = makeIdentity({ name: "localhost", addresses: ["127.0.0.1"] });
  const gateway = await start(
    {
      "apis/realtime-audio/apiInformation.json": {
        properties: {
          displayName: "InferenceAPI",
          path: "inference/openai/realtime",
          serviceUrl: `ws://127.0.0.1:${port}/openai/realtime`,
          type: "websocket",
          protocols: ["wss"],
          subscriptionKeyParameterNames: { header: "api-key", query: "api-key" },
          subscriptionRequired: true,
        },
      },
      "apis/realtime-audio/operations/onHandshake/policy.xml": labs.realtimeAudio(),
      ...watched("realtime-audio"),
      "subscriptions/subscription1/subscriptionInformation.json": subscription("/apis", "key-1"),
    },
    {
      dataDir,
      tls: { key: certificate.key, cert: certificate.cert },
      environment: { IDENTITY_ENDPOINT: `${identity.url}/msi/token`, IDENTITY_HEADER: IDENTITY_SECRET },
    },
  );
  const deployment = "gpt-realtime-mini";
  const target = `/inference/openai/realtime?api-version=2024-10-01-preview&deployment=${deployment}`;
  const talk = new OpenAIRealtimeWS(
    {
      model: deployment,
      // The preview's path, which the lab's version of the client builds by itself.
      buildRealtimeURL: () => new URL(gateway.url.replace("https:", "wss:") + target),
      options: { rejectUnauthorized: false, headers: { "api-key": "key-1" } },
    },
    new OpenAI({ apiKey: "key-1", baseURL: `${gateway.url}/inference/openai` }),
  );
  let said = "";
  const done = new Promise<void>((resolve, reject) => {
    talk.on("error", reject);
    talk.on("event", (event) => {
      const { type, delta } = event as { type: string; delta?: string };
      if (type === "response.text.delta") said += delta;
      if (type === "response.done") resolve();
    });
  });
  await new Promise((resolve) => talk.socket.on("open", resolve));
  talk.send({ type: "session.update", session: { modalities: ["text"] } } as never);
  const content = [{ type: "input_text" as const, text: "What is the capital of Portugal?" }];
  talk.send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
  talk.send({ type: "response.create" });
  await done;
  talk.close();
  expect(said).toBe("Lisbon.");
  expect(opened).toHaveLength(1);
  expect(opened[0]!.url).toBe(target.replace("/inference", ""));
  expect(opened[0]!.authorization).toMatch(/^Bearer ./);
  expect(opened[0]!.authorization).not.toContain("key-1");
  const exchange = await settled(gateway, 1);
  expect(exchange.modelCall).toMatchObject({
    dialect: { name: "openai-realtime" },
    part: 1,
    partText: "Lisbon.",
    settlement: { prompt: 121, completion: 22, evidence: "reported" },
  });

  const { local, secret } = readLocalAccess(dataDir)!;
  const search = async (text: string): Promise<LedgerRow[]> => {
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    const question = { method: "POST", headers, body: JSON.stringify({ text }) };
    return ((await (await fetch(`${local}/ledger/search`, question)).json()) as { rows: LedgerRow[] }).rows;
  };
  await vi.waitFor(async () => expect(await search("Lisbon")).toHaveLength(1), POLL);
  expect((await search("Lisbon"))[0]).toMatchObject({
    api: "realtime-audio",
    subscription: "subscription1",
    deployment,
    totalTokens: 143,
    evidence: "reported",
  });
});
