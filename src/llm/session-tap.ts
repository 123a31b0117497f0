/**
 * Looks at a WebSocket session with a model as it passes, in both directions: sums usage over its responses, counts what
 * the model says, hands transcripts and events to whoever limits or logs the session. Sounds are not parsed.
 */
import type { AnswerReader, Dialect, FoundAnswer, Saying, SessionWords } from "./dialect.ts";
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
  readonly onEvent?: (from: "client" | "server", event: JsonObject) => void;
  /** What was said: a part of the conversation as text. */
  readonly onTranscript?: (saying: Saying) => void;
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
  return new Session(dialect.readAnswer(options.keepText), dialect.session ?? UNKNOWN, options);
}

/** Recordings of sessions in dialects that have none here: whatever is JSON is read. */
const UNKNOWN: SessionWords = {
  inBinary: true,
  isSound: () => false,
  asks: () => false,
  begins: () => false,
  announces: () => false,
  turnsTo: () => null,
  setsUp: () => false,
  said: () => null,
  heard: () => null,
  written: (message) => message,
  goesOn: () => false,
  refusal: () => null,
};

class Session implements SessionTap {
  readonly found: FoundAnswer;
  readonly server: FrameReader;
  readonly client: FrameReader;
  readonly #options: SessionOptions;
  readonly #words: SessionWords;

  constructor(reader: AnswerReader, words: SessionWords, options: SessionOptions) {
    this.found = reader.found;
    this.#options = options;
    this.#words = words;
    const compression = compressionOf(options.extensions);
    this.server = new FrameReader(
      (text) => {
        const event = parsedEvent(text, words);
        if (event === null) return;
        takeValue(reader, null, event);
        this.#tell("server", event);
      },
      { ...compression.server, binary: words.inBinary },
    );
    this.client = new FrameReader(
      (text) => {
        const event = parsedEvent(text, words);
        if (event !== null) this.#tell("client", event);
      },
      { ...compression.client, binary: words.inBinary },
    );
  }

  fromServer(chunk: Uint8Array): void {
    this.server.write(chunk);
  }

  fromClient(chunk: Uint8Array): void {
    this.client.write(chunk);
  }

  #tell(from: "client" | "server", event: JsonObject): void {
    const { onEvent, onTranscript } = this.#options;
    onEvent?.(from, event);
    const saying = onTranscript === undefined ? null : this.#words.said(from, event);
    if (saying !== null) onTranscript!(saying);
  }
}

/** A sound of 100 kB is told by its first characters; parsing it would cost a millisecond and say nothing. */
function parsedEvent(text: string, words: SessionWords): JsonObject | null {
  if (text.length > 2048 && words.isSound(text.slice(0, 512))) return null;
  try {
    const event: unknown = JSON.parse(text);
    return isJsonObject(event) ? event : null;
  } catch {
    return null;
  }
}
