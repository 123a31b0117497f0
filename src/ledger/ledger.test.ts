import { appendFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { NOON, type TestLedger, record, testLedger } from "./ledger.fixture.ts";
import { encodeRecord } from "./line.ts";
import type { LedgerRecord } from "./record.ts";
import { segmentName } from "./segment.ts";
import type { SearchQuery } from "./query.ts";

/** For cases that do not mind each other. */
let shared: TestLedger;
beforeAll(() => void (shared = testLedger()));
afterAll(() => shared.close());

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

const said = (requestId: string, request: string | null, response: string | null, part = 0) => ({
  requestId,
  part,
  request,
  response,
  requestTruncated: false,
  responseTruncated: false,
});

describe("a record comes back as it went in", () => {
  const cases: Record<string, Partial<LedgerRecord>> = {
    "with everything": {},
    "with nothing": {
      firstByteMs: null,
      api: null,
      operation: null,
      product: null,
      subscription: null,
      user: null,
      workspace: null,
      backend: null,
      modelAsked: null,
      deployment: null,
      modelServed: null,
      apiVersion: null,
      answerId: null,
      finishReason: null,
      error: null,
      costMicros: null,
      price: null,
    },
    "of a session's part": { part: 7, workspace: "w", deployment: "d", apiVersion: "2026-01-01", error: "x" },
    "with odd names": { api: "é\n\"'%_", user: "日本", modelAsked: "😀", answerId: "\u2028" },
    "with large numbers": { promptTokens: 1e9, totalTokens: 1e9, costMicros: 1e12, attempts: 99 },
    "that cost nothing": { costMicros: 0, durationMs: 0, firstByteMs: 0 },
  };
  test.each(Object.entries(cases))("%s", async (name, given) => {
    const one = record({ ...given, requestId: name });
    shared.ledger.append(one);
    const { rows } = await shared.ledger.search({ requestId: name });
    expect(rows).toEqual([{ ...one, seq: expect.any(Number), hasContents: false }]);
  });
});

describe("hostile values", () => {
  const cases: [Partial<Record<keyof LedgerRecord, unknown>>, Partial<LedgerRecord>][] = [
    [{ modelAsked: "a\0b" }, { modelAsked: "a\u{fffd}b" }],
    [{ modelAsked: "\ud800x" }, { modelAsked: "\u{fffd}x" }],
    [{ answerId: "y".repeat(2 * 1024 * 1024) }, { answerId: "y".repeat(256) }],
    [{ promptTokens: Number.NaN }, { promptTokens: 0 }],
    [{ promptTokens: Infinity }, { promptTokens: 0 }],
    [{ promptTokens: -5 }, { promptTokens: -5 }],
    [
      { completionTokens: -1e300, costMicros: -1e300 },
      { completionTokens: -1e9, costMicros: -1e12 },
    ],
    [{ cachedTokens: -0.5 }, { cachedTokens: 0 }],
    [{ chargedTokens: -5 }, { chargedTokens: 0 }],
    [{ promptTokens: 1.5 }, { promptTokens: 1 }],
    [{ promptTokens: Number.MAX_SAFE_INTEGER }, { promptTokens: 1e9 }],
    [{ timeMs: 9e15 }, { timeMs: 4_102_444_800_000 }],
    [{ durationMs: 1.23456789 }, { durationMs: 1.235 }],
    [{ error: {} }, { error: null }],
  ];
  test.each(cases.map((one, i) => [i, ...one] as const))("%i %j", async (i, given, expected) => {
    const requestId = `hostile ${i}`;
    shared.ledger.append(record({ ...(given as Partial<LedgerRecord>), requestId }));
    const { rows } = await shared.ledger.search({ requestId });
    expect(rows).toMatchObject([expected]);
  });
});

describe("search", () => {
  const rows: Partial<LedgerRecord>[] = [
    { requestId: "a", timeMs: NOON },
    {
      requestId: "b",
      timeMs: NOON + 1000,
      status: 429,
      ending: "refused",
      subscription: "team-b",
      totalTokens: 0,
    },
    { requestId: "c", timeMs: NOON + 2000, status: 404, ending: "upstream-error", api: "other" },
    { requestId: "d", timeMs: NOON + 3000, modelAsked: "o3", modelServed: "o3-2026", totalTokens: 900 },
    {
      requestId: "e",
      timeMs: NOON + 4000,
      modelAsked: null,
      modelServed: null,
      deployment: "mine",
      user: "bob",
    },
    { requestId: "f", timeMs: NOON + 5000, status: 500, evidence: "none", backend: "west", product: "gold" },
    { requestId: "f", part: 1, timeMs: NOON + 5000, workspace: "w1" },
  ];
  const cases: [SearchQuery, string][] = [
    [{}, "f1 f0 e0 d0 c0 b0 a0"],
    [{ limit: 2 }, "f1 f0"],
    [{ from: NOON + 1000, to: NOON + 3000 }, "c0 b0"],
    [{ from: NOON + 9000 }, ""],
    [{ from: NOON + 3000, to: NOON }, ""],
    [{ api: "other" }, "c0"],
    [{ api: "o*" }, "f1 f0 e0 d0 c0 b0 a0"],
    [{ api: "nothing" }, ""],
    [{ subscription: "team-b" }, "b0"],
    [{ product: "gold" }, "f0"],
    [{ user: "bob" }, "e0"],
    [{ workspace: "w1" }, "f1"],
    [{ backend: "west" }, "f0"],
    [{ model: "gpt-4o" }, "f1 f0 c0 b0 a0"],
    [{ model: "gpt-4o-2024-08-06" }, "f1 f0 c0 b0 a0"],
    [{ model: "o3*" }, "d0"],
    [{ model: "mine" }, "e0"],
    [{ status: 429 }, "b0"],
    [{ status: "4xx" }, "c0 b0"],
    [{ status: "5XX" }, "f0"],
    [{ status: "odd" }, ""],
    [{ ending: "refused" }, "b0"],
    [{ evidence: "none" }, "f0"],
    [{ minTokens: 100 }, "d0"],
    [{ requestId: "f" }, "f1 f0"],
    [{ requestId: "f", status: 500 }, "f0"],
    [{ model: "gpt-*", status: "4xx", api: "openai" }, "b0"],
    [{ text: "refund policy" }, "d0 a0"],
    [{ text: "REFUND" }, "d0 a0"],
    [{ text: "refu" }, ""],
    [{ text: "refu*" }, "d0 a0"],
    [{ text: "policy refund" }, ""],
    [{ text: "second line" }, "a0"],
    [{ text: "款政" }, "d0"],
    [{ text: "cafe" }, "a0"],
    [{ text: "user" }, ""],
    [{ text: "refund", model: "o3" }, "d0"],
    [{ text: "refund", to: NOON + 1 }, "a0"],
    [{ text: "refund", requestId: "a" }, "a0"],
    [{ text: "refund", requestId: "b" }, ""],
    [{ text: '" OR refund' }, ""],
    [{ text: 'a"b' }, "a0"],
    [{ text: "*" }, ""],
    [{ text: "" }, ""],
    [{ text: "\0\ud800" }, ""],
    [{ text: "broken" }, "c0"],
  ];
  test.each(cases)("%j", async (query, expected) => {
    const page = await filled.ledger.search(query);
    expect(page.rows.map(({ requestId, part }) => `${requestId}${part}`).join(" ")).toBe(expected);
  });

  let filled: TestLedger;
  beforeAll(() => {
    filled = testLedger();
    const { ledger } = filled;
    for (const row of rows) ledger.append(record(row));
    const ask = (text: string): string => JSON.stringify([{ role: "user", content: text }]);
    ledger.addContents(said("a", ask("The refund policy?\nsecond line"), ask('café a"b')));
    ledger.addContents(said("d", null, ask("Our refund policy: 退款政策")));
    ledger.addContents(said("c", '[{"role":"user","content":"cut\\nbroken', null));
  });
  afterAll(() => filled.close());

  test("pages join without gap or overlap, also within a millisecond", async () => {
    const { ledger } = opened();
    for (let i = 0; i < 25; i++)
      ledger.append(record({ requestId: `r${i}`, timeMs: NOON + Math.floor(i / 10) }));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await ledger.search({ limit: 4, cursor });
      seen.push(...page.rows.map(({ requestId }) => requestId));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => `r${24 - i}`));
  });

  test("pages of what a seldom name, model or status has, over hours", async () => {
    const { ledger } = opened();
    const rows = Array.from({ length: 400 }, (_, i) => ({
      requestId: `r${i}`,
      timeMs: NOON + i * 9000 + (i % 3) * 40_000,
      user: i % 7 === 0 ? "ada" : "bob",
      modelServed: i % 11 === 0 ? "o3" : "gpt-4o",
      status: i % 5 === 0 ? 500 : 200,
    }));
    for (const row of rows) ledger.append(record(row));
    const all = async (query: SearchQuery): Promise<string[]> => {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await ledger.search({ ...query, limit: 3, cursor });
        seen.push(...page.rows.map(({ requestId }) => requestId));
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      return seen;
    };
    const expected = (holds: (row: (typeof rows)[number]) => boolean): string[] =>
      rows
        .filter(holds)
        .sort((a, b) => b.timeMs - a.timeMs || rows.indexOf(b) - rows.indexOf(a))
        .map(({ requestId }) => requestId);
    expect(await all({ user: "ada" })).toEqual(expected(({ user }) => user === "ada"));
    expect(await all({ model: "o3", status: "5xx" })).toEqual(
      expected(({ modelServed, status }) => modelServed === "o3" && status === 500),
    );
    const [from, to] = [NOON + 1_000_001, NOON + 2_000_001];
    expect(await all({ user: "a*", from, to })).toEqual(
      expected(({ user, timeMs }) => user === "ada" && timeMs >= from && timeMs < to),
    );
  });

  test("more in one millisecond than there are places for", async () => {
    const { ledger } = opened();
    for (let i = 0; i < 2100; i++) ledger.append(record({ requestId: `r${i}` }));
    await ledger.flush();
    expect((await ledger.search({ limit: 1000 })).rows).toHaveLength(1000);
    expect(ledger.stats().store).toMatchObject({ imported: 2100, unreadable: 0 });
  });
});

describe("tail", () => {
  test("what arrived since, also what began long ago", async () => {
    const { ledger } = opened();
    ledger.append(record({ requestId: "a" }));
    const { last } = await ledger.tail({});
    ledger.append(record({ requestId: "late", timeMs: NOON - 3_600_000 }));
    ledger.append(record({ requestId: "b", status: 500 }));
    const tail = await ledger.tail({ after: last });
    expect(tail.rows.map(({ requestId }) => requestId)).toEqual(["late", "b"]);
    expect((await ledger.tail({ after: tail.last })).rows).toEqual([]);
    expect((await ledger.tail({ after: last, status: "5xx" })).rows).toHaveLength(1);
    const first = await ledger.tail({ after: last, limit: 1 });
    expect((await ledger.tail({ after: first.last })).rows.map(({ requestId }) => requestId)).toEqual(["b"]);
  });
});

describe("contents", () => {
  const MB = 1024 * 1024;
  test.each([
    ["plain", "a text", { text: "a text", truncated: false }],
    ["empty", "", { text: "", truncated: false }],
    ["none", null, null],
    ["NUL", "a\0b", { text: "a\0b", truncated: false }],
    ["half a pair", "a\ud800b", { text: "a\u{fffd}b", truncated: false }],
    ["2 MB", "x".repeat(2 * MB), { text: "x".repeat(2 * MB), truncated: false }],
    ["more than 2 MB", "x".repeat(2 * MB + 1), { text: "x".repeat(2 * MB), truncated: true }],
    [
      "more than 2 MB of wide characters",
      "€".repeat(MB),
      { text: "€".repeat(Math.floor((2 * MB) / 3)), truncated: true },
    ],
    [
      "wide characters over the edge of a piece",
      `x${"😀".repeat(20_000)}`,
      { text: `x${"😀".repeat(20_000)}`, truncated: false },
    ],
  ])("%s", async (name, text, expected) => {
    const requestId = `contents ${name}`;
    shared.ledger.append(record({ requestId }));
    shared.ledger.addContents(said(requestId, text, "answer"));
    const [read] = await shared.ledger.contents(requestId);
    expect(read!.request).toEqual(expected);
    expect(read!.response).toEqual({ text: "answer", truncated: false });
  });

  test("of a session, part by part; truncated where the caller had cut", async () => {
    const { ledger } = opened();
    for (const part of [1, 2, 3]) ledger.append(record({ part }));
    ledger.addContents({ ...said("r-1", "a", "b", 1), responseTruncated: true });
    ledger.addContents(said("r-1", null, "c", 3));
    expect(await ledger.contents("r-1")).toEqual([
      { part: 1, request: { text: "a", truncated: false }, response: { text: "b", truncated: true } },
      { part: 3, request: null, response: { text: "c", truncated: false } },
    ]);
    expect(await ledger.contents("nobody")).toEqual([]);
  });

  test("of a request that nobody recorded are counted, not kept", async () => {
    const { ledger } = opened();
    ledger.addContents(said("r-1", "a", "b"));
    await ledger.flush();
    expect(ledger.stats().store).toMatchObject({ contents: 0, orphans: 1 });
  });

  test("a full queue gives up the oldest and counts them", async () => {
    const { ledger } = opened({ mostContents: 3 });
    for (let i = 0; i < 5; i++) {
      ledger.append(record({ requestId: `r${i}` }));
      ledger.addContents(said(`r${i}`, `text ${i}`, null));
    }
    await ledger.flush();
    expect(ledger.stats().dropped.contents).toMatchObject({ queue_full: 2 });
    const { rows } = await ledger.search({});
    expect(rows.map(({ hasContents }) => hasContents)).toEqual([true, true, true, false, false]);
  });
});

describe("the journal", () => {
  const journalOf = ({ folder }: TestLedger): string => {
    mkdirSync(join(folder, "journal"), { recursive: true });
    return join(folder, "journal");
  };
  const foreign = (number: number, pid = 2 ** 22 + 1): string =>
    segmentName({ kind: "records", host: hostOf(), pid, instance: "0123456789ab", number });
  /** This machine's name as files bear it. */
  function hostOf(): string {
    const one = opened();
    one.ledger.append(record());
    return readdirSync(journalOf(one))[0]!.split(".")[1]!;
  }

  test("what an ended process left is stored; a torn line is not, and the file goes", async () => {
    const one = opened();
    await one.ledger.close();
    const name = foreign(1);
    const whole = encodeRecord(record({ requestId: "whole" }));
    writeFileSync(join(journalOf(one), name), `${whole}garbage\n[2,"later version"]\n${whole.slice(0, 40)}`);
    const ledger = one.again();
    await ledger.flush();
    expect((await ledger.search({})).rows.map(({ requestId }) => requestId)).toEqual(["whole"]);
    expect(ledger.stats().store).toMatchObject({ imported: 1, unreadable: 2 });
    expect(readdirSync(journalOf(one))).not.toContain(name);
  });

  test("the same lines twice are stored once", async () => {
    const one = opened();
    const lines = Array.from({ length: 50 }, (_, i) => encodeRecord(record({ requestId: `r${i}` }))).join("");
    await one.ledger.close();
    for (const number of [1, 2]) writeFileSync(join(journalOf(one), foreign(number)), lines);
    const ledger = one.again();
    await ledger.flush();
    expect(ledger.stats().store).toMatchObject({ imported: 50 });
    const { rows } = await ledger.rollup({ from: 0, to: 4e12 });
    expect(rows).toMatchObject([{ requests: 50, promptTokens: 500 }]);
  });

  test("a live process's file is read as it grows, and left to it", async () => {
    const one = opened();
    await one.ledger.close();
    const name = foreign(1, process.ppid);
    const file = join(journalOf(one), name);
    writeFileSync(file, encodeRecord(record({ requestId: "a" })));
    const first = one.again();
    await first.flush();
    await first.close();
    appendFileSync(file, encodeRecord(record({ requestId: "b" })));
    const second = one.again();
    await second.flush();
    expect((await second.search({})).rows).toHaveLength(2);
    expect(second.stats().store).toMatchObject({ imported: 1 });
    expect(readFileSync(file, "utf8").split("\n")).toHaveLength(3);
  });

  test("two ledgers on one folder store all of both", async () => {
    const one = opened();
    const other = one.again();
    for (let i = 0; i < 200; i++) {
      one.ledger.append(record({ requestId: `a${i}` }));
      other.append(record({ requestId: `b${i}` }));
    }
    await Promise.all([one.ledger.flush(), other.flush()]);
    const { rows } = await one.ledger.rollup({ from: 0, to: 4e12 });
    expect(rows).toMatchObject([{ requests: 400 }]);
  });

  test("rows survive the end of the process without a flush", async () => {
    const one = opened();
    for (let i = 0; i < 10; i++) one.ledger.append(record({ requestId: `r${i}` }));
    const ledger = one.again();
    expect((await ledger.search({})).rows).toHaveLength(10);
  });

  test("a damaged database is set aside and begun anew", async () => {
    const one = opened();
    one.ledger.append(record());
    await one.ledger.close();
    writeFileSync(join(one.folder, "ledger.db"), "this is no database, whatever its name says".repeat(100));
    const ledger = one.again();
    ledger.append(record({ requestId: "new" }));
    expect((await ledger.search({})).rows.map(({ requestId }) => requestId)).toEqual(["new"]);
    expect(ledger.stats().store?.setAside).toContain("damaged");
  });
});

test("after close nothing is taken, and that is counted", async () => {
  const { ledger } = opened();
  ledger.append(record());
  await ledger.close();
  ledger.append(record({ requestId: "late" }));
  ledger.addContents(said("late", "a", "b"));
  expect(ledger.stats()).toMatchObject({
    appended: 2,
    written: 1,
    dropped: { records: { closed: 1 }, contents: { closed: 1 } },
  });
});

test("a ledger that nobody uses starts nothing", async () => {
  const one = opened();
  await one.ledger.close();
  expect(readdirSync(one.folder)).toEqual([]);
});
