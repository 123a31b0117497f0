import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { NOON, type TestLedger, record, testLedger } from "./ledger.fixture.ts";
import { DIMENSIONS, type Dimension, type LedgerRow, type RollupRow, STEPS, type StepName } from "./query.ts";
import type { LedgerRecord } from "./record.ts";
import { isError } from "./store/rollups.ts";

let open: TestLedger[] = [];
afterEach(async () => {
  for (const one of open) await one.close();
  open = [];
});

function opened(...args: Parameters<typeof testLedger>): TestLedger {
  const one = testLedger(...args);
  open.push(one);
  return one;
}

const HOUR = STEPS.hour;
const DAY = STEPS.day;

const name = fc.constantFrom("a", "b", null);
const count = fc.nat(100_000);
const records = fc.array(
  fc.record({
    timeMs: fc.integer({ min: NOON - DAY, max: NOON + DAY }),
    durationMs: fc.integer({ min: 0, max: 5_000_000 }).map((us) => us / 1000),
    api: name,
    product: name,
    subscription: name,
    backend: name,
    modelAsked: name,
    modelServed: name,
    status: fc.constantFrom(200, 429, 499, 500),
    ending: fc.constantFrom("finished" as const, "stalled" as const, "upstream-reset" as const),
    evidence: fc.constantFrom("reported" as const, "counted" as const, "estimated" as const, "none" as const),
    stream: fc.boolean(),
    promptTokens: count,
    completionTokens: count,
    totalTokens: count,
    cachedTokens: count,
    cacheWriteTokens: count,
    reasoningTokens: count,
    promptAudioTokens: count,
    completionAudioTokens: count,
    chargedTokens: count,
    costMicros: fc.option(count),
  }),
  { minLength: 1, maxLength: 60 },
);

/** What a roll-up must say, from the rows themselves. */
function summed(
  rows: readonly LedgerRow[],
  by: readonly Dimension[],
  step: StepName | undefined,
): Partial<RollupRow>[] {
  const groups = new Map<string, { of: Partial<RollupRow>; rows: LedgerRow[] }>();
  for (const row of rows) {
    const time = step === undefined ? null : Math.floor(row.timeMs / STEPS[step]) * STEPS[step];
    const keys: Record<Dimension, string | null> = {
      subscription: row.subscription,
      product: row.product,
      api: row.api,
      model: row.modelServed ?? row.modelAsked,
      backend: row.backend,
    };
    const of = { time, ...Object.fromEntries(by.map((dimension) => [dimension, keys[dimension]])) };
    const key = JSON.stringify(of);
    const group = groups.get(key) ?? { of, rows: [] as LedgerRow[] };
    groups.set(key, group);
    group.rows.push(row);
  }
  return [...groups.values()].map(({ of, rows: own }) => {
    const sum = (read: (row: LedgerRow) => number): number =>
      own.reduce((total, row) => total + read(row), 0);
    const evidence = (kind: string): number => sum((row) => (row.evidence === kind ? 1 : 0));
    return {
      ...of,
      requests: own.length,
      errors: sum((row) => (isError(row.status, row.ending) ? 1 : 0)),
      streams: sum((row) => (row.stream ? 1 : 0)),
      promptTokens: sum((row) => row.promptTokens),
      completionTokens: sum((row) => row.completionTokens),
      totalTokens: sum((row) => row.totalTokens),
      cachedTokens: sum((row) => row.cachedTokens),
      cacheWriteTokens: sum((row) => row.cacheWriteTokens),
      reasoningTokens: sum((row) => row.reasoningTokens),
      promptAudioTokens: sum((row) => row.promptAudioTokens),
      completionAudioTokens: sum((row) => row.completionAudioTokens),
      chargedTokens: sum((row) => row.chargedTokens),
      costMicros: sum((row) => row.costMicros ?? 0),
      unpriced: sum((row) => (row.costMicros === null ? 1 : 0)),
      durationMs: sum((row) => Math.round(row.durationMs * 1000)) / 1000,
      longestMs: Math.max(...own.map((row) => row.durationMs)),
      reported: evidence("reported"),
      counted: evidence("counted"),
      estimated: evidence("estimated"),
      unknown: evidence("none"),
    };
  });
}

const sorted = (rows: readonly object[]): string[] =>
  rows.map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();

test("every roll-up is exactly the sum of its rows, at any time", async () => {
  const { ledger } = opened();
  let id = 0;
  const dimensions = fc.subarray([...DIMENSIONS]);
  const step = fc.constantFrom("minute" as const, "hour" as const, "day" as const, undefined);
  await fc.assert(
    fc.asyncProperty(records, dimensions, step, async (given, by, perStep) => {
      // Into the same ledger, on top of what the runs before have left.
      for (const one of given)
        ledger.append(record({ ...one, requestId: `r${id++}` } as Partial<LedgerRecord>));
      const range = { from: NOON - 2 * DAY, to: NOON + 2 * DAY };
      const rows: LedgerRow[] = [];
      let cursor: string | undefined;
      do {
        const page = await ledger.search({ ...range, limit: 1000, cursor });
        rows.push(...page.rows);
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      expect(rows).toHaveLength(id);
      const rollup = await ledger.rollup({ ...range, by, step: perStep });
      expect(sorted(rollup.rows)).toEqual(sorted(summed(rows, by, perStep)));
    }),
    { numRuns: 25 },
  );
});

describe("time and filters", () => {
  let shared: TestLedger;
  beforeAll(() => {
    shared = testLedger();
    shared.ledger.append(record({ requestId: "1", api: "a" }));
    shared.ledger.append(record({ requestId: "2", api: "a", timeMs: NOON + 90_000 }));
    shared.ledger.append(record({ requestId: "3", api: null, timeMs: NOON + HOUR }));
  });
  afterAll(() => shared.close());

  test.each([
    [{ from: NOON, to: NOON + HOUR }, 2],
    [{ from: NOON, to: NOON + 1 }, 1],
    [{ from: NOON + HOUR, to: NOON + 2 * HOUR }, 1],
    [{ from: NOON - DAY, to: NOON }, 0],
    [{ from: 0, to: 4e12, filters: { api: "a" } }, 2],
    [{ from: 0, to: 4e12, filters: { api: null } }, 1],
    [{ from: 0, to: 4e12, filters: { api: "nothing" } }, 0],
    [{ from: 0, to: 4e12, filters: { api: "a", model: "gpt-4o-2024-08-06" } }, 2],
  ])("%j: %i", async (query, requests) => {
    const { rows } = await shared.ledger.rollup(query);
    expect(rows[0]?.requests ?? 0).toBe(requests);
  });
});

test("models that callers make up are bounded, their rows keep the name, sums stay exact", async () => {
  const { ledger } = opened();
  for (let i = 0; i < 10_100; i++)
    ledger.append(record({ requestId: `r${i}`, modelAsked: `m${i}`, modelServed: null, costMicros: null }));
  await ledger.flush();
  const { rows } = await ledger.rollup({ from: 0, to: 4e12, by: ["model"] });
  expect(rows.find(({ model }) => model === "(other)")!.requests).toBeGreaterThan(90);
  expect((await ledger.rollup({ from: 0, to: 4e12 })).rows).toMatchObject([
    { requests: 10_100, unpriced: 10_100 },
  ]);
  expect((await ledger.search({ requestId: "r10099" })).rows).toMatchObject([{ modelAsked: "m10099" }]);
});

describe("retention", () => {
  test("by age: rows, contents and sums per minute go, sums per hour and day stay", async () => {
    const one = opened({ keepDays: 10 });
    const { ledger } = one;
    for (const days of [0, 9, 11, 50]) {
      const requestId = `${days} days ago`;
      ledger.append(record({ requestId, timeMs: NOON - days * DAY }));
      const said = { requestId, part: 0, requestTruncated: false, responseTruncated: false };
      ledger.addContents({ ...said, request: "hello there", response: null });
    }
    await ledger.flush();
    await ledger.retain();
    const { rows } = await ledger.search({});
    expect(rows.map(({ requestId }) => requestId)).toEqual(["0 days ago", "9 days ago"]);
    expect((await ledger.search({ text: "hello" })).rows).toHaveLength(2);
    expect(await ledger.contents("11 days ago")).toEqual([]);
    const range = { from: NOON - 100 * DAY, to: NOON + DAY };
    expect((await ledger.rollup({ ...range, step: "minute" })).rows).toHaveLength(2);
    expect((await ledger.rollup({ ...range, step: "day" })).rows).toHaveLength(4);
  });

  test("by size: the oldest go, the file gives back what it can", async () => {
    const one = opened({ keepBytes: 2 * 1024 * 1024 });
    const { ledger } = one;
    for (let i = 0; i < 300; i++) {
      const requestId = `r${i}`;
      ledger.append(record({ requestId, timeMs: NOON + i }));
      const said = { requestId, part: 0, requestTruncated: false, responseTruncated: false };
      ledger.addContents({ ...said, request: `text ${i} `.repeat(2000), response: null });
    }
    await ledger.flush();
    for (let i = 0; i < 4; i++) await ledger.retain();
    expect(ledger.stats().store!.databaseBytes).toBeLessThan(2.5 * 1024 * 1024);
    const { rows } = await ledger.search({ limit: 1000 });
    expect(rows[0]!.requestId).toBe("r299");
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.length).toBeLessThan(200);
    await ledger.close();
    expect(readFileSync(join(one.folder, "ledger.db")).length).toBeLessThan(5 * 1024 * 1024);
  });
});

test("the database is whole after all that", async () => {
  const one = opened({ keepDays: 1 });
  for (let i = 0; i < 500; i++) {
    one.ledger.append(record({ requestId: `r${i}`, timeMs: NOON - i * HOUR }));
    const said = { requestId: `r${i}`, part: 0, requestTruncated: false, responseTruncated: false };
    one.ledger.addContents({ ...said, request: `some text ${i}`, response: null });
  }
  await one.ledger.flush();
  await one.ledger.retain();
  await one.ledger.close();
  const database = new DatabaseSync(join(one.folder, "ledger.db"));
  expect(database.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  database.exec("INSERT INTO texts (texts) VALUES ('integrity-check')");
  const stale = "SELECT count(*) AS n FROM marks WHERE span < (SELECT min(at) >> 25 FROM calls)";
  expect(database.prepare(stale).get()).toEqual({ n: 0 });
  database.close();
});

test("what is too old goes without anything new, and after a quiet hour the ledger rests", async () => {
  const one = opened({ keepDays: 1 });
  one.ledger.append(record({ requestId: "old", timeMs: NOON }));
  await one.ledger.close();

  const slow: { ms: number; run: () => void }[] = [];
  const clock = {
    now: () => NOON + 3 * DAY,
    monotonic: () => performance.now(),
    after: (ms: number, run: () => void) => {
      if (ms >= 60_000) {
        slow.push({ ms, run });
        return () => {};
      }
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  const ledger = one.again({ clock, keepDays: 1 });
  /** Lets the timer that was set last run out, and waits for the next one. */
  const pass = async (): Promise<number> => {
    const { length } = slow;
    slow.at(-1)!.run();
    await vi.waitFor(() => expect(slow.length).toBeGreaterThan(length), 20_000);
    return slow.at(-1)!.ms;
  };
  expect(await pass()).toBe(3_600_000);
  expect(ledger.stats().store).toMatchObject({ imported: 0 });
  expect((await ledger.search({})).rows).toEqual([]);
  // Somebody has asked: it is looked after again, until nobody does.
  expect(slow.at(-1)!.ms).toBe(60_000);
  expect(await pass()).toBe(60_000);
  expect(await pass()).toBe(3_600_000);
  ledger.append(record({ requestId: "new", timeMs: NOON + 3 * DAY }));
  expect((await ledger.search({})).rows).toHaveLength(1);
});
