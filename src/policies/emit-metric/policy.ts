import {
  DIMENSION,
  attempt,
  checkDimensions,
  prepareDimensions,
} from "../../gateway/observing/dimensions.ts";
import { measure } from "../../gateway/observing/measure.ts";
import { ALL_SECTIONS, definePolicy } from "../../gateway/policy.ts";

const SOURCE = "emit-metric";

/**
 * Adds a value to a custom metric, told apart by dimensions. Never fails the request: when a sink is down the metric is
 * dropped and counted, when an expression fails or gives no number the trace says so.
 */
export const emitMetric = definePolicy({
  element: SOURCE,
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
    const dimensionsOf = prepareDimensions(children.dimension, SOURCE);
    return (exchange) => {
      const amount = attempt(value, exchange, SOURCE);
      if (amount === null) return;
      const { names, values } = dimensionsOf(exchange);
      measure(exchange, namespace, name, names, values, amount);
    };
  },
});
