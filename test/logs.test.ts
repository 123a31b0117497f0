/** From a request to a model to its line: what `headgate logs` and `headgate usage` say of a running gateway. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandLine } from "../src/cli/index.ts";
import { application } from "../src/start.ts";
import { type TestGateway, api, subscription, testGateway } from "./gateway.ts";

/** Answers as a chat model would; what the first message says decides how. */
const upstream = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    const { model, messages } = JSON.parse(body) as { model: string; messages: { content: string }[] };
    if (messages[0]!.content === "fail") {
      response.writeHead(429, { "Content-Type": "application/json" });
      response.end('{"error":{"code":"rate_limit_exceeded","message":"slow down"}}');
      return;
    }
    response.setHeader("Content-Type", "application/json");
    response.end(
      JSON.stringify({
        id: "chatcmpl-1",
        object: "chat.completion",
        model: model === "gpt-4o" ? "gpt-4o-2024-08-06" : model,
        choices: [
          { index: 0, message: { role: "assistant", content: "Within 30 days." }, finish_reason: "stop" },
        ],
        usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
      }),
    );
  });
});

const dataDir = mkdtempSync(join(tmpdir(), "headgate-logs-"));
let gateway: TestGateway;

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const serviceUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const logs = { messages: "all", maxSizeInBytes: 262_144 };
  gateway = await testGateway(
    {
      ...api("openai", serviceUrl, ["POST /v1/chat/completions"], {
        properties: { subscriptionRequired: true },
      }),
      "subscriptions/team-a/subscriptionInformation.json": subscription("/apis/openai", "key-of-team-a"),
      "subscriptions/team-b/subscriptionInformation.json": subscription("/apis/openai", "key-of-team-b"),
      "policy.xml":
        "<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>",
      "loggers/azuremonitor/loggerInformation.json": { properties: { loggerType: "azureMonitor" } },
      "diagnostics/azuremonitor/diagnosticInformation.json": {
        properties: {
          loggerId: "/loggers/azuremonitor",
          sampling: { samplingType: "fixed", percentage: 100 },
          largeLanguageModel: { logs: "enabled", requests: logs, responses: logs },
        },
      },
      "prices.yaml": "prices:\n  - model: house-model\n    input: 1\n    output: 10\n",
    },
    { dataDir },
  );
  await ask("key-of-team-a", "gpt-4o", "What is the refund policy?");
  await ask("key-of-team-b", "house-model", 'A \u001b[31mred\u001b[0m herring, "quoted"\nand broken');
  await ask("key-of-team-a", "nobody-knows", "hello");
  await ask("key-of-team-a", "gpt-4o", "fail");
});

async function ask(key: string, model: string, content: string): Promise<void> {
  const answer = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Ocp-Apim-Subscription-Key": key },
    body: JSON.stringify({ model, messages: [{ role: "user", content }] }),
  });
  await answer.text();
}

afterAll(async () => {
  await gateway.close();
  upstream.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const into = (name: "out" | "err"): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        said[name] += chunk.toString();
        done();
      },
    });
  const streams = { stdout: into("out"), stderr: into("err"), environment: {} };
  const code = await commandLine({ ...application, ...streams }, [...args, "--data-dir", dataDir]);
  return { code, ...said };
}

/** Of a table: the cells of each line that were asked for, without what changes from run to run. */
const lines = (text: string): string[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:]+Z */, "").replace(/ +/g, " "));

describe("headgate logs", () => {
  test("a table, newest last; an unknown price is shown as unknown", async () => {
    const { out, code } = await run("logs");
    expect(code).toBe(0);
    expect(lines(out).map((line) => line.replace(/ \d+ (?=\S+( \(\S+\))?$)/, " MS "))).toEqual([
      "TIME STATUS API SUBSCRIPTION MODEL IN OUT COST MS ENDING",
      "200 openai team-a gpt-4o-2024-08-06 1000 100 $0.003500 MS finished",
      "200 openai team-b house-model 1000 100 $0.002000 MS finished",
      "200 openai team-a nobody-knows 1000 100 ? MS finished",
      expect.stringMatching(/^429 openai team-a gpt-4o 0 0 \$0.000000 MS upstream-error/),
    ]);
  });

  test.each([
    [["--status", "4xx"], 1],
    [["--subscription", "team-b"], 1],
    [["--model", "gpt-4o"], 2],
    [["--model", "gpt*", "--status", "200"], 1],
    [["--text", "refund policy"], 1],
    [["--text", "30 days"], 3],
    [["--since", "1h"], 4],
    [["--since", "2100-01-01"], 0],
    [["--limit", "2"], 2],
    [["--min-tokens", "1100"], 3],
    [["--ending", "upstream-error"], 1],
    [["--ending", "upstream-*"], 1],
    [["--evidence", "reported"], 3],
  ])("%j: %i", async (args, count) => {
    const { out, code } = await run("logs", "--json", ...args);
    expect(code).toBe(0);
    expect(out.split("\n").filter((line) => line !== "")).toHaveLength(count);
  });

  test("messages; nothing in them steers the terminal", async () => {
    const { out } = await run("logs", "--messages", "--subscription", "team-b");
    expect(out).toContain('    user: A \ufffd[31mred\ufffd[0m herring, "quoted"\n    and broken\n');
    expect(out).toContain("    assistant: Within 30 days.\n");
    expect(out).not.toContain("\u001b");
  });

  test("an export as data for evaluations", async () => {
    const { out, err } = await run("logs", "--export", "jsonl");
    const records = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records).toHaveLength(3);
    expect(records[2]).toMatchObject({
      query: "What is the refund policy?",
      response: "Within 30 days.",
      context: "",
      ground_truth: "",
      model: "gpt-4o-2024-08-06",
      cost_usd: 0.0035,
    });
    expect(err).toContain("1 request has no logged messages");
    const csv = await run("logs", "--export", "csv", "--subscription", "team-b");
    expect(csv.out.split("\r\n")[1]).toMatch(
      /,0\.002,"user: A .* herring, ""quoted""\nand broken",Within 30 days\.$/s,
    );
  });

  test.each([
    [["--status", "9"], 64, /^error: `status` is a status such as 429, or a class of them such as 4xx\n$/],
    [["--ending", "aborted"], 64, /^error: `ending` is one of finished, .*, cache-hit, not "aborted"\n$/],
    [["--evidence", "guessed"], 64, /^error: `evidence` is one of reported, counted, estimated, none, not/],
    [["--since", "yesterday"], 64, /write a span/],
    [["--limit", "0"], 64, /1 and above/],
    [["--export", "xml"], 64, /jsonl/],
    [["-f", "--text", "x"], 64, /does not go with/],
  ])("%j is refused", async (args, expected, words) => {
    const { code, err } = await run("logs", ...args);
    expect({ code, err }).toEqual({ code: expected, err: expect.stringMatching(words) });
  });
});

describe("headgate usage", () => {
  test("by model", async () => {
    const { out } = await run("usage");
    expect(lines(out).map((line) => line.replace(/ \d+$/, ""))).toEqual([
      "MODEL REQUESTS ERRORS IN OUT CACHED COST AVG MS",
      "gpt-4o-2024-08-06 1 0 1000 100 0 $0.003500",
      "house-model 1 0 1000 100 0 $0.002000",
      "nobody-knows 1 0 1000 100 0 ?",
      "gpt-4o 1 1 0 0 0 $0.000000",
      "all 4 1 3000 300 0 $0.005500+?",
      "",
      "1 request is of a model whose price is not known; COST leaves it out.",
    ]);
  });

  test("by subscription and day, as CSV", async () => {
    const { out } = await run("usage", "--by", "subscription", "--step", "day", "--csv", "--since", "2d");
    const [head, ...rows] = out.trimEnd().split("\r\n");
    expect(head).toMatch(/^time,subscription,requests,errors,promptTokens,/);
    expect(rows.map((row) => row.split(",").slice(1, 5).join(","))).toEqual([
      "team-a,3,1,2000",
      "team-b,1,0,1000",
    ]);
  });

  test("only one API; a dimension that there is not", async () => {
    const json = await run("usage", "--api", "openai", "--by", "api", "--json");
    expect(JSON.parse(json.out)).toMatchObject([{ api: "openai", requests: 4, unpriced: 1, reported: 3 }]);
    expect((await run("usage", "--by", "colour")).code).toBe(64);
  });
});

test("headgate logs -f goes on as requests come", async () => {
  let out = "";
  let asked = false;
  const stdout: Writable = new Writable({
    write(chunk: Buffer, _encoding, done) {
      out += chunk.toString();
      done();
      // What was there has been shown: now comes one more.
      if (!asked) void ask("key-of-team-b", "followed", "hello");
      asked = true;
      if (out.includes("followed")) stdout.destroy();
    },
  });
  const given = { ...application, stdout, environment: {} };
  const args = ["logs", "-f", "--limit", "1", "--subscription", "team-b", "--data-dir", dataDir];
  expect(await commandLine(given, args)).toBe(0);
  expect(lines(out).map((line) => line.split(" ")[3])).toEqual(["SUBSCRIPTION", "house-model", "followed"]);
});

test("prices change with the configuration; a broken file changes nothing", async () => {
  writeFileSync(join(gateway.folder, "prices.yaml"), "prices:\n  - model: a\n    input: much\n");
  const problems = await gateway.reload();
  expect(problems).toMatchObject([{ code: "HG5802", file: "prices.yaml", severity: "error" }]);
  writeFileSync(join(gateway.folder, "prices.yaml"), "prices:\n  - model: a\n    input: 1\n");
  expect(await gateway.reload()).toEqual([]);
});
