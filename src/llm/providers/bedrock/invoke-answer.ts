/**
 * What InvokeModel answers: whatever the model's maker has chosen. Which maker it is, an inference profile's name does not
 * tell, so every value is read by its shape. In a stream each comes as `{"bytes": base64}`; the last one carries Bedrock's
 * own count of tokens, whoever made the model. An answer that is no stream has that count in its headers: it is used where the
 * model says nothing of tokens in its body (Mistral's text, Cohere's vectors, images).
 *
 * Source: "Amazon Bedrock User Guide", "Inference request parameters and response fields for foundation models".
 */
import type { JsonObject } from "../../../base/json-object.ts";
import type { AnswerHeaders, AnswerReader, FoundAnswer } from "../../dialect.ts";
import { newAnswer } from "../../answer.ts";
import { objectOf, stringOf } from "../../json-values.ts";
import { NO_USAGE, tokensOf } from "../../usage.ts";
import { MessagesReader } from "../anthropic/answer.ts";
import { ConverseReader } from "./converse-answer.ts";
import { NativeReader } from "./native-answer.ts";

const METRICS = "amazon-bedrock-invocationMetrics";
/** What the headers of an answer call the same counts. */
const HEADERS = {
  inputTokenCount: "x-amzn-bedrock-input-token-count",
  outputTokenCount: "x-amzn-bedrock-output-token-count",
  cacheReadInputTokenCount: "x-amzn-bedrock-cache-read-input-token-count",
  cacheWriteInputTokenCount: "x-amzn-bedrock-cache-write-input-token-count",
};
const ANTHROPIC = /^(?:message|content_block|ping$|error$)/;
const CONVERSE = [
  "output",
  "messageStart",
  "contentBlockStart",
  "contentBlockDelta",
  "contentBlockStop",
  "messageStop",
  "metadata",
];

export class InvokeReader implements AnswerReader {
  readonly found: FoundAnswer;
  readonly #messages: MessagesReader;
  readonly #converse: ConverseReader;
  readonly #native: NativeReader;

  constructor(found: FoundAnswer) {
    this.found = found;
    this.#messages = new MessagesReader(found);
    this.#converse = new ConverseReader(found);
    this.#native = new NativeReader(found);
  }

  take(event: string | null, value: unknown): void {
    const object = objectOf(value);
    if (event !== null && event !== "chunk") return this.#converse.take(event, object);
    if (object === null) return;
    // In recordings of clients each chunk is under its name.
    const bytes = (objectOf(object["chunk"]) ?? object)["bytes"];
    if (typeof bytes === "string") this.#value(decoded(bytes));
    else this.#value(object);
  }

  #value(value: JsonObject | null): void {
    if (value === null) return;
    if (ANTHROPIC.test(stringOf(value["type"]) ?? "")) this.#messages.take(null, value);
    else if (CONVERSE.some((key) => objectOf(value[key]) !== null)) this.#converse.take(null, value);
    else this.#native.take(value);
    const action = value["amazon-bedrock-guardrailAction"];
    if (action === "INTERVENED") this.found.finishReason ??= "guardrail_intervened";
    this.#metrics(objectOf(value[METRICS]));
  }

  /** Nothing comes after them. */
  #metrics(metrics: JsonObject | null): void {
    if (metrics === null) return;
    this.#count(metrics);
    this.found.complete = true;
    this.found.responses = 1;
  }

  takeHeaders(headers: AnswerHeaders): void {
    if (this.found.usage !== null) return;
    const metrics: Record<string, unknown> = {};
    for (const [metric, header] of Object.entries(HEADERS)) {
      const text = headers.get(header)?.trim() ?? "";
      if (/^\d{1,15}$/.test(text)) metrics[metric] = Number(text);
    }
    this.#count(metrics);
  }

  /** Bedrock's count stands in for what the model's own usage has not said. */
  #count(metrics: JsonObject): void {
    if (typeof metrics["inputTokenCount"] !== "number" && typeof metrics["outputTokenCount"] !== "number")
      return;
    const said = this.found.usage ?? { ...NO_USAGE, cachedInside: false };
    const prompt = said.prompt || tokensOf(metrics["inputTokenCount"]);
    const completion = Math.max(said.completion, tokensOf(metrics["outputTokenCount"]));
    const same = prompt === said.prompt && completion === said.completion;
    this.found.usage = { ...said, prompt, completion, total: same ? said.total : prompt + completion };
    if (said.cachedInside) return;
    const { cached, cacheWrites } = said;
    this.found.usage = {
      ...this.found.usage,
      cached: cached || tokensOf(metrics["cacheReadInputTokenCount"]),
      cacheWrites: cacheWrites || tokensOf(metrics["cacheWriteInputTokenCount"]),
    };
  }
}

function decoded(base64: string): JsonObject | null {
  try {
    return objectOf(JSON.parse(Buffer.from(base64, "base64").toString("utf8")));
  } catch {
    return null;
  }
}

export function readInvokeAnswer(keepText: number): AnswerReader {
  return new InvokeReader(newAnswer(keepText));
}
