/**
 * Gemini's Interactions API: what is asked under `input` is text, parts of a message, or the steps of a conversation.
 *
 * Source: Google, "Gemini API: Interactions API reference".
 */
import type { JsonObject } from "../../../base/json-object.ts";
import type { Dialect, ModelRequest, RequestLine } from "../../dialect.ts";
import type { Prompt, PromptMessage, PromptPart } from "../../prompt.ts";
import { NO_PROMPT } from "../../prompt.ts";
import { countOf, listOf, objectOf, objectsOf, parametersOf, stringOf } from "../../json-values.ts";
import { readGeminiAnswer } from "./answer.ts";
import { isVertex } from "./path.ts";
import { mediaPart, textPart } from "./request.ts";

const PATH = /\/v\d\w*\/(?:projects\/[^/]+\/locations\/[^/]+\/)?interactions\/?$/i;

/** A dialect of the same name as `generateContent`'s: one reader knows the answers of both. */
export const geminiInteractions: Dialect = {
  name: "gemini",
  provider: "gcp.gemini",
  operation: "generate_content",
  reportsEarly: true,
  matchesLine: (line) => line.method === "POST" && PATH.test(line.path),
  readRequest: readInteraction,
  readAnswer: readGeminiAnswer,
};

function readInteraction(body: Readonly<JsonObject> | null, line: RequestLine): ModelRequest {
  const asked = body ?? {};
  const config = objectOf(asked["generation_config"]) ?? {};
  let prompt: Prompt | null = null;
  return {
    // Agents choose their models.
    model: stringOf(asked["model"])?.replace(/^models\//, "") ?? stringOf(asked["agent"]),
    provider: isVertex(line) ? "gcp.vertex_ai" : null,
    deployment: null,
    stream: asked["stream"] === true,
    outputBound: countOf(config["max_output_tokens"]),
    // It always comes.
    wantsUsage: true,
    parameters: parametersOf([
      ["max_tokens", config["max_output_tokens"]],
      ["temperature", config["temperature"]],
      ["top_p", config["top_p"]],
      ["seed", config["seed"]],
      ["stop_sequences", config["stop_sequences"]],
    ]),
    prompt: () => (prompt ??= body === null ? NO_PROMPT : promptOf(body)),
    messages: () => messagesOf(asked),
  };
}

function promptOf(body: Readonly<JsonObject>): Prompt {
  const messages: PromptMessage[] = [];
  const system = textPart(body["system_instruction"]);
  if (system.length > 0) messages.push({ role: "system", name: null, parts: system });
  for (const { role, content } of turnsOf(body["input"])) {
    messages.push({ role, name: null, parts: partsOf(content) });
  }
  const format = body["response_format"];
  return {
    messages,
    tools: listOf(body["tools"]),
    schema: (objectOf(format) ?? objectsOf(format)[0])?.["schema"] ?? null,
    kind: "chat",
  };
}

interface Turn {
  readonly role: string;
  readonly content: unknown;
}

/** Parts of one message have no content of their own; steps and turns do, or are calls and results. */
function turnsOf(input: unknown): readonly Turn[] {
  const items = objectsOf(input);
  if (!items.some(isTurn))
    return input === undefined || input === null ? [] : [{ role: "user", content: input }];
  return items.map((item) => ({
    role: roleOf(item),
    content: isTurn(item) ? (item["content"] ?? item) : [item],
  }));
}

const STEP = /_(?:input|output|call|result)$|^thought$/;

function isTurn(item: JsonObject): boolean {
  return "role" in item || "content" in item || STEP.test(stringOf(item["type"]) ?? "");
}

function roleOf(item: JsonObject): string {
  const type = stringOf(item["type"]) ?? "user_input";
  if (typeof item["role"] === "string") return item["role"];
  if (type.endsWith("_result")) return "tool";
  return type.endsWith("_input") || !STEP.test(type) ? "user" : "model";
}

function partsOf(content: unknown): PromptPart[] {
  if (typeof content === "string") return textPart(content);
  const alone = objectOf(content);
  return (alone === null ? objectsOf(content) : [alone]).flatMap(partOf);
}

function partOf(part: JsonObject): PromptPart[] {
  const type = stringOf(part["type"]);
  if (typeof part["text"] === "string") return textPart(part["text"]);
  if (type === "thought") return partsOf(part["summary"]);
  if (type === "image" || type === "audio" || type === "video" || type === "document") {
    return [mediaPart(stringOf(part["mime_type"]) ?? `${type}/`, stringOf(part["data"]))];
  }
  const { type: _, id: __, call_id: ___, signature: ____, ...value } = part;
  return Object.keys(value).length === 0 ? [] : [{ kind: "json", value }];
}

function messagesOf(body: Readonly<JsonObject>): unknown[] {
  const system = body["system_instruction"];
  const messages: unknown[] = [...turnsOf(body["input"])];
  if (system !== undefined && system !== null) messages.unshift({ role: "system", content: system });
  return messages;
}
