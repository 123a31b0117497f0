import { GatewayError } from "../../gateway/errors.ts";
import { RequestMessage } from "../../gateway/message.ts";
import { definePolicy } from "../../gateway/policy.ts";

/** RFC 9110 §9.1: a method is a token. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Changes the method of the outgoing request; never which operation runs. */
export const setMethod = definePolicy({
  element: "set-method",
  summary: "Changes the method of the request that is sent.",
  sections: ["inbound", "backend", "on-error"],
  shape: {
    text: {
      type: "string",
      expression: true,
      required: true,
      format: { pattern: TOKEN, expected: "a method, such as POST" },
      doc: "The method, such as POST.",
    },
  },
  run: (exchange, { text }, message) => {
    const method = text(exchange.context).trim().toUpperCase();
    if (!TOKEN.test(method)) {
      throw new GatewayError({
        source: "set-method",
        reason: "InvalidMethod",
        message: `"${method}" is not an HTTP method.`,
        status: 500,
      });
    }
    (message instanceof RequestMessage ? message : exchange.request).method = method;
  },
});
