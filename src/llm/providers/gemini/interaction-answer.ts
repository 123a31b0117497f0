/**
 * What Gemini's Interactions API answers: an `interaction`, or the events of a stream, which say their name under
 * `event_type`. Its first revision called steps `outputs` and their events `content.…`: both are read.
 *
 * Source: Google, "Gemini API: Interactions API reference", "Streaming interactions".
 */
import type { JsonObject } from "../../../base/json-object.ts";
import type { FoundAnswer } from "../../dialect.ts";
import { wrote } from "../../answer.ts";
import { jsonOf, objectOf, objectsOf, stringOf } from "../../json-values.ts";
import { type Usage, tokensOf } from "../../usage.ts";

export function isInteraction(value: JsonObject): boolean {
  if (value["object"] === "interaction" || typeof value["event_type"] === "string") return true;
  // SDKs leave the first out of what they write down.
  return typeof value["status"] === "string" && Array.isArray(value["steps"] ?? value["outputs"]);
}

/** `requires_action` is an end, too: the caller is to run its tools. */
const GOES_ON = new Set(["in_progress", "queued"]);

export class InteractionReader {
  readonly #found: FoundAnswer;

  constructor(found: FoundAnswer) {
    this.#found = found;
  }

  /** @param value of which `isInteraction` is true */
  take(value: JsonObject): void {
    const type = stringOf(value["event_type"]);
    if (type === null) {
      this.#interaction(value);
      this.#found.goesOn = !this.#found.complete;
      return;
    }
    const error = objectOf(value["error"]);
    if (error !== null) this.#failure(error);
    const index = tokensOf(value["index"]);
    const delta = objectOf(value["delta"]);
    if (delta !== null) this.#delta(index, delta);
    // Metadata beside a delta says what was used so far.
    this.#usage(objectOf(objectOf(value["metadata"])?.["total_usage"]));
    const interaction = objectOf(value["interaction"]);
    if (interaction !== null) this.#interaction(interaction);
  }

  #interaction(interaction: JsonObject): void {
    const found = this.#found;
    found.id = stringOf(interaction["id"]) ?? found.id;
    found.model = stringOf(interaction["model"]) ?? stringOf(interaction["agent"]) ?? found.model;
    this.#usage(objectOf(interaction["usage"]));
    const error = objectOf(interaction["error"]);
    if (error !== null) this.#failure(error);
    const status = stringOf(interaction["status"]);
    if (status === null || GOES_ON.has(status)) return;
    // Text that came in deltas is not counted twice.
    if (found.textLength === 0) this.#steps(objectsOf(interaction["steps"] ?? interaction["outputs"]));
    found.finishReason = status;
    found.complete = true;
    found.responses = 1;
  }

  #steps(steps: readonly JsonObject[]): void {
    for (const [index, step] of steps.entries()) {
      // What the caller said may be repeated.
      if (step["type"] === "user_input") continue;
      for (const part of [...objectsOf(step["content"]), ...objectsOf(step["summary"]), step]) {
        wrote(this.#found, index, part["text"]);
      }
      this.#call(index, step);
    }
  }

  #delta(index: number, delta: JsonObject): void {
    wrote(this.#found, index, delta["text"]);
    wrote(this.#found, index, objectOf(delta["content"])?.["text"]);
    if (delta["type"] === "arguments_delta") wrote(this.#found, index, delta["arguments"]);
    else this.#call(index, delta);
  }

  /** What Google's own tools are asked is told as little as by `generateContent`: code is, what is searched for is not. */
  #call(index: number, { type, arguments: given }: JsonObject): void {
    if (type === "code_execution_call") wrote(this.#found, index, objectOf(given)?.["code"]);
    else if ((type === "function_call" || type === "mcp_server_tool_call") && given !== undefined)
      wrote(this.#found, index, typeof given === "string" ? given : jsonOf(given));
  }

  #usage(reported: JsonObject | null): void {
    if (reported !== null) this.#found.usage = interactionUsage(reported) ?? this.#found.usage;
  }

  #failure(error: JsonObject): void {
    const { code, status } = error;
    this.#found.error =
      stringOf(status) ?? stringOf(code) ?? (typeof code === "number" ? String(code) : "error");
  }
}

/** As elsewhere at Gemini, what tools gave back is input beside the prompt, and thoughts are output beside the text. */
function interactionUsage(reported: JsonObject): Usage | null {
  const { total_input_tokens: input, total_output_tokens: output, total_tokens: total } = reported;
  if (typeof input !== "number" && typeof output !== "number" && typeof total !== "number") return null;
  const prompt = tokensOf(input) + tokensOf(reported["total_tool_use_tokens"]);
  const reasoning = tokensOf(reported["total_thought_tokens"]);
  const completion = tokensOf(output) + reasoning;
  return {
    prompt,
    completion,
    total: tokensOf(total) || prompt + completion,
    cached: tokensOf(reported["total_cached_tokens"]),
    cacheWrites: 0,
    reasoning,
    promptAudio: audioIn(reported["input_tokens_by_modality"]),
    completionAudio: audioIn(reported["output_tokens_by_modality"]),
    cachedInside: true,
  };
}

function audioIn(counts: unknown): number {
  let tokens = 0;
  for (const count of objectsOf(counts))
    if (count["modality"] === "audio") tokens += tokensOf(count["tokens"]);
  return tokens;
}
