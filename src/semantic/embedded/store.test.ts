import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../../base/system-clock.ts";
import { near, semanticStoreSuite, vector } from "../semantic-store.suite.ts";
import { EmbeddedSemanticStore, type EmbeddedOptions } from "./store.ts";

const folder = mkdtempSync(join(tmpdir(), "headgate-semantic-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

/** Real timers, and a time of day that is moved by hand. */
function open(options: Partial<EmbeddedOptions> = {}, file: string | null = null) {
  let passed = 0;
  const real = systemClock(
    () => 1_700_000_000_000,
    () => passed,
  );
  const reports: string[] = [];
  const store = new EmbeddedSemanticStore({
    clock: real,
    file,
    findTimeoutMs: 20_000,
    report: (trouble) => void reports.push(trouble),
    ...options,
  });
  return { store, reports, pass: (ms: number) => void (passed += ms) };
}

const newFile = (): string => join(folder, `${++files}.db`);
const payload = new TextEncoder().encode("an answer");

semanticStoreSuite("embedded, in memory", () => open(), {
  crossings: 20_000,
  bounded: (memoryBytes) => Promise.resolve(open({ memoryBytes })),
});

semanticStoreSuite("embedded, in a file", () => open({}, newFile()), {
  bounded: (diskBytes) => Promise.resolve(open({ diskBytes }, newFile())),
});

describe("its thread and its file", () => {
  test("nothing runs before the first question", async () => {
    const { store } = open();
    expect(store.running).toBe(false);
    await store.close();
    expect(store.running).toBe(false);
  });

  test("entries outlive the process, with what is left of their time", async () => {
    const file = newFile();
    const first = open({}, file);
    await first.store.add("p", { vector: vector(1, 0), prompt: "one", payload }, 1000);
    await first.store.add("p", { vector: vector(0, 1), prompt: "two", payload }, 60_000);
    await first.store.close();
    const second = open({}, file);
    second.pass(999);
    expect(await near(second.store, "p", vector(1, 0))).toHaveLength(1);
    second.pass(1);
    expect(await near(second.store, "p", vector(1, 0))).toHaveLength(0);
    expect(await near(second.store, "p", vector(0, 1))).toHaveLength(1);
    await second.store.close();
  });

  test("what was committed outlives a thread that is killed", async () => {
    const file = newFile();
    const first = open({}, file);
    await first.store.add("p", { vector: vector(1, 0), prompt: "one", payload }, 60_000);
    await first.store.flush();
    // Nobody says goodbye: a copy of the files is what a crash leaves.
    const crashed = newFile();
    for (const end of ["", "-wal"]) writeFileSync(crashed + end, readFileSync(file + end));
    const second = open({}, crashed);
    expect(await near(second.store, "p", vector(1, 0))).toHaveLength(1);
    await first.store.close();
    await second.store.close();
  });

  test("writing is committed soon without being asked", async () => {
    const file = newFile();
    let later: (() => void) | null = null;
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      after: (ms: number, callback: () => void) => {
        if (ms <= 1000) later = callback;
        return () => {};
      },
    };
    const { store } = open({ clock, findTimeoutMs: 20_000 }, file);
    await store.add("p", { vector: vector(1, 0), prompt: "one", payload }, 60_000);
    await near(store, "p", vector(1, 0));
    expect(later).not.toBe(null);
    await store.close();
  });

  test.each<[string, (file: string) => void]>([
    ["noise", (file) => writeFileSync(file, Buffer.alloc(20_000, 77))],
    [
      "another program's database",
      (file) => {
        const database = new DatabaseSync(file);
        database.exec("CREATE TABLE codes (x); CREATE TABLE mine (x); INSERT INTO mine VALUES (1)");
        database.close();
      },
    ],
    [
      "a later version's",
      (file) => {
        const database = new DatabaseSync(file);
        database.exec("CREATE TABLE codes (x); PRAGMA application_id = 1751610211; PRAGMA user_version = 99");
        database.close();
      },
    ],
  ])("%s is set aside", async (_name, make) => {
    const file = newFile();
    make(file);
    const { store, reports } = open({}, file);
    expect(await store.add("p", { vector: vector(1, 0), prompt: "one", payload }, 60_000)).toBe(true);
    expect(await near(store, "p", vector(1, 0))).toHaveLength(1);
    await store.close();
    expect(reports).toHaveLength(1);
    expect(readdirSync(folder).some((name) => name.startsWith(`${files}.db.damaged-`))).toBe(true);
  });

  test("a file of which only the beginning is left is set aside", async () => {
    const file = newFile();
    const first = open({}, file);
    for (let i = 0; i < 300; i++)
      await first.store.add(
        "p",
        { vector: new Float32Array(500).fill(i + 1), prompt: `${i}`, payload },
        60_000,
      );
    await first.store.close();
    const whole = readFileSync(file);
    writeFileSync(file, Buffer.concat([whole.subarray(0, 8192), Buffer.alloc(whole.length - 8192, 255)]));
    const { store, reports } = open({}, file);
    expect(await store.add("p", { vector: vector(1, 0), prompt: "one", payload }, 60_000)).toBe(true);
    expect(await near(store, "p", vector(1, 0))).toHaveLength(1);
    expect(reports.join(" ")).toMatch(/damaged: .* what was in the way is now /);
    await store.close();
  });

  test("a file that is damaged while it is used is set aside, and all begins anew", async () => {
    const file = newFile();
    const first = open({}, file);
    const large = new Uint8Array(20_000);
    for (let i = 0; i < 50; i++)
      await first.store.add("p", { vector: vector(1, i), prompt: `${i}`, payload: large }, 60_000);
    await first.store.close();
    const { store, reports } = open({}, file);
    await store.find("nothing", vector(1, 0), 1, 1);
    writeFileSync(file, Buffer.concat([readFileSync(file).subarray(0, 100), Buffer.alloc(1_000_000, 255)]));
    const states: string[] = [];
    for (let i = 0; i < 50; i++) states.push((await store.find("p", vector(1, i), 0.001, 1)).state);
    expect(states).toContain("unavailable");
    expect(await store.add("p", { vector: vector(1, 0), prompt: "one", payload }, 60_000)).toBe(true);
    expect((await near(store, "p", vector(1, 0)))[0]!.prompt).toBe("one");
    expect(reports.join(" ")).toMatch(/damaged: .* what was in the way is now /);
    await store.close();
  });

  test("a file that another process has, or that cannot be made, leaves it in memory", async () => {
    const file = newFile();
    const first = open({}, file);
    await first.store.add("p", { vector: vector(1, 0), prompt: "one", payload }, 60_000);
    const second = open({}, file);
    const third = open({}, join(folder, "no", "such", "folder.db"));
    for (const { store, reports } of [second, third]) {
      expect(await store.add("p", { vector: vector(1, 0), prompt: "two", payload }, 60_000)).toBe(true);
      expect((await near(store, "p", vector(1, 0)))[0]!.prompt).toBe("two");
      expect(reports).toHaveLength(1);
      await store.close();
    }
    await first.store.close();
  });

  test("who is not answered in time goes without", async () => {
    const { store } = open({
      clock: { now: () => 0, monotonic: () => 0, after: (_ms, late) => (queueMicrotask(late), () => {}) },
    });
    const found = await store.find("p", vector(1, 0), 1, 1);
    expect(found.state).toBe("unavailable");
    expect(await store.add("p", { vector: vector(1, 0), prompt: "one", payload }, 1000)).toBe(false);
    await store.close();
  });
});
