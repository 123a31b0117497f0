/**
 * Passive outlier ejection, our own extension of pools (`reliability.md` A2, R-12): a member that fails several times in
 * a row is passed over for a while, also without a circuit breaker. Softer than a breaker in two ways: an ejected member
 * is still taken when its priority group has no other, and when more of a pool is ejected than `panicPercent` the fault is
 * probably not theirs, so all ejections are ignored ("panic").
 *
 * Each ejection in a row lasts longer (`ejectionMs` × their number, at most `maxEjectionMs`); back from one, a
 * single failure is enough for the next. A member that stays well as long as it was out has a clean sheet again.
 * Time is an argument: ms of a clock that never steps back.
 */
import type { OutlierRule } from "../../gateway/snapshot.ts";

export class Outlier {
  readonly #rule: OutlierRule;
  #failuresInRow = 0;
  /** In a row. */
  #ejections = 0;
  #lastMs = 0;
  #until = -Infinity;

  constructor(rule: OutlierRule) {
    this.#rule = rule;
  }

  ejected(now: number): boolean {
    return now < this.#until;
  }

  /** When it is back; in the past when it is not ejected. */
  get until(): number {
    return this.#until;
  }

  /** @returns true when this failure ejects it */
  record(failed: boolean, now: number): boolean {
    // What was sent before the ejection tells nothing new.
    if (now < this.#until) return false;
    if (!failed) {
      this.#failuresInRow = 0;
      if (this.#ejections > 0 && now - this.#until >= this.#lastMs) this.#ejections = 0;
      return false;
    }
    const { consecutiveFailures, ejectionMs, maxEjectionMs } = this.#rule;
    if (++this.#failuresInRow < consecutiveFailures) return false;
    this.#ejections++;
    this.#lastMs = Math.min(maxEjectionMs, ejectionMs * this.#ejections);
    this.#until = now + this.#lastMs;
    this.#failuresInRow = consecutiveFailures - 1;
    return true;
  }

  /** By command. */
  reset(): void {
    this.#failuresInRow = 0;
    this.#ejections = 0;
    this.#until = -Infinity;
  }
}
