/**
 * Requests to models whose bill does not stand where others have it: in the body of their own answer. Whatever the road, the
 * ledger's lines, the limits and the metrics say together what the provider reported, once.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandLine } from "../src/cli/index.ts";
import type { LedgerRecord } from "../src/ledger/record.ts";
import { application } from "../src/start.ts";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { type Answer, type StandIn, standIn } from "./stand-in.ts";

let upstream: StandIn;
let gateway: TestGateway;
const dataDir = mkdtempSync(join(tmpdir(), "headgate-endings-"));

const METRIC = `<llm-emit-token-metric namespace="endings"><dimension name="API ID" /></llm-emit-token-metric>`;
const LIMIT = `<llm-token-limit counter-key="@(context.Request.Headers.GetValueOrDefault(&quot;x-key&quot;, &quot;all&quot;))" tokens-per-minute="100000" estimate-prompt-tokens="false" remaining-tokens-header-name="x-left" />`;
const LOOK = `<choose><when condition="@(context.Request.Headers.ContainsKey(&quot;x-look&quot;))"><set-header name="x-seen" exists-action="override"><value>@(context.Response.Body.As<string>(true).Length.ToString())</value></set-header></when></choose>`;

beforeAll(async () => {
  upstream = await standIn("model");
  const governed = { policy: policy({ inbound: METRIC + LIMIT, outbound: LOOK }) };
  const responses = ["POST /responses", "GET /responses/{id}", "POST /responses/{id}/cancel"];
  gateway = await testGateway(
    {
      ...api("ai", `${upstream.url}/v1`, responses, governed),
      ...api("other", `${upstream.url}/v1`, responses, governed),
      ...api("told", `${upstream.url}/v1`, responses, {
        ...governed,
        properties: { aiFormat: "openai-responses" },
      }),
      ...api("forms", `${upstream.url}/v1`, ["POST /audio/transcriptions", "POST /images/edits"], governed),
      ...api("again", `${upstream.url}/v1`, ["POST /audio/transcriptions"], {
        policy: policy({
          inbound: METRIC,
          backend: `<retry condition="@(context.Response.StatusCode == 503)" count="1" interval="0"><forward-request buffer-request-body="true" /></retry>`,
        }),
      }),
      ...api("bedrock", upstream.url, ["POST /model/{id}/invoke"], governed),
      "prices.yaml": "prices:\n  - model: house-model\n    input: 1\n    output: 10\n",
    },
    { dataDir, admin: { host: "127.0.0.1", port: 0, portIsDefault: false, token: null } },
  );
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** All lines so far, as `headgate logs --json` says them, oldest first. */
async function ledger(): Promise<LedgerRecord[]> {
  let out = "";
  const into = (take: (text: string) => void): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        take(chunk.toString());
        done();
      },
    });
  const stdout = into((text) => void (out += text));
  const streams = { stdout, stderr: into(() => {}), environment: {} };
  const args = ["logs", "--json", "--limit", "1000", "--data-dir", dataDir];
  await commandLine({ ...application, ...streams }, args);
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LedgerRecord);
}

const json =
  (body: object, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response
      .writeHead(200, { "content-type": "application/json", ...headers })
      .end(JSON.stringify(body));

async function say(
  method: string,
  path: string,
  answer: Answer,
  { body, ...headers }: Record<string, string> = {},
): Promise<Response> {
  upstream.answer = answer;
  const response = await fetch(`${gateway.url}${path}`, {
    method,
    ...(body === undefined ? null : { body }),
    headers: { "content-type": "application/json", ...headers },
  });
  await response.text();
  return response;
}

/** Sum over one metric's series. */
async function scraped(name: string): Promise<number> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^${name}\\{.*\\} (\\d+)$`, "gm"))].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}

describe("a response in the background", () => {
  const usage = { input_tokens: 1200, output_tokens: 345, total_tokens: 1545 };
  const little = { input_tokens: 2, output_tokens: 1, total_tokens: 3 };
  const response = (id: string, status: string, more: object = {}): object => ({
    id,
    object: "response",
    status,
    background: true,
    model: "house-model",
    output: [],
    usage: null,
    ...more,
  });
  const done = (id: string, status = "completed", more: object = {}): object =>
    response(id, status, { usage, ...more });
  const stream =
    (id: string): Answer =>
    (_request, reply) => {
      reply.writeHead(200, { "content-type": "text/event-stream" });
      const event = (type: string, value: object): string =>
        `event: ${type}\ndata: ${JSON.stringify({ type, response: value })}\n\n`;
      reply.write(event("response.in_progress", response(id, "in_progress")));
      reply.end(event("response.completed", done(id)));
    };
  const zipped =
    (id: string): Answer =>
    (_request, reply) =>
      void reply
        .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
        .end(gzipSync(JSON.stringify(done(id))));
  const ask = JSON.stringify({ model: "house-model", background: true, input: "Write me a long novel." });

  type Fetch = readonly [line: string, answer: (id: string) => Answer, headers?: Record<string, string>];
  const get = (answer: (id: string) => Answer, headers?: Record<string, string>): Fetch => [
    "GET /ai/responses/ID",
    answer,
    headers ?? {},
  ];
  const whole = (id: string): Answer => json(done(id));

  /** What is charged in the end: as reported, or the estimate alone; and how many lines the ledger has. */
  test.each<[string, readonly Fetch[], "reported" | "estimated" | "less"]>([
    ["fetched once", [get(whole)], "reported"],
    ["fetched twice is charged once", [get(whole), get(whole)], "reported"],
    [
      "polled while it goes on",
      [get((id) => json(response(id, "queued"))), get((id) => json(response(id, "in_progress"))), get(whole)],
      "reported",
    ],
    ["fetched as a stream", [["GET /ai/responses/ID?stream=true&starting_after=3", stream]], "reported"],
    ["fetched compressed", [get(zipped)], "reported"],
    ["fetched where a policy reads it", [get(whole, { "x-look": "1" })], "reported"],
    [
      "cancelled, with what it had cost",
      [["POST /ai/responses/ID/cancel", (id) => json(done(id, "cancelled"))]],
      "reported",
    ],
    [
      "failed, with what it had cost",
      [get((id) => json(done(id, "failed", { error: { code: "x" } })))],
      "reported",
    ],
    [
      "cancelled at once, for less than was estimated",
      [get((id) => json(done(id, "cancelled", { usage: little })))],
      "less",
    ],
    ["cancelled, and nobody says what it cost", [get((id) => json(response(id, "cancelled")))], "estimated"],
    ["never fetched", [], "estimated"],
    ["another answer under its name", [get(() => json(done("resp_someone")))], "estimated"],
    ["through another API", [["GET /other/responses/ID", whole]], "estimated"],
    [
      "an error",
      [get((id) => (_q, reply) => void reply.writeHead(404).end(JSON.stringify(done(id))))],
      "estimated",
    ],
  ])("%s", async (name, fetches, evidence) => {
    const id = `resp_${name.replace(/\W+/g, "_")}`;
    const before = await scraped("endings_total_tokens_sum");
    const left = async (): Promise<number> => {
      const answer = await say("POST", "/ai/responses", json(done("resp_now")), { body: ask, "x-key": name });
      return Number(answer.headers.get("x-left"));
    };
    const start = await left();
    await say("POST", "/ai/responses", json(response(id, "queued")), { body: ask, "x-key": name });
    for (const [line, answer, headers] of fetches) {
      const [method, path] = line.split(" ");
      await say(method!, path!.replace("ID", id), answer(id), headers);
    }
    const taken = start - (await left());
    const lines = (await ledger()).filter(({ answerId }) => answerId === id);
    const sum = (of: (record: LedgerRecord) => number): number =>
      lines.reduce((total, record) => total + of(record), 0);
    const total = sum((record) => record.totalTokens);
    expect(taken).toBe(1545 + sum((record) => record.chargedTokens));
    // Beside it, two calls by which this test sees what is left. Sums do not go down.
    const emitted = sum((record) => Math.max(0, record.totalTokens));
    expect((await scraped("endings_total_tokens_sum")) - before).toBe(2 * 1545 + emitted);
    if (evidence === "estimated") {
      expect(lines).toMatchObject([{ evidence, ending: "finished", completionTokens: 0, part: 0 }]);
      expect(total).toBeGreaterThan(0);
      return;
    }
    expect(lines).toMatchObject([
      { evidence: "estimated", part: 0, finishReason: null },
      { evidence: "reported", ending: "finished", part: 1 },
    ]);
    expect(lines[1]!.requestId).toBe(lines[0]!.requestId);
    const [input, output] = evidence === "less" ? [2, 1] : [1200, 345];
    expect([sum((record) => record.promptTokens), sum((record) => record.completionTokens), total]).toEqual([
      input,
      output,
      input + output,
    ]);
    expect(sum((record) => record.costMicros!)).toBe(input + 10 * output);
    if (evidence === "less") expect(lines[1]).toMatchObject({ chargedTokens: 0 });
  });

  test("the official client: asked for, polled, fetched", async () => {
    const client = new OpenAI({ apiKey: "k", baseURL: `${gateway.url}/ai`, maxRetries: 0 });
    let polls = 0;
    upstream.answer = (request, reply, body) =>
      json(
        request.method === "POST"
          ? response("resp_client", "queued")
          : polls++ === 0
            ? response("resp_client", "in_progress")
            : done("resp_client"),
      )(request, reply, body);
    let answer = await client.responses.create({ model: "house-model", input: "A novel.", background: true });
    while (answer.status === "queued" || answer.status === "in_progress")
      answer = await client.responses.retrieve(answer.id);
    expect(answer.usage!.total_tokens).toBe(1545);
    const lines = (await ledger()).filter(({ answerId }) => answerId === "resp_client");
    expect(lines.map(({ evidence }) => evidence)).toEqual(["estimated", "reported"]);
    expect(lines[0]!.totalTokens + lines[1]!.totalTokens).toBe(1545);
  });

  test("aiFormat does not make a call of its own of the cancelling", async () => {
    await say("POST", "/told/responses", json(response("resp_told", "queued")), { body: ask });
    await say("POST", "/told/responses/resp_told/cancel", json(done("resp_told", "cancelled")));
    const lines = (await ledger()).filter(({ answerId }) => answerId === "resp_told");
    expect(lines.map(({ part }) => part)).toEqual([0, 1]);
    expect(lines[0]!.totalTokens + lines[1]!.totalTokens).toBe(1545);
  });
});

test("InvokeModel: what the headers alone report is charged", async () => {
  const answer = json(
    { outputs: [{ text: "Hello", stop_reason: "stop" }] },
    { "X-Amzn-Bedrock-Input-Token-Count": "31", "X-Amzn-Bedrock-Output-Token-Count": "17" },
  );
  await say("POST", "/bedrock/model/mistral.mistral-7b-instruct-v0%3A2/invoke", answer, {
    body: JSON.stringify({ prompt: "<s>[INST] Hi [/INST]" }),
  });
  expect((await ledger()).at(-1)).toMatchObject({
    dialect: "bedrock-invoke",
    modelAsked: "mistral.mistral-7b-instruct-v0:2",
    evidence: "reported",
    promptTokens: 31,
    completionTokens: 17,
    chargedTokens: 48,
  });
});

describe("a form with files", () => {
  const FILE = "x".repeat(300_000);
  const usage = { type: "tokens", input_tokens: 14, output_tokens: 45, total_tokens: 59 };
  type Parts = readonly (readonly [name: string, value: string | Blob])[];
  const upload = ["file", new Blob([FILE], { type: "audio/mpeg" })] as const;

  async function send(path: string, parts: Parts, answer: Answer): Promise<LedgerRecord> {
    let passed = "";
    let boundary = "";
    upstream.answer = (request, response, body) => {
      passed = body;
      boundary = request.headers["content-type"]!.split("boundary=")[1]!;
      answer(request, response, body);
    };
    const form = new FormData();
    for (const [name, value] of parts) form.append(name, value);
    await (await fetch(`${gateway.url}${path}`, { method: "POST", body: form })).text();
    expect(passed.includes(FILE) && passed.trimEnd().endsWith(`--${boundary}--`)).toBe(true);
    return (await ledger()).at(-1)!;
  }

  test.each<[string, string, Parts, Answer, object]>([
    [
      "the model before the file",
      "/forms/audio/transcriptions",
      [["model", "gpt-4o-transcribe"], upload],
      json({ text: "Hi", usage }),
      { modelAsked: "gpt-4o-transcribe", stream: false, evidence: "reported", totalTokens: 59 },
    ],
    [
      "the model after the file, as a stream",
      "/forms/audio/transcriptions",
      [upload, ["stream", "true"], ["model", "gpt-4o-transcribe"]],
      (_request, response) =>
        void response
          .writeHead(200, { "content-type": "text/event-stream" })
          .end(`data: ${JSON.stringify({ type: "transcript.text.done", text: "Hi", usage })}\n\n`),
      { modelAsked: "gpt-4o-transcribe", stream: true, evidence: "reported", totalTokens: 59 },
    ],
    [
      "priced by its model, counted by its fields",
      "/forms/images/edits",
      [["model", "house-model"], ["prompt", "Add a hat to this otter, please"], ["n", "2"], upload],
      json({ data: [{ b64_json: "" }] }),
      { modelAsked: "house-model", evidence: "estimated", price: "prices.yaml:2", completionTokens: 0 },
    ],
    [
      "an answer that is only text",
      "/forms/audio/transcriptions",
      [upload, ["response_format", "text"], ["model", "whisper-1"]],
      (_request, response) => void response.writeHead(200, { "content-type": "text/plain" }).end("Hi"),
      { modelAsked: "whisper-1", ending: "finished" },
    ],
  ])("%s", async (_name, path, parts, answer, expected) => {
    const record = await send(path, parts, answer);
    expect(record).toMatchObject(expected);
    if (record.evidence === "estimated" && path.includes("images"))
      expect(record.promptTokens).toBeGreaterThan(3);
  });

  test("sent again by a retry, it is read again", async () => {
    let tries = 0;
    const record = await send(
      "/again/audio/transcriptions",
      [upload, ["model", "gpt-4o-transcribe"]],
      (request, response, body) => {
        if (tries++ === 0) return void response.writeHead(503).end();
        json({ text: "Hi", usage })(request, response, body);
      },
    );
    expect(tries).toBe(2);
    expect(record).toMatchObject({ modelAsked: "gpt-4o-transcribe", totalTokens: 59, attempts: 2 });
  });
});
