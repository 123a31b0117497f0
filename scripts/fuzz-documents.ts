/**
 * Throws broken documents at the compiler: `node scripts/fuzz-documents.ts [count] [first seed]`, by default 1,000,000.
 * Ends with 1 and the seed on a crash, on a broken invariant, on one document that takes longer than 50 ms twice, or when
 * memory grows.
 */
import { PolicyCompiler } from "../src/compiler/compile.ts";
import { compileExpression } from "../src/compiler/csharp/compile-expression.ts";
import { brokenDocument, checkCompiled, checkParsed, hostileDocuments } from "../src/compiler/fuzz-documents.ts";
import { parseXml } from "../src/compiler/xml/parser.ts";
import * as policies from "../src/policies/index.ts";

const slowMs = 50;
const count = Number(process.argv[2] ?? 1_000_000);
const first = Number(process.argv[3] ?? 0);
const compiler = new PolicyCompiler(Object.values(policies), compileExpression);

function run(text: string): void {
  checkParsed(text, parseXml(text));
  checkCompiled(text, compiler.compileLoose(text));
}

/** The faster of two runs: somebody else's pause is not ours. */
function timed(text: string): number {
  let best = Infinity;
  for (let i = 0; i < 2 && best > slowMs; i++) {
    const start = performance.now();
    run(text);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

let slowest = 0;
let slowestSeed = first;
let heapAtStart = 0;
for (let seed = first; seed < first + count; seed++) {
  const text = brokenDocument(seed);
  try {
    const ms = timed(text);
    if (ms > slowest && seed > first + 100) [slowest, slowestSeed] = [ms, seed];
    if (ms > slowMs && seed > first + 100) throw new Error(`took ${ms.toFixed(0)} ms`);
  } catch (error) {
    console.error(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}\n${JSON.stringify(text)}`);
    process.exit(1);
  }
  if (seed === first + Math.floor(count / 2)) heapAtStart = process.memoryUsage().heapUsed;
}
const grownMib = (process.memoryUsage().heapUsed - heapAtStart) / 1_048_576;
console.log(`${count} documents, slowest ${slowest.toFixed(1)} ms (seed ${slowestSeed}), heap ${grownMib.toFixed(0)} MiB since half time`);

// Linear shape: eight times the length may cost about eight times as much, never sixty-four.
let worst = 0;
let worstText = "";
const small = hostileDocuments(64 * 1024);
const large = hostileDocuments(512 * 1024);
for (const [i, text] of large.entries()) {
  const ratio = timed(text) / Math.max(1, timed(small[i]!));
  if (ratio > worst) [worst, worstText] = [ratio, text.slice(0, 60)];
}
console.log(`hostile documents: 8 × the length costs at most ${worst.toFixed(1)} × (${JSON.stringify(worstText)})`);
if (worst > 40) process.exit(1);
