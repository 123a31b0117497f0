/**
 * Gemini Live: one WebSocket session with many turns. Messages are JSON in text frames or in binary ones; the first that the
 * client sends names the model. A turn ends with `turnComplete`, after an interruption too; its `usageMetadata` comes with
 * that message, before it or after it. Each turn is billed for the whole conversation before it, so the sum over turns is
 * the bill. Of several reports within one turn the last one counts.
 *
 * Source: "Gemini API reference", "Live API - WebSockets API reference"; Vertex AI says `candidatesTokenCount` where the
 * Gemini API says `responseTokenCount`.
 */
import type { JsonObject } from "../../../base/json-object.ts";
import { newAnswer, wrote } from "../../answer.ts";
import type {
  AnswerReader,
  Dialect,
  FoundAnswer,
  ModelRequest,
  RequestLine,
  SessionWords,
} from "../../dialect.ts";
import { jsonOf, objectOf, objectsOf, stringOf } from "../../json-values.ts";
import { NO_PROMPT } from "../../prompt.ts";
import { type Usage, addUsage, tokensOf } from "../../usage.ts";
import { isVertex } from "./path.ts";
import { geminiUsage } from "./usage.ts";

const PATH = /(?:GenerativeService\.|LlmBidiService\/)BidiGenerateContent(?:Constrained)?\/*$/i;

export const geminiLive: Dialect = {
  name: "gemini-live",
  provider: "gcp.gemini",
  operation: "realtime",
  session: {
    inBinary: true,
    isSound: (start) => SOUND.test(start),
    asks: (message) => {
      const content = either(message, "clientContent", "client_content");
      if (content !== null) return (content["turnComplete"] ?? content["turn_complete"]) === true;
      return either(message, "toolResponse", "tool_response") !== null;
    },
    begins: (message, responding) => !responding && writes(message),
    announces: () => false,
    turnsTo: () => null,
    setsUp: (message) => objectOf(message["setup"]) !== null,
    said,
    heard: (message) => {
      const text = heardText(message);
      return text === null ? null : { text, isPiece: true };
    },
    written: (message) => {
      const content = objectOf(message["serverContent"]);
      if (content === null || content["inputTranscription"] === undefined) return message;
      const { inputTranscription: _heard, ...serverContent } = content;
      return { ...message, serverContent };
    },
    goesOn: (message) => {
      const content = objectOf(message["serverContent"]);
      return content !== null && ENDS.every((name) => content[name] !== true);
    },
    // The server has no message for errors: why it closes, it says in the close frame.
    refusal: () => null,
  },
  matchesLine: (line) => line.method === "GET" && PATH.test(line.path),
  readRequest: (setup, line) => liveRequest(objectOf(setup?.["setup"]) ?? {}, line),
  readAnswer: (keepText) => new LiveReader(newAnswer(keepText)),
};

/** Clients write names in either way. */
function either(message: JsonObject, name: string, snake: string): JsonObject | null {
  return objectOf(message[name]) ?? objectOf(message[snake]);
}

/** Sent many times a second, and nothing but sound or pictures. */
const SOUND =
  /^\s*\{\s*"real(?:timeI|time_i)nput"\s*:\s*\{\s*"(?:audio|video|media|mediaChunks|media_chunks)"\s*:/;

function writes(message: JsonObject): boolean {
  const content = objectOf(message["serverContent"]);
  if (content === null) return objectOf(message["toolCall"]) !== null;
  return objectOf(content["modelTurn"]) !== null || objectOf(content["outputTranscription"]) !== null;
}

function said(from: "client" | "server", message: JsonObject): ReturnType<SessionWords["said"]> {
  if (from === "server") {
    const heard = heardText(message);
    if (heard !== null) return { role: "user", text: heard, isPiece: true };
    const content = objectOf(message["serverContent"]);
    const spoken = stringOf(objectOf(content?.["outputTranscription"])?.["text"]);
    return spoken === null ? null : { role: "assistant", text: spoken, isPiece: true };
  }
  const typed = stringOf(either(message, "realtimeInput", "realtime_input")?.["text"]);
  const text = typed ?? turnsText(either(message, "clientContent", "client_content"));
  return text === "" ? null : { role: "user", text, isPiece: false };
}

function heardText(message: JsonObject): string | null {
  const content = objectOf(message["serverContent"]);
  return stringOf(objectOf(content?.["inputTranscription"])?.["text"]);
}

/** After these the server waits, or says something else. */
const ENDS = ["generationComplete", "turnComplete", "interrupted", "waitingForInput"] as const;

function turnsText(content: JsonObject | null): string {
  return objectsOf(content?.["turns"])
    .flatMap((turn) => objectsOf(turn["parts"]))
    .map((part) => stringOf(part["text"]) ?? "")
    .join("");
}

function liveRequest(setup: JsonObject, line: RequestLine): ModelRequest {
  const model = stringOf(setup["model"]);
  const config = either(setup, "generationConfig", "generation_config") ?? {};
  const parameters: Record<string, number> = {};
  for (const [name, field, snake] of PARAMETERS) {
    const value = config[field] ?? config[snake];
    if (typeof value === "number") parameters[name] = value;
  }
  return {
    // `models/{model}`, on Vertex AI `projects/…/publishers/google/models/{model}`.
    model: model === null ? null : model.slice(model.lastIndexOf("/") + 1, model.length) || null,
    deployment: null,
    provider: isVertex(line) || /\/google\.cloud\.aiplatform\./i.test(line.path) ? "gcp.vertex_ai" : null,
    stream: true,
    outputBound: null,
    wantsUsage: false,
    parameters,
    prompt: () => NO_PROMPT,
    messages: () => [],
  };
}

const PARAMETERS = [
  ["temperature", "temperature", "temperature"],
  ["top_p", "topP", "top_p"],
  ["top_k", "topK", "top_k"],
  ["max_tokens", "maxOutputTokens", "max_output_tokens"],
] as const;

class LiveReader implements AnswerReader {
  readonly found: FoundAnswer;
  /** Of the turns before this one. */
  #before: Usage | null = null;
  /** Of this turn, as it was reported last. */
  #turn: Usage | null = null;
  #interrupted = false;
  /** The turn has ended, and its usage is still to come. */
  #ended = false;

  constructor(found: FoundAnswer) {
    this.found = found;
  }

  take(_event: string | null, value: unknown): void {
    const message = objectOf(value);
    if (message === null) return;
    const content = objectOf(message["serverContent"]);
    if (writes(message)) this.#goOn();
    if (content !== null) this.#content(content);
    for (const call of objectsOf(objectOf(message["toolCall"])?.["functionCalls"])) {
      if (call["args"] !== undefined) wrote(this.found, 0, jsonOf(call["args"]));
    }
    const error = objectOf(message["error"]);
    if (error !== null) this.found.error = stringOf(error["status"]) ?? String(error["code"] ?? "error");
    this.#usage(objectOf(message["usageMetadata"]));
    if (content?.["turnComplete"] === true) this.#ended = true;
    if (this.#ended && this.#turn !== null) this.#end();
  }

  /** Nobody has said what the turn before cost. */
  #goOn(): void {
    if (this.#ended) this.#end();
    this.found.complete = false;
  }

  #content(content: JsonObject): void {
    const { found } = this;
    for (const part of objectsOf(objectOf(content["modelTurn"])?.["parts"])) {
      wrote(found, 0, part["text"]);
      wrote(found, 0, objectOf(part["executableCode"])?.["code"]);
    }
    wrote(found, 0, objectOf(content["outputTranscription"])?.["text"]);
    if (content["interrupted"] === true) this.#interrupted = true;
    if (content["turnComplete"] !== true) return;
    const reason = stringOf(content["turnCompleteReason"]);
    found.finishReason = reason ?? (this.#interrupted ? "interrupted" : "turnComplete");
  }

  #usage(reported: JsonObject | null): void {
    if (reported === null) return;
    const usage = geminiUsage(
      {
        ...reported,
        candidatesTokenCount: reported["responseTokenCount"] ?? reported["candidatesTokenCount"],
        candidatesTokensDetails: reported["responseTokensDetails"] ?? reported["candidatesTokensDetails"],
      },
      null,
    )?.usage;
    if (usage === undefined || tokensOf(usage.total) === 0) return;
    this.#turn = usage;
    this.found.usage = this.#before === null ? usage : addUsage(this.#before, usage);
  }

  #end(): void {
    this.#before = this.found.usage;
    this.#turn = null;
    this.#ended = false;
    this.#interrupted = false;
    this.found.complete = true;
    this.found.responses++;
  }
}
