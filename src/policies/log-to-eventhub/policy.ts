import type { Exchange } from "../../gateway/exchange.ts";
import { ALL_SECTIONS, definePolicy } from "../../gateway/policy.ts";

const SOURCE = "log-to-eventhub";
/** Longer messages are cut: 200 KB. */
const MOST_BYTES = 200 * 1024;

/**
 * Hands a message to the logger's queue and goes on at once. Nothing about the hub fails or slows the exchange: while it
 * cannot be reached the queue holds what fits and gives up the oldest, which is counted and logged.
 */
export const logToEventhub = definePolicy({
  element: SOURCE,
  summary: "Sends a message to an Azure Event Hub, without waiting for it.",
  sections: ALL_SECTIONS,
  scopes: ["global", "product", "api", "operation"],
  shape: {
    attributes: {
      "logger-id": {
        type: "string",
        expression: true,
        required: true,
        references: "logger",
        doc: "Name of a logger of type azureEventHub.",
      },
      "partition-id": {
        type: "string",
        doc: "The partition that gets the message; not together with partition-key.",
      },
      "partition-key": {
        type: "string",
        expression: true,
        doc: "Messages with the same key go to the same partition.",
      },
    },
    text: {
      type: "string",
      expression: true,
      required: true,
      doc: "The message; what is longer than 200 KB is cut.",
    },
  },
  check: ({ attributes }, report) => {
    if (attributes["partition-id"] !== undefined && attributes["partition-key"] !== undefined) {
      report(
        "partition-id and partition-key cannot stand together",
        { attribute: "partition-id" },
        "keep one of them",
      );
    }
  },
  run: (exchange, { attributes, text }) => {
    const { context } = exchange;
    const id = attributes["logger-id"](context);
    const logger = exchange.snapshot.loggers.get(id.slice(id.lastIndexOf("/") + 1).toLowerCase());
    if (logger?.kind !== "event-hub") {
      say(
        exchange,
        logger === undefined
          ? `There is no logger "${id}".`
          : `The logger "${id}" is of type ${logger.type}, not azureEventHub.`,
      );
      return;
    }
    const { body, sizeBytes } = cut(text(context));
    const partitionId = attributes["partition-id"] ?? null;
    const partitionKey = attributes["partition-key"]?.(context) ?? null;
    exchange.services.loggers.sendEvent(logger, { body, sizeBytes, partitionId, partitionKey });
    if (exchange.traced !== null)
      exchange.remark(SOURCE, `${sizeBytes} bytes for ${logger.hub} at ${logger.place.host}`);
  },
});

function say(exchange: Exchange, error: string): void {
  exchange.remark(SOURCE, error);
  exchange.services.log({
    level: "warn",
    msg: "log-to-eventhub failed",
    requestId: exchange.requestId,
    error,
  });
}

/** At a character's end. */
function cut(text: string): { body: string; sizeBytes: number } {
  // A UTF-16 unit takes three octets at most.
  if (text.length * 3 <= MOST_BYTES) return { body: text, sizeBytes: Buffer.byteLength(text) };
  const bytes = Buffer.from(text);
  if (bytes.length <= MOST_BYTES) return { body: text, sizeBytes: bytes.length };
  let end = MOST_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return { body: bytes.toString("utf8", 0, end), sizeBytes: end };
}
