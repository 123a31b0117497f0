/** `gen_ai.provider.name` by where a request goes: the conventions' names where they have one, else the provider's own. */

/** @param host with or without port; null when unknown  @returns null when the host says nothing */
export function providerOfHost(host: string | null): string | null {
  if (host === null) return null;
  const colon = host.lastIndexOf(":");
  const name = (colon < 0 ? host : host.slice(0, colon)).toLowerCase();
  for (const [end, provider, below] of HOSTS) if (name === end || name.endsWith(below)) return provider;
  return null;
}

const PROVIDERS: readonly (readonly [string, string])[] = [
  ["openai.com", "openai"],
  ["openai.azure.com", "azure.ai.openai"],
  ["cognitiveservices.azure.com", "azure.ai.openai"],
  ["services.ai.azure.com", "azure.ai.inference"],
  ["models.ai.azure.com", "azure.ai.inference"],
  ["inference.ml.azure.com", "azure.ai.inference"],
  ["anthropic.com", "anthropic"],
  ["generativelanguage.googleapis.com", "gcp.gemini"],
  ["deepseek.com", "deepseek"],
  ["groq.com", "groq"],
  ["mistral.ai", "mistral_ai"],
  ["x.ai", "x_ai"],
  ["perplexity.ai", "perplexity"],
  ["cohere.com", "cohere"],
  ["cohere.ai", "cohere"],
  ["moonshot.ai", "moonshot_ai"],
  ["moonshot.cn", "moonshot_ai"],
  ["openrouter.ai", "openrouter"],
  ["together.xyz", "together_ai"],
  ["together.ai", "together_ai"],
  ["fireworks.ai", "fireworks_ai"],
  ["cerebras.ai", "cerebras"],
];

/** With how names below them end: this is asked with every request. */
const HOSTS = PROVIDERS.map(([end, provider]) => [end, provider, `.${end}`] as const);
