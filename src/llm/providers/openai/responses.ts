/** OpenAI Responses: typed items in, typed items out, typed events in between. */
import { isJsonObject, type JsonObject } from "../../../base/json-object.ts";
import { STREAM_DONE, newAnswer, wrote } from "../../answer.ts";
import type { AnswerReader, Dialect, FoundAnswer, ModelRequest, RequestLine } from "../../dialect.ts";
import { listOf, stringOf } from "../../json-values.ts";
import type { Prompt, PromptMessage, PromptPart } from "../../prompt.ts";
import { contentParts } from "./content.ts";
import {
  type Parameters,
  countOf,
  errorIn,
  errorOf,
  nameOf,
  noteEnd,
  noteServed,
  readParameters,
} from "./fields.ts";
import { deploymentOf, postsTo } from "./paths.ts";
import { providerOf } from "./provider.ts";
import { readUsage } from "./usage.ts";

export const openaiResponses: Dialect = {
  name: "openai-responses",
  provider: "openai",
  operation: "chat",
  // Below `/responses/` one response is read, deleted or cancelled, and no model is asked but by the one that compacts.
  matchesLine: (line) => postsTo(line, "/responses") || postsTo(line, "/responses/compact"),
  matchesBody: (body) => "input" in body && typeof body["model"] === "string",
  readRequest: (body, line) => new ResponsesRequest(body ?? {}, line),
  readAnswer: (keepText) => new ResponsesReader(keepText),
};

const PARAMETERS = [
  ["temperature", "temperature"],
  ["top_p", "top_p"],
  ["max_output_tokens", "max_tokens"],
] as const;

class ResponsesRequest implements ModelRequest {
  readonly #body: JsonObject;
  #prompt: Prompt | null = null;
  readonly model: string | null;
  readonly deployment: string | null;
  readonly provider: string | null;
  readonly stream: boolean;
  readonly outputBound: number | null;
  /** Usage always comes with the last event. */
  readonly wantsUsage = false;

  constructor(body: JsonObject, line: RequestLine) {
    this.#body = body;
    this.deployment = deploymentOf(line);
    this.provider = providerOf(line);
    this.model = this.deployment ?? stringOf(body["model"]);
    this.stream = body["stream"] === true;
    this.outputBound = countOf(body["max_output_tokens"]);
  }

  get parameters(): Parameters {
    return readParameters(this.#body, PARAMETERS);
  }

  prompt(): Prompt {
    this.#prompt ??= this.#readPrompt();
    return this.#prompt;
  }

  #readPrompt(): Prompt {
    const { instructions, input, tools, text } = this.#body;
    const messages: PromptMessage[] = [];
    const system = contentParts(instructions);
    if (system.length > 0) messages.push({ role: "system", name: null, parts: system });
    if (typeof input === "string") messages.push({ role: "user", name: null, parts: contentParts(input) });
    for (const item of listOf(input)) {
      if (isJsonObject(item)) messages.push({ role: roleOf(item), name: null, parts: itemParts(item) });
    }
    const format = isJsonObject(text) ? text["format"] : null;
    return {
      messages,
      tools: listOf(tools),
      schema: isJsonObject(format) ? (format["schema"] ?? null) : null,
      kind: "chat",
    };
  }

  messages(): readonly unknown[] {
    const { instructions, input } = this.#body;
    const messages: unknown[] = [];
    if (instructions !== undefined && instructions !== null && instructions !== "") {
      messages.push({ role: "system", content: instructions });
    }
    if (typeof input === "string") messages.push({ role: "user", content: input });
    for (const item of listOf(input)) {
      if (!isJsonObject(item)) continue;
      const isMessage = typeof item["role"] === "string" && "content" in item;
      messages.push({ role: roleOf(item), content: isMessage ? item["content"] : [item] });
    }
    return messages;
  }
}

/** Items without a role: what tools gave back is theirs, everything else was the model's. */
function roleOf(item: JsonObject): string {
  const type = item["type"];
  if (typeof item["role"] === "string") return item["role"];
  if (typeof type !== "string") return "user";
  return type.endsWith("_output") || type === "mcp_approval_response" ? "tool" : "assistant";
}

function itemParts(item: JsonObject): PromptPart[] {
  switch (item["type"]) {
    case undefined:
    case "message":
      return contentParts(item["content"]);
    case "function_call":
      return [{ kind: "json", value: { name: item["name"], arguments: item["arguments"] } }];
    case "custom_tool_call":
      return [{ kind: "json", value: { name: item["name"], input: item["input"] } }];
    case "function_call_output":
    case "custom_tool_call_output":
    case "computer_call_output":
      return contentParts(item["output"]);
    case "reasoning":
      return [...contentParts(item["summary"]), ...contentParts(item["content"])];
    case "item_reference":
      return []; // The provider has it; nothing here can be counted.
    case "image_generation_call":
      return [{ kind: "image", detail: "auto", width: null, height: null }];
    default:
      return [{ kind: "json", value: item }];
  }
}

class ResponsesReader implements AnswerReader {
  readonly found: FoundAnswer;

  constructor(keepText: number) {
    this.found = newAnswer(keepText);
  }

  take(event: string | null, value: unknown): void {
    const found = this.found;
    if (value === STREAM_DONE) return noteEnd(found);
    if (!isJsonObject(value)) return;
    const type = typeof value["type"] === "string" ? value["type"] : (event ?? "");
    if (type.endsWith(".delta")) {
      wroteDelta(found, type, value);
      return;
    }
    if (isJsonObject(value["response"])) {
      this.#response(value["response"], ENDS.has(type) ? type.slice("response.".length) : null);
    } else if (value["object"] === "response" || Array.isArray(value["output"])) {
      this.#response(value, nameOf(value["status"]) ?? "completed");
    }
    found.error = errorIn(value, type) ?? found.error;
  }

  /** @param ended how it ended; null while it goes on */
  #response(response: JsonObject, ended: string | null): void {
    const found = this.found;
    noteServed(found, response);
    found.usage = readUsage(response["usage"]) ?? found.usage;
    found.error = errorOf(response["error"]) ?? found.error;
    if (GOES_ON.has(ended ?? nameOf(response["status"]) ?? "")) {
      found.goesOn = true;
      return;
    }
    if (ended === null) return;
    found.goesOn = false;
    // Text that came in deltas is not counted twice; a document, or a stream without deltas, has it here alone.
    if (found.textLength === 0) wroteOutput(found, response["output"]);
    const details = response["incomplete_details"];
    const reason = isJsonObject(details) ? nameOf(details["reason"]) : null;
    found.finishReason = reason ?? nameOf(response["status"]) ?? ended;
    noteEnd(found);
  }
}

const GOES_ON = new Set(["queued", "in_progress"]);

const ENDS = new Set([
  "response.completed",
  "response.incomplete",
  "response.failed",
  "response.cancelled",
  "response.done",
]);

/** Deltas that are no text of the model: sounds, and what its tools print. */
const NO_TEXT = new Set([
  "response.audio.delta",
  "response.output_audio.delta",
  "response.shell_call_output_content.delta",
]);

/** Text, refusals, arguments, reasoning, transcripts; new kinds of delta are text until known otherwise. */
export function wroteDelta(found: FoundAnswer, type: string, value: JsonObject): void {
  if (NO_TEXT.has(type)) return;
  const index = value["output_index"];
  wrote(found, typeof index === "number" ? index : 0, value["delta"]);
}

/** Output items of a whole response. */
export function wroteOutput(found: FoundAnswer, output: unknown): void {
  for (const [index, item] of listOf(output).entries()) {
    if (!isJsonObject(item)) continue;
    for (const part of [...listOf(item["summary"]), ...listOf(item["content"])]) {
      if (!isJsonObject(part)) continue;
      wrote(found, index, part["text"]);
      wrote(found, index, part["refusal"]);
      wrote(found, index, part["transcript"]);
    }
    wrote(found, index, item["arguments"]);
    if (item["type"] === "custom_tool_call") wrote(found, index, item["input"]);
    if (item["type"] === "code_interpreter_call") wrote(found, index, item["code"]);
  }
}
