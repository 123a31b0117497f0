/**
 * What a model's tokens are to ours, learnt from what its provider reports: a moving average per model, so that a family
 * whose encoding nobody publishes is counted within a few percent after a few requests.
 */
import type { ModelEncoding } from "./encodings.ts";

/** The share of a new observation. */
const ALPHA = 0.1;
/** No factor leaves these bounds, whatever somebody's backend reports. */
const LEAST = 0.5;
const MOST = 3;
/** Below this a report says more of the messages' frame than of the text. */
const FEWEST_TOKENS = 50;

export class Factors {
  readonly #kept: number;
  /** By bare name, least recently learnt first. */
  readonly #learnt = new Map<string, number>();

  /** @param kept  how many models are remembered */
  constructor(kept = 500) {
    this.#kept = kept;
  }

  /** What o200k's count is multiplied by; 1 where the count is the model's own. */
  of(model: ModelEncoding): number {
    return model.exact ? 1 : (this.#learnt.get(model.name) ?? model.factor);
  }

  /**
   * Takes note of what a provider reported for a prompt that was counted before. The factor of that time is an argument, not
   * today's: of fifty requests that were counted together, none adds to the correction that another brought.
   *
   * @param counted   tokens of the text as counted, multiplied by `factor`
   * @param factor    the factor that was used
   * @param reported  the provider's prompt tokens; cached ones included
   */
  learn(model: ModelEncoding, counted: number, factor: number, reported: number): void {
    if (model.exact || !(counted >= FEWEST_TOKENS) || !(reported > 0) || !(factor > 0)) return;
    const seen = clamp((factor * reported) / counted);
    const old = this.of(model);
    this.#learnt.delete(model.name);
    if (this.#learnt.size >= this.#kept) this.#learnt.delete(this.#learnt.keys().next().value!);
    this.#learnt.set(model.name, clamp(old + ALPHA * (seen - old)));
  }

  get size(): number {
    return this.#learnt.size;
  }
}

function clamp(factor: number): number {
  return Math.min(MOST, Math.max(LEAST, factor));
}
