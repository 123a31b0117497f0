/**
 * What a request is charged, by how it ended. One rule per ending, from the best evidence there is:
 *
 * | ending | prompt | completion |
 * |---|---|---|
 * | `finished`, `incomplete`, with usage whole | reported | reported |
 * | `finished`, `incomplete`, without | counted | counted from the text |
 * | `upstream-reset`, `stalled`, `cut-off`, `client-gone` after the first byte | reported if it was, else counted | the larger of reported so far and counted from what was relayed |
 * | `client-gone` before the first byte, once the request was sent | counted | 0 |
 * | `upstream-error` (status ≥ 400), `failed` (no answer) | reported if it was, else 0 | reported if it was, else 0 |
 * | `refused`, `cache-hit`: no backend was asked | 0 | 0 |
 *
 * "Counted" is exact where the model's encoding is public, else an estimate. Reported twice: the last one counts. A
 * call that was retried is charged for the answer that was kept. A session is charged the sum of its responses; when it
 * is ended for what the caller said, the response under way is `cut-off`, and without one there is a line that says
 * `refused`. What a provider reports with another request (a response in the background) is `finished` without usage
 * first, and the difference to what was reported follows in a line of its own (`gateway/models/later-answers.ts`).
 */
import { type Usage, NO_USAGE, chargedPrompt } from "./usage.ts";

export type Ending =
  | "finished"
  /** The provider stopped early and said so: the output bound, a filter inside the stream. */
  | "incomplete"
  | "upstream-error"
  | "upstream-reset"
  | "stalled"
  | "client-gone"
  /** The gateway let no more of the answer out: content safety objects to it, or could not judge it. */
  | "cut-off"
  /** The backend gave no answer at all. */
  | "failed"
  /** The gateway answered instead of a backend. */
  | "refused"
  | "cache-hit";

/** Where numbers come from: the provider's usage; our count with the model's own encoding; our estimate; nowhere. */
export type Evidence = "reported" | "counted" | "estimated" | "none";

export interface Ended {
  readonly ending: Ending;
  /** The request reached the backend: its last octet was handed over. */
  readonly sent: boolean;
  /** An octet of the answer arrived. */
  readonly begun: boolean;
  /** The provider's last word; null when it said nothing. */
  readonly reported: Usage | null;
  /** The reported completion is the final one: the answer was complete, or its dialect reports only at the end. */
  readonly final: boolean;
  /** Our own counts; asked only when needed. */
  readonly counted: { prompt(): number; completion(): number; readonly exact: boolean };
}

export interface Settlement {
  /** What goes into logs and metrics. */
  readonly usage: Usage;
  /** What limits and quotas count: prompt and completion (`ai-policies.md` §1.4). */
  readonly prompt: number;
  readonly completion: number;
  readonly evidence: Evidence;
}

export const NOTHING_CHARGED: Settlement = { usage: NO_USAGE, prompt: 0, completion: 0, evidence: "none" };

export function settle(ended: Ended): Settlement {
  const { ending, reported } = ended;
  if (ending === "refused" || ending === "cache-hit") return NOTHING_CHARGED;
  if (ending === "failed" || ending === "upstream-error") {
    return reported === null ? NOTHING_CHARGED : asReported(reported);
  }
  if (!ended.begun) {
    if (!ended.sent && ending === "client-gone") return NOTHING_CHARGED;
    return byCount(ended, ended.counted.prompt(), 0);
  }
  if (reported !== null && ended.final) return asReported(reported);
  const completion = ended.counted.completion();
  if (reported === null) return byCount(ended, ended.counted.prompt(), completion);
  // What was reported early (Anthropic's `message_start`) of an answer that never came whole is a lower bound.
  if (reported.completion >= completion) return asReported(reported);
  const usage = { ...reported, completion, total: reported.prompt + completion };
  return {
    usage,
    prompt: chargedPrompt(usage),
    completion,
    evidence: ended.counted.exact ? "counted" : "estimated",
  };
}

function asReported(usage: Usage): Settlement {
  return { usage, prompt: chargedPrompt(usage), completion: usage.completion, evidence: "reported" };
}

function byCount(ended: Ended, prompt: number, completion: number): Settlement {
  return {
    usage: { ...NO_USAGE, prompt, completion, total: prompt + completion },
    prompt,
    completion,
    evidence: ended.counted.exact ? "counted" : "estimated",
  };
}
