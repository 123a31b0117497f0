/**
 * What the demo model says. Chat completions and responses are read into one `Prompt`, answered here without
 * regard to their shapes, and written out in either. Deterministic: the same prompt gets the same answer.
 */
import { tokenise } from "./tokens.ts";
import { lastText, type Prompt, type Turn } from "./prompt.ts";
import { exampleFor } from "../base/schema-example.ts";
import { toolCalls } from "./tool-calls.ts";

/** One answer to a prompt: text, or tool calls. */
export interface Choice {
  /** Tokens of the text; null when tools are called. */
  readonly content: readonly string[] | null;
  readonly calls: readonly Call[];
  /** `cut`: the token limit was reached. */
  readonly finish: "stop" | "cut" | "calls";
  /** Tokens made: one per text token; for a call one for its name and one per token of its arguments. */
  readonly tokens: number;
}

export interface Call {
  readonly name: string;
  /** Tokens of the arguments' JSON text, possibly cut. */
  readonly args: readonly string[];
}

/** The model's answer number `index` (of `n`). */
export function answerPrompt(prompt: Prompt, index: number): Choice {
  const wanted = toolCalls(prompt);
  if (wanted.length > 0) return callChoice(wanted, prompt);
  return textChoice(prompt, index);
}

function callChoice(wanted: readonly { name: string; args: string }[], prompt: Prompt): Choice {
  let left = prompt.maxTokens ?? Infinity;
  const calls: Call[] = [];
  let tokens = 0;
  let cut = false;
  for (const { name, args } of wanted) {
    if (left < 1) {
      cut = true;
      break;
    }
    const all = tokenise(args);
    const kept = all.slice(0, left - 1);
    cut = kept.length < all.length;
    calls.push({ name, args: kept });
    tokens += 1 + kept.length;
    left -= 1 + kept.length;
    if (cut) break;
  }
  return { content: null, calls, finish: cut ? "cut" : "calls", tokens };
}

function textChoice(prompt: Prompt, index: number): Choice {
  const text = wording(prompt, index);
  let tokens = prompt.orderedTokens === null ? tokenise(text) : stretched(text, prompt.orderedTokens);
  if (prompt.stop.length > 0) tokens = beforeStop(tokens, prompt.stop);
  const limit = prompt.maxTokens ?? Infinity;
  const cut = tokens.length > limit;
  const content = cut ? tokens.slice(0, limit) : tokens;
  return { content, calls: [], finish: cut ? "cut" : "stop", tokens: content.length };
}

const OPENINGS = [
  "Hello from Headgate's demo model.",
  "Hi, this is Headgate's demo model.",
  "Greetings, Headgate's demo model here.",
  "Headgate's demo model, at your service.",
];

/** Longest echo, in tokens. */
const ECHO_TOKENS = 200;

function wording(prompt: Prompt, index: number): string {
  const user = lastText(prompt.turns, "user");
  if (prompt.format.type === "json_schema") return JSON.stringify(exampleFor(prompt.format.schema, user));
  const count = prompt.turns.length;
  if (prompt.format.type === "json_object") {
    return JSON.stringify({ model: "Headgate's demo model", echo: echo(user), messages: count });
  }
  const opening = OPENINGS[(prompt.seed + index) % OPENINGS.length]!;
  const said = prompt.turns.at(-1)?.role === "tool" ? toolEcho(prompt.turns) : userEcho(user);
  const system = prompt.turns.some((turn) => turn.role === "system") ? ", a system message among them" : "";
  return `${opening} ${said} I saw ${count} message${count === 1 ? "" : "s"}${system}.`;
}

function userEcho(user: string): string {
  return user === "" ? "You said nothing that I can repeat." : `You said: "${echo(user)}".`;
}

/** All tool results since the model last spoke. */
function toolEcho(turns: readonly Turn[]): string {
  const results: string[] = [];
  for (let i = turns.length - 1; i >= 0 && turns[i]!.role === "tool"; i--) results.unshift(turns[i]!.text);
  const quoted = results.map((text) => `"${echo(text)}"`).join(" and ");
  return results.length === 1 ? `The tool answered: ${quoted}.` : `The tools answered: ${quoted}.`;
}

function echo(text: string): string {
  const tokens = tokenise(text, ECHO_TOKENS + 1);
  return tokens.length > ECHO_TOKENS ? `${tokens.slice(0, ECHO_TOKENS).join("")} …` : text;
}

const FILLER = tokenise(
  " Every word of this sentence is one token and the model repeats it until the length is right.",
);

/** Exactly `length` tokens: `text` cut, or followed by filler. */
function stretched(text: string, length: number): string[] {
  const tokens = tokenise(text, length);
  for (let i = 0; tokens.length < length; i++) tokens.push(FILLER[i % FILLER.length]!);
  return tokens;
}

/** The tokens of what stands before the first stop sequence. */
function beforeStop(tokens: string[], stop: readonly string[]): string[] {
  const text = tokens.join("");
  let end = text.length;
  for (const sequence of stop) {
    const at = text.indexOf(sequence);
    if (at >= 0 && at < end) end = at;
  }
  return end === text.length ? tokens : tokenise(text.slice(0, end));
}
