/**
 * Policies for the compiler's own tests: the shapes of real ones, no behaviour. The compiler knows no policy, so its
 * tests bring some; the real ones are tested in their folders.
 */
import type { PolicyDefinition, Section } from "./policy.ts";

const all: readonly Section[] = ["inbound", "backend", "outbound", "on-error"];
/** A policy whose step answers with what it was given. */
function policy(element: string, rest: Partial<PolicyDefinition>): PolicyDefinition {
  return { element, summary: "For tests.", sections: all, shape: {}, prepare: (args) => () => args, ...rest };
}

export const testPolicies: readonly PolicyDefinition[] = [
  policy("set-variable", {
    shape: {
      attributes: {
        name: { type: "string", required: true },
        value: { type: "any", expression: true, required: true },
      },
    },
  }),
  policy("set-header", {
    shape: {
      attributes: {
        name: { type: "string", expression: true, required: true },
        "exists-action": {
          type: "string",
          oneOf: ["override", "skip", "append", "delete"],
          default: "override",
        },
      },
      children: { value: { text: { type: "string", expression: true } } },
    },
  }),
  policy("set-body", {
    shape: {
      attributes: { template: { type: "string", oneOf: ["liquid"] } },
      text: { type: "body", expression: true, required: true },
    },
  }),
  policy("set-method", { shape: { text: { type: "string", expression: true, required: true } } }),
  policy("choose", {
    buffersItself: true,
    shape: {
      children: {
        when: {
          min: 1,
          attributes: { condition: { type: "bool", expression: true, required: true } },
          policies: "section",
        },
        otherwise: { max: 1, policies: "section" },
      },
    },
  }),
  policy("retry", {
    shape: {
      attributes: {
        condition: { type: "bool", expression: true, required: true },
        count: { type: "int", expression: true, required: true, min: 1, max: 50 },
        "first-fast-retry": { type: "bool", expression: true, default: false },
      },
      policies: "section",
    },
  }),
  policy("return-response", { shape: { policies: ["set-status", "set-header", "set-body"] } }),
  policy("set-status", {
    shape: { attributes: { code: { type: "int", required: true, min: 100, max: 999 } } },
  }),
  policy("forward-request", {
    sections: ["backend"],
    shape: { attributes: { timeout: { type: "number", min: 0 } } },
  }),
  policy("rewrite-uri", {
    sections: ["inbound"],
    shape: { attributes: { template: { type: "string", required: true } } },
  }),
  policy("quota", {
    sections: ["inbound"],
    scopes: ["product"],
    once: "document",
    shape: { attributes: { calls: { type: "int" } } },
  }),
  policy("cors", { sections: ["inbound"], once: "section" }),
  policy("set-backend-service", {
    sections: ["inbound", "backend"],
    shape: {
      attributes: { "base-url": { type: "string" }, "backend-id": { type: "string", references: "backend" } },
    },
    check: ({ attributes }, report) => {
      if (attributes["base-url"] !== undefined && attributes["backend-id"] !== undefined) {
        report("base-url and backend-id exclude each other", { attribute: "backend-id" }, "keep one of them");
      }
    },
  }),
];
