import { defineTokenLimit } from "../../gateway/token-limits/token-limits.ts";

/**
 * Limits the tokens that calls to models with the same key may use per minute and per calendar period. Requests that are
 * none to a model pass. When the shared counter store does not answer, `on-store-failure` decides.
 */
export const llmTokenLimit = defineTokenLimit(
  "llm-token-limit",
  "Limits the model tokens that calls with the same key may use: per minute (429 beyond it), per calendar period (403), or both.",
);
