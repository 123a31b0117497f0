/**
 * What the demo model remembers of its last requests, for tests and for the curious. Bounded in number and
 * bytes.
 */
import type { HeaderList } from "../base/headers.ts";

/**
 * `open`: not finished · `complete`: answered to the end · `broken`: broken off by order · `closed-early`:
 * the caller left.
 */
export type Outcome = "open" | "complete" | "broken" | "closed-early";

export class SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  /** Empty until the whole body has come. */
  body: Uint8Array = new Uint8Array(0);
  /** Of the answer; null before its head went out. */
  status: number | null = null;
  /** Writes of the answer's body so far. */
  chunks = 0;
  outcome: Outcome = "open";
  /** What a script threw, or our own bug; undefined when all went well. */
  error: unknown = undefined;
  /** Resolves when the request is finished, one way or the other. */
  readonly done: Promise<Outcome>;
  readonly #settle: (outcome: Outcome) => void;

  constructor(method: string, target: string, headers: HeaderList) {
    this.method = method;
    this.target = target;
    this.headers = headers;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.done = promise;
    this.#settle = resolve;
  }

  /** The caller hung up before it had the whole answer. */
  get closedEarly(): boolean {
    return this.outcome === "closed-early";
  }

  /** The body as text. */
  text(): string {
    return new TextDecoder().decode(this.body);
  }

  /** The body as JSON. @throws SyntaxError when it is none */
  json(): unknown {
    return JSON.parse(this.text());
  }

  /** Only the first outcome counts. */
  finish(outcome: Outcome): boolean {
    if (this.outcome !== "open") return false;
    this.outcome = outcome;
    this.#settle(outcome);
    return true;
  }
}

export class SeenRing {
  readonly #limit: number;
  readonly #limitBytes: number;
  #requests: SeenRequest[] = [];
  #bytes = 0;

  /** @param limit most requests kept; @param limitBytes most body bytes kept, of all together */
  constructor(limit: number, limitBytes: number) {
    this.#limit = limit;
    this.#limitBytes = limitBytes;
  }

  /** Oldest first. */
  get requests(): readonly SeenRequest[] {
    return this.#requests;
  }

  add(request: SeenRequest): void {
    if (this.#limit === 0) return;
    this.#requests.push(request);
    if (this.#requests.length > this.#limit) this.#dropOldest();
  }

  /** Stores a request's body, forgetting older requests when it gets too much. */
  keepBody(request: SeenRequest, body: Uint8Array): void {
    if (body.length > this.#limitBytes || !this.#requests.includes(request)) return;
    request.body = body;
    this.#bytes += body.length;
    while (this.#bytes > this.#limitBytes) this.#dropOldest();
  }

  clear(): void {
    this.#requests = [];
    this.#bytes = 0;
  }

  #dropOldest(): void {
    const oldest = this.#requests.shift();
    if (oldest !== undefined) this.#bytes -= oldest.body.length;
  }
}
