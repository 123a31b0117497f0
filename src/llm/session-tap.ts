/**
 * Looks at a WebSocket session with a model as it passes, in both directions: sums usage over its responses, counts what
 * the model says, hands transcripts and events to whoever limits or logs the session. Sounds are not parsed.
 */
import type { AnswerReader, Dialect, FoundAnswer } from "./dialect.ts";
import { type JsonObject, isJsonObject } from "../base/json-object.ts";
import { takeValue } from "./response-tap.ts";
import { FrameReader, compressionOf } from "./websocket-frames.ts";

export interface SessionOptions {
  /** `Sec-WebSocket-Extensions` of the handshake's answer; null when absent. */
  readonly extensions: string | null;
  /** UTF-16 units of text that are kept; 0 = only its length. */
  readonly keepText: number;
  /**
   * Each event that is no sound, after it was read: `found` knows of it. May throw nothing.
   *
   * @param from who sent it
   */
  readonly onEvent?: (from: "client" | "server", type: string, event: JsonObject) => void;
  /** What was said: a part of the conversation as text, once it is whole. */
  readonly onTranscript?: (role: "user" | "assistant", text: string) => void;
}

export interface SessionTap {
  /** What the model's responses say, all together; the same object, growing. */
  readonly found: FoundAnswer;
  /** Where a frame of the gateway's own may go towards the client, and towards the model. */
  readonly server: FrameReader;
  readonly client: FrameReader;
  /** @param chunk raw octets after the handshake, borrowed */
  fromServer(chunk: Uint8Array): void;
  fromClient(chunk: Uint8Array): void;
}

export function tapSession(dialect: Dialect, options: SessionOptions): SessionTap {
  return new Session(dialect.readAnswer(options.keepText), options);
}

class Session implements SessionTap {
  readonly found: FoundAnswer;
  readonly server: FrameReader;
  readonly client: FrameReader;
  readonly #options: SessionOptions;

  constructor(reader: AnswerReader, options: SessionOptions) {
    this.found = reader.found;
    this.#options = options;
    const compression = compressionOf(options.extensions);
    this.server = new FrameReader((text) => {
      const event = parsedEvent(text);
      if (event === null) return;
      takeValue(reader, null, event);
      this.#tell("server", event);
    }, compression.server);
    this.client = new FrameReader((text) => {
      const event = parsedEvent(text);
      if (event !== null) this.#tell("client", event);
    }, compression.client);
  }

  fromServer(chunk: Uint8Array): void {
    this.server.write(chunk);
  }

  fromClient(chunk: Uint8Array): void {
    this.client.write(chunk);
  }

  #tell(from: "client" | "server", event: JsonObject): void {
    const { onEvent, onTranscript } = this.#options;
    const type = typeof event["type"] === "string" ? event["type"] : "";
    onEvent?.(from, type, event);
    if (onTranscript === undefined) return;
    const transcript = event["transcript"] ?? event["text"];
    if (typeof transcript === "string" && transcript !== "" && from === "server") {
      if (SPOKEN.has(type)) onTranscript("assistant", transcript);
      else if (type === "conversation.item.input_audio_transcription.completed") {
        onTranscript("user", transcript);
      }
    } else if (from === "client" && type === "conversation.item.create") {
      const text = itemText(event["item"]);
      if (text !== "") onTranscript("user", text);
    }
  }
}

/** What the model said or wrote, whole; the names of both generations. */
const SPOKEN = new Set([
  "response.output_audio_transcript.done",
  "response.audio_transcript.done",
  "response.output_text.done",
  "response.text.done",
]);

function itemText(item: unknown): string {
  if (!isJsonObject(item) || !Array.isArray(item["content"])) return "";
  return item["content"]
    .map((part: unknown) => (isJsonObject(part) ? (part["text"] ?? part["transcript"]) : null))
    .filter((text) => typeof text === "string")
    .join("");
}

/** A sound of 100 kB is told by its first characters; parsing it would cost a millisecond and say nothing. */
function parsedEvent(text: string): JsonObject | null {
  if (text.length > 2048 && SOUND.test(text.slice(0, 512))) return null;
  try {
    const event: unknown = JSON.parse(text);
    return isJsonObject(event) ? event : null;
  } catch {
    return null;
  }
}

const SOUND = /"type"\s*:\s*"(?:input_audio_buffer\.append|response\.(?:output_)?audio\.delta)"/;
