import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { quotasSuite, said } from "./counters.suite.ts";
import { WEDNESDAY, at, claimOf, holdsSuite, newStory, saidOf } from "./holds.suite.ts";
import { MemoryHolds } from "./memory-holds.ts";
import { SqliteQuotas } from "./sqlite-quotas.ts";

const folder = mkdtempSync(join(tmpdir(), "headgate-quotas-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = (): string => join(folder, `${files++}.db`);

quotasSuite("sqlite", () => {
  const counters = new SqliteQuotas(newFile());
  return { counters, at: (ms) => ms, close: () => counters.close() };
});

holdsSuite("sqlite", () => {
  const totals = new SqliteQuotas(newFile());
  return { holds: new MemoryHolds(totals), close: () => totals.close() };
});

test("what was settled is there after a restart, what was held is not", () => {
  newStory();
  const file = newFile();
  const before = new SqliteQuotas(file);
  const claims = [claimOf(["month", "q", 100, 40, 40])];
  const holds = new MemoryHolds(before);
  const [one, other] = [holds.reserve(claims, at(0)), holds.reserve(claims, at(0))];
  if (one.state !== "taken" || other.state !== "taken") throw new Error("not taken");
  one.hold.settle(33, at(1));
  before.close();
  const after = new SqliteQuotas(file);
  expect(saidOf(new MemoryHolds(after).reserve(claims, at(2)))).toBe("taken 33 held 40");
  after.close();
});

test("settled while the file cannot be written: counted, and written later", () => {
  newStory();
  const file = newFile();
  const totals = new SqliteQuotas(file);
  const holds = new MemoryHolds(totals);
  const settle = (cost: number, second: number): string => {
    const answer = holds.reserve([claimOf(["hour", "q", 1000, 0, 10])], at(second));
    if (answer.state === "taken") answer.hold.settle(cost, at(second));
    return saidOf(answer);
  };
  expect(settle(100, 0)).toBe("taken 0 held 10");
  const holder = new DatabaseSync(file);
  holder.exec("BEGIN IMMEDIATE");
  expect(settle(10, 1)).toBe("taken 100 held 10");
  expect(settle(10, 2)).toBe("taken 110 held 10");
  holder.exec("ROLLBACK");
  holder.close();
  for (let i = 0; i < 70; i++) settle(1, 3);
  expect(settle(0, 4)).toBe("taken 190 held 10");
  totals.close();
  const after = new SqliteQuotas(file);
  const [key] = [claimOf(["hour", "q", 0, 0, 0]).key];
  expect(after.totalOf(key)).toEqual({ startMs: WEDNESDAY, used: 190 });
  after.close();
});

const claim = (limit: number, cost = 1) => ({ key: "k", limit, cost, anchorMs: 0, periodMs: 300_000 });

test("counts are there after a restart", () => {
  const file = newFile();
  const before = new SqliteQuotas(file);
  expect(said(before.take([claim(3)], 1000))).toBe("taken 2");
  before.add(claim(3), 1000);
  before.close();
  const after = new SqliteQuotas(file);
  expect(said(after.take([claim(3)], 2000))).toBe("taken 0");
  expect(said(after.take([claim(3)], 2000))).toBe("refused 0 298");
  after.close();
});

test("two processes on one file count together", () => {
  const file = newFile();
  const [one, other] = [new SqliteQuotas(file), new SqliteQuotas(file)];
  const states = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? one : other).take([claim(7)], 0).state);
  expect(states.filter((state) => state === "taken")).toHaveLength(7);
  one.close();
  other.close();
});

test("a file that cannot be written: counted on top of what it said last, told once, written later", () => {
  const file = newFile();
  const failures: string[] = [];
  const quotas = new SqliteQuotas(file, (error) => void failures.push(error.message));
  expect(said(quotas.take([claim(6, 4)], 0))).toBe("taken 2");
  const holder = new DatabaseSync(file);
  holder.exec("BEGIN IMMEDIATE");
  expect(said(quotas.take([claim(6)], 0))).toBe("taken 1");
  quotas.add(claim(6), 0);
  expect(said(quotas.take([claim(6)], 0))).toBe("refused 0 300");
  expect(failures).toEqual(["database is locked"]);
  holder.exec("ROLLBACK");
  holder.close();
  for (let i = 0; i < 64; i++) expect(quotas.take([claim(6)], 0).state).toBe("refused");
  quotas.close();
  const after = new SqliteQuotas(file);
  expect(said(after.take([claim(7)], 0))).toBe("taken 0");
  after.close();
});

// The child admits a call by writing a line after it was counted; the parent kills it in the middle.
const CHILD = `
  import { SqliteQuotas } from ${JSON.stringify(new URL("./sqlite-quotas.ts", import.meta.url).href)};
  const quotas = new SqliteQuotas(process.argv[1]);
  const { writeSync } = await import("node:fs");
  for (;;) {
    const answer = quotas.take([{ key: "k", limit: 1e9, cost: 1, anchorMs: 0, periodMs: 0 }], 0);
    if (answer.state === "taken") writeSync(1, "+");
  }`;

test("no admitted call is lost in 20 × kill -9", async () => {
  const file = newFile();
  let admitted = 0;
  for (let round = 0; round < 20; round++) {
    admitted += await new Promise<number>((resolve, reject) => {
      const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", CHILD, file], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let seen = 0;
      child.stdout.on("data", (chunk: Buffer) => {
        seen += chunk.length;
        // A different moment each time, counted in calls and not in time.
        if (seen > 50 + round * 37) child.kill("SIGKILL");
      });
      child.on("error", reject);
      child.on("close", () => resolve(seen));
    });
    const quotas = new SqliteQuotas(file);
    const answer = quotas.take([{ key: "k", limit: 1e9, cost: 0, anchorMs: 0, periodMs: 0 }], 0);
    quotas.close();
    const counted = answer.state === "taken" ? 1e9 - answer.remaining : -1;
    // At most the one call that was counted but not yet told.
    expect(counted).toBeGreaterThanOrEqual(admitted);
    expect(counted).toBeLessThanOrEqual(admitted + 1 + round);
  }
}, 30_000);
