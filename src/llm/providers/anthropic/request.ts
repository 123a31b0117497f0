/** What a request in the format of Anthropic Messages asks: at Anthropic itself, in Azure, at Vertex, at Bedrock. */
import type { JsonObject } from "../../../base/json-object.ts";
import type { ModelRequest } from "../../dialect.ts";
import type { Prompt, PromptMessage, PromptPart } from "../../prompt.ts";
import { NO_PROMPT } from "../../prompt.ts";
import { base64Bytes, imageSize } from "../../image-size.ts";
import { countOf, listOf, objectOf, objectsOf, parametersOf, stringOf } from "../../json-values.ts";

/** What the line says, and the body does not. */
export interface MessagesLine {
  /** `gen_ai.provider.name`; null = Anthropic. */
  readonly provider: string | null;
  /** In the path; null when the body has it. */
  readonly model: string | null;
  /** The path says so; else the body's `stream` does. */
  readonly stream: boolean;
}

export function readMessagesRequest(body: Readonly<JsonObject> | null, line: MessagesLine): ModelRequest {
  let prompt: Prompt | null = null;
  return {
    model: line.model ?? stringOf(body?.["model"]),
    provider: line.provider,
    deployment: null,
    stream: line.stream || body?.["stream"] === true,
    outputBound: countOf(body?.["max_tokens"]),
    // It always comes.
    wantsUsage: true,
    parameters: body === null ? {} : messagesParameters(body),
    prompt: () => (prompt ??= body === null ? NO_PROMPT : messagesPrompt(body)),
    messages: () => (body === null ? [] : loggedMessages(body)),
  };
}

function messagesParameters(body: Readonly<JsonObject>): ModelRequest["parameters"] {
  return parametersOf([
    ["max_tokens", body["max_tokens"]],
    ["temperature", body["temperature"]],
    ["top_p", body["top_p"]],
    ["top_k", body["top_k"]],
    ["stop_sequences", body["stop_sequences"]],
  ]);
}

function messagesPrompt(body: Readonly<JsonObject>): Prompt {
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
  return { messages, tools: listOf(body["tools"]), schema: schemaOf(body), kind: "chat" };
}

/** `output_config.format`, which was `output_format` in its preview. */
function schemaOf(body: Readonly<JsonObject>): unknown {
  const format = objectOf(objectOf(body["output_config"])?.["format"] ?? body["output_format"]);
  return format?.["schema"] ?? null;
}

/** Blocks inside blocks inside blocks: nothing that the API takes goes deeper. */
const MOST_DEPTH = 4;

function contentParts(content: unknown, depth = 0): PromptPart[] {
  if (typeof content === "string") return content === "" ? [] : [{ kind: "text", text: content }];
  if (depth > MOST_DEPTH) return [];
  return objectsOf(content).flatMap((block) => blockParts(block, depth));
}

function blockParts(block: JsonObject, depth: number): PromptPart[] {
  switch (block["type"]) {
    case "text":
      return contentParts(block["text"]);
    case "thinking":
      return contentParts(block["thinking"]);
    case "image":
      return [imagePart(objectOf(block["source"]))];
    case "document":
      return documentParts(block, depth);
    case "tool_use":
    case "server_tool_use":
    case "mcp_tool_use":
      return [{ kind: "json", value: { name: block["name"], input: block["input"] } }];
    case "tool_result":
    case "mcp_tool_result":
    case "search_result":
      return contentParts(block["content"], depth + 1);
    case "redacted_thinking":
      return [];
    default:
      return [{ kind: "json", value: block }];
  }
}

function imagePart(source: JsonObject | null): PromptPart {
  const data = source?.["type"] === "base64" ? stringOf(source["data"]) : null;
  const size = data === null ? null : imageSize(data);
  return { kind: "image", detail: "auto", width: size?.width ?? null, height: size?.height ?? null };
}

function documentParts(block: JsonObject, depth: number): PromptPart[] {
  const source = objectOf(block["source"]);
  const about = [...contentParts(block["title"]), ...contentParts(block["context"])];
  switch (source?.["type"]) {
    case "text":
      return [...about, ...contentParts(source["data"])];
    case "content":
      return [...about, ...contentParts(source["content"], depth + 1)];
    case "base64": {
      const data = stringOf(source["data"]);
      return [...about, { kind: "file", bytes: data === null ? null : base64Bytes(data) }];
    }
    default:
      return [...about, { kind: "file", bytes: null }];
  }
}

function loggedMessages(body: Readonly<JsonObject>): unknown[] {
  const messages: unknown[] = objectsOf(body["messages"]).map(({ role, content }) => ({ role, content }));
  const system = body["system"];
  return system === undefined || system === null
    ? messages
    : [{ role: "system", content: system }, ...messages];
}
