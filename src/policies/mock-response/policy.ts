import { HeaderList } from "../../base/headers.ts";
import { Body } from "../../gateway/body.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { ResponseMessage } from "../../gateway/message.ts";
import { definePolicy } from "../../gateway/policy.ts";

/** Ends the exchange with an example of the operation's own description. */
export const mockResponse = definePolicy({
  element: "mock-response",
  summary:
    "Ends the request with an example, or a sample made from the schema, of the operation's description.",
  sections: ["inbound", "outbound", "on-error"],
  shape: {
    attributes: {
      "status-code": {
        type: "int",
        default: 200,
        min: 200,
        max: 599,
        doc: "Which response of the operation.",
      },
      "content-type": { type: "string", doc: "Which representation; default: the first." },
      index: { type: "int", default: 0, min: 0, doc: "Which of several examples, from 0." },
    },
  },
  run: (exchange, { attributes }) =>
    mock(exchange, attributes["status-code"], attributes["content-type"], attributes.index),
});

function mock(
  exchange: Exchange,
  status: number,
  contentType: string | undefined,
  index: number,
): ResponseMessage {
  const responses = exchange.operation?.responses ?? [];
  const representations = responses.find((response) => response.status === status)?.representations ?? [];
  const wanted = contentType?.toLowerCase();
  const found =
    (wanted === undefined
      ? undefined
      : representations.find((one) => one.contentType.toLowerCase() === wanted)) ?? representations[0];
  const text = found?.examples[index] ?? found?.examples[0] ?? found?.sample ?? null;
  const type = found?.contentType ?? contentType;
  const headers = new HeaderList(type === undefined ? [] : ["Content-Type", type]);
  return new ResponseMessage(status, "", headers, text === null ? null : Body.text("response", text));
}
