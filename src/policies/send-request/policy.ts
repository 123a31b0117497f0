import {
  OWN_REQUEST,
  type OwnRequest,
  checkOwnRequest,
  makeOwnRequest,
  prepareOwnRequest,
  sendOwnRequest,
  shownUrl,
  timeoutOf,
} from "../../backends/own-requests/own-request.ts";
import { ClientGone, GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { RequestMessage, ResponseMessage } from "../../gateway/message.ts";
import { toGatewayError } from "../../gateway/pipeline.ts";
import { ALL_SECTIONS, definePolicy } from "../../gateway/policy.ts";

/**
 * Sends a request of its own and waits for the answer, which a variable holds afterwards, body in memory. Backend
 * entities, breakers and `retry` settings of the API play no part in it. Any status is a success. Without an answer
 * (no connection, no time left, one that is too large) the exchange fails with 500, or, with `ignore-error`, goes on
 * with null in the variable. The caller's hang-up ends the request at once.
 */
export const sendRequest = definePolicy({
  element: "send-request",
  summary: "Sends a request of its own, waits for the answer and puts it into a variable.",
  sections: ALL_SECTIONS,
  shape: {
    ...OWN_REQUEST,
    attributes: {
      ...OWN_REQUEST.attributes,
      "response-variable-name": {
        type: "string",
        doc: "The variable that gets the response, with its body in memory.",
      },
      "ignore-error": {
        type: "bool",
        default: false,
        doc: "true: a failure leaves null in the variable and nothing else.",
      },
    },
  },
  check: (args, report) => checkOwnRequest(args, report),
  prepare: (args, site) => {
    const own = prepareOwnRequest(args, site.section, "send-request");
    const variable = args.attributes["response-variable-name"];
    const ignoreError = args.attributes["ignore-error"];
    return (exchange) => run(own, exchange, variable, ignoreError);
  },
});

async function run(
  own: OwnRequest,
  exchange: Exchange,
  variable: string | undefined,
  ignoreError: boolean,
): Promise<void> {
  const message = await makeOwnRequest(own, exchange);
  const timeoutMs = timeoutOf(own, exchange);
  let response: ResponseMessage | null = null;
  let failure: GatewayError | null = null;
  try {
    const limitBytes = exchange.snapshot.options.bufferLimitBytes;
    response = await sendOwnRequest(exchange, message, own.source, {
      timeoutMs,
      limitBytes,
      abort: exchange.abort,
    });
  } catch (error) {
    failure = failed(error, message);
  }
  if (exchange.abort.aborted) throw new ClientGone();
  if (failure !== null && !ignoreError) throw failure;
  if (exchange.tracing) {
    const what =
      failure === null
        ? `${message.method} ${shownUrl(message)}: ${response!.statusCode}`
        : `Ignored: ${failure.message}`;
    exchange.remark("send-request", what);
  }
  if (variable !== undefined) exchange.variables.set(variable, response);
}

/** In the author's words, with where it was going. */
function failed(error: unknown, message: RequestMessage): GatewayError {
  const { reason, code, message: text } = toGatewayError(error, "send-request");
  // What is our own mistake stays one.
  if (reason === "InternalError") throw error;
  return new GatewayError({
    source: "send-request",
    reason,
    message: `The request to ${shownUrl(message)} failed: ${text}`,
    status: 500,
    code,
    cause: error,
  });
}
