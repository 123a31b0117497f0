/**
 * Reading chat completion requests: OpenAI's, and Azure OpenAI's where the model is the deployment in the
 * path.
 */
import {
  MEDIA_TOKENS,
  MESSAGE_TOKENS,
  PromptMeter,
  type Format,
  type Prompt,
  type Tool,
  type ToolChoice,
  type Turn,
} from "./prompt.ts";
import type { Control } from "./control.ts";
import { badParameter } from "./failure.ts";
import * as fields from "./fields.ts";
import type { Fields } from "./fields.ts";
import { allowedTools, formatOf, namedTool, plainToolChoice, readFunction } from "./tool-fields.ts";

export interface ChatRequest {
  readonly model: string;
  readonly n: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** A named tool was forced; the API then reports `finish_reason: "stop"`. */
  readonly forced: boolean;
  readonly prompt: Prompt;
}

/** Most choices per request. */
const MAX_N = 8;
const MAX_MESSAGES = 10_000;
const MAX_TOOLS = 128;
const MAX_STOPS = 4;

/** @throws ApiFailure 400 naming the parameter that is wrong */
export function readChat(
  body: Fields,
  deployment: string | null,
  control: Control,
  context: number,
): ChatRequest {
  const model = fields.modelField(body, deployment);
  const meter = new PromptMeter(context, "messages");
  const turns = readMessages(body, meter);
  const tools = readTools(body, meter);
  const toolChoice = readToolChoice(body, tools);
  const stream = fields.booleanField(body, "stream") ?? false;
  const options = fields.objectField(body, "stream_options");
  if (options !== null && !stream) {
    throw badParameter(
      "stream_options",
      null,
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    );
  }
  fields.numberField(body, "temperature", 0, 2);
  fields.numberField(body, "top_p", 0, 1);
  fields.numberField(body, "presence_penalty", -2, 2);
  fields.numberField(body, "frequency_penalty", -2, 2);
  const maxTokens = fields.integerField(body, "max_tokens", 1, Number.MAX_SAFE_INTEGER);
  const maxCompletion = fields.integerField(body, "max_completion_tokens", 1, Number.MAX_SAFE_INTEGER);
  return {
    model,
    n: fields.integerField(body, "n", 1, MAX_N) ?? 1,
    stream,
    includeUsage: options?.["include_usage"] === true,
    forced: typeof toolChoice === "object" && toolChoice.must && toolChoice.names.length === 1,
    prompt: {
      turns,
      tools,
      toolChoice,
      parallelToolCalls: fields.booleanField(body, "parallel_tool_calls") ?? true,
      format: readFormat(body),
      maxTokens: maxCompletion ?? maxTokens,
      stop: readStop(body),
      seed: Math.abs(
        fields.integerField(body, "seed", -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) ?? 0,
      ),
      orderedTokens: control.tokens,
      promptTokens: meter.tokens,
    },
  };
}

const ROLES: Record<string, Turn["role"]> = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant",
  tool: "tool",
  function: "tool",
};

function readMessages(body: Fields, meter: PromptMeter): Turn[] {
  const messages = fields.arrayField(body, "messages");
  if (messages === null) throw fields.missing("messages");
  if (messages.length === 0) throw fields.emptyArray("messages");
  if (messages.length > MAX_MESSAGES) throw fields.tooLong("messages", MAX_MESSAGES, messages.length);
  const pending = new PendingCalls();
  const turns = messages.map((value, i) => {
    const path = `messages[${i}]`;
    const message = fields.elementFields(value, path);
    const name = fields.requiredString(message, "role", `${path}.role`);
    const role = Object.hasOwn(ROLES, name) ? ROLES[name] : undefined;
    if (role === undefined) throw fields.notOneOf(`${path}.role`, name, Object.keys(ROLES));
    meter.add(MESSAGE_TOKENS);
    const text = readContent(message, path, role, meter);
    pending.see(message, name, i);
    for (const call of readCalls(message, path)) {
      meter.addText(call.name);
      meter.addText(call.args);
    }
    return { role, text };
  });
  pending.finish();
  return turns;
}

/** A message's text; the texts of content parts are joined by line feeds. */
function readContent(message: Fields, path: string, role: Turn["role"], meter: PromptMeter): string {
  const content = message["content"];
  if (typeof content === "string") {
    meter.addText(content);
    return content;
  }
  if (content === null || content === undefined) {
    if (role === "assistant" || message["role"] === "function") return "";
    throw fields.wrongType(`${path}.content`, "one of a string or array of objects", content);
  }
  if (!Array.isArray(content))
    throw fields.wrongType(`${path}.content`, "one of a string or array of objects", content);
  const texts: string[] = [];
  for (const [i, value] of content.entries()) {
    const at = `${path}.content[${i}]`;
    const part = fields.elementFields(value, at);
    const type = fields.requiredString(part, "type", `${at}.type`);
    switch (type) {
      case "text":
      case "refusal": {
        const text = fields.requiredString(part, type, `${at}.${type}`);
        meter.addText(text);
        texts.push(text);
        break;
      }
      case "image_url":
      case "input_audio":
      case "file":
        if (fields.objectField(part, type, `${at}.${type}`) === null) throw fields.missing(`${at}.${type}`);
        meter.add(MEDIA_TOKENS);
        break;
      default:
        throw fields.notOneOf(`${at}.type`, type, ["text", "image_url", "input_audio", "refusal", "file"]);
    }
  }
  return texts.join("\n");
}

function readCalls(message: Fields, path: string): { name: string; args: string }[] {
  const calls = fields.arrayField(message, "tool_calls", `${path}.tool_calls`) ?? [];
  return calls.map((value, i) => {
    const at = `${path}.tool_calls[${i}]`;
    const call = fields.elementFields(value, at);
    const kind = call["type"] === "custom" ? "custom" : "function";
    const inner = fields.objectField(call, kind, `${at}.${kind}`);
    if (inner === null) throw fields.missing(`${at}.${kind}`);
    const args = kind === "custom" ? "input" : "arguments";
    return {
      name: fields.requiredString(inner, "name", `${at}.${kind}.name`),
      args: fields.requiredString(inner, args, `${at}.${kind}.${args}`),
    };
  });
}

/**
 * Holds the API's rule that every tool call is answered before the conversation goes on, and nothing else is.
 */
class PendingCalls {
  #open: Set<string> | null = null;

  see(message: Fields, role: string, index: number): void {
    if (role === "tool") {
      const id = fields.requiredString(message, "tool_call_id", `messages[${index}].tool_call_id`);
      if (this.#open === null) {
        throw badParameter(
          `messages.[${index}].role`,
          null,
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
        );
      }
      this.#open.delete(id);
      return;
    }
    this.finish();
    const calls = message["tool_calls"];
    if (role !== "assistant" || !Array.isArray(calls) || calls.length === 0) {
      this.#open = null;
      return;
    }
    this.#open = new Set();
    for (const call of calls) {
      if (fields.isFields(call) && typeof call["id"] === "string") this.#open.add(call["id"]);
    }
  }

  finish(): void {
    if (this.#open === null || this.#open.size === 0) return;
    throw badParameter(
      "messages",
      null,
      "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
        `The following tool_call_ids did not have response messages: ${[...this.#open].join(", ")}`,
    );
  }
}

function readTools(body: Fields, meter: PromptMeter): Tool[] {
  const list = fields.arrayField(body, "tools");
  if (list === null) return [];
  if (list.length > MAX_TOOLS) throw fields.tooLong("tools", MAX_TOOLS, list.length);
  const tools: Tool[] = [];
  for (const [i, value] of list.entries()) {
    const path = `tools[${i}]`;
    const tool = fields.elementFields(value, path);
    const type = fields.requiredString(tool, "type", `${path}.type`);
    if (type !== "function" && type !== "custom")
      throw fields.notOneOf(`${path}.type`, type, ["function", "custom"]);
    meter.addText(JSON.stringify(tool));
    // A custom tool takes free text; this model never calls one.
    if (type === "custom") continue;
    const fn = fields.objectField(tool, "function", `${path}.function`);
    if (fn === null) throw fields.missing(`${path}.function`);
    tools.push(readFunction(fn, `${path}.function`));
  }
  return tools;
}

function readToolChoice(body: Fields, tools: readonly Tool[]): ToolChoice {
  const choice = body["tool_choice"];
  if (choice === undefined || choice === null) return "auto";
  if (!Array.isArray(body["tools"])) {
    throw badParameter("tool_choice", null, "'tool_choice' is only allowed when 'tools' are specified.");
  }
  if (typeof choice === "string") return plainToolChoice(choice);
  const object = fields.elementFields(choice, "tool_choice");
  if (object["type"] === "allowed_tools") {
    const allowed = fields.objectField(object, "allowed_tools", "tool_choice.allowed_tools");
    if (allowed === null) throw fields.missing("tool_choice.allowed_tools");
    return allowedTools(allowed, "tool_choice.allowed_tools", (tool) =>
      fields.isFields(tool["function"]) ? tool["function"]["name"] : undefined,
    );
  }
  const fn = fields.objectField(object, "function", "tool_choice.function");
  if (fn === null) throw fields.missing("tool_choice.function");
  return namedTool(fields.requiredString(fn, "name", "tool_choice.function.name"), tools, "tool_choice");
}

function readFormat(body: Fields): Format {
  const format = fields.objectField(body, "response_format");
  if (format === null) return { type: "text" };
  return formatOf(format, "response_format", true);
}

function readStop(body: Fields): string[] {
  const stop = body["stop"];
  if (stop === undefined || stop === null) return [];
  const list = Array.isArray(stop) ? stop : [stop];
  if (list.length > MAX_STOPS) throw fields.tooLong("stop", MAX_STOPS, list.length);
  return list.map((sequence: unknown) => {
    if (typeof sequence !== "string")
      throw fields.wrongType("stop", "one of a string or array of strings", sequence);
    if (sequence === "") throw badParameter("stop", null, "Invalid 'stop': a stop sequence cannot be empty.");
    return sequence;
  });
}
