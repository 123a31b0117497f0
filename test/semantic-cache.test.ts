/** The semantic cache through a whole gateway: the official client, a model and an embeddings service that stand in. */
import { gzipSync } from "node:zlib";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type Files, type TestGateway, api, policy, subscription, testGateway } from "./gateway.ts";
import { type StandIn, standIn } from "./stand-in.ts";

let model: StandIn;
let embeddings: StandIn;
let gateway: TestGateway;
/** What the model was asked, and when it may answer. */
let asked: any[] = [];
let gate: Promise<void> = Promise.resolve();

/** Words as dimensions: texts with the same words are near, whatever their order. */
function vectorOf(text: string): number[] {
  const vector = Array.from({ length: 64 }, () => 0);
  for (const word of text.toLowerCase().match(/[a-z0-9]+/g) ?? [])
    vector[[...word].reduce((h, c) => (h * 31 + c.charCodeAt(0)) % 64, 7)]! += 1;
  return vector;
}

const backends = (): Files => ({
  "backends/embeddings/backendInformation.json": {
    properties: {
      url: `${embeddings.url}/openai/deployments/text-embedding-3-small/embeddings`,
      protocol: "http",
      credentials: { header: { "api-key": ["key-of-embeddings"] } },
    },
  },
});

const cached = (attributes = "", inner = "", duration = 120): string =>
  policy({
    inbound: `<azure-openai-semantic-cache-lookup score-threshold="0.1" embeddings-backend-id="embeddings" embeddings-backend-auth="system-assigned" ${attributes}>${inner}</azure-openai-semantic-cache-lookup><set-header name="x-missed" exists-action="override"><value>1</value></set-header>`,
    outbound: `<llm-semantic-cache-store duration="${duration}" /><set-header name="x-after" exists-action="override"><value>1</value></set-header>`,
  });

beforeAll(async () => {
  embeddings = await standIn("embeddings", (_request, response, body) => {
    const { input } = JSON.parse(body) as { input: string };
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ data: [{ embedding: vectorOf(input), index: 0 }], usage: { prompt_tokens: 3 } }));
  });
  model = await standIn("model", (_request, response, body) => {
    const request = JSON.parse(body) as { stream?: boolean; messages: { content: string }[] };
    asked.push(request);
    const n = asked.length;
    void gate.then(() => {
      const base = { id: `c${n}`, model: "gpt-4o-2024-08-06", created: 1 };
      const text = `Answer ${n} to ${request.messages.at(-1)!.content}`;
      if (request.stream !== true) {
        response.writeHead(200, {
          "content-type": "application/json",
          "set-cookie": "a=b",
          "x-request-id": `r${n}`,
        });
        response.end(
          JSON.stringify({
            ...base,
            object: "chat.completion",
            choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
            usage: { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 },
          }),
        );
        return;
      }
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const word of text.split(/(?= )/))
        response.write(
          `data: ${JSON.stringify({ ...base, object: "chat.completion.chunk", choices: [{ index: 0, delta: { content: word }, finish_reason: null }] })}\n\n`,
        );
      if (text.includes("break off")) return void setImmediate(() => response.socket?.resetAndDestroy());
      response.write(
        `data: ${JSON.stringify({ ...base, object: "chat.completion.chunk", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\n`,
      );
      response.end("data: [DONE]\n\n");
    });
  });
  const operations = ["POST /chat/completions"];
  gateway = await testGateway({
    ...backends(),
    ...api("plain", `${model.url}/v1`, operations, { policy: cached() }),
    ...api("other", `${model.url}/v1`, operations, { policy: cached() }),
    ...api("users", `${model.url}/v1`, operations, {
      properties: { subscriptionRequired: true },
      policy: cached("", `<vary-by>@(context.Subscription.Id)</vary-by>`),
    }),
    ...api("unsystematic", `${model.url}/v1`, operations, {
      policy: cached(`ignore-system-messages="true" max-message-count="2"`),
    }),
    "subscriptions/ann/subscriptionInformation.json": subscription("/apis", "key-of-ann"),
    "subscriptions/bob/subscriptionInformation.json": subscription("/apis", "key-of-bob"),
  });
});
afterAll(async () => {
  await gateway.close();
  await model.close();
  await embeddings.close();
});
beforeEach(() => {
  asked = [];
  gate = Promise.resolve();
});

const client = (name: string, key = "none"): OpenAI =>
  new OpenAI({
    baseURL: `${gateway.url}/${name}`,
    apiKey: key,
    maxRetries: 0,
    defaultHeaders: { "ocp-apim-subscription-key": key },
  });

type Message = { role: "user" | "system" | "assistant"; content: string };
async function say(
  name: string,
  messages: string | Message[],
  more: object = {},
  key?: string,
): Promise<string> {
  const answer = await client(name, key).chat.completions.create({
    model: "gpt-4o",
    messages: typeof messages === "string" ? [{ role: "user", content: messages }] : messages,
    ...more,
  } as never);
  return (answer as any).choices[0].message.content;
}
async function stream(name: string, text: string): Promise<{ text: string; chunks: number }> {
  const found = { text: "", chunks: 0 };
  const events = await client(name).chat.completions.create({
    model: "gpt-4o",
    stream: true,
    messages: [{ role: "user", content: text }],
  });
  for await (const event of events) {
    found.chunks++;
    found.text += event.choices[0]?.delta.content ?? "";
  }
  return found;
}

test("a prompt with the same meaning gets the answer of the first; other headers of it are not kept", async () => {
  expect(await say("plain", "How do I reset my password")).toBe("Answer 1 to How do I reset my password");
  const again = await client("plain")
    .chat.completions.create({
      model: "gpt-4o",
      messages: [{ role: "user", content: "how do I my password reset" }],
    })
    .withResponse();
  expect(again.data.choices[0]!.message.content).toBe("Answer 1 to How do I reset my password");
  expect(asked).toHaveLength(1);
  const { headers } = again.response;
  expect([headers.get("set-cookie"), headers.get("x-request-id"), headers.get("x-after")]).toEqual([
    null,
    null,
    "1",
  ]);
  const exchange = gateway.exchanges.at(-1)!;
  expect(exchange.servedFromCache).toBe(true);
  expect(exchange.modelCall).toMatchObject({ ending: "cache-hit", settlement: { prompt: 0, completion: 0 } });
  expect(embeddings.headers["api-key"]).toBe("key-of-embeddings");
});

test("another meaning does not", async () => {
  await say("plain", "What is the capital of France");
  await say("plain", "Who wrote the novel Moby Dick");
  expect(asked).toHaveLength(2);
});

test.each<[string, () => Promise<unknown>]>([
  ["another API", () => say("other", "partition me")],
  ["another model", () => say("plain", "partition me", { model: "gpt-4o-mini" })],
  ["tools", () => say("plain", "partition me", { tools: [{ type: "function", function: { name: "f" } }] })],
  ["another form", () => say("plain", "partition me", { response_format: { type: "json_object" } })],
  ["a stream", () => stream("plain", "partition me")],
  ["several choices", () => say("plain", "partition me", { n: 2 })],
])("%s is a partition of its own", async (_name, other) => {
  await say("plain", "partition me");
  const before = asked.length;
  await other();
  expect(asked).toHaveLength(before + 1);
});

test("what the author varies by is never crossed", async () => {
  expect(await say("users", "tell me", {}, "key-of-ann")).toBe("Answer 1 to tell me");
  expect(await say("users", "tell me", {}, "key-of-bob")).toBe("Answer 2 to tell me");
  expect(await say("users", "tell me", {}, "key-of-ann")).toBe("Answer 1 to tell me");
});

test("system messages are left out, long conversations are left alone", async () => {
  const talk = (system: string, ...turns: string[]): Message[] => [
    { role: "system", content: system },
    ...turns.map((content): Message => ({ role: "user", content })),
  ];
  await say("unsystematic", talk("Be brief", "same question"));
  await say("unsystematic", talk("Be very long and talkative", "same question"));
  expect(asked).toHaveLength(1);
  await say("unsystematic", talk("x", "a", "b", "c"));
  await say("unsystematic", talk("x", "a", "b", "c"));
  expect(asked).toHaveLength(3);
});

test("a stream comes again as a stream, byte for byte; one that broke off is not kept", async () => {
  const first = await stream("plain", "stream this");
  // The client has all it wants at [DONE]; what is kept is the whole, and that ends a little later.
  await vi.waitFor(() => expect(gateway.inFlight).toBe(0), { timeout: 20_000 });
  const second = await stream("plain", "this stream");
  expect(second).toEqual(first);
  expect(asked).toHaveLength(1);
  await expect(stream("plain", "please break off")).rejects.toThrow();
  await expect(stream("plain", "please break off")).rejects.toThrow();
  expect(asked).toHaveLength(3);
});

test("100 identical prompts at once cost one call", async () => {
  let open = (): void => {};
  gate = new Promise((resolve) => (open = resolve));
  const calls = Array.from({ length: 100 }, () => say("plain", "all of us at once"));
  await vi.waitFor(() => expect(gateway.inFlight).toBe(100), { timeout: 20_000 });
  open();
  expect(new Set(await Promise.all(calls))).toEqual(new Set(["Answer 1 to all of us at once"]));
  expect(asked).toHaveLength(1);
  const settled = gateway.exchanges.slice(-100).map(({ modelCall }) => modelCall!.settlement!.completion);
  expect(settled.reduce((a, b) => a + b, 0)).toBe(6);
});

test("a trace says the distance of a hit and of a miss", async () => {
  const trace = async (content: string): Promise<string> => {
    const answer = await fetch(`${gateway.url}/plain/chat/completions`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "apim-debug-authorization": gateway.debugToken("plain"),
      },
      body: JSON.stringify({ model: "traced", messages: [{ role: "user", content }] }),
    });
    await answer.arrayBuffer();
    const told = JSON.stringify(gateway.trace(answer.headers.get("apim-trace-id")!));
    return /(?:Hit|Miss): [^"]*/.exec(told)?.[0] ?? told;
  };
  const seven = "one two three four five six seven";
  expect(await trace(seven)).toBe("Miss: nothing within 0.3.");
  expect(await trace(seven)).toBe("Hit: distance 0.0000, threshold 0.1.");
  expect(await trace(`${seven} eight nine ten`)).toMatch(
    /^Miss: the nearest has distance 0\.1\d{3}, threshold 0\.1\.$/,
  );
});

test("a stream that came in many reads comes again byte for byte, also to whoever waited for it", async () => {
  const well = model.answer;
  const pieces = ["first ", "second ", "third "].map(
    (content) => `data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta: { content } }] })}\n\n`,
  );
  pieces.push(
    `data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`,
  );
  let next = (): void => {};
  model.answer = (_request, response) => {
    asked.push({});
    response.writeHead(200, { "content-type": "text/event-stream" });
    const left = [...pieces];
    next = () => {
      if (left.length > 1) response.write(left.shift());
      else if (left.length === 1) response.end(left.shift());
    };
    next();
  };
  const ask = (): Promise<Response> =>
    fetch(`${gateway.url}/plain/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "m",
        stream: true,
        messages: [{ role: "user", content: "piece by piece" }],
      }),
    });
  const first = await ask();
  const waiting = Array.from({ length: 3 }, ask);
  await vi.waitFor(() => expect(gateway.inFlight).toBe(4));
  let text = "";
  for await (const chunk of first.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    next();
  }
  model.answer = well;
  expect(text).toBe(pieces.join(""));
  for (const other of [...waiting, ask()]) expect(await (await other).text()).toBe(text);
  expect(asked).toHaveLength(1);
});

test("answers that are never kept do not make identical prompts wait in a line", async () => {
  const well = model.answer;
  const held: (() => void)[] = [];
  model.answer = (_request, response) => void held.push(() => response.writeHead(429).end("busy"));
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "too many of us" }] });
  const calls = Array.from({ length: 10 }, () =>
    fetch(`${gateway.url}/plain/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    }),
  );
  for (const together of [1, 1, 8]) {
    await vi.waitFor(() => expect(held).toHaveLength(together));
    for (const answer of held.splice(0)) answer();
  }
  model.answer = well;
  for (const call of calls) expect((await call).status).toBe(429);
});

test("answers that not everybody can read fail nobody who waited", async () => {
  const well = model.answer;
  const held: (() => void)[] = [];
  model.answer = (_request, response) =>
    void held.push(() =>
      response
        .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
        .end(gzipSync('{"choices":[]}')),
    );
  const ask = (coding: string): Promise<Response> =>
    fetch(`${gateway.url}/plain/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", "accept-encoding": coding },
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "packed" }] }),
    });
  const first = ask("gzip");
  await vi.waitFor(() => expect(held).toHaveLength(1));
  const others = ["identity", "identity", "identity"].map(ask);
  await vi.waitFor(() => expect(gateway.inFlight).toBe(4));
  held.shift()!();
  await vi.waitFor(() => expect(held).toHaveLength(3));
  for (const answer of held) answer();
  for (const call of [first, ...others]) expect((await call).status).toBe(200);
  expect(await (await ask("gzip")).text()).toBe('{"choices":[]}');
  model.answer = well;
  const ends = gateway.log.filter(({ level }) => level === "error");
  expect(ends).toEqual([]);
});

test("embeddings that fail, hang up or lie are misses", async () => {
  const well = embeddings.answer;
  const ways: StandIn["answer"][] = [
    (_request, response) => void response.writeHead(500).end("no"),
    (request) => void request.socket.resetAndDestroy(),
    (_request, response) => void response.writeHead(200).end("{"),
    (_request, response) => void response.writeHead(200).end('{"data":[{"embedding":[]}]}'),
    (_request, response) => void response.writeHead(200).end('{"data":[{"embedding":[null,1]}]}'),
    (_request, response) => void response.writeHead(200).end('{"data":[{"embedding":[0,0,0]}]}'),
  ];
  for (const [i, way] of ways.entries()) {
    embeddings.answer = way;
    expect(await say("plain", `broken in way ${i}`)).toBe(`Answer ${i + 1} to broken in way ${i}`);
  }
  embeddings.answer = well;
});
