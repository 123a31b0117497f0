import { definePolicy } from "../../gateway/policy.ts";
import { ACTIONS, actionOf, settle } from "../../validation/findings.ts";
import { responseRuleFor } from "../../validation/responses.ts";

const ELEMENT = "validate-status-code";

/** Holds the response's status against those that the operation describes. */
export const validateStatusCode = definePolicy({
  element: ELEMENT,
  summary: "Checks that the operation describes the response's status code.",
  sections: ["outbound", "on-error"],
  once: "section",
  shape: {
    attributes: {
      "unspecified-status-code-action": {
        type: "string",
        expression: true,
        required: true,
        oneOf: ACTIONS,
        doc: "What to do about a status that is not described.",
      },
      "errors-variable-name": { type: "string", doc: "Variable for what was found." },
      "error-variable-name": { type: "string", doc: "The same." },
    },
    children: {
      "status-code": {
        attributes: {
          code: { type: "int", required: true, min: 100, max: 999, doc: "A status that is not described." },
          action: {
            type: "string",
            expression: true,
            required: true,
            oneOf: ACTIONS,
            doc: "What to do about this one.",
          },
        },
        doc: "Overrides the action for one status that is not described.",
      },
    },
  },
  prepare: ({ attributes, children }) => {
    const variable = attributes["errors-variable-name"] ?? attributes["error-variable-name"];
    const overrides = new Map(
      children["status-code"].map(({ attributes: { code, action } }) => [code, action]),
    );
    return (exchange) => {
      const { response, operation } = exchange;
      if (response === null || operation === null) return;
      const status = response.statusCode;
      if (responseRuleFor(operation.contract, status) !== null) return;
      const action = actionOf(
        (overrides.get(status) ?? attributes["unspecified-status-code-action"])(exchange.context),
        ELEMENT,
      );
      if (action === "ignore") return;
      const details = `Response status code ${status} is not allowed.`;
      settle(exchange, ELEMENT, "response", variable, [
        { name: String(status), type: "StatusCode", rule: "Unspecified", details, shown: null, action },
      ]);
    };
  },
});
