/** What a request asks of a model, in one form for all dialects: for counting and for the log. */
export interface Prompt {
  readonly messages: readonly PromptMessage[];
  /** Tool and function definitions, as JSON values. */
  readonly tools: readonly unknown[];
  /** The JSON Schema that the answer must follow; null without one. */
  readonly schema: unknown;
  readonly kind: "chat" | "text" | "embeddings" | "other";
}

export interface PromptMessage {
  /** As the dialect names it: `system`, `user`, `assistant`, `tool`, …; empty where there are no roles. */
  readonly role: string;
  readonly name: string | null;
  readonly parts: readonly PromptPart[];
}

export type PromptPart =
  | { readonly kind: "text"; readonly text: string }
  /** Token ids instead of text. */
  | { readonly kind: "tokens"; readonly tokens: number }
  /** Size in pixels where it can be told without fetching it. */
  | {
      readonly kind: "image";
      readonly detail: "low" | "high" | "auto";
      readonly width: number | null;
      readonly height: number | null;
    }
  | { readonly kind: "audio"; readonly seconds: number | null }
  | { readonly kind: "file"; readonly bytes: number | null }
  /** Tool calls and tool results. */
  | { readonly kind: "json"; readonly value: unknown };

export const NO_PROMPT: Prompt = { messages: [], tools: [], schema: null, kind: "other" };
