/** What a request in the format of Converse asks; Amazon's Nova models take the same from InvokeModel. */
import type { JsonObject } from "../../../base/json-object.ts";
import type { ModelRequest } from "../../dialect.ts";
import type { Prompt, PromptMessage, PromptPart } from "../../prompt.ts";
import { NO_PROMPT } from "../../prompt.ts";
import { base64Bytes, imageSize } from "../../image-size.ts";
import { countOf, either, listOf, objectOf, objectsOf, parametersOf, stringOf } from "../../json-values.ts";

export function readConverseRequest(
  body: Readonly<JsonObject> | null,
  model: string | null,
  stream: boolean,
): ModelRequest {
  let prompt: Prompt | null = null;
  const config = objectOf(body?.["inferenceConfig"]);
  return {
    model,
    provider: null,
    deployment: null,
    stream,
    outputBound: config === null ? null : countOf(mostTokens(config)),
    // It always comes.
    wantsUsage: true,
    parameters: body === null ? {} : inferenceParameters(body, config ?? {}),
    prompt: () => (prompt ??= body === null ? NO_PROMPT : conversePrompt(body)),
    messages: () => (body === null ? [] : loggedMessages(body)),
  };
}

/** `max_new_tokens` was Nova's name in InvokeModel. */
function mostTokens(config: JsonObject): unknown {
  return either(config, "maxTokens", "max_new_tokens");
}

function inferenceParameters(body: Readonly<JsonObject>, config: JsonObject): ModelRequest["parameters"] {
  const more = objectOf(body["additionalModelRequestFields"]);
  return parametersOf([
    ["max_tokens", mostTokens(config)],
    ["temperature", config["temperature"]],
    ["top_p", either(config, "topP", "top_p")],
    ["top_k", either(config, "topK", "top_k") ?? more?.["top_k"]],
    ["stop_sequences", config["stopSequences"]],
  ]);
}

function conversePrompt(body: Readonly<JsonObject>): Prompt {
  const messages: PromptMessage[] = [];
  const system = contentParts(body["system"]);
  if (system.length > 0) messages.push({ role: "system", name: null, parts: system });
  for (const message of objectsOf(body["messages"])) {
    messages.push({
      role: stringOf(message["role"]) ?? "",
      name: null,
      parts: contentParts(message["content"]),
    });
  }
  return { messages, tools: toolsOf(body), schema: schemaOf(body), kind: "chat" };
}

function toolsOf(body: Readonly<JsonObject>): readonly unknown[] {
  return objectsOf(objectOf(body["toolConfig"])?.["tools"]).flatMap((tool) => {
    if (tool["cachePoint"] !== undefined) return [];
    return [tool["toolSpec"] ?? tool["systemTool"] ?? tool];
  });
}

/** `outputConfig.textFormat.structure.jsonSchema.schema`, JSON text. */
function schemaOf(body: Readonly<JsonObject>): unknown {
  const format = objectOf(objectOf(body["outputConfig"])?.["textFormat"]);
  return objectOf(objectOf(format?.["structure"])?.["jsonSchema"])?.["schema"] ?? null;
}

/** Tool results hold content, and nothing in them holds content again. */
const MOST_DEPTH = 3;

function contentParts(content: unknown, depth = 0): PromptPart[] {
  if (typeof content === "string") return textParts(content);
  if (depth > MOST_DEPTH) return [];
  return listOf(content).flatMap((block) => {
    const object = objectOf(block);
    return object === null ? [] : blockParts(object, depth);
  });
}

/** A block is a union: its one key says what it is. */
function blockParts(block: JsonObject, depth: number): PromptPart[] {
  for (const [kind, value] of Object.entries(block)) {
    const object = objectOf(value);
    switch (kind) {
      case "text":
        return typeof value === "string" ? textParts(value) : textParts(object?.["text"]);
      case "image":
        return [imagePart(object)];
      case "audio":
        return [{ kind: "audio", seconds: null }];
      case "document":
        return [...textParts(object?.["context"]), ...documentParts(objectOf(object?.["source"]), depth)];
      case "video":
        return [{ kind: "file", bytes: bytesOf(objectOf(object?.["source"])) }];
      case "toolUse":
        return [{ kind: "json", value: { name: object?.["name"], input: object?.["input"] } }];
      case "toolResult":
      case "searchResult":
      case "citationsContent":
        return contentParts(object?.["content"], depth + 1);
      case "guardContent":
        return contentParts([object], depth + 1);
      case "reasoningContent":
        return textParts(objectOf(object?.["reasoningText"])?.["text"]);
      case "json":
        return [{ kind: "json", value }];
      case "cachePoint":
        return [];
    }
  }
  return [{ kind: "json", value: block }];
}

function textParts(text: unknown): PromptPart[] {
  return typeof text === "string" && text !== "" ? [{ kind: "text", text }] : [];
}

function imagePart(image: JsonObject | null): PromptPart {
  const data = stringOf(objectOf(image?.["source"])?.["bytes"]);
  const size = data === null ? null : imageSize(data);
  return { kind: "image", detail: "auto", width: size?.width ?? null, height: size?.height ?? null };
}

function documentParts(source: JsonObject | null, depth: number): PromptPart[] {
  if (typeof source?.["text"] === "string") return textParts(source["text"]);
  if (Array.isArray(source?.["content"])) return contentParts(source["content"], depth + 1);
  return [{ kind: "file", bytes: bytesOf(source) }];
}

function bytesOf(source: JsonObject | null): number | null {
  const data = stringOf(source?.["bytes"]);
  return data === null ? null : base64Bytes(data);
}

function loggedMessages(body: Readonly<JsonObject>): unknown[] {
  const messages: unknown[] = objectsOf(body["messages"]).map(({ role, content }) => ({ role, content }));
  const system = body["system"];
  return system === undefined || system === null
    ? messages
    : [{ role: "system", content: system }, ...messages];
}
