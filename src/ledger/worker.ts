/** The ledger's thread: SQLite is synchronous, and nobody who carries requests may wait for it. */
import { parentPort, workerData } from "node:worker_threads";
import type { Answer, Question, StoreCounts } from "./protocol.ts";
import { Store, type StoreOptions } from "./store/store.ts";

const options = workerData as StoreOptions & { readonly now: number };
const port = parentPort!;

let store: Store | null = null;
/** Imports and retention follow one another; what is asked comes in between their steps. */
let work: Promise<unknown> = Promise.resolve();

function opened(now: number): Store {
  store ??= new Store(options, now);
  return store;
}

function countsOf(): StoreCounts {
  return { ...opened(options.now).counts(), setAside: opened(options.now).setAside };
}

async function walk(steps: Generator<void>): Promise<void> {
  while (steps.next().done !== true) await new Promise((resolve) => setImmediate(resolve));
}

function ask(question: Question): unknown {
  switch (question.kind) {
    case "search":
      return opened(options.now).search(question.query);
    case "tail":
      return opened(options.now).tail(question.query);
    case "rollup":
      return opened(options.now).rollup(question.query);
    case "contents":
      return opened(options.now).contents(question.requestId);
    case "import":
      return inTurn(async () => {
        const { importer } = opened(question.now);
        if (question.others) importer.lookAtOthers();
        await walk(importer.steps(question.now, question.closed));
        return countsOf();
      });
    case "retain":
      return inTurn(async () => {
        await walk(opened(question.now).retention(question.now));
        return countsOf();
      });
    case "close":
      return inTurn(async () => {
        const counts = store === null ? null : countsOf();
        store?.close();
        store = null;
        return counts;
      });
  }
}

function inTurn<T>(task: () => Promise<T>): Promise<T> {
  const turn = work.then(task);
  work = turn.catch(() => undefined);
  return turn;
}

port.on("message", (question: Question) => {
  let answered: Promise<unknown>;
  try {
    answered = Promise.resolve(ask(question));
  } catch (error) {
    answered = Promise.reject(error as Error);
  }
  answered.then(
    (value) => port.postMessage({ id: question.id, value } satisfies Answer),
    (error: unknown) =>
      port.postMessage({
        id: question.id,
        error: error instanceof Error ? error.message : String(error),
      } satisfies Answer),
  );
});
