import { tokenMetric } from "../../gateway/observing/token-metric.ts";

/** See `gateway/observing/token-metric.ts`. */
export const llmEmitTokenMetric = tokenMetric("llm-emit-token-metric");
