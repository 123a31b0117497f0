/**
 * Five public labs, end to end: their policies and backends as they deploy them, the clients that their notebooks use, and
 * three stand-ins for the models, of which one is rude. Shown is what the labs show.
 */
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { AzureOpenAI } from "openai";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { signatureProblem } from "../src/backends/aws/verify.fixture.ts";
import { type StandIn as Issuer, startStandIn } from "../src/backends/identity/stand-in.fixture.ts";
import {
  AWS_BEDROCK,
  MODEL_ROUTING,
  backendPoolLoadBalancing,
  privateConnectivity,
  sessionAwareness,
} from "./backends-labs.fixture.ts";
import { type Files, type TestGateway, api, subscription, testGateway } from "./gateway.ts";
import { until } from "./hang-up.ts";
import { type Answer, type StandIn, refuses, resets, stalls, standIn } from "./stand-in.ts";

const NAMES = ["foundry1", "foundry2", "foundry3"] as const;
const REGIONS: Record<string, string> = {
  foundry1: "East US",
  foundry2: "Sweden Central",
  foundry3: "West US",
};
const KEY = "subscription-key-of-the-lab";
const TOKEN = "managed.identity.token";

let models: StandIn[];
let issuer: Issuer;
let gateway: TestGateway;

beforeAll(async () => {
  models = await Promise.all(NAMES.map((name) => standIn(name)));
  issuer = await startStandIn(({ path, query, headers }) =>
    path === "/msi/token" &&
    headers["x-identity-header"] === "header" &&
    query.get("resource") === "https://cognitiveservices.azure.com"
      ? { body: { access_token: TOKEN, expires_in: 3600, token_type: "Bearer" } }
      : { status: 400 },
  );
});
beforeEach(() => {
  for (const one of models) Object.assign(one, { seen: 0, answer: chat(one.name) });
});
afterEach(() => gateway.close());
afterAll(async () => {
  await issuer.close();
  await Promise.all(models.map((one) => one.close()));
});

const named = (name: string): StandIn => models.find((one) => one.name === name)!;
const seen = (): number[] => models.map((one) => one.seen);

/** A model that wants the identity's token, as Foundry does. */
function chat(name: string, wantsToken = true): Answer {
  return (request, response, body) => {
    response.setHeader("x-ms-region", REGIONS[name]!);
    response.setHeader("content-type", "application/json");
    if (wantsToken && request.headers.authorization !== `Bearer ${TOKEN}`) {
      response.writeHead(401).end('{"error":{"code":"401","message":"Access denied"}}');
      return;
    }
    const { model } = JSON.parse(body) as { model: string };
    response.end(
      JSON.stringify({
        id: "chatcmpl-1",
        object: "chat.completion",
        created: 1,
        model,
        choices: [
          { index: 0, message: { role: "assistant", content: `from ${name}` }, finish_reason: "stop" },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      }),
    );
  };
}

/** Announces more than it sends, and then closes. */
const lies: Answer = (_request, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "5000" });
  response.write('{"id":"chatcmpl-1","choices":[');
  setImmediate(() => response.socket!.destroy());
};

interface Lab {
  readonly policy: string;
  readonly operations?: readonly string[];
  readonly path?: string;
  /** Of each backend, besides its URL. */
  readonly backend?: object;
  readonly pool?: { readonly name: string; readonly services: readonly object[] };
  readonly endpoint?: string;
}

const CHAT = "POST /deployments/{deployment-id}/chat/completions";

function files({
  policy,
  operations = [CHAT],
  path = "inference/openai",
  backend,
  pool,
  endpoint,
}: Lab): Files {
  const all: Record<string, string | object> = {
    ...api("inference-api", undefined, operations, {
      policy,
      properties: {
        path,
        subscriptionRequired: true,
        subscriptionKeyParameterNames: { header: "api-key", query: "api-key" },
      },
    }),
    "subscriptions/subscription1/subscriptionInformation.json": subscription("/apis", KEY),
  };
  for (const one of models)
    all[`backends/${one.name}/backendInformation.json`] = {
      properties: {
        description: "Inference backend",
        url: `${one.url}${endpoint ?? "/openai"}`,
        protocol: "http",
        ...backend,
      },
    };
  if (pool !== undefined)
    all[`backends/${pool.name}/backendInformation.json`] = {
      properties: {
        description: "Load balancer for multiple inference endpoints",
        type: "Pool",
        pool: { services: pool.services },
      },
    };
  return all;
}

const start = async (lab: Lab, more: Files = {}): Promise<void> => {
  gateway = await testGateway(
    { ...files(lab), ...more },
    { environment: { IDENTITY_ENDPOINT: `${issuer.url}/msi/token`, IDENTITY_HEADER: "header" } },
  );
};

/** As the module `inference-api` of the labs has it. */
const CREDENTIALS = { managedIdentity: { resource: "https://cognitiveservices.azure.com" } };
const breaker = (count: number, interval: string, acceptRetryAfter?: boolean): object => ({
  rules: [
    {
      failureCondition: {
        count,
        errorReasons: ["Server errors"],
        interval,
        statusCodeRanges: [{ min: 429, max: 429 }],
      },
      name: "InferenceBreakerRule",
      tripDuration: "PT1M",
      ...(acceptRetryAfter === undefined ? {} : { acceptRetryAfter }),
    },
  ],
});

const azure = (fetchWith?: typeof fetch): AzureOpenAI =>
  new AzureOpenAI({
    endpoint: `${gateway.url}/inference`,
    apiKey: KEY,
    apiVersion: "2025-03-01-preview",
    maxRetries: 0,
    fetch: fetchWith,
  });

/** One chat; which model answered, or the status of the refusal. */
async function ask(model = "gpt-4.1-mini"): Promise<string> {
  try {
    const { choices } = await azure().chat.completions.create({
      model,
      messages: [{ role: "user", content: "Can you tell me the time, please?" }],
    });
    return choices[0]!.message.content!;
  } catch (error) {
    return String((error as { status?: number }).status ?? "broken off");
  }
}

async function asks(count: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const by = await ask();
    counts[by] = (counts[by] ?? 0) + 1;
  }
  return counts;
}

describe("the lab backend-pool-load-balancing", () => {
  const POOL = "inference-backend-pool";
  const lab: Lab = {
    policy: backendPoolLoadBalancing(POOL),
    backend: { circuitBreaker: breaker(1, "PT1M", true), credentials: CREDENTIALS },
    pool: {
      name: POOL,
      services: [
        { id: "/backends/foundry1", priority: 1 },
        { id: "/backends/foundry2", priority: 2, weight: 50 },
        { id: "/backends/foundry3", priority: 2, weight: 50 },
      ],
    },
  };

  it("uses the first priority alone; once that throttles, its calls fall over to the others, half each", async () => {
    await start(lab);
    expect(await asks(10)).toEqual({ "from foundry1": 10 });
    named("foundry1").answer = refuses(429, { "retry-after": "30" });
    expect(await asks(20)).toEqual({ "from foundry2": 10, "from foundry3": 10 });
    // It was asked once more, and is left alone for as long as it said.
    expect(seen()).toEqual([11, 10, 10]);
    const [first] = gateway.backends();
    expect(first).toMatchObject({ id: "foundry1", breaker: "open", trips: 1 });
    expect(first!.openForMs).toBeGreaterThan(20_000);
    expect(first!.openForMs).toBeLessThanOrEqual(30_000);
  });

  it.each<[string, Answer, string]>([
    ["resets its connections", resets, "500"],
    ["lies about its length", lies, "broken off"],
  ])("a first priority that %s costs one call, then is out", async (_name, answer, cost) => {
    await start(lab);
    named("foundry1").answer = answer;
    expect(await ask()).toBe(cost);
    expect(await asks(4)).toEqual({ "from foundry2": 2, "from foundry3": 2 });
    expect(named("foundry1").seen).toBe(1);
  });

  it("one that stalls keeps only who waits for it, and is no worse off for a caller that gives up", async () => {
    await start(lab);
    named("foundry1").answer = stalls;
    const hangUp = new AbortController();
    const waiting = azure()
      .chat.completions.create({ model: "gpt-4.1-mini", messages: [] }, { signal: hangUp.signal })
      .catch((error: Error) => error.constructor.name);
    await until(() => named("foundry1").seen === 1);
    named("foundry1").answer = chat("foundry1");
    expect(await asks(3)).toEqual({ "from foundry1": 3 });
    hangUp.abort();
    expect(await waiting).toBe("APIUserAbortError");
    await until(() => gateway.backends()[0]!.inFlight === 0);
    expect(gateway.backends()[0]).toMatchObject({ breaker: "closed", failures: 0 });
  });

  it("with all of them throttled the last refusal stands, then a bare 503 that tells nothing of the pool", async () => {
    await start(lab);
    for (const one of models) one.answer = refuses(429, { "retry-after": "30" });
    expect(await ask()).toBe("429");
    expect(seen()).toEqual([1, 1, 1]);
    const reply = await fetch(`${gateway.url}/inference/openai/deployments/m/chat/completions`, {
      method: "POST",
      headers: { "api-key": KEY },
      body: "{}",
    });
    expect([reply.status, reply.statusText, await reply.text()]).toEqual([503, "Service Unavailable", ""]);
    expect(seen()).toEqual([1, 1, 1]);
  });
});

describe("the lab session-awareness", () => {
  const POOL = "inference-backend-pool";
  const COOKIE = "APIM-Backend-Affinity";
  const services = NAMES.map((name) => ({ id: `/backends/${name}` }));
  const lab: Lab = {
    policy: sessionAwareness(POOL),
    operations: ["POST /responses"],
    backend: { credentials: CREDENTIALS },
    pool: { name: POOL, services },
  };
  /** What the notebook sends with PATCH when it switches affinity on. */
  const affinity: Files = {
    [`backends/${POOL}/backendInformation.json`]: {
      properties: {
        type: "Pool",
        pool: {
          services,
          sessionAffinity: {
            enabled: true,
            affinityType: "Cookie",
            cookieName: COOKIE,
            sessionId: { source: "cookie", name: COOKIE },
          },
        },
      },
    },
  };

  /** Keeps its responses to itself: another region does not know them. */
  function responses(name: string): Answer {
    const known = new Set<string>();
    return (request, response, body) => {
      response.setHeader("x-ms-region", REGIONS[name]!);
      response.setHeader("content-type", "application/json");
      const asked = JSON.parse(body) as { previous_response_id?: string; model: string };
      const previous = asked.previous_response_id;
      if (request.headers.authorization !== `Bearer ${TOKEN}`) response.writeHead(401).end("{}");
      else if (previous !== undefined && !known.has(previous))
        response
          .writeHead(404)
          .end(`{"error":{"message":"Previous response with id '${previous}' not found.","code":null}}`);
      else {
        const id = `resp_${name}_${known.size + 1}`;
        known.add(id);
        response.end(
          JSON.stringify({ id, object: "response", status: "completed", model: asked.model, output: [] }),
        );
      }
    };
  }
  beforeEach(() => {
    for (const one of models) one.answer = responses(one.name);
  });

  /** The notebook's client: it keeps cookies, and looks at where it was answered. */
  function session() {
    const cookies = new Map<string, string>();
    const regions: (string | null)[] = [];
    const client = azure(async (url, init) => {
      const headers = new Headers(init?.headers);
      if (cookies.size > 0)
        headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
      const reply = await fetch(url, { ...init, headers });
      for (const line of reply.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
        cookies.set(name!, value!);
      }
      regions.push(reply.headers.get("x-backend-region"));
      expect(reply.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      return reply;
    });
    const say = (input: string, previous?: string): Promise<string> =>
      client.responses
        .create({ model: "gpt-4o-mini", input, previous_response_id: previous })
        .then(({ id }) => id)
        .catch((error: Error) => error.message);
    return { say, regions, cookies };
  }

  it("without affinity a conversation loses its thread", async () => {
    await start(lab);
    const { say, regions, cookies } = session();
    const first = await say("Explain photosynthesis in simple terms");
    expect(await say("Can you summarize that?", first)).toContain(`id '${first}' not found`);
    expect(new Set(regions).size).toBe(2);
    expect(cookies.size).toBe(0);
  });

  it("with it, each conversation stays where it began, whatever others do", async () => {
    await start(lab, affinity);
    const sessions = Array.from({ length: 6 }, () => session());
    const last = await Promise.all(sessions.map(({ say }) => say("Explain photosynthesis")));
    for (let turn = 0; turn < 4; turn++) {
      const next = await Promise.all(sessions.map(({ say }, i) => say("And then?", last[i])));
      next.forEach((id, i) => (last[i] = id));
    }
    expect(last.every((id) => id.startsWith("resp_"))).toBe(true);
    for (const { regions, cookies } of sessions) {
      expect(new Set(regions).size).toBe(1);
      expect([...cookies.keys()]).toEqual([COOKIE]);
    }
    expect(seen()).toEqual([10, 10, 10]);
    expect(named("foundry1").headers.cookie).toBeUndefined();
  });

  it("a rude member fails its own sessions until it is passed over, and none of the others", async () => {
    await start(lab, affinity);
    const sessions = [session(), session(), session()];
    const first = await Promise.all(sessions.map(({ say }) => say("Hello")));
    const rude = sessions.findIndex(({ regions }) => regions[0] === REGIONS["foundry2"]);
    named("foundry2").answer = resets;
    let errors = 0;
    while (!(await sessions[rude]!.say("And then?")).startsWith("resp_") && errors < 20) errors++;
    // Five in a row; one more where a reset crossed a request on a connection that had served before.
    expect(errors).toBeGreaterThanOrEqual(5);
    expect(errors).toBeLessThanOrEqual(6);
    for (const [i, { say, regions }] of sessions.entries()) {
      if (i === rude) continue;
      expect(await say("And then?", first[i])).toMatch(/^resp_/);
      expect(new Set(regions).size).toBe(1);
    }
  });
});

describe("the lab private-connectivity", () => {
  const POOL = "openai-backend-pool";
  const lab: Lab = {
    policy: privateConnectivity(POOL),
    path: "openai",
    backend: { circuitBreaker: breaker(3, "PT5M") },
    pool: { name: POOL, services: NAMES.map((name) => ({ id: `/backends/${name}` })) },
  };
  const privately = async (): Promise<string> => {
    const reply = await fetch(
      `${gateway.url}/openai/deployments/gpt-4o/chat/completions?api-version=2024-02-01`,
      {
        method: "POST",
        headers: { "api-key": KEY, "content-type": "application/json" },
        body: '{"model":"gpt-4o","messages":[]}',
      },
    );
    const body = (await reply.json().catch(() => null)) as {
      choices?: { message: { content: string } }[];
    } | null;
    return reply.status === 200 ? body!.choices![0]!.message.content : String(reply.status);
  };
  const calls = async (count: number): Promise<string[]> => {
    const all: string[] = [];
    for (let i = 0; i < count; i++) all.push(await privately());
    return all;
  };

  it("shares calls between all members, each with the identity's token", async () => {
    await start(lab);
    expect((await calls(9)).toSorted()).toEqual([
      ...Array<string>(3).fill("from foundry1"),
      ...Array<string>(3).fill("from foundry2"),
      ...Array<string>(3).fill("from foundry3"),
    ]);
    expect(named("foundry1").headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it("a throttled member is tried three times in all, and no caller sees any of it", async () => {
    await start(lab);
    named("foundry1").answer = refuses(429, { "retry-after": "86400" });
    const all = await calls(20);
    expect(all.every((text) => text === "from foundry2" || text === "from foundry3")).toBe(true);
    expect(named("foundry1").seen).toBe(3);
    // The lab does not say acceptRetryAfter: its own minute counts, not the day.
    expect(gateway.backends()[0]!.openForMs).toBeLessThanOrEqual(60_000);
  });

  it("one that lies about its length counts, too", async () => {
    await start(lab);
    named("foundry1").answer = lies;
    await calls(9).catch(() => []);
    await until(() => gateway.inFlight === 0);
    const before = named("foundry1").seen;
    expect(before).toBeLessThanOrEqual(3);
    for (let i = 0; named("foundry1").seen < 3 && i < 20; i++) await privately().catch(() => "");
    expect(gateway.backends()[0]).toMatchObject({ breaker: "open", trips: 1 });
  });

  it("when all are tripped the answer is a bare 503", async () => {
    await start(lab);
    for (const one of models) one.answer = refuses(429);
    expect(await calls(3)).toEqual(["429", "429", "429"]);
    expect(seen()).toEqual([3, 3, 3]);
    expect(await calls(2)).toEqual(["503", "503"]);
    expect(seen()).toEqual([3, 3, 3]);
  });

  it("without the identity nothing is sent", async () => {
    gateway = await testGateway(files(lab), {
      environment: { IDENTITY_ENDPOINT: `${issuer.url}/msi/token`, IDENTITY_HEADER: "wrong" },
    });
    expect(await privately()).toBe("500");
    expect(seen()).toEqual([0, 0, 0]);
  });
});

describe("the lab model-routing", () => {
  const lab: Lab = { policy: MODEL_ROUTING, backend: { credentials: CREDENTIALS } };

  it.each([
    ["gpt-4.1", "from foundry1"],
    ["gpt-4.1-mini", "from foundry2"],
    ["gpt-4.1-nano", "from foundry2"],
    ["model-router", "from foundry3"],
    ["gpt-5", "from foundry3"],
    ["DeepSeek-R1", "from foundry3"],
    ["gpt-4o", "403"],
    ["gpt-4o-mini", "403"],
    ["gpt-3.5-turbo", "400"],
  ])("%s: %s", async (model, expected) => {
    await start(lab);
    expect(await ask(model)).toBe(expected);
    expect(seen().reduce((sum, count) => sum + count, 0)).toBe(expected.startsWith("from") ? 1 : 0);
  });

  it("by the body alone, on an API that passes everything through", async () => {
    await start({ ...lab, operations: ["POST /*"], path: "inference", endpoint: "" });
    const post = async (body: string): Promise<[number, string]> => {
      const reply = await fetch(`${gateway.url}/inference/openai/v1/chat/completions`, {
        method: "POST",
        headers: { "api-key": KEY, "content-type": "application/json" },
        body,
      });
      return [reply.status, (await reply.text()).replace(/\s+/g, " ")];
    };
    expect((await post('{"model":"gpt-4.1-nano","messages":[]}'))[1]).toContain("from foundry2");
    expect(await post('{"model":"gpt-4o-audio"}')).toEqual([
      403,
      `{"error":"Model 'gpt-4o-audio' is not permitted."}`,
    ]);
    expect(await post("{}")).toEqual([
      400,
      '{ "error": "Invalid model or deployment-id. Supply a valid name in the URL or JSON body." }',
    ]);
  });

  it("a rude backend fails its own models and no others", async () => {
    await start(lab);
    named("foundry3").answer = refuses(429, { "retry-after": "30" });
    expect([await ask("gpt-5"), await ask("gpt-4.1"), await ask("gpt-4.1-mini")]).toEqual([
      "429",
      "from foundry1",
      "from foundry2",
    ]);
    named("foundry3").answer = resets;
    expect([await ask("DeepSeek-R1"), await ask("gpt-4.1")]).toEqual(["500", "from foundry1"]);
    named("foundry3").answer = lies;
    expect([await ask("gpt-5"), await ask("gpt-4.1")]).toEqual(["broken off", "from foundry1"]);
  });
});

describe("the lab aws-bedrock", () => {
  const AWS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
  const MODEL = "us.anthropic.claude-3-5-haiku-20241022-v1:0";

  /** Bedrock as far as its door: who is not signed for does not come in. */
  const bedrock =
    (name: string): Answer =>
    (request, response, body) => {
      const headers = request.headers as Record<string, string>;
      const received = {
        method: request.method!,
        target: request.url!,
        headers,
        body: Buffer.from(body, "latin1"),
      };
      const problem = signatureProblem(received, AWS, "bedrock");
      response.setHeader("content-type", "application/json");
      if (problem !== null) response.writeHead(403).end(JSON.stringify({ message: problem }));
      else
        response.end(
          JSON.stringify({
            output: { message: { role: "assistant", content: [{ text: `from ${name}` }] } },
            stopReason: "end_turn",
            usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
            metrics: { latencyMs: 1 },
          }),
        );
    };
  beforeEach(() => {
    for (const one of models) one.answer = bedrock(one.name);
  });

  /** The notebook's client has no keys that mean anything; the gateway has them. */
  async function converse(text = "Can you tell me the time, please? Grüße"): Promise<string> {
    const client = new BedrockRuntimeClient({
      region: "us-east-1",
      endpoint: `${gateway.url}/inference`,
      credentials: { accessKeyId: "none", secretAccessKey: "none" },
      maxAttempts: 1,
      // Its own choice is HTTP/2, which the notebook's client does not speak.
      requestHandler: new NodeHttpHandler(),
    });
    client.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["api-key"] = KEY;
        return next(args);
      },
      { step: "build" },
    );
    try {
      const { output } = await client.send(
        new ConverseCommand({
          modelId: MODEL,
          messages: [{ role: "user", content: [{ text }] }],
          inferenceConfig: { maxTokens: 2000, temperature: 0 },
        }),
      );
      return output!.message!.content![0]!.text!;
    } catch (error) {
      const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
      return `${$metadata?.httpStatusCode ?? name} ${message}`;
    } finally {
      client.destroy();
    }
  }

  const policyWay = (): Files => ({
    ...api("inference-api", named("foundry1").url, ["POST /*"], {
      policy: AWS_BEDROCK,
      properties: {
        path: "inference",
        subscriptionRequired: true,
        subscriptionKeyParameterNames: { header: "api-key", query: "api-key" },
      },
    }),
    "subscriptions/subscription1/subscriptionInformation.json": subscription("/apis", KEY),
    "namedValues/accesskey/namedValueInformation.json": {
      properties: { displayName: "accesskey", secret: true, value: AWS.accessKeyId },
    },
    "namedValues/secretkey/namedValueInformation.json": {
      properties: { displayName: "secretkey", secret: true, value: AWS.secretAccessKey },
    },
  });

  it("the policy's own signature opens the door, model id with its colon and all", async () => {
    gateway = await testGateway(policyWay());
    expect(await converse()).toBe("from foundry1");
    expect(gateway.exchanges.at(-1)!.attempts[0]!.url).toContain("%3A0/converse");
  });

  it("another secret does not", async () => {
    gateway = await testGateway({
      ...policyWay(),
      "namedValues/secretkey/namedValueInformation.json": {
        properties: { displayName: "secretkey", secret: true, value: "another" },
      },
    });
    expect(await converse()).toBe("403 SignatureDoesNotMatch");
  });

  it("its refusals and resets reach the caller as what they are", async () => {
    gateway = await testGateway(policyWay());
    named("foundry1").answer = (_request, response) =>
      void response
        .writeHead(429, { "content-type": "application/json", "x-amzn-errortype": "ThrottlingException" })
        .end('{"message":"Too many requests"}');
    expect(await converse()).toBe("429 Too many requests");
    named("foundry1").answer = resets;
    expect(await converse()).toMatch(/^500 /);
  });

  it("with our credential instead of the policy, from a pool of which one member is rude", async () => {
    await start({
      policy: backendPoolLoadBalancing("bedrock"),
      operations: ["POST /*"],
      path: "inference",
      endpoint: "",
      backend: {
        circuitBreaker: breaker(1, "PT1M", true),
        credentials: { awsSigV4: { ...AWS, region: "us-east-1", service: "bedrock" } },
      },
      pool: { name: "bedrock", services: NAMES.map((name) => ({ id: `/backends/${name}` })) },
    });
    named("foundry1").answer = refuses(429, { "retry-after": "60" });
    const all: string[] = [];
    for (let i = 0; i < 6; i++) all.push(await converse(`${i}`));
    expect(new Set(all)).toEqual(new Set(["from foundry2", "from foundry3"]));
    expect(seen()).toEqual([1, 3, 3]);
  });
});
