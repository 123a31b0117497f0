import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LocalAccess, readLocalAccess, removeLocalAccess, writeLocalAccess } from "./local-access.ts";

/** Runs as long as the test does. */
const PARENT = process.ppid;
/** No process has this id: Linux and Windows give none above 2^22, macOS none above 99,999. */
const NOBODY = 2 ** 30;

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "headgate-access-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const access = (pid: number): LocalAccess => ({ gateway: `http://${pid}`, local: "l", secret: "s", pid });

test("only the account of the gateway can read it; it goes when the gateway ends", () => {
  writeLocalAccess(folder, access(process.pid));
  expect(readLocalAccess(folder)).toEqual(access(process.pid));
  expect(statSync(join(folder, "local-access.json")).mode & 0o777).toBe(0o600);
  removeLocalAccess(folder, process.pid);
  expect([readLocalAccess(folder), readdirSync(folder)]).toEqual([null, []]);
});

test("of two gateways on one folder the latest answers, and the other one when it ends", () => {
  writeLocalAccess(folder, access(PARENT));
  writeLocalAccess(folder, access(process.pid));
  expect(readLocalAccess(folder)).toEqual(access(process.pid));
  removeLocalAccess(folder, process.pid);
  expect(readLocalAccess(folder)).toEqual(access(PARENT));
});

test("the earlier one's end does not touch the latest", () => {
  writeLocalAccess(folder, access(PARENT));
  writeLocalAccess(folder, access(process.pid));
  removeLocalAccess(folder, PARENT);
  expect(readLocalAccess(folder)).toEqual(access(process.pid));
});

test("who was killed is not taken for running", () => {
  writeLocalAccess(folder, access(NOBODY));
  const left = join(folder, `local-access-${NOBODY}.json`);
  expect(existsSync(left)).toBe(true);
  writeLocalAccess(folder, access(process.pid));
  expect(existsSync(left)).toBe(false);
  removeLocalAccess(folder, process.pid);
  expect(readLocalAccess(folder)).toBeNull();
});
