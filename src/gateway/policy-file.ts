/** `GET /crossdomain.xml`: no API has this path, so the `cross-domain` policy is asked before there is a 404. */
import type { Exchange } from "./exchange.ts";
import { ResponseMessage } from "./message.ts";
import { runSteps } from "./pipeline.ts";
import type { Plan } from "./snapshot.ts";

export const POLICY_FILE = "/crossdomain.xml";

/** @returns whether there is an answer now */
export function answersPolicyFile(exchange: Exchange, plan: Plan): boolean {
  const { request } = exchange;
  if (plan.inbound === null || request.originalUrl.path.toLowerCase() !== POLICY_FILE) return false;
  const steps = plan.inbound.filter(({ site }) => site.element === "cross-domain");
  const outcome = steps.length === 0 ? undefined : runSteps(steps, exchange, null);
  if (!(outcome instanceof ResponseMessage)) return false;
  exchange.response = outcome;
  return true;
}
