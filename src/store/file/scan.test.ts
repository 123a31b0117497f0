import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withFolder, writeFiles } from "./folder.fixture.ts";
import { type FolderEntry, foldersOf, ScanCancelled, scanFolder } from "./scan.ts";

const LIMITS = { maxDepth: 10, maxEntries: 1000 };
const FILES = { "a/x/1.json": "1", "a/y/2.json": "2", "b/z/3.json": "3", "top.json": "0" };

/** Folders and files that are not the same objects as before. */
function renewed(before: FolderEntry, after: FolderEntry): string[] {
  const known = new Set<unknown>();
  for (const folder of foldersOf(before)) for (const entry of [folder, ...folder.files]) known.add(entry);
  return [...foldersOf(after)]
    .flatMap((folder) => [folder, ...folder.files])
    .filter((entry) => !known.has(entry))
    .map(({ file }) => file)
    .sort();
}

test.each<[string, (folder: string) => Promise<void>, string[]]>([
  ["nothing", async () => {}, []],
  ["a file", (folder) => writeFile(join(folder, "a/x/1.json"), "longer"), ["", "a", "a/x", "a/x/1.json"]],
  ["a new file", (folder) => writeFiles(folder, { "b/z/4.json": "4" }), ["", "b", "b/z", "b/z/4.json"]],
  ["a file that went", (folder) => rm(join(folder, "b/z/3.json")), ["", "b", "b/z"]],
  ["a new folder", (folder) => writeFiles(folder, { "c/5.json": "5" }), ["", "c", "c/5.json"]],
])("what is as it was stays the same object: %s changed", async (_what, change, expected) => {
  await withFolder(FILES, async (folder) => {
    const before = (await scanFolder(folder, LIMITS)).root!;
    await change(folder);
    const after = (await scanFolder(folder, LIMITS, { root: before })).root!;
    expect(renewed(before, after)).toEqual(expected);
  });
});

test("a scan ends when something more urgent overtakes it", async () => {
  await withFolder(FILES, async (folder) => {
    let folders = 0;
    const scan = scanFolder(folder, LIMITS, undefined, undefined, () => ++folders > 2);
    await expect(scan).rejects.toThrow(ScanCancelled);
    expect(folders).toBe(3);
  });
});
