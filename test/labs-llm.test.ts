/**
 * Public labs about tokens, run with the client they use: `token-rate-limiting`, `token-metrics-emitting`, `finops-framework`,
 * `built-in-logging`. What they look up in Azure's services is asked of the gateway's own metrics and ledger.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import OpenAI, { AzureOpenAI, RateLimitError } from "openai";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readLocalAccess } from "../src/base/local-access.ts";
import type { LedgerRow, ReadContents } from "../src/ledger/query.ts";
import { type Upstream, startUpstream } from "./clients/upstream.ts";
import { type Files, type TestGateway, subscription, testGateway } from "./gateway.ts";
import { IDENTITY_SECRET, type IdentityProvider, startIdentityProvider } from "./identity-provider.ts";
import * as labs from "./labs-llm.fixture.ts";
import { collector } from "./otlp-receiver.ts";

let foundry: Upstream;
let identity: IdentityProvider;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  foundry = await startUpstream();
  identity = await startIdentityProvider();
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
  await foundry.close();
  await identity.close();
});

interface Lab {
  readonly gateway: TestGateway;
  readonly dataDir: string;
  scrape(): Promise<string>;
  ask<T>(path: string, question?: object): Promise<T>;
}

async function start(files: Files): Promise<Lab> {
  const dataDir = mkdtempSync(join(tmpdir(), "headgate-lab-"));
  const gateway = await testGateway(files, {
    dataDir,
    admin: { host: "127.0.0.1", port: 0, portIsDefault: false, token: null },
    environment: { IDENTITY_ENDPOINT: `${identity.url}/msi/token`, IDENTITY_HEADER: IDENTITY_SECRET },
  });
  closing.push(async () => {
    await gateway.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return {
    gateway,
    dataDir,
    scrape: async () => (await fetch(`${gateway.adminUrl}/metrics`)).text(),
    ask: async (path, question = {}) => {
      const { local, secret } = readLocalAccess(dataDir)!;
      const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
      const answer = await fetch(local + path, { method: "POST", headers, body: JSON.stringify(question) });
      expect(answer.status).toBe(200);
      return answer.json() as never;
    },
  };
}

/** As many as the labs have, each over all APIs. */
function subscriptions(count: number): Files {
  const files: Record<string, object> = {};
  for (let i = 1; i <= count; i++)
    files[`subscriptions/subscription${i}/subscriptionInformation.json`] = subscription("/apis", `key-${i}`);
  return files;
}

const azure = ({ gateway }: Lab, apiKey: string): AzureOpenAI =>
  new AzureOpenAI({
    endpoint: `${gateway.url}/inference`,
    apiKey,
    apiVersion: "2025-03-01-preview",
    maxRetries: 0,
  });
const messages = [
  { role: "system" as const, content: "You are a sarcastic, unhelpful assistant." },
  { role: "user" as const, content: "Can you tell me the time, please?" },
];
const POLL = { timeout: 20_000 };

describe("token-rate-limiting", () => {
  test("calls are let through until a minute's tokens are used, then refused; each subscription for itself", async () => {
    const lab = await start({
      ...labs.inferenceApi("AzureOpenAI", foundry.url, labs.tokenRateLimiting("foundry1")),
      ...subscriptions(2),
    });
    foundry.answer = labs.chatModel(28, 12, "Time to buy a watch.");
    const asked = foundry.asked.length;
    const run = async (key: string): Promise<number | RateLimitError> => {
      try {
        const answer = await azure(lab, key).chat.completions.create({ model: "gpt-4.1-mini", messages });
        return answer.usage!.total_tokens;
      } catch (error) {
        if (error instanceof RateLimitError) return error;
        throw error;
      }
    };
    const runs: (number | RateLimitError)[] = [];
    for (let i = 0; i < 6; i++) runs.push(await run("key-1"));
    const admitted = runs.filter((result) => typeof result === "number");
    const refused = runs.filter((result) => result instanceof RateLimitError);
    // The limit is crossed by at most the one call that did not know yet what it would cost.
    expect(admitted).toEqual([40, 40, 40]);
    expect(refused).toHaveLength(3);
    expect(foundry.asked.length - asked).toBe(admitted.length);
    for (const { status, headers, message } of refused) {
      expect(status).toBe(429);
      const seconds = Number(headers.get("retry-after"));
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(60);
      expect(message).toMatch(/Token limit is exceeded\. Try again in \d+ seconds\./);
    }
    expect(await run("key-2")).toBe(40);
    // What the backend is shown is the identity of the service.
    expect(foundry.asked.at(-1)!.headers["authorization"]).toMatch(/^Bearer ./);
    expect(foundry.asked.at(-1)!.target).toBe(
      "/openai/deployments/gpt-4.1-mini/chat/completions?api-version=2025-03-01-preview",
    );
  });
});

describe("token-metrics-emitting", () => {
  test("tokens by subscription, client, API and user", async () => {
    const lab = await start({
      ...labs.inferenceApi("AzureOpenAI", foundry.url, labs.tokenMetricsEmitting("foundry1")),
      ...subscriptions(3),
    });
    foundry.answer = labs.chatModel(28, 12, "Time to buy a watch.");
    for (const key of ["key-1", "key-2", "key-3", "key-1"]) {
      await azure(lab, key).chat.completions.create(
        { model: "gpt-4.1-mini", messages },
        { headers: { "x-user-id": "alex" } },
      );
    }
    // Streaming, and without a user.
    const stream = azure(lab, "key-2").chat.completions.stream({ model: "gpt-4.1-mini", messages });
    await stream.finalChatCompletion();
    const text = await lab.scrape();
    const sums = [...text.matchAll(/^openai_total_tokens_sum\{(.*)\} (\d+)$/gm)].map(
      ([, labels = "", sum]) => [labels, Number(sum)] as const,
    );
    const of = (id: string, user: string): number | undefined =>
      sums.find(([labels]) => labels.includes(`"${id}"`) && labels.includes(`"${user}"`))?.[1];
    expect([of("subscription1", "alex"), of("subscription2", "alex"), of("subscription3", "alex")]).toEqual([
      80, 40, 40,
    ]);
    expect(of("subscription2", "N/A")).toBe(40);
    for (const [labels] of sums) {
      expect(labels).toContain(`api_id="inference-api"`);
      expect(labels).toContain(`client_ip="127.0.0.1"`);
    }
    expect(text).toMatch(/^openai_prompt_tokens_sum\{.*"subscription1".*\} 56$/m);
    expect(text).toMatch(/^openai_completion_tokens_sum\{.*"subscription1".*\} 24$/m);
  });
});

describe("finops-framework", () => {
  const products = [
    { name: "platinum", tpm: 2000 },
    { name: "gold", tpm: 1000 },
    { name: "silver", tpm: 500 },
  ].map((product) => ({ ...product, tokenQuota: 1_000_000, tokenQuotaPeriod: "Monthly" }));
  const subscribed: [name: string, product: string][] = [
    ["subscription1", "platinum"],
    ["subscription2", "gold"],
    ["subscription3", "silver"],
    ["subscription4", "silver"],
  ];
  let lab: Lab;
  /** How many calls of 300 tokens each subscription got through. */
  const through: Record<string, number> = {};

  beforeAll(async () => {
    const files: Record<string, string | object> = {
      ...labs.inferenceApi("AzureOpenAI", foundry.url, labs.finopsFramework("foundry1", products)),
      // The lab loads retail prices of its own accord; so does an operator with prices other than the list's.
      "prices.yaml": "prices:\n  - model: DeepSeek-V3.2\n    input: 1\n    output: 2\n",
    };
    for (const { name } of products) {
      files[`products/${name}/productInformation.json`] = {
        properties: {
          displayName: name,
          subscriptionRequired: true,
          approvalRequired: true,
          state: "published",
        },
      };
      files[`products/${name}/policy.xml`] = labs.finopsProduct();
      files[`products/${name}/apis/inference-api/productApiInformation.json`] = {};
    }
    for (const [name, product] of subscribed)
      files[`subscriptions/${name}/subscriptionInformation.json`] = subscription(
        `/products/${product}`,
        `key-${name}`,
      );
    lab = await start(files);
    foundry.answer = labs.chatModel(200, 100, "It is late.");
    const models = ["gpt-4.1-mini", "gpt-4.1", "DeepSeek-V3.2"];
    for (const [name] of subscribed) {
      through[name] = 0;
      for (let i = 0; i < 5; i++) {
        try {
          const model = models[i % models.length]!;
          await azure(lab, `key-${name}`).chat.completions.create({ model, messages });
          through[name]++;
        } catch (error) {
          expect(error).toBeInstanceOf(RateLimitError);
        }
      }
    }
  });

  test("each product has its limit, each subscription its own count", () => {
    // 2000, 1000, 500 and 500 tokens a minute at 300 a call.
    expect(through).toEqual({ subscription1: 5, subscription2: 4, subscription3: 2, subscription4: 2 });
  });

  test("usage by product", async () => {
    expect(
      [...(await lab.scrape()).matchAll(/^aiusage_total_tokens_sum\{product="(\w+)"\} (\d+)$/gm)]
        .map(([, product, sum]) => `${product} ${sum}`)
        .sort(),
    ).toEqual(["gold 1200", "platinum 1500", "silver 1200"]);
  });

  test("cost by subscription and model, as `headgate usage` tells it", async () => {
    const root = join(import.meta.dirname, "..");
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        join(root, "bin/headgate.js"),
        "usage",
        "--json",
        "--by",
        "product,subscription,model",
        "--data-dir",
        lab.dataDir,
      ],
      { cwd: lab.dataDir },
    );
    type Row = Record<"product" | "subscription" | "model", string | null> &
      Record<"requests" | "errors" | "totalTokens" | "costMicros" | "unpriced", number>;
    const rows = JSON.parse(stdout) as Row[];
    const told = rows
      .filter(({ totalTokens }) => totalTokens > 0)
      .map((row) =>
        [row.product, row.subscription, row.model, row.totalTokens, row.costMicros, row.unpriced].join(" "),
      );
    // Millionths of a dollar for 200 + 100 tokens: 240 at 0.40 + 1.60 per million, 1200 at 2 + 8, 400 at the operator's 1 + 2.
    const [mini, large, deepseek] = [240, 1200, 400];
    expect(told.sort()).toEqual(
      [
        `platinum subscription1 gpt-4.1-mini-2025-04-14 600 ${2 * mini} 0`,
        `platinum subscription1 gpt-4.1-2025-04-14 600 ${2 * large} 0`,
        `platinum subscription1 DeepSeek-V3.2 300 ${deepseek} 0`,
        `gold subscription2 gpt-4.1-mini-2025-04-14 600 ${2 * mini} 0`,
        `gold subscription2 gpt-4.1-2025-04-14 300 ${large} 0`,
        `gold subscription2 DeepSeek-V3.2 300 ${deepseek} 0`,
        `silver subscription3 gpt-4.1-mini-2025-04-14 300 ${mini} 0`,
        `silver subscription3 gpt-4.1-2025-04-14 300 ${large} 0`,
        `silver subscription4 gpt-4.1-mini-2025-04-14 300 ${mini} 0`,
        `silver subscription4 gpt-4.1-2025-04-14 300 ${large} 0`,
      ].sort(),
    );
    // The seven that were refused cost nothing, and are seen.
    expect(rows.reduce((sum, { errors }) => sum + errors, 0)).toBe(7);
    expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(20);
  });
});

describe("built-in-logging", () => {
  const openai = ({ gateway }: Lab, apiKey: string): OpenAI =>
    new OpenAI({ baseURL: `${gateway.url}/inference/openai/v1`, apiKey, maxRetries: 0 });
  const files = (): Files => ({
    ...labs.inferenceApi("AzureOpenAIV1", foundry.url, labs.builtInLogging("inference-backend-pool")),
    // Two accounts, which here are one server with two paths.
    ...labs.inferencePool([`${foundry.url}/openai/v1`, `${foundry.url}/second/openai/v1`]),
    ...subscriptions(3),
  });

  test("tokens by subscription and model; prompts and completions by what was said in them", async () => {
    const lab = await start(files());
    foundry.answer = labs.chatModel(28, 12, "Time to buy a watch.");
    const asked = foundry.asked.length;
    for (const key of ["key-1", "key-2", "key-3"])
      await openai(lab, key).chat.completions.create({ model: "model-router", messages });
    const targets = foundry.asked.slice(asked).map(({ target }) => target);
    expect(new Set(targets)).toEqual(
      new Set(["/openai/v1/chat/completions", "/second/openai/v1/chat/completions"]),
    );
    foundry.answer = labs.chatModel(20, 299, Array.from({ length: 100 }, (_, i) => i + 1).join(", "));
    const count = [{ role: "user" as const, content: "Count to 100, with a comma between each number." }];
    const stream = await openai(lab, "key-1").chat.completions.create({
      model: "model-router",
      messages: count,
      stream: true,
    });
    let said = "";
    for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? "";

    const { rows } = await lab.ask<{ rows: Record<string, unknown>[] }>("/ledger/usage", {
      by: ["subscription", "model"],
      since: 3_600_000,
    });
    const model = "gpt-4.1-mini-2025-04-14";
    expect(rows.map((row) => [row["subscription"], row["model"], row["totalTokens"]]).sort()).toEqual([
      ["subscription1", model, 40 + 319],
      ["subscription2", model, 40],
      ["subscription3", model, 40],
    ]);

    const found = async (text: string): Promise<readonly LedgerRow[]> =>
      (await lab.ask<{ rows: LedgerRow[] }>("/ledger/search", { text, since: 3_600_000 })).rows;
    await vi.waitFor(async () => expect(await found("with a comma")).toHaveLength(1), POLL);
    const [row] = await found("with a comma");
    expect(row).toMatchObject({
      api: "inference-api",
      subscription: "subscription1",
      backend: expect.stringMatching(/^foundry[12]$/) as string,
      modelAsked: "model-router",
      modelServed: model,
      stream: true,
      promptTokens: 20,
      completionTokens: 299,
      evidence: "reported",
    });
    const { parts } = await lab.ask<{ parts: ReadContents[] }>("/ledger/messages", {
      requestId: row!.requestId,
    });
    expect(JSON.parse(parts[0]!.request!.text)).toEqual(count);
    expect(JSON.parse(parts[0]!.response!.text)).toEqual([{ role: "assistant", content: said }]);
    expect(await found("buy a watch")).toHaveLength(3);
    expect(await found("nobody said this")).toHaveLength(0);
  });

  test("rows for Azure Monitor: one with the tokens, then what was said in pieces of at most 32 KB", async () => {
    const sink = await collector();
    closing.push(() => sink.close());
    const lab = await start({
      ...files(),
      "loggers/azuremonitor/loggerInformation.json": {
        properties: { loggerType: "otlp", credentials: { endpoint: sink.url } },
      },
    });
    const long = "Grüße an 😀 alle. ".repeat(4000);
    const answer = "Zurück an 😀 euch. ".repeat(5000);
    foundry.answer = labs.chatModel(5000, 6000, answer);
    await openai(lab, "key-1").chat.completions.create({
      model: "gpt-4.1",
      messages: [{ role: "user", content: long }],
    });
    const rows = (): Record<string, any>[] =>
      sink.logs.map(({ attributes }) => attributes).filter((row) => row["SequenceNumber"] !== undefined);
    const pieces = (column: string): string[] =>
      rows()
        .filter((row) => row[column] !== undefined)
        .sort((a, b) => a["SequenceNumber"] - b["SequenceNumber"])
        .map((row) => row[column]);
    await vi.waitFor(() => expect(pieces("ResponseMessages").join("")).toMatch(/\]$/), POLL);
    expect(JSON.parse(pieces("RequestMessages").join(""))).toEqual([{ role: "user", content: long }]);
    expect(JSON.parse(pieces("ResponseMessages").join(""))).toEqual([{ role: "assistant", content: answer }]);
    expect(pieces("RequestMessages").length).toBeGreaterThan(1);
    for (const piece of [...pieces("RequestMessages"), ...pieces("ResponseMessages")])
      expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(32 * 1024);
    const numbers = rows().map((row) => row["SequenceNumber"] as number);
    expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, i) => i));
    expect(new Set(rows().map((row) => row["CorrelationId"])).size).toBe(1);
    // Sums do not double: only the first row has tokens.
    const [header] = rows().filter((row) => row["SequenceNumber"] === 0);
    expect(header).toMatchObject({
      DeploymentName: "gpt-4.1",
      ModelName: "gpt-4.1-2025-04-14",
      PromptTokens: 5000,
      CompletionTokens: 6000,
      TotalTokens: 11000,
      IsStreamCompletion: false,
    });
    expect(rows().filter((row) => row["TotalTokens"] !== undefined)).toHaveLength(1);
    const gatewayRow = sink.logs
      .map(({ attributes }) => attributes)
      .find((row) => row["ResponseCode"] !== undefined);
    expect(gatewayRow).toMatchObject({
      ApiId: "inference-api",
      ApimSubscriptionId: "subscription1",
      ResponseCode: 200,
      CorrelationId: header!["CorrelationId"],
    });
  });
});
