import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { checkArchitecture } from "./check-architecture.ts";

const root = join(import.meta.dirname, "..");
const copy = mkdtempSync(join(tmpdir(), "architecture-"));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** The project's map and folders, with one extra file. */
function withFile(path: string, text: string): string[] {
  rmSync(join(copy, "src"), { recursive: true, force: true });
  cpSync(join(root, "ARCHITECTURE.md"), join(copy, "ARCHITECTURE.md"));
  cpSync(join(root, "src"), join(copy, "src"), { recursive: true });
  mkdirSync(join(copy, path, ".."), { recursive: true });
  writeFileSync(join(copy, path), text);
  return checkArchitecture(copy).filter(
    (breach) => breach.includes(path) || breach.startsWith("ARCHITECTURE") || breach.startsWith("the import"),
  );
}

const forbidden: [file: string, text: string, says: string][] = [
  ["src/gateway/x.ts", 'import "../store/store.ts";', "gateway may not import store"],
  ["src/gateway/x.ts", 'import { net } from "node:net";', "sockets are for src/transport alone"],
  ["src/policies/a/policy.ts", 'import { b } from "../choose/policy.ts";', "never imports another policy"],
  [
    "src/policies/a/policy.ts",
    'import type { X } from "../../contract/apis.ts";',
    "policies may not import contract",
  ],
  ["src/compiler/x.ts", 'import { X } from "../gateway/exchange.ts";', "compiler may not import gateway"],
  ["src/gateway/x.ts", "export const now = Date.now();", "reads the clock"],
  ["src/gateway/x.ts", 'const later = await import("../model/build.ts");', "gateway may not import model"],
  ["src/compiler/x.ts", 'export const f = new Function("return 1");', "makes code from text"],
  ["src/newcomer/x.ts", "export {};", "does not name src/newcomer"],
];

describe("a forbidden import fails the check", () => {
  it.each(forbidden)("%s: %s", (file, text, says) => {
    expect(withFile(file, text).join("\n")).toContain(says);
  });
});

describe("what the table allows passes", () => {
  it.each([
    ["src/gateway/x.ts", 'import { Box } from "../compiler/runtime/values.ts";'],
    ["src/policies/a/policy.ts", 'import { GatewayError } from "../../gateway/errors.ts";'],
    ["src/store/x.ts", 'import type { Problem } from "../base/problem.ts"; // import "../gateway/x.ts"'],
  ])("%s: %s", (file, text) => {
    expect(withFile(file, text)).toEqual([]);
  });
});

it("the project itself keeps to its map", () => {
  expect(checkArchitecture(root)).toEqual([]);
});
