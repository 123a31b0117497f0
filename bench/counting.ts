/**
 * What counting tokens costs: texts of several sizes and kinds beside gpt-tokenizer in the same run, whole prompts, texts that
 * are meant to be slow, and how long the event loop is held meanwhile.
 *
 *     node --expose-gc bench/counting.ts
 *
 * Targets: a prompt of 1 kB well under 30 µs; no text beyond linear time; the loop never held for more than 5 ms.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { countText, countTokens, ready } from "../src/llm/counting/count.ts";
import { countPrompt } from "../src/llm/counting/prompt.ts";
import type { Prompt } from "../src/llm/prompt.ts";

const ROUNDS = 9;
const ROOT = join(import.meta.dirname, "..");
const collect = (globalThis as { gc?: () => void }).gc ?? (() => {});

/** The longest gap between two turns of the event loop, and the whole time, while `work` goes on; ms. */
async function held(work: () => number | void | Promise<number | void>): Promise<[number, number]> {
  let longest = 0;
  let last = performance.now();
  let going = true;
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (going) setImmediate(look);
  };
  setImmediate(look);
  const start = performance.now();
  await work();
  const whole = performance.now() - start;
  await new Promise((done) => setImmediate(done));
  going = false;
  return [longest, whole];
}

function line(name: string, ...columns: string[]): void {
  console.log(name.padEnd(26) + columns.map((column) => column.padStart(30)).join(""));
}

function sorted(samples: readonly number[]): string {
  const order = samples.toSorted((a, b) => a - b);
  const unit = order[order.length >> 1]! >= 10_000 ? ([1000, "ms"] as const) : ([1, "µs"] as const);
  const [middle, least, most] = [order[order.length >> 1]!, order[0]!, order.at(-1)!].map((value) =>
    (value / unit[0]).toFixed(1),
  );
  return `${middle} ${unit[1]} (${least}–${most})`;
}

function files(folder: string, ending: string): string {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => readFileSync(join(ROOT, folder, name), "utf8"))
    .join("\n");
}

/** Characters by a fixed seed. */
function scattered(length: number, from: number, count: number, blanks = 0): string {
  let state = 1;
  const characters: string[] = [];
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    const value = state >> 8;
    characters.push(blanks > 0 && value % blanks === 0 ? " " : String.fromCodePoint(from + (value % count)));
  }
  return characters.join("");
}

/** Distinct slices, so that no cache knows the whole; as many as make a measurable round. */
function slices(text: string, length: number): string[] {
  const wanted = Math.max(1, Math.min(400, Math.floor(400_000 / length)));
  const source = text.length < length ? text.repeat(Math.ceil(length / text.length)) : text;
  const step = Math.max(1, Math.floor((source.length - length) / wanted));
  return Array.from({ length: wanted }, (_, i) => source.slice(i * step, i * step + length));
}

function measure(count: (text: string) => number, texts: readonly string[]): string {
  const samples: number[] = [];
  for (let round = 0; round < ROUNDS + 2; round++) {
    const start = performance.now();
    for (const text of texts) count(text);
    if (round >= 2) samples.push(((performance.now() - start) * 1000) / texts.length);
  }
  return sorted(samples);
}

collect();
const before = process.memoryUsage();
const [loadHeld, loadWhole] = await held(() => ready("o200k_base"));
// What loading left behind is only garbage after a few turns.
await new Promise((done) => setTimeout(done, 50));
collect();
const after = process.memoryUsage();
const megabytes = (key: "arrayBuffers" | "heapUsed" | "rss") => ((after[key] - before[key]) / 1e6).toFixed(1);
console.log(
  `o200k_base loaded in ${loadWhole.toFixed(0)} ms, the loop held for ${loadHeld.toFixed(1)} ms at most`,
);
console.log(
  `memory: arrays ${megabytes("arrayBuffers")} MB, heap ${megabytes("heapUsed")} MB, RSS ${megabytes("rss")} MB\n`,
);

const { countTokens: reference } = await import("gpt-tokenizer/encoding/o200k_base");
const own = (text: string) => countTokens(text, "o200k_base");
const asText = { disallowedSpecial: new Set<string>() };
const theirs = (text: string) => reference(text, asText);

const english = files("docs/guide", ".md") + readFileSync(join(ROOT, "README.md"), "utf8");
const code = files("src/gateway", ".ts");
const han = scattered(300_000, 0x4e00, 3000, 12).replaceAll(" ", "，");

line("", "own", "gpt-tokenizer");
for (const [kind, text] of [
  ["English", english],
  ["CJK", han],
  ["code", code],
] as const) {
  for (const size of [100, 1000, 2000, 50_000, 500_000]) {
    const texts = slices(text, size);
    line(`${kind} ${size}`, measure(own, texts), measure(theirs, texts));
  }
}

const prompt = (text: string): Prompt => ({
  messages: [
    { role: "system", name: null, parts: [{ kind: "text", text: text.slice(0, 200) }] },
    { role: "user", name: null, parts: [{ kind: "text", text: text.slice(200) }] },
  ],
  tools: [],
  schema: null,
  kind: "chat",
});
const prompts = new Map(slices(english, 1000).map((text) => [text, prompt(text)]));
const whole = (text: string) => (countPrompt(prompts.get(text)!, "gpt-4o") as { tokens: number }).tokens;
line("a prompt of 1 kB", measure(whole, [...prompts.keys()]), "");

const N = 500_000;
const hostile: Readonly<Record<string, (length: number) => string>> = {
  "one letter": (length) => "a".repeat(length),
  blanks: (length) => " ".repeat(length),
  "line ends": (length) => "\n".repeat(length),
  "capitals after a kana": (length) => "あ" + "A".repeat(length),
  "random letters": (length) => scattered(length, 97, 26),
  "random words": (length) => scattered(length, 97, 26, 8),
  "han, no punctuation": (length) => scattered(length, 0x4e00, 20_000),
  emoji: (length) => "😀".repeat(length / 2),
  "all of Unicode": (length) => scattered(length, 0x20, 0xd000),
};
console.log(
  "\nMeant to be slow, own only (the others take seconds to minutes): 50,000 and 500,000 characters",
);
for (const [name, make] of Object.entries(hostile)) {
  line(name, measure(own, [make(N / 10)]), measure(own, [make(N)]));
}

console.log(
  "\nCounting 5 million characters in slices: the loop held at most (best and worst of 3 runs), whole time",
);
const big = { English: english.repeat(Math.ceil(5e6 / english.length)).slice(0, 5e6) };
const idle: number[] = [];
for (let i = 0; i < 3; i++) idle.push((await held(() => new Promise((done) => setTimeout(done, 300))))[0]);
line("nothing, for comparison", `${Math.min(...idle).toFixed(1)}–${Math.max(...idle).toFixed(1)} ms`, "");
for (const [name, text] of [
  ...Object.entries(big),
  ...Object.entries(hostile).map(([name, make]) => [name, make(5e6)] as const),
]) {
  const runs: [number, number][] = [];
  for (let i = 0; i < 3; i++) runs.push(await held(() => countText(text, "o200k_base") as Promise<number>));
  const longest = runs.map(([held]) => held);
  line(
    name,
    `${Math.min(...longest).toFixed(1)}–${Math.max(...longest).toFixed(1)} ms`,
    `${(Math.min(...runs.map(([, all]) => all)) / 1000).toFixed(2)} s`,
  );
}
