/** Tells from one value of an answer which dialect wrote it. For people with a recording; the gateway knows the request. */
import { isJsonObject } from "../src/base/json-object.ts";
import type { DialectName } from "../src/llm/dialect.ts";
import { isInteraction } from "../src/llm/providers/gemini/interaction-answer.ts";

/**
 * @param event name of the SSE event or event-stream message; null without one
 * @returns null when this value does not tell
 */
export function guessDialect(event: string | null, value: unknown): DialectName | null {
  if (!isJsonObject(value)) return null;
  const type = typeof value["type"] === "string" ? value["type"] : (event ?? "");
  for (const [pattern, name] of BY_TYPE) if (pattern.test(type)) return name;
  if (
    type.startsWith("response.") ||
    value["object"] === "response" ||
    value["object"] === "response.compaction"
  )
    return "openai-responses";
  if (Array.isArray(value["choices"])) {
    const first: unknown = value["choices"][0];
    // Together says both.
    return isJsonObject(first) && "text" in first && !("delta" in first)
      ? "openai-completions"
      : "openai-chat";
  }
  if (isInteraction(value)) return "gemini";
  for (const name of CONVERSED) if (isJsonObject(value[name])) return "bedrock-converse";
  if ("serverContent" in value || "setupComplete" in value || "toolCall" in value) return "gemini-live";
  if ("candidates" in value || "usageMetadata" in value || "predictions" in value) return "gemini";
  if ("bytes" in value || isJsonObject(value["chunk"]) || INVOKED.some((key) => key in value))
    return "bedrock-invoke";
  if (isGeminiEmbedding(value)) return "gemini";
  if (isJsonObject(value["output"]) && "message" in value["output"]) return "bedrock-converse";
  if (Array.isArray(value["data"])) {
    const first: unknown = value["data"][0];
    return isJsonObject(first) && ("b64_json" in first || "url" in first)
      ? "openai-images"
      : "openai-embeddings";
  }
  return typeof value["text"] === "string" ? "openai-audio" : null;
}

/** `{"embedding": {"values": …}}`, or a list of such under `embeddings`; long vectors are read as null. */
function isGeminiEmbedding(value: Readonly<Record<string, unknown>>): boolean {
  const { embedding, embeddings } = value;
  if (isJsonObject(embedding)) return "values" in embedding;
  return Array.isArray(embeddings) && isJsonObject(embeddings[0]) && "values" in embeddings[0];
}

/**
 * Tells from the error that a value reports who reports it. Weaker than the rest: many write errors as OpenAI does.
 *
 * @returns null when there is none
 */
export function guessFromError(value: unknown): DialectName | null {
  if (!isJsonObject(value)) return null;
  if (typeof value["__type"] === "string") return "bedrock-converse";
  const error = value["error"];
  if (!isJsonObject(error)) return null;
  if (value["type"] === "error") return "event_id" in value ? "openai-realtime" : "anthropic-messages";
  return typeof error["status"] === "string" ? "gemini" : "openai-chat";
}

/** Converse's events in recordings of clients, each under its name. */
const CONVERSED = [
  "messageStart",
  "contentBlockStart",
  "contentBlockDelta",
  "contentBlockStop",
  "messageStop",
];

/** What the makers of models write whose own formats are known from InvokeModel alone. */
const INVOKED = [
  "inputTextTokenCount",
  "generation",
  "prompt_token_count",
  "generations",
  "embeddingsByType",
  "response_type",
  "chat_history",
  "completion",
  "outputs",
  "amazon-bedrock-invocationMetrics",
];

const BY_TYPE: readonly (readonly [RegExp, DialectName])[] = [
  [/^(?:session|conversation|input_audio_buffer|rate_limits)\.|^response\.done$/, "openai-realtime"],
  [/^(?:message_start|message_delta|message_stop|content_block_\w+|message)$/, "anthropic-messages"],
  [/^(?:messageStart|contentBlock(?:Start|Delta|Stop)|messageStop|metadata)$/, "bedrock-converse"],
  [/^chunk$/, "bedrock-invoke"],
  [/^(?:transcript|speech)\./, "openai-audio"],
  [/^image_(?:generation|edit)\./, "openai-images"],
];
