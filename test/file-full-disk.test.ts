/** rows of a logger of type `file` on a disk that fills up, and has room again. Needs the right to mount one. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { FakeClock } from "../src/gateway/testing.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import { Loggers } from "../src/telemetry/loggers.ts";
import { createClient } from "../src/transport/node/index.ts";

const disk = mkdtempSync(join(tmpdir(), "headgate-small-disk-"));
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]).status === 0;
afterAll(() => {
  if (mounted) spawnSync("umount", ["-l", disk]);
  rmSync(disk, { recursive: true, force: true });
});

const LOGGER: Logger = {
  kind: "file",
  id: "rows",
  type: "file",
  key: "k",
  settings: { path: "rows", maxFileBytes: 64 * 1024 * 1024, keepDays: 30, keepFiles: 100 },
};

test.skipIf(!mounted)("written + dropped = produced, exactly, and no line is cut", async () => {
  const filler = join(disk, "filler");
  writeFileSync(filler, Buffer.alloc(6 * 1024 * 1024));
  const clock = new FakeClock();
  const client = createClient();
  const world = { client, clock, random: () => 0.5, report: () => {}, azureToken: () => "", dataDir: disk };
  const loggers = new Loggers(world);
  let produced = 0;
  const produce = (count: number): void => {
    for (let i = 0; i < count; i++)
      loggers.sendRow(LOGGER, {
        category: "GatewayLogs",
        timeMs: clock.now(),
        correlationId: "c",
        columns: { N: produced++, Text: "x".repeat(400) },
      });
  };
  // 2 MB of room for some 14 MB.
  for (let i = 0; i < 30; i++) {
    produce(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => loggers.failing, { timeout: 10_000 }).toBe(1);
  expect(loggers.totals.waiting).toBeLessThanOrEqual(10_000);
  rmSync(filler);
  const waits = (): number => {
    clock.advance(1000);
    return loggers.totals.waiting;
  };
  await expect.poll(waits, { timeout: 10_000, interval: 10 }).toBe(0);
  const { added, sent, dropped } = loggers.totals;
  expect({ added, all: sent + dropped }).toEqual({ added: produced, all: produced });
  expect(dropped).toBeGreaterThan(0);
  loggers.close();
  await client.close();
  const folder = join(disk, "rows");
  const numbers = readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { N: number }).N),
  );
  expect(numbers.length).toBe(sent);
  expect(new Set(numbers).size).toBe(sent);
});
