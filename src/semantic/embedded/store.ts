/**
 * The semantic cache of this node: a thread of its own with the vectors and a file. It is started when something is first
 * asked, and again when it died; whoever asks waits a bounded time.
 */
import { Worker } from "node:worker_threads";
import type { Clock } from "../../base/clock.ts";
import { type Found, LARGEST_ENTRY, type SemanticEntry, type SemanticStore } from "../semantic-store.ts";
import { MOST_DIMENSIONS } from "../unit-vector.ts";
import type { EntriesOptions } from "./entries.ts";
import type { Answer, Question, Request } from "./protocol.ts";

export interface EmbeddedOptions {
  readonly clock: Clock;
  /** Where entries are kept over restarts; null: nowhere. Its folder exists. */
  readonly file: string | null;
  /** Default 256 MB. */
  readonly memoryBytes?: number;
  /** Default 1 GB. */
  readonly diskBytes?: number;
  /** How long a look-up may take before it counts as none. Default 250. */
  readonly findTimeoutMs?: number;
  /** Told what an operator should know. */
  readonly report?: (trouble: string) => void;
}

const MEGABYTE = 1024 * 1024;
/** A crash loses at most what was stored within this time. */
const COMMIT_AFTER_MS = 500;
const ADD_TIMEOUT_MS = 10_000;
/** Questions that wait for the thread at most; more are answered at once, with nothing. */
const MOST_WAITING = 1000;
const MOST_WAITING_BYTES = 64 * MEGABYTE;
/** Next to this file, with the same ending: a published package has JavaScript. */
const FILE = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

type Reply = Exclude<Answer, { readonly report: string } | { readonly pending: true }>;

interface Waiting {
  readonly bytes: number;
  settle(reply: Reply | null): void;
}

export class EmbeddedSemanticStore implements SemanticStore {
  readonly #options: EmbeddedOptions;
  readonly #entries: EntriesOptions;
  readonly #waiting = new Map<number, Waiting>();
  readonly #originMs: number;
  #worker: Worker | null = null;
  #waitingBytes = 0;
  #threads = 0;
  #id = 0;
  #closed = false;
  #cancelCommit: (() => void) | null = null;

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    this.#entries = {
      file: options.file,
      memoryBytes: options.memoryBytes ?? 256 * MEGABYTE,
      diskBytes: options.diskBytes ?? 1024 * MEGABYTE,
    };
    this.#originMs = options.clock.now() - options.clock.monotonic();
  }

  /** Threads started so far: another one has forgotten what lay in memory. */
  get threads(): number {
    return this.#threads;
  }

  /** Whether its thread runs. */
  get running(): boolean {
    return this.#worker !== null;
  }

  async find(partition: string, vector: Float32Array, distance: number, limit: number): Promise<Found> {
    const timeoutMs = this.#options.findTimeoutMs ?? 250;
    if (vector.length > MOST_DIMENSIONS) return { state: "answered", near: [] };
    const request: Request = { kind: "find", partition, vector: alone(vector), distance, limit };
    const reply = await this.#ask(request, vector.byteLength, timeoutMs);
    if (reply === null) return { state: "unavailable", why: `there was no answer within ${timeoutMs} ms` };
    if ("near" in reply) return { state: "answered", near: reply.near };
    return { state: "unavailable", why: "error" in reply ? reply.error : "it is closed" };
  }

  async add(partition: string, entry: SemanticEntry, ttlMs: number): Promise<boolean> {
    const { vector, prompt, payload } = entry;
    // What is handed to the thread is copied on the event loop: there is an end to it.
    if (!(ttlMs > 0) || payload.length + prompt.length > LARGEST_ENTRY || vector.length > MOST_DIMENSIONS)
      return false;
    const request: Request = {
      kind: "add",
      partition,
      entry: { vector: alone(vector), prompt, payload: alone(payload) },
      endMs: this.#now() + ttlMs,
    };
    const bytes = vector.byteLength + prompt.length * 2 + payload.length;
    const reply = await this.#ask(request, bytes, ADD_TIMEOUT_MS);
    return reply !== null && "kept" in reply && reply.kept;
  }

  /** Lets single entries go, by their prompts. */
  async forget(partition: string, prompts: readonly string[]): Promise<void> {
    if (this.#worker !== null) await this.#ask({ kind: "forget", partition, prompts }, 0, ADD_TIMEOUT_MS);
  }

  async clear(partition?: string): Promise<void> {
    // What was never begun, and has no file, is empty.
    if (this.#worker === null && this.#entries.file === null) return;
    await this.#ask({ kind: "clear", partition: partition ?? null }, 0, ADD_TIMEOUT_MS);
  }

  /** Resolves when what was added is safe. */
  async flush(): Promise<void> {
    if (this.#worker !== null) await this.#ask({ kind: "commit" }, 0, ADD_TIMEOUT_MS);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#cancelCommit?.();
    if (this.#worker !== null) await this.#ask({ kind: "close" }, 0, ADD_TIMEOUT_MS);
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
    this.#settleAll();
  }

  /** Ms since the epoch that do not step with the machine's clock. */
  #now(): number {
    return this.#originMs + this.#options.clock.monotonic();
  }

  /** @returns null when there is no answer in time, or no room to wait */
  #ask(request: Request, bytes: number, timeoutMs: number): Promise<Reply | null> {
    const isFull =
      this.#waiting.size >= MOST_WAITING ||
      (bytes > 0 && this.#waitingBytes > 0 && this.#waitingBytes + bytes > MOST_WAITING_BYTES);
    if (this.#closed || isFull) return Promise.resolve(null);
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#id;
    return new Promise((resolve) => {
      // A process may end while the thread has nothing to do, not while somebody waits for it.
      if (this.#waiting.size === 0) worker.ref();
      // The entry stays until the thread has answered: its octets still lie in the queue.
      const cancel = this.#options.clock.after(timeoutMs, () => resolve(null));
      this.#waitingBytes += bytes;
      this.#waiting.set(id, {
        bytes,
        settle: (reply) => {
          cancel();
          resolve(reply);
        },
      });
      worker.postMessage({ ...request, id, nowMs: this.#now() } satisfies Question);
    });
  }

  #start(): Worker {
    this.#threads++;
    const worker = new Worker(FILE, {
      workerData: this.#entries,
      execArgv: [],
      name: "semantic cache",
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    worker.unref();
    worker.on("message", (answer: Answer) => {
      if ("report" in answer) return this.#options.report?.(answer.report);
      if ("pending" in answer) return this.#commitLater();
      const waiting = this.#waiting.get(answer.id);
      if (waiting === undefined) return;
      this.#waiting.delete(answer.id);
      this.#waitingBytes -= waiting.bytes;
      if (this.#waiting.size === 0) worker.unref();
      waiting.settle(answer);
    });
    const gone = (why: string | null): void => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      if (why !== null) this.#options.report?.(`the semantic cache's thread has ended: ${why}`);
      this.#settleAll();
    };
    worker.on("error", (error) => gone(error instanceof Error ? error.message : String(error)));
    worker.on("exit", () => gone(null));
    return worker;
  }

  #settleAll(): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#waitingBytes = 0;
    for (const { settle } of all) settle(null);
  }

  #commitLater(): void {
    if (this.#cancelCommit !== null || this.#closed) return;
    this.#cancelCommit = this.#options.clock.after(COMMIT_AFTER_MS, () => {
      this.#cancelCommit = null;
      void this.flush();
    });
  }
}

/** A view is sent with all that lies behind it, which may be much more than it shows. */
function alone<T extends Float32Array | Uint8Array>(view: T): T {
  return view.byteLength === view.buffer.byteLength ? view : (ownCopy(view) as T);
}

/** `Buffer.slice` would be a view again. */
function ownCopy(view: Float32Array | Uint8Array): Float32Array | Uint8Array {
  return view instanceof Float32Array ? new Float32Array(view) : new Uint8Array(view);
}
