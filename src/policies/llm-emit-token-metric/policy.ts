import { tokenMetric } from "../../gateway/token-metric.ts";

/** See `gateway/token-metric.ts`. */
export const llmEmitTokenMetric = tokenMetric("llm-emit-token-metric");
