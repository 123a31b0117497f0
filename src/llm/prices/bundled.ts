/**
 * The bundled price table: the data of `@pydantic/genai-prices` (MIT), as published with the version that is pinned. It
 * is loaded when the first price is asked for, some 40 ms of work, and never fetches anything: `updatePrices` is not called.
 */
import { createRequire } from "node:module";
import type { ModelInfo, ModelPrice } from "@pydantic/genai-prices";
import type { Rate, Rates } from "./price.ts";

type Table = typeof import("@pydantic/genai-prices");

/** When the pinned version was published; to be changed with the version. */
export const BUNDLED_DATE = "2026-09-23";

let table: Table | null = null;

/** Reads the table now, so that the first request to a model need not. */
export function loadBundled(): Table {
  return (table ??= createRequire(import.meta.url)("@pydantic/genai-prices") as Table);
}

export interface BundledPrice {
  readonly rates: Rates;
  /** `provider/model` of the entry. */
  readonly entry: string;
  /** The entry has rates that depend on date or time of day: ask again the next minute. */
  readonly changes: boolean;
}

/** @param provider `gen_ai.provider.name` @returns null when the table does not know */
export function bundledPrice(provider: string, model: string, timeMs: number): BundledPrice | null {
  const providerId = PROVIDERS.get(provider) ?? provider;
  for (const name of namesOf(model)) {
    const found = find(providerId, name, timeMs);
    if (found !== null) return found;
  }
  return null;
}

function find(providerId: string, model: string, timeMs: number): BundledPrice | null {
  try {
    const found = loadBundled().calcPrice({}, model, { providerId, timestamp: new Date(timeMs) });
    if (found === null) return null;
    const rates = ratesOf(found.model_price);
    // Priced by the hour of audio or by the page, which we do not see.
    if (rates.input === undefined && rates.output === undefined && rates.request === undefined) return null;
    return {
      rates,
      entry: `${found.provider.id}/${found.model.id}`,
      changes: isConditional(found.model),
    };
  } catch {
    // An entry that the library cannot make sense of is no price.
    return null;
  }
}

/** Names of the conventions that are not the table's own. */
const PROVIDERS = new Map([
  ["azure.ai.openai", "azure"],
  ["azure.ai.inference", "azure"],
  ["az.ai.openai", "azure"],
  ["az.ai.inference", "azure"],
  ["aws.bedrock", "aws"],
  ["gcp.gemini", "google"],
  ["gcp.vertex_ai", "google"],
  ["gcp.gen_ai", "google"],
  ["mistral_ai", "mistral"],
  ["x_ai", "x-ai"],
  ["moonshot_ai", "moonshotai"],
  ["together_ai", "together"],
  ["fireworks_ai", "fireworks"],
]);

/** A model as requests and answers call it, and without the path that some put before it. */
function namesOf(model: string): string[] {
  const bare = model.slice(model.lastIndexOf("/") + 1);
  return bare === model || bare === "" ? [model] : [model, bare];
}

function isConditional(model: ModelInfo): boolean {
  return Array.isArray(model.prices);
}

function ratesOf(price: ModelPrice): Rates {
  const rate = (key: string): Rate | undefined => price[key] as Rate | undefined;
  const requests = price["requests_kcount"];
  return {
    input: rate("input_mtok"),
    output: rate("output_mtok"),
    cacheRead: rate("cache_read_mtok"),
    cacheWrite: rate("cache_write_mtok"),
    inputAudio: rate("input_audio_mtok"),
    outputAudio: rate("output_audio_mtok"),
    reasoning: rate("output_reasoning_mtok"),
    request: typeof requests === "number" ? requests / 1000 : undefined,
  };
}
