/**
 * What counting costs: a check of a rate limit and of a quota, in µs, per store.
 *
 *     node bench/limits.ts
 *
 * Redis is timed with 100 checks under way, as a gateway has them, and only where redis-server is installed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COUNTER_SCRIPTS, MemoryQuotas, MemoryWindows, SqliteQuotas } from "../src/counters/index.ts";
import type { QuotaClaim, WindowClaim } from "../src/counters/counters.ts";
import { RedisQuotas } from "../src/counters/redis-quotas.ts";
import { RedisWindows } from "../src/counters/redis-windows.ts";
import { linkTo, redisMissing, startRedis } from "../test/redis.ts";
import { spreadOf } from "./harness.ts";

const ROUNDS = 9;

/** Times `work(count)` round after round and prints µs per unit. */
async function measure(
  name: string,
  count: number,
  work: (count: number) => void | Promise<void>,
): Promise<void> {
  await work(count);
  const times: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const start = performance.now();
    await work(count);
    times.push(((performance.now() - start) * 1000) / count);
  }
  const { min, median, max } = spreadOf(times);
  console.log(
    `${name.padEnd(52)} ${median.toFixed(2).padStart(8)} µs   (${min.toFixed(2)} – ${max.toFixed(2)})`,
  );
}

const keys = Array.from({ length: 10_000 }, (_, i) => `key ${i}`);
const windowClaim = (i: number, limit: number): WindowClaim => ({
  key: keys[i % keys.length]!,
  limit,
  cost: 1,
  windowMs: 60_000,
});
const quotaClaim = (i: number, limit: number): QuotaClaim => ({
  key: keys[i % 1000]!,
  limit,
  cost: 1,
  anchorMs: 0,
  periodMs: 3_600_000,
});

const windows = new MemoryWindows();
let now = 0;
await measure("window in memory, 10,000 keys, let in", 200_000, (count) => {
  for (let i = 0; i < count; i++) windows.take([windowClaim(i, 1e9)], (now += 0.01));
});
await measure("window in memory, one busy key, let in", 200_000, (count) => {
  for (let i = 0; i < count; i++)
    windows.take([{ key: "busy", limit: 1e9, cost: 1, windowMs: 60_000 }], (now += 0.01));
});
const full = new MemoryWindows();
await measure("window in memory, refused", 200_000, (count) => {
  for (let i = 0; i < count; i++) full.take([windowClaim(0, 100)], 0);
});
const quotas = new MemoryQuotas();
await measure("quota in memory", 200_000, (count) => {
  for (let i = 0; i < count; i++) quotas.take([quotaClaim(i, 1e9)], 0);
});

const folder = mkdtempSync(join(tmpdir(), "headgate-bench-"));
const file = new SqliteQuotas(join(folder, "quotas.db"));
await measure("quota on disk, 1,000 keys, let in", 10_000, (count) => {
  for (let i = 0; i < count; i++) file.take([quotaClaim(i, 1e9)], 0);
});
await measure("quota on disk, refused", 10_000, (count) => {
  for (let i = 0; i < count; i++) file.take([quotaClaim(i, 1)], 0);
});
file.close();
rmSync(folder, { recursive: true, force: true });

if (redisMissing !== null) console.log(`Redis: not measured, ${redisMissing}`);
else {
  const redis = await startRedis();
  const link = await linkTo(redis.port, { scripts: COUNTER_SCRIPTS, timeoutMs: 10_000 });
  const shared = { windows: new RedisWindows(link), quotas: new RedisQuotas(link) };
  const together = async (count: number, one: (i: number) => unknown): Promise<void> => {
    for (let i = 0; i < count; i += 100) await Promise.all(Array.from({ length: 100 }, (_, j) => one(i + j)));
  };
  await measure("window in Redis, wall time with 100 under way", 10_000, (count) =>
    together(count, (i) => shared.windows.take([windowClaim(i, 1e9)], 0)),
  );
  await measure("quota in Redis, wall time with 100 under way", 10_000, (count) =>
    together(count, (i) => shared.quotas.take([quotaClaim(i, 1e9)], 0)),
  );
  await measure("window in Redis, one after the other", 2000, async (count) => {
    for (let i = 0; i < count; i++) await shared.windows.take([windowClaim(i, 1e9)], 0);
  });
  link.close();
  await redis.close();
}
