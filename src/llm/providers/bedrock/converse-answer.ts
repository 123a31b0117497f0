/**
 * What an answer in the format of Converse says: a document, or events named by the event stream. Nova's InvokeModel puts
 * the same events into its chunks, each under its name as the one key.
 */
import type { JsonObject } from "../../../base/json-object.ts";
import type { AnswerReader, FoundAnswer } from "../../dialect.ts";
import { newAnswer, wrote } from "../../answer.ts";
import { jsonOf, objectOf, objectsOf, stringOf } from "../../json-values.ts";
import { type Usage, NO_USAGE, tokensOf } from "../../usage.ts";

export class ConverseReader implements AnswerReader {
  readonly found: FoundAnswer;

  /** @param found where a reader of more than this format collects */
  constructor(found: FoundAnswer) {
    this.found = found;
  }

  take(event: string | null, value: unknown): void {
    const object = objectOf(value);
    if (event !== null) {
      if (object !== null && this.#event(event, object)) return;
      this.#failure(event, object);
    } else if (object !== null && !this.#wrapped(object)) this.#document(object);
  }

  /** @returns whether the event is one of Converse's */
  #event(event: string, value: JsonObject): boolean {
    switch (event) {
      case "contentBlockDelta":
        this.#delta(objectOf(value["delta"]));
        return true;
      case "contentBlockStart":
      case "contentBlockStop":
      case "messageStart":
        return true;
      case "messageStop":
        this.found.finishReason = stringOf(value["stopReason"]) ?? this.found.finishReason;
        this.#complete();
        return true;
      case "metadata":
        this.#metadata(value);
        return true;
      default:
        return false;
    }
  }

  /** An exception has a name that ends so; an event nobody knows has no `message`. */
  #failure(event: string, value: JsonObject | null): void {
    if (/(?:exception|error|failure|fault)$/i.test(event) || typeof value?.["message"] === "string") {
      this.found.error = event;
    }
  }

  #wrapped(object: JsonObject): boolean {
    let known = false;
    for (const [event, value] of Object.entries(object)) {
      const inner = objectOf(value);
      if (inner === null) continue;
      if (this.#event(event, inner)) known = true;
      else if (event.endsWith("Exception")) {
        this.found.error = event;
        known = true;
      }
    }
    return known;
  }

  #document(document: JsonObject): void {
    const message = objectOf(objectOf(document["output"])?.["message"]);
    const reason = stringOf(document["stopReason"]);
    this.#metadata(document);
    if (message === null && reason === null) {
      const type = stringOf(document["__type"]);
      if (type !== null) this.found.error = type.slice(type.indexOf("#") + 1);
      return;
    }
    for (const block of objectsOf(message?.["content"])) this.#block(block);
    this.found.finishReason = reason ?? this.found.finishReason;
    this.#complete();
  }

  #block(block: JsonObject): void {
    wrote(this.found, 0, block["text"]);
    const tool = objectOf(block["toolUse"]);
    if (tool?.["input"] !== undefined) wrote(this.found, 0, jsonOf(tool["input"]));
    wrote(this.found, 0, objectOf(objectOf(block["reasoningContent"])?.["reasoningText"])?.["text"]);
    const cited = objectOf(block["citationsContent"]);
    for (const piece of objectsOf(cited?.["content"])) wrote(this.found, 0, piece["text"]);
  }

  #delta(delta: JsonObject | null): void {
    if (delta === null) return;
    wrote(this.found, 0, delta["text"]);
    wrote(this.found, 0, objectOf(delta["toolUse"])?.["input"]);
    wrote(this.found, 0, objectOf(delta["reasoningContent"])?.["text"]);
  }

  /** A prompt router says which model it chose. */
  #metadata(value: JsonObject): void {
    const usage = objectOf(value["usage"]);
    if (usage !== null) this.found.usage = converseUsage(usage) ?? this.found.usage;
    const router = objectOf(objectOf(value["trace"])?.["promptRouter"]);
    this.found.model = stringOf(router?.["invokedModelId"]) ?? this.found.model;
  }

  #complete(): void {
    this.found.complete = true;
    this.found.responses = 1;
  }
}

/** Nova's InvokeModel says `cacheReadInputTokenCount` where Converse says `cacheReadInputTokens`. */
function converseUsage(reported: JsonObject): Usage | null {
  if (typeof reported["inputTokens"] !== "number" && typeof reported["outputTokens"] !== "number")
    return null;
  const prompt = tokensOf(reported["inputTokens"]);
  const completion = tokensOf(reported["outputTokens"]);
  return {
    ...NO_USAGE,
    prompt,
    completion,
    total: tokensOf(reported["totalTokens"]) || prompt + completion,
    cached: tokensOf(reported["cacheReadInputTokens"] ?? reported["cacheReadInputTokenCount"]),
    cacheWrites: tokensOf(reported["cacheWriteInputTokens"] ?? reported["cacheWriteInputTokenCount"]),
    cachedInside: false,
  };
}

export function readConverseAnswer(keepText: number): AnswerReader {
  return new ConverseReader(newAnswer(keepText));
}
