/**
 * Which encoding counts a model's tokens, and how far that can be believed.
 *
 * OpenAI's encodings are public: their models are counted exactly. Nobody else's current one is (Claude's and Gemini's
 * have no public tables), so their texts are counted with o200k and multiplied by a factor per family. The factors here are where
 * it begins; `factors.ts` learns better ones, per model, from what providers report.
 */
import type { EncodingName } from "./count.ts";

export type Family = "openai" | "anthropic" | "gemini" | "other";

export interface ModelEncoding {
  readonly encoding: EncodingName;
  /** The encoding is the model's own; else its counts are multiplied by `factor`. */
  readonly exact: boolean;
  readonly factor: number;
  /** Whose rules hold for messages, tools and images. */
  readonly family: Family;
  /** The model's name without region, provider, fine-tuning and case. */
  readonly name: string;
}

/** A row of the tables below: what the name must look like. The first that fits holds. */
type OpenAiRow = readonly [RegExp, EncodingName];

const OPENAI: readonly OpenAiRow[] = [
  [/^(gpt-4o|gpt-4\.[15]|gpt-[5-9]|gpt-[12]\d($|[.-])|o\d+($|-)|chatgpt-|chat-latest)/, "o200k_base"],
  [/^(gpt-(oss|audio|realtime|image|live|transcribe)|codex-mini|computer-use)/, "o200k_base"],
  [/^(gpt-4($|-)|gpt-3\.5|gpt-35|text-embedding-(3|ada-002)|(davinci|babbage)-002$)/, "cl100k_base"],
  [/^(text-davinci-(00[23]|edit)|code-(davinci|cushman)|(davinci|cushman)-codex)/, "p50k_base"],
  [
    /^(text-(davinci|curie|babbage|ada)-001|(davinci|curie|babbage|ada)$|(text|code)-(similarity|search)-|gpt-?2$)/,
    "r50k_base",
  ],
];

/** What a deployment is called often says what it is: as good a guess as any, but a guess. */
const OPENAI_GUESSES: readonly OpenAiRow[] = [
  [/gpt-?(4o|4\.?1|4\.?5|[5-9])|(^|[^a-z])o[134]($|[^a-z0-9])/, "o200k_base"],
  [/gpt-?(4|3\.?5)|ada-?002|embedding-3/, "cl100k_base"],
];

/**
 * Tokens per o200k token, by family.
 *
 * - Claude up to 4.6: 1.2. Published comparison of Claude 3.5 Sonnet with GPT-4o (2025): +16 % on English articles, +21 % on
 *   mathematics, +30 % on Python.
 * - Claude Opus 4.7 and later, Sonnet 5 and what came with them: the provider says about 30 % more than its models before.
 * - Gemini, Gemma: 1.05. The provider says 4 characters a token, as OpenAI does; a vocabulary of 256 thousand.
 * - Llama 3 and later: cl100k's tokens and 28 thousand more; Qwen: likewise some 50 thousand more. cl100k itself measures 1.00
 *   on our documentation and our code; 1.05, since other languages fare worse.
 * - Vocabularies of 32 thousand (Llama 2, Mistral 7B, Mixtral): 1.25. r50k, of 50 thousand, measures 1.22 on our documentation.
 * - Mistral since its 131 thousand, DeepSeek, Nova, Grok, Command, others: 1.1, by the size of the vocabulary where that is
 *   known, else as a guess.
 */
const OTHERS: readonly (readonly [RegExp, Family, number])[] = [
  [
    /claude-(opus-4[-.]([7-9]|1\d)(?!\d)|(opus|sonnet|haiku)-([5-9]|\d\d)(?!\d)|fable|mythos)/,
    "anthropic",
    1.55,
  ],
  [/claude/, "anthropic", 1.2],
  [/gemini|gemma|learnlm/, "gemini", 1.05],
  [/llama-?2|codellama|mistral-7b|mixtral/, "other", 1.25],
  [/llama|qwen|qwq/, "other", 1.05],
  [/mistral|ministral|magistral|codestral|devstral|pixtral|voxtral/, "other", 1.1],
  [/deepseek|nova|grok|command|cohere|phi|titan|kimi|glm|minimax|granite|jamba|nemotron/, "other", 1.1],
];

/** Names that callers chose: a bound on how many are remembered. */
const KEPT = 2000;
const known = new Map<string, ModelEncoding>();

/**
 * @param model  as the request or the backend names it: `gpt-4o`, `ft:gpt-4o-mini:acme::x1`, `us.anthropic.claude-…-v1:0`,
 *               `models/gemini-…`, the name of an Azure deployment; an empty or unknown one is counted with o200k
 */
export function encodingOfModel(model: string): ModelEncoding {
  const found = known.get(model);
  if (found !== undefined) return found;
  const encoding = resolve(model.slice(0, 300));
  if (known.size >= KEPT) known.clear();
  if (model.length <= 300) known.set(model, encoding);
  return encoding;
}

function resolve(model: string): ModelEncoding {
  const name = bareName(model);
  for (const [pattern, family, factor] of OTHERS) {
    // `gpt-oss-20b-llama` is not what OpenAI calls a model; whoever names both families means the other one.
    if (pattern.test(name)) return { encoding: "o200k_base", exact: false, factor, family, name };
  }
  for (const [pattern, encoding] of OPENAI) {
    if (pattern.test(name)) return { encoding, exact: true, factor: 1, family: "openai", name };
  }
  for (const [pattern, encoding] of OPENAI_GUESSES) {
    if (pattern.test(name)) return { encoding, exact: false, factor: 1, family: "openai", name };
  }
  return { encoding: "o200k_base", exact: false, factor: 1, family: "other", name };
}

/** `ft:gpt-4o-mini:acme::x1`, `openai/gpt-4o`, `openai.gpt-oss-20b-1:0` → what the model itself is called. */
function bareName(model: string): string {
  let name = model.toLowerCase().trim();
  name = name.slice(name.lastIndexOf("/") + 1);
  if (name.startsWith("ft:")) name = name.slice(3).split(":")[0]!;
  return name.replace(/^([a-z]{2,6}\.)?(openai|azure)[.:]/, "");
}
