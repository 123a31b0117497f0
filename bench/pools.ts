/**
 * What choosing a backend costs: pick, breaker, and telling them what came of it, without any network.
 *
 *     node bench/pools.ts
 *
 * Target: pick and breaker check ≤ 1 µs. Time is a number that the program counts up, so that no clock is measured.
 */
import { HeaderList } from "../src/base/headers.ts";
import { Backends } from "../src/backends/backends.ts";
import { CircuitBreaker } from "../src/backends/circuit-breaker.ts";
import { Load } from "../src/backends/load.ts";
import { Outlier } from "../src/backends/outliers.ts";
import { type Algorithm, type Member, Pool } from "../src/backends/pool.ts";
import type { Attempt } from "../src/gateway/exchange.ts";
import type { BackendEntity, BreakerRule, PoolRules } from "../src/gateway/snapshot.ts";
import { backendOf } from "../src/gateway/testing-snapshot.ts";

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
    };
  });
  for (const { load } of members) load.observe(20, false, 0);
  const pool = new Pool(members, algorithm, 50);
  return () => {
    const member = pool.members[pool.pick(++now, 0, 0, random)]!;
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

const shapes: readonly [name: string, run: () => void][] = [
  ["pick + breaker, round robin of 2", pickOnly(2, "roundRobin")],
  ["pick + breaker, round robin of 5", pickOnly(5, "roundRobin")],
  ["pick + breaker, round robin of 30", pickOnly(30, "roundRobin")],
  ["pick + breaker, least busy of 5", pickOnly(5, "leastBusy")],
  ["pick + breaker, latency of 5", pickOnly(5, "latency")],
  ["whole attempt, pool of 2", wholeAttempt(2)],
  [
    "whole attempt, pool of 2, session cookie",
    wholeAttempt(2, { affinity: { source: "cookie", name: "SessionId" } }),
  ],
  ["a backend without a breaker", unwatched()],
];

const times = shapes.map((): number[] => []);
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, [, run]] of shapes.entries()) {
    const started = performance.now();
    for (let n = 0; n < PER_ROUND; n++) run();
    times[i]!.push(((performance.now() - started) * 1e6) / PER_ROUND);
  }
}

let missed = false;
for (const [i, [name]] of shapes.entries()) {
  const sorted = times[i]!.sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)]!;
  const note = name.startsWith("pick") ? (median <= 1000 ? "≤ 1 µs" : "OVER 1 µs") : "";
  missed ||= note.startsWith("OVER");
  const spread = `${sorted[1]!.toFixed(0)}–${sorted.at(-2)!.toFixed(0)}`;
  console.log(`${name.padEnd(45)} ${median.toFixed(0).padStart(6)} ns  (${spread})  ${note}`);
}
process.exitCode = missed ? 1 : 0;
