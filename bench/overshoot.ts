/**
 * How far token limits can be off (`reliability.md` R-21): callers that never rest, on virtual time, against the real counters.
 *
 *     node bench/overshoot.ts
 *
 * 150 callers at once send, wait for their answer, and send again; after a refusal they wait as they were told. Printed is the
 * largest sum of tokens that any window of a minute held, over the limit, and how much of the limit was used on average. One call
 * costs 20 to 60 tokens of prompt and up to 400 of answer, log-normally distributed; an answer takes 0.5 to 8 s.
 */
import { MemoryHolds } from "../src/counters/memory-holds.ts";
import { MemoryQuotas } from "../src/counters/memory-quotas.ts";
import { OutputSizes } from "../src/counters/output-sizes.ts";
import { type ReserveMode, claimFor } from "../src/gateway/token-limits/token-claims.ts";

const CALLERS = 150;
const MINUTES = 10;
const BOUND = 400;
const WINDOW_MS = 60_000;

interface Setting {
  readonly title: string;
  readonly mode: ReserveMode;
  readonly estimates: boolean;
  readonly bound: number | null;
}

const SETTINGS: readonly Setting[] = [
  { title: "none, as the original", mode: "none", estimates: false, bound: null },
  { title: "none, prompt estimated", mode: "none", estimates: true, bound: null },
  { title: "auto, no bound stated", mode: "auto", estimates: false, bound: null },
  { title: "auto, bound of 400", mode: "auto", estimates: false, bound: BOUND },
  { title: "auto, bound of 4096", mode: "auto", estimates: false, bound: 4096 },
  { title: "auto, prompt estimated, bound of 400", mode: "auto", estimates: true, bound: BOUND },
  { title: "full, no bound stated", mode: "full", estimates: true, bound: null },
  { title: "full, bound of 400", mode: "full", estimates: true, bound: BOUND },
];

/** Events by time, earliest first. */
class Agenda {
  readonly #heap: { at: number; run: (at: number) => void }[] = [];

  add(at: number, run: (at: number) => void): void {
    const heap = this.#heap;
    let i = heap.push({ at, run }) - 1;
    while (i > 0 && heap[(i - 1) >> 1]!.at > heap[i]!.at) i = this.#swap(i, (i - 1) >> 1);
  }

  /** Runs what is due before `until`. */
  run(until: number): void {
    const heap = this.#heap;
    while (heap.length > 0 && heap[0]!.at < until) {
      const first = heap[0]!;
      const last = heap.pop()!;
      if (heap.length > 0) {
        heap[0] = last;
        for (let i = 0; ;) {
          let least = i;
          for (const child of [2 * i + 1, 2 * i + 2])
            if (child < heap.length && heap[child]!.at < heap[least]!.at) least = child;
          if (least === i) break;
          i = this.#swap(i, least);
        }
      }
      first.run(first.at);
    }
  }

  #swap(i: number, j: number): number {
    const heap = this.#heap;
    [heap[i], heap[j]] = [heap[j]!, heap[i]!];
    return j;
  }
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** @returns the fullest minute and the average one, as parts of the limit */
function simulate(setting: Setting, limit: number): { readonly most: number; readonly average: number } {
  const random = randomFrom(42);
  const holds = new MemoryHolds(new MemoryQuotas());
  const outputs = new OutputSizes();
  const agenda = new Agenda();
  const settled: { readonly at: number; readonly tokens: number }[] = [];
  const moment = (at: number) => ({ monotonicMs: at, epochMs: at });
  const answerTokens = (): number => {
    const normal = Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
    return Math.max(1, Math.min(BOUND, Math.round(Math.exp(4.6 + 0.6 * normal))));
  };
  const call = (at: number): void => {
    const prompt = 20 + Math.floor(random() * 40);
    const expected = { ...setting, prompt, usual: outputs.usual("m"), most: outputs.most("m") };
    const claim = claimFor({ what: "rate", limit, algorithm: "sliding" }, "k", expected, () => null);
    const answer = holds.reserve([claim], moment(at));
    if (answer.state !== "taken") {
      const waitMs =
        answer.state === "refused" ? Math.ceil((answer.retryAfterMs ?? 1000) / 1000) * 1000 : 1000;
      agenda.add(at + waitMs + random() * 200, call);
      return;
    }
    const completion = answerTokens();
    agenda.add(at + 500 + random() * 7500, (end) => {
      answer.hold.settle(prompt + completion, moment(end));
      outputs.learn("m", completion);
      settled.push({ at: end, tokens: prompt + completion });
      agenda.add(end, call);
    });
  };
  for (let i = 0; i < CALLERS; i++) agenda.add(i * 5, call);
  agenda.run((MINUTES + 1) * WINDOW_MS);
  return worstMinute(settled, limit);
}

/** The first minute is warm-up. */
function worstMinute(
  settled: readonly { readonly at: number; readonly tokens: number }[],
  limit: number,
): { readonly most: number; readonly average: number } {
  let [from, sum, most, total] = [0, 0, 0, 0];
  for (const { at, tokens } of settled) {
    sum += tokens;
    while (settled[from]!.at <= at - WINDOW_MS) sum -= settled[from++]!.tokens;
    if (at < WINDOW_MS) continue;
    most = Math.max(most, sum);
    total += tokens;
  }
  return { most: most / limit, average: total / (MINUTES * limit) };
}

const LIMITS = [6000, 60_000, 600_000];
const percent = (part: number): string => `${(part * 100).toFixed(1)} %`.padStart(9);
console.log(`${"".padEnd(40)}${LIMITS.map((limit) => `${limit} a minute`.padStart(22)).join("")}`);
console.log(`${"".padEnd(40)}${LIMITS.map(() => "fullest   average".padStart(22)).join("")}`);
for (const setting of SETTINGS) {
  const cells = LIMITS.map((limit) => {
    const { most, average } = simulate(setting, limit);
    return `   ${percent(most)} ${percent(average)}`;
  });
  console.log(setting.title.padEnd(40) + cells.join(""));
}
