/** The ledger's worker as seen from outside: started when something is asked of it, and again when it died. */
import { Worker } from "node:worker_threads";
import type { Answer, Question, Request } from "./protocol.ts";
import type { StoreOptions } from "./store/store.ts";

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Next to this file, with the same ending: a published package has JavaScript. */
const FILE = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

export class WorkerLink {
  readonly #options: StoreOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #id = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  get running(): boolean {
    return this.#worker !== null;
  }

  /**
   * @param now ms since the epoch
   * @throws Error in the store's own words, or because the worker ended
   */
  ask<T>(request: Request, now: number): Promise<T> {
    const worker = (this.#worker ??= this.#start(now));
    const id = ++this.#id;
    return new Promise<T>((resolve, reject) => {
      // A process may end while the worker has nothing to do, not while somebody waits for it.
      if (this.#waiting.size === 0) worker.ref();
      this.#waiting.set(id, { resolve: (value) => resolve(value as T), reject });
      worker.postMessage({ ...request, id } satisfies Question);
    });
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  #start(now: number): Worker {
    const worker = new Worker(FILE, {
      workerData: { ...this.#options, now },
      execArgv: [],
      name: "ledger",
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    worker.unref();
    worker.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) worker.unref();
      if ("error" in answer) waiting?.reject(new Error(answer.error));
      else waiting?.resolve(answer.value);
    });
    const gone = (error: Error): void => {
      if (this.#worker === worker) this.#worker = null;
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
    };
    worker.on("error", (error) => gone(error as Error));
    worker.on("exit", () => gone(new Error("the ledger's worker has ended")));
    return worker;
  }
}
