/** What every adapter does. */
import { afterAll, expect, test } from "vitest";
import { type Cache, LARGEST_ENTRY_BYTES } from "./cache.ts";

export interface CacheSubject {
  readonly cache: Cache;
  /** Lets `ms` pass, as the cache sees it. @returns its now */
  pass(ms: number): Promise<number> | number;
  close?(): Promise<void> | void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function cacheSuite(name: string, make: () => Promise<CacheSubject> | CacheSubject): void {
  const subjects: CacheSubject[] = [];
  let count = 0;
  const subject = async (): Promise<{
    at: CacheSubject;
    key: (name: string) => string;
    read: (key: string) => Promise<string | null>;
  }> => {
    const made = await make();
    subjects.push(made);
    const own = count++;
    const key = (text: string): string => `suite ${own} ${text}`;
    const read = async (text: string): Promise<string | null> => {
      const found = await made.cache.get(key(text), await made.pass(0));
      return found === null ? null : decoder.decode(found);
    };
    return { at: made, key, read };
  };
  afterAll(() => Promise.all(subjects.map((made) => made.close?.())));

  test(`${name}: what was set is there until its end`, async () => {
    const { at, key, read } = await subject();
    expect(await read("a")).toBe(null);
    at.cache.set(key("a"), encoder.encode("one"), 150, await at.pass(0));
    expect(await read("a")).toBe("one");
    await at.pass(151);
    expect(await read("a")).toBe(null);
  });

  test(`${name}: set again replaces value and end; delete deletes`, async () => {
    const { at, key, read } = await subject();
    at.cache.set(key("a"), encoder.encode("one"), 100, await at.pass(0));
    at.cache.set(key("a"), encoder.encode("two"), 60_000, await at.pass(0));
    await at.pass(120);
    expect(await read("a")).toBe("two");
    at.cache.delete(key("a"));
    at.cache.delete(key("never there"));
    expect(await read("a")).toBe(null);
  });

  test.each([0, -1, Number.NaN])(
    `${name}: a life of %d ms stores nothing and removes what was there`,
    async (ttlMs) => {
      const { at, key, read } = await subject();
      at.cache.set(key("a"), encoder.encode("one"), 60_000, await at.pass(0));
      at.cache.set(key("a"), encoder.encode("two"), ttlMs, await at.pass(0));
      expect(await read("a")).toBe(null);
    },
  );

  test(`${name}: any octets, empty ones too, under any key`, async () => {
    const { at, key } = await subject();
    const now = await at.pass(0);
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const keys = ["x".repeat(10_000), "x".repeat(9_999) + "y", "ünï\u0000\r\n", "{tag}"].map(key);
    keys.forEach((one, i) => at.cache.set(one, all.subarray(i), 60_000, now));
    at.cache.set(key("empty"), new Uint8Array(), 60_000, now);
    for (const [i, one] of keys.entries())
      expect(Array.from((await at.cache.get(one, now)) ?? [])).toEqual(Array.from(all.subarray(i)));
    const empty = await at.cache.get(key("empty"), now);
    expect(empty === null || empty.length === 0).toBe(true);
  });

  test(`${name}: what is kept is a copy`, async () => {
    const { at, key, read } = await subject();
    const value = encoder.encode("one");
    at.cache.set(key("a"), value, 60_000, await at.pass(0));
    value.fill(0);
    expect(await read("a")).toBe("one");
  });

  test(`${name}: too large is not kept`, async () => {
    const { at, key } = await subject();
    const now = await at.pass(0);
    at.cache.set(key("a"), new Uint8Array(LARGEST_ENTRY_BYTES), 60_000, now);
    at.cache.set(key("b"), new Uint8Array(LARGEST_ENTRY_BYTES + 1), 60_000, now);
    expect((await at.cache.get(key("a"), now))?.length).toBe(LARGEST_ENTRY_BYTES);
    expect(await at.cache.get(key("b"), now)).toBe(null);
  });
}
