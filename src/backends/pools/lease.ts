/**
 * One attempt at a backend, from the pick to the last byte of the answer. It is judged once, at the answer's head or at
 * the failure that came instead; an answer that breaks off later is one more failure. It counts as under way until its
 * body has ended, and is given back whatever happens.
 */
import type { HeaderList } from "../../base/headers.ts";
import { type BodySink, type BodySource, TransportError } from "../../transport/transport.ts";
import type { BackendState } from "../health/backend-state.ts";
import { isFailureStatus } from "../health/circuit-breaker.ts";
import type { Outlier } from "../health/outliers.ts";
import { retryAfterMs } from "../health/retry-after.ts";
import { type Surroundings, tellBreaker, tellOutlier } from "../health/tell.ts";

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
    this.#state.allowance?.read(headers, this.#around.monotonic(), this.#around.now());
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

  /** Somebody else was quicker, and nobody waits for this one any more: it was slow, but it has not failed. */
  outrun(): void {
    if (!this.#judged) {
      const now = this.#around.monotonic();
      this.#state.load.observe(now - this.#startedMs, false, now);
    }
    this.giveBack();
  }

  /** The answer, which had begun well, broke off. */
  brokeOff(error: TransportError): void {
    if (!this.#over && !NOT_ITS_FAULT.has(error.code)) {
      const now = this.#around.monotonic();
      this.#state.failures++;
      tellBreaker(this.#state, this.#state.breaker?.brokeOff(now) ?? null, error.code, now, this.#around);
      tellOutlier(this.#state, this.#outlier, true, error.code, now, this.#around);
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
    this.#state.latencies.add(now - this.#startedMs);
    const transition = this.#state.breaker?.record(this.#permit, failed, now, asksMs) ?? null;
    tellBreaker(this.#state, transition, outcome, now, this.#around);
    tellOutlier(this.#state, this.#outlier, broken, outcome, now, this.#around);
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
