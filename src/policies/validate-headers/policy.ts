import type { ParameterRule } from "../../gateway/snapshot.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { ACTIONS, type Finding, actionOf, settle } from "../../validation/findings.ts";
import { headersOfMessage } from "../../validation/headers.ts";
import { checkParameter, missing, unspecified } from "../../validation/parameters.ts";
import { responseRuleFor } from "../../validation/responses.ts";

const ELEMENT = "validate-headers";

/** Holds the response's headers against those that the operation describes for its status. */
export const validateHeaders = definePolicy({
  element: ELEMENT,
  summary: "Checks the response's headers against the operation's description.",
  sections: ["outbound", "on-error"],
  once: "section",
  shape: {
    attributes: {
      "specified-header-action": {
        type: "string",
        expression: true,
        required: true,
        oneOf: ACTIONS,
        doc: "For described headers with wrong values.",
      },
      "unspecified-header-action": {
        type: "string",
        expression: true,
        required: true,
        oneOf: ACTIONS,
        doc: "For headers that are not described.",
      },
      "errors-variable-name": { type: "string", doc: "Variable for what was found." },
    },
    children: {
      header: {
        attributes: {
          name: { type: "string", required: true, doc: "Name of the header." },
          action: {
            type: "string",
            expression: true,
            required: true,
            oneOf: ACTIONS,
            doc: "What to do about this one.",
          },
        },
        doc: "Overrides the action for one header.",
      },
    },
  },
  prepare: ({ attributes, children }) => {
    const overrides = new Map(
      children.header.map(({ attributes: { name, action } }) => [name.toLowerCase(), action]),
    );
    return (exchange) => {
      const { response, operation, context } = exchange;
      if (response === null || operation === null) return;
      const rules = responseRuleFor(operation.contract, response.statusCode)?.headers ?? NO_RULES;
      const specified = actionOf(attributes["specified-header-action"](context), ELEMENT);
      const others = actionOf(attributes["unspecified-header-action"](context), ELEMENT);
      const given = headersOfMessage(response.headers);
      const findings: Finding[] = [];
      for (const rule of rules) {
        const override = overrides.get(rule.name.toLowerCase());
        const action = override === undefined ? specified : actionOf(override(context), ELEMENT);
        const values = given.get(rule.name.toLowerCase());
        given.delete(rule.name.toLowerCase());
        if (action === "ignore") continue;
        if (values === undefined) {
          if (rule.required) findings.push(missing("ResponseHeader", rule.name, action));
          continue;
        }
        const found = checkParameter(rule, "ResponseHeader", values.lines, action, exchange.snapshot.schemas);
        if (found !== null) findings.push(found);
      }
      for (const [key, { name }] of given) {
        const override = overrides.get(key);
        const action = override === undefined ? others : actionOf(override(context), ELEMENT);
        if (action !== "ignore") findings.push(unspecified("ResponseHeader", name, action));
      }
      settle(exchange, ELEMENT, "response", attributes["errors-variable-name"], findings);
    };
  },
});

const NO_RULES: readonly ParameterRule[] = [];
