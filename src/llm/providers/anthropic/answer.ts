/** What an answer in the format of Anthropic Messages says: a `message` document, or the events of a stream. */
import type { JsonObject } from "../../../base/json-object.ts";
import type { AnswerReader, FoundAnswer } from "../../dialect.ts";
import { newAnswer, wrote } from "../../answer.ts";
import { jsonOf, objectOf, objectsOf, stringOf } from "../../json-values.ts";
import { type Usage, NO_USAGE, addUsage, tokensOf } from "../../usage.ts";

export class MessagesReader implements AnswerReader {
  readonly found: FoundAnswer;
  /** What the usage object itself counts. */
  #counted: Usage | null = null;
  /** What summaries of the conversation have cost beside it. */
  #compacted: Usage | null = null;

  /** @param found where a reader of more than this format collects */
  constructor(found: FoundAnswer) {
    this.found = found;
  }

  /** The event's name is left alone: every value says its `type` itself, also where events have no names. */
  take(_event: string | null, value: unknown): void {
    const object = objectOf(value);
    if (object === null) return;
    switch (object["type"]) {
      case "message_start":
        this.#begin(objectOf(object["message"]));
        break;
      case "content_block_start":
        this.#block(objectOf(object["content_block"]), false);
        break;
      case "content_block_delta":
        this.#delta(objectOf(object["delta"]));
        break;
      case "message_delta":
        this.#stop(objectOf(object["delta"]));
        this.#usage(objectOf(object["usage"]));
        break;
      case "message_stop":
        this.#complete();
        break;
      case "message":
        this.#message(object);
        break;
      default:
        // `ping`, `content_block_stop` and what may come one day say nothing of interest.
        this.#failure(objectOf(object["error"]));
    }
  }

  #begin(message: JsonObject | null): void {
    if (message === null) return;
    this.found.id = stringOf(message["id"]) ?? this.found.id;
    this.found.model = stringOf(message["model"]) ?? this.found.model;
    this.#usage(objectOf(message["usage"]));
  }

  #message(message: JsonObject): void {
    this.#begin(message);
    this.#stop(message);
    for (const block of objectsOf(message["content"])) this.#block(block, true);
    this.#complete();
  }

  #complete(): void {
    this.found.complete = true;
    this.found.responses = 1;
  }

  #stop(said: JsonObject | null): void {
    this.found.finishReason = stringOf(said?.["stop_reason"]) ?? this.found.finishReason;
  }

  /** @param whole of a document; a stream's blocks begin empty, and their input with `{}` */
  #block(block: JsonObject | null, whole: boolean): void {
    switch (block?.["type"]) {
      case "text":
        return wrote(this.found, 0, block["text"]);
      case "thinking":
        return wrote(this.found, 0, block["thinking"]);
      case "compaction":
        return wrote(this.found, 0, block["content"]);
      case "tool_use":
      case "server_tool_use":
      case "mcp_tool_use": {
        const input = jsonOf(block["input"]);
        if (whole || input !== "{}") wrote(this.found, 0, input);
      }
    }
  }

  #delta(delta: JsonObject | null): void {
    if (delta === null) return;
    switch (delta["type"]) {
      case undefined: // Some relays leave it out.
      case "text_delta":
        return wrote(this.found, 0, delta["text"]);
      case "input_json_delta":
        return wrote(this.found, 0, delta["partial_json"]);
      case "thinking_delta":
        return wrote(this.found, 0, delta["thinking"]);
      case "compaction_delta":
        return wrote(this.found, 0, delta["content"]);
    }
  }

  /** Anthropic says a `type`; Vertex AI a `status`, Azure a `code`, when they fail before asking the model. */
  #failure(error: JsonObject | null): void {
    if (error === null) return;
    const { type, status, code } = error;
    this.found.error =
      stringOf(type) ??
      stringOf(status) ??
      (typeof code === "number" ? String(code) : stringOf(code)) ??
      "error";
  }

  #usage(reported: JsonObject | null): void {
    if (reported === null) return;
    this.#counted = messagesUsage(reported, this.#counted);
    this.#compacted = compactions(reported["iterations"]) ?? this.#compacted;
    if (this.#counted === null) return;
    this.found.usage = this.#compacted === null ? this.#counted : addUsage(this.#counted, this.#compacted);
  }
}

/**
 * Anthropic's usage object over an earlier one: counts are cumulative, those that are missing or null stay. A report that
 * says of the input nothing but zeros is what some relays restate at the end, and takes nothing back; one that counts any
 * of it is believed in its zeros, too: behind a compaction, what is read from the cache may be less than at the start.
 * Output may come back as 0, when nothing was kept of it.
 */
function messagesUsage(reported: JsonObject, before: Usage | null): Usage | null {
  if (typeof reported["input_tokens"] !== "number" && typeof reported["output_tokens"] !== "number")
    return before;
  const earlier = before ?? NO_USAGE;
  const { input_tokens: input, cache_read_input_tokens: read } = reported;
  const writes = cacheWrites(reported);
  const counts = tokensOf(input) + tokensOf(read) + (writes ?? 0) > 0;
  const prompt = counts && typeof input === "number" ? tokensOf(input) : earlier.prompt;
  const completion =
    typeof reported["output_tokens"] === "number" ? tokensOf(reported["output_tokens"]) : earlier.completion;
  const thinking = objectOf(reported["output_tokens_details"])?.["thinking_tokens"];
  return {
    prompt,
    completion,
    total: prompt + completion,
    cached: counts && typeof read === "number" ? tokensOf(read) : earlier.cached,
    cacheWrites: counts && writes !== null ? writes : earlier.cacheWrites,
    reasoning: tokensOf(thinking) || earlier.reasoning,
    promptAudio: 0,
    completionAudio: 0,
    cachedInside: false,
  };
}

/**
 * Summaries that the provider makes of a conversation that has grown too long are billed like any other call, but only
 * `iterations` counts them. What an adviser wrote is there, too, and left out: it is another model with another price.
 *
 * @returns null when nothing is said of them
 */
function compactions(iterations: unknown): Usage | null {
  let usage: Usage | null = null;
  for (const iteration of objectsOf(iterations)) {
    if (iteration["type"] !== "compaction") continue;
    const cost = messagesUsage(iteration, null);
    if (cost !== null) usage = usage === null ? cost : addUsage(usage, cost);
  }
  return usage;
}

/** The sum, else its parts by how long they live; null when neither is said. */
function cacheWrites(reported: JsonObject): number | null {
  const sum = reported["cache_creation_input_tokens"];
  const parts = objectOf(reported["cache_creation"]);
  if (typeof sum !== "number" && parts === null) return null;
  return (
    tokensOf(sum) ||
    tokensOf(parts?.["ephemeral_5m_input_tokens"]) + tokensOf(parts?.["ephemeral_1h_input_tokens"])
  );
}

export function readMessagesAnswer(keepText: number): AnswerReader {
  return new MessagesReader(newAnswer(keepText));
}
