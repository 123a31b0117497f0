/**
 * The words in an answer, gathered while it comes. Every string that is not known to be structure counts, under the path
 * where it stands: what a stream sends in pieces comes at one path again and again, so that a word cut into deltas is whole
 * again here, whatever else comes in between.
 */
import { type Hash, createHash, hash } from "node:crypto";
import { type JsonObject, isJsonObject } from "../../base/json-object.ts";
import { characterStart } from "./questions.ts";
import { readableText, textInBase64, unescaped } from "./raw-text.ts";
import { isStructure, mediaText } from "./structure.ts";

/** Paths that are told apart; of what comes beyond, all is one. */
const MOST_PATHS = 1000;
const MOST_DEPTH = 128;

/** Members that tell values at the same path apart: choices, items, blocks. */
const NUMBERS = [
  "index",
  "output_index",
  "content_index",
  "summary_index",
  "contentBlockIndex",
  "item_id",
  "thought",
] as const;

/** Below these, names and numbers are words, too. */
const FREE = new Set(["arguments", "args", "input", "structuredContent"]);
/** JSON that comes as text, perhaps in pieces. */
const JSON_TEXT = /\.(?:arguments|partial_json|input|delta)$/;

interface Channel {
  /** The end of what was judged. */
  tail: string;
  fresh: string;
  readonly isJson: boolean;
  /** UTF-16 units of all that came, and their hash. */
  length: number;
  readonly sum: Hash | null;
}

/** Shorter texts are not looked for among what came. */
const SHORTEST_REPEATED = 24;

/** What these objects of OpenAI and Gemini say again of the request, or of the session. */
const ECHOING: ReadonlySet<unknown> = new Set([
  "response",
  "realtime.response",
  "realtime.session",
  "realtime.transcription_session",
  "interaction",
]);
const ECHOED = new Set(["instructions", "tools", "prompt", "metadata", "system_instruction"]);

/** The caller's own words among the steps of an interaction (Gemini). */
function isEcho(key: string, value: JsonObject): boolean {
  return (key === "steps" || key === "step") && value["type"] === "user_input";
}

export class AnswerTexts {
  /** UTF-16 units that were not judged yet. */
  pending = 0;
  /** There were pictures or sounds. */
  media = false;
  readonly #overlap: number;
  readonly #channels = new Map<string, Channel>();
  #fresh: Channel[] = [];
  /** All words in the order in which they came. */
  readonly #all: Channel = { tail: "", fresh: "", isJson: false, length: 0, sum: null };

  /** Of a document, what stands there one below the other; null for streams. */
  readonly #lines: string[] | null;

  /**
   * @param overlap units of what was judged that are judged again with what follows
   * @param isDocument it comes at once: strings beside each other may be texts of their own
   */
  constructor(overlap: number, isDocument: boolean) {
    this.#overlap = overlap;
    this.#lines = isDocument ? [] : null;
  }

  add(path: string, text: string): void {
    if (this.#lines === null && text.length >= SHORTEST_REPEATED && this.#isRepeated(text)) return;
    const channel = this.#channels.get(path) ?? this.#channelFor(path);
    if (channel.fresh === "") this.#fresh.push(channel);
    channel.fresh += text;
    channel.length += text.length;
    channel.sum?.update(text, "utf16le");
    this.#all.fresh += text;
    this.#lines?.push(text);
    this.pending += text.length;
  }

  #channelFor(path: string): Channel {
    const key = this.#channels.size < MOST_PATHS ? path : "";
    let channel = this.#channels.get(key);
    if (channel === undefined) {
      const sum = this.#lines === null ? createHash("sha256") : null;
      channel = { tail: "", fresh: "", isJson: JSON_TEXT.test(path), length: 0, sum };
      this.#channels.set(key, channel);
    }
    return channel;
  }

  /** Some streams say at the end once more what they said in pieces: that is among what is judged already. */
  #isRepeated(text: string): boolean {
    for (const { length, sum } of this.#channels.values()) {
      if (length !== text.length || sum === null) continue;
      if (sum.copy().digest("hex") === hash("sha256", Buffer.from(text, "utf16le"), "hex")) return true;
    }
    return false;
  }

  /**
   * A value of the answer: a document, what one event carries, an element.
   *
   * @param free nothing in it is structure: names and numbers are words, too
   */
  value(value: unknown, free = false): void {
    this.#value("", "", value, 0, free);
  }

  /** How many are told apart. */
  get paths(): number {
    return this.#channels.size;
  }

  /** Of a session, which has ever new paths: those where nothing waits are forgotten; what was said last is not. */
  forgetPaths(): void {
    for (const [path, channel] of this.#channels) if (channel.fresh === "") this.#channels.delete(path);
  }

  /** Octets that were no such value. */
  raw(text: string, path = "raw"): void {
    const words = readableText(text, true);
    if (words.trim() !== "") this.add(path, words);
  }

  /** What is to be judged now, each text with the end of what came before it. */
  take(): string[] {
    const all = this.#taken(this.#all);
    const texts = this.#fresh.map((channel) => this.#taken(channel));
    this.#fresh = [];
    this.pending = 0;
    // One text that came alone is all there is.
    if (!(texts.length === 1 && (texts[0] === all || all.trim() === ""))) texts.push(all);
    if (this.#lines !== null && this.#lines.length > 1) texts.push(this.#lines.join("\n"));
    return texts.filter((text) => text.trim() !== "");
  }

  #taken(channel: Channel): string {
    const text = channel.tail + channel.fresh;
    channel.tail = text.slice(characterStart(text, Math.max(0, text.length - this.#overlap)));
    channel.fresh = "";
    // Plain text and JSON stand at the same paths: both readings count.
    return channel.isJson && text.includes("\\") ? `${text}\n${unescaped(text)}` : text;
  }

  #value(path: string, key: string, value: unknown, depth: number, free: boolean): void {
    if (typeof value === "string") this.#string(path, key, value, free);
    else if (typeof value === "number") {
      if (free) this.add(path, `${value}\n`);
    } else if (Array.isArray(value)) {
      if (depth > MOST_DEPTH) this.add(path, JSON.stringify(value));
      else for (const one of value) this.#value(path, key, one, depth + 1, free);
    } else if (isJsonObject(value)) {
      if (depth > MOST_DEPTH) return this.add(path, JSON.stringify(value));
      if (!free && isEcho(key, value)) return;
      const numbered = path + numberOf(value);
      const echoes = ECHOING.has(value["object"]);
      for (const name in value) {
        if (echoes && ECHOED.has(name)) continue;
        if (free) this.add(numbered, `\n${name}:`);
        this.#value(
          free ? numbered : `${numbered}.${name}`,
          name,
          value[name],
          depth + 1,
          free || isFree(name, value),
        );
      }
    }
  }

  #string(path: string, key: string, value: string, free: boolean): void {
    if (value === "") return;
    if (!free && isStructure(key, value)) return;
    // InvokeModel of Bedrock wraps each value of a stream in base64.
    const wrapped = key === "bytes" ? parsed(textInBase64(value)) : undefined;
    if (wrapped !== undefined) return this.#value(path, "", wrapped, 1, false);
    const text = mediaText(key, value);
    if (text === undefined) return this.add(path, value);
    if (text === null) {
      this.media = true;
      return;
    }
    this.add(path, text);
  }
}

function isFree(name: string, parent: Record<string, unknown>): boolean {
  return FREE.has(name) && typeof parent[name] === "object";
}

function numberOf(value: Record<string, unknown>): string {
  let number = "";
  for (const name of NUMBERS) {
    const one = value[name];
    if (typeof one === "number" || typeof one === "string" || one === true) number += `#${one}`;
  }
  return number;
}

function parsed(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
