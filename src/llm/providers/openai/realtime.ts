/**
 * OpenAI Realtime: one WebSocket session with many responses; usage comes with each `response.done` and is summed. Both
 * generations of event names are read (`response.audio_transcript.delta`, `response.output_audio_transcript.delta`).
 * The Responses API over a WebSocket is the same conversation with other names for the ends of a response.
 * What transcribes the caller's own speech is another model with another bill: it is not part of the sum
 * (`ai-apis.md` §8.2). In a session that is there to transcribe there is no other model: each utterance is a response.
 */
import { isJsonObject, type JsonObject } from "../../../base/json-object.ts";
import { newAnswer, wrote } from "../../answer.ts";
import type { AnswerReader, Dialect, FoundAnswer, ModelRequest, RequestLine } from "../../dialect.ts";
import { NO_PROMPT } from "../../prompt.ts";
import { addUsage } from "../../usage.ts";
import { errorOf, nameOf } from "./fields.ts";
import { deploymentOf, endsWith, queryValue } from "./paths.ts";
import { providerOf } from "./provider.ts";
import { wroteDelta, wroteOutput } from "./responses.ts";
import { realtimeWords, transcribes } from "./session-words.ts";
import { readUsage } from "./usage.ts";

export const openaiRealtime: Dialect = {
  name: "openai-realtime",
  provider: "openai",
  operation: "realtime",
  session: realtimeWords,
  matchesLine: (line) =>
    line.method === "GET" && (endsWith(line.path, "/realtime") || isResponsesSocket(line)),
  readRequest: (_body, line) => realtimeRequest(line),
  readAnswer: (keepText) => new RealtimeReader(keepText),
};

/** Without an upgrade, a list of responses is asked for. */
function isResponsesSocket(line: RequestLine): boolean {
  return endsWith(line.path, "/responses") && line.header("upgrade")?.toLowerCase() === "websocket";
}

const ENDS: ReadonlySet<string> = new Set([
  "response.done",
  "response.completed",
  "response.incomplete",
  "response.failed",
]);

/** Stands before the names of all events that tell what the caller said. */
const TRANSCRIPTION = "conversation.item.input_audio_transcription.";

/** In the places of both generations. */
function transcribingModel(session: JsonObject): string | null {
  const { audio } = session;
  const input = isJsonObject(audio) && isJsonObject(audio["input"]) ? audio["input"] : session;
  const transcription = input["transcription"] ?? session["input_audio_transcription"];
  return isJsonObject(transcription) ? nameOf(transcription["model"]) : null;
}

function realtimeRequest(line: RequestLine): ModelRequest {
  const deployment = queryValue(line.query, "deployment") ?? deploymentOf(line);
  return {
    model: deployment ?? queryValue(line.query, "model"),
    deployment,
    provider: deployment === null ? providerOf(line) : "azure.ai.openai",
    stream: true,
    outputBound: null,
    wantsUsage: false,
    parameters: {},
    prompt: () => NO_PROMPT,
    messages: () => [],
  };
}

class RealtimeReader implements AnswerReader {
  readonly found: FoundAnswer;
  #textBefore = 0;
  #transcribes = false;

  constructor(keepText: number) {
    this.found = newAnswer(keepText);
  }

  /** Events of the server; those of the client say nothing of an answer. */
  take(event: string | null, value: unknown): void {
    if (!isJsonObject(value)) return;
    const found = this.found;
    const type = typeof value["type"] === "string" ? value["type"] : (event ?? "");
    if (type.endsWith(".delta")) {
      if (type.startsWith("response.") || type.startsWith("session.output_transcript")) {
        wroteDelta(found, type, value);
      } else if (this.#transcribes && type.startsWith(TRANSCRIPTION)) wroteDelta(found, type, value);
      return;
    }
    if (this.#transcribes && type.startsWith(TRANSCRIPTION)) this.#transcribed(type, value);
    const response = value["response"];
    if (ENDS.has(type) && isJsonObject(response)) this.#done(response);
    else if (type === "response.created") found.complete = false;
    else if (type === "error") found.error = errorOf(value["error"]) ?? "error";
    if (isJsonObject(value["session"])) this.#session(value, value["session"]);
  }

  #session(event: JsonObject, session: JsonObject): void {
    const { found } = this;
    found.model = nameOf(session["model"]) ?? found.model;
    this.#transcribes = transcribes(event) === true;
    if (this.#transcribes) found.model = transcribingModel(session) ?? found.model;
  }

  #transcribed(type: string, value: JsonObject): void {
    const { found } = this;
    if (type.endsWith(".failed")) {
      found.error = errorOf(value["error"]) ?? "error";
    } else if (!type.endsWith(".completed")) return;
    const usage = readUsage(value["usage"]);
    if (usage !== null) found.usage = found.usage === null ? usage : addUsage(found.usage, usage);
    found.id = nameOf(value["item_id"]) ?? found.id;
    if (found.textLength === this.#textBefore) wrote(found, 0, value["transcript"]);
    this.#textBefore = found.textLength;
    found.complete = true;
    found.responses++;
  }

  #done(response: JsonObject): void {
    const found = this.found;
    const usage = readUsage(response["usage"]);
    if (usage !== null) found.usage = found.usage === null ? usage : addUsage(found.usage, usage);
    found.id = nameOf(response["id"]) ?? found.id;
    found.model = nameOf(response["model"]) ?? found.model;
    const details = response["status_details"] ?? response["incomplete_details"];
    const reason = isJsonObject(details) ? nameOf(details["reason"]) : null;
    found.finishReason = reason ?? nameOf(response["status"]) ?? found.finishReason;
    if (isJsonObject(details)) found.error = errorOf(details["error"]) ?? found.error;
    if (found.textLength === this.#textBefore) wroteOutput(found, response["output"]);
    this.#textBefore = found.textLength;
    found.complete = true;
    found.responses++;
  }
}
