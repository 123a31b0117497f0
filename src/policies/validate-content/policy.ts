import type { Value } from "../../compiler/policy.ts";
import { editBody } from "../../gateway/body-edit.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { bareType } from "../../gateway/media-type.ts";
import type { Message } from "../../gateway/message.ts";
import { type Outcome, definePolicy } from "../../gateway/policy.ts";
import type { BodyRule } from "../../gateway/snapshot.ts";
import {
  ACTIONS,
  type Action,
  type Finding,
  type Side,
  actionOf,
  prevents,
  settle,
} from "../../validation/findings.ts";
import { responseRuleFor } from "../../validation/responses.ts";
import { type ContentRule, type Subject, checkContent, unspecifiedType } from "./content.ts";

const ELEMENT = "validate-content";

interface Mapping {
  readonly from: string | undefined;
  readonly when: Value<boolean> | undefined;
  readonly to: string;
}

interface Settings {
  readonly unspecified: Value<string>;
  readonly maxSize: Value<number>;
  readonly sizeExceeded: Value<string>;
  readonly variable: string | undefined;
  readonly anyType: string | undefined;
  readonly missingType: string | undefined;
  readonly mappings: readonly Mapping[];
  readonly contents: readonly (ContentRule & { readonly action: Value<string> })[];
}

/**
 * Holds a body against the operation's description or a stored schema: its size, its content type, its content. JSON is
 * held against its schema; XML and what SOAP carries against the XML Schema that `schema-id` names, and must be well-formed
 * without one. The body is held in memory for it and stays readable.
 */
export const validateContent = definePolicy({
  element: ELEMENT,
  summary: "Checks size, content type and content of the request or response body against schemas.",
  sections: ["inbound", "outbound", "on-error"],
  shape: {
    attributes: {
      "unspecified-content-type-action": {
        type: "string",
        expression: true,
        required: true,
        oneOf: ACTIONS,
        doc: "For content types that are not described.",
      },
      "max-size": {
        type: "int",
        expression: true,
        required: true,
        min: 0,
        doc: "Octets that the body may have.",
      },
      "size-exceeded-action": {
        type: "string",
        expression: true,
        required: true,
        oneOf: ACTIONS,
        doc: "For larger bodies.",
      },
      "errors-variable-name": { type: "string", doc: "Variable for what was found." },
    },
    children: {
      "content-type-map": {
        attributes: {
          "any-content-type-value": { type: "string", doc: "Taken instead of every content type." },
          "missing-content-type-value": { type: "string", doc: "Taken when there is none." },
        },
        children: {
          type: {
            attributes: {
              from: { type: "string", doc: "Content type that is taken for another." },
              when: { type: "bool", expression: true, doc: "true: the message is taken for another." },
              to: { type: "string", required: true, doc: "What it is taken for." },
            },
            doc: "One content type taken for another.",
          },
        },
        max: 1,
        doc: "Which content type a message is taken for.",
      },
      content: {
        attributes: {
          type: { type: "string", doc: "Content type; absent: every one that the operation describes." },
          "validate-as": {
            type: "string",
            required: true,
            oneOf: ["json", "xml", "soap"],
            doc: "How the body is read.",
          },
          action: {
            type: "string",
            expression: true,
            required: true,
            oneOf: ACTIONS,
            doc: "For bodies that do not conform.",
          },
          "schema-id": {
            type: "string",
            references: "schema",
            doc: "A stored schema instead of the operation's; for XML and SOAP an XML Schema.",
          },
          "schema-ref": { type: "string", doc: "A place in the stored schema: #/definitions/Order." },
          "allow-additional-properties": {
            type: "bool",
            doc: "Overrides additionalProperties of the schema.",
          },
          "case-insensitive-property-names": {
            type: "bool",
            default: false,
            doc: "Names of properties have no case.",
          },
        },
        doc: "How bodies of a content type are validated.",
      },
    },
  },
  check: ({ children }, report) => {
    children.content.forEach(({ attributes }, index) => {
      const isJson = attributes["validate-as"] === "json";
      const at = (attribute: string) => ({ child: "content", index, attribute });
      if (attributes["schema-ref"] !== undefined && attributes["schema-id"] === undefined) {
        report(
          "`schema-ref` is a place in the stored schema that `schema-id` names",
          at("schema-ref"),
          'add schema-id="…"',
        );
      }
      if (isJson) return;
      if (attributes["schema-ref"] !== undefined) report("`schema-ref` is for JSON only", at("schema-ref"));
      else if (attributes["schema-id"] === undefined) {
        const hint = "store the XML Schema and name it with `schema-id`";
        report(
          "without `schema-id`, XML is only checked to be well-formed",
          at("validate-as"),
          hint,
          "warning",
        );
      }
    });
    for (const [index, { attributes }] of (children["content-type-map"][0]?.children.type ?? []).entries()) {
      if ((attributes.from === undefined) === (attributes.when === undefined)) {
        report("either `from` or `when` says what is mapped", { child: "content-type-map/type", index });
      }
    }
  },
  prepare: ({ attributes, children }, { section }) => {
    const map = children["content-type-map"][0];
    const settings: Settings = {
      unspecified: attributes["unspecified-content-type-action"],
      maxSize: attributes["max-size"],
      sizeExceeded: attributes["size-exceeded-action"],
      variable: attributes["errors-variable-name"],
      anyType: map?.attributes["any-content-type-value"],
      missingType: map?.attributes["missing-content-type-value"],
      mappings: (map?.children.type ?? []).map(({ attributes: { from, when, to } }) => ({
        from: from === undefined ? undefined : bareType(from),
        when,
        to,
      })),
      contents: children.content.map(({ attributes: content }) => ({
        type: content.type === undefined ? "" : bareType(content.type),
        validateAs: content["validate-as"] as ContentRule["validateAs"],
        schemaId: content["schema-id"],
        schemaRef: content["schema-ref"],
        additionalProperties: content["allow-additional-properties"] ?? null,
        foldNames: content["case-insensitive-property-names"],
        action: content.action,
      })),
    };
    const side: Side = section === "inbound" ? "request" : "response";
    return (exchange) => validate(exchange, side, settings);
  },
});

function validate(exchange: Exchange, side: Side, settings: Settings): Outcome | Promise<Outcome> {
  const message: Message | null = side === "request" ? exchange.request : exchange.response;
  if (message === null) return;
  if (message.body === null) return withoutBody(exchange, side, settings);
  const { context } = exchange;
  const maxSize = settings.maxSize(context);
  const sizeAction = actionOf(settings.sizeExceeded(context), ELEMENT);
  const announced = message.body.length;
  if (sizeAction === "prevent" && announced !== undefined && announced > maxSize) {
    settle(exchange, ELEMENT, side, settings.variable, [tooLarge(side, announced, maxSize, sizeAction)]);
  }
  return editBody(exchange, message, ELEMENT, (body) => {
    const findings: Finding[] = [];
    const bytes = body.bytes();
    if (bytes.length > maxSize && sizeAction !== "ignore")
      findings.push(tooLarge(side, bytes.length, maxSize, sizeAction));
    const finish = (found: Finding | null): void => {
      if (found !== null) findings.push(found);
      settle(exchange, ELEMENT, side, settings.variable, findings);
    };
    if (bytes.length === 0) return withoutBody(exchange, side, settings);
    if (prevents(findings)) return finish(null);
    const found = contentFinding(exchange, { side, body }, message, settings);
    return found instanceof Promise ? found.then(finish) : finish(found);
  });
}

/** There is nothing to validate, unless the operation needs a body: then what is said of the described types is done. */
function withoutBody(exchange: Exchange, side: Side, settings: Settings): void {
  const { operation, context } = exchange;
  if (side !== "request" || operation === null || !operation.contract.needsBody) return;
  const { bodies } = operation.contract;
  const content = settings.contents.find(
    ({ type }) => type === "" || bodies.some(({ contentType }) => contentType === type),
  );
  const action = actionOf((content?.action ?? settings.unspecified)(context), ELEMENT);
  if (action === "ignore") return;
  const details = "Required body of the request is missing.";
  settle(exchange, ELEMENT, side, settings.variable, [
    { name: "", type: "RequestBody", rule: "IncorrectMessage", details, shown: details, action },
  ]);
}

function tooLarge(side: Side, size: number, limit: number, action: Action): Finding {
  const whose = side === "request" ? "Request's" : "Response's";
  const text = (what: string): string =>
    `${whose} body is ${size} bytes long and it exceeds the ${what}limit of ${limit} bytes.`;
  return {
    name: "",
    type: side === "request" ? "RequestBody" : "ResponseBody",
    rule: "SizeLimit",
    details: text("configured "),
    shown: text(""),
    action,
  };
}

function contentFinding(
  exchange: Exchange,
  subject: Subject,
  message: Message,
  settings: Settings,
): Finding | null | Promise<Finding | null> {
  const { context, operation } = exchange;
  const type = mappedType(exchange, message, settings);
  const described = describedBodies(exchange, subject.side);
  const rule = described.find(({ contentType }) => contentType === type);
  const content =
    settings.contents.find((one) => one.type === type) ??
    settings.contents.find((one) => one.type === "" && rule !== undefined);
  if (content === undefined) {
    if (rule !== undefined && operation !== null) return null;
    const action = actionOf(settings.unspecified(context), ELEMENT);
    return action === "ignore" ? null : unspecifiedType(subject, type, action);
  }
  const action = actionOf(content.action(context), ELEMENT);
  return action === "ignore" ? null : checkContent(exchange, subject, type, content, rule ?? null, action);
}

function describedBodies({ operation, response }: Exchange, side: Side): readonly BodyRule[] {
  if (operation === null) return [];
  if (side === "request") return operation.contract.bodies;
  return responseRuleFor(operation.contract, response!.statusCode)?.bodies ?? [];
}

function mappedType(
  exchange: Exchange,
  message: Message,
  { mappings, anyType, missingType }: Settings,
): string {
  const given = bareType(message.headers.get("content-type") ?? "");
  for (const { from, when, to } of mappings) {
    if (when === undefined ? from === given : when(exchange.context)) return bareType(to);
  }
  if (anyType !== undefined) return bareType(anyType);
  return given === "" && missingType !== undefined ? bareType(missingType) : given;
}
