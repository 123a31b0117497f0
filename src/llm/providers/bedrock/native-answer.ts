/**
 * The makers' own formats behind InvokeModel, besides Anthropic's and Nova's:
 *
 * | maker | text | reason | tokens |
 * |---|---|---|---|
 * | Amazon Titan | `results[].outputText`, `outputText` | `completionReason` | `inputTextTokenCount`, `results[].tokenCount`, `totalOutputTextTokenCount` |
 * | Meta Llama | `generation` | `stop_reason` | `prompt_token_count`, `generation_token_count` (cumulative) |
 * | Mistral | `outputs[].text` | `outputs[].stop_reason` | — |
 * | chat of Mistral, AI21 Jamba, DeepSeek, Qwen, OpenAI | `choices[].message`, `.delta`, `.text` | `finish_reason`, `stop_reason` | `usage` |
 * | Cohere Command | `generations[].text`, `text` | `finish_reason` | `meta.billed_units` |
 * | AI21 Jurassic | `completions[].data.text` | `finishReason.reason` | lists of `tokens` |
 * | Anthropic Claude 2 | `completion` | `stop_reason` | — |
 * | embeddings | | | `inputTextTokenCount` (Titan) |
 */
import type { JsonObject } from "../../../base/json-object.ts";
import type { FoundAnswer } from "../../dialect.ts";
import { wrote } from "../../answer.ts";
import { jsonOf, listOf, objectOf, objectsOf, stringOf } from "../../json-values.ts";
import { NO_USAGE, tokensOf } from "../../usage.ts";

/** Lists in which makers put one item per choice. */
const CHOICES = ["results", "outputs", "choices", "generations", "completions"] as const;
const VECTORS = ["embedding", "embeddings", "embeddingsByType"] as const;

export class NativeReader {
  readonly #found: FoundAnswer;

  constructor(found: FoundAnswer) {
    this.#found = found;
  }

  take(value: JsonObject): void {
    const found = this.#found;
    const id = value["id"] ?? value["generation_id"];
    found.id ??= stringOf(id);
    found.model ??= stringOf(value["model"]);
    this.#failure(value);
    this.#item(value, tokensOf(value["index"]));
    for (const list of CHOICES) {
      objectsOf(value[list]).forEach((item, at) => {
        this.#item(item, typeof item["index"] === "number" ? tokensOf(item["index"]) : at);
      });
    }
    this.#usage(value);
    if (found.finishReason !== null || VECTORS.some((key) => value[key] !== undefined)) {
      found.complete = true;
      found.responses = 1;
    }
  }

  #failure(value: JsonObject): void {
    const type = stringOf(value["__type"]);
    if (type !== null) this.#found.error = type.slice(type.indexOf("#") + 1);
    else if (stringOf(value["error"]) !== null) this.#found.error = "error";
    else if (objectOf(value["error"]) !== null) {
      const { code, type: kind } = objectOf(value["error"])!;
      this.#found.error = stringOf(code) ?? stringOf(kind) ?? "error";
    }
  }

  /** A choice, or a whole answer that has but one. */
  #item(item: JsonObject, index: number): void {
    const found = this.#found;
    const message = objectOf(item["message"]) ?? objectOf(item["delta"]) ?? item;
    wrote(found, index, item["outputText"]);
    wrote(found, index, item["generation"]);
    wrote(found, index, item["completion"]);
    wrote(found, index, item["text"]);
    wrote(found, index, objectOf(item["data"])?.["text"]);
    wrote(found, index, message["content"]);
    wrote(found, index, message["reasoning_content"] ?? message["reasoning"]);
    for (const call of objectsOf(message["tool_calls"])) wrote(found, index, argumentsOf(call));
    const ended = objectOf(item["finishReason"])?.["reason"];
    const reason =
      item["finish_reason"] ??
      item["stop_reason"] ??
      item["completionReason"] ??
      ended ??
      item["finishReason"];
    if (index === 0 || found.finishReason === null)
      found.finishReason = stringOf(reason) ?? found.finishReason;
  }

  #usage(value: JsonObject): void {
    const usage = objectOf(value["usage"]);
    const meta = objectOf(value["meta"]);
    const billed = objectOf(meta?.["tokens"]) ?? objectOf(meta?.["billed_units"]);
    const prompt =
      value["inputTextTokenCount"] ??
      value["prompt_token_count"] ??
      usage?.["prompt_tokens"] ??
      billed?.["input_tokens"] ??
      lengthOf(objectOf(value["prompt"])?.["tokens"]);
    const completion =
      value["totalOutputTextTokenCount"] ??
      value["generation_token_count"] ??
      usage?.["completion_tokens"] ??
      billed?.["output_tokens"] ??
      countIn(value);
    if (typeof prompt !== "number" && typeof completion !== "number") return;
    const before = this.#found.usage ?? NO_USAGE;
    const inAll = typeof prompt === "number" ? tokensOf(prompt) : before.prompt;
    const outAll = typeof completion === "number" ? tokensOf(completion) : before.completion;
    const cached = objectOf(usage?.["prompt_tokens_details"])?.["cached_tokens"];
    const reasoning = objectOf(usage?.["completion_tokens_details"])?.["reasoning_tokens"];
    this.#found.usage = {
      ...before,
      prompt: inAll,
      completion: outAll,
      total: tokensOf(usage?.["total_tokens"]) || inAll + outAll,
      cached: tokensOf(cached) || before.cached,
      reasoning: tokensOf(reasoning) || before.reasoning,
    };
  }
}

/** Arguments come as JSON text, Cohere's `parameters` as a value. */
function argumentsOf(call: JsonObject): string {
  const given = objectOf(call["function"])?.["arguments"] ?? call["parameters"];
  return typeof given === "string" ? given : jsonOf(given);
}

/** Tokens that each result has its own count or list of; null when none has. */
function countIn(value: JsonObject): number | null {
  let tokens: number | null = null;
  for (const result of objectsOf(value["results"])) {
    if (typeof result["tokenCount"] === "number") tokens = (tokens ?? 0) + tokensOf(result["tokenCount"]);
  }
  for (const completion of objectsOf(value["completions"])) {
    const length = lengthOf(objectOf(completion["data"])?.["tokens"]);
    if (length !== null) tokens = (tokens ?? 0) + length;
  }
  return tokens;
}

function lengthOf(tokens: unknown): number | null {
  return Array.isArray(tokens) ? listOf(tokens).length : null;
}
