import { defineTokenLimit } from "../../gateway/token-limits/token-limits.ts";

/** The same policy and the same counters as `llm-token-limit`; only the name in traces and errors differs. */
export const azureOpenaiTokenLimit = defineTokenLimit(
  "azure-openai-token-limit",
  "The same as llm-token-limit, for documents that use the older name.",
);
