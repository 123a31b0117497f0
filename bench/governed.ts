/**
 * What governing costs: the same gateway process, the same upstream, an API with a subscription key alone beside one with
 * key, token limit that counts the prompt, token metric and the LLM log; in turn. Targets: ≤ 40 µs CPU more per request,
 * ≤ 3 µs more per streamed chunk.
 *
 *     node bench/governed.ts [--pairs 7] [--seconds 3] [--only requests|stream] [--without-messages]
 *
 * Without messages, the log has a request's numbers alone, not what was said.
 *
 * Needs nginx (the upstream for requests) and wrk.
 */
import { execFile } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { Bench, cpuMicroseconds, printed, program, show, spreadOf, threadMicroseconds } from "./harness.ts";
import { startNginxUpstream } from "./nginx.ts";

const { values: flags } = parseArgs({
  options: {
    pairs: { type: "string", default: "7" },
    seconds: { type: "string", default: "3" },
    only: { type: "string" },
    "without-messages": { type: "boolean", default: false },
  },
});
const PAIRS = Number(flags.pairs);
const SECONDS = Number(flags.seconds);
const KEY = "bench-key-0123456789abcdef0123456789";
const STREAMS = 20;
const CHUNKS = 1500;
const WORDS =
  "the quick brown fox jumps over a lazy dog and then it sleeps until the next morning comes around ";
const REQUEST = JSON.stringify({
  model: "gpt-4o",
  stream: false,
  max_tokens: 200,
  messages: [{ role: "user", content: WORDS.repeat(10).slice(0, 950) }],
});
const REPLY = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-2024-08-06",
  choices: [{ index: 0, message: { role: "assistant", content: WORDS.repeat(7) }, finish_reason: "stop" }],
  usage: { prompt_tokens: 190, completion_tokens: 100, total_tokens: 290 },
});
const GOVERNED = `<policies><inbound><base />
  <llm-token-limit counter-key="@(context.Subscription.Id)" tokens-per-minute="2000000000" estimate-prompt-tokens="true" remaining-tokens-variable-name="remaining" />
  <llm-emit-token-metric namespace="bench"><dimension name="API ID" /><dimension name="Subscription ID" /></llm-emit-token-metric>
</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;

const run = promisify(execFile);
const MESSAGES = { messages: "all", maxSizeInBytes: 262144 };
const bench = new Bench();

interface Gateway {
  readonly port: number;
  readonly pid: number;
}

try {
  if (flags.only !== "stream") await requests();
  if (flags.only !== "requests") await streams();
} finally {
  bench.close();
}

async function startGateway(name: string, upstreamPort: number): Promise<Gateway> {
  const file = (path: string, properties: object): string =>
    bench.file(`${name}/${path}`, JSON.stringify({ properties }));
  for (const api of ["plain", "governed"]) {
    file(`apis/${api}/apiInformation.json`, {
      path: api,
      protocols: ["http"],
      serviceUrl: `http://127.0.0.1:${upstreamPort}`,
      subscriptionRequired: true,
      displayName: api,
    });
    file(`apis/${api}/operations/chat/operationInformation.json`, {
      displayName: "Chat",
      method: "POST",
      urlTemplate: "/chat/completions",
    });
  }
  bench.file(`${name}/apis/governed/policy.xml`, GOVERNED);
  file("loggers/log/loggerInformation.json", { loggerType: "azureMonitor" });
  file("apis/governed/diagnostics/azuremonitor/diagnosticInformation.json", {
    loggerId: "/loggers/log",
    largeLanguageModel: {
      logs: "enabled",
      ...(flags["without-messages"] ? {} : { requests: MESSAGES, responses: MESSAGES }),
    },
  });
  file("subscriptions/bench/subscriptionInformation.json", {
    displayName: "Bench",
    scope: "/apis",
    state: "active",
    primaryKey: KEY,
    secondaryKey: `${KEY}2`,
  });
  const gateway = join(import.meta.dirname, "..", "bin", "headgate.js");
  const nodeFlags = (process.env["BENCH_NODE_FLAGS"] ?? "").split(" ").filter((flag) => flag !== "");
  const child = bench.start(
    process.execPath,
    [
      ...nodeFlags,
      gateway,
      "up",
      "--json",
      "--port",
      "0",
      "--access-log",
      "off",
      "--config",
      join(bench.folder, name),
      "--data",
      join(bench.folder, `${name}-data`),
    ],
    { HEADGATE_DEMO_MODEL: "off", HEADGATE_ADMIN_PORT: "off" },
  );
  const [, url] = await printed(child, /"gateway":"([^"]+)"/);
  return { port: Number(new URL(url!).port), pid: child.pid! };
}

async function requests(): Promise<void> {
  const gateway = await startGateway("requests", await startNginxUpstream(bench, REPLY));
  const script = bench.file(
    "request.lua",
    `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.headers["Ocp-Apim-Subscription-Key"] = "${KEY}"\nwrk.body = [[${REQUEST}]]\n`,
  );
  const threads = new Map<string, number>();
  await report("CPU per request, 1 kB each way, 32 connections", 40, async (api) => {
    const before = cpuMicroseconds([gateway.pid]);
    const byThread = threadMicroseconds(gateway.pid);
    const url = `http://127.0.0.1:${gateway.port}/${api}/chat/completions`;
    const { stdout } = await run(program("wrk", "wrk"), ["-t1", "-c32", `-d${SECONDS}s`, "-s", script, url]);
    const count = Number(/(\d+) requests in/.exec(stdout)?.[1]);
    if (/Non-2xx/.test(stdout) || !(count > 0)) throw new Error(`${api} failed requests: ${stdout}`);
    await quiet(gateway.pid);
    for (const [name, spent] of threadMicroseconds(gateway.pid))
      threads.set(`${api} ${name}`, (spent - (byThread.get(name) ?? 0)) / count);
    return (cpuMicroseconds([gateway.pid]) - before) / count;
  });
  console.log("  by thread, last round:");
  for (const [name, spent] of threads)
    if (spent >= 0.5) console.log(`    ${name.padEnd(24)} ${spent.toFixed(1)} µs`);
}

/** Until nothing is left to be done: what the ledger's thread still stores belongs to the requests that it stores. */
async function quiet(pid: number): Promise<void> {
  await delay(1200);
  for (let before = 0; ;) {
    const now = cpuMicroseconds([pid]);
    if (now - before < 20_000) return;
    before = now;
    await delay(300);
  }
}

async function streams(): Promise<void> {
  const upstream = bench.start(process.execPath, [
    join(import.meta.dirname, "stream-upstream.ts"),
    String(CHUNKS),
    "2",
    "openai",
  ]);
  const gateway = await startGateway("streams", Number((await printed(upstream, /port (\d+)/))[1]));
  await report(`CPU per SSE chunk, ${STREAMS} streams of ${CHUNKS}, one every 2 ms each`, 3, async (api) => {
    const before = cpuMicroseconds([gateway.pid]);
    await Promise.all(Array.from({ length: STREAMS }, () => readStream(gateway.port, api)));
    await quiet(gateway.pid);
    return (cpuMicroseconds([gateway.pid]) - before) / (STREAMS * CHUNKS);
  });
}

function readStream(port: number, api: string): Promise<void> {
  const body = REQUEST.replace('"stream":false', '"stream":true');
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const head = `POST /${api}/chat/completions HTTP/1.1\r\nHost: bench\r\nOcp-Apim-Subscription-Key: ${KEY}\r\nContent-Type: application/json\r\n`;
    socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    let last = "";
    socket.on("data", (data) => {
      last = (last + data.toString("latin1")).slice(-16);
      if (!last.endsWith("\r\n0\r\n\r\n")) return;
      socket.destroy();
      resolve();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`${api} ended a stream early`)));
  });
}

/** Warms both up, then takes turns. */
async function report(title: string, target: number, load: (api: string) => Promise<number>): Promise<void> {
  await load("plain");
  await load("governed");
  const pairs: [number, number][] = [];
  for (let i = 0; i < PAIRS; i++) pairs.push([await load("plain"), await load("governed")]);
  const more = spreadOf(pairs.map(([plain, governed]) => governed - plain));
  console.log(title);
  console.log(`  plain     ${show(spreadOf(pairs.map(([plain]) => plain)), 1)} µs`);
  console.log(`  governed  ${show(spreadOf(pairs.map(([, governed]) => governed)), 1)} µs`);
  console.log(`  more      ${show(more, 1)} µs (target ≤ ${target})`);
}
