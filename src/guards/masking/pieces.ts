/**
 * Which strings of an event continue what earlier events said, and which events end that, in every dialect; told by the
 * event's shape alone. A text comes in pieces over many events, several texts at once: each has a channel of its own.
 */
import { type JsonPart, type StringPart, member, textOf } from "./json-text.ts";

export interface Piece {
  readonly part: StringPart;
  readonly channel: string;
  /** Pieces of JSON: a tool's arguments. */
  readonly json: boolean;
}

export interface EventPieces {
  readonly pieces: readonly Piece[];
  /** Channels that begin so end with this event; the empty string: all. */
  readonly ends: readonly string[];
}

/** @param event name of the SSE event or of the event-stream message */
export function piecesOf(event: string | null, value: JsonPart): EventPieces {
  const found = new Collector();
  if (value.kind !== "object") return found;
  const type = textOf(member(value, "type")) ?? "";
  if (member(value, "choices") !== null) chat(value, found);
  else if (type.includes(".")) responses(value, type, found);
  else if (/^(?:content_block|message)_/.test(type)) messages(value, type, found);
  else if (member(value, "candidates") !== null) gemini(value, found);
  else if (event !== null && CONVERSE.has(event)) converse(event, value, found);
  else if (value.members.some(({ key }) => CONVERSE.has(key.value)))
    for (const { key, value: inner } of value.members) converse(key.value, inner, found);
  else makers(value, found);
  return found;
}

class Collector implements EventPieces {
  readonly pieces: Piece[] = [];
  readonly ends: string[] = [];

  add(channel: string, part: JsonPart | null, json = false): void {
    if (part?.kind === "string") this.pieces.push({ part, channel, json });
  }

  end(prefix: string): void {
    this.ends.push(prefix);
  }
}

function itemsOf(part: JsonPart | null): readonly JsonPart[] {
  return part?.kind === "array" ? part.items : [];
}

/** What a part says its index is, else where it stands. */
function indexOf(part: JsonPart, position = 0, name = "index"): number {
  const index = member(part, name);
  return index?.kind === "number" ? index.value : position;
}

function isGiven(part: JsonPart | null): boolean {
  return part !== null && part.kind !== "literal" && textOf(part) !== "";
}

/** Chat Completions and its kin: whatever string a delta has is text. Completions: `text` in the choice itself. */
function chat(value: JsonPart, found: Collector): void {
  itemsOf(member(value, "choices")).forEach((choice, position) => {
    const prefix = `c${indexOf(choice, position)}:`;
    found.add(`${prefix}text`, member(choice, "text"));
    chatDelta(member(choice, "delta"), prefix, found);
    if (isGiven(member(choice, "finish_reason")) || isGiven(member(choice, "stop_reason"))) found.end(prefix);
  });
}

function chatDelta(delta: JsonPart | null, prefix: string, found: Collector): void {
  if (delta?.kind !== "object") return;
  for (const { key, value } of delta.members) {
    if (key.value !== "role") found.add(prefix + key.value, value);
    // Some write parts where others write a string.
    for (const part of itemsOf(key.value === "content" ? value : null))
      found.add(`${prefix}content`, member(part, "text"));
  }
  found.add(`${prefix}function`, member(member(delta, "function_call"), "arguments"), true);
  found.add(`${prefix}transcript`, member(member(delta, "audio"), "transcript"));
  itemsOf(member(delta, "tool_calls")).forEach((call, position) => {
    const channel = `${prefix}t${indexOf(call, position)}:`;
    found.add(`${channel}arguments`, member(member(call, "function"), "arguments"), true);
    found.add(`${channel}input`, member(member(call, "custom"), "input"));
  });
}

/** Responses: `….delta` continues, `….done` of the same kind and place ends it; the last events end all. */
function responses(value: JsonPart, type: string, found: Collector): void {
  const dot = type.lastIndexOf(".");
  const kind = type.slice(0, dot);
  const place = ["output_index", "content_index", "summary_index"].map((name) => indexOf(value, -1, name));
  const channel = `${kind}@${place.join(",")}`;
  const end = type.slice(dot + 1);
  if (end === "delta") found.add(channel, member(value, "delta"), kind.endsWith("arguments"));
  else if (end === "done") found.end(channel);
  if (kind === "response" && END_OF_RESPONSE.has(end)) found.end("");
}

const END_OF_RESPONSE = new Set(["completed", "incomplete", "failed", "cancelled", "done"]);

/** Anthropic Messages. */
function messages(value: JsonPart, type: string, found: Collector): void {
  const prefix = `b${indexOf(value)}:`;
  const delta = member(value, "delta");
  switch (type) {
    case "content_block_delta":
      found.add(`${prefix}text`, member(delta, "text"));
      found.add(`${prefix}thinking`, member(delta, "thinking"));
      found.add(`${prefix}json`, member(delta, "partial_json"), true);
      break;
    case "content_block_stop":
      found.end(prefix);
      break;
    case "message_delta":
    case "message_stop":
      found.end("");
  }
}

/** Gemini: the parts of a candidate follow one another, thoughts apart. */
function gemini(value: JsonPart, found: Collector): void {
  itemsOf(member(value, "candidates")).forEach((candidate, position) => {
    const prefix = `g${indexOf(candidate, position)}:`;
    for (const part of itemsOf(member(member(candidate, "content"), "parts"))) {
      found.add(prefix + (member(part, "thought") === null ? "text" : "thought"), member(part, "text"));
      for (const argument of itemsOf(member(member(part, "functionCall"), "partialArgs")))
        found.add(`${prefix}${textOf(member(argument, "jsonPath"))}`, member(argument, "stringValue"));
    }
    if (isGiven(member(candidate, "finishReason"))) found.end(prefix);
  });
}

const CONVERSE = new Set(["contentBlockDelta", "contentBlockStop", "messageStop"]);

/** Bedrock's Converse, and Nova's events under InvokeModel. */
function converse(event: string, value: JsonPart, found: Collector): void {
  const prefix = `b${indexOf(value, 0, "contentBlockIndex")}:`;
  const delta = member(value, "delta");
  switch (event) {
    case "contentBlockDelta":
      found.add(`${prefix}text`, member(delta, "text"));
      found.add(`${prefix}thinking`, member(member(delta, "reasoningContent"), "text"));
      found.add(`${prefix}json`, member(member(delta, "toolUse"), "input"), true);
      break;
    case "contentBlockStop":
      found.end(prefix);
      break;
    case "messageStop":
      found.end("");
  }
}

/** The makers' own formats behind InvokeModel, and others that have text and a reason to stop at the top. */
function makers(value: JsonPart, found: Collector): void {
  for (const name of ["generation", "outputText", "completion", "text", "response"])
    found.add(`m:${name}`, member(value, name));
  found.add("m:message", member(member(value, "message"), "content"));
  for (const list of ["outputs", "generations", "results"]) {
    itemsOf(member(value, list)).forEach((item, position) => {
      const prefix = `m${list}${indexOf(item, position)}:`;
      found.add(`${prefix}text`, member(item, "text") ?? member(item, "outputText"));
      if (isGiven(member(item, "stop_reason")) || isGiven(member(item, "finish_reason"))) found.end(prefix);
    });
  }
  for (const name of ["stop_reason", "completionReason", "finish_reason", "done_reason"])
    if (isGiven(member(value, name))) found.end("");
}
