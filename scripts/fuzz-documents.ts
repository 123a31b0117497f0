/**
 * Throws broken documents at the compiler: `node scripts/fuzz-documents.ts [count] [first seed]`, by default 1,000,000.
 * Ends with 1 and the seed on a crash, on a broken invariant or on a document that takes longer than 50 ms twice; with 1 also
 * when half a megabyte of hostile text takes a second. Prints how the heap grew, for a person to judge (with `--expose-gc`, without what is garbage).
 */
import { PolicyCompiler } from "../src/compiler/compile.ts";
import { compileExpression } from "../src/compiler/csharp/compile-expression.ts";
import {
  brokenDocument,
  checkCompiled,
  checkParsed,
  hostileDocuments,
} from "../src/compiler/fuzz-documents.ts";
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
    console.error(
      `seed ${seed}: ${error instanceof Error ? error.stack : String(error)}\n${JSON.stringify(text)}`,
    );
    process.exit(1);
  }
  if (seed === first + Math.floor(count / 2)) {
    globalThis.gc?.();
    heapAtStart = process.memoryUsage().heapUsed;
  }
}
globalThis.gc?.();
const grownMib = (process.memoryUsage().heapUsed - heapAtStart) / 1_048_576;
console.log(
  `${count} documents, slowest ${slowest.toFixed(1)} ms (seed ${slowestSeed}), heap ${grownMib.toFixed(0)} MiB since half time`,
);

// Linear shape: half a megabyte of the worst kind takes some tens of milliseconds; a quadratic reader needs minutes.
let longest = 0;
let longestText = "";
for (const text of hostileDocuments(512 * 1024)) {
  const ms = timed(text);
  if (ms > longest) [longest, longestText] = [ms, text.slice(0, 60)];
}
console.log(
  `hostile documents of 512 KiB: ${longest.toFixed(0)} ms at most (${JSON.stringify(longestText)})`,
);
if (longest > 1_000) process.exit(1);
