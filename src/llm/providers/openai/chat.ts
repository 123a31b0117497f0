/**
 * OpenAI Chat Completions, and everything that speaks like it: Azure OpenAI, Azure AI Inference, DeepSeek, Groq, Mistral,
 * vLLM, Ollama, the shims of Gemini and others. Streams are not asked for `"object": "chat.completion.chunk"`.
 */
import { isJsonObject, type JsonObject } from "../../../base/json-object.ts";
import { STREAM_DONE, newAnswer } from "../../answer.ts";
import type { AnswerReader, Dialect, FoundAnswer, ModelRequest, RequestLine } from "../../dialect.ts";
import { listOf, stringOf } from "../../json-values.ts";
import type { Prompt, PromptMessage } from "../../prompt.ts";
import { chatMessage } from "./content.ts";
import {
  type Parameters,
  boundOf,
  countOf,
  errorIn,
  nameOf,
  noteEnd,
  noteServed,
  readParameters,
} from "./fields.ts";
import { wroteMessage } from "./message.ts";
import { deploymentOf, postsTo } from "./paths.ts";
import { providerOf } from "./provider.ts";
import { laterUsage } from "./usage.ts";

export const openaiChat: Dialect = {
  name: "openai-chat",
  provider: "openai",
  operation: "chat",
  matchesLine: (line) => postsTo(line, "/chat/completions"),
  matchesBody: (body, line) => Array.isArray(body["messages"]) && line.header("anthropic-version") === null,
  readRequest: (body, line) => new ChatRequest(body ?? {}, line),
  readAnswer: (keepText) => new ChatReader(keepText),
};

const PARAMETERS = [
  ["temperature", "temperature"],
  ["top_p", "top_p"],
  ["top_k", "top_k"],
  ["max_tokens", "max_tokens"],
  ["max_completion_tokens", "max_tokens"],
  ["seed", "seed"],
  ["frequency_penalty", "frequency_penalty"],
  ["presence_penalty", "presence_penalty"],
  ["stop", "stop_sequences"],
  ["n", "choice.count"],
] as const;

class ChatRequest implements ModelRequest {
  readonly #body: JsonObject;
  #prompt: Prompt | null = null;
  readonly model: string | null;
  readonly deployment: string | null;
  readonly provider: string | null;
  readonly stream: boolean;
  readonly outputBound: number | null;
  readonly wantsUsage: boolean;

  constructor(body: JsonObject, line: RequestLine) {
    this.#body = body;
    this.deployment = deploymentOf(line);
    this.provider = providerOf(line);
    this.model = this.deployment ?? stringOf(body["model"]);
    this.stream = body["stream"] === true;
    const options = body["stream_options"];
    this.wantsUsage = this.stream && isJsonObject(options) && options["include_usage"] === true;
    this.outputBound = boundOf(
      countOf(body["max_completion_tokens"]) ?? countOf(body["max_tokens"]),
      body["n"],
    );
  }

  get parameters(): Parameters {
    return readParameters(this.#body, PARAMETERS);
  }

  prompt(): Prompt {
    const body = this.#body;
    this.#prompt ??= {
      messages: this.messages()
        .map(chatMessage)
        .filter((message): message is PromptMessage => message !== null),
      tools: [...listOf(body["tools"]), ...listOf(body["functions"])],
      schema: schemaOf(body["response_format"]),
      kind: "chat",
    };
    return this.#prompt;
  }

  messages(): readonly unknown[] {
    return listOf(this.#body["messages"]);
  }
}

function schemaOf(format: unknown): unknown {
  if (!isJsonObject(format) || !isJsonObject(format["json_schema"])) return null;
  return format["json_schema"]["schema"] ?? null;
}

class ChatReader implements AnswerReader {
  readonly found: FoundAnswer;

  constructor(keepText: number) {
    this.found = newAnswer(keepText);
  }

  take(event: string | null, value: unknown): void {
    const found = this.found;
    if (value === STREAM_DONE) return noteEnd(found);
    if (!isJsonObject(value)) return;
    noteServed(found, value);
    found.error = errorIn(value, event) ?? found.error;
    const choices = value["choices"];
    let usage = value["usage"];
    if (Array.isArray(choices)) {
      for (let i = 0; i < choices.length; i++) {
        const choice: unknown = choices[i];
        if (!isJsonObject(choice)) continue;
        this.#choice(choice, i);
        // Moonshot reports inside the choice that ends.
        usage ??= choice["usage"];
      }
    }
    // Groq reports beside the choices, under its own name.
    const groq = value["x_groq"];
    if (isJsonObject(groq)) {
      usage ??= groq["usage"];
      found.error = nameOf(groq["error"]) ?? found.error;
    }
    if (usage === undefined || usage === null) return;
    found.usage = laterUsage(usage, found.usage);
  }

  #choice(choice: JsonObject, position: number): void {
    const found = this.found;
    const index = typeof choice["index"] === "number" ? choice["index"] : position;
    const delta = choice["delta"];
    if (isJsonObject(delta)) {
      wroteMessage(found, index, delta);
    } else if (isJsonObject(choice["message"])) {
      // Perplexity sends the whole message so far beside each delta: it counts only where there is no delta.
      wroteMessage(found, index, choice["message"]);
      noteEnd(found);
    }
    if (index === 0) found.finishReason = nameOf(choice["finish_reason"]) ?? found.finishReason;
  }
}
