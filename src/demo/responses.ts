/** Reading Responses API requests into the same `Prompt` that chat completions make. */
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
import { ApiFailure, badParameter } from "./failure.ts";
import * as fields from "./fields.ts";
import type { Fields } from "./fields.ts";
import { allowedTools, formatOf, namedTool, plainToolChoice, readFunction } from "./tool-fields.ts";

export interface ResponsesRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly prompt: Prompt;
  /** The request itself; most of its fields are repeated in the response object. */
  readonly body: Fields;
}

const MAX_ITEMS = 10_000;
const MAX_TOOLS = 128;

/** @throws ApiFailure 400 naming the parameter that is wrong */
export function readResponses(
  body: Fields,
  deployment: string | null,
  control: Control,
  context: number,
): ResponsesRequest {
  const model = fields.modelField(body, deployment);
  refuseStoredState(body);
  const meter = new PromptMeter(context, "input");
  const turns = readInput(body, meter);
  const tools = readTools(body, meter);
  fields.numberField(body, "temperature", 0, 2);
  fields.numberField(body, "top_p", 0, 1);
  fields.objectField(body, "metadata");
  fields.booleanField(body, "store");
  return {
    model,
    stream: fields.booleanField(body, "stream") ?? false,
    body,
    prompt: {
      turns,
      tools,
      toolChoice: readToolChoice(body, tools),
      parallelToolCalls: fields.booleanField(body, "parallel_tool_calls") ?? true,
      format: readFormat(body),
      maxTokens: fields.integerField(body, "max_output_tokens", 1, Number.MAX_SAFE_INTEGER),
      stop: [],
      seed: 0,
      orderedTokens: control.tokens,
      promptTokens: meter.tokens,
    },
  };
}

/** The demo model keeps nothing between requests, so it cannot continue, look up or run anything later. */
function refuseStoredState(body: Fields): void {
  const previous = fields.stringField(body, "previous_response_id");
  if (previous !== null) {
    throw badParameter(
      "previous_response_id",
      "previous_response_not_found",
      `Previous response with id '${previous.slice(0, 80)}' not found.`,
    );
  }
  for (const name of ["conversation", "prompt"]) {
    if (body[name] !== undefined && body[name] !== null) {
      throw badParameter(
        name,
        "unsupported_parameter",
        `Unsupported parameter: '${name}' is not supported with this model.`,
      );
    }
  }
  if (fields.booleanField(body, "background") === true) {
    throw badParameter(
      "background",
      "unsupported_value",
      "Unsupported value: 'background' must be false with this model.",
    );
  }
}

function readInput(body: Fields, meter: PromptMeter): Turn[] {
  const turns: Turn[] = [];
  const instructions = fields.stringField(body, "instructions");
  if (instructions !== null) addTurn(turns, "system", instructions, meter);
  const input = body["input"];
  if (input === undefined || input === null) throw fields.missing("input");
  if (typeof input === "string") {
    addTurn(turns, "user", input, meter);
    return turns;
  }
  if (!Array.isArray(input)) throw fields.wrongType("input", "one of a string or array of objects", input);
  if (input.length > MAX_ITEMS) throw fields.tooLong("input", MAX_ITEMS, input.length);
  const calls = new Set<string>();
  for (const [i, value] of input.entries()) {
    readItem(fields.elementFields(value, `input[${i}]`), `input[${i}]`, turns, calls, meter);
  }
  return turns;
}

function addTurn(turns: Turn[], role: Turn["role"], text: string, meter: PromptMeter): void {
  meter.add(MESSAGE_TOKENS);
  meter.addText(text);
  turns.push({ role, text });
}

function readItem(item: Fields, path: string, turns: Turn[], calls: Set<string>, meter: PromptMeter): void {
  const type = fields.stringField(item, "type", `${path}.type`) ?? "message";
  switch (type) {
    case "message": {
      const role = messageRole(item, path);
      addTurn(turns, role, readContent(item, path, meter), meter);
      return;
    }
    case "function_call": {
      calls.add(fields.requiredString(item, "call_id", `${path}.call_id`));
      const name = fields.requiredString(item, "name", `${path}.name`);
      const args = fields.requiredString(item, "arguments", `${path}.arguments`);
      addTurn(turns, "assistant", name + args, meter);
      return;
    }
    case "function_call_output": {
      const id = fields.requiredString(item, "call_id", `${path}.call_id`);
      if (!calls.has(id)) {
        throw badParameter(
          "input",
          null,
          `No tool call found for function call output with call_id ${id.slice(0, 80)}.`,
        );
      }
      const output = item["output"];
      if (typeof output !== "string" && !Array.isArray(output)) {
        throw fields.wrongType(`${path}.output`, "one of a string or array of objects", output);
      }
      const text = typeof output === "string" ? output : readParts(output, `${path}.output`, meter);
      addTurn(turns, "tool", text, meter);
      return;
    }
    default:
      // Reasoning, built-in tools and their results: part of the conversation, nothing to repeat.
      meter.add(MESSAGE_TOKENS);
      meter.addText(JSON.stringify(item));
  }
}

const ROLES: Record<string, Turn["role"]> = {
  user: "user",
  assistant: "assistant",
  system: "system",
  developer: "system",
};

function messageRole(item: Fields, path: string): Turn["role"] {
  const role = fields.requiredString(item, "role", `${path}.role`);
  const known = Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
  if (known === undefined) throw fields.notOneOf(`${path}.role`, role, Object.keys(ROLES));
  return known;
}

function readContent(item: Fields, path: string, meter: PromptMeter): string {
  const content = item["content"];
  if (typeof content === "string") return content;
  if (content === undefined || content === null) throw fields.missing(`${path}.content`);
  if (!Array.isArray(content)) {
    throw fields.wrongType(`${path}.content`, "one of a string or array of objects", content);
  }
  return readParts(content, `${path}.content`, meter);
}

const TEXT_PARTS = new Set(["input_text", "output_text", "text"]);
const MEDIA_PARTS = new Set(["input_image", "input_file", "input_audio"]);

/** The texts of content parts, joined by line feeds; everything else is only counted. */
function readParts(parts: unknown[], path: string, meter: PromptMeter): string {
  const texts: string[] = [];
  for (const [i, value] of parts.entries()) {
    const at = `${path}[${i}]`;
    const part = fields.elementFields(value, at);
    const type = fields.requiredString(part, "type", `${at}.type`);
    if (TEXT_PARTS.has(type)) texts.push(fields.requiredString(part, "text", `${at}.text`));
    else if (type === "refusal") texts.push(fields.requiredString(part, "refusal", `${at}.refusal`));
    else if (MEDIA_PARTS.has(type)) meter.add(MEDIA_TOKENS);
    else throw fields.notOneOf(`${at}.type`, type, [...TEXT_PARTS, "refusal", ...MEDIA_PARTS]);
  }
  return texts.join("\n");
}

/** Function tools are flat here. Built-in tools (search, code, MCP, …) are accepted and never called. */
function readTools(body: Fields, meter: PromptMeter): Tool[] {
  const list = fields.arrayField(body, "tools");
  if (list === null) return [];
  if (list.length > MAX_TOOLS) throw fields.tooLong("tools", MAX_TOOLS, list.length);
  const tools: Tool[] = [];
  for (const [i, value] of list.entries()) {
    const tool = fields.elementFields(value, `tools[${i}]`);
    const type = fields.requiredString(tool, "type", `tools[${i}].type`);
    meter.addText(JSON.stringify(tool));
    if (type === "function") tools.push(readFunction(tool, `tools[${i}]`));
  }
  return tools;
}

function readToolChoice(body: Fields, tools: readonly Tool[]): ToolChoice {
  const choice = body["tool_choice"];
  if (choice === undefined || choice === null) return "auto";
  if (typeof choice === "string") return plainToolChoice(choice);
  const object = fields.elementFields(choice, "tool_choice");
  const type = fields.requiredString(object, "type", "tool_choice.type");
  if (type === "allowed_tools") return allowedTools(object, "tool_choice", (tool) => tool["name"]);
  if (type === "function") {
    return namedTool(fields.requiredString(object, "name", "tool_choice.name"), tools, "tool_choice");
  }
  throw new ApiFailure(
    400,
    `The demo model calls functions only; it cannot be made to use '${type.slice(0, 80)}'.`,
    {
      param: "tool_choice",
      code: "unsupported_value",
    },
  );
}

function readFormat(body: Fields): Format {
  const format = fields.objectField(fields.objectField(body, "text") ?? {}, "format", "text.format");
  return format === null ? { type: "text" } : formatOf(format, "text.format", false);
}
