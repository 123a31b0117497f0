/**
 * What the guards of this process cost: µs of one core per kB of text, detector by detector, and masking a prompt.
 *
 *     node bench/guards.ts
 *
 * Two texts of 1 kB: prose without anything in it, which is the rule, and a letter full of personal data.
 */
import { createBuiltInGuard } from "../src/guards/built-in/guard.ts";
import { HARM_CATEGORIES, harmSeverities } from "../src/guards/detectors/categories.ts";
import { fold } from "../src/guards/detectors/fold.ts";
import { scoreInjection } from "../src/guards/detectors/injection.ts";
import { PERSONAL_KINDS, findPersonalData } from "../src/guards/detectors/personal-data.ts";
import { findSecrets } from "../src/guards/detectors/secrets.ts";
import { maskRequest } from "../src/guards/masking/mask.ts";
import { DEFAULT_FORM } from "../src/guards/masking/placeholders.ts";
import { RestoringAnswer } from "../src/guards/masking/restore-stream.ts";

const ROUNDS = 7;
const TIMES = 1500;

const SENTENCES =
  "The gateway sits between the teams that build and the models that answer. It counts what is asked, says no where somebody has drawn a line, and keeps the bill readable. In 2024 the company moved 1,250 services behind it. ";
const PROSE = SENTENCES.repeat(6).slice(0, 1024);
const LETTER =
  "Dear Ann, please send the contract to ann.miller@example.com or call +1 415 555 2671. My card is 4111 1111 1111 1111 and my IBAN DE89 3704 0044 0532 0130 00; I was born on 12 March 1984 and live at 742 Evergreen Terrace, Springfield, OR 97403. ";
const FULL = (LETTER + SENTENCES).repeat(4).slice(0, 1024);
const UNICODE = `${PROSE.slice(0, 900)} – naïve café, Ünïcödé, Привет, 你好`.padEnd(1024, "é");

/** Median µs of a run and the spread of the rounds, of this thread's own time. */
function measure(run: () => unknown): { median: number; spread: string } {
  for (let i = 0; i < TIMES; i++) run();
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.threadCpuUsage();
    for (let i = 0; i < TIMES; i++) run();
    const { user, system } = process.threadCpuUsage(before);
    rounds.push((user + system) / TIMES);
  }
  rounds.sort((a, b) => a - b);
  const [least, most] = [rounds[0]!, rounds.at(-1)!];
  return { median: rounds[ROUNDS >> 1]!, spread: `${least.toFixed(1)} … ${most.toFixed(1)}` };
}

function report(name: string, run: () => unknown): void {
  const { median, spread } = measure(run);
  console.log(`${name.padEnd(44)} ${median.toFixed(1).padStart(8)} µs  (${spread})`);
}

for (const [name, text] of [
  ["prose", PROSE],
  ["letter", FULL],
  ["unicode", UNICODE],
] as const) {
  console.log(`${name}, 1 kB`);
  report("  folding", () => fold(text));
  report("  personal data, all kinds", () => findPersonalData(text, PERSONAL_KINDS));
  report("  secrets", () => findSecrets(text));
  report("  prompt injection", () => scoreInjection(text, false));
  report("  Hate, SelfHarm, Sexual, Violence", () => harmSeverities(text, HARM_CATEGORIES));
}

const rules = { kinds: PERSONAL_KINDS, form: DEFAULT_FORM };
const bodyOf = (content: string): string =>
  JSON.stringify({
    model: "gpt-4o",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content },
    ],
  });
console.log("masking");
const plain = bodyOf(PROSE);
const full = bodyOf(FULL);
report("  a request of 1 kB, nothing in it", () => maskRequest(plain, rules));
report("  a request of 1 kB, a letter", () => maskRequest(full, rules));

const values = new Map([["<EMAIL_1>", "ann@example.com"]]);
const event = (content: string): Buffer =>
  Buffer.from(
    `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`,
  );
const answer = new RestoringAnswer(
  { values, contentType: "text/event-stream", wantsJson: false, mostBytes: 1e6 },
  () => undefined,
);
const word = event(" word");
const placeholder = [event("to <EMA"), event("IL_1> now")];
report("  an event without a placeholder", () => answer.write(word));
report("  two events with one across them", () => placeholder.forEach((octets) => answer.write(octets)));

console.log("the guard behind backend-id=built-in");
const guard = createBuiltInGuard();
const question = {
  text: PROSE.repeat(9),
  categories: [...HARM_CATEGORIES, "Secrets", "PersonalData"],
  blocklists: [],
  outputType: "FourSeverityLevels",
} as const;
const before = process.threadCpuUsage();
for (let i = 0; i < 50; i++) await guard.analyze(question);
const { user, system } = process.threadCpuUsage(before);
console.log(`  analyze, 9 kB, six categories: ${((user + system) / 50_000).toFixed(2)} ms`);
