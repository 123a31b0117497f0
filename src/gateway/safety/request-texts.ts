/**
 * The texts of a request, by whose words they are (`ai-policies.md` §4.3): not by what a dialect is known to read, but
 * every string of the body that is not known to be structure. What a provider adds tomorrow is inspected today.
 */
import { isJsonObject, type JsonObject } from "../../base/json-object.ts";
import { decodeText, isText, readableText } from "./raw-text.ts";
import { isStructure, mediaText } from "./structure.ts";

/**
 * `rest`: definitions of tools, schemas, names, whatever else a model may read. Roles that nobody knows are users'.
 */
export type Whose = "system" | "user" | "assistant" | "tool" | "rest";

/** Words of one turn that belong together. */
export interface TurnText {
  readonly whose: Whose;
  readonly parts: readonly string[];
}

export interface RequestTexts {
  readonly turns: readonly TurnText[];
  /** There were pictures, sounds or files, which no guard of texts sees. */
  readonly media: boolean;
}

/** Deeper bodies are read as text. */
const MOST_DEPTH = 128;

/**
 * @param isKnown a dialect is; else everything is text, and everything the user's, unless the body is JSON-RPC
 */
export function readRequestTexts(
  bytes: Uint8Array,
  charset: string | null,
  contentType: string | null,
  isKnown: boolean,
): RequestTexts {
  const text = decodeText(bytes, charset);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return readOther(bytes, text, contentType);
  }
  const reader = new JsonReader();
  if (isKnown || isJsonRpc(value)) reader.read(value);
  else reader.readFree(value);
  // The same name twice, or more depth than is read here: somebody else may read what this reader did not see.
  if (reader.strings !== stringsIn(text)) reader.add("user", readableText(text, false));
  return reader.texts();
}

/**
 * As `readRequestTexts`, of one message that a caller sends in a session.
 *
 * @returns turns of blanks, too
 * @param isKnown the session has a dialect; else a message is text, or JSON that is text with all its names and numbers
 */
export function readMessageTexts(text: string, isKnown: boolean): RequestTexts {
  // Blanks may stand between the words of two messages.
  const reader = new JsonReader(true);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    reader.add("user", readableText(text, false));
    return reader.texts();
  }
  if (isKnown) reader.readMessage(value);
  else if (isJsonRpc(value)) reader.read(value);
  else reader.readFree(value);
  if (reader.strings !== stringsIn(text)) reader.add("user", readableText(text, false));
  return reader.texts();
}

/** A message of MCP or A2A, or several. */
export function isJsonRpc(value: unknown): boolean {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return isJsonObject(one) && one["jsonrpc"] === "2.0";
}

function readOther(bytes: Uint8Array, text: string, contentType: string | null): RequestTexts {
  const boundary = /^\s*multipart\/.*;\s*boundary=("?)([^";]+)\1/i.exec(contentType ?? "")?.[2];
  if (boundary !== undefined) return readMultipart(bytes, boundary);
  if (/^\s*(?:audio|image|video|font)\//i.test(contentType ?? "") && !isText(bytes))
    return { turns: [], media: true };
  return { turns: [{ whose: "user", parts: [readableText(text, false)] }], media: false };
}

/** Forms with files: fields are text, files are when their octets are. */
function readMultipart(bytes: Uint8Array, boundary: string): RequestTexts {
  const octets = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: string[] = [];
  let media = false;
  let at = octets.indexOf(delimiter);
  if (at !== 0) parts.push(octets.toString("utf8", 0, at < 0 ? octets.length : at));
  while (at >= 0) {
    const from = at + delimiter.length;
    const next = octets.indexOf(delimiter, from);
    const part = octets.subarray(from, next < 0 ? octets.length : next);
    const head = part.indexOf("\r\n\r\n");
    const content = head < 0 ? part : part.subarray(head + 4);
    if (isText(content)) parts.push(content.toString("utf8"));
    else if (
      /^content-type:\s*(?:audio|image|video|application\/(?!json|x-ndjson))/im.test(headOf(part, head))
    )
      media = true;
    else parts.push(decodeText(content, null));
    at = next;
  }
  const turns = parts
    .filter((text) => text.trim() !== "" && text.trim() !== "--")
    .map((text): TurnText => ({ whose: "user", parts: [text] }));
  return { turns, media };
}

function headOf(part: Buffer, length: number): string {
  return length < 0 ? "" : part.toString("latin1", 0, length);
}

/** String literals of a JSON text: names and values. */
function stringsIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) {
    count++;
    for (at++; text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) at++;
  }
  return count;
}

/** @param names names, separated by blanks, by whose they are */
function owned(names: Partial<Record<Whose, string>>): ReadonlyMap<string, Whose> {
  return new Map(
    Object.entries(names).flatMap(([whose, list]) => list.split(" ").map((name) => [name, whose as Whose])),
  );
}

const ROLES: ReadonlyMap<string, Whose> = owned({
  system: "system developer",
  assistant: "assistant model agent chatbot",
  tool: "tool function",
});

/** Members whose contents are somebody's, whatever stands around them. */
const OWNERS: ReadonlyMap<string, Whose> = owned({
  system: "system instructions systemInstruction system_instruction preamble",
  rest: "tools functions toolConfig tool_config response_format metadata name",
  tool: "toolResult functionResponse function_response functionResponses function_responses toolResponse tool_response codeExecutionResult code_execution_result tool_results documents document structuredContent",
  assistant: "toolUse functionCall function_call tool_calls",
});

const RESULT_TYPE = /(?:_result|_output|^search_result|^document|^file|^input_file)$/;
const CALL_TYPE = /(?:_call|tool_use|^reasoning|^thinking|^thought|^model_output)$/;
/** Below these, names and numbers are words, too. */
const FREE = new Set(["arguments", "args", "structuredContent", "parameters", "input_schema", "json"]);
/** Below these at any place but the top of a body. */
const FREE_INSIDE = new Set(["input", "response", "data", "metadata", "output", "result"]);

class JsonReader {
  /** String literals met so far: names and values. */
  strings = 0;
  #media = false;
  #turns: { whose: Whose; turn: number; parts: string[] }[] = [];
  #turn = 0;
  readonly #keepsBlanks: boolean;

  constructor(keepsBlanks = false) {
    this.#keepsBlanks = keepsBlanks;
  }

  read(value: unknown): void {
    if (Array.isArray(value)) {
      for (const one of value) {
        this.#turn++;
        this.#top(one);
      }
    } else this.#top(value);
  }

  /** Of a session: what the message wraps is read as a body of its own, so that the turns in it are told apart. */
  readMessage(message: unknown): void {
    if (!isJsonObject(message)) return this.read(message);
    for (const key of Object.keys(message)) {
      const value = message[key];
      if (isJsonObject(value) && !OWNERS.has(key) && !hasOwner(value)) {
        this.strings++;
        this.#turn++;
        this.#top(value);
      } else this.#member(key, value);
    }
  }

  /** Names, numbers and all. */
  readFree(value: unknown): void {
    this.#value("", value, "user", 0, true);
  }

  texts(): RequestTexts {
    return { turns: this.#turns, media: this.#media };
  }

  add(whose: Whose, text: string): void {
    if (this.#keepsBlanks ? text === "" : text.trim() === "") return;
    // Words of one turn may be interrupted by a tool's.
    for (let i = this.#turns.length - 1; i >= 0 && this.#turns[i]!.turn === this.#turn; i--) {
      if (this.#turns[i]!.whose !== whose) continue;
      this.#turns[i]!.parts.push(text);
      return;
    }
    this.#turns.push({ whose, turn: this.#turn, parts: [text] });
  }

  /** Members of a body; the elements of their lists are turns. */
  #top(body: unknown): void {
    if (!isJsonObject(body)) return this.#value("", body, "user", 1, false);
    for (const key of Object.keys(body)) this.#member(key, body[key]);
  }

  #member(key: string, value: unknown): void {
    this.strings++;
    // What a caller's client sends as the result of something is not the user's word.
    const whose = key === "result" ? "tool" : (OWNERS.get(key) ?? "user");
    if (Array.isArray(value) && whose === "user") {
      for (const one of value) {
        this.#turn++;
        this.#value(key, one, whose, 2, false);
      }
      this.#turn++;
    } else this.#value(key, value, whose, 1, key === "tools" || key === "functions");
  }

  #value(key: string, value: unknown, whose: Whose, depth: number, free: boolean): void {
    if (typeof value === "string") {
      this.strings++;
      this.#string(key, value, whose, free);
    } else if (typeof value === "number") {
      if (free) this.add(whose, String(value));
    } else if (depth > MOST_DEPTH) {
      return;
    } else if (Array.isArray(value)) {
      for (const one of value) this.#value(key, one, whose, depth + 1, free);
    } else if (isJsonObject(value)) {
      this.#object(value, free ? whose : ownerOf(value, whose), depth, free);
    }
  }

  #object(object: JsonObject, whose: Whose, depth: number, free: boolean): void {
    for (const key of Object.keys(object)) {
      this.strings++;
      if (free) {
        this.add(whose, `\n${key}:`);
        this.#value(key, object[key], whose, depth + 1, true);
        continue;
      }
      const freed = FREE.has(key) || (FREE_INSIDE.has(key) && isJsonObject(object[key]));
      this.#value(key, object[key], OWNERS.get(key) ?? whose, depth + 1, freed);
    }
  }

  #string(key: string, value: string, whose: Whose, free: boolean): void {
    if (!free && isStructure(key, value)) return;
    const media = mediaText(key, value);
    if (media === null) {
      this.#media = true;
      return;
    }
    if (media !== undefined) return this.add("tool", media);
    this.add(whose, value);
    // Arguments are JSON in a string: its escapes may hide words.
    if (value.includes("\\") && (key === "arguments" || key === "input" || key === "args"))
      this.add(whose, readableText(value, false));
  }
}

function hasOwner(object: JsonObject): boolean {
  return typeof object["role"] === "string" || ownerOf(object, "user") !== "user";
}

function ownerOf(object: JsonObject, whose: Whose): Whose {
  const { role, type } = object;
  if (typeof role === "string") return ROLES.get(role.toLowerCase()) ?? "user";
  if (typeof type !== "string") return whose;
  if (CALL_TYPE.test(type)) return "assistant";
  return RESULT_TYPE.test(type) ? "tool" : whose;
}
