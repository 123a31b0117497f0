/** Tokens as Gemini and Vertex AI report them (`ai-policies.md` §0.4). */
import type { JsonObject } from "../../../base/json-object.ts";
import { objectOf, objectsOf } from "../../json-values.ts";
import { type Usage, NO_USAGE, tokensOf } from "../../usage.ts";

const FIELDS = [
  "promptTokenCount",
  "toolUsePromptTokenCount",
  "candidatesTokenCount",
  "thoughtsTokenCount",
  "cachedContentTokenCount",
  "totalTokenCount",
] as const;

/** The last `usageMetadata`, and the counts it was made from. */
export interface GeminiCounts {
  readonly usage: Usage;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Every chunk of a stream may have a `usageMetadata`, the last one counts. One without any count (`{}`, or nothing but
 * `trafficType`) says nothing. One that is complete in itself, as its total shows, stands alone; into one that is not,
 * the counts of the chunk before are carried over.
 *
 * @returns null when `reported` says nothing
 */
export function geminiUsage(reported: JsonObject, before: GeminiCounts | null): GeminiCounts | null {
  if (!FIELDS.some((field) => typeof reported[field] === "number")) return null;
  const alone = { fields: reported, usage: usageOf(reported) };
  if (before === null || (reported["totalTokenCount"] !== undefined && addsUp(alone.usage))) return alone;
  const fields = { ...before.fields, ...reported };
  // A total from before is not one of the merged counts.
  if (reported["totalTokenCount"] === undefined) delete fields["totalTokenCount"];
  return { fields, usage: usageOf(fields) };
}

function addsUp(usage: Usage): boolean {
  return usage.prompt + usage.completion === usage.total;
}

/**
 * Thoughts are billed as output and are not inside `candidatesTokenCount`; where the total shows that they are, they are
 * not added again. The Live API's total leaves them out, though: thoughts are text, and what has less text than there are
 * thoughts does not hold them.
 */
function usageOf(fields: Readonly<Record<string, unknown>>): Usage {
  const prompt = tokensOf(fields["promptTokenCount"]) + tokensOf(fields["toolUsePromptTokenCount"]);
  const candidates = tokensOf(fields["candidatesTokenCount"]);
  const thoughts = tokensOf(fields["thoughtsTokenCount"]);
  const total = tokensOf(fields["totalTokenCount"]);
  const inside =
    thoughts <= candidates &&
    prompt + candidates === total &&
    thoughts <= (tokensOfModality(fields["candidatesTokensDetails"], TEXT) ?? candidates);
  const completion = inside ? candidates : candidates + thoughts;
  return {
    prompt,
    completion,
    total: total || prompt + completion,
    cached: tokensOf(fields["cachedContentTokenCount"]),
    cacheWrites: 0,
    reasoning: thoughts,
    promptAudio: tokensOfModality(fields["promptTokensDetails"], AUDIO) ?? 0,
    completionAudio: tokensOfModality(fields["candidatesTokensDetails"], AUDIO) ?? 0,
    cachedInside: true,
  };
}

/** Each as its name and as its number: `enum-encoding=int` asks for numbers. */
const TEXT: readonly unknown[] = ["TEXT", 1];
const AUDIO: readonly unknown[] = ["AUDIO", 4];

/** @returns null when nothing is said of modalities */
function tokensOfModality(details: unknown, names: readonly unknown[]): number | null {
  const counts = objectsOf(details);
  if (counts.length === 0) return null;
  let tokens = 0;
  for (const { modality, tokenCount } of counts) if (names.includes(modality)) tokens += tokensOf(tokenCount);
  return tokens;
}

/**
 * Of answers without `usageMetadata`: Vertex AI's text embeddings say `statistics.token_count` with each vector, older
 * text models `metadata.tokenMetadata`.
 */
export function embeddingUsage(response: JsonObject): Usage | null {
  const metadata = objectOf(objectOf(response["metadata"])?.["tokenMetadata"]);
  if (metadata !== null) {
    const prompt = tokensOf(objectOf(metadata["inputTokenCount"])?.["totalTokens"]);
    const completion = tokensOf(objectOf(metadata["outputTokenCount"])?.["totalTokens"]);
    return { ...NO_USAGE, prompt, completion, total: prompt + completion };
  }
  let prompt: number | null = null;
  for (const prediction of objectsOf(response["predictions"])) {
    const embedding = objectOf(prediction["embeddings"]);
    const statistics = objectOf(embedding?.["statistics"] ?? prediction["statistics"]);
    const tokens = statistics?.["token_count"] ?? statistics?.["tokenCount"];
    if (typeof tokens === "number") prompt = (prompt ?? 0) + tokensOf(tokens);
  }
  return prompt === null ? null : { ...NO_USAGE, prompt, total: prompt };
}
