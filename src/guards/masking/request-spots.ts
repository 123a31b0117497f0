/**
 * Where the texts of a request to a model are: in all dialects at once, by what is no text rather than by what is, so that a
 * kind of part that comes tomorrow is covered today. Names, ids, types, addresses and encoded octets are left alone;
 * within arguments, inputs and results of tools, whose members are nobody's convention, everything is text.
 */
import { type Edit, type JsonPart, type ObjectPart, edited, member, readJson, textOf } from "./json-text.ts";

/** A text, and how to write another in its place. */
export interface Spot {
  readonly text: string;
  /** Digits outside a string: what is masked of them becomes a string. */
  readonly isNumber: boolean;
  replacement: string | null;
}

/** Members whose strings name, point to or encode something. */
const NO_TEXT = new Set(
  (
    "id type role name model object status index format detail event " +
    "tool_call_id tool_use_id toolUseId call_id callId item_id response_id previous_response_id conversation prompt_cache_key file_id container " +
    "vector_store_ids server_label server_url connector_id authorization headers media_type mime_type mimeType mediaType " +
    "signature thoughtSignature thought_signature encrypted_content url image_url file_url fileUri file_uri uri file_data bytes b64_json data " +
    "bytesBase64Encoded bytes_base64_encoded inputImage tool_choice service_tier anthropic_version anthropic_beta reasoning_effort effort verbosity " +
    "modalities include truncation language voice size quality style encoding_format cachedContent cached_content stop stop_sequences stopSequences " +
    "$schema $id $ref pattern definition syntax schemaVersion responseMimeType response_mime_type responseModalities taskType input_type ttl mode " +
    "finish_reason stop_reason required propertyOrdering recipient"
  ).split(" "),
);
/** Objects (and lists) under these hold what tools are given and give back. */
const FREE = new Set(["arguments", "args", "response", "json", "tool_results", "documents", "partialArgs"]);
/** Shorter numbers are nobody's. */
const NUMBER_DIGITS = 8;
const LOOKS_LIKE_JSON = /^\s{0,64}[{[]/;
/** JSON in a string of JSON in a string: what is deeper is plain text. */
const DEEPEST = 4;

export class RequestSpots {
  readonly spots: Spot[] = [];
  readonly #text: string;
  readonly #writers: (() => Edit | null)[];

  private constructor(text: string, root: JsonPart, free: boolean, depth: number, spots: Spot[]) {
    this.#text = text;
    this.#writers = [];
    this.spots = spots;
    this.#walk(root, "", free, depth);
  }

  /** @returns null when it is no JSON */
  static of(text: string): RequestSpots | null {
    const root = readJson(text);
    return root === null ? null : new RequestSpots(text, root, false, 0, []);
  }

  /** The text with the replacements; itself when there are none. */
  written(): string {
    const edits: Edit[] = [];
    for (const write of this.#writers) {
      const edit = write();
      if (edit !== null) edits.push(edit);
    }
    return edited(this.#text, edits);
  }

  #walk(part: JsonPart, key: string, free: boolean, depth: number): void {
    switch (part.kind) {
      case "string":
        if (free || !NO_TEXT.has(key)) this.#string(part.start, part.end, part.value, depth);
        break;
      case "number":
        if (free && part.end - part.start >= NUMBER_DIGITS) this.#number(part.start, part.end);
        break;
      case "array":
        for (const item of part.items) this.#walk(item, key, free, depth);
        break;
      case "object":
        this.#object(part, free, depth);
    }
  }

  #object(part: ObjectPart, free: boolean, depth: number): void {
    const toolInput = !free && isToolUse(part);
    const isText = !free && textOf(member(part, "type")) === "text";
    for (const { key, value } of part.members) {
      const name = key.value;
      if (free) this.#string(key.start, key.end, name, DEEPEST);
      const inside = free || (value.kind !== "string" && FREE.has(name)) || (toolInput && name === "input");
      // A document whose source is text has it where others have base64.
      this.#walk(value, isText && name === "data" ? "text" : name, inside, depth);
    }
  }

  #string(start: number, end: number, value: string, depth: number): void {
    if (value.length < 4) return;
    if (depth < DEEPEST && LOOKS_LIKE_JSON.test(value)) {
      const root = readJson(value);
      if (root !== null) {
        const inner = new RequestSpots(value, root, true, depth + 1, this.spots);
        this.#writers.push(() => {
          const text = inner.written();
          return text === value ? null : { start, end, text: JSON.stringify(text) };
        });
        return;
      }
    }
    const spot = this.#spot(value, false);
    this.#writers.push(() =>
      spot.replacement === null ? null : { start, end, text: JSON.stringify(spot.replacement) },
    );
  }

  #number(start: number, end: number): void {
    const spot = this.#spot(this.#text.slice(start, end), true);
    this.#writers.push(() =>
      spot.replacement === null ? null : { start, end, text: JSON.stringify(spot.replacement) },
    );
  }

  #spot(text: string, isNumber: boolean): Spot {
    const spot: Spot = { text, isNumber, replacement: null };
    this.spots.push(spot);
    return spot;
  }
}

/** Anthropic's blocks say so by their type, Bedrock's by their members. */
function isToolUse(part: ObjectPart): boolean {
  const type = textOf(member(part, "type"));
  return type === null ? member(part, "toolUseId") !== null : type.endsWith("tool_use");
}
