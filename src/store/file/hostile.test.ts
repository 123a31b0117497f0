/** Folders that are broken, enormous or out to do harm: clear problems, no crash, no hang. */
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Files, idsOf, info, loadFiles, told, withFolder } from "./folder.fixture.ts";
import { loadFolder } from "./load.ts";

const FILE = "backends/b/backendInformation.json";
const GOOD: Files = { "backends/good/backendInformation.json": info({ url: "https://good" }) };

test.each<[string, string | Uint8Array, string[]]>([
  [
    "binary",
    new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]),
    [`HG5003 error ${FILE} the file is not UTF-8 text, but binary`],
  ],
  [
    "UTF-16",
    Buffer.from('\ufeff{"properties":{}}', "utf16le"),
    [`HG5003 error ${FILE} the file is not UTF-8 text, but UTF-16 (save it as UTF-8)`],
  ],
  [
    "Latin-1",
    Buffer.from('{\n "properties": {"title": "ü"}}', "latin1"),
    [`HG5003 error ${FILE}:2:27 the file is not UTF-8 text, byte 0xfc is not (save it as UTF-8)`],
  ],
  ["a byte order mark is fine", '\ufeff{"properties": {"url": "https://b"}}', []],
  ["empty", "", [`HG5105 error ${FILE}:1:1 the file is empty (write \`{}\`, or the resource)`]],
  ["a list", "[]", [`HG5106 error ${FILE}:1:1 the file must hold an object, but holds a list`]],
  ["null", "null", [`HG5106 error ${FILE}:1:1 the file must hold an object, but holds null`]],
  ["deep", "[".repeat(100_000), [`HG5104 error ${FILE}:1:202 values are nested deeper than 200 levels`]],
  [
    "names of the language",
    '{"properties": {"url": "https://b", "__proto__": {"type": "Pool"}, "constructor": 1, "toString": 2}}',
    [],
  ],
])("a file that is %s", async (_, content, expected) => {
  const loaded = await loadFiles({ ...GOOD, [FILE]: content });
  expect(told(loaded.problems)).toEqual(expected);
  expect(loaded.resources.get("/backends/good")?.properties).toEqual({ url: "https://good" });
  expect(({} as Record<string, unknown>)["type"]).toBeUndefined();
});

test("limits on size, number and depth", async () => {
  const files = { ...GOOD, [FILE]: " ".repeat(5_000) + "{}", "a/b/c/d/e": undefined };
  const { problems } = await loadFiles(files, { maxFileBytes: 4096, maxDepth: 3 });
  expect(told(problems)).toEqual([
    "HG5602 warning a unknown folder; it is ignored",
    "HG5005 error a/b/c/d the folder is nested deeper than 3 levels",
    `HG5002 error ${FILE} the file is larger than 4 KB`,
  ]);
  const many = await loadFiles(files, { maxEntries: 3 });
  expect(many.problems.map(({ code }) => code)).toContain("HG5006");
});

describe("symbolic links", () => {
  test("loops are noticed, dangling links told, others followed", async () => {
    await withFolder(
      { ...GOOD, ".hidden/backendInformation.json": info({ url: "https://linked" }) },
      async (folder) => {
        await symlink("..", join(folder, "backends/loop"));
        await symlink("nowhere", join(folder, "backends/dangling"));
        await symlink("self", join(folder, "backends/self"));
        await symlink("../.hidden", join(folder, "backends/linked"));
        const loaded = await loadFolder(folder);
        expect(told(loaded.problems)).toEqual([
          "HG5008 warning backends/dangling the symbolic link leads nowhere",
          "HG5004 warning backends/loop the symbolic link leads back to a folder that contains it; it is not followed",
          "HG5004 warning backends/self the symbolic link leads back to a folder that contains it; it is not followed",
        ]);
        expect(idsOf(loaded)).toEqual(["/backends/good", "/backends/linked"]);
      },
    );
  });
});

test.skipIf(process.getuid?.() === 0)("unreadable files and folders (root can read everything)", async () => {
  await withFolder(
    { ...GOOD, [FILE]: info({ url: "https://b" }), "apis/a/apiInformation.json": {} },
    async (folder) => {
      await chmod(join(folder, FILE), 0);
      await chmod(join(folder, "apis"), 0);
      const { problems } = await loadFolder(folder);
      await chmod(join(folder, "apis"), 0o755);
      expect(told(problems)).toEqual([
        "HG5001 error apis cannot read this: permission denied",
        `HG5001 error ${FILE} cannot read this: permission denied`,
      ]);
    },
  );
});

test("a folder where a file is expected, a file where a folder is", async () => {
  await withFolder(GOOD, async (folder) => {
    await mkdir(join(folder, FILE), { recursive: true });
    await mkdir(join(folder, "policy.xml"));
    await writeFile(join(folder, "apis"), "");
    expect(told((await loadFolder(folder)).problems)).toEqual([
      "HG5601 warning apis unknown file; it is ignored",
      "HG5603 error backends/b the folder has no `backendInformation.json`",
      "HG5602 warning backends/b/backendInformation.json unknown folder; it is ignored",
      "HG5602 warning policy.xml unknown folder; it is ignored",
    ]);
  });
});

test("names that are not legal", async () => {
  const { problems } = await loadFiles({
    "backends/a+b/backendInformation.json": info({ url: "https://x" }),
    [`backends/${"x".repeat(81)}/backendInformation.json`]: info({ url: "https://x" }),
    "policyFragments/my fragment/policy.xml": "<fragment />",
  });
  expect(problems.map(({ code, message }) => `${code} ${message}`.replace(/x{81}/, "x…x"))).toEqual([
    "HG5604 `a+b` is not a legal name: it must not contain * # & + : < > ? / \\ %",
    "HG5604 `x…x` is not a legal name: it is longer than 80 characters",
    "HG5604 `my fragment` is not a legal name: letters, digits, `_` and `-` only",
  ]);
});
