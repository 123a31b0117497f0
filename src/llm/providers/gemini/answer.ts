/**
 * What Gemini answers: one `GenerateContentResponse`, a stream of them (SSE, or a JSON array that comes in pieces), what
 * `:embedContent`, `:batchEmbedContents` and `:predict` say, or an interaction.
 */
import type { JsonObject } from "../../../base/json-object.ts";
import type { AnswerReader, FoundAnswer } from "../../dialect.ts";
import { newAnswer, wrote } from "../../answer.ts";
import { jsonOf, objectOf, objectsOf, stringOf } from "../../json-values.ts";
import { tokensOf } from "../../usage.ts";
import { InteractionReader, isInteraction } from "./interaction-answer.ts";
import { type GeminiCounts, embeddingUsage, geminiUsage } from "./usage.ts";

/** More than any model gives. */
const MOST_CANDIDATES = 64;

export class GeminiReader implements AnswerReader {
  readonly found: FoundAnswer;
  #counts: GeminiCounts | null = null;
  /** Candidates that have begun, and whether they are finished. */
  readonly #candidates = new Map<number, boolean>();
  readonly #interactions: InteractionReader;

  constructor(found: FoundAnswer) {
    this.found = found;
    this.#interactions = new InteractionReader(found);
  }

  take(_event: string | null, value: unknown): void {
    if (Array.isArray(value)) for (const element of value) this.#response(objectOf(element));
    else this.#response(objectOf(value));
  }

  #response(response: JsonObject | null): void {
    if (response === null) return;
    if (isInteraction(response)) return this.#interactions.take(response);
    const error = objectOf(response["error"]);
    if (error !== null) {
      this.found.error = stringOf(error["status"]) ?? String(error["code"] ?? "error");
    }
    this.found.id = stringOf(response["responseId"]) ?? this.found.id;
    this.found.model = stringOf(response["modelVersion"]) ?? this.found.model;
    for (const candidate of objectsOf(response["candidates"])) this.#candidate(candidate);
    for (const prediction of objectsOf(response["predictions"])) wrote(this.found, 0, prediction["content"]);
    this.#blocked(objectOf(response["promptFeedback"]));
    this.#usage(response);
    this.#markComplete(response);
  }

  #candidate(candidate: JsonObject): void {
    const index = tokensOf(candidate["index"]);
    for (const part of objectsOf(objectOf(candidate["content"])?.["parts"])) this.#part(index, part);
    const reason = reasonOf(candidate["finishReason"], FINISH_REASONS);
    const finished = reason !== null && reason !== "FINISH_REASON_UNSPECIFIED";
    if (finished && (index === 0 || this.found.finishReason === null)) this.found.finishReason = reason;
    if (!this.#candidates.has(index) && this.#candidates.size >= MOST_CANDIDATES) return;
    this.#candidates.set(index, finished || this.#candidates.get(index) === true);
  }

  #part(index: number, part: JsonObject): void {
    wrote(this.found, index, part["text"]);
    wrote(this.found, index, objectOf(part["executableCode"])?.["code"]);
    const call = objectOf(part["functionCall"]);
    if (call?.["args"] !== undefined) wrote(this.found, index, jsonOf(call["args"]));
    for (const piece of objectsOf(call?.["partialArgs"])) wrote(this.found, index, partialArgument(piece));
  }

  /** The prompt was refused: there are no candidates, and this is the end. */
  #blocked(feedback: JsonObject | null): void {
    const reason = reasonOf(feedback?.["blockReason"], BLOCK_REASONS);
    if (reason === null || this.#candidates.size > 0) return;
    this.found.finishReason = reason;
    this.#complete();
  }

  #usage(response: JsonObject): void {
    const reported = objectOf(response["usageMetadata"]);
    if (reported !== null) {
      const counts = geminiUsage(reported, this.#counts);
      if (counts === null) return;
      this.#counts = counts;
      this.found.usage = counts.usage;
    } else if (this.#counts === null) {
      this.found.usage = embeddingUsage(response) ?? this.found.usage;
    }
  }

  /** The format has no mark of its end but that every candidate has a reason to stop. */
  #markComplete(response: JsonObject): void {
    if (this.#candidates.size > 0) {
      for (const finished of this.#candidates.values()) if (!finished) return;
      this.#complete();
    } else if (
      response["embedding"] !== undefined ||
      response["embeddings"] !== undefined ||
      response["predictions"] !== undefined
    ) {
      this.#complete();
    }
  }

  #complete(): void {
    this.found.complete = true;
    this.found.responses = 1;
  }
}

const FINISH_REASONS = ["FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"];
const BLOCK_REASONS = ["BLOCK_REASON_UNSPECIFIED", "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT"];

/**
 * A value of an enumeration, which is a number where the client asked for `enum-encoding=int`.
 *
 * @param names of the numbers that mean the same at the Gemini API and at Vertex AI; others are told as they are
 */
function reasonOf(value: unknown, names: readonly string[]): string | null {
  if (typeof value !== "number") return stringOf(value);
  return names[value] ?? String(value);
}

/** `stringValue`, `numberValue` or `boolValue` of an argument that comes in pieces. */
function partialArgument(piece: JsonObject): string {
  const value = piece["stringValue"] ?? piece["numberValue"] ?? piece["boolValue"];
  return typeof value === "string" ? value : jsonOf(value);
}

export function readGeminiAnswer(keepText: number): AnswerReader {
  return new GeminiReader(newAnswer(keepText));
}
