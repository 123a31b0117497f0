/**
 * Counts a whole prompt: its texts by the model's encoding, and around them what providers add (`ai-policies.md` §1.4).
 *
 * Chat: three tokens a message and one for its role, one more for a name, three for the answer's beginning, as OpenAI
 * documents it. Tools, tool calls and answer schemas follow what it has been seen to report. Completions and embeddings count their
 * texts and nothing else.
 */
import type { Prompt, PromptMessage, PromptPart } from "../prompt.ts";
import { countTexts } from "./count.ts";
import { type ModelEncoding, encodingOfModel } from "./encodings.ts";
import { Factors } from "./factors.ts";
import { jsonText } from "./json-text.ts";
import { audioTokens, fileTokens, imageTokens } from "./media.ts";
import { renderTools } from "./tools.ts";

export interface PromptCount {
  /** Integer, at least 0. */
  readonly tokens: number;
  /** Text alone, counted with the model's own encoding: what the provider will report. */
  readonly exact: boolean;
  /** Of `tokens`, those of texts: what `learn` compares with. */
  readonly text: number;
  /** What o200k's counts were multiplied by; 1 where the encoding is the model's own. */
  readonly factor: number;
}

export interface PromptCountOptions {
  /** Counting may end beyond so many tokens; the answer is then some number above it. */
  readonly limit?: number;
  /** What was learnt of models without a public encoding; without it one for the process. */
  readonly factors?: Factors;
}

const shared = new Factors();

const PER_MESSAGE = 3;
const PER_NAME = 1;
const PRIMING = 3;
/** Measured with OpenAI: around the namespace of functions; less where a system message is there to hold it. */
const NAMESPACE = 9;
const NAMESPACE_IN_SYSTEM = 5;
/** Measured with OpenAI: around the name and arguments of a tool call. */
const PER_CALL = 3;
/** Documented by Anthropic: what it tells Claude 4 of tools before naming them. */
const ANTHROPIC_TOOLS = 346;

/** Roles that are one token in every encoding for chat. */
const ONE_TOKEN = new Set(["system", "user", "assistant", "tool", "function", "developer", "model"]);

/**
 * @param model  see `encodingOfModel`
 * @returns      a number's worth at once when the prompt takes about half a millisecond or less; a promise for larger ones, which are
 *               counted in slices, and while the model's encoding is loaded
 * @throws never; nor does the promise reject
 */
export function countPrompt(
  prompt: Prompt,
  model: string,
  options: PromptCountOptions = {},
): PromptCount | Promise<PromptCount> {
  const encoding = encodingOfModel(model);
  const factor = (options.factors ?? shared).of(encoding);
  const work = gather(prompt, encoding);
  const limit = Math.max(0, ((options.limit ?? Infinity) - work.fixed) / factor);
  const text = countTexts(work.texts, encoding.encoding, { limit });
  if (typeof text === "number") return counted(text, work, encoding, factor);
  return text.then((tokens) => counted(tokens, work, encoding, factor));
}

/** Takes note of what the provider reported for a prompt that was counted whole; see `Factors.learn`. */
export function learn(model: string, count: PromptCount, reported: number, factors: Factors = shared): void {
  factors.learn(encodingOfModel(model), count.text, count.factor, reported - (count.tokens - count.text));
}

function counted(text: number, work: Work, encoding: ModelEncoding, factor: number): PromptCount {
  const scaled = Math.ceil(text * factor);
  return {
    tokens: Math.max(0, scaled + work.fixed),
    exact: encoding.exact && work.exact,
    text: scaled,
    factor,
  };
}

/** What is to be counted, and what counts without being text. */
interface Work {
  readonly texts: string[];
  fixed: number;
  exact: boolean;
}

function gather(prompt: Prompt, model: ModelEncoding): Work {
  const work: Work = { texts: [], fixed: 0, exact: true };
  const chat = prompt.kind === "chat";
  for (const message of prompt.messages) {
    if (chat) addFrame(message, work);
    for (const part of message.parts) addPart(part, model, work);
  }
  if (chat) work.fixed += PRIMING;
  if (prompt.tools.length > 0) addTools(prompt, model, work);
  if (prompt.schema !== null && prompt.schema !== undefined) {
    work.texts.push(jsonText(prompt.schema));
    work.exact = false;
  }
  return work;
}

function addFrame(message: PromptMessage, work: Work): void {
  work.fixed += PER_MESSAGE;
  if (ONE_TOKEN.has(message.role)) work.fixed += 1;
  else if (message.role !== "") work.texts.push(message.role);
  // Measured: the message of a `function` is two short of its parts.
  if (message.role === "function") work.fixed -= 2;
  if (message.name !== null) {
    work.fixed += PER_NAME;
    work.texts.push(message.name);
  }
}

function addPart(part: PromptPart, model: ModelEncoding, work: Work): void {
  if (part.kind === "text") {
    work.texts.push(part.text);
    return;
  }
  if (part.kind === "tokens") {
    work.fixed += part.tokens;
    return;
  }
  work.exact = false;
  switch (part.kind) {
    case "image":
      work.fixed += imageTokens(part, model);
      return;
    case "audio":
      work.fixed += audioTokens(part, model);
      return;
    case "file":
      work.fixed += fileTokens(part);
      return;
    case "json":
      addJson(part.value, work);
  }
}

/** A tool call counts its name and arguments; anything else its JSON, and a string itself. */
function addJson(value: unknown, work: Work): void {
  if (typeof value === "string") {
    work.texts.push(value);
    return;
  }
  const call = callOf(value);
  if (call === null) {
    work.texts.push(jsonText(value));
    return;
  }
  work.texts.push(call.name, call.arguments);
  work.fixed += PER_CALL;
}

function callOf(value: unknown): { readonly name: string; readonly arguments: string } | null {
  if (typeof value !== "object" || value === null) return null;
  const outer = value as Readonly<Record<string, unknown>>;
  const call = (outer["function"] ?? outer) as Readonly<Record<string, unknown>>;
  const { name, arguments: given } = call;
  return typeof name === "string" && typeof given === "string" ? { name, arguments: given } : null;
}

function addTools(prompt: Prompt, model: ModelEncoding, work: Work): void {
  const { texts, namespace } = renderTools(prompt.tools, model.family === "openai");
  for (const text of texts) work.texts.push(text);
  work.exact = false;
  if (model.family === "anthropic") work.fixed += ANTHROPIC_TOOLS;
  if (!namespace) return;
  const system = prompt.messages.find(({ role }) => role === "system" || role === "developer");
  work.fixed += system === undefined ? NAMESPACE : NAMESPACE_IN_SYSTEM;
  const last = system?.parts.findLast((part) => part.kind === "text");
  // The namespace begins on a line of its own, and the line end before it may join the text's last token.
  if (last?.kind === "text" && last.text !== "" && !last.text.endsWith("\n")) {
    work.texts[work.texts.indexOf(last.text)] = `${last.text}\n`;
  }
}
