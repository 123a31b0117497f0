/**
 * The semantic cache of one node: looking for the nearest among many, what that holds the event loop up, what adding and
 * beginning again cost, and what an embedding costs.
 *
 * Usage: node bench/semantic.ts
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/base/system-clock.ts";
import { EmbeddedSemanticStore } from "../src/semantic/embedded/store.ts";
import { EmbeddedModel } from "../src/semantic/model/embedder.ts";

const clock = systemClock(
  () => Date.now(),
  () => performance.now(),
);
try {
  // Other processes' turns are not ours: this thread goes first where it may.
  setPriority(-10);
} catch {
  console.log("(priority as it was: other processes show in the event loop's turns)");
}
const folder = mkdtempSync(join(tmpdir(), "headgate-semantic-"));
const HOUR = 3_600_000;
const payload = new Uint8Array(500).fill(65);

/** Numbers that look like chance and are the same each time. */
let state = 12345;
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32 - 0.5;
}
const vectorOf = (dimensions: number): Float32Array => {
  const vector = new Float32Array(dimensions);
  for (let i = 0; i < dimensions; i++) vector[i] = random() + random();
  return vector;
};

/** Like real prompts, which come in clusters: a base and a little noise. */
function near(vector: Float32Array, noise: number): Float32Array {
  return vector.map((value) => value + noise * random());
}

function stated(times: readonly number[], digits = 2): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(digits);
  return `${at(0.5)} (${at(0)} … ${at(1)})`;
}

/** The longest turn of the event loop while `work` goes on, ms by the clock. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let goesOn = true;
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (goesOn) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  goesOn = false;
  return longest;
}

async function measure(count: number, dimensions: number): Promise<void> {
  const file = join(folder, `${count}-${dimensions}.db`);
  const gigabyte = 1024 ** 3;
  const options = { clock, file, memoryBytes: gigabyte, diskBytes: 4 * gigabyte, findTimeoutMs: 60_000 };
  const rss = process.memoryUsage().rss;
  let store = new EmbeddedSemanticStore(options);
  const kept: Float32Array[] = [];
  let from = performance.now();
  for (let i = 0; i < count; i += 100) {
    await Promise.all(
      Array.from({ length: 100 }, (_, k) => {
        const vector = vectorOf(dimensions);
        if (kept.length < 50) kept.push(vector);
        return store.add("p", { vector, prompt: `prompt ${i + k}`, payload }, HOUR);
      }),
    );
  }
  await store.flush();
  const addMs = (performance.now() - from) / count;
  const memory = process.memoryUsage().rss - rss;
  console.log(`\n${count} × ${dimensions}`);
  console.log(`  added in ${(addMs * 1000).toFixed(0)} µs each (the numbers made up included)`);
  console.log(`  memory +${(memory / 1e6).toFixed(0)} MB, file ${(statSync(file).size / 1e6).toFixed(0)} MB`);

  const look = async (question: Float32Array, distance: number, limit: number): Promise<number> => {
    const at = performance.now();
    const found = await store.find("p", question, distance, limit);
    if (found.state === "unavailable") throw new Error(found.why);
    return performance.now() - at;
  };
  for (const [name, distance, limit] of [
    ["hit, limit 1, threshold 0.15", 0.15, 1],
    ["hit, limit 4, threshold 0.3", 0.3, 4],
    ["whatever is nearest (threshold 2)", 2, 1],
  ] as const) {
    const times: number[] = [];
    for (const vector of kept) times.push(await look(near(vector, 0.2), distance, limit));
    console.log(`  ${name}: ${stated(times)} ms`);
  }
  const times: number[] = [];
  for (let i = 0; i < 50; i++) times.push(await look(vectorOf(dimensions), 0.15, 1));
  console.log(`  miss, threshold 0.15: ${stated(times)} ms`);

  const turns: number[] = [];
  const idle: number[] = [];
  for (const vector of kept) {
    turns.push(await longestTurn(() => store.find("p", vector, 0.15, 1)));
    idle.push(await longestTurn(() => new Promise((resolve) => setTimeout(resolve, 8))));
  }
  const together = await longestTurn(() =>
    Promise.all(kept.map((vector) => store.find("p", vector, 0.15, 1))),
  );
  console.log(
    `  longest turn of the event loop during a look-up: ${stated(turns)} ms; 50 at once: ${together.toFixed(2)} ms`,
  );
  console.log(`    during 8 ms in which nothing is done: ${stated(idle)} ms`);
  const handing: number[] = [];
  const cpu = process.threadCpuUsage();
  for (let i = 0; i < 10; i++) {
    for (const vector of kept) {
      const at = performance.now();
      const found = store.find("p", vector, 0.15, 1);
      handing.push((performance.now() - at) * 1000);
      await found;
    }
  }
  const used = process.threadCpuUsage(cpu);
  const total = (used.user + used.system) / handing.length;
  console.log(
    `  the event loop's own work: handing a question over ${stated(handing, 0)} µs; CPU of a whole look-up ${total.toFixed(0)} µs`,
  );

  await store.close();
  store = new EmbeddedSemanticStore(options);
  from = performance.now();
  await store.find("p", kept[0]!, 0.15, 1);
  console.log(`  first look-up after a restart: ${(performance.now() - from).toFixed(0)} ms`);
  await store.close();
}

async function embeddings(): Promise<void> {
  const rss = process.memoryUsage().rss;
  const model = new EmbeddedModel({ clock, timeoutMs: 60_000 });
  let from = performance.now();
  await model.embed("begin");
  console.log(`\nembedded model: first embedding after ${(performance.now() - from).toFixed(0)} ms`);
  const prompt =
    "How do I reset my password when I have lost access to the phone that I used for two factor authentication and my recovery codes are also gone, number";
  const words = prompt.split(" ").length + 2;
  for (let i = 0; i < 10; i++) await model.embed(`${prompt} ${i} please`);
  const times: number[] = [];
  const all = process.cpuUsage();
  const own = process.threadCpuUsage();
  for (let i = 0; i < 100; i++) {
    from = performance.now();
    await model.embed(`${prompt} ${i} please`);
    times.push(performance.now() - from);
  }
  const cpu = process.cpuUsage(all);
  const loop = process.threadCpuUsage(own);
  const memory = process.memoryUsage().rss - rss;
  console.log(`  ${words} words: ${stated(times, 1)} ms`);
  console.log(
    `  CPU ${((cpu.user + cpu.system) / 100_000).toFixed(1)} ms each, of it ${((loop.user + loop.system) / 100).toFixed(0)} µs on the event loop; memory +${(memory / 1e6).toFixed(0)} MB`,
  );
  for (const length of [100, 400, 3000]) {
    const text = Array.from({ length }, (_, i) => prompt.split(" ")[i % words] ?? "and")
      .join(" ")
      .slice(0, 20_000);
    from = performance.now();
    await model.embed(text);
    console.log(`  ${length} words: ${(performance.now() - from).toFixed(0)} ms`);
  }
  await model.close();
}

try {
  await measure(10_000, 384);
  await measure(100_000, 1536);
  await embeddings();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
