/** What requests to models need of the rest of the process: counting, and somebody who writes down what they cost. */
import type { Prompt } from "../../llm/prompt.ts";
import type { Settlement } from "../../llm/settlement.ts";
import type { Contents } from "./llm-rows.ts";
import type { ModelCall } from "./model-call.ts";

export interface Count {
  readonly tokens: number;
  /** Counted with the model's own encoding, not estimated. */
  readonly exact: boolean;
}

export interface ModelServices {
  /** Tokens of a prompt; a promise only when it is long. */
  countPrompt(prompt: Prompt, model: string): Count | Promise<Count>;
  countText(text: string, model: string): Count | Promise<Count>;
  /** A call is settled: the ledger, metrics and the log want to know. Called after limits have been told. It must not throw. */
  settled(call: ModelCall, settlement: Settlement): void;
  /** What was said, for the gateway's own store. It must not throw. */
  contents(call: ModelCall, contents: Contents): void;
}
