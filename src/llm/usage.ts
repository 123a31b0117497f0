/**
 * Tokens as a provider reports them. `prompt` and `completion` are the two numbers of the provider's own usage object
 * (`ai-policies.md` §0.4), with what it bills like them and counts beside them (Gemini's thoughts, Anthropic's compactions);
 * the others are parts of them or, where `cachedInside` is false, come on top.
 */
export interface Usage {
  readonly prompt: number;
  /** With reasoning, which is billed as output. */
  readonly completion: number;
  /** As reported, else the sum. */
  readonly total: number;
  /** Prompt tokens read from the provider's cache. */
  readonly cached: number;
  /** Prompt tokens written to the provider's cache. */
  readonly cacheWrites: number;
  readonly reasoning: number;
  readonly promptAudio: number;
  readonly completionAudio: number;
  /** Whether `cached` and `cacheWrites` are inside `prompt` (OpenAI, Gemini) or beside it (Anthropic, Bedrock). */
  readonly cachedInside: boolean;
}

export const NO_USAGE: Usage = {
  prompt: 0,
  completion: 0,
  total: 0,
  cached: 0,
  cacheWrites: 0,
  reasoning: 0,
  promptAudio: 0,
  completionAudio: 0,
  cachedInside: true,
};

/** What counts against limits: cache reads of Anthropic are left out, cache writes are not (`ai-policies.md` §1.4). */
export function chargedPrompt(usage: Usage): number {
  return usage.cachedInside ? usage.prompt : usage.prompt + usage.cacheWrites;
}

export function chargedTokens(usage: Usage): number {
  return chargedPrompt(usage) + usage.completion;
}

/** Token counts are integers ≥ 0 whatever a provider sends. */
export function tokensOf(value: unknown): number {
  return typeof value === "number" && value > 0 && value < Number.MAX_SAFE_INTEGER ? Math.floor(value) : 0;
}

/** Sums two usages: a WebSocket session has one per response. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    prompt: a.prompt + b.prompt,
    completion: a.completion + b.completion,
    total: a.total + b.total,
    cached: a.cached + b.cached,
    cacheWrites: a.cacheWrites + b.cacheWrites,
    reasoning: a.reasoning + b.reasoning,
    promptAudio: a.promptAudio + b.promptAudio,
    completionAudio: a.completionAudio + b.completionAudio,
    cachedInside: a.cachedInside && b.cachedInside,
  };
}

/** What has come on top of `before`; may be negative where `before` was an estimate. */
export function lessUsage(all: Usage, before: Usage): Usage {
  return {
    prompt: all.prompt - before.prompt,
    completion: all.completion - before.completion,
    total: all.total - before.total,
    cached: all.cached - before.cached,
    cacheWrites: all.cacheWrites - before.cacheWrites,
    reasoning: all.reasoning - before.reasoning,
    promptAudio: all.promptAudio - before.promptAudio,
    completionAudio: all.completionAudio - before.completionAudio,
    cachedInside: all.cachedInside,
  };
}
