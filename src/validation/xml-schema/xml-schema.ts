/**
 * XML against stored XML Schemas. The work is done in a thread of its own (`worker.ts`), which is started when the first
 * document comes: neither a large document nor a schema that is hard to satisfy holds up anybody else's request. One
 * document is looked at at a time; what takes too long is given up together with its thread.
 */
import { Worker } from "node:worker_threads";
import type { Clock } from "../../base/clock.ts";
import type { StoredSchema } from "../../gateway/snapshot.ts";
import type { Answer, Question, XmlVerdict } from "./protocol.ts";

export interface XmlSchemaUse {
  /** Lower-case name. */
  readonly name: string;
  readonly stored: ReadonlyMap<string, StoredSchema>;
}

/** Of a document, in UTF-16 units; its tree takes some forty times as much. */
export const MOST_XML_CHARACTERS = 4 * 1024 * 1024;
const MOST_WAITING = 256;
const MOST_WAITING_CHARACTERS = 64 * 1024 * 1024;
/** For one document, and more for a longer one. */
const TIME_MS = 1000;
const CHARACTERS_PER_MS = 1000;
/** For the thread to start and a schema to be compiled. */
const COMPILE_MS = 15_000;
/** Sets of schemas that the thread keeps compiled: this configuration's and the one before. */
const MOST_SETS = 2;

/** Next to this file, with the same ending: a published package has JavaScript. */
const FILE = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

interface Job {
  readonly use: XmlSchemaUse;
  readonly text: string;
  readonly isSoap: boolean;
  readonly clock: Clock;
  readonly resolve: (verdict: XmlVerdict) => void;
  readonly reject: (error: Error) => void;
}

class XmlSchemaThread {
  readonly #waiting: Job[] = [];
  #waitingCharacters = 0;
  #current: Job | null = null;
  #stopTimer: () => void = () => {};
  #worker: Worker | null = null;
  #ids = new WeakMap<ReadonlyMap<string, StoredSchema>, number>();
  #lastId = 0;
  /** Sets that the worker knows, the one used last at the end. */
  #known: number[] = [];
  /** Schemas that it has compiled, as `set name`. */
  #compiled = new Set<string>();

  ask(use: XmlSchemaUse, text: string, isSoap: boolean, clock: Clock): Promise<XmlVerdict> {
    if (text.length > MOST_XML_CHARACTERS)
      return Promise.reject(new Error(`The document is longer than ${MOST_XML_CHARACTERS} characters.`));
    if (
      this.#waiting.length >= MOST_WAITING ||
      this.#waitingCharacters + text.length > MOST_WAITING_CHARACTERS
    )
      return Promise.reject(new Error("Too many documents wait to be validated."));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ use, text, isSoap, clock, resolve, reject });
      this.#waitingCharacters += text.length;
      if (this.#current === null) this.#next();
    });
  }

  #next(): void {
    const job = this.#waiting.shift();
    this.#current = job ?? null;
    if (job === undefined) {
      this.#worker?.unref();
      return;
    }
    this.#waitingCharacters -= job.text.length;
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    const set = this.#idOf(job.use.stored, worker);
    if (this.#compiled.has(`${set} ${job.use.name}`)) this.#check(worker, set, job);
    else {
      this.#limit(worker, COMPILE_MS, job.clock);
      say(worker, { kind: "compile", set, schema: job.use.name });
    }
  }

  #check(worker: Worker, set: number, { use, text, isSoap, clock }: Job): void {
    this.#limit(worker, TIME_MS + Math.ceil(text.length / CHARACTERS_PER_MS), clock);
    say(worker, { kind: "check", set, schema: use.name, text, isSoap });
  }

  /** What takes longer ends with its thread. */
  #limit(worker: Worker, ms: number, clock: Clock): void {
    this.#stopTimer = clock.after(ms, () => {
      void worker.terminate();
      this.#gone(worker, new Error(`It took longer than ${ms} ms.`));
    });
  }

  /** The set's number; the worker knows it afterwards. */
  #idOf(stored: ReadonlyMap<string, StoredSchema>, worker: Worker): number {
    let id = this.#ids.get(stored);
    if (id === undefined) this.#ids.set(stored, (id = ++this.#lastId));
    const at = this.#known.indexOf(id);
    if (at >= 0) this.#known.splice(at, 1);
    else {
      const texts = new Map<string, string>();
      for (const [name, { xml }] of stored) if (xml !== null) texts.set(name, xml);
      say(worker, { kind: "know", set: { id, texts } });
    }
    this.#known.push(id);
    if (this.#known.length > MOST_SETS) {
      const oldest = this.#known.shift()!;
      say(worker, { kind: "forget", set: oldest });
      for (const key of this.#compiled) if (key.startsWith(`${oldest} `)) this.#compiled.delete(key);
    }
    return id;
  }

  #start(): Worker {
    const worker = new Worker(FILE, {
      execArgv: [],
      name: "xml-schema",
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    worker.on("message", (answer: Answer) => {
      if (this.#worker !== worker) return;
      const job = this.#current!;
      this.#stopTimer();
      if (answer.kind === "ready") {
        const set = this.#known.at(-1)!;
        this.#compiled.add(`${set} ${job.use.name}`);
        return this.#check(worker, set, job);
      }
      if (answer.kind === "failed") job.reject(new Error(answer.error));
      else job.resolve(answer);
      this.#next();
    });
    worker.on("error", (error) => this.#gone(worker, error as Error));
    worker.on("exit", () => this.#gone(worker, new Error("The thread that validates XML has ended.")));
    return worker;
  }

  /** Another is started for whoever waits. */
  #gone(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#known = [];
    this.#compiled.clear();
    this.#stopTimer();
    const job = this.#current;
    job?.reject(error);
    this.#next();
  }
}

function say(worker: Worker, question: Question): void {
  worker.postMessage(question);
}

const thread = new XmlSchemaThread();

/**
 * @param clock of the gateway: a document has a time
 * @returns the first mistake, if any; rejects when it could not be said
 */
export function checkXmlSchema(
  use: XmlSchemaUse,
  text: string,
  isSoap: boolean,
  clock: Clock,
): Promise<XmlVerdict> {
  return thread.ask(use, text, isSoap, clock);
}
