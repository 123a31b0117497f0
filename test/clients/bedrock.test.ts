/** `@aws-sdk/client-bedrock-runtime`: Converse and InvokeModel, whole and as binary event streams; the gateway signs. */
import {
  AccessDeniedException,
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
  ModelStreamErrorException,
  ThrottlingException,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signatureProblem } from "../../src/backends/aws/verify.fixture.ts";
import { makeAuthority, makeIdentity } from "../../src/transport/suite/certificates.ts";
import { type TestGateway, api, policy, subscription, testGateway } from "../gateway.ts";
import { eventStreamMessage } from "../../src/llm/event-stream.ts";
import {
  type Carried,
  carry,
  drain,
  EXHAUSTED,
  KEY,
  metricsAgree,
  settledAs,
  startThrough,
  type Through,
  thrown,
} from "./through.ts";
import { type Fixture, json } from "./upstream.ts";

const KEYS = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

const backend = (url: string) => ({
  properties: {
    url,
    protocol: "http",
    credentials: { awsSigV4: { ...KEYS, region: "eu-central-1", service: "bedrock" } },
  },
});

let through: Through;
beforeAll(async () => {
  through = await startThrough({
    keyHeader: "bearer",
    path: "bedrock",
    inbound: `<set-backend-service backend-id="bedrock" />`,
    files: (upstream) => ({
      "backends/bedrock/backendInformation.json": backend(upstream),
    }),
  });
});
afterAll(() => through.close());

const clients: BedrockRuntimeClient[] = [];
afterAll(() => clients.forEach((client) => client.destroy()));

function client(): BedrockRuntimeClient {
  const made = new BedrockRuntimeClient({
    endpoint: through.url,
    region: "eu-central-1",
    token: { token: KEY },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  });
  clients.push(made);
  return made;
}

const MODEL = "eu.anthropic.claude-sonnet-4-20250514-v1:0";
const TEXT = "Salut ! 🥖 \u2028 ça va ?";
const messages = [{ role: "user" as const, content: [{ text: "Hi" }] }];
const asked = { modelId: MODEL, messages, inferenceConfig: { maxTokens: 512 } };
const usage = { inputTokens: 30, outputTokens: 62, totalTokens: 92 };
const HEADERS = { "x-amzn-requestid": "f2a9a2f4-3e4c-4b8e-8d8a-5a7f7c3f8f11" };

const event = (type: string, value: object): Uint8Array =>
  eventStreamMessage(
    { ":event-type": type, ":content-type": "application/json", ":message-type": "event" },
    Buffer.from(JSON.stringify(value)),
  );
const exception = (type: string, message: string): Uint8Array =>
  eventStreamMessage(
    { ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" },
    Buffer.from(JSON.stringify({ message })),
  );
const stream = (messages: readonly Uint8Array[]): Fixture => ({
  headers: { "content-type": "application/vnd.amazon.eventstream", ...HEADERS },
  body: Buffer.concat(messages),
});
const p = "abcdefghijklmnopqrstuvwxyzABCDEF";
const delta = (change: object, contentBlockIndex = 0): Uint8Array =>
  event("contentBlockDelta", { contentBlockIndex, delta: change, p });
const texts = [...TEXT].map((text) => delta({ text }));

/** The upstream believed the signature. */
function signed({ asked: { method, target, headers, body } }: Carried<unknown>): void {
  expect(signatureProblem({ method, target, headers, body }, KEYS, "bedrock")).toBeNull();
}

describe("Converse", () => {
  const SAID = { dialect: "bedrock-converse", tokens: [30, 62], finish: "end_turn" } as const;
  const whole = (content: readonly object[], stopReason: string): Fixture =>
    json(
      { metrics: { latencyMs: 914 }, output: { message: { content, role: "assistant" } }, stopReason, usage },
      { headers: HEADERS },
    );

  test("whole", async () => {
    const made = await carry(through, whole([{ text: TEXT }], "end_turn"), () =>
      client().send(new ConverseCommand(asked)),
    );
    expect(made.result).toMatchObject({
      output: { message: { content: [{ text: TEXT }] } },
      usage,
      $metadata: { requestId: HEADERS["x-amzn-requestid"] },
    });
    expect(made.asked.target).toBe(`/model/${encodeURIComponent(MODEL)}/converse`);
    signed(made);
    settledAs(made, { ...SAID, text: TEXT });
    expect(made.call.request.model).toBe(MODEL);
  });

  test("streaming", async () => {
    const fixture = stream([
      event("messageStart", { p, role: "assistant" }),
      ...texts,
      event("contentBlockStop", { contentBlockIndex: 0, p }),
      event("messageStop", { p, stopReason: "end_turn" }),
      event("metadata", { metrics: { latencyMs: 914 }, p, usage }),
    ]);
    const made = await carry(through, fixture, async () => {
      const answer = await client().send(new ConverseStreamCommand(asked));
      let text = "";
      let told;
      for await (const part of answer.stream!) {
        text += part.contentBlockDelta?.delta?.text ?? "";
        told = part.metadata?.usage ?? told;
      }
      return { text, told };
    });
    expect(made.result).toEqual({ text: TEXT, told: usage });
    signed(made);
    settledAs(made, { ...SAID, text: TEXT });
  });

  const toolConfig = {
    tools: [{ toolSpec: { name: "weather", inputSchema: { json: { type: "object" } } } }],
  };

  test("tools, whole", async () => {
    const toolUse = { toolUseId: "tooluse_1", name: "weather", input: { city: "Nîmes" } };
    const made = await carry(through, whole([{ toolUse }], "tool_use"), () =>
      client().send(new ConverseCommand({ ...asked, toolConfig })),
    );
    expect(made.result.output!.message!.content![0]!.toolUse).toEqual(toolUse);
    settledAs(made, { ...SAID, finish: "tool_use" });
  });

  test("tools and thoughts, streaming", async () => {
    const fixture = stream([
      event("messageStart", { p, role: "assistant" }),
      delta({ reasoningContent: { text: "Hm." } }),
      delta({ reasoningContent: { signature: "EqQB" } }),
      event("contentBlockStop", { contentBlockIndex: 0, p }),
      event("contentBlockStart", {
        contentBlockIndex: 1,
        start: { toolUse: { name: "weather", toolUseId: "t1" } },
      }),
      ...['{"city":', '"Nîm', 'es"}'].map((input) => delta({ toolUse: { input } }, 1)),
      event("contentBlockStop", { contentBlockIndex: 1, p }),
      event("messageStop", { p, stopReason: "tool_use" }),
      event("metadata", { metrics: { latencyMs: 1 }, usage: { ...usage, cacheReadInputTokens: 7 } }),
    ]);
    const made = await carry(through, fixture, async () => {
      const answer = await client().send(new ConverseStreamCommand({ ...asked, toolConfig }));
      let input = "";
      for await (const part of answer.stream!) input += part.contentBlockDelta?.delta?.toolUse?.input ?? "";
      return JSON.parse(input) as object;
    });
    expect(made.result).toEqual({ city: "Nîmes" });
    settledAs(made, { ...SAID, finish: "tool_use" });
    expect(made.call.settlement!.usage.cached).toBe(7);
  });
});

describe("InvokeModel, with the body of Anthropic's models", () => {
  const SAID = {
    dialect: "bedrock-invoke",
    tokens: [25, 15],
    served: "claude-sonnet-4-20250514",
    finish: "end_turn",
  } as const;
  const message = {
    id: "msg_bdrk_01",
    type: "message",
    role: "assistant",
    model: SAID.served,
    content: [{ type: "text", text: TEXT }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 25, output_tokens: 15 },
  };
  const invoked = {
    modelId: MODEL,
    contentType: "application/json",
    accept: "application/json",
    body: JSON.stringify({
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 64,
      messages: [{ role: "user", content: "Hi" }],
    }),
  };

  test("whole", async () => {
    const made = await carry(through, json(message), () => client().send(new InvokeModelCommand(invoked)));
    expect(JSON.parse(made.result.body.transformToString())).toEqual(message);
    signed(made);
    settledAs(made, { ...SAID, text: TEXT });
  });

  test("streaming", async () => {
    const chunk = (value: object): Uint8Array =>
      event("chunk", { bytes: Buffer.from(JSON.stringify(value)).toString("base64"), p });
    const fixture = stream([
      chunk({
        type: "message_start",
        message: {
          ...message,
          content: [],
          stop_reason: null,
          usage: { input_tokens: 25, output_tokens: 1 },
        },
      }),
      chunk({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
      ...[...TEXT].map((text) =>
        chunk({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
      ),
      chunk({ type: "content_block_stop", index: 0 }),
      chunk({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 15 } }),
      chunk({
        type: "message_stop",
        "amazon-bedrock-invocationMetrics": {
          inputTokenCount: 25,
          outputTokenCount: 15,
          invocationLatency: 1551,
          firstByteLatency: 321,
        },
      }),
    ]);
    const made = await carry(through, fixture, async () => {
      const answer = await client().send(new InvokeModelWithResponseStreamCommand(invoked));
      let text = "";
      for await (const part of answer.body!) {
        const value = JSON.parse(Buffer.from(part.chunk!.bytes!).toString()) as { delta?: { text?: string } };
        text += value.delta?.text ?? "";
      }
      return text;
    });
    expect(made.result).toBe(TEXT);
    expect(made.asked.target).toBe(`/model/${encodeURIComponent(MODEL)}/invoke-with-response-stream`);
    signed(made);
    settledAs(made, { ...SAID, text: TEXT });
  });
});

describe("errors of the provider are the client's own", () => {
  test.each([
    [429, ThrottlingException, "Too many requests"],
    [403, AccessDeniedException, "You don't have access to the model"],
  ])("%i", async (status, type, message) => {
    const headers = { ...HEADERS, "x-amzn-errortype": `${type.name}:http://internal.amazon.com/coral/` };
    const made = await carry(through, json({ message }, { status, headers }), () =>
      thrown(client().send(new ConverseStreamCommand(asked))),
    );
    expect(made.result).toBeInstanceOf(type);
    expect(made.result).toMatchObject({ message, $metadata: { httpStatusCode: status } });
    expect(made.call).toMatchObject({ ending: "upstream-error", settlement: { evidence: "none" } });
  });

  test("a connection that breaks in the middle of a stream", async () => {
    const { headers, body } = stream([event("messageStart", { p, role: "assistant" }), ...texts]);
    const half = Buffer.from(body).subarray(0, 1000);
    const made = await carry(through, { headers, body: half, breaks: true }, async () => {
      const answer = await client().send(new ConverseStreamCommand(asked));
      return thrown(drain(answer.stream!));
    });
    expect(made.result).toBeInstanceOf(Error);
    expect(made.call.ending).toBe("upstream-reset");
    expect(made.call.settlement!.completion).toBeGreaterThan(0);
  });

  test("an exception in the middle of a stream", async () => {
    const fixture = stream([
      event("messageStart", { p, role: "assistant" }),
      texts[0]!,
      exception("modelStreamErrorException", "The model timed out"),
    ]);
    const made = await carry(through, fixture, async () => {
      const answer = await client().send(new ConverseStreamCommand(asked));
      return thrown(drain(answer.stream!));
    });
    expect(made.result).toBeInstanceOf(ModelStreamErrorException);
    expect(made.result.message).toBe("The model timed out");
    expect(made.call).toMatchObject({ ending: "incomplete", found: { error: "modelStreamErrorException" } });
  });
});

test("the gateway's own limit is the client's throttling", async () => {
  const limited = client();
  limited.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: object }).headers, EXHAUSTED);
      return next(args);
    },
    { step: "build", name: "exhausted" },
  );
  const error = await thrown(limited.send(new ConverseCommand(asked)));
  expect(error.$metadata.httpStatusCode).toBe(429);
  expect(error.message).toContain("Token limit is exceeded");
});

/** Nothing set but where to call: the client speaks HTTP/2 then, known beforehand in clear and by ALPN with TLS. */
describe.each(["http", "https"] as const)("the client as it comes, over %s", (scheme) => {
  const authority = makeAuthority("Test CA");
  const trusted = getCACertificates("default");
  let gateway: TestGateway;
  let unmodified: BedrockRuntimeClient;
  beforeAll(async () => {
    const host = "127.0.0.1";
    setDefaultCACertificates([...trusted, authority.cert]);
    gateway = await testGateway(
      {
        ...api("bedrock", undefined, ["POST /*"], {
          properties: {
            subscriptionRequired: true,
            subscriptionKeyParameterNames: { header: "api-key", query: "key", bearer: "enabled" },
          },
          policy: policy({ inbound: `<set-backend-service backend-id="bedrock" />` }),
        }),
        "backends/bedrock/backendInformation.json": backend(through.upstream.url),
        "subscriptions/one/subscriptionInformation.json": subscription("/apis/bedrock", KEY),
      },
      {
        tls:
          scheme === "http" ? null : makeIdentity({ name: "gateway", issuer: authority, addresses: [host] }),
      },
    );
    unmodified = new BedrockRuntimeClient({
      endpoint: `${gateway.url}/bedrock`,
      region: "eu-central-1",
      token: { token: KEY },
      authSchemePreference: ["httpBearerAuth"],
    });
  });
  afterAll(async () => {
    unmodified.destroy();
    setDefaultCACertificates(trusted);
    await gateway.close();
  });

  test("whole", async () => {
    const message = { content: [{ text: TEXT }], role: "assistant" };
    through.upstream.answer = json({
      metrics: { latencyMs: 1 },
      output: { message },
      stopReason: "end_turn",
      usage,
    });
    const answer = await unmodified.send(new ConverseCommand(asked));
    expect(answer).toMatchObject({ output: { message: { content: [{ text: TEXT }] } }, usage });
    await expect
      .poll(() => gateway.log.at(-1), { timeout: 20_000 })
      .toMatchObject({ status: 200, http_version: "2" });
  });

  test("streaming, five at once on one connection", async () => {
    const parts = [event("messageStart", { p, role: "assistant" }), ...texts];
    const end = event("messageStop", { p, stopReason: "end_turn" });
    through.upstream.answer = stream([
      ...parts,
      end,
      event("metadata", { metrics: { latencyMs: 1 }, usage }),
    ]);
    const before = gateway.exchanges.length;
    const read = async (): Promise<string> => {
      const answer = await unmodified.send(new ConverseStreamCommand(asked));
      let text = "";
      for await (const part of answer.stream!) text += part.contentBlockDelta?.delta?.text ?? "";
      return text;
    };
    expect(await Promise.all(Array.from({ length: 5 }, read))).toEqual(Array(5).fill(TEXT));
    await expect.poll(() => gateway.exchanges.length, { timeout: 20_000 }).toBe(before + 5);
    const seen = gateway.exchanges.slice(before).map(({ incoming }) => incoming);
    expect(new Set(seen.map(({ httpVersion }) => httpVersion))).toEqual(new Set(["2"]));
  });

  test("an error of the provider", async () => {
    const headers = {
      ...HEADERS,
      "x-amzn-errortype": "AccessDeniedException:http://internal.amazon.com/coral/",
    };
    through.upstream.answer = json({ message: "no access" }, { status: 403, headers });
    const error = await thrown(unmodified.send(new ConverseCommand(asked)));
    expect(error).toBeInstanceOf(AccessDeniedException);
    expect(error.message).toBe("no access");
  });

  test("a connection that breaks in the middle of a stream", async () => {
    const { headers, body } = stream([event("messageStart", { p, role: "assistant" }), ...texts]);
    through.upstream.answer = { headers, body: Buffer.from(body).subarray(0, 1000), breaks: true };
    const answer = await unmodified.send(new ConverseStreamCommand(asked));
    expect(await thrown(drain(answer.stream!))).toBeInstanceOf(Error);
  });
});

test("what was settled is what the metrics say", () => metricsAgree(through));
