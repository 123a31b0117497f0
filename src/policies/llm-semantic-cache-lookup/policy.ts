import { semanticLookup } from "../../gateway/semantic-cache/semantic-cache.ts";

/** See `gateway/semantic-cache/semantic-cache.ts`. */
export const llmSemanticCacheLookup = semanticLookup("llm-semantic-cache-lookup");
