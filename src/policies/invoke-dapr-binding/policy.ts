import { DAPR_CALL, segment, sendToDapr } from "../../backends/own-requests/dapr.ts";
import { checkContent, prepareContent } from "../../backends/own-requests/dapr-content.ts";
import { definePolicy } from "../../gateway/policy.ts";

/**
 * Triggers an output binding through the Dapr sidecar and waits for its answer. A sidecar that is down or says no fails
 * the exchange with 500, unless `ignore-error`.
 */
export const invokeDaprBinding = definePolicy({
  element: "invoke-dapr-binding",
  summary: "Triggers an external system through a Dapr output binding.",
  sections: ["inbound", "outbound", "on-error"],
  shape: {
    attributes: {
      name: { type: "string", expression: true, required: true, doc: "Name of the binding." },
      operation: { type: "string", expression: true, doc: "What the binding shall do, such as create." },
      ...DAPR_CALL,
    },
    children: {
      metadata: {
        max: 1,
        children: {
          item: {
            attributes: { key: { type: "string", required: true, doc: "Name, as the binding wants it." } },
            text: { type: "string", expression: true, doc: "Its value." },
            doc: "A property for the binding.",
          },
        },
        doc: "Properties for the binding.",
      },
      data: {
        max: 1,
        text: { type: "string", expression: true },
        doc: "Content of the message: JSON, or, with another content-type, text.",
      },
    },
  },
  check: ({ attributes, children }, report) =>
    checkContent(attributes.template, children.data[0]?.text, report),
  prepare: ({ attributes, children }, site) => {
    const content =
      children.data[0] === undefined
        ? null
        : prepareContent(attributes.template, children.data[0].text, site.section);
    const items = children.metadata[0]?.children.item ?? [];
    return async (exchange) => {
      const data = content === null ? undefined : await content(exchange);
      await sendToDapr(exchange, "invoke-dapr-binding", attributes, () => {
        const { context } = exchange;
        const metadata = items.map((item) => [item.attributes.key, item.text?.(context) ?? ""] as const);
        const request = {
          operation: attributes.operation?.(context),
          metadata: metadata.length === 0 ? undefined : Object.fromEntries(metadata),
          data: data === undefined ? undefined : dataOf(data, attributes["content-type"]),
        };
        return {
          path: `/bindings/${segment(attributes.name(context))}`,
          contentType: "application/json",
          body: JSON.stringify(request),
        };
      });
    };
  },
});

/** JSON travels as what it is, everything else as a text. */
function dataOf(text: string, contentType: string): unknown {
  if (!/\bjson\b/i.test(contentType)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
