/** The embedded store's thread: a look-up among many takes ten milliseconds, and nobody who carries requests may wait. */
import { parentPort, workerData } from "node:worker_threads";
import { Entries, type EntriesOptions } from "./entries.ts";
import type { Answer, Question } from "./protocol.ts";

const options = workerData as EntriesOptions;
const port = parentPort!;
const say = (answer: Answer, transfer: ArrayBuffer[] = []): void => port.postMessage(answer, transfer);

let entries: Entries | null = null;
let wasPending = false;

function ask(question: Question): void {
  const { id, nowMs } = question;
  // What is there is read when somebody first asks: the start need not wait for it.
  entries ??= new Entries(options, nowMs, (report) => say({ report }));
  switch (question.kind) {
    case "find": {
      const near = entries.find(
        question.partition,
        question.vector,
        question.distance,
        question.limit,
        nowMs,
      );
      return say(
        { id, near },
        near.map(({ payload }) => payload.buffer as ArrayBuffer),
      );
    }
    case "add":
      return say({ id, kept: entries.add(question.partition, question.entry, question.endMs, nowMs) });
    case "forget":
      entries.forget(question.partition, question.prompts, nowMs);
      return say({ id, done: true });
    case "clear":
      entries.clear(question.partition, nowMs);
      return say({ id, done: true });
    case "commit":
      entries.commit(nowMs);
      return say({ id, done: true });
    case "close":
      entries.close();
      entries = null;
      return say({ id, done: true });
  }
}

port.on("message", (question: Question) => {
  try {
    ask(question);
  } catch (error) {
    say({ id: question.id, error: error instanceof Error ? error.message : String(error) });
  }
  const isPending = entries?.pending === true;
  if (isPending && !wasPending) say({ pending: true });
  wasPending = isPending;
});
