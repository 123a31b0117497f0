import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type TestRedis, redisMissing, startRedis } from "../../../test/redis.ts";
import { near, semanticStoreSuite, vector } from "../semantic-store.suite.ts";
import { one, openStore, passing } from "./store.fixture.ts";
import { FakeClock } from "../../gateway/testing.ts";
import type { RedisSemanticOptions, RedisSemanticStore } from "./store.ts";

if (redisMissing !== null) console.warn(`The shared semantic cache is not tested: ${redisMissing}`);

describe.skipIf(redisMissing !== null)("plain", () => {
  let redis: TestRedis;
  beforeAll(async () => void (redis = await startRedis()));
  afterAll(() => redis.close());

  semanticStoreSuite(
    "plain Redis",
    () => ({ store: openStore(`127.0.0.1:${redis.port}`), pass: passing(redis), slowness: 3 }),
    { crossings: 4000, bounded: null },
  );

  test("what one node stores, replaces or loses, the others see", async () => {
    const stores = [openStore(`127.0.0.1:${redis.port}`), openStore(`127.0.0.1:${redis.port}`)];
    const [a, b] = stores as [RedisSemanticStore, RedisSemanticStore];
    expect(await a.mode()).toBe("plain");
    for (let i = 0; i < 100; i++) expect(await a.add("p", one(`${i}`, i / 2), 60_000)).toBe(true);
    expect(await near(b, "p", vector(1, 0), 2, 100)).toHaveLength(100);
    await b.add("p", one("0", 90), 60_000);
    expect((await near(a, "p", vector(1, 0)))[0]!.prompt).toBe("1");
    expect((await near(a, "p", vector(0, 1)))[0]!.prompt).toBe("0");
    const keys = redis.cli("--raw", "keys", "headgate:sem:e:*").split("\n");
    redis.cli("del", ...keys);
    for (const store of stores) expect(await near(store, "p", vector(1, 0), 2, 100)).toEqual([]);
    await b.add("p", one("after", 0), 60_000);
    for (const store of stores) expect((await near(store, "p", vector(1, 0)))[0]!.prompt).toBe("after");
    await a.clear();
    expect(redis.cli("dbsize")).toBe("0");
    await Promise.all(stores.map((store) => store.close()));
  });

  test("a partition has at most so many entries: the oldest go, here and there", async () => {
    const stores = [0, 1].map(() => openStore(`127.0.0.1:${redis.port}`, { mostEntries: 5 }));
    for (let i = 0; i < 9; i++) {
      await stores[i % 2]!.add("few", one(`${i}`, i), 60_000);
      await near(stores[0]!, "few", vector(1, 0));
    }
    for (const store of stores)
      expect((await near(store, "few", vector(1, 0), 1, 100)).map(({ prompt }) => prompt)).toEqual([
        "4",
        "5",
        "6",
        "7",
        "8",
      ]);
    await stores[0]!.clear();
    await Promise.all(stores.map((store) => store.close()));
  });

  test("what others left under our names is a miss and no more", async () => {
    const store = openStore(`127.0.0.1:${redis.port}`);
    await store.add("odd", one("one"), 60_000);
    const [versions] = redis.cli("--raw", "keys", "headgate:sem:z:*").split("\n");
    redis.cli("del", versions!);
    redis.cli("set", versions!, "text");
    expect((await store.find("odd", vector(1, 0), 1, 1)).state).toBe("unavailable");
    expect(await store.add("odd", one("two"), 60_000)).toBe(false);
    redis.cli("del", versions!);
    await store.add("odd", one("two"), 60_000);
    const entry = redis.cli("--raw", "keys", "headgate:sem:e:*").split("\n");
    for (const key of entry) redis.cli("hset", key, "partition", "another", "vector", "12345");
    expect(await near(store, "odd", vector(1, 0))).toEqual([]);
    await store.clear();
    await store.close();
  });
});

describe.skipIf(redisMissing !== null)("a Redis in trouble is a miss", () => {
  const opened: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
  });
  const begin = async (options: Partial<RedisSemanticOptions> = {}) => {
    const redis = await startRedis();
    let isUp = (): void => {};
    let isDown = (): void => {};
    const up = new Promise<void>((resolve) => (isUp = resolve));
    const store = openStore(`127.0.0.1:${redis.port}`, {
      onChange: (state) => (state ? isUp() : isDown()),
      ...options,
    });
    await store.mode();
    await up;
    opened.push(store, redis);
    return {
      redis,
      store,
      next: (state: "up" | "down") =>
        new Promise<void>((resolve) => (state === "up" ? (isUp = resolve) : (isDown = resolve))),
    };
  };
  const state = async (store: RedisSemanticStore): Promise<string> =>
    (await store.find("p", vector(1, 0), 1, 1)).state;

  test("hangs: within its bound, then at once; it comes back by itself", async () => {
    const clock = new FakeClock();
    const { redis, store, next } = await begin({ clock, timeoutMs: 250 });
    expect(await store.add("p", one(), 60_000)).toBe(true);
    expect(await near(store, "p", vector(1, 0))).toHaveLength(1);
    const gone = next("down");
    redis.pause();
    const waiting = [state(store), store.add("p", one("two"), 60_000)] as const;
    await new Promise(setImmediate);
    clock.advance(250);
    expect(await waiting[0]).toBe("unavailable");
    expect(await waiting[1]).toBe(false);
    await gone;
    expect(await state(store)).toBe("unavailable");
    expect(await store.add("p", one("two"), 60_000)).toBe(false);
    redis.resume();
    while ((await state(store)) === "unavailable") {
      clock.advance(250);
      await new Promise(setImmediate);
    }
    expect(await near(store, "p", vector(1, 0))).toHaveLength(1);
  });

  test("was killed and begins anew, empty", async () => {
    const { redis, store, next } = await begin();
    await store.add("p", one(), 60_000);
    await near(store, "p", vector(1, 0));
    const gone = next("down");
    await redis.kill();
    await gone;
    expect(await state(store)).toBe("unavailable");
    const back = next("up");
    await redis.restart();
    await back;
    expect(await near(store, "p", vector(1, 0))).toEqual([]);
    expect(await store.add("p", one("two"), 60_000)).toBe(true);
    expect((await near(store, "p", vector(1, 0)))[0]!.prompt).toBe("two");
  });

  test("is full, or a replica: it is read still", async () => {
    const { redis, store } = await begin();
    await store.add("p", one(), 60_000);
    redis.cli("config", "set", "maxmemory", "1");
    expect(await store.add("p", one("two", 10), 60_000)).toBe(false);
    expect(await near(store, "p", vector(1, 0))).toHaveLength(1);
    redis.cli("config", "set", "maxmemory", "0");
    redis.cli("config", "set", "min-replicas-to-write", "3");
    expect(await store.add("p", one("two", 10), 60_000)).toBe(false);
    expect(await near(store, "p", vector(1, 0))).toHaveLength(1);
  });

  test("is not there at all", async () => {
    const store = openStore("127.0.0.1:1", { timeoutMs: 250 });
    opened.push(store);
    expect([await state(store), await store.mode()]).toEqual(["unavailable", null]);
    expect(await store.add("p", one(), 60_000)).toBe(false);
    await store.clear();
  });
});
