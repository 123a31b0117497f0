/**
 * CORS preflights for which the API defines no OPTIONS operation: only the `cors` policy in scope is run, without a
 * subscription key (`routing.md` §3.6).
 */
import type { Step } from "../compiler/policy.ts";
import type { Exchange } from "./exchange.ts";
import { ResponseMessage } from "./message.ts";
import { runSteps } from "./pipeline.ts";

/**
 * Tries the `cors` steps in order until one answers; an empty 200 when none does.
 * @throws GatewayError of a step
 */
export function runPreflight(exchange: Exchange, steps: readonly Step[]): void {
  exchange.isPreflight = true;
  const outcome = runSteps(steps, exchange, null);
  exchange.response = outcome instanceof ResponseMessage ? outcome : new ResponseMessage(200);
}
