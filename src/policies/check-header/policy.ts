import { GatewayError } from "../../gateway/errors.ts";
import { definePolicy } from "../../gateway/policy.ts";

/** Lets a request through only when a header is there and, if values are listed, has one of them. */
export const checkHeader = definePolicy({
  element: "check-header",
  summary: "Refuses requests without a header, or whose value is not one of those listed.",
  sections: ["inbound"],
  shape: {
    attributes: {
      name: { type: "string", expression: true, required: true, doc: "Header to look at." },
      "failed-check-httpcode": {
        type: "int",
        expression: true,
        required: true,
        min: 200,
        max: 999,
        doc: "Status of the refusal.",
      },
      "failed-check-error-message": {
        type: "string",
        expression: true,
        required: true,
        doc: "Message of the refusal.",
      },
      "ignore-case": { type: "bool", expression: true, default: false, doc: "Compare values without case." },
    },
    children: { value: { text: { type: "string", expression: true }, doc: "An allowed value." } },
  },
  prepare: ({ attributes, children }) => {
    const {
      name,
      "failed-check-httpcode": code,
      "failed-check-error-message": text,
      "ignore-case": ignoreCase,
    } = attributes;
    const allowed = children.value.map((child) => child.text);
    return (exchange) => {
      const { context } = exchange;
      const header = name(context);
      const refuse = (reason: string, message: string): GatewayError =>
        new GatewayError({
          source: "check-header",
          reason,
          message,
          status: code(context),
          clientMessage: text(context),
        });
      const lines = exchange.request.headers.getAll(header);
      const joined = lines === null ? "" : lines.join(",");
      if (lines === null || (allowed.length === 0 && joined === "")) {
        throw refuse("HeaderNotFound", `Header ${header} was not found in the request. Access denied.`);
      }
      if (allowed.length === 0) return;
      const fold = ignoreCase(context) ? (value: string) => value.toLowerCase() : (value: string) => value;
      const given = [...lines, joined].map(fold);
      const matches = allowed.some((value) =>
        given.includes(fold(value === undefined ? "" : value(context))),
      );
      if (!matches) {
        throw refuse(
          "HeaderValueNotAllowed",
          `Header ${header} value of ${joined} is not allowed. Access denied.`,
        );
      }
    };
  },
});
