import { tokenMetric } from "../../gateway/observing/token-metric.ts";

/** The same under its older name (`ai-policies.md` §0.2). */
export const azureOpenaiEmitTokenMetric = tokenMetric("azure-openai-emit-token-metric");
