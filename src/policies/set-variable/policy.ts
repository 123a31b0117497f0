import { ALL_SECTIONS, definePolicy } from "../../gateway/policy.ts";

/** Stores a value, with its type, under `context.Variables[name]` for the rest of the exchange. */
export const setVariable = definePolicy({
  element: "set-variable",
  summary: "Stores a value under context.Variables[name] for the rest of the request, with its .NET type.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      name: {
        type: "string",
        required: true,
        format: { pattern: /\S/, expected: "a name" },
        doc: "Name of the variable; upper and lower case differ.",
      },
      value: {
        type: "any",
        expression: true,
        required: true,
        trim: false,
        doc: "A literal (always text) or an expression.",
      },
    },
  },
  run: (exchange, { attributes: { name, value } }) =>
    void exchange.variables.set(name, value(exchange.context)),
});
