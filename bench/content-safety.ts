/**
 * What content safety costs the gateway itself, without any network: reading the texts of a request and asking a guard that
 * answers at once, the same with the gateway's own detectors, and reading a stream as it is held.
 *
 *     node bench/content-safety.ts
 */
import type { Guard } from "../src/guards/guard.ts";
import { createBuiltInGuard } from "../src/guards/built-in/guard.ts";
import { AnswerTexts } from "../src/gateway/safety/answer-texts.ts";
import { type Rules, judge } from "../src/gateway/safety/judge.ts";
import { OVERLAP, questionsOf } from "../src/gateway/safety/questions.ts";
import { readRequestTexts } from "../src/gateway/safety/request-texts.ts";
import { SniffedUnits } from "../src/gateway/safety/units.ts";
import { show, spreadOf } from "./harness.ts";

const ROUNDS = 15;
const WORDS = "the canal is eighty kilometres long and was dug by hand in the years before the war ";

const local: Guard = {
  mostCharacters: 10_000,
  analyze: () =>
    Promise.resolve({
      severities: [
        { category: "Hate", severity: 0 },
        { category: "Violence", severity: 0 },
      ],
      blocklistMatches: [],
    }),
  shield: ({ documents }) =>
    Promise.resolve({ userPromptAttack: false, documentAttacks: documents.map(() => false) }),
};
const RULES: Rules = {
  categories: [
    { name: "Hate", threshold: 4 },
    { name: "Violence", threshold: 4 },
  ],
  blocklists: [],
  outputType: "EightSeverityLevels",
  shieldsPrompt: true,
};

function chat(bytes: number): Buffer {
  const text = WORDS.repeat(Math.ceil(bytes / WORDS.length)).slice(0, bytes);
  const messages = [
    { role: "system", content: "You are helpful." },
    { role: "user", content: text },
  ];
  return Buffer.from(JSON.stringify({ model: "gpt-4o", messages }));
}

async function check(body: Uint8Array, guard: Guard): Promise<void> {
  const texts = readRequestTexts(body, null, "application/json", true);
  await judge(guard, RULES, questionsOf(texts, guard.mostCharacters, false, true), false);
}

/** µs of `count` runs each. */
async function measured(count: number, run: () => void | Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begin = process.cpuUsage();
    for (let i = 0; i < count; i++) await run();
    const { user, system } = process.cpuUsage(begin);
    times.push((user + system) / count);
  }
  return times.slice(3);
}

function say(what: string, times: readonly number[]): void {
  console.log(`${what}: ${show(spreadOf(times))} µs`);
}

for (const kb of [1, 10, 100]) {
  const body = chat(kb * 1000);
  say(
    `reading the texts of ${kb} kB`,
    await measured(20_000 / kb, () => void readRequestTexts(body, null, null, true)),
  );
  say(`a check of ${kb} kB, guard of no cost`, await measured(5000 / kb, () => check(body, local)));
  const own = createBuiltInGuard();
  say(`a check of ${kb} kB, built-in guard`, await measured(500 / kb, () => check(body, own)));
}

const chunk = Buffer.from(
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "gpt-4o", choices: [{ index: 0, delta: { content: " canal" }, finish_reason: null }] })}\n\n`,
);
const texts = new AnswerTexts(OVERLAP, false);
const units = new SniffedUnits(texts, "text/event-stream");
say(
  `a chunk of a stream (${chunk.length} octets)`,
  await measured(20_000, () => {
    units.read(chunk, []);
    if (texts.pending > 1000) texts.take();
  }),
);
