/** For tests of validation policies: one line per finding, and what the client would read. */
import type { Step } from "../compiler/policy.ts";
import { JArray } from "../compiler/runtime/library/json/token.ts";
import { GatewayError } from "../gateway/errors.ts";
import type { Exchange } from "../gateway/exchange.ts";
import type { Operation } from "../gateway/snapshot.ts";
import { apiOf } from "../gateway/testing.ts";

/** The operation of an exchange that is described so. */
export function describeOperation(
  exchange: Exchange,
  template: string,
  contract: Partial<Operation["contract"]>,
): void {
  const api = apiOf({ path: "api", operations: [{ template, contract }] });
  exchange.api = api;
  exchange.operation = api.operations[0]!;
}

/**
 * `status reason: message | what the client reads | variable`, without what is the same as the message and without
 * what is not there; `ok` when nothing happened.
 */
export async function outcomeOf(step: Step, exchange: Exchange, variable = "errors"): Promise<string> {
  let said = "";
  try {
    await step.run(exchange, null);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    said = `${error.status} ${error.reason}: ${error.message}`;
    if (error.clientMessage !== error.message) said += ` | client: ${error.clientMessage}`;
  }
  const list = exchange.variables.get(variable);
  const noted = list instanceof JArray ? list.toJson(false) : "";
  return [said, noted].filter((part) => part !== "").join(" | ") || "ok";
}
