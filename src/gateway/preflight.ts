/**
 * CORS preflights for which the API defines no OPTIONS operation: only the `cors` policy in scope is run, without a
 * subscription key (`routing.md` §3.6).
 */
import type { Step } from "../compiler/policy.ts";
import type { Exchange } from "./exchange.ts";
import { ResponseMessage } from "./message.ts";
import type { Outcome } from "./policy.ts";

/**
 * Tries the `cors` steps in order until one answers; an empty 200 when none does.
 * @throws what the steps throw
 */
export function runPreflight(exchange: Exchange, steps: readonly Step[]): void {
  exchange.isPreflight = true;
  for (const step of steps) {
    const outcome = step.run(exchange, null) as Outcome;
    if (outcome instanceof ResponseMessage) {
      exchange.response = outcome;
      return;
    }
  }
  exchange.response = new ResponseMessage(200);
}
