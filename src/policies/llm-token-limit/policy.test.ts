import { expect, test } from "vitest";
import { countersAlone } from "../../counters/index.ts";
import type { GatewayError } from "../../gateway/errors.ts";
import type { ModelCall } from "../../gateway/models/model-call.ts";
import {
  type TestExchange,
  exchangeOf,
  mistakesOf,
  policyStep,
  responseOf,
  servicesOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { newAnswer } from "../../llm/answer.ts";
import { NO_USAGE } from "../../llm/usage.ts";
import { duration } from "../../gateway/token-limits/token-errors.ts";
import { azureOpenaiTokenLimit } from "../azure-openai-token-limit/policy.ts";
import { llmTokenLimit } from "./policy.ts";

/** A prompt of `n` counts as `n` tokens. */
const models = {
  countPrompt: ({ messages }: { messages: readonly { parts: readonly { kind: string }[] }[] }) => {
    const part = messages[0]?.parts[0] as { text?: string } | undefined;
    return { tokens: Number(part?.text ?? 0), exact: true };
  },
  countText: (text: string) => ({ tokens: text.length, exact: true }),
  settled: () => {},
  contents: () => {},
};
/** Whole minutes lie before a full hour. */
const HALF_PAST = Date.UTC(2026, 1, 25, 10, 38, 27);
let services = servicesOf({ models });
/** A gateway that has counted nothing yet. */
const anew = (): void => {
  services = servicesOf({ models });
  services.clock.ms = HALF_PAST;
};
const wait = (seconds: number): void => void (services.clock.ms += seconds * 1000);

interface Asked {
  prompt?: number;
  bound?: number;
  stream?: boolean;
  path?: string;
  body?: string;
}
type Attributes = Record<string, unknown>;

function exchangeFor({
  prompt = 0,
  bound,
  stream,
  path = "/chat/completions",
  body,
}: Asked = {}): TestExchange {
  const asked = {
    model: "m",
    messages: [{ role: "user", content: String(prompt) }],
    ...(bound === undefined ? {} : { max_tokens: bound }),
    ...(stream === undefined ? {} : { stream }),
  };
  const headers = ["Content-Type", "application/json"];
  const fields = { method: "POST", target: path, headers, body: body ?? JSON.stringify(asked) };
  return exchangeOf(fields, snapshotOf(), services);
}

/** Runs the policy. @returns `ok`, or the refusal with its headers */
async function begin(
  attributes: Attributes,
  exchange: TestExchange,
  policy = llmTokenLimit,
): Promise<string> {
  const step = policyStep(policy, { attributes: { "counter-key": "k", ...attributes } });
  try {
    await step.run(exchange, null);
    return "ok";
  } catch (error) {
    const { status, reason, clientMessage, headers } = error as GatewayError;
    return [status, reason, clientMessage, ...headers].join(" | ");
  }
}

/** The backend answers with these numbers; everything up to the end of the exchange. */
async function end(exchange: TestExchange, usage: [number, number] | null, status = 200): Promise<void> {
  if (usage !== null) {
    const answer = {
      model: "m",
      choices: [{ index: 0, message: { content: "x" }, finish_reason: "stop" }],
      usage: { prompt_tokens: usage[0], completion_tokens: usage[1], total_tokens: usage[0] + usage[1] },
    };
    const response = responseOf(status, JSON.stringify(answer), ["Content-Type", "application/json"]);
    exchange.attempts.push({
      backendId: null,
      url: "",
      status,
      error: null,
      startedMs: 0,
      headersMs: 0,
    });
    await exchange.modelCall?.answered(response);
    exchange.response = response;
  }
  for (const { run } of exchange.takeReplyListeners() ?? []) run();
  for (const run of exchange.takeEndListeners() ?? []) run();
}

async function call(
  attributes: Attributes,
  asked: Asked = {},
  usage: [number, number] = [0, 0],
): Promise<string> {
  const exchange = exchangeFor(asked);
  const said = await begin(attributes, exchange);
  await end(exchange, said === "ok" ? usage : null);
  return said;
}

const over = (seconds: number): string =>
  `429 | OpenAITokenLimitExceeded | Token limit is exceeded. Try again in ${seconds} seconds. | Retry-After | ${seconds}`;
const NEVER = "429 | OpenAITokenLimitExceeded | Token limit is exceeded.";
const TPM = { "tokens-per-minute": "100" };
const ESTIMATE = { ...TPM, "estimate-prompt-tokens": true };

test("one after the other, without an estimate: let in while less than the limit is used", async () => {
  anew();
  wait(2);
  expect(await call(TPM, { prompt: 90 }, [19, 40])).toBe("ok");
  wait(16);
  expect(await call(TPM, { prompt: 90 }, [15, 40])).toBe("ok");
  wait(15);
  expect(await call(TPM)).toBe(over(29));
  wait(15);
  expect(await call(TPM)).toBe(over(14));
  wait(14);
  expect(await call(TPM)).toBe("ok");
});

test.each<[string, Attributes, Asked, string]>([
  ["the estimate fits", ESTIMATE, { prompt: 40 }, "ok"],
  ["the estimate does not fit", ESTIMATE, { prompt: 41 }, over(60)],
  ["the estimate alone is larger than the limit", ESTIMATE, { prompt: 101 }, NEVER],
  ["a stream is always estimated", TPM, { prompt: 41, stream: true }, over(60)],
  ["no estimate: used is less than the limit", TPM, { prompt: 4000 }, "ok"],
  ["auto: prompt and bound must fit where both are known", ESTIMATE, { prompt: 20, bound: 21 }, over(60)],
  ["auto: they fit", ESTIMATE, { prompt: 20, bound: 20 }, "ok"],
  ["auto: a bound that is larger than the limit is none", ESTIMATE, { prompt: 20, bound: 4096 }, "ok"],
  ["auto without an estimate: the bound does not matter", TPM, { prompt: 20, bound: 90 }, "ok"],
  ["full", { ...TPM, reserve: "full" }, { prompt: 20, bound: 21 }, over(60)],
  ["full: it fits", { ...TPM, reserve: "full" }, { prompt: 20, bound: 20 }, "ok"],
  ["full: more than the limit", { ...TPM, reserve: "full" }, { prompt: 20, bound: 4096 }, NEVER],
  ["full: a guess refuses nobody for good", { ...TPM, reserve: "full" }, { prompt: 20 }, over(60)],
  ["prompt", { ...TPM, reserve: "prompt" }, { prompt: 41, bound: 9 }, over(60)],
  ["prompt: it fits", { ...TPM, reserve: "prompt" }, { prompt: 40, bound: 900 }, "ok"],
  ["none", { ...TPM, reserve: "none" }, { prompt: 41, bound: 900 }, "ok"],
  ["none, with an estimate", { ...ESTIMATE, reserve: "none" }, { prompt: 41, bound: 900 }, over(60)],
])("60 of 100 used: %s", async (_title, attributes, asked, expected) => {
  anew();
  expect(await call(TPM, {}, [10, 50])).toBe("ok");
  expect(await call(attributes, asked)).toBe(expected);
});

test.each<[string, Attributes, Asked, string[]]>([
  [
    "auto: the bound, as far as the model usually goes",
    TPM,
    { prompt: 10, bound: 40 },
    ["ok", "ok", over(1)],
  ],
  ["auto, both known", ESTIMATE, { prompt: 10, bound: 40 }, ["ok", "ok", over(1)]],
  ["auto, nobody knows: all that there is", TPM, { prompt: 10 }, ["ok", over(1), over(1)]],
  ["full", { ...TPM, reserve: "full" }, { prompt: 10, bound: 40 }, ["ok", "ok", over(1)]],
  ["prompt", { ...TPM, reserve: "prompt" }, { prompt: 40, bound: 900 }, ["ok", "ok", over(1)]],
  ["none: all pass", { ...TPM, reserve: "none" }, { prompt: 40, bound: 900 }, ["ok", "ok", "ok"]],
])("at the same time: %s", async (_title, attributes, asked, expected) => {
  anew();
  const under: TestExchange[] = [];
  const said: string[] = [];
  for (const _ of expected) {
    const exchange = exchangeFor(asked);
    said.push(await begin(attributes, exchange));
    under.push(exchange);
  }
  expect(said).toEqual(expected);
  for (const [i, exchange] of under.entries()) await end(exchange, expected[i] === "ok" ? [1, 1] : null);
  const { tokens } = services.counters;
  expect([tokens.heldTokens, tokens.underWay]).toEqual([0, 0]);
});

const HOURLY = { "token-quota": "100", "token-quota-period": "Hourly" };
const quota = (said: string, seconds: number): string =>
  `403 | OpenAITokenQuotaExceeded | ${said} | Retry-After | ${seconds}`;

test.each<[string, Attributes, Asked, string]>([
  ["an hour", HOURLY, {}, quota("Token quota is exceeded. Try again in 21 minutes and 33 seconds.", 1293)],
  [
    "an estimate that does not fit",
    { ...HOURLY, "token-quota": "150", "estimate-prompt-tokens": true },
    { prompt: 41 },
    quota("Token quota will exceed its limit. Try again in 21 minutes and 33 seconds.", 1293),
  ],
  [
    "an estimate, and nothing is left",
    { ...HOURLY, "estimate-prompt-tokens": true },
    { prompt: 41 },
    quota("Token quota is exceeded. Try again in 21 minutes and 33 seconds.", 1293),
  ],
  [
    "an estimate that is larger than the quota",
    { ...HOURLY, "estimate-prompt-tokens": true },
    { prompt: 101 },
    "403 | OpenAITokenQuotaExceeded | Token quota is exceeded.",
  ],
  [
    "quota comes first",
    { ...HOURLY, ...TPM },
    {},
    quota("Token quota is exceeded. Try again in 21 minutes and 33 seconds.", 1293),
  ],
  ["room in the quota, none in the minute", { ...HOURLY, ...TPM, "token-quota": "1000" }, {}, over(60)],
  ["another period is another counter", { ...HOURLY, "token-quota-period": "Daily" }, {}, "ok"],
  [
    "a period by expression",
    { ...HOURLY, "token-quota-period": () => "hourly" },
    {},
    quota("Token quota is exceeded. Try again in 21 minutes and 33 seconds.", 1293),
  ],
  ["another key", { ...HOURLY, "counter-key": "other" }, {}, "ok"],
])("110 used in the hour and the minute: %s", async (_title, attributes, asked, expected) => {
  anew();
  expect(await call({ ...HOURLY, ...TPM }, {}, [60, 50])).toBe("ok");
  expect(await call(attributes, asked)).toBe(expected);
});

test("what the minute refuses is not held in the quota", async () => {
  anew();
  expect(await call(TPM, {}, [60, 50])).toBe("ok");
  expect(await call({ ...HOURLY, ...TPM })).toBe(over(60));
  const [exchange, full] = [exchangeFor({ prompt: 50, bound: 50 }), { ...HOURLY, reserve: "full" }];
  expect(await begin(full, exchange)).toBe("ok");
});

test.each<[Attributes, string]>([
  [{ "tokens-per-minute": () => "100" }, "ok"],
  [{ "tokens-per-minute": () => " 100 " }, "ok"],
  [{ "tokens-per-minute": () => "" }, "500 | TokenLimitInvalid | Internal server error"],
  [{ "tokens-per-minute": () => "many" }, "500 | TokenLimitInvalid | Internal server error"],
  [{ "tokens-per-minute": () => "-1" }, "500 | TokenLimitInvalid | Internal server error"],
  [{ "tokens-per-minute": () => "1.5" }, "500 | TokenLimitInvalid | Internal server error"],
  [{ ...HOURLY, "token-quota": () => "x" }, "500 | TokenLimitInvalid | Internal server error"],
  [
    { ...HOURLY, "token-quota-period": () => "Fortnightly" },
    "500 | TokenQuotaPeriodInvalid | Internal server error",
  ],
  [{ ...TPM, "counter-key": () => null }, "500 | CounterKeyEmpty | Internal server error"],
  [{ ...TPM, "counter-key": () => "" }, "500 | CounterKeyEmpty | Internal server error"],
])("%j says %s", async (attributes, expected) => {
  anew();
  expect(await call(attributes)).toBe(expected);
});

const NAMES = {
  "remaining-tokens-header-name": "x-left",
  "remaining-tokens-variable-name": "left",
  "remaining-quota-tokens-header-name": "x-quota-left",
  "remaining-quota-tokens-variable-name": "quotaLeft",
  "tokens-consumed-header-name": "x-consumed",
  "tokens-consumed-variable-name": "consumed",
  "retry-after-header-name": "x-wait",
  "retry-after-variable-name": "wait",
};

test("headers and variables: the estimate before the call, the truth after it", async () => {
  anew();
  const attributes = { ...ESTIMATE, ...HOURLY, "token-quota": "1000", ...NAMES };
  const exchange = exchangeFor({ prompt: 30 });
  expect(await begin(attributes, exchange)).toBe("ok");
  expect([...exchange.variables]).toEqual([
    ["consumed", 30],
    ["left", 70],
    ["quotaLeft", 970],
  ]);
  await end(exchange, [19, 40]);
  expect([...exchange.variables]).toEqual([
    ["consumed", 59],
    ["left", 41],
    ["quotaLeft", 941],
  ]);
  const { headers } = exchange.response!;
  expect([headers.get("x-consumed"), headers.get("x-left"), headers.get("x-quota-left")]).toEqual([
    "59",
    "41",
    "941",
  ]);
  const refused = exchangeFor({ prompt: 42 });
  expect(await begin(attributes, refused)).toBe(
    "429 | OpenAITokenLimitExceeded | Token limit is exceeded. Try again in 60 seconds. | x-wait | 60",
  );
  expect([...refused.variables]).toEqual([
    ["wait", 60],
    ["left", 41],
  ]);
});

test("a call that was let in by nobody else's leave says nothing it does not know", async () => {
  anew();
  const exchange = exchangeFor({ prompt: 30 });
  await begin({ ...TPM, ...NAMES }, exchange);
  expect([...exchange.variables]).toEqual([
    ["consumed", 0],
    ["left", 100],
  ]);
});

test("several instances on one key: each limit is checked, the call counts once", async () => {
  anew();
  const exchange = exchangeFor({ prompt: 10, bound: 40 });
  expect(await begin({ "tokens-per-minute": "1000" }, exchange)).toBe("ok");
  expect(await begin(ESTIMATE, exchange, azureOpenaiTokenLimit)).toBe("ok");
  expect(await begin({ "tokens-per-minute": "20", reserve: "full" }, exchange)).toBe(NEVER);
  await end(exchange, [10, 40]);
  expect(await call({ ...ESTIMATE, reserve: "full" }, { prompt: 10, bound: 41 })).toBe(over(60));
  expect(await call({ ...ESTIMATE, reserve: "full" }, { prompt: 10, bound: 40 }, [10, 40])).toBe("ok");
});

test("the older name: the same counters, its own source", async () => {
  anew();
  await call(TPM, {}, [60, 50]);
  const step = policyStep(azureOpenaiTokenLimit, { attributes: { "counter-key": "k", ...TPM } });
  const refused = await (async () => step.run(exchangeFor(), null))().catch((error: GatewayError) => error);
  expect(refused).toMatchObject({ source: "azure-openai-token-limit", status: 429 });
});

test("a request that is none to a model passes, and the trace says so", async () => {
  anew();
  const exchange = exchangeFor({ path: "/orders", body: '{"id":1}' });
  expect(await begin({ "tokens-per-minute": "0" }, exchange)).toBe("ok");
  expect(exchange.modelCall).toBeNull();
});

test("a limit of 0 lets nobody in", async () => {
  anew();
  expect(await call({ "tokens-per-minute": "0" })).toBe(over(60));
});

test("a bucket that was overdrawn waits for its deficit", async () => {
  anew();
  const bucket = { "tokens-per-minute": "10", algorithm: "bucket" };
  expect(await call(bucket, {}, [20, 20])).toBe("ok");
  expect(await call(bucket)).toBe(over(180));
  wait(181);
  expect(await call(bucket)).toBe("ok");
});

test("from the cache: nothing is charged", async () => {
  anew();
  const exchange = exchangeFor({ prompt: 30 });
  await begin({ ...ESTIMATE, ...NAMES }, exchange);
  exchange.servedFromCache = true;
  await end(exchange, null);
  expect((exchange.modelCall as ModelCall).ending).toBe("cache-hit");
  expect(exchange.variables.get("consumed")).toBe(0);
  expect(await call({ ...TPM, reserve: "full" }, { prompt: 50, bound: 50 })).toBe("ok");
});

test("calls of a model are expected to cost what it usually writes", async () => {
  anew();
  for (let i = 0; i < 20; i++) {
    await call({ "tokens-per-minute": "100000" }, {}, [0, 30]);
  }
  wait(600);
  const exchanges = [exchangeFor(), exchangeFor(), exchangeFor(), exchangeFor()];
  const said = [];
  for (const exchange of exchanges) said.push(await begin(TPM, exchange));
  expect(said).toEqual(["ok", "ok", "ok", over(1)]);
});

test("a session is asked before each response and settles each; what one holds is in the way of the others", async () => {
  anew();
  const open = (): TestExchange =>
    exchangeOf({ method: "GET", target: "/realtime?model=m", upgrade: true }, snapshotOf(), services);
  const [one, other] = [open(), open()];
  expect([await begin(TPM, one), await begin(TPM, other)]).toEqual(["ok", "ok"]);
  const { tokens } = services.counters;
  const call = (exchange: TestExchange): ModelCall => exchange.modelCall as ModelCall;
  const usage = (completion: number) => ({ ...NO_USAGE, completion, total: completion });
  call(one).beginSession(newAnswer(0));
  call(other).beginSession(newAnswer(0));
  expect(tokens.heldTokens).toBe(0);
  expect(call(one).mayRespond()).toBeNull();
  expect(tokens.heldTokens).toBe(100);
  expect(call(other).mayRespond()).toBe("Token limit is exceeded. Try again in 1 seconds.");
  call(one).settleResponse(usage(40), "finished", "");
  expect(tokens.heldTokens).toBe(0);
  expect(call(other).mayRespond()).toBeNull();
  call(other).settleResponse(usage(70), "finished", "");
  expect(call(one).mayRespond()).toBe("Token limit is exceeded. Try again in 60 seconds.");
  wait(60);
  expect(call(one).mayRespond()).toBeNull();
  // The connection breaks in the middle of a response: what is settled after the end counts, nothing stays held.
  for (const run of one.takeEndListeners() ?? []) run();
  expect(tokens.heldTokens).toBe(0);
  call(one).settleResponse(usage(110), "client-gone", "");
  expect(call(other).mayRespond()).toBe("Token limit is exceeded. Try again in 60 seconds.");
});

const unknown = { state: "unknown" } as const;
const nothing = { count: () => {}, heldTokens: 0, underWay: 0 };
const silent = { reserve: () => unknown, ...nothing };
const later = { reserve: () => Promise.resolve(unknown), ...nothing };

test.each<[string, string[]]>([
  ["local", ["ok", over(60)]],
  ["deny", ["503 | CounterStoreUnavailable | Service Unavailable | Retry-After | 1"]],
  ["allow", ["ok", "ok", "ok"]],
])("a silent store: %s", async (onFailure, expected) => {
  for (const tokens of [silent, later]) {
    services = servicesOf({ models, counters: { ...countersAlone(), tokens } });
    for (const one of expected) {
      expect(await call({ ...TPM, "on-store-failure": onFailure }, {}, [60, 60])).toBe(one);
    }
  }
});

test.each<[Attributes, string[]]>([
  [{}, ["tokens-per-minute, or token-quota and token-quota-period, must be given"]],
  [TPM, []],
  [HOURLY, []],
  [{ ...TPM, "token-quota": "5" }, ["token-quota needs token-quota-period"]],
  [{ ...TPM, "token-quota-period": "Daily" }, ["token-quota-period needs token-quota"]],
])("%j", (attributes, expected) => {
  expect(mistakesOf(llmTokenLimit, { attributes: { "counter-key": "k", ...attributes } })).toEqual(expected);
});

test.each<[number, string]>([
  [1, "1 second"],
  [60, "1 minute"],
  [1293, "21 minutes and 33 seconds"],
  [82_800, "23 hours"],
  [86_400 * 30 + 3600 + 2, "30 days, 1 hour and 2 seconds"],
])("%d seconds are %s", (seconds, expected) => {
  expect(duration(seconds)).toBe(expected);
});
