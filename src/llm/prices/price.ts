/** What tokens cost: rates, and the arithmetic. */
import type { Usage } from "../usage.ts";

/** A rate, or one that changes with the size of the prompt: beyond `start` tokens of it all are charged `price`. */
export type Rate = number | { readonly base: number; readonly tiers: readonly Tier[] };

interface Tier {
  readonly start: number;
  readonly price: number;
}

/** In US dollars per million tokens. What has no rate of its own is charged as what it is a part of. */
export interface Rates {
  readonly input?: Rate;
  readonly output?: Rate;
  readonly cacheRead?: Rate;
  readonly cacheWrite?: Rate;
  readonly inputAudio?: Rate;
  readonly outputAudio?: Rate;
  /** Parts of the completion that reasoning is, where it has a rate of its own. */
  readonly reasoning?: Rate;
  /** In US dollars per request. */
  readonly request?: number;
}

/**
 * What a usage costs at these rates, in millionths of a dollar: dollars per million tokens times tokens.
 *
 * @returns null when tokens were used that have no rate: an unknown price is not 0
 */
export function costOf(rates: Rates, usage: Usage): number | null {
  const prompt = usage.cachedInside ? usage.prompt : usage.prompt + usage.cached + usage.cacheWrites;
  if (prompt > 0 && rates.input === undefined) return null;
  const audioOut = part(rates.outputAudio, usage.completionAudio, usage.completion);
  const reasoning = part(rates.reasoning, usage.reasoning, usage.completion - audioOut);
  const output = usage.completion - audioOut - reasoning;
  if (output > 0 && rates.output === undefined) return null;
  const cacheRead = part(rates.cacheRead, usage.cached, prompt);
  const cacheWrite = part(rates.cacheWrite, usage.cacheWrites, prompt - cacheRead);
  const audioIn = part(rates.inputAudio, usage.promptAudio, prompt - cacheRead - cacheWrite);
  const input = prompt - cacheRead - cacheWrite - audioIn;
  return Math.round(
    at(rates.input, input, prompt) +
      at(rates.cacheRead, cacheRead, prompt) +
      at(rates.cacheWrite, cacheWrite, prompt) +
      at(rates.inputAudio, audioIn, prompt) +
      at(rates.output, output, prompt) +
      at(rates.outputAudio, audioOut, prompt) +
      at(rates.reasoning, reasoning, prompt) +
      (rates.request ?? 0) * 1e6,
  );
}

/** Tokens that are charged apart: none without a rate, and never more than there are. */
function part(rate: Rate | undefined, tokens: number, most: number): number {
  return rate === undefined ? 0 : Math.max(0, Math.min(tokens, most));
}

function at(rate: Rate | undefined, tokens: number, prompt: number): number {
  if (rate === undefined || tokens <= 0) return 0;
  if (typeof rate === "number") return rate * tokens;
  let price = rate.base;
  for (const tier of rate.tiers) if (prompt > tier.start) price = tier.price;
  return price * tokens;
}
