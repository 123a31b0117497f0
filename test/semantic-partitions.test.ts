/**
 * What an answer depends on besides its words parts entries of the semantic cache. Every prompt has the same vector here: only
 * the rest of the request can keep two of them apart.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { type StandIn, standIn } from "./stand-in.ts";

let model: StandIn;
let embeddings: StandIn;
let gateway: TestGateway;

const cached = (attributes = "", before = ""): string =>
  policy({
    inbound: `${before}<llm-semantic-cache-lookup score-threshold="0.1" embeddings-backend-id="embeddings" ${attributes} />`,
    outbound: `<llm-semantic-cache-store duration="100" />`,
  });

/** Gives the prompt to the token limit first, then adds what only this caller may know. */
const personal = `<llm-token-limit counter-key="all" tokens-per-minute="1000000" estimate-prompt-tokens="true" />
  <set-body>@{
    var body = context.Request.Body.As<JObject>(true);
    body["context"] = context.Request.Headers.GetValueOrDefault("x-user", "");
    return body.ToString();
  }</set-body>`;

beforeAll(async () => {
  embeddings = await standIn("embeddings", (_request, response) => {
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ data: [{ embedding: [1, 0, 0, 0], index: 0 }] }));
  });
  model = await standIn("model", (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  const operations = [
    "POST /chat/completions",
    "POST /responses",
    "POST /messages",
    "POST /completions",
    "POST /models/{name}",
    "POST /model/{name}/converse",
  ];
  gateway = await testGateway({
    "backends/embeddings/backendInformation.json": {
      properties: { url: `${embeddings.url}/embeddings`, protocol: "http" },
    },
    ...api("v1", model.url, operations, { policy: cached() }),
    ...api("v1beta", model.url, operations, { policy: cached() }),
    ...api("unsystematic", model.url, operations, { policy: cached(`ignore-system-messages="true"`) }),
    ...api("personal", model.url, operations, { policy: cached("", personal) }),
  });
});
afterAll(async () => {
  await gateway.close();
  await model.close();
  await embeddings.close();
});

type Headers = Readonly<Record<string, string>>;

async function isHit(path: string, body: string, headers: Headers): Promise<boolean> {
  const { seen } = model;
  const response = await fetch(gateway.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  await response.text();
  expect(response.status).toBe(200);
  return model.seen === seen;
}

interface Dialect {
  readonly path: string;
  readonly headers: Headers;
  readonly body: (words: string, more?: object) => object;
  /** Members that part. */
  readonly parting: object;
}

const tool = [{ type: "function", function: { name: "f" } }];

const dialects: Record<string, Dialect> = {
  chat: {
    path: "/v1/chat/completions",
    headers: {},
    body: (words, more) => ({ model: "$", messages: [{ role: "user", content: words }], ...more }),
    parting: {
      model: "other",
      tools: tool,
      tool_choice: "none",
      parallel_tool_calls: false,
      response_format: { type: "json_object" },
      stream: true,
      n: 2,
      store: true,
      seed: 1,
      max_tokens: 5,
      verbosity: "low",
      prediction: { type: "content", content: "x" },
      data_sources: [{ type: "azure_search" }],
      guided_json: { type: "object" },
      "what nobody knows": 1,
    },
  },
  responses: {
    path: "/v1/responses",
    headers: {},
    body: (words, more) => ({ model: "$", input: words, ...more }),
    parting: {
      prompt: { id: "pmpt_1" },
      include: ["x"],
      text: { format: { type: "json_object" } },
      tools: [{ type: "web_search" }],
      previous_response_id: "r",
      conversation: "c",
      context_management: [{ type: "compaction" }],
    },
  },
  messages: {
    path: "/v1/messages",
    headers: { "anthropic-version": "2023-06-01" },
    body: (words, more) => ({
      model: "$",
      max_tokens: 9,
      messages: [{ role: "user", content: words }],
      ...more,
    }),
    parting: {
      tools: [{ name: "f" }],
      thinking: { type: "enabled" },
      mcp_servers: [{ url: "u" }],
      container: "c",
      output_config: { effort: "low" },
    },
  },
  gemini: {
    path: "/v1beta/models/m$:generateContent",
    headers: {},
    body: (words, more) => ({ contents: [{ role: "user", parts: [{ text: words }] }], ...more }),
    parting: { safetySettings: [{ category: "x" }], cachedContent: "c", toolConfig: { a: 1 } },
  },
  converse: {
    path: "/v1/model/m$/converse",
    headers: {},
    body: (words, more) => ({ messages: [{ role: "user", content: [{ text: words }] }], ...more }),
    parting: {
      guardrailConfig: { guardrailIdentifier: "g" },
      additionalModelRequestFields: { thinking: 1 },
      promptVariables: { a: { text: "b" } },
    },
  },
  completions: {
    path: "/v1/completions",
    headers: {},
    body: (words, more) => ({ model: "$", prompt: words, ...more }),
    parting: { best_of: 3, suffix: "x" },
  },
};

let unique = 0;

/** Sends `a`, then `b`, as nobody has before. */
async function pair(path: string, a: object, b: object, headers: Headers = {}): Promise<boolean> {
  unique++;
  const fresh = (text: string): string => text.replaceAll("$", `u${unique}`);
  expect(await isHit(fresh(path), fresh(JSON.stringify(a)), headers)).toBe(false);
  return isHit(fresh(path), fresh(JSON.stringify(b)), headers);
}

test.each(Object.entries(dialects))(
  "%s: other words are found, nothing is found across what else decides",
  async (_name, { path, headers, body, parting }) => {
    expect(await pair(path, body("a"), body("b"), headers)).toBe(true);
    const found: string[] = [];
    for (const [name, value] of Object.entries(parting))
      if (await pair(path, body("a"), body("a", { [name]: value }), headers)) found.push(name);
    expect(found).toEqual([]);
  },
);

const history = (argument: string, result: string): object => ({
  model: "$",
  messages: [
    { role: "user", content: "weather?" },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "1", type: "function", function: { name: "w", arguments: argument } }],
    },
    { role: "tool", tool_call_id: "1", content: result },
    { role: "user", content: "so?" },
  ],
});
const turns = (...messages: object[]): object => ({ model: "$", messages });
const user = (content: string, more = {}): object => ({ role: "user", content, ...more });

test.each([
  ["tools that were called with something else", history("{1}", "sun"), history("{2}", "sun")],
  ["one who speaks under a name", turns(user("a")), turns(user("a", { name: "bob" }))],
  [
    "a text that looks like several turns",
    turns(user("a\nassistant: b\nuser: c")),
    turns(user("a"), { role: "assistant", content: "b" }, user("c")),
  ],
])("%s: not the same conversation", async (_name, a, b) => {
  expect(await pair("/v1/chat/completions", a, b)).toBe(false);
});

test("items that the provider keeps part, too", async () => {
  const referring = (id: string): object => ({
    model: "$",
    input: [
      { type: "item_reference", id },
      { role: "user", content: "so?" },
    ],
  });
  expect(await pair("/v1/responses", referring("a"), referring("b"))).toBe(false);
});

test.each([
  [
    "/unsystematic/chat/completions",
    turns({ role: "system", content: "s" }, { role: "developer", content: "d" }, user("a")),
    turns(user("b")),
  ],
  [
    "/unsystematic/messages",
    { ...turns(user("a")), system: [{ type: "text", text: "s" }] },
    { ...turns(user("b")), system: "t" },
  ],
  [
    "/unsystematic/responses",
    { model: "$", input: "a", instructions: "s" },
    { model: "$", input: "b", instructions: "t" },
  ],
])("system messages that are to be ignored do not part: %s", async (path, a, b) => {
  expect(await pair(path, a, b)).toBe(true);
});

test("what set-body put into a prompt that was counted before is part of it", async () => {
  const ask = (who: string): Promise<boolean> =>
    isHit("/personal/chat/completions", JSON.stringify(turns(user("mine?"))), { "x-user": who });
  expect([await ask("ann"), await ask("bob"), await ask("ann")]).toEqual([false, false, true]);
});

test("versions by header and query part, keys do not", async () => {
  const body = JSON.stringify(turns(user("versions")));
  const ask = (query: string, headers: Headers = {}): Promise<boolean> =>
    isHit(`/v1/chat/completions${query}`, body, headers);
  expect(await ask("?api-version=1&subscription-key=a")).toBe(false);
  expect(await ask("?api-version=1&subscription-key=b")).toBe(true);
  expect(await ask("?api-version=2&subscription-key=a")).toBe(false);
  expect(await ask("?api-version=1", { "anthropic-beta": "x" })).toBe(false);
});

test("a request that is nested deep is answered by the model", async () => {
  const nested = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  const body = `{"model":"m","messages":[{"role":"user","content":"deep"}],"tools":${nested}}`;
  expect(await isHit("/v1/chat/completions", body, {})).toBe(false);
});

test("a streamed array that was cut behind the reason to finish is not given again", async () => {
  const well = model.answer;
  const whole = '[{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}]';
  const body = '{"contents":[{"parts":[{"text":"cut?"}]}]}';
  for (const [name, answer, hit] of [
    ["cut", whole.slice(0, -1), false],
    ["whole", whole, true],
  ] as const) {
    model.answer = (_request, response) =>
      void response.writeHead(200, { "content-type": "application/json" }).end(answer);
    const path = `/v1beta/models/${name}:streamGenerateContent`;
    expect(await isHit(path, body, {})).toBe(false);
    expect(await isHit(path, body, {})).toBe(hit);
  }
  model.answer = well;
});
