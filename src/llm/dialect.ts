/**
 * A dialect is one provider's wire format, as far as the gateway must understand it: whose request it is, what it asks,
 * and what its answer says of tokens. Nothing here changes a byte: readers look at what passes.
 *
 * A dialect knows JSON values only. How they are framed (one document, SSE, AWS event stream, WebSocket frames, a streamed
 * JSON array) is the business of `response-tap.ts`, which hands each whole value to the dialect's `AnswerReader`.
 */
import type { JsonObject } from "../base/json-object.ts";
import type { Prompt } from "./prompt.ts";
import type { Usage } from "./usage.ts";

/** The names that `read-usage`, `aiFormat` and the ledger use. */
export type DialectName =
  | "openai-chat"
  | "openai-completions"
  | "openai-responses"
  | "openai-embeddings"
  | "openai-images"
  | "openai-audio"
  | "openai-realtime"
  | "anthropic-messages"
  | "gemini"
  | "gemini-live"
  | "bedrock-converse"
  | "bedrock-invoke";

/** `gen_ai.operation.name`. */
export type ModelOperation =
  | "chat"
  | "text_completion"
  | "embeddings"
  | "generate_content"
  | "image_generation"
  | "speech"
  | "transcription"
  | "realtime";

/** What a dialect is recognised by. */
export interface RequestLine {
  readonly method: string;
  /** Upstream or original path, without query, as on the wire; compare case-insensitively. */
  readonly path: string;
  /** Without `?`, raw. */
  readonly query: string;
  /** `null` when absent; any case. */
  header(name: string): string | null;
}

export interface Dialect {
  readonly name: DialectName;
  /** `gen_ai.provider.name` when nothing says otherwise. */
  readonly provider: string;
  readonly operation: ModelOperation;
  /** Of dialects whose operation is `realtime`. */
  readonly session?: SessionWords;
  /** Usage may come before the answer is whole, and grow: what a stream that broke off reported is a lower bound. */
  readonly reportsEarly?: true;
  /** Whether the line alone says that the request is of this dialect. */
  matchesLine(line: RequestLine): boolean;
  /** Whether the body (parsed JSON) says so, where no line did; absent: its bodies look like others'. */
  matchesBody?(body: Readonly<Record<string, unknown>>, line: RequestLine): boolean;
  /**
   * Reads a request. Never throws: what is missing or of the wrong type is null or left out.
   *
   * @param body parsed JSON, or the fields of a form with files; null when it is neither
   */
  readRequest(body: Readonly<Record<string, unknown>> | null, line: RequestLine): ModelRequest;
  /**
   * A reader for one answer.
   *
   * @param keepText how much of what the model writes is kept, in UTF-16 units; 0 = only its length
   */
  readAnswer(keepText: number): AnswerReader;
}

/** What the messages of a WebSocket session mean. Never throws. */
export interface SessionWords {
  /** Messages may come in binary frames, too. */
  readonly inBinary: boolean;
  /** A long message that need not be parsed. @param start its first characters */
  isSound(start: string): boolean;
  /** Whether the client asks for a response with it. */
  asks(message: JsonObject): boolean;
  /** Whether the server begins a response with it. @param responding one is under way */
  begins(message: JsonObject, responding: boolean): boolean;
  /** The server says with it that a response will begin unless the session ends. */
  announces(message: JsonObject): boolean;
  /** What the messages from this one on mean, where it says that the session is one of another kind; else null. */
  turnsTo(from: "client" | "server", message: JsonObject): SessionWords | null;
  /** Whether the client says with it what the session is to be: `readRequest` takes it for the body. */
  setsUp(message: JsonObject): boolean;
  /** A part of the conversation as text; null when there is none in it. */
  said(from: "client" | "server", message: JsonObject): Saying | null;
  /** What the server has heard the caller say: a transcript of his sound, or a piece of it; null when the message has none. */
  heard(message: JsonObject): Heard | null;
  /** What the model may have written of a server's message: all of it but the caller's own words. */
  written(message: JsonObject): JsonObject | null;
  /** Whether the words of a server's message go on in another one, which needs nothing of the client to come. */
  goesOn(message: JsonObject): boolean;
  /**
   * Text of the message that tells the client why it may not go on; null when the close frame alone does.
   *
   * @param cause `limit`: nothing is left to spend; `content`: what was said may not be said
   */
  refusal(why: string, cause: "limit" | "content"): string | null;
}

export interface Heard {
  readonly text: string;
  /** More of the same is to come, or it is said once more as a whole. */
  readonly isPiece: boolean;
}

export interface Saying {
  readonly role: "user" | "assistant";
  readonly text: string;
  /** It goes on where the last piece of the same role ended. */
  readonly isPiece: boolean;
}

/** What a request asks for. */
export interface ModelRequest {
  /** As asked for, in the body or the path; null when not said. */
  readonly model: string | null;
  /** `gen_ai.provider.name` where path or host tell it; null = the dialect's. */
  readonly provider: string | null;
  /** The name in `/deployments/{name}/`; null elsewhere. */
  readonly deployment: string | null;
  readonly stream: boolean;
  /** Most completion tokens there can be, all choices together; null = not stated. 0 where there is none (embeddings). */
  readonly outputBound: number | null;
  /** The client asked for usage in the stream, where that is a choice. */
  readonly wantsUsage: boolean;
  /** Values of `gen_ai.request.*` that are there: temperature, top_p, max_tokens, seed, … under those names. */
  readonly parameters: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** Read when somebody asks; the same object each time. */
  prompt(): Prompt;
  /** Messages as the log stores them: an array of `{role, content}`, content as received. */
  messages(): readonly unknown[];
}

/** Reads one answer, value by value. Never throws; ignores what it does not know. */
export interface AnswerReader {
  /** What it found so far; the same object, growing. */
  readonly found: FoundAnswer;
  /**
   * @param event name of the SSE event or of the event-stream message (`:event-type`); null without one
   * @param value parsed JSON
   */
  take(event: string | null, value: unknown): void;
  /** Called last, whether the answer came whole or not; absent where headers say nothing that a body leaves out. */
  takeHeaders?(headers: AnswerHeaders): void;
}

/** Headers of an answer. */
export interface AnswerHeaders {
  /** `null` when absent; any case. */
  get(name: string): string | null;
}

/** What an answer says. Readers fill it through `answer.ts`. */
export interface FoundAnswer {
  /** The provider's id of the answer. */
  id: string | null;
  /** The model that served. */
  model: string | null;
  /** The last one reported; for sessions the sum over responses. */
  usage: Usage | null;
  /** As the provider says it: `stop`, `length`, `max_tokens`, `content_filter`, `STOP`, … of the first choice. */
  finishReason: string | null;
  /** The dialect's own mark of the end was seen (`[DONE]`, `message_stop`, `response.completed`, …). */
  complete: boolean;
  /** The provider works on (Responses `queued`, `in_progress`): the rest, usage above all, can be asked for by `id`. */
  goesOn: boolean;
  /** An error that the provider reported inside the answer: its code or type. */
  error: string | null;
  /** UTF-16 units of all text, tool call arguments included, whether kept or not. */
  textLength: number;
  /** What the model wrote, in order; kept up to the reader's bound, empty when nobody wants it. */
  readonly text: TextKeeper;
  /** Responses of a session that have ended (WebSocket); 1 for others once complete. */
  responses: number;
}

/** Pieces of text, bounded. */
export interface TextKeeper {
  /** @param choice index of the choice or output item; pieces of one choice belong together */
  add(choice: number, piece: string): void;
  /** Text of a choice; null: all choices in order. */
  read(choice: number | null): string;
  /** More was written than was kept. */
  readonly truncated: boolean;
}
