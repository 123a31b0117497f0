/** Counting for requests to models, with what is learnt of models whose encoding is not public. */
import { countTexts, ready } from "../../llm/counting/count.ts";
import { encodingOfModel } from "../../llm/counting/encodings.ts";
import { Factors } from "../../llm/counting/factors.ts";
import { type PromptCount, countPrompt, learn } from "../../llm/counting/prompt.ts";
import { chargedPrompt } from "../../llm/usage.ts";
import type { ModelCall } from "./model-call.ts";
import type { Count, ModelServices } from "./model-services.ts";

export class ModelCounting implements Pick<ModelServices, "countPrompt" | "countText"> {
  readonly #factors = new Factors();
  #isWarm = false;

  countPrompt(
    ...[prompt, model]: Parameters<ModelServices["countPrompt"]>
  ): PromptCount | Promise<PromptCount> {
    return countPrompt(prompt, model, { factors: this.#factors });
  }

  countText(text: string, model: string): Count | Promise<Count> {
    const encoding = encodingOfModel(model);
    const factor = this.#factors.of(encoding);
    const counted = (tokens: number): Count => ({
      tokens: Math.ceil(tokens * factor),
      exact: encoding.exact,
    });
    const count = countTexts([text], encoding.encoding);
    return typeof count === "number" ? counted(count) : count.then(counted);
  }

  /** A provider has reported what was counted before: how far were we off? */
  settled(call: ModelCall): void {
    const { countedPrompt, reported } = call;
    if (countedPrompt === null || reported === null || !("factor" in countedPrompt)) return;
    const prompt = reported.cachedInside ? reported.prompt : chargedPrompt(reported) + reported.cached;
    if (prompt > 0) learn(call.model, countedPrompt as PromptCount, prompt, this.#factors);
  }

  /** Loads what most models need, in slices; the first request then need not wait for it. */
  warm(): void {
    if (this.#isWarm) return;
    this.#isWarm = true;
    void ready("o200k_base").catch(() => {});
  }
}
