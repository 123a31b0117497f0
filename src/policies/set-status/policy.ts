import { GatewayError } from "../../gateway/errors.ts";
import { ResponseMessage, STANDARD_REASONS } from "../../gateway/message.ts";
import { ALL_SECTIONS, definePolicy, responseOf } from "../../gateway/policy.ts";

/** RFC 9112 §4: what a reason phrase is not made of. */
const UNSAFE = /[\0-\x08\x0a-\x1f\x7f]/;

/** Sets status code and reason phrase of the pending response; nothing ends. */
export const setStatus = definePolicy({
  element: "set-status",
  summary: "Sets the status code and reason phrase of the pending response.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      code: { type: "int", expression: true, required: true, min: 200, max: 999, doc: "Status code." },
      reason: { type: "string", expression: true, doc: "Reason phrase; default: the standard one." },
    },
  },
  run: (exchange, { attributes: { code, reason } }, message) => {
    const response = message instanceof ResponseMessage ? message : responseOf(exchange);
    const status = code(exchange.context);
    if (status < 200 || status > 999) {
      throw new GatewayError({
        source: "set-status",
        reason: "InvalidStatusCode",
        message: `${status} is not the status code of a final response (200 to 999).`,
        status: 500,
      });
    }
    const phrase = reason?.(exchange.context) ?? "";
    if (UNSAFE.test(phrase)) {
      throw new GatewayError({
        source: "set-status",
        reason: "InvalidReasonPhrase",
        message: "The reason phrase contains a line break or control character.",
        status: 500,
      });
    }
    response.statusCode = status;
    response.statusReason = phrase === "" ? (STANDARD_REASONS.get(status) ?? "") : phrase;
  },
});
