/**
 * How well the embedded model and the lexical guard tell prompts apart that want the same answer from those that do not,
 * over sets of labelled pairs that others made. The sets are not ours to give: bring them along.
 *
 * Usage: node bench/semantic-quality.ts FILE…
 *   *.csv: Medical Question Pairs (`dr_id,question_1,question_2,label`)
 *   *.txt: Microsoft Research Paraphrase Corpus (tab separated: Quality, #1 ID, #2 ID, #1 String, #2 String)
 *   *.tsv: text, text, 0 or 1
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { systemClock } from "../src/base/system-clock.ts";
import { sameMeaning } from "../src/semantic/lexical-guard.ts";
import { EmbeddedModel } from "../src/semantic/model/embedder.ts";
import { distanceOf } from "../src/semantic/unit-vector.ts";

interface Pair {
  readonly a: string;
  readonly b: string;
  readonly same: boolean;
}

const THRESHOLDS = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3];

const clock = systemClock(
  () => Date.now(),
  () => performance.now(),
);
const model = new EmbeddedModel({ clock, timeoutMs: 600_000 });
const vectors = new Map<string, Float32Array>();
for (const file of process.argv.slice(2)) await measure(file);
await model.close();

async function measure(file: string): Promise<void> {
  const pairs = read(file).map(({ a, b, same }) => ({ a: asked(a), b: asked(b), same }));
  for (const { a, b } of pairs)
    for (const text of [a, b]) if (!vectors.has(text)) vectors.set(text, await model.embed(text));
  const measured = pairs.map(({ a, b, same }) => ({
    same,
    distance: distanceOf(vectors.get(a)!, vectors.get(b)!),
    passes: sameMeaning(a, b),
  }));
  const alike = measured.filter(({ same }) => same);
  const other = measured.filter(({ same }) => !same);
  // Questions of the set that have nothing to do with each other: each with the one a third of the set away.
  const strangers = pairs.map(({ a }, i) => {
    const b = pairs[(i + Math.floor(pairs.length / 3)) % pairs.length]!.a;
    return {
      distance: distanceOf(vectors.get(a)!, vectors.get(b)!),
      passes: sameMeaning(a, b),
      same: a === b,
    };
  });
  console.log(`\n${basename(file)}: ${alike.length} pairs alike, ${other.length} that look alike, one in`);
  console.log("| score-threshold | hits | with guard | false hits | with guard | strangers | with guard |");
  console.log("|---|---|---|---|---|---|---|");
  for (const threshold of THRESHOLDS) {
    const share = (set: typeof measured, guarded: boolean): string => {
      const hits = set.filter(({ distance, passes }) => distance <= threshold && (!guarded || passes));
      return `${((100 * hits.length) / set.length).toFixed(1)} %`;
    };
    const cells = [alike, other, strangers.filter(({ same }) => !same)].flatMap((set) => [
      share(set, false),
      share(set, true),
    ]);
    console.log(`| ${threshold.toFixed(2)} | ${cells.join(" | ")} |`);
  }
  const passed = (set: typeof measured): string =>
    `${((100 * set.filter(({ passes }) => passes).length) / set.length).toFixed(1)} %`;
  console.log(
    `The guard alone lets ${passed(alike)} of those alike pass and ${passed(other)} of the others.`,
  );
  const from = performance.now();
  for (let i = 0; i < 5; i++) for (const { a, b } of pairs) sameMeaning(a, b);
  const each = ((performance.now() - from) * 1000) / (5 * pairs.length);
  console.log(`The guard takes ${each.toFixed(1)} µs a pair.`);
}

function read(file: string): Pair[] {
  const text = readFileSync(file, "utf8").replace(/^\ufeff/, "");
  if (file.endsWith(".csv"))
    return csv(text)
      .filter((row) => row.length === 4 && /^[01]$/.test(row[3]!))
      .map(([, a, b, label]) => ({ a: a!, b: b!, same: label === "1" }));
  const rows = text
    .split(/\r?\n/)
    .map((line) => line.split("\t"))
    .filter((row) => row.length >= 3);
  if (file.endsWith(".txt"))
    return rows.slice(1).map(([label, , , a, b]) => ({ a: a!, b: b!, same: label === "1" }));
  return rows.map(([a, b, label]) => ({ a: a!, b: b!, same: label === "1" }));
}

/** As the gateway embeds a conversation of one message. */
function asked(text: string): string {
  return `user: ${text}`;
}

/** Fields in quotes may hold commas, line ends and doubled quotes. */
function csv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end !== ",") rows.push([]);
  }
  return rows;
}
