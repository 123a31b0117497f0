import { semanticStore } from "../../gateway/semantic-cache/semantic-cache.ts";

/** See `gateway/semantic-cache/semantic-cache.ts`; the older name of its `llm-` twin. */
export const azureOpenaiSemanticCacheStore = semanticStore("azure-openai-semantic-cache-store");
