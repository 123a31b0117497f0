/**
 * The built-in demo model: an upstream on loopback that speaks OpenAI's chat completions, responses and
 * embeddings. It answers a newcomer's first call, and it is the model that tests talk to: exact,
 * deterministic, scriptable.
 */
import { HeaderList } from "../base/headers.ts";
import { createServer } from "../transport/node/index.ts";
import type { Incoming } from "../transport/transport.ts";
import type { Stamp } from "./chat-reply.ts";
import { DEFAULT_CONTROL, type Control } from "./control.ts";
import { BodyCollector, Playback } from "./exchange.ts";
import { ApiFailure, orderedFailure } from "./failure.ts";
import { answerRequest, failureAnswer, type DemoRequest, type ModelSettings } from "./model.ts";
import { SeenRequest, SeenRing } from "./seen.ts";
import type { Answer } from "./steps.ts";

export interface DemoModelOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** What requests without `x-demo-…` headers get, e.g. `{ latencyMs: 20, chunkMs: 10 }`. */
  readonly defaults?: Partial<Control>;
  /** Names for `/models`; the default lists `demo/echo` and `demo/embedding`. */
  readonly models?: readonly string[];
  /** Refuse other model names with 404. Default: every name is answered. */
  readonly onlyListed?: boolean;
  /** Keys to accept; default: none is asked for. */
  readonly apiKeys?: readonly string[];
  /** Longest prompt, in tokens. Default 1,000,000. */
  readonly contextTokens?: number;
  /** Default 10 MiB. */
  readonly maxBodyBytes?: number;
  /** How many requests `seen` holds (100), and their bodies' bytes in all (32 MiB). */
  readonly seenLimit?: number;
  readonly seenBytes?: number;
  /**
   * Milliseconds since 1970, for `created`. The default stands still, so that answers are the same every
   * time.
   */
  readonly now?: () => number;
  /** Answers instead of the model, byte for byte, when it returns something. */
  readonly script?: (request: DemoRequest) => Answer | undefined;
}

/** Running totals; `active` goes back to 0 when nobody is served. */
export interface DemoCounters {
  requests: number;
  /** Requests being received or answered now. */
  active: number;
  complete: number;
  broken: number;
  closedEarly: number;
}

export interface DemoModel {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** The last requests, oldest first. */
  readonly seen: readonly SeenRequest[];
  readonly counters: Readonly<DemoCounters>;
  /** The next request to arrive (its head; await `done` of it for the rest). */
  nextRequest(): Promise<SeenRequest>;
  /** Forgets what was seen; counters go on. */
  forget(): void;
  /** Closes every connection. */
  close(): Promise<void>;
}

const DEFAULT_NOW_MS = Date.UTC(2026, 0, 1);
const MIB = 1024 * 1024;

/** Starts the demo model. Resolves when it listens. */
export async function startDemoModel(options: DemoModelOptions = {}): Promise<DemoModel> {
  const service = new Service(options);
  const host = options.host ?? "127.0.0.1";
  const server = await createServer({
    host,
    port: options.port ?? 0,
    limits: { bodyBytes: service.maxBodyBytes },
    onRequest: (incoming) => service.onRequest(incoming),
  });
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${server.port}`,
    port: server.port,
    get seen() {
      return service.ring.requests;
    },
    counters: service.counters,
    nextRequest: () => service.nextRequest(),
    forget: () => service.ring.clear(),
    close: () => server.close(),
  };
}

class Service {
  readonly maxBodyBytes: number;
  readonly ring: SeenRing;
  readonly counters: DemoCounters = { requests: 0, active: 0, complete: 0, broken: 0, closedEarly: 0 };
  readonly #settings: ModelSettings;
  readonly #script: DemoModelOptions["script"];
  readonly #now: () => number;
  #waiting: ((request: SeenRequest) => void)[] = [];

  constructor(options: DemoModelOptions) {
    this.maxBodyBytes = options.maxBodyBytes ?? 10 * MIB;
    this.ring = new SeenRing(options.seenLimit ?? 100, options.seenBytes ?? 32 * MIB);
    this.#script = options.script;
    this.#now = options.now ?? (() => DEFAULT_NOW_MS);
    this.#settings = {
      defaults: { ...DEFAULT_CONTROL, ...options.defaults },
      models: options.models ?? ["demo/echo", "demo/embedding"],
      onlyListed: options.onlyListed ?? false,
      apiKeys: options.apiKeys ?? null,
      contextTokens: options.contextTokens ?? 1_000_000,
    };
  }

  onRequest(incoming: Incoming): void {
    const stamp = this.#stamp();
    const headers = new HeaderList(incoming.rawHeaders);
    const seen = new SeenRequest(incoming.method, incoming.target, headers);
    this.counters.active++;
    this.ring.add(seen);
    const finished = this.#finisher(seen);
    incoming.abort.onAbort(() => finished("closed-early"));
    const answered = (answer: Answer): void => new Playback(incoming, answer, seen, finished).start();
    const collector = new BodyCollector(
      incoming,
      this.maxBodyBytes,
      (body) => {
        if (body === null) return answered(failureAnswer(tooLarge(this.maxBodyBytes), stamp));
        this.ring.keepBody(seen, body);
        const { method, target } = incoming;
        answered(this.#answer({ method, target, headers, body }, stamp, seen));
      },
      () => finished("closed-early"),
    );
    collector.start();
    for (const resolve of this.#waiting.splice(0)) resolve(seen);
  }

  nextRequest(): Promise<SeenRequest> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #answer(request: DemoRequest, stamp: Stamp, seen: SeenRequest): Answer {
    try {
      return this.#script?.(request) ?? answerRequest(request, this.#settings, stamp);
    } catch (error) {
      seen.error = error;
      return failureAnswer(orderedFailure(500, null), stamp);
    }
  }

  /** Request number n gets the id `demo` + n, in nine digits. */
  #stamp(): Stamp {
    const id = `demo${String(++this.counters.requests).padStart(9, "0")}`;
    return { id, created: Math.floor(this.#now() / 1000) };
  }

  #finisher(seen: SeenRequest): (outcome: SeenRequest["outcome"]) => void {
    return (outcome) => {
      if (!seen.finish(outcome)) return;
      this.counters.active--;
      if (outcome === "complete") this.counters.complete++;
      else if (outcome === "broken") this.counters.broken++;
      else this.counters.closedEarly++;
    };
  }
}

function tooLarge(limitBytes: number): ApiFailure {
  return new ApiFailure(413, `Maximum content size limit (${limitBytes}) exceeded.`);
}
