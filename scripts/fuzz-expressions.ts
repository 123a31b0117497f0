/**
 * Throws made and mutated expressions at the compiler and runs what compiles: `node scripts/fuzz-expressions.ts [count]
 * [first seed]`, by default 550,000. Says every input that breaks a rule, or that twice takes longer than 50 ms to compile or
 * longer than its budget to run, and ends with 1 then. Prints how the heap grew, for a person to judge.
 */
import { fuzzExpression } from "../conformance/expression-fuzz.ts";
import { ExpressionChecker } from "../conformance/expression-fuzz-check.ts";

const slowMs = 50;
/** The time budget of 50 ms is looked at every so many steps; the rest is the machine's. */
const slowRunMs = 75;
const count = Number(process.argv[2] ?? 550_000);
const first = Number(process.argv[3] ?? 0);
const checker = new ExpressionChecker("conformance/expression-cases.json");
const outcomes = new Map<string, number>();
let broken = 0;
let slowestCompile = 0;
let slowestRun = 0;
let heapAtHalf = 0;

for (let seed = first; seed < first + count; seed++) {
  const input = fuzzExpression(seed, checker.cases);
  try {
    let found = checker.check(input, seed);
    if (seed > first + 200 && (found.compileMs > slowMs || found.runMs > slowRunMs)) {
      // Once more, as another text, so that nothing remembered helps.
      const again = checker.check({ ...input, code: `${input.code} ` }, seed);
      found = {
        ...again,
        compileMs: Math.min(found.compileMs, again.compileMs),
        runMs: Math.min(found.runMs, again.runMs),
      };
      if (found.compileMs > slowMs) throw new Error(`took ${found.compileMs.toFixed(0)} ms to compile`);
      if (found.runMs > slowRunMs) throw new Error(`took ${found.runMs.toFixed(0)} ms to run`);
    }
    if (seed > first + 200)
      [slowestCompile, slowestRun] = [
        Math.max(slowestCompile, found.compileMs),
        Math.max(slowestRun, found.runMs),
      ];
    outcomes.set(found.outcome, (outcomes.get(found.outcome) ?? 0) + 1);
  } catch (error) {
    broken++;
    const stack =
      error instanceof Error ? (error.stack ?? "").split("\n").slice(0, 6).join("\n") : String(error);
    if (broken <= 40) console.error(`seed ${seed}: ${stack}\n  ${input.form} ${JSON.stringify(input.code)}`);
  }
  if (seed === first + Math.floor(count / 2)) {
    globalThis.gc?.();
    heapAtHalf = process.memoryUsage().heapUsed;
  }
}
globalThis.gc?.();
const grown = (process.memoryUsage().heapUsed - heapAtHalf) / 1_048_576;
const said = [...outcomes].map(([outcome, times]) => `${outcome} ${times}`).join(", ");
console.log(
  `${count} expressions (${said}), ${broken} broken; slowest compile ${slowestCompile.toFixed(1)} ms, run ${slowestRun.toFixed(1)} ms; heap ${grown.toFixed(0)} MiB since half time`,
);
if (broken > 0) process.exitCode = 1;
