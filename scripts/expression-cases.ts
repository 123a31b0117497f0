/**
 * `npm run -s expression-cases -- FILE`: runs a file in the format of `conformance/expression-cases.json`, prints each
 * case that fails with what was expected and what came, then the count. Ends with 1 when something failed.
 */
import { readCases, runCases } from "../conformance/expression-runner.ts";

const file = process.argv[2];
if (file === undefined) {
  console.error("usage: npm run -s expression-cases -- FILE");
  process.exit(2);
}
const results = runCases(readCases(file));
const failed = results.filter((result) => !result.passed);
for (const { id, expected, actual } of failed)
  console.log(`${id}\n  expected ${expected}\n  actual   ${actual}`);
console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);
