import { Body } from "../../gateway/body.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { ResponseMessage } from "../../gateway/message.ts";
import { runSteps } from "../../gateway/pipeline.ts";
import { ALL_SECTIONS, definePolicy } from "../../gateway/policy.ts";

const SOURCE = "return-response";

/**
 * Ends the exchange at once with a response of its own: nothing else runs, at any scope. A variable that nobody has set is as
 * good as none: the product's own documentation has long named one that never was, and its readers have copied that.
 */
export const returnResponse = definePolicy({
  element: SOURCE,
  summary: "Ends the request with the given response; no further policy runs at any scope.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      "response-variable-name": {
        type: "string",
        doc: "A variable that holds a response (from send-request) to start from, instead of an empty 200.",
      },
    },
    policies: ["set-status", "set-header", "set-body"],
  },
  prepare: ({ attributes, steps }) => {
    const variable = attributes["response-variable-name"];
    return (exchange) => {
      const response =
        variable !== undefined && isThere(exchange, variable)
          ? copyOf(exchange, variable)
          : new ResponseMessage(200);
      const outcome = runSteps(steps, exchange, response);
      return outcome instanceof Promise ? outcome.then(() => response) : response;
    };
  },
});

function isThere(exchange: Exchange, name: string): boolean {
  if (exchange.variables.has(name)) return true;
  exchange.remark(SOURCE, `There is no variable "${name}": an empty 200 stands in its place.`);
  return false;
}

function copyOf(exchange: Exchange, name: string): ResponseMessage {
  const held = exchange.variables.get(name);
  if (!(held instanceof ResponseMessage)) {
    throw new GatewayError({
      source: SOURCE,
      reason: "ResponseVariableInvalid",
      message: `The variable "${name}" does not hold a response.`,
      status: 500,
    });
  }
  const { statusCode, statusReason, headers, body } = held;
  const copied = body === null ? null : Body.of("response", body.bytes(), body.charset);
  const fields = headers.copy();
  if (copied !== null) fields.delete("content-encoding");
  return new ResponseMessage(statusCode, statusReason, fields, copied);
}
