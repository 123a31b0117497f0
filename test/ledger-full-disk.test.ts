/** a data folder on a disk of 8 MB that fills up, and has room again. Needs the right to mount one. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../src/base/system-clock.ts";
import { Ledger } from "../src/ledger/index.ts";
import { record } from "../src/ledger/ledger.fixture.ts";

const disk = mkdtempSync(join(tmpdir(), "headgate-small-disk-"));
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]).status === 0;
afterAll(() => {
  if (mounted) spawnSync("umount", ["-l", disk]);
  rmSync(disk, { recursive: true, force: true });
});

test.skipIf(!mounted)(
  "nothing throws, everything is counted, and it recovers by itself",
  async () => {
    const filler = join(disk, "filler");
    writeFileSync(filler, Buffer.alloc(7 * 1024 * 1024));
    const clock = systemClock(
      () => Date.UTC(2026, 5, 1),
      () => performance.now(),
    );
    const folder = join(disk, "ledger");
    const ledger = Ledger.open(folder, { clock, pid: process.pid });
    let number = 0;
    const come = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const requestId = `r${number++}`;
        ledger.append(record({ requestId }));
        const said = { part: 0, response: null, requestTruncated: false, responseTruncated: false };
        ledger.addContents({ ...said, requestId, request: `some text ${i} `.repeat(40) });
      }
      await ledger.flush().catch(() => undefined);
    };
    for (let i = 0; i < 16; i++) await come(250);
    const full = ledger.stats();
    if (full.trouble === null) throw new Error("the disk is not full yet");
    expect(full.dropped.contents.disk_low + full.dropped.contents.disk_full).toBeGreaterThan(0);
    const lost = full.dropped.records.disk_full;
    expect(full.written + full.waiting + lost).toBe(full.appended);

    rmSync(filler);
    await come(10);
    await ledger.flush();
    const after = ledger.stats();
    expect(after).toMatchObject({ waiting: 0, trouble: null, dropped: { records: { disk_full: lost } } });
    const { rows } = await ledger.rollup({ from: 0, to: 4e12 });
    expect(rows).toMatchObject([{ requests: number - lost }]);
    await ledger.close();

    const database = new DatabaseSync(join(folder, "ledger.db"));
    expect(database.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    database.close();
  },
  30_000,
);
