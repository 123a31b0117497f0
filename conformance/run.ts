/**
 * `node conformance/run.ts [WORDS]`: runs the cases whose file or title holds the words, prints those that are not as
 * expected, and exits 1 when one fails that is not in `known-case-gaps.txt` or one passes that is.
 */
import { Runner, loadCases, loadGaps, nameOf } from "./runner.ts";

const wanted = process.argv.slice(2).join(" ").toLowerCase();
const cases = loadCases().filter((one) => nameOf(one).toLowerCase().includes(wanted));
const gaps = loadGaps();
const runner = new Runner();
await runner.start();
let passed = 0;
let failed = 0;
for (const one of cases) {
  const name = nameOf(one);
  const said = await runner.run(one);
  if (said.length === 0 && !gaps.has(name)) passed++;
  else if (said.length > 0 && gaps.has(name)) console.log(`known gap  ${name}`);
  else if (said.length === 0) {
    failed++;
    console.log(`gap closed ${name}\n  delete its line from known-case-gaps.txt`);
  } else {
    failed++;
    console.log(`failed     ${name} (cases/${one.file}:${one.line})\n  ${said.join("\n  ")}`);
  }
}
await runner.close();
console.log(`${passed} passed, ${failed} failed, ${cases.length - passed - failed} known gaps`);
process.exitCode = failed === 0 ? 0 : 1;
