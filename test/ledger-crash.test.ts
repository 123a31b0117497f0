import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../src/base/system-clock.ts";
import { Ledger } from "../src/ledger/index.ts";

/** How often the process is killed; KILL_ROUNDS=20 for a release. */
const ROUNDS = Number(process.env["KILL_ROUNDS"] ?? 4);
/** Each round is killed after another number of records: while the first are written, stored, or files change. */
const KILL_AFTER = [1, 700, 2500, 6000];

const folder = mkdtempSync(join(tmpdir(), "headgate-ledger-crash-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a writer until it has taken so many records, then kills it. @returns what it said it had taken */
function killed(round: number): Promise<string[]> {
  const enough = KILL_AFTER[round % KILL_AFTER.length]! + round;
  const child = spawn(process.execPath, [join(import.meta.dirname, "ledger-crash.ts"), folder, `r${round}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve) => {
    let said = "";
    let lines = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      const text = chunk.toString();
      said += text;
      lines += text.split("\n").length - 1;
      if (lines >= enough) child.kill("SIGKILL");
    });
    // The line that was being written when it was killed says nothing.
    child.on("close", () => resolve(said.split("\n").slice(0, -1)));
  });
}

test(`killed ${ROUNDS} times under load: every record that was taken is there once, sums agree`, async () => {
  const taken: string[] = [];
  for (let round = 0; round < ROUNDS; round++) taken.push(...(await killed(round)));

  const clock = systemClock(
    () => Date.now(),
    () => performance.now(),
  );
  const ledger = Ledger.open(folder, { clock, pid: process.pid });
  await ledger.flush();
  const { rows } = await ledger.rollup({ from: 0, to: 4e12 });
  const { unreadable } = ledger.stats().store!;
  await ledger.close();

  const database = new DatabaseSync(join(folder, "ledger.db"));
  const stored = database.prepare("SELECT request_id FROM calls").all() as { request_id: string }[];
  expect(database.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  database.close();

  const ids = new Set(stored.map(({ request_id }) => request_id));
  expect(taken.length).toBeGreaterThan(ROUNDS);
  expect(taken.filter((id) => !ids.has(id))).toEqual([]);
  // What the last write of a process took, but the process was not there any more to say so.
  expect(stored.length - taken.length).toBeLessThanOrEqual(ROUNDS);
  expect(rows).toMatchObject([{ requests: stored.length, promptTokens: 10 * stored.length }]);
  expect(unreadable).toBe(0);
}, 60_000);
