import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileVault, lazyVault, memoryVault, seal, unseal } from "./vault.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "headgate-vault-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["in memory", () => memoryVault()],
  ["in a file", () => fileVault(folder)],
])("%s: what is written is read, replaced and removed", (_name, open) => {
  const vault = open();
  expect(vault.read("a")).toBeNull();
  vault.write("a", { n: 1 });
  vault.write("a", { n: 2 });
  vault.write("b", { n: 3 });
  vault.remove("b");
  vault.remove("c");
  expect([vault.read("a"), vault.read("b")]).toEqual([{ n: 2 }, null]);
  vault.close();
});

test("a file outlives its process", () => {
  const first = fileVault(folder);
  first.write("a", { n: 1 });
  first.close();
  const second = fileVault(folder);
  expect(second.read("a")).toEqual({ n: 1 });
  second.close();
});

const key = randomBytes(32);
test.each<[string, string | null, (sealed: Buffer) => string | null]>([
  ["with its key and name", "text", (sealed) => unseal(key, "a", sealed)],
  ["with another key", null, (sealed) => unseal(randomBytes(32), "a", sealed)],
  ["under another name", null, (sealed) => unseal(key, "b", sealed)],
  ["cut short", null, (sealed) => unseal(key, "a", sealed.subarray(0, -1))],
  ["cut to its tag", null, (sealed) => unseal(key, "a", sealed.subarray(0, 28))],
  ["empty", null, () => unseal(key, "a", new Uint8Array())],
])("sealed, opened %s", (_name, expected, open) => expect(open(seal(key, "a", "text"))).toBe(expected));

test("every changed octet shows", () => {
  const sealed = seal(key, "a", "text");
  for (let i = 0; i < sealed.length; i++) {
    const changed = Buffer.from(sealed);
    changed[i]! ^= 1;
    expect(unseal(key, "a", changed)).toBeNull();
  }
});

test("a lost key: nothing can be opened, and nothing breaks", () => {
  const first = fileVault(folder);
  first.write("a", { n: 1 });
  first.close();
  rmSync(join(folder, "credentials.key"));
  const second = fileVault(folder);
  expect(second.read("a")).toBeNull();
  second.close();
});

test.each(["", "short", "not base64 at all, but long enough to be one"])(
  "a damaged key (%j) is said, once, and what is written lives as long as the process",
  (text) => {
    writeFileSync(join(folder, "credentials.key"), text);
    const said: unknown[] = [];
    const vault = lazyVault(
      () => fileVault(folder),
      (error) => said.push(error),
    );
    vault.write("a", { n: 1 });
    expect(vault.read("a")).toEqual({ n: 1 });
    expect(said.map(String)).toEqual([expect.stringMatching(/credentials\.key is damaged: restore it/)]);
  },
);
