import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestRedis, linkTo, redisMissing, realClock, startRedis } from "../../test/redis.ts";
import { FakeClock } from "../gateway/testing.ts";
import type { RedisLink } from "../redis/link.ts";
import { EPOCH, quotasSuite, said, windowsSuite } from "./counters.suite.ts";
import type { Answer, CounterStores, QuotaClaim, WindowClaim } from "./counters.ts";
import { at, claimOf, holdsSuite, newStory, saidOf } from "./holds.suite.ts";
import { RedisHolds } from "./redis-holds.ts";
import { RedisQuotas } from "./redis-quotas.ts";
import { COUNTER_SCRIPTS } from "./redis-scripts.ts";
import { RedisWindows } from "./redis-windows.ts";
import { sharedCounters, shareOf } from "./shared.ts";

if (redisMissing !== null) console.warn(`Shared counters are not tested: ${redisMissing}`);

describe.skipIf(redisMissing !== null)("redis", () => {
  let redis: TestRedis;
  let link: RedisLink;
  const open = (): Promise<RedisLink> => linkTo(redis.port, { scripts: COUNTER_SCRIPTS, timeoutMs: 5000 });
  beforeAll(async () => {
    redis = await startRedis();
    link = await open();
  });
  afterAll(async () => {
    link.close();
    await redis.close();
  });

  windowsSuite("redis", () => ({
    counters: new RedisWindows(link, "caller"),
    at: (ms) => 1_700_000_000_000 + ms,
  }));
  quotasSuite("redis", () => ({ counters: new RedisQuotas(link, "caller"), at: (ms) => ms }));

  holdsSuite("redis", () => {
    const holds = new RedisHolds(link, "node", undefined, "caller");
    return { holds, renew: (now) => holds.renew(now) };
  });

  test("holds of a dead node end by themselves, those of one that lives go on", async () => {
    newStory();
    const nodes = [await open(), await open()];
    const [dead, alive] = nodes.map((node, i) => new RedisHolds(node, `node ${i}`, undefined, "caller"));
    const claims = (key: string) => [
      claimOf(["hour", key, 100, 100, 100]),
      claimOf(["b", `${key} b`, 100, 100, 100]),
    ];
    expect(saidOf(await dead!.reserve(claims("dead"), at(0)))).toBe("taken 0,0 held 100,100");
    const held = await alive!.reserve(claims("alive"), at(0));
    alive!.renew(at(30));
    alive!.renew(at(70));
    expect(saidOf(await alive!.reserve(claims("dead"), at(59)))).toBe("refused 0 1");
    expect(saidOf(await alive!.reserve(claims("dead"), at(60)))).toBe("taken 0,0 held 100,100");
    expect(saidOf(await dead!.reserve(claims("alive"), at(129)))).toBe("refused 0 1");
    if (held.state === "taken") held.hold.settle(30, at(129));
    expect(saidOf(await alive!.reserve(claims("alive"), at(130)))).toBe("refused 0 3470");
    expect(saidOf(await alive!.reserve([claimOf(["hour", "alive", 100, 70, 70])], at(130)))).toBe(
      "taken 30 held 70",
    );
    for (const node of nodes) node.close();
  });

  test("what ended by itself is counted when it is settled all the same", async () => {
    newStory();
    const holds = new RedisHolds(link, "late", undefined, "caller");
    const claims = [claimOf(["w", "late", 100, 60, 60])];
    const held = await holds.reserve(claims, at(0));
    expect(saidOf(await holds.reserve(claims, at(61)))).toBe("taken 0 held 60");
    if (held.state === "taken") held.hold.settle(60, at(62));
    expect(saidOf(await holds.reserve([claimOf(["w", "late", 160, 40, 40])], at(62)))).toBe(
      "taken 120 held 40",
    );
  });

  test("three nodes at once, by Redis' own clock: what is held never exceeds the limit", async () => {
    newStory();
    const nodes = await Promise.all([open(), open(), open()]);
    const holds = nodes.map((node, i) => new RedisHolds(node, `at once ${i}`));
    const now = { monotonicMs: 0, epochMs: Date.now() };
    const claims = [claimOf(["day", "q", 1000, 9, 9]), claimOf(["w", "k", 900, 9, 9])];
    const answers = await Promise.all(
      Array.from({ length: 600 }, (_, i) => holds[i % 3]!.reserve(claims, now)),
    );
    expect(answers.filter(({ state }) => state === "taken")).toHaveLength(100);
    expect(answers.filter(({ state }) => state === "refused")).toHaveLength(500);
    for (const node of nodes) node.close();
  });

  test("keys of holds leave Redis by themselves", async () => {
    newStory();
    const claims = [
      claimOf(["w", "k", 100, 9, 9]),
      claimOf(["b", "k b", 100, 9, 9]),
      claimOf(["year", "k y", 100, 9, 9]),
    ];
    const answer = await new RedisHolds(link, "leaves").reserve(claims, {
      monotonicMs: 0,
      epochMs: Date.now(),
    });
    if (answer.state === "taken") answer.hold.settle(5, { monotonicMs: 0, epochMs: Date.now() });
    // What was sent before is done by then.
    await link.call("ping", []);
    for (const { key } of claims) {
      expect(Number(redis.cli("pttl", `headgate:tokens:${key}`))).toBeGreaterThan(0);
      expect(redis.cli("exists", `headgate:tokens:${key}:holds`)).toBe("0");
    }
  });

  const windowClaim = (key: string, limit: number, cost = 1): WindowClaim => ({
    key,
    limit,
    cost,
    windowMs: 60_000,
  });

  test("three nodes at once against 100: exactly 100, by Redis' own clock", async () => {
    const nodes = await Promise.all([open(), open(), open()]);
    const windows = nodes.map((node) => new RedisWindows(node));
    const answers = await Promise.all(
      Array.from({ length: 600 }, (_, i) => windows[i % 3]!.take([windowClaim("three", 100)], 0)),
    );
    expect(answers.filter(({ state }) => state === "taken")).toHaveLength(100);
    expect(answers.filter(({ state }) => state === "refused")).toHaveLength(500);
    for (const node of nodes) node.close();
  });

  test("Redis' clock steps back by an hour: nothing is stuck for longer than a window", async () => {
    const windows = new RedisWindows(link, "caller");
    expect(said(await windows.take([windowClaim("step", 1)], 10_000_000))).toBe("taken 0");
    expect(said(await windows.take([windowClaim("step", 1)], 6_400_000))).toBe("refused 0 60");
    expect(said(await windows.take([windowClaim("step", 1)], 6_460_000))).toBe("taken 0");
  });

  test("what other programs left under our keys is unknown, not an error", async () => {
    redis.cli("set", "headgate:window:odd", "text");
    redis.cli("hset", "headgate:window:broken", "h", "0", "t", "3", "s", "9", "0", "nonsense");
    redis.cli("hset", "headgate:quota:broken", "start", "x", "used", "y");
    expect(said(await new RedisWindows(link).take([windowClaim("odd", 1)], 0))).toBe("unknown");
    expect(link.up).toBe(true);
    expect(said(await new RedisWindows(link).take([windowClaim("broken", 1)], 0))).toBe("taken 0");
    const quota = { key: "broken", limit: 1, cost: 1, anchorMs: 0, periodMs: 0 };
    expect(said(await new RedisQuotas(link).take([quota], 0))).toBe("taken 0");
  });

  test("idle keys leave Redis by themselves", async () => {
    await new RedisWindows(link).take([windowClaim("idle", 5)], 0);
    expect(Number(redis.cli("pttl", "headgate:window:idle"))).toBeGreaterThan(0);
    await new RedisQuotas(link).take([{ key: "idle", limit: 5, cost: 1, anchorMs: 0, periodMs: 300_000 }], 0);
    expect(Number(redis.cli("pttl", "headgate:quota:idle"))).toBeGreaterThan(0);
  });
});

test.each([
  [100, 1, 100],
  [100, 3, 33],
  [2, 3, 1],
  [0, 3, 0],
])("of a limit of %d for %d nodes one has %d", (limit, nodes, expected) => {
  expect(shareOf(limit, nodes)).toBe(expected);
});

/** What happens to a Redis, and what the next checks say. */
describe.skipIf(redisMissing !== null)("a Redis in trouble", () => {
  const CLAIM: WindowClaim = { key: "k", limit: 4, cost: 1, windowMs: 60_000 };
  const QUOTA: QuotaClaim = { key: "q", limit: 4, cost: 1, anchorMs: EPOCH, periodMs: 300_000 };

  /** As policies ask: shared, and alone when the answer is unknown. */
  async function take(stores: CounterStores): Promise<string> {
    const window = await stores.windows.take([CLAIM], realClock.monotonic());
    const quota = await stores.quotas.take([QUOTA], realClock.now());
    const show = (answer: Answer, alone: () => Answer): string =>
      answer.state === "unknown" ? `alone: ${alone().state}` : answer.state;
    return `${show(window, () => stores.alone.windows.take([CLAIM], realClock.monotonic()))}, ${show(quota, () => stores.alone.quotas.take([QUOTA], realClock.now()))}`;
  }

  /** Waits for what the link itself announces. */
  function changes(): { readonly onChange: (up: boolean) => void; next(up: boolean): Promise<void> } {
    let waiting: { up: boolean; resolve: () => void }[] = [];
    return {
      onChange: (up) => {
        for (const one of waiting) if (one.up === up) one.resolve();
        waiting = waiting.filter((one) => one.up !== up);
      },
      next: (up) => new Promise((resolve) => void waiting.push({ up, resolve })),
    };
  }

  test.each<
    [
      string,
      (redis: TestRedis) => Promise<void> | void,
      (redis: TestRedis) => Promise<void> | void,
      "kept" | "lost",
    ]
  >([
    ["hangs", (redis) => redis.pause(), (redis) => redis.resume(), "kept"],
    ["is killed", (redis) => redis.kill(), (redis) => redis.restart(), "lost"],
    [
      "becomes a replica that takes no writes",
      (redis) => void redis.cli("replicaof", "127.0.0.1", "1"),
      (redis) => void redis.cli("replicaof", "no", "one"),
      "kept",
    ],
    [
      "is full",
      (redis) => void redis.cli("config", "set", "maxmemory", "1"),
      (redis) => void redis.cli("config", "set", "maxmemory", "0"),
      "kept",
    ],
    [
      "asks for a password",
      (redis) => {
        redis.cli("config", "set", "requirepass", "secret");
        redis.cli("-a", "secret", "client", "kill", "type", "normal");
      },
      (redis) => void redis.cli("-a", "secret", "config", "set", "requirepass", ""),
      "kept",
    ],
  ])("%s", async (_what, breakIt, mendIt, data) => {
    const redis = await startRedis();
    const told = changes();
    const link = await linkTo(redis.port, { scripts: COUNTER_SCRIPTS, onChange: told.onChange });
    const stores = sharedCounters(link, "node", realClock);
    expect(await take(stores)).toBe("taken, taken");
    expect(await take(stores)).toBe("taken, taken");

    const down = told.next(false);
    await breakIt(redis);
    // The first call in trouble finds out; it has an answer all the same. Two of four are used already.
    expect(await take(stores)).toBe("alone: taken, alone: taken");
    await down;
    expect(await take(stores)).toBe("alone: taken, alone: taken");
    expect(await take(stores)).toBe("alone: refused, alone: refused");

    const up = told.next(true);
    await mendIt(redis);
    await up;
    // The quota's total has all that was let in; nothing was let in twice.
    const answer = await stores.quotas.take([{ ...QUOTA, limit: 100, cost: 0 }], realClock.now());
    const used = answer.state === "taken" ? 100 - answer.remaining : -1;
    // A hung Redis may have counted the call that was no longer waited for, and it was counted here as well.
    if (data === "kept") expect([4, 5]).toContain(used);
    else expect(used).toBe(2);
    stores.close();
    link.close();
    await redis.close();
  });

  test("holds while Redis is gone: this node's share, and periods go on from what was said last", async () => {
    newStory();
    const redis = await startRedis();
    const told = changes();
    const link = await linkTo(redis.port, { scripts: COUNTER_SCRIPTS, onChange: told.onChange });
    const stores = sharedCounters(link, "node", realClock);
    const now = { monotonicMs: realClock.monotonic(), epochMs: realClock.now() };
    const claims = [claimOf(["year", "q", 100, 30, 30]), claimOf(["w", "k", 200, 30, 30])];
    const call = async (cost: number): Promise<string> => {
      let answer = await stores.tokens.reserve(claims, now);
      const alone = answer.state === "unknown";
      if (alone) answer = stores.alone.tokens.reserve(claims, now);
      if (answer.state === "taken") answer.hold.settle(cost, now);
      return `${alone ? "alone: " : ""}${saidOf(answer)}`;
    };
    expect(await call(20)).toBe("taken 0,0 held 30,30");
    expect(await call(20)).toBe("taken 20,20 held 30,30");
    expect(stores.tokens.underWay).toBe(0);

    const down = told.next(false);
    redis.pause();
    expect(await call(20)).toMatch("alone: taken");
    await down;
    expect(stores.tokens.underWay).toBe(0);
    const up = told.next(true);
    redis.resume();
    await up;
    expect(stores.tokens.heldTokens).toBe(0);
    // What was counted meanwhile has been told.
    await link.call("ping", []);
    expect(redis.cli("hget", `headgate:tokens:${claims[0]!.key}`, "used")).toBe("60");
    expect(redis.cli("hget", `headgate:tokens:${claims[1]!.key}`, "s")).toBe("60");
    stores.close();
    link.close();
    await redis.close();
  });

  test("a call waits for the bound and no longer, later ones not at all", async () => {
    const redis = await startRedis();
    const clock = new FakeClock();
    const link = await linkTo(redis.port, { scripts: COUNTER_SCRIPTS, clock });
    redis.pause();
    const windows = new RedisWindows(link);
    const waiting = windows.take([CLAIM], 0);
    expect(clock.waits).toContain(50);
    clock.advance(50);
    expect(said(await waiting)).toBe("unknown");
    // At once, without a promise.
    expect(windows.take([CLAIM], 0)).toEqual({ state: "unknown" });
    link.close();
    redis.resume();
    await redis.close();
  });

  test("nodes are counted, and those that are gone are not", async () => {
    const redis = await startRedis();
    const clock = new FakeClock();
    const links = await Promise.all(
      ["a", "b", "c"].map(() => linkTo(redis.port, { scripts: COUNTER_SCRIPTS, clock })),
    );
    expect(await links[0]!.call("headgateCountNodes", [1, "headgate:nodes", "a", 15_000])).toBe(1);
    expect(await links[1]!.call("headgateCountNodes", [1, "headgate:nodes", "b", 15_000])).toBe(2);
    expect(await links[2]!.call("headgateCountNodes", [1, "headgate:nodes", "c", 15_000])).toBe(3);
    redis.cli("zadd", "headgate:nodes", "1", "b");
    expect(await links[0]!.call("headgateCountNodes", [1, "headgate:nodes", "a", 15_000])).toBe(2);
    for (const link of links) link.close();
    await redis.close();
  });
});
