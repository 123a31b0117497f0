/**
 * How many of the latest requests failed: the memory of a circuit breaker. Time is an argument, in ms of a clock that
 * never steps back.
 *
 * Two kinds, because two questions are asked. "So many failures" is answered exactly: the times of the failures are kept,
 * never more than the threshold itself, as reaching it empties the memory. "So many in a hundred" has to count successes
 * too, thousands a second for an hour; those go into a hundred slots, so that the interval is right to one in a hundred.
 */

/** Kept exactly up to this many; larger thresholds are counted in slots, too. */
const MOST_TIMES = 10_000;
const SLOTS = 100;
/** Of fewer requests no share is taken. */
const FEWEST_SAMPLES = 10;

export interface FailureWindow {
  /** Notes a request. @returns true when this failure reaches the threshold; a success never does */
  add(failed: boolean, now: number): boolean;
  clear(): void;
}

/** At least one of the thresholds must be given. Both: whichever comes first. */
export function failureWindow(
  count: number | null,
  percentage: number | null,
  intervalMs: number,
): FailureWindow {
  if (percentage === null && count !== null && count <= MOST_TIMES)
    return new FailureTimes(count, intervalMs);
  return new Slots(count ?? Infinity, percentage ?? Infinity, intervalMs);
}

/** The times of the failures that are younger than the interval. */
class FailureTimes implements FailureWindow {
  readonly #count: number;
  readonly #intervalMs: number;
  #times: number[] = [];
  /** Those before are too old. */
  #first = 0;

  constructor(count: number, intervalMs: number) {
    this.#count = count;
    this.#intervalMs = intervalMs;
  }

  add(failed: boolean, now: number): boolean {
    if (!failed) return false;
    const times = this.#times;
    times.push(now);
    while (now - times[this.#first]! >= this.#intervalMs && this.#first < times.length - 1) this.#first++;
    if (this.#first > MOST_TIMES) {
      this.#times = times.slice(this.#first);
      this.#first = 0;
    }
    return this.#times.length - this.#first >= this.#count;
  }

  clear(): void {
    this.#times = [];
    this.#first = 0;
  }
}

/** A ring of slots: requests and failures of a hundredth of the interval each. */
class Slots implements FailureWindow {
  readonly #count: number;
  readonly #percentage: number;
  readonly #widthMs: number;
  readonly #all = new Float64Array(SLOTS);
  readonly #failed = new Float64Array(SLOTS);
  #allSum = 0;
  #failedSum = 0;
  /** Number of the youngest slot. */
  #latest = 0;

  constructor(count: number, percentage: number, intervalMs: number) {
    this.#count = count;
    this.#percentage = percentage;
    this.#widthMs = intervalMs / SLOTS;
  }

  add(failed: boolean, now: number): boolean {
    const slot = this.#advance(now);
    this.#all[slot]!++;
    this.#allSum++;
    if (!failed) return false;
    this.#failed[slot]!++;
    this.#failedSum++;
    if (this.#failedSum >= this.#count) return true;
    return this.#allSum >= FEWEST_SAMPLES && this.#failedSum * 100 >= this.#percentage * this.#allSum;
  }

  clear(): void {
    this.#all.fill(0);
    this.#failed.fill(0);
    this.#allSum = 0;
    this.#failedSum = 0;
  }

  /** Empties the slots that have become too old. @returns the index of the present one */
  #advance(now: number): number {
    const latest = Math.floor(now / this.#widthMs);
    const steps = Math.min(SLOTS, latest - this.#latest);
    for (let i = 1; i <= steps; i++) {
      const slot = (this.#latest + i) % SLOTS;
      this.#allSum -= this.#all[slot]!;
      this.#failedSum -= this.#failed[slot]!;
      this.#all[slot] = 0;
      this.#failed[slot] = 0;
    }
    this.#latest = Math.max(this.#latest, latest);
    return this.#latest % SLOTS;
  }
}
