import { XmlMistake } from "../../base/xml-events.ts";
import { beginEvaluation } from "../../compiler/runtime/budget.ts";
import { BudgetError } from "../../compiler/runtime/errors.ts";
import { bodyXml } from "../../compiler/runtime/library/context-body.ts";
import { editBody, setBytes } from "../../gateway/body-edit.ts";
import type { Body } from "../../gateway/body.ts";
import { BODY_LIMITS, MOST_XML_DEPTH } from "../../gateway/body-limits.ts";
import { GatewayError } from "../../gateway/errors.ts";
import { acceptsJson, isXmlType, mediaTypeOf } from "../../gateway/media-type.ts";
import type { Message } from "../../gateway/message.ts";
import { definePolicy, messageOf } from "../../gateway/policy.ts";
import { runInSlices } from "../../gateway/slices.ts";
import { type XmlToJson, jsonOfXml } from "./convert.ts";

/** Makes JSON of an XML body. The body is held in memory for it; what is no XML ends the exchange with 500. */
export const xmlToJson = definePolicy({
  element: "xml-to-json",
  summary: "Converts the request or response body from XML to JSON.",
  sections: ["inbound", "outbound", "on-error"],
  shape: {
    attributes: {
      kind: {
        type: "string",
        expression: true,
        required: true,
        oneOf: ["javascript-friendly", "direct"],
        doc: "javascript-friendly: without prefixes and marks; direct: everything, as Json.NET has it.",
      },
      apply: {
        type: "string",
        expression: true,
        required: true,
        oneOf: ["always", "content-type-xml"],
        doc: "content-type-xml: only when Content-Type says XML.",
      },
      "consider-accept-header": {
        type: "bool",
        expression: true,
        default: true,
        doc: "Only when the request accepts JSON.",
      },
      "always-array-child-elements": {
        type: "bool",
        expression: true,
        default: false,
        doc: "true: single children are arrays too.",
      },
    },
  },
  prepare: ({ attributes }, { section }) => {
    const {
      kind,
      apply,
      "consider-accept-header": considerAccept,
      "always-array-child-elements": arrays,
    } = attributes;
    return (exchange, message) => {
      const { context } = exchange;
      const target = messageOf(exchange, section, message);
      if (apply(context).toLowerCase() !== "always" && !isXmlType(mediaTypeOf(target.headers))) return;
      if (considerAccept(context) && !acceptsJson(exchange.request.headers)) return;
      const options: XmlToJson = {
        friendly: kind(context).toLowerCase() !== "direct",
        alwaysArrays: arrays(context),
      };
      return editBody(exchange, target, "xml-to-json", (body) => convert(target, body, options));
    };
  },
});

function convert(target: Message, body: Body, options: XmlToJson): void | Promise<void> {
  if (body.bytes().length === 0) return;
  const done = (json: string): void => {
    setBytes(target, Buffer.from(json));
    target.headers.set("Content-Type", "application/json");
  };
  const failed = (error: unknown): never => {
    throw failureOf(target.kind, error);
  };
  try {
    beginEvaluation(BODY_LIMITS);
    const json = runInSlices(jsonOfXml(bodyXml(body), options, MOST_XML_DEPTH));
    if (typeof json !== "string") return json.then(done, failed);
    done(json);
  } catch (error) {
    failed(error);
  }
}

/** What is our own mistake stays as it is. */
function failureOf(kind: string, error: unknown): unknown {
  if (error instanceof XmlMistake)
    return unreadable(kind, `${error.message} Line ${error.line}, position ${error.position}.`, error);
  return error instanceof BudgetError ? unreadable(kind, error.message, error) : error;
}

function unreadable(kind: string, reason: string, cause: Error): GatewayError {
  const message = `The ${kind} body cannot be converted from XML to JSON. ${reason}`;
  return new GatewayError({
    source: "xml-to-json",
    reason: "ConversionFailure",
    message,
    status: 500,
    cause,
  });
}
