import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type ContentsFiles, realContentsFiles } from "./contents-queue.ts";
import type { LedgerContents } from "./contents.ts";
import { type JournalFiles, realFiles } from "./journal.ts";
import { type TestLedger, record, testLedger } from "./ledger.fixture.ts";
import { encodeRecord } from "./line.ts";

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

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** A disk that has room for so many octets. */
class SmallDisk {
  room = 0;
  code: string | null = null;

  readonly journal: JournalFiles = {
    ...realFiles,
    open: (path) => {
      if (this.code !== null) throw failure(this.code);
      return realFiles.open(path);
    },
    write: (fd, octets, length) => {
      if (this.code !== null) throw failure(this.code);
      const fits = Math.min(length, this.room);
      if (fits === 0) throw failure("ENOSPC");
      this.room -= fits;
      // As much as there is room for: a torn line.
      return realFiles.write(fd, octets, fits);
    },
  };

  readonly contents: ContentsFiles = {
    space: () => Promise.resolve({ free: this.room, total: 1000 }),
    open: async (path) => {
      const file = await realContentsFiles.open(path);
      return {
        truncate: (length) => file.truncate(length),
        close: () => file.close(),
        writev: ((pieces: Uint8Array[]) => {
          if (this.code !== null) return Promise.reject(failure(this.code));
          return file.writev(pieces);
        }) as typeof file.writev,
      };
    },
  };
}

function contents(requestId: string): LedgerContents {
  return {
    requestId,
    part: 0,
    request: "hello",
    response: null,
    requestTruncated: false,
    responseTruncated: false,
  };
}

const LINE = encodeRecord(record({ requestId: "r0" })).length;

describe("a full disk", () => {
  test("takes what fits, records wait, all are there when it has room again, none twice, none torn", async () => {
    const disk = new SmallDisk();
    const told: (string | null)[] = [];
    const { ledger } = opened({ files: disk.journal, report: (trouble) => told.push(trouble) });
    disk.room = Math.floor(2.5 * LINE);
    for (let i = 0; i < 6; i++) ledger.append(record({ requestId: `r${i}` }));
    expect(ledger.stats()).toMatchObject({
      appended: 6,
      written: 2,
      waiting: 4,
      trouble: expect.any(String),
    });
    expect(ledger.failing).toBe(true);
    await ledger.flush();
    expect(ledger.stats()).toMatchObject({ written: 2, waiting: 4 });
    disk.room = 1e6;
    ledger.append(record({ requestId: "r6" }));
    const { rows } = await ledger.search({});
    expect(rows.map(({ requestId }) => requestId)).toEqual(["r6", "r5", "r4", "r3", "r2", "r1", "r0"]);
    expect(ledger.stats()).toMatchObject({ written: 7, waiting: 0, trouble: null, store: { unreadable: 0 } });
    expect(told).toEqual([expect.any(String), null]);
  });

  test.each([
    ["ENOSPC", "disk_full"],
    ["EDQUOT", "disk_full"],
    ["EROFS", "read_only"],
    ["EACCES", "read_only"],
    ["EMFILE", "io_error"],
  ])("%s: what waits is bounded, what is lost is counted as %s", async (code, reason) => {
    const disk = new SmallDisk();
    disk.code = code;
    const { ledger } = opened({ files: disk.journal });
    for (let i = 0; i < 12_000; i++) ledger.append(record({ requestId: `r${i}` }));
    const { appended, written, waiting, dropped } = ledger.stats();
    const lost = dropped.records[reason as "disk_full"];
    expect(waiting).toBeLessThanOrEqual(10_000);
    expect({ appended, written }).toEqual({ appended: 12_000, written: 0 });
    expect(waiting + lost).toBe(12_000);
    expect(ledger.losses()).toEqual([{ sink: "ledger", reason, count: lost }]);
    await ledger.close();
    expect(ledger.stats()).toMatchObject({ waiting: 0, dropped: { records: { [reason]: 12_000 } } });
  });

  test("a nearly full disk takes records, not contents", async () => {
    const disk = new SmallDisk();
    const { ledger } = opened({ contentsFiles: disk.contents });
    disk.room = 40;
    for (const id of ["a", "b"]) {
      ledger.append(record({ requestId: id }));
      ledger.addContents(contents(id));
    }
    await ledger.flush();
    expect(ledger.stats().dropped.contents).toMatchObject({ disk_low: 2 });
    disk.room = 900;
    ledger.append(record({ requestId: "c" }));
    ledger.addContents(contents("c"));
    const { rows } = await ledger.search({});
    expect(rows.map(({ requestId, hasContents }) => `${requestId} ${hasContents}`)).toEqual([
      "c true",
      "b false",
      "a false",
    ]);
  });

  test("contents that cannot be written are counted", async () => {
    const disk = new SmallDisk();
    disk.room = 900;
    disk.code = "ENOSPC";
    const { ledger } = opened({ contentsFiles: disk.contents });
    ledger.append(record());
    ledger.addContents(contents("r-1"));
    await ledger.flush();
    expect(ledger.stats().dropped.contents).toMatchObject({ disk_full: 1 });
  });
});

test.skipIf(process.getuid?.() === 0)("a folder that is read-only for a while", async () => {
  const one = opened();
  const journal = join(one.folder, "journal");
  mkdirSync(journal);
  chmodSync(journal, 0o500);
  one.ledger.append(record());
  expect(one.ledger.stats()).toMatchObject({ waiting: 1, written: 0 });
  chmodSync(journal, 0o700);
  expect((await one.ledger.search({})).rows).toHaveLength(1);
});

test("a database that cannot be opened: rows wait in the journal, questions say why", async () => {
  const one = opened();
  // SQLite cannot open a folder.
  mkdirSync(join(one.folder, "ledger.db"));
  one.ledger.append(record());
  await expect(one.ledger.search({})).rejects.toThrow(/unable to open/);
  await expect(one.ledger.flush()).rejects.toThrow(/unable to open/);
  expect(one.ledger.stats()).toMatchObject({ written: 1, trouble: expect.stringMatching(/unable to open/) });
  expect(readdirSync(join(one.folder, "journal"))).toHaveLength(1);
});
