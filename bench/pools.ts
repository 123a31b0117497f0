/**
 * What choosing a backend costs: pick, breaker, and telling them what came of it, without any network; and what a pool of two
 * adds to a whole request through a gateway.
 *
 *     node bench/pools.ts [--pairs 9] [--seconds 2] [--only parts|requests]
 *
 * Targets: pick and breaker check ≤ 1 µs; a pool of 2 adds ≤ 5 % CPU per request. Time is a number that the first half
 * counts up, so that no clock is measured. The second half takes turns between an API with a URL and one with a pool of two
 * members, breakers and all, in one gateway process. It needs nginx and wrk (apt-get install nginx-light wrk).
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { HeaderList } from "../src/base/headers.ts";
import { Backends } from "../src/backends/backends.ts";
import { Allowance } from "../src/backends/health/allowance.ts";
import { CircuitBreaker } from "../src/backends/health/circuit-breaker.ts";
import { Load } from "../src/backends/health/load.ts";
import { Outlier } from "../src/backends/health/outliers.ts";
import { type Algorithm, type Member, Pool } from "../src/backends/pools/pool.ts";
import { promptKey } from "../src/backends/pools/prompt-prefix.ts";
import type { Attempt } from "../src/gateway/exchange.ts";
import type { BackendEntity, BreakerRule, PoolRules } from "../src/gateway/snapshot.ts";
import { backendOf } from "../src/gateway/testing-snapshot.ts";
import { Bench, cpuMicroseconds, printed, program, ratio, show, spreadOf } from "./harness.ts";
import { startNginxUpstream } from "./nginx.ts";

const { values: flags } = parseArgs({
  options: {
    pairs: { type: "string", default: "9" },
    seconds: { type: "string", default: "2" },
    only: { type: "string" },
  },
});

const ROUNDS = 15;
const PER_ROUND = 200_000;

const RULE: BreakerRule = {
  name: "rule",
  count: 5,
  percentage: null,
  intervalMs: 60_000,
  statusRanges: [
    { min: 429, max: 429 },
    { min: 500, max: 599 },
  ],
  tripMs: 60_000,
  acceptRetryAfter: true,
  maxTripMs: 3_600_000,
};
const OUTLIERS = { consecutiveFailures: 5, ejectionMs: 30_000, maxEjectionMs: 300_000, panicPercent: 50 };

let now = 0;
let lot = 0;
const random = (): number => (lot = (lot + 0.618_033_988_749) % 1);

function pickOnly(size: number, algorithm: Algorithm): () => void {
  const members = Array.from({ length: size }, (_none, i): Member => {
    return {
      priority: 1,
      weight: i + 1,
      breaker: new CircuitBreaker(RULE),
      outlier: new Outlier(OUTLIERS),
      load: new Load(),
      allowance: new Allowance(),
      seed: i * 2 + 1,
    };
  });
  for (const { load, allowance } of members) {
    load.observe(20, false, 0);
    allowance!.read(new HeaderList(["x-ratelimit-remaining-tokens", "1000"]), 0, 0);
  }
  const pool = new Pool(members, algorithm, 50);
  return () => {
    const member = pool.members[pool.pick(++now, 0, 0, random, now)]!;
    member.breaker!.admit(now);
  };
}

const NO_ATTEMPTS: readonly Attempt[] = [];
const HEADERS = new HeaderList([
  "Host",
  "a.example",
  "Content-Type",
  "application/json",
  "Cookie",
  "theme=dark",
]);
const ANSWER = new HeaderList(["Content-Type", "application/json"]);

/** Everything that one request pays: look-up, pick, lease, verdict, end. */
function wholeAttempt(size: number, changed: Partial<PoolRules> = {}): () => void {
  const singles = Array.from({ length: size }, (_none, i) =>
    backendOf(`b${i}`, `http://b${i}.example`, { breaker: RULE }),
  );
  const balancing: PoolRules = {
    algorithm: "roundRobin",
    promptBytes: 1024,
    affinity: null,
    failover: null,
    hedge: null,
    outliers: OUTLIERS,
    ...changed,
  };
  const entity: BackendEntity = backendOf("pool", "", {
    type: "Pool",
    pool: singles.map((backend) => ({ backend, priority: 1, weight: 1 })),
    balancing,
  });
  const backends = new Backends({
    monotonic: () => now,
    now: () => now,
    random,
    secret: "secret",
    log: () => {},
  });
  return () => {
    now++;
    backends.firstAttempt(now);
    const { lease } = backends.pick(entity, NO_ATTEMPTS, HEADERS);
    lease.answered(200, ANSWER);
    lease.giveBack();
  };
}

/** A Single backend without a breaker: what everybody pays. */
function unwatched(): () => void {
  const entity = backendOf("b", "http://b.example");
  const backends = new Backends({
    monotonic: () => now,
    now: () => now,
    random,
    secret: "secret",
    log: () => {},
  });
  return () => {
    now++;
    backends.firstAttempt(now);
    backends.admit(entity);
  };
}

const PROMPT_BODY = Buffer.from(
  JSON.stringify({
    model: "m",
    temperature: 0,
    messages: [
      { role: "system", content: "You are helpful. ".repeat(150) },
      { role: "user", content: "y".repeat(1400) },
    ],
  }),
);

const shapes: readonly [name: string, run: () => void][] = [
  ["pick + breaker, round robin of 2", pickOnly(2, "roundRobin")],
  ["pick + breaker, round robin of 5", pickOnly(5, "roundRobin")],
  ["pick + breaker, round robin of 30", pickOnly(30, "roundRobin")],
  ["pick + breaker, least busy of 5", pickOnly(5, "leastBusy")],
  ["pick + breaker, latency of 5", pickOnly(5, "latency")],
  ["pick + breaker, remaining tokens of 5", pickOnly(5, "remainingTokens")],
  ["pick + breaker, prompt prefix of 5", pickOnly(5, "promptPrefix")],
  ["key of a prompt in a body of 4 kB", () => void promptKey(PROMPT_BODY, 1024)],
  ["whole attempt, pool of 2", wholeAttempt(2)],
  [
    "whole attempt, pool of 2, session cookie",
    wholeAttempt(2, { affinity: { source: "cookie", name: "SessionId" } }),
  ],
  ["a backend without a breaker", unwatched()],
];

let missed = false;
if (flags.only !== "requests") parts();
if (flags.only !== "parts") await requests();
process.exitCode = missed ? 1 : 0;

function parts(): void {
  const times = shapes.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, [, run]] of shapes.entries()) {
      const started = performance.now();
      for (let n = 0; n < PER_ROUND; n++) run();
      times[i]!.push(((performance.now() - started) * 1e6) / PER_ROUND);
    }
  }
  for (const [i, [name]] of shapes.entries()) {
    const sorted = times[i]!.sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)]!;
    const note = name.startsWith("pick") ? (median <= 1000 ? "≤ 1 µs" : "OVER 1 µs") : "";
    missed ||= note.startsWith("OVER");
    const spread = `${sorted[1]!.toFixed(0)}–${sorted.at(-2)!.toFixed(0)}`;
    console.log(`${name.padEnd(45)} ${median.toFixed(0).padStart(6)} ns  (${spread})  ${note}`);
  }
}

/**
 * One gateway, two APIs before one upstream: by URL, and by a pool whose two members are both that upstream. With two of them
 * it is their sockets, half as busy each, that cost: less comes at once, so more is read and written one by one.
 */
async function requests(): Promise<void> {
  const bench = new Bench();
  const MOST = 1.05;
  try {
    const reply = JSON.stringify({ choices: [{ message: { content: "x".repeat(700) } }] });
    const upstream = await startNginxUpstream(bench, reply);
    const members = ["b0", "b1"];
    const file = (path: string, properties: object): void =>
      void bench.file(`config/${path}`, JSON.stringify({ properties }));
    const chat = { displayName: "Chat", method: "POST", urlTemplate: "/chat/completions" };
    const api = { protocols: ["http"], subscriptionRequired: false };
    for (const [name, target] of [
      ["plain", { serviceUrl: `http://127.0.0.1:${upstream}` }],
      ["pooled", { backendId: "pool" }],
    ] as const) {
      file(`apis/${name}/apiInformation.json`, { ...api, displayName: name, path: name, ...target });
      file(`apis/${name}/operations/chat/operationInformation.json`, chat);
    }
    const rule = { failureCondition: { count: 5, interval: "PT1M" }, tripDuration: "PT1M" };
    for (const name of members)
      file(`backends/${name}/backendInformation.json`, {
        // Not the plain API's own address, which would make that API this backend's.
        url: `http://localhost:${upstream}/${name}`,
        protocol: "http",
        circuitBreaker: { rules: [rule] },
      });
    file("backends/pool/backendInformation.json", {
      type: "Pool",
      pool: { services: members.map((name) => ({ id: `/backends/${name}` })) },
    });
    const folders = ["--config", join(bench.folder, "config"), "--data", join(bench.folder, "data")];
    const options = ["up", "--json", "--port", "0", "--access-log", "off", ...folders];
    const child = bench.start(
      process.execPath,
      [join(import.meta.dirname, "..", "bin", "headgate.js"), ...options],
      { HEADGATE_DEMO_MODEL: "off" },
    );
    const [, gateway] = await printed(child, /"gateway":"([^"]+)"/);
    const body = JSON.stringify({ messages: [{ role: "user", content: "y".repeat(950) }] });
    const script = bench.file(
      "request.lua",
      `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [[${body}]]\n`,
    );
    const load = async (path: string): Promise<number> => {
      const before = cpuMicroseconds([child.pid!]);
      const url = `${gateway!}${path}/chat/completions`;
      const args = ["-t1", "-c32", `-d${flags.seconds}s`, "-s", script, url];
      const { stdout } = await promisify(execFile)(program("wrk", "wrk"), args);
      const count = Number(/(\d+) requests in/.exec(stdout)?.[1]);
      if (/Non-2xx/.test(stdout) || !(count > 0)) throw new Error(`${path} failed requests: ${stdout}`);
      return (cpuMicroseconds([child.pid!]) - before) / count;
    };
    await load("/pooled");
    await load("/plain");
    const pairs: [number, number][] = [];
    for (let i = 0; i < Number(flags.pairs); i++) {
      // Who goes first changes, so that a machine that grows slower or quicker favours neither.
      const first = i % 2 === 0 ? await load("/pooled") : NaN;
      const plain = await load("/plain");
      pairs.push([i % 2 === 0 ? first : await load("/pooled"), plain]);
    }
    console.log("CPU per request, 1 kB each way, 32 connections");
    console.log(`  pool of 2  ${show(spreadOf(pairs.map(([pooled]) => pooled)), 1)} µs`);
    console.log(`  plain      ${show(spreadOf(pairs.map(([, plain]) => plain)), 1)} µs`);
    const result = ratio(pairs);
    const verdict = typeof result === "string" ? "" : result.median <= MOST ? "  ≤ 1.05" : "  OVER 1.05";
    missed ||= verdict.includes("OVER");
    console.log(`  ratio      ${typeof result === "string" ? result : show(result)}${verdict}`);
  } finally {
    bench.close();
  }
}
