import { contentSafety } from "../../gateway/safety/policy.ts";

/** See `gateway/safety/policy.ts`. */
export const llmContentSafety = contentSafety("llm-content-safety");
