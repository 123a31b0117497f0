/** What every semantic store does, whatever it keeps its entries in. */
import { afterEach, describe, expect, test } from "vitest";
import type { Near, SemanticStore } from "./semantic-store.ts";

export interface StoreUnderTest {
  readonly store: SemanticStore;
  /** Lets so much time pass for the store. */
  readonly pass: (ms: number) => void | Promise<void>;
  /** Times are so much longer where time cannot be made to pass. Default 1. */
  readonly slowness?: number;
}

export interface SuiteOptions {
  /** How far a stated distance may be from the true one. Default 1e-3. */
  readonly tolerance?: number;
  /** Look-ups across partitions. Default 100,000. */
  readonly crossings?: number;
  /** Opens one that holds at most about so many octets; null: the server bounds it. */
  readonly bounded: ((mostBytes: number) => Promise<StoreUnderTest>) | null;
}

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);
export const vector = (...values: readonly number[]): Float32Array => new Float32Array(values);
/** In a plane, so that distances are plain to see: 1 − cos. */
const at = (degrees: number, length = 1): Float32Array =>
  vector(length * Math.cos((degrees * Math.PI) / 180), length * Math.sin((degrees * Math.PI) / 180), 0, 0);
const distance = (degrees: number): number => 1 - Math.cos((degrees * Math.PI) / 180);

export async function near(
  store: SemanticStore,
  partition: string,
  question: Float32Array,
  within = 0.05,
  limit = 1,
): Promise<readonly Near[]> {
  const found = await store.find(partition, question, within, limit);
  if (found.state === "unavailable") throw new Error(found.why);
  return found.near;
}

const prompts = async (...given: Parameters<typeof near>): Promise<string[]> =>
  (await near(...given)).map(({ prompt }) => prompt);

export function semanticStoreSuite(
  name: string,
  open: () => Promise<StoreUnderTest> | StoreUnderTest,
  options: SuiteOptions,
): void {
  const { tolerance = 1e-3, crossings = 100_000, bounded } = options;
  describe(`${name}: what every semantic store does`, () => {
    const opened: StoreUnderTest[] = [];
    const begin = async (): Promise<StoreUnderTest> => {
      const one = await open();
      await one.store.clear();
      opened.push(one);
      return one;
    };
    const keep = (
      store: SemanticStore,
      partition: string,
      prompt: string,
      question: Float32Array,
      ttlMs = 60_000,
      payload = octets(`answer to ${prompt}`),
    ): Promise<boolean> => store.add(partition, { vector: question, prompt, payload }, ttlMs);

    afterEach(async () => {
      for (const { store } of opened.splice(0)) await store.close();
    });

    test("gives again what is near, with prompt and payload as they were", async () => {
      const { store } = await begin();
      const payload = Uint8Array.from({ length: 256 }, (_, i) => i);
      expect(await keep(store, "p", "größe? 😀", at(0), 60_000, payload)).toBe(true);
      const [found] = await near(store, "p", at(5));
      expect(found!.prompt).toBe("größe? 😀");
      expect(found!.payload).toEqual(payload);
      expect(await near(store, "p", at(30))).toEqual([]);
    });

    test("distances are right, whatever the vectors' lengths; the threshold is included", async () => {
      const { store } = await begin();
      await keep(store, "p", "one", at(0, 1e-3));
      for (const degrees of [0, 5, 20, 60, 90, 120, 180]) {
        const [found] = await near(store, "p", at(degrees, 1e4), 2);
        expect(Math.abs(found!.distance - distance(degrees)), `${degrees}`).toBeLessThan(tolerance);
      }
      expect(await near(store, "p", at(20), distance(20) + tolerance)).toHaveLength(1);
      expect(await near(store, "p", at(20), distance(20) - tolerance)).toHaveLength(0);
      expect(await near(store, "p", at(0), 0)).toHaveLength(1);
      expect(await near(store, "p", at(0), -1)).toHaveLength(0);
    });

    test("nearest first, no more than asked for", async () => {
      const { store } = await begin();
      for (const degrees of [40, 10, 50, 20, 30]) await keep(store, "p", `at ${degrees}`, at(degrees));
      expect(await prompts(store, "p", at(0), 2, 3)).toEqual(["at 10", "at 20", "at 30"]);
      expect(await prompts(store, "p", at(0), 2, 100)).toEqual(["at 10", "at 20", "at 30", "at 40", "at 50"]);
      expect(await prompts(store, "p", at(31), distance(12), 100)).toEqual(["at 30", "at 40", "at 20"]);
    });

    test("the same prompt replaces what was there", async () => {
      const { store } = await begin();
      await keep(store, "p", "one", at(0), 60_000, octets("old"));
      await keep(store, "p", "two", at(3));
      await keep(store, "p", "one", at(1), 60_000, octets("new"));
      const found = await near(store, "p", at(0), 0.5, 10);
      expect(found.map(({ prompt, payload }) => [prompt, text(payload)])).toEqual([
        ["one", "new"],
        ["two", "answer to two"],
      ]);
    });

    test("what has expired is not found, what has not is", async () => {
      const { store, pass, slowness = 1 } = await begin();
      await keep(store, "p", "short", at(0), 400 * slowness);
      await keep(store, "p", "long", at(1), 60_000);
      await pass(100 * slowness);
      expect(await prompts(store, "p", at(0), 0.5, 10)).toEqual(["short", "long"]);
      await pass(320 * slowness);
      expect(await prompts(store, "p", at(0), 0.5, 10)).toEqual(["long"]);
      await keep(store, "p", "short", at(0), 60_000);
      expect(await prompts(store, "p", at(0), 0.5, 10)).toEqual(["short", "long"]);
      expect(await keep(store, "p", "never", at(0), 0)).toBe(false);
      expect(await keep(store, "p", "never", at(0), NaN)).toBe(false);
    });

    test("other numbers of dimensions in a partition are in nobody's way", async () => {
      const { store } = await begin();
      await keep(store, "p", "two", vector(1, 0));
      await keep(store, "p", "four", at(0));
      await keep(store, "p", "seventeen", new Float32Array(17).fill(1));
      expect(await prompts(store, "p", vector(1, 0.01), 0.5, 10)).toEqual(["two"]);
      expect(await prompts(store, "p", at(1), 0.5, 10)).toEqual(["four"]);
      expect(await prompts(store, "p", new Float32Array(17).fill(2), 0.5, 10)).toEqual(["seventeen"]);
      expect(await prompts(store, "p", new Float32Array(3).fill(1), 2, 10)).toEqual([]);
      await keep(store, "p", "two", at(90));
      expect(await prompts(store, "p", vector(1, 0.01), 0.5, 10)).toEqual([]);
    });

    test(`${crossings} look-ups across partitions at similarity 1.0 find nothing`, async () => {
      const { store } = await begin();
      const names = [
        "a",
        "A",
        "a ",
        "",
        "a*",
        "a|b",
        "{a}",
        "*",
        "@partition:{a}",
        "a\0",
        "ä",
        "x".repeat(5000),
      ];
      for (const name of names) await keep(store, `own ${name}`, name, at(0));
      let wrong = 0;
      // Every third partition has an entry of its own at the very same place.
      const look = async (i: number): Promise<void> => {
        const name = names[i % names.length]!;
        const isOwn = i % 3 === 0;
        const found = await store.find(isOwn ? `own ${name}` : `${name}${i}`, at(0), 2, 10);
        const prompts = found.state === "answered" ? found.near.map(({ prompt }) => prompt) : ["none"];
        if (prompts.join("\n") !== (isOwn ? name : "")) wrong++;
      };
      for (let i = 0; i < crossings; i += 200)
        await Promise.all(Array.from({ length: Math.min(200, crossings - i) }, (_, k) => look(i + k)));
      expect(wrong).toBe(0);
    }, 120_000);

    test.each<[string, Float32Array]>([
      ["no dimension", vector()],
      ["zeros", vector(0, 0, 0, 0)],
      ["NaN", vector(1, NaN, 0, 0)],
      ["infinite", vector(1, Infinity, 0, 0)],
      ["a million dimensions", new Float32Array(1_000_000).fill(1)],
    ])("a vector of %s is not kept, and nothing is near it", async (_name, odd) => {
      const { store } = await begin();
      await keep(store, "p", "sane", at(0));
      expect(await keep(store, "p", "odd", odd)).toBe(false);
      expect(await near(store, "p", odd, 2, 10)).toEqual([]);
      expect(await prompts(store, "p", at(0), 2, 10)).toEqual(["sane"]);
    });

    test("the largest and the smallest floats point somewhere, too", async () => {
      const { store } = await begin();
      await keep(store, "p", "large", vector(3e38, 3e38, 0, 0));
      await keep(store, "p", "small", vector(0, 1e-42, 1e-42, 0));
      expect(await prompts(store, "p", at(45), 0.1, 10)).toEqual(["large"]);
      expect(await prompts(store, "p", vector(0, 1, 1, 0), 0.1, 10)).toEqual(["small"]);
    });

    test("empty and odd texts are texts; empty payloads are payloads; too large ones are refused", async () => {
      const { store } = await begin();
      const odd = ["", "\0", "\r\n*1\r\n", "a\ud800b", "x".repeat(100_000)];
      for (const [i, prompt] of odd.entries())
        expect(await keep(store, `p${i}`, prompt, at(0), 60_000, octets(""))).toBe(true);
      for (const [i, prompt] of odd.entries()) {
        const [found] = await near(store, `p${i}`, at(0));
        expect([found!.prompt, found!.payload.length]).toEqual([prompt.replace("\ud800", "\ufffd"), 0]);
      }
      expect(await keep(store, "p", "huge", at(0), 60_000, new Uint8Array(300 * 1024 * 1024))).toBe(false);
      const [found] = await near(store, "p0", at(0));
      expect(found!.prompt).toBe("");
    });

    test("limits that make no sense find nothing and harm nothing", async () => {
      const { store } = await begin();
      await keep(store, "p", "one", at(0));
      for (const limit of [0, -1, NaN]) expect(await near(store, "p", at(0), 1, limit)).toEqual([]);
      expect(await near(store, "p", at(0), NaN, 1)).toEqual([]);
      expect(await near(store, "p", at(0), Infinity, 1e9)).toHaveLength(1);
    });

    test("clears one partition, or all", async () => {
      const { store } = await begin();
      for (const partition of ["a", "b", "c"]) await keep(store, partition, "one", at(0));
      await store.clear("a");
      const counts = async (): Promise<number[]> =>
        Promise.all(["a", "b", "c"].map(async (partition) => (await near(store, partition, at(0))).length));
      expect(await counts()).toEqual([0, 1, 1]);
      await store.clear();
      expect(await counts()).toEqual([0, 0, 0]);
      await keep(store, "a", "one", at(0));
      expect(await counts()).toEqual([1, 0, 0]);
    });

    test.skipIf(bounded === null)("keeps within its bound: the oldest go first", async () => {
      const one = await bounded!(200_000);
      opened.push(one);
      const { store } = one;
      const payload = new Uint8Array(10_000);
      for (let i = 0; i < 60; i++)
        expect(await keep(store, i % 2 === 0 ? "even" : "odd", `${i}`, at(i), 60_000, payload)).toBe(true);
      const left = [
        ...(await prompts(store, "even", at(0), 2, 100)),
        ...(await prompts(store, "odd", at(0), 2, 100)),
      ].map(Number);
      expect(left.length).toBeGreaterThan(10);
      expect(left.length).toBeLessThanOrEqual(20);
      expect(left.sort((a, b) => a - b)).toEqual(left.map((_, i) => 60 - left.length + i));
      expect(await keep(store, "even", "too large", at(0), 60_000, new Uint8Array(250_000))).toBe(false);
    });

    test("once it is closed nothing is found, and nobody waits", async () => {
      const { store } = await begin();
      await keep(store, "p", "one", at(0));
      await store.close();
      await store.close();
      const found = await store.find("p", at(0), 1, 1);
      expect(found.state === "answered" ? found.near : []).toEqual([]);
    });
  });
}
