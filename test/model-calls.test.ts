/** What a request to a model is charged, by how it ended: a whole gateway, an upstream that does as it is told. */
import { type ServerResponse, request as httpRequest } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Exchange } from "../src/gateway/exchange.ts";
import { accessLine } from "../src/gateway/observing/access-record.ts";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { type Answer, type StandIn, standIn } from "./stand-in.ts";

let upstream: StandIn;
let gateway: TestGateway;

const METRIC = `<llm-emit-token-metric namespace="tests"><dimension name="API ID" /></llm-emit-token-metric>`;

beforeAll(async () => {
  upstream = await standIn("model");
  gateway = await testGateway(
    {
      ...api("ai", `${upstream.url}/v1`, ["POST /chat/completions", "POST /responses", "POST /v1/messages"], {
        policy: policy({
          inbound: METRIC,
          backend: `<forward-request timeout="5" />`,
          outbound: `<choose><when condition="@(context.Request.Headers.GetValueOrDefault(&quot;x-look&quot;,&quot;&quot;)==&quot;1&quot;)"><set-header name="x-seen" exists-action="override"><value>@(context.Response.Body.As<string>(true).Length.ToString())</value></set-header></when></choose>`,
        }),
      }),
      ...api("retried", `${upstream.url}/v1`, ["POST /chat/completions"], {
        policy: policy({
          inbound: METRIC,
          backend: `<retry condition="@(context.Response.StatusCode >= 500)" count="2" interval="0"><forward-request buffer-request-body="true" /></retry>`,
        }),
      }),
      ...api("rewritten", `${upstream.url}/v1`, ["POST /chat/completions"], {
        policy: policy({
          inbound: `${METRIC}<llm-token-limit counter-key="all" tokens-per-minute="100000" estimate-prompt-tokens="true" />
            <set-body>@{ var body = context.Request.Body.As<JObject>(); body["model"] = "gpt-4o-mini"; return body.ToString(); }</set-body>`,
        }),
      }),
      ...api("refused", `${upstream.url}/v1`, ["POST /chat/completions"], {
        policy: policy({ inbound: `${METRIC}<return-response><set-status code="403" /></return-response>` }),
      }),
    },
    { admin: { host: "127.0.0.1", port: 0, portIsDefault: false, token: null } },
  );
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

/** Polls end as soon as it is so; this is for machines that are busy. */
const SLOW = { timeout: 20_000 };

const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
const chunk = (delta: string, more: object = {}): string =>
  `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", model: "gpt-4o-2024-08-06", choices: [{ index: 0, delta: { content: delta }, finish_reason: null }], ...more })}\n\n`;
const USAGE = `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", model: "gpt-4o-2024-08-06", choices: [], usage })}\n\n`;

const json =
  (body: object, status = 200): Answer =>
  (_request, response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
const events =
  (
    parts: readonly string[],
    then: (response: ServerResponse) => void = (response) => response.end(),
  ): Answer =>
  (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const part of parts) response.write(part);
    then(response);
  };
const answerOf = { id: "c1", object: "chat.completion", model: "gpt-4o-2024-08-06", usage };
const choices = [{ index: 0, message: { role: "assistant", content: "Hello there" }, finish_reason: "stop" }];

interface Case {
  readonly answer: Answer;
  readonly stream?: boolean;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  /** The client hangs up when this much has come. */
  readonly hangUpAfter?: number;
  /** Ending, evidence, prompt, completion. */
  readonly expected: readonly [string, string, number | "E", number | "some"];
}

const cases: Record<string, Case> = {
  "finished, one document": {
    answer: json({ ...answerOf, choices }),
    expected: ["finished", "reported", 11, 7],
  },
  "finished, a document that a policy reads": {
    answer: json({ ...answerOf, choices }),
    headers: { "x-look": "1" },
    expected: ["finished", "reported", 11, 7],
  },
  "finished, a document without usage": {
    answer: json({ ...answerOf, usage: undefined, choices }),
    expected: ["finished", "estimated", "E", "some"],
  },
  "finished, a stream with usage": {
    answer: events([chunk("Hel"), chunk("lo"), USAGE, "data: [DONE]\n\n"]),
    stream: true,
    expected: ["finished", "reported", 11, 7],
  },
  "finished, a stream without usage": {
    answer: events([chunk("Hel"), chunk("lo there"), "data: [DONE]\n\n"]),
    stream: true,
    expected: ["finished", "estimated", "E", "some"],
  },
  "cut off by its bound": {
    answer: json({ ...answerOf, choices: [{ ...choices[0], finish_reason: "length" }] }),
    expected: ["incomplete", "reported", 11, 7],
  },
  "an error before anything": {
    answer: json({ error: { message: "no", type: "server_error" } }, 500),
    expected: ["upstream-error", "none", 0, 0],
  },
  "the upstream resets mid-stream": {
    answer: events([chunk("Hello"), chunk(" world")], (response) =>
      setImmediate(() => response.socket?.resetAndDestroy()),
    ),
    stream: true,
    expected: ["upstream-reset", "estimated", "E", "some"],
  },
  "the client hangs up mid-stream": {
    answer: events([chunk("Hello")], () => {}),
    stream: true,
    hangUpAfter: 1,
    expected: ["client-gone", "estimated", "E", "some"],
  },
  "no answer at all": {
    answer: (request) => void request.socket.resetAndDestroy(),
    expected: ["failed", "none", 0, 0],
  },
  "refused by a policy": {
    answer: json({ ...answerOf, choices }),
    path: "/refused/chat/completions",
    expected: ["refused", "none", 0, 0],
  },
};

async function call(given: Case): Promise<Exchange> {
  upstream.answer = given.answer;
  const before = gateway.exchanges.length;
  await new Promise<void>((resolve, reject) => {
    const request = httpRequest(
      `${gateway.url}${given.path ?? "/ai/chat/completions"}`,
      { method: "POST", headers: { "content-type": "application/json", ...given.headers } },
      (response) => {
        let came = 0;
        response.on("data", (data: Buffer) => {
          came += data.length;
          if (given.hangUpAfter !== undefined && came >= given.hangUpAfter) request.destroy();
        });
        response.on("close", resolve);
        response.on("error", () => resolve());
      },
    );
    request.on("error", (error) => (given.hangUpAfter === undefined ? reject(error) : resolve()));
    request.end(
      JSON.stringify({
        model: "unheard-of",
        stream: given.stream,
        messages: [{ role: "user", content: "Hi" }],
      }),
    );
  });
  await expect.poll(() => gateway.exchanges.length, SLOW).toBeGreaterThan(before);
  return gateway.exchanges.at(-1)!;
}

test.each(Object.entries(cases))("%s", async (_name, given) => {
  const exchange = await call(given);
  await expect.poll(() => exchange.modelCall?.settlement, SLOW).toBeTruthy();
  const { ending, settlement } = exchange.modelCall!;
  const [, , prompt, completion] = given.expected;
  expect([ending, settlement!.evidence]).toEqual(given.expected.slice(0, 2));
  if (prompt === "E") expect(settlement!.prompt).toBeGreaterThan(0);
  else expect(settlement!.prompt).toBe(prompt);
  if (completion === "some") expect(settlement!.completion).toBeGreaterThan(0);
  else expect(settlement!.completion).toBe(completion);
});

test("a call that was retried is charged for the answer that was kept", async () => {
  let tries = 0;
  const exchange = await call({
    path: "/retried/chat/completions",
    answer: (request, response, body) => {
      if (tries++ === 0)
        return json({ error: {}, usage: { prompt_tokens: 99 } }, 503)(request, response, body);
      json({ ...answerOf, choices })(request, response, body);
    },
    expected: ["finished", "reported", 11, 7],
  });
  expect(tries).toBe(2);
  expect(exchange.modelCall!.settlement).toMatchObject({ prompt: 11, completion: 7, evidence: "reported" });
});

test("a client that hangs up at the last event has not left early", async () => {
  const parts = [chunk("Hello"), USAGE, "data: [DONE]\n\n"];
  const exchange = await call({
    // The body's own end does not come.
    answer: events(parts, () => {}),
    stream: true,
    hangUpAfter: parts.join("").length,
    expected: ["finished", "reported", 11, 7],
  });
  expect(exchange.abort.aborted).toBe(true);
  expect(exchange.modelCall!.ending).toBe("finished");
  expect(JSON.parse(accessLine(exchange))).toMatchObject({ status: 200, tokens_out: 7 });
});

test("what another policy has made of the body is what is asked", async () => {
  const { modelCall } = await call({
    path: "/rewritten/chat/completions",
    answer: json({ ...answerOf, model: undefined, choices }),
    expected: ["finished", "reported", 11, 7],
  });
  expect(modelCall!.request.model).toBe("gpt-4o-mini");
});

test("what was settled is what a scrape says, once per call, and refusals are not in it", async () => {
  const settled = gateway.exchanges
    .map(({ modelCall }) => modelCall?.settlement)
    .filter((settlement) => settlement != null && settlement.evidence !== "none");
  const tokens = settled.reduce((sum, settlement) => sum + settlement!.usage.total, 0);
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const sums = [...text.matchAll(/^tests_total_tokens_sum\{.*\} (\d+)$/gm)].map(([, n]) => Number(n));
  const counts = [...text.matchAll(/^tests_total_tokens_count\{.*\} (\d+)$/gm)].map(([, n]) => Number(n));
  expect([sums.reduce((a, b) => a + b, 0), counts.reduce((a, b) => a + b, 0)]).toEqual([
    tokens,
    settled.length,
  ]);
});

test("aiFormat says what requests are where nothing else does; a misspelt one is told its name", async () => {
  upstream.answer = json({
    usage: { input_tokens: 3, output_tokens: 4 },
    type: "message",
    role: "assistant",
    content: [],
  });
  const files = (aiFormat: string): ReturnType<typeof api> =>
    api("odd", `${upstream.url}/v1`, ["POST /ask"], {
      properties: { aiFormat },
      policy: policy({ inbound: METRIC }),
    });
  const odd = await testGateway(files("anthropic-messages"));
  await (await fetch(`${odd.url}/odd/ask`, { method: "POST", body: "{}" })).text();
  expect(odd.exchanges[0]!.modelCall?.settlement).toMatchObject({ prompt: 3, completion: 4 });
  await odd.close();
  const refused = await testGateway(files("antropic-messages")).catch((error: unknown) => error);
  expect((refused as { problems: object[] }).problems).toMatchObject([
    { code: "HG5530", hint: "did you mean `anthropic-messages`?" },
  ]);
});
