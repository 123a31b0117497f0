import { DIMENSION, checkDimensions, prepareDimensions } from "../../gateway/dimensions.ts";
import { measure } from "../../gateway/measure.ts";
import { ALL_SECTIONS, definePolicy } from "../../gateway/policy.ts";

/** Adds a value to a custom metric, told apart by dimensions. Never fails the request because a sink is down. */
export const emitMetric = definePolicy({
  element: "emit-metric",
  summary: "Sends a custom metric: a value, told apart by dimensions.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      name: { type: "string", required: true, doc: "Name of the metric." },
      namespace: { type: "string", default: "API Management", doc: "Namespace of the metric." },
      value: { type: "number", expression: true, default: 1, doc: "What is added; a double." },
    },
    children: { dimension: DIMENSION },
  },
  check: ({ children }, report) => checkDimensions(children.dimension, report, 10),
  prepare: ({ attributes: { name, namespace, value }, children }) => {
    const dimensionsOf = prepareDimensions(children.dimension);
    return (exchange) => {
      const { names, values } = dimensionsOf(exchange);
      measure(exchange, namespace, name, names, values, value(exchange.context));
    };
  },
});
