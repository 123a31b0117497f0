import { Worker } from "node:worker_threads";
import type { Clock } from "../../base/clock.ts";
import type { Embedder } from "../embedder.ts";
import type { Answer, Question } from "./worker.ts";

export interface EmbeddedModelOptions {
  readonly clock: Clock;
  /** How long a text may wait and be worked on. Default 10 s. */
  readonly timeoutMs?: number;
  /** A thread with nothing to do ends after this, and gives its memory back. Default five minutes. */
  readonly idleMs?: number;
}

/** Beyond, two texts that differ in one question have the same mean; nor would anybody wait for it. */
export const LONGEST_TEXT = 20_000;
/** Texts and UTF-16 units that wait at most. */
const MOST_WAITING = 256;
const MOST_WAITING_LENGTH = 200_000;

const FILE = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

interface Job {
  readonly text: string;
  settle(vector: Float32Array | Error): void;
}

/** The embedded model in a thread, which runs while there is something to do and a little longer. */
export class EmbeddedModel implements Embedder {
  readonly #options: EmbeddedModelOptions;
  readonly #queue: Job[] = [];
  #length = 0;
  #running: Job | null = null;
  #worker: Worker | null = null;
  #id = 0;
  #closed = false;
  #cancelIdle: () => void = () => {};

  constructor(options: EmbeddedModelOptions) {
    this.#options = options;
  }

  /** Whether its thread runs. */
  get running(): boolean {
    return this.#worker !== null;
  }

  embed(text: string): Promise<Float32Array> {
    const refused = this.#refusal(text);
    if (refused !== null) return Promise.reject(new Error(refused));
    const { clock, timeoutMs = 10_000 } = this.#options;
    return new Promise((resolve, reject) => {
      let settled = false;
      const job: Job = {
        text,
        settle: (vector) => {
          if (settled) return;
          settled = true;
          cancel();
          if (vector instanceof Error) reject(vector);
          else resolve(vector);
        },
      };
      const cancel = clock.after(timeoutMs, () => {
        job.settle(new Error(`the embedded model did not answer within ${timeoutMs} ms`));
        this.#giveUp(job);
      });
      this.#queue.push(job);
      this.#length += text.length;
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#stop(new Error("the embedded model is closed"));
    for (const job of this.#queue.splice(0)) job.settle(new Error("the embedded model is closed"));
  }

  #refusal(text: string): string | null {
    if (this.#closed) return "the embedded model is closed";
    if (text.trim() === "") return "the text holds nothing to embed";
    if (text.length > LONGEST_TEXT)
      return `the embedded model takes texts of at most ${LONGEST_TEXT} characters`;
    if (this.#queue.length >= MOST_WAITING || this.#length + text.length > MOST_WAITING_LENGTH)
      return "too many texts wait for the embedded model";
    return null;
  }

  #next(): void {
    if (this.#running !== null) return;
    const job = this.#queue.shift();
    if (job === undefined) return this.#rest();
    this.#cancelIdle();
    this.#length -= job.text.length;
    this.#running = job;
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    worker.postMessage({ id: ++this.#id, text: job.text } satisfies Question);
  }

  #rest(): void {
    const worker = this.#worker;
    if (worker === null) return;
    worker.unref();
    this.#cancelIdle();
    this.#cancelIdle = this.#options.clock.after(this.#options.idleMs ?? 300_000, () => {
      if (this.#running === null) void this.#stop(null);
    });
  }

  /** One that takes too long while it is worked on takes its thread with it. */
  #giveUp(job: Job): void {
    if (this.#running === job) {
      void this.#stop(null);
      this.#next();
      return;
    }
    const at = this.#queue.indexOf(job);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#length -= job.text.length;
  }

  async #stop(error: Error | null): Promise<void> {
    this.#cancelIdle();
    const worker = this.#worker;
    this.#worker = null;
    const job = this.#running;
    this.#running = null;
    if (error !== null) job?.settle(error);
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(FILE, { execArgv: [], name: "embedded model" });
    worker.on("message", (answer: Answer) => {
      if (this.#worker !== worker || answer.id !== this.#id) return;
      const job = this.#running;
      this.#running = null;
      job?.settle("vector" in answer ? answer.vector : new Error(answer.error));
      this.#next();
    });
    const gone = (error: Error): void => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      const job = this.#running;
      this.#running = null;
      job?.settle(error);
      this.#next();
    };
    worker.on("error", (error) => gone(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", () => gone(new Error("the embedded model's thread has ended")));
    return worker;
  }
}
