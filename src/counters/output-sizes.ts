/** Cold start: what a model is expected to write when nobody has seen it write, and what it hardly exceeds. */
const COLD_TOKENS = 1024;
const COLD_MOST = 4096;
/** So few answers say little of how far they lie apart. */
const FEW = 8;
/** How many answers back the memory reaches, about. */
const MEMORY = 64;
const MOST_MODELS = 1000;

interface Seen {
  answers: number;
  mean: number;
  variance: number;
  largest: number;
}

/**
 * How many tokens models write, learned from what they wrote: what a call without an output bound is expected to cost.
 * A moving mean and deviation per model (T. Finch, "Incremental calculation of weighted mean and variance", 2009).
 */
export class OutputSizes {
  readonly #seen = new Map<string, Seen>();

  get size(): number {
    return this.#seen.size;
  }

  /** Mean and one deviation more, rounded up; at first the largest that was seen. */
  usual(model: string): number {
    const seen = this.#seen.get(model);
    if (seen === undefined) return COLD_TOKENS;
    const usual = seen.mean + Math.sqrt(seen.variance);
    return Math.ceil(seen.answers < FEW ? Math.max(usual, seen.largest) : usual);
  }

  /** What hardly any answer exceeds: mean and three deviations. */
  most(model: string): number {
    const seen = this.#seen.get(model);
    if (seen === undefined || seen.answers < FEW) return COLD_MOST;
    return Math.ceil(seen.mean + 3 * Math.sqrt(seen.variance));
  }

  /** @param tokens of a whole answer */
  learn(model: string, tokens: number): void {
    let seen = this.#seen.get(model);
    if (seen === undefined) {
      if (this.#seen.size >= MOST_MODELS) this.#forgetOldest();
      seen = { answers: 0, mean: 0, variance: 0, largest: 0 };
      this.#seen.set(model, seen);
    }
    seen.answers++;
    const weight = 1 / Math.min(seen.answers, MEMORY);
    const difference = tokens - seen.mean;
    seen.mean += weight * difference;
    seen.variance = (1 - weight) * (seen.variance + weight * difference * difference);
    seen.largest = Math.max(seen.largest, tokens);
  }

  #forgetOldest(): void {
    const oldest = this.#seen.keys().next();
    if (oldest.done !== true) this.#seen.delete(oldest.value);
  }
}
