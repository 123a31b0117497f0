/** What the events of an OpenAI Realtime session mean to whoever limits or logs it. */
import { isJsonObject, type JsonObject } from "../../../base/json-object.ts";
import type { SessionWords } from "../../dialect.ts";

export const realtimeWords: SessionWords = {
  inBinary: false,
  isSound: (start) => SOUND.test(start),
  asks: (event) => event["type"] === "response.create",
  begins: (event) => event["type"] === "response.created",
  setsUp: () => false,
  said: (from, event) => {
    const type = typeof event["type"] === "string" ? event["type"] : "";
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
  refusal: (message) =>
    JSON.stringify({
      type: "error",
      error: { type: "rate_limit_exceeded", code: "token_limit_exceeded", message },
    }),
};

const SOUND = /"type"\s*:\s*"(?:input_audio_buffer\.append|response\.(?:output_)?audio\.delta)"/;

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
