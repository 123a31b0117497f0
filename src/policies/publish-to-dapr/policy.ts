import { DAPR_CALL, segment, sendToDapr } from "../../backends/own-requests/dapr.ts";
import { checkContent, prepareContent } from "../../backends/own-requests/dapr-content.ts";
import { definePolicy } from "../../gateway/policy.ts";

/**
 * Publishes a message to a topic through the Dapr sidecar and waits for its answer. A sidecar that is down or says no
 * fails the exchange with 500, unless `ignore-error`.
 */
export const publishToDapr = definePolicy({
  element: "publish-to-dapr",
  summary: "Publishes a message to a Dapr topic, through the sidecar.",
  sections: ["inbound", "outbound", "on-error"],
  shape: {
    attributes: {
      "pubsub-name": {
        type: "string",
        expression: true,
        doc: "Name of the pub/sub component; may stand before the topic instead.",
      },
      topic: { type: "string", expression: true, required: true, doc: "Name of the topic, or pubsub/topic." },
      ...DAPR_CALL,
    },
    text: { type: "string", expression: true, doc: "The message." },
  },
  check: ({ attributes, text }, report) => {
    checkContent(attributes.template, text, report);
    const { topic, "pubsub-name": pubsub } = attributes;
    if (pubsub === undefined && topic.isConstant && !topic.constant!.includes("/")) {
      report(
        "nothing says which pub/sub component the topic belongs to",
        { attribute: "topic" },
        'add pubsub-name="…", or write topic="pubsub/topic"',
      );
    }
  },
  prepare: ({ attributes, text }, site) => {
    const content = prepareContent(attributes.template, text, site.section);
    return async (exchange) => {
      const body = await content(exchange);
      await sendToDapr(exchange, "publish-to-dapr", attributes, () => {
        const topic = attributes.topic(exchange.context);
        const pubsub = attributes["pubsub-name"]?.(exchange.context) ?? "";
        const path = (pubsub === "" ? topic : `${pubsub}/${topic}`).split("/").map(segment).join("/");
        return { path: `/publish/${path}`, contentType: attributes["content-type"], body };
      });
    };
  },
});
