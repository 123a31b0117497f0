/**
 * A circuit breaker: after too many failures a backend is left alone for a while (`ai-backends-auth.md` §10.3).
 *
 *            enough failures                       the trip is over, somebody asks
 *     closed ───────────────▶ open (until a time) ─────────────────────────────────▶ half-open
 *        ▲                      ▲                                                     │    │
 *        │                      └──────────────────── the probe failed ───────────────┘    │
 *        └─────────────────────────────────────────── the probe succeeded ────────────────┘
 *
 * Time is an argument: ms of a clock that never steps back. Nothing here waits or calls back; that an open breaker's time
 * is over is noticed when somebody asks.
 *
 * Whoever is admitted gets a permit and hands it back with the outcome. Permits are what makes late answers harmless: each
 * change of state makes all earlier permits void, so the answer of a request that was sent before the trip neither
 * extends it nor closes the breaker behind the probe's back. In half-open there is one valid permit, the probe's, and
 * everybody else is refused, however many ask in the same instant. A probe that ends without an outcome (its caller hung
 * up) gives its permit back, and the next one asking is the probe.
 *
 * With `fullReset` there is no half-open: when the trip is over everybody goes again, as in the product that Headgate
 * follows (`compat.breakerFullReset`).
 */
import type { BreakerRule } from "../../gateway/snapshot.ts";
import { type FailureWindow, failureWindow } from "./failure-window.ts";

export type BreakerState = "closed" | "open" | "half-open";

/** What an outcome changed. */
export type Transition = "tripped" | "closed" | null;

/** No permit: the request must not be sent. */
export const REFUSED = -1;

export class CircuitBreaker {
  readonly rule: BreakerRule;
  readonly #window: FailureWindow;
  readonly #fullReset: boolean;
  #state: BreakerState = "closed";
  #permit = 0;
  #openUntil = 0;
  readonly #entered: Record<BreakerState, number> = { closed: 0, open: 0, "half-open": 0 };

  constructor(rule: BreakerRule, fullReset = false) {
    this.rule = rule;
    this.#fullReset = fullReset;
    this.#window = failureWindow(rule.count, rule.percentage, rule.intervalMs);
  }

  /** An open one whose time is over stays `open` until somebody asks to be admitted. */
  get state(): BreakerState {
    return this.#state;
  }

  /** How often it has tripped. */
  get trips(): number {
    return this.#entered.open;
  }

  /** How often it has come into each state. */
  get entered(): Readonly<Record<BreakerState, number>> {
    return this.#entered;
  }

  /** When a trip is over; meaningless while closed. */
  get openUntil(): number {
    return this.#openUntil;
  }

  /** Whether `admit` would let a request through. Changes nothing. */
  ready(now: number): boolean {
    return this.#state === "closed" || (this.#state === "open" && now >= this.#openUntil);
  }

  /** @returns a permit, or `REFUSED`; when a trip is over, the first to ask becomes the probe */
  admit(now: number): number {
    if (this.#state === "closed") return this.#permit;
    if (this.#state === "half-open" || now < this.#openUntil) return REFUSED;
    if (this.#fullReset) {
      this.#close();
      return this.#permit;
    }
    this.#state = "half-open";
    this.#entered["half-open"]++;
    return ++this.#permit;
  }

  /**
   * What came of an admitted request.
   *
   * @param retryAfterMs how long the backend asked to be left alone; null when it did not
   */
  record(permit: number, failed: boolean, now: number, retryAfterMs: number | null = null): Transition {
    if (permit !== this.#permit || this.#state === "open") return null;
    if (this.#state === "half-open") return failed ? this.#trip(now, retryAfterMs) : this.#close();
    return this.#window.add(failed, now) ? this.#trip(now, retryAfterMs) : null;
  }

  /** An admitted request ended without telling anything of the backend. */
  release(permit: number): void {
    if (permit !== this.#permit || this.#state !== "half-open") return;
    this.#state = "open";
    this.#permit++;
  }

  /** An answer that had begun well broke off: a failure of its own, whenever its request was admitted. */
  brokeOff(now: number): Transition {
    return this.#state === "closed" && this.#window.add(true, now) ? this.#trip(now, null) : null;
  }

  /** By command: closed, and all is forgotten. */
  reset(): void {
    this.#close();
  }

  #trip(now: number, retryAfterMs: number | null): Transition {
    const { tripMs, acceptRetryAfter, maxTripMs } = this.rule;
    // No time at all, or a date that has passed, says nothing: a breaker that opens for it would let every caller find out.
    const isAsked = acceptRetryAfter && retryAfterMs !== null && retryAfterMs > 0;
    const asked = isAsked ? Math.min(retryAfterMs, maxTripMs) : tripMs;
    this.#state = "open";
    this.#openUntil = now + asked;
    this.#permit++;
    this.#entered.open++;
    this.#window.clear();
    return "tripped";
  }

  #close(): Transition {
    if (this.#state !== "closed") this.#entered.closed++;
    this.#state = "closed";
    this.#permit++;
    this.#window.clear();
    return "closed";
  }
}

/** Whether an answer's status counts as a failure. */
export function isFailureStatus(rule: BreakerRule, status: number): boolean {
  for (const { min, max } of rule.statusRanges) if (status >= min && status <= max) return true;
  return false;
}
