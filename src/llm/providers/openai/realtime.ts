/**
 * OpenAI Realtime: one WebSocket session with many responses; usage comes with each `response.done` and is summed. Both
 * generations of event names are read (`response.audio_transcript.delta`, `response.output_audio_transcript.delta`).
 * The Responses API over a WebSocket is the same conversation with other names for the ends of a response.
 * What transcribes the caller's own speech is another model with another bill: it is not part of the sum
 * (`ai-apis.md` §8.2).
 */
import { isJsonObject, type JsonObject } from "../../../base/json-object.ts";
import { newAnswer } from "../../answer.ts";
import type { AnswerReader, Dialect, FoundAnswer, ModelRequest, RequestLine } from "../../dialect.ts";
import { NO_PROMPT } from "../../prompt.ts";
import { addUsage } from "../../usage.ts";
import { errorOf, nameOf } from "./fields.ts";
import { deploymentOf, endsWith, queryValue } from "./paths.ts";
import { providerOf } from "./provider.ts";
import { wroteDelta, wroteOutput } from "./responses.ts";
import { realtimeWords } from "./session-words.ts";
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
      }
      return;
    }
    const response = value["response"];
    if (ENDS.has(type) && isJsonObject(response)) this.#done(response);
    else if (type === "response.created") found.complete = false;
    else if (type === "error") found.error = errorOf(value["error"]) ?? "error";
    const session = value["session"];
    if (isJsonObject(session) && typeof session["model"] === "string") {
      found.model = nameOf(session["model"]) ?? found.model;
    }
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
