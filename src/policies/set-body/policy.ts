import { NEEDS_REQUEST_BODY, NEEDS_RESPONSE_BODY } from "../../compiler/policy.ts";
import { Body } from "../../gateway/body.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { Message } from "../../gateway/message.ts";
import { ensureBodies } from "../../gateway/pipeline.ts";
import { ALL_SECTIONS, definePolicy, messageOf } from "../../gateway/policy.ts";
import { type LiquidTemplate, parseTemplate } from "../../liquid/engine.ts";

/**
 * Replaces the body of the message: by a text, by what an expression returns, or by a Liquid template's output. The
 * old body is read only by an expression or template that mentions it; otherwise it is thrown away unread.
 */
export const setBody = definePolicy({
  element: "set-body",
  summary: "Replaces the body by a text, an expression's value or the output of a Liquid template.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      template: {
        type: "string",
        oneOf: ["liquid", "none"],
        default: "none",
        doc: "liquid: the content is a Liquid template.",
      },
      "xsi-nil": {
        type: "string",
        oneOf: ["blank", "null"],
        default: "blank",
        doc: "What Liquid sees of XML elements with xsi:nil.",
      },
      "parse-date": {
        type: "bool",
        default: true,
        doc: "Liquid sees ISO date texts of a JSON body as dates.",
      },
    },
    text: { type: "body", expression: true, doc: "The new body; empty = an empty body." },
  },
  check: ({ attributes, text }, report) => {
    if (attributes.template !== "liquid" || text === undefined) return;
    if (!text.isConstant) {
      report(
        "a Liquid template cannot be an expression",
        undefined,
        'leave out template="liquid", or write the template as text',
      );
      return;
    }
    const source = String(text.constant ?? "");
    const parsed = parseTemplate(source);
    if (!parsed.ok)
      report(
        `Liquid: ${parsed.message}`,
        { value: true, offset: offsetIn(source, parsed.line, parsed.column) },
        liquidHint(parsed.message),
      );
  },
  prepare: ({ attributes, text }, site) => {
    const { section, inMessage } = site;
    if (attributes.template !== "liquid" || text === undefined) {
      return (exchange, message) =>
        replace(messageOf(exchange, section, message), text?.(exchange.context) ?? null);
    }
    const template = prepared(String(text.constant ?? ""));
    const options = { nilAsNull: attributes["xsi-nil"] === "null", parseDates: attributes["parse-date"] };
    return (exchange, message) => {
      const target = messageOf(exchange, section, message);
      const render = (): void => replace(target, template.render(exchange, target, options));
      if (!template.usesBody || inMessage) return render();
      return bodyOf(target, exchange)?.then(render) ?? render();
    };
  },
});

function liquidHint(message: string): string | undefined {
  const open = /^tag \{%-?\s*(\w+).*not closed$/s.exec(message);
  if (open !== null) return `close it with {% end${open[1]} %}`;
  if (/^output .*not closed$/s.test(message)) return "close it with }}";
  if (/^tag .*not closed$/s.test(message)) return "close it with %}";
  return /^tag "\w+" not found$/.test(message)
    ? "Liquid's tags here: if, unless, case, for, assign, capture, comment, raw"
    : undefined;
}

/** From a line and column, both from 1 (0: unknown), to UTF-16 units. */
function offsetIn(source: string, line: number, column: number): number {
  let start = 0;
  for (let i = 1; i < line; i++) start = source.indexOf("\n", start) + 1;
  return start + Math.max(0, column - 1);
}

function prepared(source: string): LiquidTemplate {
  const parsed = parseTemplate(source);
  if (!parsed.ok) throw new Error(`Liquid: ${parsed.message}`);
  return parsed.template;
}

/** Brings the message's body into memory; nothing to wait for when it is there. */
function bodyOf(target: Message, exchange: Exchange): Promise<void> | undefined {
  return ensureBodies(exchange, target.kind === "request" ? NEEDS_REQUEST_BODY : NEEDS_RESPONSE_BODY);
}

const encoder = new TextEncoder();

function replace(target: Message, content: string | Uint8Array | null): void {
  target.body?.discard();
  const bytes = content === null ? NOTHING : typeof content === "string" ? encoder.encode(content) : content;
  target.body = Body.of(target.kind, bytes, null);
}

const NOTHING = new Uint8Array(0);
