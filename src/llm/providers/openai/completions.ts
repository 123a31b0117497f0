/** Legacy Completions: prompts of text or token ids, answers with `choices[].text`. */
import { isJsonObject, type JsonObject } from "../../../base/json-object.ts";
import { STREAM_DONE, newAnswer, wrote } from "../../answer.ts";
import type { AnswerReader, Dialect, FoundAnswer, ModelRequest, RequestLine } from "../../dialect.ts";
import { stringOf } from "../../json-values.ts";
import type { Prompt, PromptPart } from "../../prompt.ts";
import {
  type Parameters,
  boundOf,
  countOf,
  errorIn,
  nameOf,
  noteEnd,
  noteServed,
  readParameters,
} from "./fields.ts";
import { deploymentOf, endsWith, postsTo } from "./paths.ts";
import { wroteMessage } from "./message.ts";
import { providerOf } from "./provider.ts";
import { laterUsage } from "./usage.ts";

export const openaiCompletions: Dialect = {
  name: "openai-completions",
  provider: "openai",
  operation: "text_completion",
  matchesLine: (line) => postsTo(line, "/completions") && !endsWith(line.path, "/chat/completions"),
  matchesBody: (body) =>
    "prompt" in body && typeof body["model"] === "string" && !IMAGE_MODEL.test(body["model"]),
  readRequest: (body, line) => new CompletionRequest(body ?? {}, line),
  readAnswer: (keepText) => new CompletionReader(keepText),
};

/** Models that also take a `prompt`, and answer with pictures or sounds. */
export const IMAGE_MODEL = /image|dall-e|flux|diffusion|sora|video|imagen/i;

const PARAMETERS = [
  ["temperature", "temperature"],
  ["top_p", "top_p"],
  ["max_tokens", "max_tokens"],
  ["seed", "seed"],
  ["frequency_penalty", "frequency_penalty"],
  ["presence_penalty", "presence_penalty"],
  ["stop", "stop_sequences"],
  ["n", "choice.count"],
] as const;

class CompletionRequest implements ModelRequest {
  readonly #body: JsonObject;
  #prompt: Prompt | null = null;
  readonly model: string | null;
  readonly deployment: string | null;
  readonly provider: string | null;
  readonly stream: boolean;
  readonly outputBound: number | null;
  readonly wantsUsage: boolean;

  constructor(body: JsonObject, line: RequestLine) {
    this.#body = body;
    this.deployment = deploymentOf(line);
    this.provider = providerOf(line);
    this.model = this.deployment ?? stringOf(body["model"]);
    this.stream = body["stream"] === true;
    const options = body["stream_options"];
    this.wantsUsage = this.stream && isJsonObject(options) && options["include_usage"] === true;
    // All candidates of `best_of` are made and billed, for each prompt of the list.
    const choices = Math.max(countOf(body["n"]) ?? 1, countOf(body["best_of"]) ?? 1);
    this.outputBound = boundOf(countOf(body["max_tokens"]), choices * promptCount(body["prompt"]));
  }

  get parameters(): Parameters {
    return readParameters(this.#body, PARAMETERS);
  }

  prompt(): Prompt {
    this.#prompt ??= {
      messages: [{ role: "", name: null, parts: inputParts(this.#body["prompt"]) }],
      tools: [],
      schema: null,
      kind: "text",
    };
    return this.#prompt;
  }

  messages(): readonly unknown[] {
    const prompt = this.#body["prompt"];
    return prompt === undefined || prompt === null ? [] : [{ role: "user", content: prompt }];
  }
}

function promptCount(prompt: unknown): number {
  return Array.isArray(prompt) && typeof prompt[0] !== "number" ? Math.max(1, prompt.length) : 1;
}

/** Text, a list of texts, a list of token ids, or a list of such lists. */
export function inputParts(input: unknown): PromptPart[] {
  if (!Array.isArray(input) || typeof input[0] === "number") return oneInput(input);
  return input.flatMap(oneInput);
}

function oneInput(input: unknown): PromptPart[] {
  if (typeof input === "string") return input === "" ? [] : [{ kind: "text", text: input }];
  if (Array.isArray(input)) return [{ kind: "tokens", tokens: input.length }];
  if (!isJsonObject(input)) return [];
  // Image embeddings of Azure AI Inference: `{"image": "data:…", "text": "…"}`.
  const parts: PromptPart[] = typeof input["text"] === "string" ? oneInput(input["text"]) : [];
  if (typeof input["image"] === "string") {
    parts.push({ kind: "image", detail: "auto", width: null, height: null });
  }
  return parts;
}

class CompletionReader implements AnswerReader {
  readonly found: FoundAnswer;

  constructor(keepText: number) {
    this.found = newAnswer(keepText);
  }

  take(event: string | null, value: unknown): void {
    const found = this.found;
    if (value === STREAM_DONE) return noteEnd(found);
    if (!isJsonObject(value)) return;
    noteServed(found, value);
    found.error = errorIn(value, event) ?? found.error;
    const choices = value["choices"];
    if (Array.isArray(choices)) {
      for (let i = 0; i < choices.length; i++) {
        const choice: unknown = choices[i];
        if (!isJsonObject(choice)) continue;
        const index = typeof choice["index"] === "number" ? choice["index"] : i;
        wrote(found, index, choice["text"]);
        // Gateways that fill in stored prompts answer on paths that end so, too, and as if they had been asked to chat.
        if (isJsonObject(choice["message"])) wroteMessage(found, index, choice["message"]);
        else if (isJsonObject(choice["delta"]) && typeof choice["text"] !== "string")
          wroteMessage(found, index, choice["delta"]);
        if (index === 0) found.finishReason = nameOf(choice["finish_reason"]) ?? found.finishReason;
      }
    }
    found.usage = laterUsage(value["usage"], found.usage);
  }
}
