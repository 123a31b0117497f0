import { expect, test } from "vitest";
import { cacheSuite } from "./cache.suite.ts";
import { cacheForRegion } from "./cache.ts";
import { MemoryCache } from "./memory-cache.ts";

cacheSuite("memory", () => {
  let now = 0;
  return { cache: new MemoryCache(), pass: (ms) => (now += ms) };
});

const value = (bytes: number): Uint8Array => new Uint8Array(bytes);

test("an entry ends in its very millisecond", () => {
  const cache = new MemoryCache();
  cache.set("a", value(1), 1000, 5);
  expect([cache.get("a", 1004) !== null, cache.get("a", 1005) !== null]).toEqual([true, false]);
});

test("the least recently used goes first; the bound holds for anything", () => {
  const cache = new MemoryCache(10_000);
  for (const key of ["a", "b", "c"]) cache.set(key, value(3000), 1000, 0);
  cache.get("a", 0);
  cache.set("d", value(3000), 1000, 0);
  expect(["a", "b", "c", "d"].filter((key) => cache.get(key, 0) !== null)).toEqual(["a", "c", "d"]);
  for (let i = 0; i < 10_000; i++) cache.set(`k${i}`, value(i % 500), 1000, 0);
  expect(cache.sizeBytes).toBeLessThanOrEqual(10_000);
  cache.set("too large", value(20_000), 1000, 0);
  expect(cache.get("too large", 0)).toBe(null);
});

test("what has ended frees its room as others come", () => {
  const cache = new MemoryCache();
  for (let i = 0; i < 100; i++) cache.set(`old ${i}`, value(1000), 10, 0);
  for (let i = 0; i < 200; i++) cache.set("new", value(1), 10_000, 20);
  expect(cache.sizeBytes).toBeLessThan(1000);
});

test.each<[string, string[], string | null]>([
  ["west", ["default", "west"], "west"],
  ["West", ["west"], "west"],
  ["east", ["West", "Default"], "Default"],
  ["east", ["west"], null],
  ["east", [], null],
])("in %s, of %j: %s", (region, locations, expected) => {
  const configured = locations.map((location) => ({ id: location, location, connectionString: "" }));
  expect(cacheForRegion(configured, region)?.location ?? null).toBe(expected);
});
