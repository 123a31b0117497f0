import { semanticLookup } from "../../gateway/semantic-cache/semantic-cache.ts";

/** See `gateway/semantic-cache/semantic-cache.ts`; the older name of its `llm-` twin. */
export const azureOpenaiSemanticCacheLookup = semanticLookup("azure-openai-semantic-cache-lookup");
