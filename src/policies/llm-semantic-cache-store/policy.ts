import { semanticStore } from "../../gateway/semantic-cache.ts";

/** See `gateway/semantic-cache.ts`. */
export const llmSemanticCacheStore = semanticStore("llm-semantic-cache-store");
