/**
 * An attempt that can be ended without ending its exchange: because another one was quicker (`hedge.ts`), or because the
 * time for all attempts is over. Attempts that know neither do without.
 */
import { Abort } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import type { Attempt } from "../../gateway/exchange.ts";
import type { Lease } from "../pools/lease.ts";

/** Timers take no more than this. */
const LONGEST_MS = 0x7fffffff;

export class Leg {
  readonly abort = new Abort();
  readonly #onSent: (() => void) | null;
  #attempt: Attempt | null = null;
  #lease: Lease | null = null;
  #lost = false;
  #stop: (() => void) | null = null;

  /**
   * @param exchange its end is this attempt's end
   * @param onSent   called when the request goes out
   */
  constructor(exchange: Abort, onSent: (() => void) | null = null) {
    this.#onSent = onSent;
    exchange.onAbort((reason) => this.abort.abort(reason));
  }

  get attempt(): Attempt | null {
    return this.#attempt;
  }

  /** Ends the attempt, which has been sent, after `ms`, unless it is answered by then. */
  limit(clock: Clock, ms: number): void {
    this.#stop = clock.after(Math.max(0, Math.min(ms, LONGEST_MS)), () => {
      this.#lease?.outrun();
      this.abort.abort("deadline");
    });
  }

  /** The request goes out. */
  sent(attempt: Attempt, lease: Lease | null): void {
    this.#attempt = attempt;
    this.#lease = lease;
    if (this.#lost) attempt.error = LOST;
    else this.#onSent?.();
  }

  /** An answer has begun, or the attempt has failed. */
  decided(): void {
    this.#stop?.();
  }

  /** Another one was quicker: what it holds is given back, the connection is closed. */
  lose(): void {
    this.#lost = true;
    this.#stop?.();
    if (this.#attempt !== null) this.#attempt.error ??= LOST;
    this.#lease?.outrun();
    this.abort.abort("other");
  }
}

/** What the record says of it. */
const LOST = "hedge_lost";
