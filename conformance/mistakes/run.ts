/**
 * `node conformance/mistakes/run.ts [--update] [WORDS]`: runs the seeded mistakes whose names hold one of the words and
 * shows where what is said now differs from the file; `--update` writes it down, for a person to read in the diff.
 */
import { writeFileSync } from "node:fs";
import { formatMistake } from "./mistake-file.ts";
import { judge, loadMistakes, run } from "./runner.ts";

const [...words] = process.argv.slice(2).filter((word) => word !== "--update");
const isUpdate = process.argv.includes("--update");
let wrong = 0;
let count = 0;
for (const { name, path, mistake } of loadMistakes()) {
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
  count++;
  const output = await run(mistake);
  const complaints = judge(mistake, output);
  const isNew = output !== mistake.output;
  if (isUpdate && isNew) writeFileSync(path, formatMistake(mistake, output));
  if (complaints.length === 0 && (isUpdate || !isNew)) continue;
  wrong++;
  console.log(`── ${name}: ${complaints.join("; ") || "says something else now"}\n${output}`);
}
console.log(`${count} mistakes, ${wrong} not as expected`);
if (wrong > 0) process.exitCode = 1;
