/** Writing chat completions: one object, or `chat.completion.chunk` events of one token each. */
import { answerPrompt, type Choice } from "./answer.ts";
import type { ChatRequest } from "./chat.ts";
import type { Control } from "./control.ts";
import { orderedFailure } from "./failure.ts";
import type { Step } from "./steps.ts";

/** What makes an answer unlike the one before: its id's unique part and its time, in seconds since 1970. */
export interface Stamp {
  readonly id: string;
  readonly created: number;
}

export const FINGERPRINT = "fp_headgate_demo";

/** All choices of a request. */
export function chatChoices(request: ChatRequest): Choice[] {
  return Array.from({ length: request.n }, (_, index) => answerPrompt(request.prompt, index));
}

/** `chat.completion` as JSON text. */
export function chatCompletion(request: ChatRequest, control: Control, stamp: Stamp): string {
  const choices = chatChoices(request);
  return JSON.stringify({
    id: `chatcmpl-${stamp.id}`,
    object: "chat.completion",
    created: stamp.created,
    model: request.model,
    choices: choices.map((choice, index) => ({
      index,
      message: chatMessage(choice, index, stamp),
      logprobs: null,
      finish_reason: finishReason(choice, request),
    })),
    usage: control.usage === "none" ? undefined : chatUsage(request, control, totalTokens(choices)),
    service_tier: "default",
    system_fingerprint: FINGERPRINT,
  });
}

function chatMessage(choice: Choice, index: number, stamp: Stamp): object {
  return {
    role: "assistant",
    content: choice.content === null ? null : choice.content.join(""),
    tool_calls:
      choice.content !== null
        ? undefined
        : choice.calls.map((call, at) => ({
            id: callId(stamp, index, at),
            type: "function",
            function: { name: call.name, arguments: call.args.join("") },
          })),
    refusal: null,
    annotations: [],
  };
}

function callId(stamp: Stamp, choice: number, call: number): string {
  return `call_${stamp.id}_${choice}_${call}`;
}

function finishReason(choice: Choice, request: ChatRequest): "stop" | "length" | "tool_calls" {
  if (choice.finish === "cut") return "length";
  return choice.finish === "calls" && !request.forced ? "tool_calls" : "stop";
}

function totalTokens(choices: readonly Choice[]): number {
  return choices.reduce((sum, choice) => sum + choice.tokens, 0);
}

/** The usage object for `made` visible tokens. */
export function chatUsage(request: ChatRequest, control: Control, made: number): object {
  const prompt = request.prompt.promptTokens;
  const completion = made + control.reasoningTokens;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: Math.min(control.cachedTokens, prompt), audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: control.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/**
 * The event stream: per choice a chunk with the role, one per token, one with the finish reason (choices take
 * turns), then usage with empty `choices` if asked for, then `[DONE]`.
 */
export function* chatChunks(request: ChatRequest, control: Control, stamp: Stamp): Generator<Step> {
  const choices = chatChoices(request);
  const total = totalTokens(choices);
  const reports = control.usage === "asked" ? request.includeUsage : control.usage !== "none";
  const head =
    `data: {"id":"chatcmpl-${stamp.id}","object":"chat.completion.chunk","created":${stamp.created},` +
    `"model":${JSON.stringify(request.model)},"service_tier":"default","system_fingerprint":"${FINGERPRINT}","choices":[`;
  const tail = reports ? `],"usage":null}\n\n` : "]}\n\n";
  const streams = choices.map((choice, index) => choiceDeltas(choice, index, request, stamp));
  let middle = control.usage === "middle" ? Math.ceil(total / 2) : Infinity;
  let made = -choices.length;
  for (let open: typeof streams = streams; open.length > 0;) {
    const still: typeof streams = [];
    for (const stream of open) {
      const next = stream.next();
      if (next.done === true) continue;
      still.push(stream);
      yield head + next.value + tail;
      if (++made < middle) continue;
      middle = Infinity;
      yield `${head}],"usage":${JSON.stringify(chatUsage(request, control, made))}}\n\n`;
    }
    open = still;
  }
  if (reports) {
    const usage = `${head}],"usage":${JSON.stringify(chatUsage(request, control, total))}}\n\n`;
    yield usage;
    if (control.usage === "twice") yield usage;
  }
  yield "data: [DONE]\n\n";
}

/** The choice objects of one choice, as JSON text. */
function* choiceDeltas(choice: Choice, index: number, request: ChatRequest, stamp: Stamp): Generator<string> {
  const start = `{"index":${index},"delta":`;
  const end = `,"logprobs":null,"finish_reason":null}`;
  const content = choice.content === null ? "null" : `""`;
  yield `${start}{"role":"assistant","content":${content},"refusal":null}${end}`;
  for (const token of choice.content ?? []) yield `${start}{"content":${JSON.stringify(token)}}${end}`;
  for (const [at, call] of choice.calls.entries()) {
    const opening = { index: at, id: callId(stamp, index, at), type: "function" };
    const named = { ...opening, function: { name: call.name, arguments: "" } };
    yield `${start}{"tool_calls":[${JSON.stringify(named)}]}${end}`;
    for (const token of call.args) {
      yield `${start}{"tool_calls":[{"index":${at},"function":{"arguments":${JSON.stringify(token)}}}]}${end}`;
    }
  }
  yield `${start}{},"logprobs":null,"finish_reason":"${finishReason(choice, request)}"}`;
}

/** What a chat stream sends when it fails on the way; no `[DONE]` follows. */
export function chatStreamError(): string {
  return `data: ${JSON.stringify(orderedFailure(500, null))}\n\n`;
}
