/**
 * What a token limit costs: a reservation and its settling per store, and the whole policy with a prompt of 1 kB counted
 * before the call.
 *
 *     node bench/token-limits.ts
 *
 * Redis is timed with 100 calls under way, as a gateway has them, and only where redis-server is installed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HoldClaim, Holds, Moment } from "../src/counters/holds.ts";
import { COUNTER_SCRIPTS, MemoryQuotas, SqliteQuotas, countersAlone } from "../src/counters/index.ts";
import { MemoryHolds } from "../src/counters/memory-holds.ts";
import { RedisHolds } from "../src/counters/redis-holds.ts";
import { ModelCounting } from "../src/gateway/models/model-counting.ts";
import { modelCallOf } from "../src/gateway/models/find-model-call.ts";
import { type TestExchange, exchangeOf, policyStep, servicesOf, snapshotOf } from "../src/gateway/testing.ts";
import { llmTokenLimit } from "../src/policies/llm-token-limit/policy.ts";
import { linkTo, redisMissing, startRedis } from "../test/redis.ts";
import { spreadOf } from "./harness.ts";

const ROUNDS = 9;

/** Times `work(count)` round after round and prints µs per unit. @returns the median */
async function measure(
  name: string,
  count: number,
  work: (count: number) => void | Promise<void>,
): Promise<number> {
  await work(count);
  const times: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const start = performance.now();
    await work(count);
    times.push(((performance.now() - start) * 1000) / count);
  }
  const { min, median, max } = spreadOf(times);
  console.log(
    `${name.padEnd(60)} ${median.toFixed(2).padStart(8)} µs   (${min.toFixed(2)} – ${max.toFixed(2)})`,
  );
  return median;
}

// ── Counters ──────────────────────────────────────────────────────────────────────────────────────────────────────

const BIG = 1e12;
const keys = Array.from({ length: 10_000 }, (_, i) => `key ${i}`);
const rate = (i: number): HoldClaim => ({
  kind: "window",
  key: keys[i % keys.length]!,
  limit: BIG,
  need: 200,
  cost: 800,
  own: null,
  windowMs: 60_000,
});
const bucket = (i: number): HoldClaim => ({ ...rate(i), kind: "bucket", fillMs: 60_000 });
const quota = (i: number): HoldClaim => ({
  ...rate(i),
  kind: "period",
  key: `q ${keys[i % 1000]}`,
  unit: "month",
  weekStart: 1,
});
const START: Moment = { monotonicMs: 0, epochMs: Date.now() };

let passedMs = 0;
const at = (): Moment => ({ monotonicMs: (passedMs += 0.01), epochMs: START.epochMs });

function pairs(holds: MemoryHolds, claims: (i: number) => readonly HoldClaim[]): (count: number) => void {
  return (count) => {
    for (let i = 0; i < count; i++) {
      const answer = holds.reserve(claims(i), at());
      if (answer.state === "taken") answer.hold.settle(500, at());
    }
  };
}

const memory = (): MemoryHolds => new MemoryHolds(new MemoryQuotas());
await measure(
  "window, 10,000 keys",
  200_000,
  pairs(memory(), (i) => [rate(i)]),
);
await measure(
  "window, one busy key",
  200_000,
  pairs(memory(), () => [rate(0)]),
);
await measure(
  "bucket, 10,000 keys",
  200_000,
  pairs(memory(), (i) => [bucket(i)]),
);
await measure(
  "window and quota in memory",
  200_000,
  pairs(memory(), (i) => [quota(i), rate(i)]),
);

const folder = mkdtempSync(join(tmpdir(), "headgate-bench-"));
const file = new SqliteQuotas(join(folder, "quotas.db"));
await measure(
  "window in memory and quota on disk",
  10_000,
  pairs(new MemoryHolds(file), (i) => [quota(i), rate(i)]),
);
file.close();
rmSync(folder, { recursive: true, force: true });

if (redisMissing !== null) console.log(`Redis: not measured, ${redisMissing}`);
else {
  const redis = await startRedis();
  const link = await linkTo(redis.port, { scripts: COUNTER_SCRIPTS, timeoutMs: 10_000 });
  const holds: Holds = new RedisHolds(link, "bench");
  const one = async (claims: readonly HoldClaim[]): Promise<void> => {
    const answer = await holds.reserve(claims, START);
    if (answer.state === "taken") answer.hold.settle(500, START);
  };
  const together = (claims: (i: number) => readonly HoldClaim[]) => async (count: number) => {
    for (let i = 0; i < count; i += 100)
      await Promise.all(Array.from({ length: 100 }, (_, j) => one(claims(i + j))));
    // Settling is sent and not waited for.
    await link.call("ping", []);
  };
  await measure(
    "window in Redis, wall time with 100 under way",
    5000,
    together((i) => [rate(i)]),
  );
  await measure(
    "window and quota in Redis, wall time with 100 under way",
    5000,
    together((i) => [quota(i), rate(i)]),
  );
  link.close();
  await redis.close();
}

// ── The policy ────────────────────────────────────────────────────────────────────────────────────────────────────

const WORDS = "the canal keeper opens the gate when the water is high and writes down how much has passed ";
/** No two prompts are alike. */
function bodyOf(i: number): string {
  const content = `${i} ${WORDS.repeat(20)}`.slice(0, 1024);
  return JSON.stringify({ model: "gpt-4o", max_tokens: 500, messages: [{ role: "user", content }] });
}

const counting = new ModelCounting();
await counting.countText(WORDS, "gpt-4o");
const services = servicesOf({
  counters: countersAlone(),
  models: {
    countPrompt: (prompt, model) => counting.countPrompt(prompt, model),
    countText: (text, model) => counting.countText(text, model),
    settled: () => {},
    contents: () => {},
  },
});
const snapshot = snapshotOf();
const HEADERS = ["Content-Type", "application/json"];

let requests = 0;
function exchange(): TestExchange {
  const body = bodyOf(requests++);
  return exchangeOf(
    { method: "POST", target: "/chat/completions", headers: HEADERS, body },
    snapshot,
    services,
  );
}
const over = (done: TestExchange): void => {
  for (const { run } of done.takeReplyListeners() ?? []) run();
  for (const run of done.takeEndListeners() ?? []) run();
};
const limitWith = (attributes: Record<string, unknown>) => {
  const step = policyStep(llmTokenLimit, {
    attributes: { "counter-key": "k", "tokens-per-minute": "1000000000000", ...attributes },
  });
  return async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const call = exchange();
      const waiting: unknown = step.run(call, null);
      if (waiting instanceof Promise) await waiting;
      over(call);
    }
  };
};

const N = 20_000;
const bare = await measure("an exchange, its body parsed by nobody", N, async (count) => {
  for (let i = 0; i < count; i++) {
    const call = exchange();
    await call.request.body?.buffer(1e6);
    over(call);
  }
});
const read = await measure("… its request to a model recognised and read", N, async (count) => {
  for (let i = 0; i < count; i++) {
    const call = exchange();
    const model = await modelCallOf(call);
    void model?.request.outputBound;
    over(call);
  }
});
const held = await measure("… and limited, nothing counted before", N, limitWith({ reserve: "none" }));
const counted = await measure(
  "… and limited, the prompt of 1 kB counted before",
  N,
  limitWith({ "estimate-prompt-tokens": true }),
);
console.log(
  `\nreading the request ${(read - bare).toFixed(2)} µs, the limit ${(held - read).toFixed(2)} µs, counting 1 kB ${(counted - held).toFixed(2)} µs`,
);
