/**
 * `npm test`: the checks that need no test runner, then every test; ends with the line `N passed, N failed`.
 * Options go on to vitest: `npm test -- src/gateway`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "headgate-test-"));
const report = join(folder, "report.json");
let failures = 0;
let passes = 0;

function step(name: string, command: string, args: string[]): void {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status === 0) passes++;
  else {
    failures++;
    console.error(`${name} failed`);
  }
}

const rest = process.argv.slice(2);
if (rest.length === 0) {
  step("type check", "tsc", ["--noEmit"]);
  step("lint", "oxlint", ["--quiet"]);
  step("format", "oxfmt", ["--check"]);
  step("architecture", process.execPath, ["scripts/check-architecture.ts"]);
}
const { status } = spawnSync(
  "vitest",
  ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...rest],
  {
    stdio: "inherit",
  },
);
try {
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(
    readFileSync(report, "utf8"),
  ) as Record<string, number>;
  passes += numPassedTests ?? 0;
  const failed = numFailedTests ?? 0;
  failures += failed;
  // A file that cannot be loaded fails without a single test.
  if (status !== 0 && failed === 0) failures += Math.max(1, numFailedTestSuites ?? 1);
} catch {
  failures++;
}
rmSync(folder, { recursive: true, force: true });
console.log(`${passes} passed, ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
