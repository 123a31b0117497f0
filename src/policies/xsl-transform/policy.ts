import { XmlMistake } from "../../base/xml-events.ts";
import { beginEvaluation } from "../../compiler/runtime/budget.ts";
import { BudgetError } from "../../compiler/runtime/errors.ts";
import { bodyXml } from "../../compiler/runtime/library/context-body.ts";
import { editBody, setBytes } from "../../gateway/body-edit.ts";
import type { Body } from "../../gateway/body.ts";
import { BODY_LIMITS } from "../../gateway/body-limits.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Message } from "../../gateway/message.ts";
import { definePolicy, messageOf } from "../../gateway/policy.ts";
import { runInSlices } from "../../gateway/slices.ts";
import { type Stylesheet, StylesheetMistake, compileStylesheet } from "./compile.ts";
import { write } from "./output.ts";
import { Transform, TransformFailure } from "./transform.ts";
import { Order, type TreeNode, treeInSteps } from "./tree.ts";
import { NotNodes } from "./xpath.ts";

const STYLESHEET = {
  markup: true,
  text: { type: "body" },
  max: 1,
  doc: "The stylesheet, XSLT 1.0.",
} as const;

/**
 * Transforms an XML body with an XSLT 1.0 stylesheet. Nothing outside the body is read: no document(), no imports, no
 * scripts, no document types. Work is bounded; what is no XML, or takes too long, ends the exchange with 500.
 */
export const xslTransform = definePolicy({
  element: "xsl-transform",
  summary: "Transforms the XML request or response body with an XSLT 1.0 stylesheet.",
  sections: ["inbound", "outbound"],
  shape: {
    children: {
      parameter: {
        attributes: {
          name: { type: "string", doc: "Name of the stylesheet's parameter." },
          "parameter-name": { type: "string", doc: "The same." },
        },
        text: { type: "string", expression: true, trim: true },
        doc: "A value for a parameter of the stylesheet; always text.",
      },
      "xsl:stylesheet": STYLESHEET,
      "xsl:transform": STYLESHEET,
    },
  },
  check: ({ children }, report) => {
    children.parameter.forEach(({ attributes }, index) => {
      if (attributes.name === undefined && attributes["parameter-name"] === undefined)
        report("the parameter has no name", { child: "parameter", index });
    });
    const text = stylesheetOf(children);
    if (text === null) {
      report("there is no stylesheet", undefined, "add <xsl:stylesheet>");
      return;
    }
    try {
      compileStylesheet(text);
    } catch (error) {
      if (!(error instanceof StylesheetMistake)) throw error;
      report(`the stylesheet cannot be used: ${error.message}`, {
        child: children["xsl:stylesheet"].length > 0 ? "xsl:stylesheet" : "xsl:transform",
      });
    }
  },
  prepare: ({ children }, { section }) => {
    const stylesheet = compileStylesheet(stylesheetOf(children) ?? "");
    const given = children.parameter.map(({ attributes, text }) => ({
      name: attributes.name ?? attributes["parameter-name"] ?? "",
      value: text,
    }));
    return (exchange, message) => {
      const target = messageOf(exchange, section, message);
      const parameters = new Map(given.map(({ name, value }) => [name, value?.(exchange.context) ?? ""]));
      return editBody(exchange, target, "xsl-transform", (body) =>
        transform(target, body, stylesheet, parameters),
      );
    };
  },
});

/** The prefix may be declared further out. */
function stylesheetOf(children: {
  readonly [name: string]: readonly { readonly text?: unknown }[];
}): string | null {
  const found = children["xsl:stylesheet"]?.[0] ?? children["xsl:transform"]?.[0];
  if (found === undefined) return null;
  const text = String(found.text ?? "");
  const [tag = ""] = /^<[^>]*>/.exec(text) ?? [];
  return tag.includes("xmlns:xsl")
    ? text
    : text.replace(/^<xsl:\w+/, (start) => `${start} xmlns:xsl="http://www.w3.org/1999/XSL/Transform"`);
}

/** The body is read in slices; the transformation itself is one piece of work, bounded by its budget. */
function transform(
  target: Message,
  body: Body,
  stylesheet: Stylesheet,
  parameters: ReadonlyMap<string, string>,
): void | Promise<void> {
  if (body.bytes().length === 0) return;
  const order = new Order();
  const finish = (source: TreeNode): void => {
    beginEvaluation(BODY_LIMITS);
    const { output } = stylesheet;
    const result = write(new Transform(stylesheet, source, order, parameters).result(), output);
    setBytes(target, Buffer.from(result), "utf-8");
  };
  const fail = (error: unknown): never => {
    throw failed(target.kind, error);
  };
  try {
    beginEvaluation(BODY_LIMITS);
    const source = runInSlices(treeInSteps(bodyXml(body), order, stylesheet.keepsSpace));
    if (source instanceof Promise) return source.then(finish).catch(fail);
    finish(source);
  } catch (error) {
    fail(error);
  }
}

function failed(kind: string, error: unknown): unknown {
  const reason = reasonOf(error);
  if (reason === null) return error;
  const message = `The ${kind} body cannot be transformed. ${reason}`;
  return new GatewayError({
    source: "xsl-transform",
    reason: "TransformationFailure",
    message,
    status: 500,
    cause: error,
  });
}

/** null for what is our own mistake. */
function reasonOf(error: unknown): string | null {
  if (error instanceof XmlMistake) return `${error.message} Line ${error.line}, position ${error.position}.`;
  if (error instanceof BudgetError) return error.message;
  if (error instanceof TransformFailure || error instanceof NotNodes) return `XSLT: ${error.message}.`;
  // Recursion that is deeper than our own stack.
  return error instanceof RangeError ? "XSLT: templates call each other too deep." : null;
}
