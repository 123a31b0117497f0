/** The semantic cache's file on a disk of 8 MB that fills up, and has room again. Needs the right to mount one. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { EmbeddedSemanticStore } from "../src/semantic/embedded/store.ts";
import { near, vector } from "../src/semantic/semantic-store.suite.ts";
import { FakeClock } from "../src/gateway/testing.ts";

const disk = mkdtempSync(join(tmpdir(), "headgate-small-disk-"));
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]).status === 0;
afterAll(() => {
  if (mounted) spawnSync("umount", ["-l", disk]);
  rmSync(disk, { recursive: true, force: true });
});

test.skipIf(!mounted)("what fits is found, the rest is not kept; with room again it goes on", async () => {
  const filler = join(disk, "filler");
  const clock = new FakeClock();
  const store = new EmbeddedSemanticStore({ clock, file: join(disk, "semantic-cache.db") });
  const add = (i: number): Promise<boolean> =>
    store.add("p", { vector: vector(1, i), prompt: `${i}`, payload: new Uint8Array(20_000) }, 3_600_000);
  expect(await add(0)).toBe(true);
  await store.flush();
  writeFileSync(filler, Buffer.alloc(5 * 1024 * 1024));
  const kept: boolean[] = [];
  for (let i = 1; i < 300; i++) {
    kept.push(await add(i));
    if (i % 20 === 0) await store.flush();
  }
  expect(kept[0]).toBe(true);
  expect(kept.at(-1)).toBe(false);
  // What was committed before the disk was full.
  expect((await near(store, "p", vector(1, 0), 0.01, 1))[0]!.prompt).toBe("0");
  rmSync(filler);
  expect(await add(1000)).toBe(false);
  clock.advance(10_000);
  expect(await add(1000)).toBe(true);
  await store.flush();
  expect((await near(store, "p", vector(1, 1000), 1e-6, 1))[0]!.prompt).toBe("1000");
  expect((await near(store, "p", vector(1, 0), 0.01, 1))[0]!.prompt).toBe("0");
  await store.close();
});
