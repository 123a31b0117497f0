/** What a message of a chat says, whole or as a delta. */
import { isJsonObject, type JsonObject } from "../../../base/json-object.ts";
import { wrote } from "../../answer.ts";
import type { FoundAnswer } from "../../dialect.ts";
import { listOf } from "../../json-values.ts";

/** A message or a part of one: its text, its refusal, its reasoning, its calls. */
export function wroteMessage(found: FoundAnswer, index: number, message: JsonObject): void {
  const content = message["content"];
  if (typeof content === "string") wrote(found, index, content);
  else if (content !== undefined && content !== null) wroteContent(found, index, content);
  // Most chunks have no more than this.
  for (const name in message) {
    const value = message[name];
    if (value === null || value === undefined) continue;
    if (name === "refusal" || name === "reasoning_content") wrote(found, index, value);
    else if (name === "reasoning" && typeof message["reasoning_content"] !== "string")
      wrote(found, index, value);
    else if (name === "tool_calls") wroteCalls(found, index, value);
    else if (name === "function_call" && isJsonObject(value)) wrote(found, index, value["arguments"]);
    else if (name === "audio" && isJsonObject(value)) wrote(found, index, value["transcript"]);
  }
}

/** Content in parts, as Mistral sends it: `[{"type": "thinking", "thinking": […]}, {"type": "text", "text": …}]`. */
function wroteContent(found: FoundAnswer, index: number, content: unknown): void {
  for (const part of listOf(content)) {
    if (!isJsonObject(part)) continue;
    wrote(found, index, part["text"]);
    for (const thought of listOf(part["thinking"])) {
      if (isJsonObject(thought)) wrote(found, index, thought["text"]);
    }
  }
}

function wroteCalls(found: FoundAnswer, index: number, calls: unknown): void {
  for (const call of listOf(calls)) {
    if (!isJsonObject(call)) continue;
    if (isJsonObject(call["function"])) wrote(found, index, call["function"]["arguments"]);
    else if (isJsonObject(call["custom"])) wrote(found, index, call["custom"]["input"]);
  }
}
