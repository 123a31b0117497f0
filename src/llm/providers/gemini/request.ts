/** What a request to Gemini asks. JSON of protocol buffers: fields may be in camelCase or in snake_case. */
import type { JsonObject } from "../../../base/json-object.ts";
import type { ModelRequest, RequestLine } from "../../dialect.ts";
import type { Prompt, PromptMessage, PromptPart } from "../../prompt.ts";
import { NO_PROMPT } from "../../prompt.ts";
import { base64Bytes, imageSize } from "../../image-size.ts";
import {
  boundOfAll,
  countOf,
  either,
  listOf,
  objectOf,
  objectsOf,
  parametersOf,
  stringOf,
} from "../../json-values.ts";
import { type GeminiPath, isVertex, predicts, readGeminiPath } from "./path.ts";

export function readGeminiRequest(body: Readonly<JsonObject> | null, line: RequestLine): ModelRequest {
  const path = readGeminiPath(line);
  let prompt: Prompt | null = null;
  return {
    model: path?.model ?? modelInBody(body),
    provider: isVertex(line) ? "gcp.vertex_ai" : null,
    deployment: null,
    stream: path?.action === "streamGenerateContent",
    outputBound: body === null ? null : outputBound(body, path),
    // It always comes.
    wantsUsage: true,
    parameters: body === null ? {} : generationParameters(body),
    prompt: () => (prompt ??= body === null ? NO_PROMPT : geminiPrompt(body, path)),
    messages: () => (body === null ? [] : loggedMessages(body)),
  };
}

function modelInBody(body: Readonly<JsonObject> | null): string | null {
  return stringOf(body?.["model"])?.replace(/^models\//, "") ?? null;
}

function generationConfig(body: Readonly<JsonObject>): JsonObject | null {
  return objectOf(either(body, "generationConfig", "generation_config"));
}

function outputBound(body: Readonly<JsonObject>, path: GeminiPath | null): number | null {
  const action = path?.action ?? "generateContent";
  if (action === "embedContent" || action === "batchEmbedContents") return 0;
  if (action === "predict") {
    if (predicts(path?.model ?? "") !== "generate_content") return 0;
    return countOf(objectOf(body["parameters"])?.["maxOutputTokens"]);
  }
  const config = generationConfig(body);
  const most = config === null ? null : countOf(either(config, "maxOutputTokens", "max_output_tokens"));
  return boundOfAll(most, config === null ? null : either(config, "candidateCount", "candidate_count"));
}

function generationParameters(body: Readonly<JsonObject>): ModelRequest["parameters"] {
  const config = generationConfig(body) ?? objectOf(body["parameters"]);
  if (config === null) return {};
  return parametersOf([
    ["max_tokens", either(config, "maxOutputTokens", "max_output_tokens")],
    ["temperature", config["temperature"]],
    ["top_p", either(config, "topP", "top_p")],
    ["top_k", either(config, "topK", "top_k")],
    ["seed", config["seed"]],
    ["frequency_penalty", either(config, "frequencyPenalty", "frequency_penalty")],
    ["presence_penalty", either(config, "presencePenalty", "presence_penalty")],
    ["choice.count", either(config, "candidateCount", "candidate_count")],
    ["stop_sequences", either(config, "stopSequences", "stop_sequences")],
  ]);
}

function geminiPrompt(body: Readonly<JsonObject>, path: GeminiPath | null): Prompt {
  if (path?.action === "predict") return instancesPrompt(body, path);
  if (path?.action === "batchEmbedContents") {
    return embeddingsPrompt(objectsOf(body["requests"]).map((request) => request["content"]));
  }
  if (path?.action === "embedContent") return embeddingsPrompt([body["content"]]);
  const config = generationConfig(body);
  return {
    messages: chatMessages(body),
    tools: listOf(body["tools"]),
    schema:
      config === null
        ? null
        : (either(config, "responseJsonSchema", "response_json_schema") ??
          either(config, "responseSchema", "response_schema") ??
          null),
    kind: "chat",
  };
}

function chatMessages(body: Readonly<JsonObject>): PromptMessage[] {
  const messages: PromptMessage[] = [];
  // What was cached before is read again, and its size is known to the provider alone.
  if (stringOf(either(body, "cachedContent", "cached_content")) !== null) {
    messages.push({ role: "cached", name: null, parts: [{ kind: "file", bytes: null }] });
  }
  const system = contentParts(either(body, "systemInstruction", "system_instruction"));
  if (system.length > 0) messages.push({ role: "system", name: null, parts: system });
  for (const content of contentsOf(body)) {
    messages.push({ role: stringOf(content["role"]) ?? "user", name: null, parts: contentParts(content) });
  }
  return messages;
}

function contentsOf(body: Readonly<JsonObject>): readonly JsonObject[] {
  const contents = body["contents"];
  const alone = objectOf(contents);
  return alone === null ? objectsOf(contents) : [alone];
}

function embeddingsPrompt(contents: readonly unknown[]): Prompt {
  const messages = contents.map((content) => ({ role: "", name: null, parts: contentParts(content) }));
  return { messages, tools: [], schema: null, kind: "embeddings" };
}

/** Vertex AI's `:predict`: texts to embed under `content`, what to draw or to write under `prompt`. */
function instancesPrompt(body: Readonly<JsonObject>, path: GeminiPath): Prompt {
  const messages = objectsOf(body["instances"]).map((instance) => ({
    role: "",
    name: null,
    parts: [
      ...textPart(instance["title"]),
      ...textPart(instance["content"]),
      ...textPart(instance["prompt"]),
      ...textPart(instance["text"]),
      ...imagePart(objectOf(instance["image"])),
    ],
  }));
  const kind = predicts(path.model);
  return {
    messages,
    tools: [],
    schema: null,
    kind: kind === "embeddings" ? "embeddings" : kind === "image_generation" ? "other" : "text",
  };
}

/** @param content `{parts: […]}`, one part, or text where an SDK or a proxy allows it */
function contentParts(content: unknown): PromptPart[] {
  if (typeof content === "string") return textPart(content);
  const object = objectOf(content);
  if (object === null) return [];
  return objectsOf(object["parts"]).flatMap((part) => partParts(part));
}

function partParts(part: JsonObject): PromptPart[] {
  if (typeof part["text"] === "string") return textPart(part["text"]);
  const inline = objectOf(either(part, "inlineData", "inline_data"));
  if (inline !== null) return [mediaPart(mimeOf(inline), stringOf(inline["data"]))];
  const file = objectOf(either(part, "fileData", "file_data"));
  if (file !== null) return [mediaPart(mimeOf(file), null)];
  const code = objectOf(either(part, "executableCode", "executable_code"));
  if (code !== null) return textPart(code["code"]);
  const result = objectOf(either(part, "codeExecutionResult", "code_execution_result"));
  if (result !== null) return textPart(result["output"]);
  const { thoughtSignature: _, thought_signature: __, ...value } = part;
  return Object.keys(value).length === 0 ? [] : [{ kind: "json", value: callOf(value) }];
}

function callOf(part: JsonObject): unknown {
  return (
    either(part, "functionCall", "function_call") ??
    either(part, "functionResponse", "function_response") ??
    part
  );
}

function mimeOf(data: JsonObject): string {
  return stringOf(either(data, "mimeType", "mime_type")) ?? "";
}

/**
 * @param mime may end in `/`: the kind alone is known
 * @param data base64; null when it is elsewhere
 */
export function mediaPart(mime: string, data: string | null): PromptPart {
  if (mime.startsWith("image/")) {
    const size = data === null ? null : imageSize(data);
    return { kind: "image", detail: "auto", width: size?.width ?? null, height: size?.height ?? null };
  }
  if (mime.startsWith("audio/")) return { kind: "audio", seconds: null };
  return { kind: "file", bytes: data === null ? null : base64Bytes(data) };
}

function imagePart(image: JsonObject | null): PromptPart[] {
  if (image === null) return [];
  return [mediaPart("image/", stringOf(either(image, "bytesBase64Encoded", "bytes_base64_encoded")))];
}

export function textPart(text: unknown): PromptPart[] {
  return typeof text === "string" && text !== "" ? [{ kind: "text", text }] : [];
}

function loggedMessages(body: Readonly<JsonObject>): unknown[] {
  const system = either(body, "systemInstruction", "system_instruction");
  const messages: unknown[] = contentsOf(body).map((content) => logged(content, "user"));
  if (system !== undefined && system !== null) {
    messages.unshift({ role: "system", content: objectOf(system)?.["parts"] ?? system });
  }
  if (messages.length > 0) return messages;
  const requests = [body["content"], ...objectsOf(body["requests"]).map((request) => request["content"])];
  const contents = requests.filter((content) => content !== undefined);
  if (contents.length > 0) return contents.map((content) => logged(objectOf(content) ?? {}, ""));
  return listOf(body["instances"]).map((content) => ({ role: "", content }));
}

function logged(content: JsonObject, role: string): unknown {
  return { role: stringOf(content["role"]) ?? role, content: content["parts"] };
}
