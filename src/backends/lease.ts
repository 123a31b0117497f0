/**
 * One attempt at a backend, from the pick to the last byte of the answer. It is judged once, at the answer's head or at
 * the failure that came instead; an answer that breaks off later is one more failure. It counts as under way until its
 * body has ended, and is given back whatever happens.
 */
import type { HeaderList } from "../base/headers.ts";
import { type BodySink, type BodySource, TransportError } from "../transport/transport.ts";
import type { BackendState } from "./backend-state.ts";
import { type Transition, isFailureStatus } from "./circuit-breaker.ts";
import type { Outlier } from "./outliers.ts";
import { retryAfterMs } from "./retry-after.ts";

/** Where a lease tells what happened, and what time it is. */
export interface Surroundings {
  readonly monotonic: () => number;
  /** Ms since the epoch, for `Retry-After` as a date. */
  readonly now: () => number;
  readonly log: (record: Readonly<Record<string, unknown>>) => void;
}

/** Failures of the caller, of ours, or of nobody: they tell nothing of the backend. */
const NOT_ITS_FAULT: ReadonlySet<string> = new Set([
  "client_disconnected",
  "client_body_timeout",
  "client_write_stall",
  "body_too_large",
  "bad_framing",
  "invalid_message",
  "address_refused",
  "response_too_large",
  // A limit of one request's own.
  "total_timeout",
  "aborted",
]);

export class Lease {
  readonly #state: BackendState;
  readonly #permit: number;
  readonly #outlier: Outlier | null;
  readonly #around: Surroundings;
  readonly #startedMs: number;
  #judged = false;
  #over = false;

  /** @param permit of the state's breaker; means nothing without one */
  constructor(
    state: BackendState,
    permit: number,
    outlier: Outlier | null,
    around: Surroundings,
    now: number,
  ) {
    this.#state = state;
    this.#permit = permit;
    this.#outlier = outlier;
    this.#around = around;
    this.#startedMs = now;
    state.load.inFlight++;
  }

  /** The head of an answer is there. @returns whether the backend seems to be well */
  answered(status: number, headers: HeaderList): boolean {
    const rule = this.#state.breaker?.rule;
    const failed = rule !== undefined && isFailureStatus(rule, status);
    const asksMs = failed && rule.acceptRetryAfter ? retryAfterMs(headers, this.#around.now()) : null;
    // A 501 is the backend's word on the request, not on itself.
    const broken = status >= 500 && status !== 501;
    const unwell = failed || broken || status === 429;
    this.#judge({ outcome: status, failed, broken, unwell, asksMs });
    return !unwell;
  }

  /** There will be no answer. */
  failed(error: unknown): void {
    if (error instanceof TransportError && !error.stale && !NOT_ITS_FAULT.has(error.code)) {
      this.#judge({ outcome: error.code, failed: true, broken: true, unwell: true, asksMs: null });
    }
    this.giveBack();
  }

  /** The answer, which had begun well, broke off. */
  brokeOff(error: TransportError): void {
    if (!this.#over && !NOT_ITS_FAULT.has(error.code)) {
      const now = this.#around.monotonic();
      this.#state.failures++;
      this.#tellBreaker(this.#state.breaker?.brokeOff(now) ?? null, error.code, now);
      this.#tellOutlier(true, error.code, now);
    }
    this.giveBack();
  }

  /** Nothing more comes of it. Idempotent. */
  giveBack(): void {
    if (!this.#judged) {
      this.#judged = true;
      this.#state.breaker?.release(this.#permit);
    }
    if (this.#over) return;
    this.#over = true;
    this.#state.load.inFlight--;
  }

  /** The body of its answer; the lease ends with it. */
  watch(source: BodySource): BodySource {
    return new WatchedBody(source, this);
  }

  #judge({ outcome, failed, broken, unwell, asksMs }: Judgement): void {
    if (this.#judged) return;
    this.#judged = true;
    const now = this.#around.monotonic();
    this.#state.note(outcome, unwell);
    this.#state.load.observe(now - this.#startedMs, unwell, now);
    this.#tellBreaker(this.#state.breaker?.record(this.#permit, failed, now, asksMs) ?? null, outcome, now);
    this.#tellOutlier(broken, outcome, now);
  }

  #tellBreaker(transition: Transition, outcome: number | string, now: number): void {
    if (transition === null) return;
    const { id } = this.#state;
    const breaker = this.#state.breaker!;
    const rule = breaker.rule.name;
    if (transition === "closed")
      this.#around.log({ level: "info", msg: "circuit breaker closed", backend: id, rule });
    else {
      const tripMs = Math.round(breaker.openUntil - now);
      this.#around.log({ level: "warn", msg: "circuit breaker opened", backend: id, rule, outcome, tripMs });
    }
  }

  #tellOutlier(broken: boolean, outcome: number | string, now: number): void {
    const outlier = this.#outlier;
    if (outlier === null || !outlier.record(broken, now)) return;
    const ejectedMs = Math.round(outlier.until - now);
    this.#around.log({
      level: "warn",
      msg: "pool member ejected",
      backend: this.#state.id,
      outcome,
      ejectedMs,
    });
  }
}

interface Judgement {
  readonly outcome: number | string;
  /** In the words of the breaker's rule. */
  readonly failed: boolean;
  /** For outlier ejection. */
  readonly broken: boolean;
  /** For the load, and for session affinity. */
  readonly unwell: boolean;
  /** How long the backend asks to be left alone. */
  readonly asksMs: number | null;
}

/** A source to whoever reads the body, a sink to the transport: nothing is kept in between. */
class WatchedBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #lease: Lease;
  #sink: BodySink | null = null;

  constructor(source: BodySource, lease: Lease) {
    this.#source = source;
    this.#lease = lease;
  }

  get length(): number | undefined {
    return this.#source.length;
  }

  get borrows(): boolean {
    return this.#sink!.borrows === true;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#source.start(this);
  }

  resume(): void {
    this.#source.resume();
  }

  cancel(): void {
    this.#lease.giveBack();
    this.#source.cancel();
  }

  write(chunk: Uint8Array): boolean {
    return this.#sink!.write(chunk);
  }

  end(trailers?: string[]): void {
    this.#lease.giveBack();
    this.#sink!.end(trailers);
  }

  fail(error: TransportError): void {
    this.#lease.brokeOff(error);
    this.#sink!.fail(error);
  }
}
