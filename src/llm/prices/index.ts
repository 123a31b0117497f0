/**
 * What a request to a model costs. The operator's prices come first, then the bundled table (`bundled.ts`); what neither
 * knows stays unknown.
 */
import type { Usage } from "../usage.ts";
import { BUNDLED_DATE, bundledPrice, loadBundled } from "./bundled.ts";
import { type Override, overrideFor } from "./overrides.ts";
import { type Rates, costOf } from "./price.ts";

export { BUNDLED_DATE } from "./bundled.ts";
export { PRICES_FILE, type Override, priceMessages, readOverrides } from "./overrides.ts";

export interface PricedCall {
  /** `gen_ai.provider.name`. */
  readonly provider: string;
  readonly modelServed: string | null;
  readonly modelAsked: string | null;
  readonly deployment: string | null;
  readonly usage: Usage;
  /** When it began, ms since the epoch: some prices change with the date, some with the time of day. */
  readonly timeMs: number;
}

export interface Price {
  /** Millionths of a US dollar, an integer. */
  readonly costMicros: number;
  /** Which entry: `openai/gpt-4o`, `prices.yaml:3`. */
  readonly price: string;
  /** Of the bundled table; null for the operator's own prices. */
  readonly date: string | null;
}

interface Found {
  readonly rates: Rates;
  readonly price: string;
  readonly date: string | null;
  /** Minute for which it holds; Infinity = any. */
  readonly minute: number;
}

/** Models are names that callers make up: more than this many are not remembered. */
const MOST_CACHED = 5000;
const LONGEST_NAME = 300;

export class Prices {
  readonly #overrides: readonly Override[];
  /** Provider → model → what was found; null = looked for in vain. */
  readonly #cache = new Map<string, Map<string, Found | null>>();
  #cached = 0;

  constructor(overrides: readonly Override[] = []) {
    this.#overrides = overrides;
  }

  /** Reads the bundled table now, some 40 ms, instead of when the first price is asked for. */
  load(): void {
    loadBundled();
  }

  /** @returns null when the price is not known: never 0 for that */
  priceOf(call: PricedCall): Price | null {
    const { provider, modelServed, modelAsked, deployment, usage, timeMs } = call;
    // The model that answered is what is paid for; a deployment's name is the operator's own invention.
    const found =
      this.#find(provider, modelServed, timeMs) ??
      this.#find(provider, modelAsked, timeMs) ??
      (modelServed === null ? this.#find(provider, deployment, timeMs) : null) ??
      this.#ownDeployment(provider, deployment);
    if (found === null) return null;
    const costMicros = costOf(found.rates, usage);
    return costMicros === null ? null : { costMicros, price: found.price, date: found.date };
  }

  /** The operator may well price a deployment whose model is unknown to the table. */
  #ownDeployment(provider: string, deployment: string | null): Found | null {
    if (deployment === null) return null;
    const own = overrideFor(this.#overrides, provider, deployment);
    return own === null ? null : { rates: own.rates, price: own.entry, date: null, minute: Infinity };
  }

  #find(provider: string, model: string | null, timeMs: number): Found | null {
    if (model === null || model === "" || model.length > LONGEST_NAME) return null;
    let models = this.#cache.get(provider);
    if (models === undefined) this.#cache.set(provider, (models = new Map()));
    const cached = models.get(model);
    if (cached === null) return null;
    const minute = Math.floor(timeMs / 60_000);
    if (cached !== undefined && (cached.minute === Infinity || cached.minute === minute)) return cached;
    const found = this.#look(provider, model, timeMs, minute);
    if (++this.#cached > MOST_CACHED) {
      this.#cache.clear();
      this.#cached = 0;
    }
    models.set(model, found);
    return found;
  }

  #look(provider: string, model: string, timeMs: number, minute: number): Found | null {
    const own = overrideFor(this.#overrides, provider, model);
    if (own !== null) return { rates: own.rates, price: own.entry, date: null, minute: Infinity };
    const bundled = bundledPrice(provider, model, timeMs);
    if (bundled === null) return null;
    return {
      rates: bundled.rates,
      price: bundled.entry,
      date: BUNDLED_DATE,
      minute: bundled.changes ? minute : Infinity,
    };
  }
}
