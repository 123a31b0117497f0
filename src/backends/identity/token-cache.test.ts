import { expect, test } from "vitest";
import { servicesOf } from "../../gateway/testing.ts";
import { type Fetched, TokenCache } from "./token-cache.ts";

const HOUR = 60 * 60_000;
const MINUTE = 60_000;

/** A cache, and a source that answers when it is told. */
function cacheOf(lifetimeMs = HOUR) {
  const services = servicesOf();
  const cache = new TokenCache<string>("a token", services);
  const waiting: { resolve: (fetched: Fetched<string>) => void; reject: (error: Error) => void }[] = [];
  let fetches = 0;
  const get = (key = "k"): string | Promise<string> =>
    cache.get(key, () => {
      fetches++;
      return new Promise((resolve, reject) => void waiting.push({ resolve, reject }));
    });
  const settle = async (value: string | Error): Promise<void> => {
    const { resolve, reject } = waiting.shift()!;
    if (typeof value === "string") resolve({ value, lifetimeMs });
    else reject(value);
    await new Promise((done) => setImmediate(done));
  };
  return { get, settle, clock: services.clock, logged: services.logged, fetched: () => fetches };
}

test("100 at once cost one fetch, and afterwards there is nothing to wait for", async () => {
  const { get, settle, fetched } = cacheOf();
  const all = Array.from({ length: 100 }, () => get());
  await settle("t1");
  expect(new Set(await Promise.all(all))).toEqual(new Set(["t1"]));
  expect(get()).toBe("t1");
  expect(fetched()).toBe(1);
});

test("keys are fetched each for itself", async () => {
  const { get, settle, fetched } = cacheOf();
  const both = Promise.all([get("a"), get("b")]);
  await settle("A");
  await settle("B");
  expect(await both).toEqual(["A", "B"]);
  expect(fetched()).toBe(2);
});

test.each([
  [30 * MINUTE, 25 * MINUTE - 1, 25 * MINUTE], // five minutes
  [24 * HOUR, 21.5 * HOUR, 21.6 * HOUR], // a tenth
  [4 * MINUTE, 119_000, 120_000], // half
])(
  "of a life of %d ms the last part is old: fetched once, behind the requests' backs",
  async (lifetime, young, old) => {
    const { get, settle, clock, fetched } = cacheOf(lifetime);
    void get();
    await settle("t1");
    clock.advance(young);
    expect(get()).toBe("t1");
    expect(fetched()).toBe(1);
    clock.advance(old - young);
    expect([get(), get(), get()]).toEqual(["t1", "t1", "t1"]);
    expect(fetched()).toBe(2);
    await settle("t2");
    expect(get()).toBe("t2");
    clock.advance(young);
    expect(get()).toBe("t2");
    expect(fetched()).toBe(2);
  },
);

test("a source that is down: the token serves to its end, asked for again with pauses that grow, then everybody is told", async () => {
  const { get, settle, clock, logged, fetched } = cacheOf();
  void get();
  await settle("t1");
  clock.advance(55 * MINUTE);
  for (const pause of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    const before = fetched();
    expect(get()).toBe("t1");
    await settle(new Error("down"));
    clock.advance(pause - 1);
    expect(get()).toBe("t1");
    expect(fetched()).toBe(before + 1);
    clock.advance(1);
  }
  expect(logged.at(-1)).toMatchObject({
    level: "warning",
    code: "credential_unavailable",
    credential: "a token",
    error: "down",
  });
  clock.advance(5 * MINUTE);
  const late = expect(get()).rejects.toThrow("still down");
  await settle(new Error("still down"));
  await late;
  expect(logged.at(-1)).toMatchObject({ level: "error", secondsLeft: 0 });
  // Within the pause nobody waits and nobody asks.
  const before = fetched();
  expect(() => get()).toThrow("still down");
  expect(fetched()).toBe(before);
  clock.advance(30_000);
  const again = get();
  await settle("t2");
  expect(await again).toBe("t2");
});

test("what has run out when it comes is not used", async () => {
  const { get, settle } = cacheOf(0);
  const got = get();
  await Promise.all([settle("t1"), expect(got).rejects.toThrow("a token had run out when it came")]);
});

test("any number of keys does not take any amount of memory", async () => {
  const { get, settle, fetched } = cacheOf();
  for (let i = 0; i <= 1000; i++) {
    void get(`k${i}`);
    await settle("t");
  }
  expect(get("k1000")).toBe("t");
  expect(fetched()).toBe(1001);
  void get("k0");
  expect(fetched()).toBe(1002);
});
