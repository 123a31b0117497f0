/** A request without its API's shape: what chat completions and responses are both read into. */
import { ApiFailure } from "./failure.ts";
import { countTokens } from "./tokens.ts";

export interface Turn {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly text: string;
}

export type Format =
  | { readonly type: "text" }
  | { readonly type: "json_object" }
  | { readonly type: "json_schema"; readonly schema: unknown };

export interface Prompt {
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice;
  readonly parallelToolCalls: boolean;
  readonly format: Format;
  /** Most tokens of one choice; null = no limit. */
  readonly maxTokens: number | null;
  readonly stop: readonly string[];
  readonly seed: number;
  /** Exact length of a text answer, ordered by `x-demo-tokens`. */
  readonly orderedTokens: number | null;
  readonly promptTokens: number;
}

export interface Tool {
  readonly name: string;
  /** JSON schema of the arguments; undefined = no arguments. */
  readonly parameters: unknown;
}

/** `names`: call one of these. With `must: false` the names only narrow the choice. */
export type ToolChoice =
  | "auto"
  | "none"
  | "required"
  | { readonly names: readonly string[]; readonly must: boolean };

/** The last text of a role, or nothing. */
export function lastText(turns: readonly Turn[], role: Turn["role"]): string {
  return turns.findLast((turn) => turn.role === role)?.text ?? "";
}

/**
 * Counts a prompt's tokens: its texts by the tokeniser, plus fixed amounts (3 per message, 3 to prime the
 * answer, 85 per image, file or sound). Refuses a prompt that exceeds the context.
 */
export class PromptMeter {
  tokens = 3;
  readonly #limit: number;
  readonly #param: string;

  /** @param param the request's field to blame, `messages` or `input` */
  constructor(limit: number, param: string) {
    this.#limit = limit;
    this.#param = param;
  }

  addText(text: string): void {
    this.add(countTokens(text, this.#limit - this.tokens + 1));
  }

  /** @throws ApiFailure 400 `context_length_exceeded` */
  add(tokens: number): void {
    this.tokens += tokens;
    if (this.tokens <= this.#limit) return;
    throw new ApiFailure(
      400,
      `This model's maximum context length is ${this.#limit} tokens. However, your ${this.#param} resulted in more. ` +
        `Please reduce the length of the ${this.#param}.`,
      { param: this.#param, code: "context_length_exceeded" },
    );
  }
}

export const MESSAGE_TOKENS = 3;
export const MEDIA_TOKENS = 85;
