/**
 * CPU per request and per streamed chunk, side by side with nginx on the same upstreams in one run.
 *
 * The CPU time of nginx's worker and of the gateway's process is read from the system before and after each load; the two
 * take turns, and the ratio of each pair is what is reported. The upstream is another nginx (requests) or a raw socket program
 * (streams), the client is wrk or a raw socket reader: none of them is counted.
 *
 * Usage: node bench/gateway.ts [--pairs 7] [--seconds 3] [--only requests|stream]
 * Needs nginx and wrk (apt-get install nginx-light wrk).
 */
import { execFile } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { Bench, cpuMicroseconds, printed, program, ratio, show, spreadOf } from "./harness.ts";
import { startNginxProxy, startNginxUpstream } from "./nginx.ts";

const { values: flags } = parseArgs({
  options: {
    pairs: { type: "string", default: "7" },
    seconds: { type: "string", default: "3" },
    only: { type: "string" },
  },
});
const PAIRS = Number(flags.pairs);
const SECONDS = Number(flags.seconds);
const KEY = "bench-key-0123456789abcdef0123456789";
const REPLY = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "demo",
  choices: [{ index: 0, message: { role: "assistant", content: "x".repeat(700) }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 100, total_tokens: 110 },
});
const REQUEST = JSON.stringify({ model: "demo", messages: [{ role: "user", content: "y".repeat(950) }] });

const STREAMS = 20;
const CHUNKS = 1500;

const run = promisify(execFile);
const bench = new Bench();

interface Measured {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  readonly pids: () => number[];
}

try {
  if (flags.only !== "stream") await requests();
  if (flags.only !== "requests") await streams();
} finally {
  bench.close();
}

/** The gateway on one API in front of `upstreamPort`, with a subscription key. */
async function startGateway(name: string, upstreamPort: number): Promise<Measured> {
  const api = {
    path: "plain",
    protocols: ["http"],
    serviceUrl: `http://127.0.0.1:${upstreamPort}`,
    subscriptionRequired: true,
    displayName: "Plain",
  };
  const subscription = {
    displayName: "Bench",
    scope: "/apis/plain",
    state: "active",
    primaryKey: KEY,
    secondaryKey: `${KEY}2`,
  };
  bench.file(`${name}/apis/plain/apiInformation.json`, JSON.stringify({ properties: api }));
  bench.file(
    `${name}/apis/plain/operations/chat/operationInformation.json`,
    JSON.stringify({ properties: { displayName: "Chat", method: "POST", urlTemplate: "/chat/completions" } }),
  );
  bench.file(
    `${name}/subscriptions/bench/subscriptionInformation.json`,
    JSON.stringify({ properties: subscription }),
  );
  const child = bench.start(
    process.execPath,
    [
      ...(process.env["BENCH_NODE_FLAGS"] ?? "").split(" ").filter((flag) => flag !== ""),
      join(import.meta.dirname, "..", "bin", "headgate.js"),
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
    { HEADGATE_DEMO_MODEL: "off" },
  );
  const [, url] = await printed(child, /"gateway":"([^"]+)"/);
  return {
    name: "headgate",
    port: Number(new URL(url!).port),
    path: "/plain/chat/completions",
    pids: () => [child.pid!],
  };
}

async function requests(): Promise<void> {
  const upstream = await startNginxUpstream(bench, REPLY);
  const nginx = await startNginxProxy(bench, upstream);
  const a = await startGateway("requests", upstream);
  const b: Measured = { name: "nginx", port: nginx.port, path: "/chat/completions", pids: nginx.pids };
  const script = bench.file(
    "request.lua",
    `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.headers["Ocp-Apim-Subscription-Key"] = "${KEY}"\nwrk.body = [[${REQUEST}]]\n`,
  );
  const load = async (target: Measured): Promise<number> => {
    const before = cpuMicroseconds(target.pids());
    const url = `http://127.0.0.1:${target.port}${target.path}`;
    const { stdout } = await run(program("wrk", "wrk"), ["-t1", "-c32", `-d${SECONDS}s`, "-s", script, url]);
    const count = Number(/(\d+) requests in/.exec(stdout)?.[1]);
    if (/Non-2xx/.test(stdout) || !(count > 0)) throw new Error(`${target.name} failed requests: ${stdout}`);
    return (cpuMicroseconds(target.pids()) - before) / count;
  };
  await report("CPU per request (key checked), 1 kB each way, 32 connections", a, b, load);
}

async function streams(): Promise<void> {
  const upstreamProcess = bench.start(process.execPath, [
    join(import.meta.dirname, "stream-upstream.ts"),
    String(CHUNKS),
    "2",
    "160",
  ]);
  const upstream = Number((await printed(upstreamProcess, /port (\d+)/))[1]);
  const nginx = await startNginxProxy(bench, upstream);
  const a = await startGateway("streams", upstream);
  const b: Measured = { name: "nginx", port: nginx.port, path: "/chat/completions", pids: nginx.pids };
  const load = async (target: Measured): Promise<number> => {
    const before = cpuMicroseconds(target.pids());
    await Promise.all(Array.from({ length: STREAMS }, () => readStream(target)));
    return (cpuMicroseconds(target.pids()) - before) / (STREAMS * CHUNKS);
  };
  await report(`CPU per SSE chunk, ${STREAMS} streams of ${CHUNKS} chunks, one every 2 ms each`, a, b, load);
}

function readStream(target: Measured): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(target.port, "127.0.0.1");
    const head = `POST ${target.path} HTTP/1.1\r\nHost: bench\r\nOcp-Apim-Subscription-Key: ${KEY}\r\nContent-Type: application/json\r\n`;
    socket.write(`${head}Content-Length: ${REQUEST.length}\r\n\r\n${REQUEST}`);
    let last = "";
    socket.on("data", (data) => {
      last = (last + data.toString("latin1")).slice(-16);
      if (last.endsWith("\r\n0\r\n\r\n")) {
        socket.destroy();
        resolve();
      }
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`${target.name} ended a stream early`)));
  });
}

/** Warms both up, then takes turns. */
async function report(
  title: string,
  a: Measured,
  b: Measured,
  load: (target: Measured) => Promise<number>,
): Promise<void> {
  await load(a);
  await load(b);
  const pairs: [number, number][] = [];
  for (let i = 0; i < PAIRS; i++) pairs.push([await load(a), await load(b)]);
  console.log(title);
  console.log(`  ${a.name.padEnd(9)} ${show(spreadOf(pairs.map(([x]) => x)), 1)} µs`);
  console.log(`  ${b.name.padEnd(9)} ${show(spreadOf(pairs.map(([, y]) => y)), 1)} µs`);
  const result = ratio(pairs);
  console.log(`  ratio     ${typeof result === "string" ? result : `${show(result)} of ${PAIRS} pairs`}`);
}
