/** What the events of an OpenAI Realtime session mean to whoever limits or logs it. */
import { isJsonObject, type JsonObject } from "../../../base/json-object.ts";
import type { SessionWords } from "../../dialect.ts";

export const realtimeWords: SessionWords = {
  inBinary: false,
  isSound: (start) => SOUND.test(start),
  asks: (event) => event["type"] === "response.create",
  begins: (event) => event["type"] === "response.created",
  announces: () => false,
  turnsTo: (_from, event) => (transcribes(event) === true ? transcriptionWords : null),
  setsUp: () => false,
  said: (from, event) => {
    const type = typeOf(event);
    if (from === "client") {
      return type === "conversation.item.create" ? spoken("user", itemText(event["item"])) : null;
    }
    const transcript = event["transcript"] ?? event["text"];
    if (typeof transcript !== "string") return null;
    if (SPOKEN.has(type)) return spoken("assistant", transcript);
    return type === "conversation.item.input_audio_transcription.completed"
      ? spoken("user", transcript)
      : null;
  },
  heard: (event) => {
    const type = typeOf(event);
    if (!HEARD.test(type)) return null;
    const text = event["transcript"] ?? event["delta"] ?? event["text"];
    return typeof text === "string" && text !== "" ? { text, isPiece: type.endsWith(".delta") } : null;
  },
  written: (event) => {
    const type = typeOf(event);
    if (type === "rate_limits.updated" || HEARD.test(type)) return null;
    // The server repeats what it was told.
    const { item } = event;
    return type.startsWith("conversation.item.") && isJsonObject(item) && item["role"] === "user"
      ? null
      : event;
  },
  goesOn: (event) => typeOf(event).endsWith(".delta"),
  refusal: (message, cause) =>
    JSON.stringify({
      type: "error",
      error:
        cause === "limit"
          ? { type: "rate_limit_exceeded", code: "token_limit_exceeded", message }
          : { type: "invalid_request_error", code: "content_filter", message, param: null, event_id: null },
    }),
};

/**
 * Of a session that is there to transcribe: each utterance is a response. It begins when the client commits what was
 * said, or when the server finds it to be over; that somebody speaks, the server tells before.
 */
const transcriptionWords: SessionWords = {
  ...realtimeWords,
  asks: (event) => event["type"] === "input_audio_buffer.commit" || event["type"] === "response.create",
  begins: (event) => event["type"] === "input_audio_buffer.committed" || event["type"] === "response.created",
  announces: (event) => event["type"] === "input_audio_buffer.speech_started",
  // Only the server takes it back: what a client asks for, it may not get.
  turnsTo: (from, event) => (from === "server" && transcribes(event) === false ? realtimeWords : null),
};

/** What an event says of whether the session is there to transcribe, in the names of both generations; null: nothing. */
export function transcribes(event: JsonObject): boolean | null {
  const { session } = event;
  if (!isJsonObject(session)) return null;
  return typeOf(event).startsWith("transcription_session.") || session["type"] === "transcription";
}

/** `session.` stands before the names of translations. */
const SOUND =
  /"type"\s*:\s*"(?:(?:session\.)?input_audio_buffer\.append|(?:response\.(?:output_)?|session\.output_)audio\.delta)"/;

const HEARD =
  /^(?:conversation\.item\.input_audio_transcription\.(?:delta|segment|completed)|session\.input_transcript\.)/;

function typeOf(event: JsonObject): string {
  return typeof event["type"] === "string" ? event["type"] : "";
}

/** What the model said or wrote, whole; the names of both generations. */
const SPOKEN = new Set([
  "response.output_audio_transcript.done",
  "response.audio_transcript.done",
  "response.output_text.done",
  "response.text.done",
]);

function spoken(role: "user" | "assistant", text: string): ReturnType<SessionWords["said"]> {
  return text === "" ? null : { role, text, isPiece: false };
}

function itemText(item: unknown): string {
  if (!isJsonObject(item) || !Array.isArray(item["content"])) return "";
  return item["content"]
    .map((part: unknown) => (isJsonObject(part) ? textOf(part) : null))
    .filter((text) => typeof text === "string")
    .join("");
}

function textOf(part: JsonObject): unknown {
  return part["text"] ?? part["transcript"];
}
