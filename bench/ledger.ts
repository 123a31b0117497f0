/**
 * The ledger: what writing a record down costs the thread that carries requests, how fast rows are stored, and how long
 * searches take over a million rows, a quarter of them with what was said.
 *
 *     node bench/ledger.ts                          a million rows, 10,000 searches
 *     ROWS=100000 SEARCHES=1000 node bench/ledger.ts
 *     KEEP=/tmp/ledger node bench/ledger.ts         leaves the ledger there, and uses it the next time
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/base/system-clock.ts";
import { Ledger, type LedgerRecord, type SearchQuery } from "../src/ledger/index.ts";
import { record } from "../src/ledger/ledger.fixture.ts";
import { spreadOf } from "./harness.ts";

const ROWS = Number(process.env["ROWS"] ?? 1_000_000);
const SEARCHES = Number(process.env["SEARCHES"] ?? 10_000);
const SPAN_MS = 30 * 86_400_000;
const END = Date.UTC(2026, 5, 30);

/** A generator that gives the same rows each time (mulberry32). */
let seed = 42;
function random(): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
/** Small numbers often, large ones seldom, as names are used in life. */
const zipf = (n: number): number => Math.min(n - 1, Math.floor(n ** random()) - 1);

const MODELS = [
  "gpt-4o",
  "gpt-4o-mini",
  "claude-sonnet-4",
  "gemini-2.5-flash",
  "o3",
  "mistral-large",
  "rare-model",
];
const ENDINGS = ["finished", "finished", "finished", "finished", "incomplete", "client-gone"] as const;
const WORDS = Array.from({ length: 20_000 }, (_, i) => `word${i.toString(36)}`);

function rowOf(i: number): LedgerRecord {
  const lot = random();
  const status = lot < 0.93 ? 200 : lot < 0.98 ? 429 : lot < 0.995 ? 500 : lot < 0.9999 ? 400 : 418;
  const model = MODELS[zipf(MODELS.length)]!;
  // As in life: a team has one product and few APIs, a model few backends.
  const team = zipf(500);
  const promptTokens = Math.floor(10 ** (1 + 4 * random()));
  const completionTokens = Math.floor(10 ** (3 * random()));
  return record({
    requestId: `${i.toString(16).padStart(8, "0")}-4b1d-4f6e-9b1a-${Math.floor(random() * 2 ** 48)
      .toString(16)
      .padStart(12, "0")}`,
    timeMs: Math.floor(END - SPAN_MS + (SPAN_MS * i) / ROWS + 60_000 * random()),
    durationMs: 3000 * random(),
    api: `api-${(team + zipf(3)) % 40}`,
    subscription: `team-${team}`,
    product: `product-${team % 10}`,
    user: `user-${zipf(5000)}`,
    backend: `${model}-${zipf(2)}`,
    modelAsked: model,
    modelServed: `${model}-2026-01-01`,
    status,
    ending: status === 200 ? pick(ENDINGS) : status === 429 ? "refused" : "upstream-error",
    promptTokens,
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    chargedTokens: promptTokens + completionTokens,
    stream: random() < 0.5,
  });
}

function saying(words: number): string {
  return Array.from({ length: words }, () => WORDS[zipf(WORDS.length)]).join(" ");
}

const KINDS: Readonly<Record<string, () => SearchQuery>> = {
  "the newest": () => ({}),
  "an hour of one day": () => ({ from: END - SPAN_MS * random(), to: END, limit: 200 }),
  "an API": () => ({ api: `api-${zipf(40)}` }),
  "a subscription": () => ({ subscription: `team-${zipf(500)}` }),
  "a user": () => ({ user: `user-${zipf(5000)}` }),
  "a model, by what was asked": () => ({ model: pick(MODELS) }),
  "models that begin with": () => ({ model: "gpt-*", status: 429 }),
  "a seldom status": () => ({ status: 418 }),
  "a class of statuses": () => ({ status: pick(["4xx", "5xx"]) }),
  "API, model and status": () => ({ api: `api-${zipf(40)}`, model: pick(MODELS), status: 500 }),
  "conditions that never meet": () => ({ status: 200, ending: "refused" }),
  "subscription and many tokens": () => ({ subscription: `team-${zipf(500)}`, minTokens: 90_000 }),
  "most tokens": () => ({ minTokens: 100_500 }),
  "a request id": () => ({ requestId: "0000abcd" }),
  "a page far down": () => ({ cursor: String((END - SPAN_MS * random()) * 2048) }),
  "a frequent word": () => ({ text: WORDS[zipf(20)]! }),
  "a seldom word": () => ({ text: WORDS[5000 + Math.floor(15_000 * random())]! }),
  "the beginning of a word": () => ({ text: `word${Math.floor(random() * 36).toString(36)}*` }),
  "a phrase": () => ({ text: `${WORDS[zipf(50)]} ${WORDS[zipf(50)]}` }),
  "a frequent word of a seldom user": () => ({ text: WORDS[zipf(20)]!, user: `user-${4000 + zipf(1000)}` }),
  "a word within an API and a week": () => ({
    text: WORDS[zipf(2000)]!,
    api: `api-${zipf(40)}`,
    from: END - 7 * 86_400_000,
  }),
};

const kept = process.env["KEEP"];
const folder = kept ?? mkdtempSync(join(tmpdir(), "headgate-bench-ledger-"));
const isNew = !existsSync(join(folder, "ledger.db"));
const clock = systemClock(
  () => END,
  () => performance.now(),
);
const ledger = Ledger.open(folder, { clock, pid: process.pid, mostContentsBytes: 1e9, mostContents: 1e6 });

function print(name: string, unit: string, values: readonly number[], digits = 2): void {
  const { min, median, max } = spreadOf([...values]);
  const text = (value: number): string => value.toFixed(digits);
  console.log(`${name.padEnd(44)} ${text(median).padStart(9)} ${unit}   (${text(min)} – ${text(max)})`);
}

if (isNew) {
  const BATCH = Math.min(20_000, ROWS);
  const appends: number[] = [];
  const offers: number[] = [];
  const stores: number[] = [];
  for (let done = 0; done < ROWS; done += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, i) => rowOf(done + i));
    const said = rows
      .filter((_, i) => i % 4 === 0)
      .map(({ requestId }) => ({
        requestId,
        part: 0,
        request: JSON.stringify([{ role: "user", content: saying(40) }]),
        response: JSON.stringify([{ role: "assistant", content: saying(40) }]),
        requestTruncated: false,
        responseTruncated: false,
      }));
    const start = performance.now();
    for (const row of rows) ledger.append(row);
    const appended = performance.now();
    for (const one of said) ledger.addContents(one);
    const offered = performance.now();
    await ledger.flush();
    appends.push(((appended - start) * 1000) / rows.length);
    offers.push(((offered - appended) * 1000) / said.length);
    stores.push(((performance.now() - offered) * 1000) / rows.length);
  }
  console.log(`${ROWS} rows, ${ROWS / 4} of them with what was said\n`);
  print("append, in the gateway's thread", "µs", appends);
  print("addContents, in the gateway's thread", "µs", offers);
  print("stored by the worker, a row", "µs", stores);
}

const times = new Map<string, number[]>();
const all: number[] = [];
const names = Object.keys(KINDS);
for (let i = 0; i < SEARCHES; i++) {
  const name = names[i % names.length]!;
  const query = KINDS[name]!();
  const start = performance.now();
  await ledger.search(query);
  const took = performance.now() - start;
  all.push(took);
  times.set(name, [...(times.get(name) ?? []), took]);
}

const percentile = (values: number[], share: number): number =>
  values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!;
const line = (name: string, values: number[]): string =>
  `${name.padEnd(44)} ${[0.5, 0.95, 1].map((share) => percentile(values, share).toFixed(1).padStart(8)).join(" ")}`;
console.log(`\n${SEARCHES} searches, one after the other, ms${" ".repeat(13)}median      p95  slowest`);
for (const [name, values] of times) console.log(line(name, values));
console.log(line("all", all));

const rollups: number[] = [];
for (let i = 0; i < 20; i++) {
  const start = performance.now();
  await ledger.rollup({ from: END - SPAN_MS, to: END + 1, by: ["subscription", "model"], step: "day" });
  rollups.push(performance.now() - start);
}
console.log("");
print("30 days by subscription and model, a day", "ms", rollups, 1);
const { store } = ledger.stats();
if (store !== null) console.log(`database ${(store.databaseBytes / 1e6).toFixed(0)} MB`);

await ledger.close();
if (kept === undefined) rmSync(folder, { recursive: true, force: true });
