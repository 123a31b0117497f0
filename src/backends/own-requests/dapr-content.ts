/** The content of a message for Dapr: a text, an expression's value, or the output of a Liquid template. */
import type { Value } from "../../compiler/policy.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { type LiquidTemplate, parseTemplate } from "../../liquid/engine.ts";
import { NEEDS_REQUEST_BODY, NEEDS_RESPONSE_BODY } from "../../compiler/policy.ts";
import { ensureBodies } from "../../gateway/pipeline.ts";
import { messageOf } from "../../gateway/policy.ts";
import type { Section } from "../../compiler/policy.ts";

export type Content = (exchange: Exchange) => string | Promise<string>;
type Report = (message: string, at?: { child?: string; value?: boolean }, hint?: string) => void;

/** What is wrong with a template. */
export function checkContent(
  template: string | undefined,
  text: Value<string> | undefined,
  report: Report,
): void {
  if (template === undefined || text === undefined) return;
  if (!text.isConstant) {
    report(
      "a Liquid template cannot be an expression",
      undefined,
      'leave out template="Liquid", or write the template as text',
    );
    return;
  }
  const parsed = parseTemplate(text.constant!);
  if (!parsed.ok) report(`Liquid: ${parsed.message}`);
}

export function prepareContent(
  template: string | undefined,
  text: Value<string> | undefined,
  section: Section,
): Content {
  if (text === undefined) return () => "";
  if (template === undefined) return (exchange) => text(exchange.context);
  const parsed = parseTemplate(text.constant ?? "");
  if (!parsed.ok) throw new Error(`Liquid: ${parsed.message}`);
  return rendering(parsed.template, section);
}

/** Liquid's `body` is that of the section's message. */
function rendering(template: LiquidTemplate, section: Section): Content {
  return (exchange) => {
    const message = messageOf(exchange, section, null);
    const render = (): string => template.render(exchange, message, { nilAsNull: false, parseDates: true });
    if (!template.usesBody) return render();
    const waiting = ensureBodies(
      exchange,
      message.kind === "request" ? NEEDS_REQUEST_BODY : NEEDS_RESPONSE_BODY,
    );
    return waiting === undefined ? render() : waiting.then(render);
  };
}
