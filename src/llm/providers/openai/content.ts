/** Contents of messages, as Chat Completions and Responses write them, in the form that counting reads. */
import { isJsonObject, type JsonObject } from "../../../base/json-object.ts";
import { base64Bytes, imageSize } from "../../image-size.ts";
import { listOf, stringOf } from "../../json-values.ts";
import type { PromptMessage, PromptPart } from "../../prompt.ts";

/** A string, one part, or a list of parts and strings. */
export function contentParts(content: unknown): PromptPart[] {
  if (!Array.isArray(content)) return partOrText(content);
  return content.flatMap(partOrText);
}

function partOrText(content: unknown): PromptPart[] {
  return isJsonObject(content) ? partOf(content) : textPart(content);
}

function textPart(text: unknown): PromptPart[] {
  return typeof text === "string" && text !== "" ? [{ kind: "text", text }] : [];
}

function partOf(part: JsonObject): PromptPart[] {
  switch (part["type"]) {
    case "text":
    case "input_text":
    case "output_text":
    case "summary_text":
    case "reasoning_text":
      return textPart(part["text"]);
    case "refusal":
      return textPart(part["refusal"]);
    case "image_url":
    case "input_image":
    case "computer_screenshot":
      return [imagePart(part)];
    case "input_audio":
    case "audio":
      return [{ kind: "audio", seconds: null }];
    case "file":
    case "input_file":
      return [{ kind: "file", bytes: fileBytes(isJsonObject(part["file"]) ? part["file"] : part) }];
    default:
      return typeof part["text"] === "string" ? textPart(part["text"]) : [{ kind: "json", value: part }];
  }
}

/** `image_url` is an object in Chat Completions and a string in Responses. */
function imagePart(part: JsonObject): PromptPart {
  const inner = isJsonObject(part["image_url"]) ? part["image_url"] : part;
  const detail = inner["detail"];
  const data = dataOf(inner["url"] ?? inner["image_url"]);
  const size = data === null ? null : imageSize(data);
  return {
    kind: "image",
    detail: detail === "low" || detail === "high" ? detail : "auto",
    width: size?.width ?? null,
    height: size?.height ?? null,
  };
}

/** What lies behind `data:image/png;base64,`; null for links. */
function dataOf(url: unknown): string | null {
  if (typeof url !== "string" || !url.startsWith("data:")) return null;
  const comma = url.indexOf(",");
  return comma > 0 && comma < 256 ? url.slice(comma + 1) : null;
}

/** A file that lies in the request as base64, with or without `data:…;base64,` before it. */
function fileBytes(file: JsonObject): number | null {
  const text = stringOf(file["file_data"]);
  return text === null ? null : base64Bytes(dataOf(text) ?? text);
}

/** One message of Chat Completions. */
export function chatMessage(value: unknown): PromptMessage | null {
  if (!isJsonObject(value)) return null;
  const parts = contentParts(value["content"]);
  parts.push(...contentParts(value["refusal"]));
  for (const call of listOf(value["tool_calls"])) {
    if (isJsonObject(call)) parts.push({ kind: "json", value: call["function"] ?? call["custom"] ?? call });
  }
  if (isJsonObject(value["function_call"])) parts.push({ kind: "json", value: value["function_call"] });
  return { role: stringOf(value["role"]) ?? "", name: stringOf(value["name"]), parts };
}
