/** Usage objects of the OpenAI family, in both their wordings, and what compatible providers make of them. */
import { isJsonObject, type JsonObject } from "../../../base/json-object.ts";
import { type Usage, tokensOf } from "../../usage.ts";

/**
 * `prompt_tokens`/`completion_tokens` of Chat Completions or `input_tokens`/`output_tokens` of the newer APIs
 * (`ai-policies.md` §0.4). A `usage` that counts something else (`{"type": "duration", "seconds": 9}`) is none.
 *
 * @returns null when no tokens are reported
 */
export function readUsage(value: unknown): Usage | null {
  if (!isJsonObject(value)) return null;
  const prompt = said(value["prompt_tokens"], value["input_tokens"]);
  const completion = said(value["completion_tokens"], value["output_tokens"]);
  const total = value["total_tokens"];
  if (typeof prompt !== "number" && typeof completion !== "number" && typeof total !== "number") return null;
  // Some makers of embeddings report the total alone.
  const promptTokens = tokensOf(prompt ?? (typeof completion === "number" ? undefined : total));
  const prompts = detailsOf(
    value["prompt_tokens_details"] ?? value["input_tokens_details"] ?? value["input_token_details"],
  );
  const completions = detailsOf(
    value["completion_tokens_details"] ?? value["output_tokens_details"] ?? value["output_token_details"],
  );
  const detailed = completions["reasoning_tokens"];
  const reasoning = tokensOf(detailed ?? value["reasoning_tokens"]);
  const isDetail = typeof detailed === "number";
  const completionTokens = withReasoning(tokensOf(completion), reasoning, isDetail, promptTokens, total);
  return {
    prompt: promptTokens,
    completion: completionTokens,
    total: typeof total === "number" ? tokensOf(total) : promptTokens + completionTokens,
    // DeepSeek says `prompt_cache_hit_tokens`, Moonshot `cached_tokens`.
    cached: tokensOf(prompts["cached_tokens"] ?? value["prompt_cache_hit_tokens"] ?? value["cached_tokens"]),
    // OpenRouter's name and LiteLLM's.
    cacheWrites: tokensOf(prompts["cache_write_tokens"] ?? prompts["cache_creation_tokens"]),
    reasoning,
    promptAudio: tokensOf(prompts["audio_tokens"]),
    completionAudio: tokensOf(completions["audio_tokens"]),
    cachedInside: true,
  };
}

/** What a later value of a stream makes of what was reported: zeros after a count are a relay's filler, no count. */
export function laterUsage(value: unknown, before: Usage | null): Usage | null {
  const usage = readUsage(value);
  if (usage === null) return before;
  return before !== null && usage.total === 0 && usage.prompt + usage.completion === 0 ? before : usage;
}

/**
 * xAI reports reasoning beside the completion, OpenAI inside it: the total tells. Billed as output it is by both. Perplexity's
 * researchers leave it out of both numbers, and reason more than they write.
 *
 * @param isDetail it is said to be one of the completion
 */
function withReasoning(
  completion: number,
  reasoning: number,
  isDetail: boolean,
  prompt: number,
  total: unknown,
): number {
  const isBeside = total === prompt + completion + reasoning || (!isDetail && reasoning > completion);
  return isBeside ? completion + reasoning : completion;
}

/** Some aggregators write both wordings, and 0 in the one that they do not use. */
function said(one: unknown, other: unknown): unknown {
  return one === undefined || one === null || (one === 0 && other !== undefined && other !== null)
    ? other
    : one;
}

function detailsOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : NO_DETAILS;
}

const NO_DETAILS: JsonObject = {};
