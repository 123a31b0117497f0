import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeClock } from "../../../gateway/testing.ts";
import { createClient } from "../../../transport/node/index.ts";
import type { LogRow } from "../../diagnostic.ts";
import { FileExporter } from "./file.ts";
import { type FileSettings, readFileSettings } from "./settings.ts";

const DAY_MS = 86_400_000;
const client = createClient();
let data: string;
let clock: FakeClock;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "headgate-file-"));
  clock = new FakeClock();
  clock.ms = Date.UTC(2026, 10, 23, 12);
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

function exporterTo(settings: Partial<FileSettings> = {}, dataDir: string | null = data): FileExporter {
  return new FileExporter(
    {
      kind: "file",
      id: "rows",
      type: "file",
      key: "k",
      settings: { path: "logs", maxFileBytes: 1000, keepDays: 3, keepFiles: 4, ...settings },
    },
    { client, clock, random: () => 0.5, report: () => {}, azureToken: () => "", dataDir },
  );
}

const row = (n: number, text = ""): LogRow => ({
  category: "GatewayLogs",
  timeMs: Date.UTC(2026, 10, 23, 12),
  correlationId: "c",
  columns: { N: n, Text: text, Missing: undefined },
});
const files = (): string[] => readdirSync(join(data, "logs")).sort();
const numbers = (name: string): number[] =>
  readFileSync(join(data, "logs", name), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { N: number }).N);

test("rows are lines, in order, in the file of their day", async () => {
  const exporter = exporterTo();
  for (let i = 0; i < 3; i++) exporter.addRow(row(i));
  await exporter.flush();
  const [first] = readFileSync(join(data, "logs", "rows-2026-11-23.jsonl"), "utf8").split("\n");
  expect(first).toBe('{"time":"2026-11-23T12:00:00.000Z","category":"GatewayLogs","N":0,"Text":""}');
  clock.ms += DAY_MS;
  exporter.addRow(row(3));
  await exporter.flush();
  exporter.close();
  expect(files()).toEqual(["rows-2026-11-23.jsonl", "rows-2026-11-24.jsonl"]);
  expect(numbers("rows-2026-11-24.jsonl")).toEqual([3]);
});

test("a full file is followed by the next, also of the next process; a row is never cut", async () => {
  const long = "x".repeat(600);
  const one = exporterTo();
  for (let i = 0; i < 2; i++) {
    one.addRow(row(i, long));
    await one.flush();
  }
  one.close();
  const two = exporterTo();
  two.addRow(row(2, long));
  await two.flush();
  two.addRow(row(3));
  await two.flush();
  two.addRow(row(4, "x".repeat(5000)));
  await two.flush();
  two.close();
  expect(files().map((name) => [name, numbers(name)])).toEqual([
    ["rows-2026-11-23.1.jsonl", [1]],
    ["rows-2026-11-23.2.jsonl", [2, 3]],
    ["rows-2026-11-23.3.jsonl", [4]],
    ["rows-2026-11-23.jsonl", [0]],
  ]);
});

test("old files go by age and by number, those of others stay", async () => {
  mkdirSync(join(data, "logs"));
  const given = [
    "rows-2026-11-20.jsonl",
    "rows-2026-11-21.jsonl",
    "rows-2026-11-22.jsonl",
    "rows-2026-11-22.1.jsonl",
    "rows-2026-11-22.10.jsonl",
    "other-2020-01-01.jsonl",
    "rows-2020-01-01.jsonl.gz",
  ];
  for (const name of given) writeFileSync(join(data, "logs", name), "");
  const exporter = exporterTo();
  exporter.addRow(row(1));
  await exporter.flush();
  exporter.close();
  expect(files()).toEqual([
    "other-2020-01-01.jsonl",
    "rows-2020-01-01.jsonl.gz",
    "rows-2026-11-22.1.jsonl",
    "rows-2026-11-22.10.jsonl",
    "rows-2026-11-22.jsonl",
    "rows-2026-11-23.jsonl",
  ]);
});

test.each<[string, () => Partial<FileSettings>, (() => string | null)?]>([
  [
    "a link in the place of the file",
    () => {
      mkdirSync(join(data, "logs"));
      writeFileSync(join(data, "victim"), "");
      symlinkSync(join(data, "victim"), join(data, "logs", "rows-2026-11-23.jsonl"));
      return {};
    },
  ],
  [
    "a link in the place of an absolute folder",
    () => {
      mkdirSync(join(data, "victim"));
      symlinkSync(join(data, "victim"), join(data, "link"));
      return { path: join(data, "link") };
    },
  ],
  [
    "a link out of the data folder",
    () => {
      mkdirSync(join(data, "inner"));
      mkdirSync(join(data, "victim"));
      symlinkSync(join(data, "victim"), join(data, "inner", "logs"));
      return {};
    },
    () => join(data, "inner"),
  ],
  ["no data folder", () => ({}), () => null],
  [
    "a folder that is a file",
    () => {
      writeFileSync(join(data, "logs"), "");
      return {};
    },
  ],
])("nothing is written to %s; what came is counted", async (_name, prepare, dataDir) => {
  const settings = prepare();
  const exporter = exporterTo(settings, dataDir === undefined ? data : dataDir());
  exporter.addRow(row(1));
  await expect.poll(() => exporter.state.isFailing).toBe(true);
  expect([exporter.state.added, exporter.state.sent, exporter.state.dropped, exporter.state.waiting]).toEqual(
    [1, 0, 0, 1],
  );
  exporter.close();
  expect([exporter.state.added, exporter.state.sent, exporter.state.dropped, exporter.state.waiting]).toEqual(
    [1, 0, 1, 0],
  );
});

test("a folder that cannot be written to for a while costs the rows that find no room", async () => {
  const exporter = exporterTo({ path: join(data, "later") });
  writeFileSync(join(data, "later"), "");
  for (let i = 0; i < 10_050; i++) exporter.addRow(row(i));
  await expect.poll(() => exporter.state.isFailing).toBe(true);
  rmSync(join(data, "later"));
  clock.advance(1_000);
  await exporter.flush();
  exporter.close();
  const kept = readdirSync(join(data, "later")).flatMap((name) =>
    readFileSync(join(data, "later", name), "utf8")
      .trimEnd()
      .split("\n"),
  );
  expect(exporter.state.dropped).toBeGreaterThanOrEqual(50);
  expect(exporter.state.sent + exporter.state.dropped).toBe(10_050);
  expect(exporter.state.waiting).toBe(0);
  // Of so many only the last files are kept.
  for (const line of kept) expect(() => JSON.parse(line) as unknown).not.toThrow();
});

test.each<[Readonly<Record<string, string>>, unknown]>([
  [{}, "it has no path"],
  [{ path: "../x" }, "a relative path stays below the data folder; an absolute one may be anywhere"],
  [{ path: "a", keepDays: "0" }, "keepDays is not a whole number from 1 to 100000"],
  [{ path: "a", maxFileMb: "1.5" }, "maxFileMb is not a whole number from 1 to 100000"],
  [{ path: "a" }, { path: "a", maxFileBytes: 100 * 1024 * 1024, keepDays: 30, keepFiles: 100 }],
])("settings %j", (given, expected) => {
  const read = readFileSettings(given);
  expect("reason" in read ? read.reason : read).toEqual(expected);
});
