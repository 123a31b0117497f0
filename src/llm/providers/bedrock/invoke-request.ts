/** What a request to InvokeModel asks, in the format of the model's maker; told by its shape, as the answer is. */
import type { JsonObject } from "../../../base/json-object.ts";
import type { ModelRequest } from "../../dialect.ts";
import type { Prompt, PromptMessage, PromptPart } from "../../prompt.ts";
import { NO_PROMPT } from "../../prompt.ts";
import { imageSize } from "../../image-size.ts";
import {
  boundOfAll,
  countOf,
  listOf,
  objectOf,
  objectsOf,
  parametersOf,
  stringOf,
} from "../../json-values.ts";
import { readMessagesRequest } from "../anthropic/request.ts";
import { readConverseRequest } from "./converse-request.ts";
import type { BedrockPath } from "./path.ts";

/** What a model is there for, by its name; a profile's opaque id says nothing, and most are for chat. */
export function invokes(model: string): "chat" | "embeddings" | "image_generation" {
  if (/embed/i.test(model)) return "embeddings";
  return /stability\.|titan-image|nova-canvas/i.test(model) ? "image_generation" : "chat";
}

export function readInvokeRequest(body: Readonly<JsonObject> | null, path: BedrockPath | null): ModelRequest {
  const model = path?.model ?? null;
  const stream = path?.action === "invoke-with-response-stream";
  if (body !== null && isAnthropic(body)) return readMessagesRequest(body, { provider: null, model, stream });
  if (body !== null && isConverse(body)) return readConverseRequest(body, model, stream);
  return readNativeRequest(body, model, stream);
}

/** `anthropic_version` is required there. */
function isAnthropic(body: Readonly<JsonObject>): boolean {
  return typeof body["anthropic_version"] === "string" && Array.isArray(body["messages"]);
}

/** Nova's blocks have no `type`, which those of OpenAI's format have. */
function isConverse(body: Readonly<JsonObject>): boolean {
  if (objectOf(body["inferenceConfig"]) !== null || body["schemaVersion"] === "messages-v1") return true;
  const content = objectsOf(body["messages"])[0]?.["content"];
  return Array.isArray(content) && objectsOf(content).every((block) => block["type"] === undefined);
}

function readNativeRequest(
  body: Readonly<JsonObject> | null,
  model: string | null,
  stream: boolean,
): ModelRequest {
  let prompt: Prompt | null = null;
  const purpose = invokes(model ?? "");
  return {
    model,
    provider: null,
    deployment: null,
    stream,
    outputBound: purpose === "chat" ? outputBound(body) : 0,
    wantsUsage: true,
    parameters: body === null ? {} : nativeParameters(body),
    prompt: () => (prompt ??= body === null ? NO_PROMPT : nativePrompt(body, purpose)),
    messages: () => (body === null ? [] : loggedMessages(body)),
  };
}

/** The same bound under the name that each maker gave it. */
function mostTokens(body: Readonly<JsonObject>): unknown {
  return (
    objectOf(body["textGenerationConfig"])?.["maxTokenCount"] ??
    body["max_gen_len"] ??
    body["max_completion_tokens"] ??
    body["max_tokens"] ??
    body["max_tokens_to_sample"] ??
    body["maxTokens"]
  );
}

function choicesOf(body: Readonly<JsonObject>): unknown {
  return body["n"] ?? body["num_generations"] ?? body["numResults"];
}

function outputBound(body: Readonly<JsonObject> | null): number | null {
  return body === null ? null : boundOfAll(countOf(mostTokens(body)), choicesOf(body));
}

function nativeParameters(body: Readonly<JsonObject>): ModelRequest["parameters"] {
  const titan = objectOf(body["textGenerationConfig"]);
  return parametersOf([
    ["max_tokens", mostTokens(body)],
    ["temperature", titan?.["temperature"] ?? body["temperature"]],
    ["top_p", titan?.["topP"] ?? body["top_p"] ?? body["topP"] ?? body["p"]],
    ["top_k", body["top_k"] ?? body["k"]],
    ["seed", body["seed"]],
    ["frequency_penalty", body["frequency_penalty"]],
    ["presence_penalty", body["presence_penalty"]],
    ["choice.count", choicesOf(body)],
    [
      "stop_sequences",
      titan?.["stopSequences"] ?? body["stop_sequences"] ?? body["stopSequences"] ?? body["stop"],
    ],
  ]);
}

function nativePrompt(body: Readonly<JsonObject>, purpose: ReturnType<typeof invokes>): Prompt {
  const messages = [
    ...objectsOf(body["messages"]).map((message) => chatMessage(message)),
    ...cohereMessages(body),
    ...plainTexts(body).map((text): PromptMessage => ({ role: "", name: null, parts: textParts(text) })),
  ];
  const pictures = ["inputImage", "image"].flatMap((key) => imageParts(body[key]));
  if (pictures.length > 0) messages.push({ role: "", name: null, parts: pictures });
  const isChat = Array.isArray(body["messages"]) || typeof body["message"] === "string";
  const kind = purpose === "embeddings" ? purpose : purpose !== "chat" ? "other" : isChat ? "chat" : "text";
  return { messages, tools: listOf(body["tools"]), schema: schemaOf(body), kind };
}

function schemaOf(body: Readonly<JsonObject>): unknown {
  const format = objectOf(body["response_format"]);
  return objectOf(format?.["json_schema"])?.["schema"] ?? format?.["schema"] ?? null;
}

/** Of a prompt that is text, texts to embed, or what to draw. */
function plainTexts(body: Readonly<JsonObject>): readonly unknown[] {
  return [
    body["inputText"],
    body["prompt"],
    ...listOf(body["texts"]),
    ...objectsOf(body["text_prompts"]).map((prompt) => prompt["text"]),
    objectOf(body["textToImageParams"])?.["text"],
  ].filter((text) => typeof text === "string" && text !== "");
}

function chatMessage(message: JsonObject): PromptMessage {
  const parts: PromptPart[] = textParts(message["content"]);
  for (const block of objectsOf(message["content"])) {
    if (typeof block["text"] === "string") parts.push(...textParts(block["text"]));
    else if (block["image_url"] !== undefined) parts.push(...imageParts(block["image_url"]));
    else parts.push({ kind: "json", value: block });
  }
  for (const call of objectsOf(message["tool_calls"])) {
    parts.push({ kind: "json", value: call["function"] ?? call });
  }
  return { role: stringOf(message["role"]) ?? "", name: stringOf(message["name"]), parts };
}

/** Cohere Command R: `preamble`, `chat_history`, `message`, `documents`. */
function cohereMessages(body: Readonly<JsonObject>): PromptMessage[] {
  const messages: PromptMessage[] = [];
  const add = (role: string, parts: PromptPart[]): void => {
    if (parts.length > 0) messages.push({ role, name: null, parts });
  };
  add("system", textParts(body["preamble"]));
  for (const turn of objectsOf(body["chat_history"])) {
    add((stringOf(turn["role"]) ?? "").toLowerCase(), textParts(turn["message"]));
  }
  add("user", textParts(body["message"]));
  const documents = objectsOf(body["documents"]).map((value): PromptPart => ({ kind: "json", value }));
  const results = objectsOf(body["tool_results"]).map((value): PromptPart => ({ kind: "json", value }));
  add("tool", [...documents, ...results]);
  return messages;
}

function textParts(text: unknown): PromptPart[] {
  return typeof text === "string" && text !== "" ? [{ kind: "text", text }] : [];
}

/** @param image base64, a `data:` address, or `{url}` */
function imageParts(image: unknown): PromptPart[] {
  const address = typeof image === "string" ? image : objectOf(image)?.["url"];
  if (typeof address !== "string" || address === "") return [];
  const size = imageSize(address.startsWith("data:") ? address.slice(address.indexOf(",") + 1) : address);
  return [{ kind: "image", detail: "auto", width: size?.width ?? null, height: size?.height ?? null }];
}

function loggedMessages(body: Readonly<JsonObject>): unknown[] {
  if (Array.isArray(body["messages"])) {
    return objectsOf(body["messages"]).map(({ role, content }) => ({ role, content }));
  }
  const history = objectsOf(body["chat_history"]).map(({ role, message }) => ({ role, content: message }));
  if (typeof body["message"] === "string") return [...history, { role: "user", content: body["message"] }];
  return plainTexts(body).map((content) => ({ role: "", content }));
}
