import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestRedis, linkTo, realClock, redisMissing, startRedis } from "../../test/redis.ts";
import { FakeClock } from "../gateway/testing.ts";
import type { RedisLink } from "../redis/link.ts";
import { cacheSuite } from "./cache.suite.ts";
import { GatewayCaches } from "./caches.ts";
import { RedisCache } from "./redis-cache.ts";

if (redisMissing !== null) console.warn(`External caches are not tested: ${redisMissing}`);

describe.skipIf(redisMissing !== null)("redis", () => {
  let redis: TestRedis;
  let link: RedisLink;
  beforeAll(async () => {
    redis = await startRedis();
    link = await linkTo(redis.port, { needs: "read", timeoutMs: 5000 });
  });
  afterAll(async () => {
    link.close();
    await redis.close();
  });

  cacheSuite("redis", () => ({
    cache: new RedisCache(link),
    // Redis' own clock decides, so Redis does the waiting.
    pass: (ms) => {
      if (ms > 0) redis.cli("blpop", "nothing", String((ms + 20) / 1000));
      return 0;
    },
  }));

  test("what other programs left there is a miss", async () => {
    const cache = new RedisCache(link);
    redis.cli("hset", "headgate:cache:odd", "a", "b");
    redis.cli("setrange", "headgate:cache:large", String(3 * 1024 * 1024), "x");
    expect(await cache.get("odd", 0)).toBe(null);
    expect(await cache.get("large", 0)).toBe(null);
    expect(link.up).toBe(true);
  });
});

describe.skipIf(redisMissing !== null)("a Redis in trouble", () => {
  const encoder = new TextEncoder();

  test("hangs: one look-up waits for the bound, all others miss at once; writes are dropped", async () => {
    const redis = await startRedis();
    const clock = new FakeClock();
    const link = await linkTo(redis.port, { needs: "read", clock });
    const cache = new RedisCache(link);
    cache.set("a", encoder.encode("one"), 60_000, 0);
    expect(await cache.get("a", 0)).not.toBe(null);
    redis.pause();
    const waiting = cache.get("a", 0);
    clock.advance(50);
    expect(await waiting).toBe(null);
    expect(cache.get("a", 0)).toBe(null);
    cache.set("b", encoder.encode("two"), 60_000, 0);
    cache.delete("a");
    redis.resume();
    link.close();
    await redis.close();
  });

  test("is full: it is read still", async () => {
    const redis = await startRedis();
    const link = await linkTo(redis.port, { needs: "read" });
    const cache = new RedisCache(link);
    cache.set("a", encoder.encode("one"), 60_000, 0);
    expect(await cache.get("a", 0)).not.toBe(null);
    redis.cli("config", "set", "maxmemory", "1");
    cache.set("b", encoder.encode("two"), 60_000, 0);
    expect(await cache.get("b", 0)).toBe(null);
    expect(await cache.get("a", 0)).not.toBe(null);
    link.close();
    await redis.close();
  });

  test("is not there: everything misses, and it is used once it is", async () => {
    const redis = await startRedis(["--requirepass", "secret=="]);
    const changes: string[] = [];
    let back = (): void => {};
    const caches = new GatewayCaches({
      clock: realClock,
      region: "here",
      onChange: (id, up) => {
        changes.push(`${id} ${up ? "up" : "down"}`);
        if (up) back();
      },
    });
    const configured = (password: string) => [
      {
        id: "shared",
        location: "default",
        connectionString: `127.0.0.1:${redis.port},password=${password},abortConnect=False`,
      },
    ];
    const wrong = configured("wrong");
    void caches.use(wrong);
    expect(caches.external(wrong)!.get("a", 0)).toBe(null);
    expect(caches.isDegraded).toBe(true);
    const right = configured("secret==");
    await caches.use(right);
    const cache = caches.external(right)!;
    cache.set("a", encoder.encode("one"), 60_000, 0);
    expect(await cache.get("a", 0)).toEqual(Buffer.from("one"));
    expect(caches.external(wrong)).not.toBe(cache);

    const again = new Promise<void>((resolve) => (back = resolve));
    await redis.restart();
    await again;
    cache.set("a", encoder.encode("two"), 60_000, 0);
    expect(await cache.get("a", 0)).toEqual(Buffer.from("two"));
    expect(changes).toEqual(["shared up", "shared down", "shared up"]);
    caches.close();
    await redis.close();
  });

  test("no cache configured, or none for this place", () => {
    const caches = new GatewayCaches({ clock: realClock, region: "here" });
    expect(caches.external([])).toBe(null);
    expect(caches.external([{ id: "far", location: "elsewhere", connectionString: "127.0.0.1:1" }])).toBe(
      null,
    );
    caches.close();
  });
});
