import { beginEvaluation } from "../../compiler/runtime/budget.ts";
import { BudgetError, NetException } from "../../compiler/runtime/errors.ts";
import { bodyText } from "../../compiler/runtime/library/context-body.ts";
import { readJson } from "../../compiler/runtime/library/json/reader.ts";
import { editBody, setBytes } from "../../gateway/body-edit.ts";
import type { Body } from "../../gateway/body.ts";
import { BODY_LIMITS, MOST_JSON_DEPTH } from "../../gateway/body-limits.ts";
import { GatewayError } from "../../gateway/errors.ts";
import { acceptsXml, isJsonType, mediaTypeOf } from "../../gateway/media-type.ts";
import type { Message } from "../../gateway/message.ts";
import { definePolicy, messageOf } from "../../gateway/policy.ts";
import { runInSlices } from "../../gateway/slices.ts";
import { type JsonToXml, Unwritable, xmlOfJson } from "./convert.ts";

/** Makes XML of a JSON body. The body is held in memory for it; what is no JSON ends the exchange with 500. */
export const jsonToXml = definePolicy({
  element: "json-to-xml",
  summary: "Converts the request or response body from JSON to XML.",
  sections: ["inbound", "outbound", "on-error"],
  shape: {
    attributes: {
      apply: {
        type: "string",
        expression: true,
        required: true,
        oneOf: ["always", "content-type-json"],
        doc: "content-type-json: only when Content-Type says JSON.",
      },
      "consider-accept-header": {
        type: "bool",
        expression: true,
        default: true,
        doc: "Only when the request accepts XML.",
      },
      "parse-date": {
        type: "bool",
        default: true,
        doc: "false: texts that look like dates are copied as they are.",
      },
      "namespace-separator": {
        type: "string",
        expression: true,
        default: "_",
        doc: "Stands between prefix and name.",
      },
      "namespace-prefix": {
        type: "string",
        expression: true,
        doc: "Properties with this prefix declare namespaces.",
      },
      "attribute-block-name": {
        type: "string",
        expression: true,
        doc: "The members of this property become attributes.",
      },
    },
  },
  prepare: ({ attributes }, { section }) => {
    const { apply, "consider-accept-header": considerAccept, "parse-date": parseDates } = attributes;
    const {
      "namespace-separator": separator,
      "namespace-prefix": prefix,
      "attribute-block-name": block,
    } = attributes;
    return (exchange, message) => {
      const { context } = exchange;
      const target = messageOf(exchange, section, message);
      if (apply(context).toLowerCase() !== "always" && !isJsonType(mediaTypeOf(target.headers))) return;
      if (considerAccept(context) && !acceptsXml(exchange.request.headers)) return;
      const options: JsonToXml = {
        separator: separator(context),
        namespacePrefix: prefix?.(context) ?? null,
        attributeBlock: block?.(context) ?? null,
      };
      return editBody(exchange, target, "json-to-xml", (body) => convert(target, body, parseDates, options));
    };
  },
});

function convert(target: Message, body: Body, dates: boolean, options: JsonToXml): void | Promise<void> {
  if (body.bytes().length === 0) return;
  const done = (xml: string): void => {
    setBytes(target, Buffer.from(xml), "utf-8");
    target.headers.set("Content-Type", "application/xml; charset=utf-8");
  };
  const failed = (error: unknown): never => {
    if (!(error instanceof NetException || error instanceof BudgetError || error instanceof Unwritable))
      throw error;
    throw unreadable(target.kind, error);
  };
  try {
    beginEvaluation(BODY_LIMITS);
    const value = readJson(bodyText(body), "JToken", { dates, maxDepth: MOST_JSON_DEPTH });
    const xml = runInSlices(xmlOfJson(value, options));
    if (typeof xml !== "string") return xml.then(done, failed);
    done(xml);
  } catch (error) {
    failed(error);
  }
}

function unreadable(kind: string, cause: Error): GatewayError {
  const message = `The ${kind} body cannot be converted from JSON to XML. ${cause.message}`;
  return new GatewayError({
    source: "json-to-xml",
    reason: "ConversionFailure",
    message,
    status: 500,
    cause,
  });
}
