/**
 * How busy and how slow a backend is right now. Latency is a peak EWMA, as in Finagle: a slow answer counts at once and
 * whole, a quick one only wears it off, over some ten seconds. So a member that begins to stall is avoided after one
 * answer, and trusted again little by little. Time is an argument: ms of a clock that never steps back.
 */
const DECAY_MS = 10_000;
/** A refusal comes quickly; it must not make its sender look quick. */
const FAILURE_MS = 1000;

export class Load {
  /** Requests that were sent and whose answers are not over. */
  inFlight = 0;
  #latencyMs = 0;
  #at = 0;

  /** Typical time to the head of an answer now, in ms; 0 = nothing is known. */
  latencyMs(now: number): number {
    return this.#latencyMs === 0 ? 0 : this.#latencyMs * Math.exp((this.#at - now) / DECAY_MS);
  }

  /** An answer's head came after `ms`, or an attempt failed. */
  observe(ms: number, failed: boolean, now: number): void {
    const before = this.latencyMs(now);
    const seen = failed ? Math.max(ms, FAILURE_MS, before) : ms;
    if (seen >= before) this.#latencyMs = seen;
    else {
      const weight = Math.exp((this.#at - now) / DECAY_MS);
      this.#latencyMs = this.#latencyMs * weight + seen * (1 - weight);
    }
    this.#at = now;
  }

  /**
   * What one more request would cost here. A member of which nothing is known is tried, but not by everybody at once: its
   * first answer is awaited.
   */
  cost(now: number): number {
    const latency = this.latencyMs(now);
    if (latency === 0) return this.inFlight === 0 ? 0 : FAILURE_MS * (this.inFlight + 1);
    return latency * (this.inFlight + 1);
  }
}
