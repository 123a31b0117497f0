/** Writing responses: one `response` object, or the API's named events, with one token per delta. */
import { answerPrompt, type Call, type Choice } from "./answer.ts";
import type { Stamp } from "./chat-reply.ts";
import type { Control } from "./control.ts";
import { orderedFailure } from "./failure.ts";
import type { ResponsesRequest } from "./responses.ts";
import type { Step } from "./steps.ts";

type Status = "in_progress" | "completed" | "incomplete";

/** `response` as JSON text. */
export function responseWhole(request: ResponsesRequest, control: Control, stamp: Stamp): string {
  const choice = answerPrompt(request.prompt, 0);
  return JSON.stringify(new Reply(request, control, stamp, choice).final());
}

/** The response object in its states. */
class Reply {
  readonly request: ResponsesRequest;
  readonly control: Control;
  readonly stamp: Stamp;
  readonly choice: Choice;
  /** How the response ends. */
  readonly outcome: Status;

  constructor(request: ResponsesRequest, control: Control, stamp: Stamp, choice: Choice) {
    this.request = request;
    this.control = control;
    this.stamp = stamp;
    this.choice = choice;
    this.outcome = choice.finish === "cut" ? "incomplete" : "completed";
  }

  final(): object {
    const usage = this.control.usage === "none" ? null : this.usage(this.choice.tokens);
    return this.object(this.outcome, this.items(), usage);
  }

  object(
    status: Status | "failed",
    output: object[],
    usage: object | null,
    error: object | null = null,
  ): object {
    const { body, prompt, model } = this.request;
    return {
      id: `resp_${this.stamp.id}`,
      object: "response",
      created_at: this.stamp.created,
      status,
      background: false,
      completed_at: status === "completed" ? this.stamp.created : null,
      error,
      incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
      instructions: body["instructions"] ?? null,
      max_output_tokens: prompt.maxTokens,
      max_tool_calls: body["max_tool_calls"] ?? null,
      model,
      output,
      parallel_tool_calls: prompt.parallelToolCalls,
      previous_response_id: null,
      prompt_cache_key: body["prompt_cache_key"] ?? null,
      reasoning: body["reasoning"] ?? { effort: null, summary: null },
      safety_identifier: body["safety_identifier"] ?? null,
      service_tier: "default",
      store: body["store"] ?? true,
      temperature: body["temperature"] ?? 1,
      text: { format: { type: "text" }, verbosity: "medium", ...(body["text"] as object | null) },
      tool_choice: body["tool_choice"] ?? "auto",
      tools: body["tools"] ?? [],
      top_logprobs: 0,
      top_p: body["top_p"] ?? 1,
      truncation: body["truncation"] ?? "disabled",
      usage,
      user: body["user"] ?? null,
      metadata: body["metadata"] ?? {},
    };
  }

  /** The usage object for `made` visible tokens. */
  usage(made: number): object {
    const input = this.request.prompt.promptTokens;
    const output = made + this.control.reasoningTokens;
    return {
      input_tokens: input,
      input_tokens_details: {
        cached_tokens: Math.min(this.control.cachedTokens, input),
        cache_write_tokens: 0,
      },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: this.control.reasoningTokens },
      total_tokens: input + output,
    };
  }

  items(): object[] {
    const { content, calls } = this.choice;
    if (content !== null) return [this.message(this.outcome, [textPart(content.join(""))])];
    return calls.map((call, i) => this.call(i, call, this.callStatus(i), call.args.join("")));
  }

  message(status: Status, content: object[]): object {
    return { id: `msg_${this.stamp.id}`, type: "message", status, content, role: "assistant" };
  }

  call(index: number, call: Call, status: Status, args: string): object {
    return {
      id: this.callItemId(index),
      type: "function_call",
      status,
      arguments: args,
      call_id: `call_${this.stamp.id}_${index}`,
      name: call.name,
    };
  }

  callItemId(index: number): string {
    return `fc_${this.stamp.id}_${index}`;
  }

  /** Only the last call can have been cut. */
  callStatus(index: number): Status {
    return index === this.choice.calls.length - 1 ? this.outcome : "completed";
  }
}

function textPart(text: string): object {
  return { type: "output_text", annotations: [], logprobs: [], text };
}

/**
 * `response.created`, `response.in_progress`, then per item its events, then `response.completed` or
 * `response.incomplete`. No `[DONE]`: the last event ends the stream.
 */
export function* responseEvents(request: ResponsesRequest, control: Control, stamp: Stamp): Generator<Step> {
  const choice = answerPrompt(request.prompt, 0);
  const reply = new Reply(request, control, stamp, choice);
  const events = new Sequence();
  const started = reply.object("in_progress", [], null);
  yield events.next("response.created", { response: started });
  yield events.next("response.in_progress", { response: started });
  const deltas =
    choice.content === null ? callEvents(reply, events) : messageEvents(reply, events, choice.content);
  const middle = control.usage === "middle" ? Math.ceil(choice.tokens / 2) : Infinity;
  let writes = 0;
  for (const step of deltas) {
    yield step;
    if (++writes !== middle) continue;
    yield events.next("response.in_progress", {
      response: reply.object("in_progress", [], reply.usage(middle)),
    });
  }
  const end = { response: reply.final() };
  yield events.next(`response.${reply.outcome}`, end);
  if (control.usage === "twice") yield events.next(`response.${reply.outcome}`, end);
}

/** Numbers the events and writes them. */
class Sequence {
  #number: number;

  constructor(first = 0) {
    this.#number = first;
  }

  next(type: string, data: object): string {
    const json = JSON.stringify({ type, sequence_number: this.#number++, ...data });
    return `event: ${type}\ndata: ${json}\n\n`;
  }
}

function* messageEvents(reply: Reply, events: Sequence, content: readonly string[]): Generator<string> {
  const text = content.join("");
  const item_id = `msg_${reply.stamp.id}`;
  const at = { item_id, output_index: 0, content_index: 0 };
  yield events.next("response.output_item.added", {
    output_index: 0,
    item: reply.message("in_progress", []),
  });
  yield events.next("response.content_part.added", { ...at, part: textPart("") });
  for (const delta of content)
    yield events.next("response.output_text.delta", { ...at, delta, logprobs: [] });
  yield events.next("response.output_text.done", { ...at, text, logprobs: [] });
  yield events.next("response.content_part.done", { ...at, part: textPart(text) });
  const item = reply.message(reply.outcome, [textPart(text)]);
  yield events.next("response.output_item.done", { output_index: 0, item });
}

function* callEvents(reply: Reply, events: Sequence): Generator<string> {
  for (const [output_index, call] of reply.choice.calls.entries()) {
    const at = { item_id: reply.callItemId(output_index), output_index };
    const args = call.args.join("");
    const begun = reply.call(output_index, call, "in_progress", "");
    yield events.next("response.output_item.added", { output_index, item: begun });
    for (const delta of call.args)
      yield events.next("response.function_call_arguments.delta", { ...at, delta });
    yield events.next("response.function_call_arguments.done", { ...at, arguments: args });
    const item = reply.call(output_index, call, reply.callStatus(output_index), args);
    yield events.next("response.output_item.done", { output_index, item });
  }
}

/** What a response stream sends when it fails after `written` events. */
export function* responseStreamError(
  request: ResponsesRequest,
  control: Control,
  stamp: Stamp,
  written: number,
): Generator<Step> {
  const choice = answerPrompt(request.prompt, 0);
  const reply = new Reply(request, control, stamp, choice);
  const events = new Sequence(written);
  const failure = orderedFailure(500, null);
  const error = { code: "server_error", message: failure.message };
  yield events.next("error", { ...error, param: null });
  yield events.next("response.failed", { response: reply.object("failed", [], null, error) });
}
