import { semanticStore } from "../../gateway/semantic-cache/semantic-cache.ts";

/** See `gateway/semantic-cache/semantic-cache.ts`. */
export const llmSemanticCacheStore = semanticStore("llm-semantic-cache-store");
