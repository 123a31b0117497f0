/** What was decided about the words of an exchange, all in all: what the access log says of it. */
import type { Exchange } from "../exchange.ts";

/** As `headgate_content_safety_total` names them, and what llm-mask-personal-data does; the gravest comes last. */
const ACTIONS = ["passed", "masked", "unavailable_allowed", "unavailable_blocked", "blocked"] as const;

export type SafetyAction = (typeof ACTIONS)[number];

/** Of all that is decided about an exchange the gravest stays. */
export function noteSafety(exchange: Exchange, action: SafetyAction): void {
  const { safety } = exchange;
  if (safety === null || ACTIONS.indexOf(action) > ACTIONS.indexOf(safety)) exchange.safety = action;
}
