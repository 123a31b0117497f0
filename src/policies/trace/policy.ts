import type { Value } from "../../compiler/policy.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { ApiDiagnostics } from "../../telemetry/diagnostic.ts";
import { ALL_SECTIONS, definePolicy } from "../../gateway/policy.ts";

const SEVERITIES = ["verbose", "information", "error"] as const;

/**
 * Says something in the request trace and, from the verbosity of the API's diagnostics up, in telemetry and in the log; without
 * diagnostics the log takes `information` and `error`. Never fails the request.
 */
export const trace = definePolicy({
  element: "trace",
  summary:
    "Adds a message to the request trace and, from the diagnostics' verbosity up, to telemetry and the log.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      source: { type: "string", required: true, doc: "Free text: who says it." },
      severity: {
        type: "string",
        oneOf: SEVERITIES,
        default: "verbose",
        doc: "verbose, information or error.",
      },
    },
    text: {
      type: "string",
      expression: true,
      doc: "What is said, as older documents write it; `message` is the newer way.",
    },
    children: {
      message: { max: 1, text: { type: "string", expression: true }, doc: "What is said." },
      metadata: {
        attributes: {
          name: { type: "string", required: true, doc: "Name of a property." },
          value: { type: "string", expression: true, required: true, doc: "Its value." },
        },
      },
    },
  },
  check: ({ children, text }, report) => {
    if (text !== undefined && children.message.length > 0)
      report("text and <message> cannot stand together", { child: "message" }, "keep one of them");
    if (text === undefined && children.message.length === 0)
      report("nothing is said", undefined, "add <message>…</message>");
  },
  prepare: ({ attributes: { source, severity }, children, text: plain }) => {
    const level = SEVERITIES.indexOf(severity.toLowerCase() as (typeof SEVERITIES)[number]);
    const message = children.message[0]?.text ?? plain;
    return (exchange) => {
      const diagnostics = exchange.api?.diagnostics ?? null;
      const isRecorded = diagnostics !== null;
      const isLogged = level >= loggedFrom(diagnostics);
      if (!isLogged && exchange.traced === null && !isRecorded) return;
      const say = (value: Value<string> | undefined): string => spoken(value, exchange);
      const text = say(message);
      const metadata = Object.fromEntries(
        children.metadata.map(({ attributes }) => [attributes.name, say(attributes.value)]),
      );
      const properties = children.metadata.length > 0 ? { metadata } : {};
      exchange.traced?.message(source, text, { severity: SEVERITIES[level], ...properties });
      if (isRecorded)
        (exchange.traceRecords ??= []).push({
          source,
          severity: SEVERITIES[level]!,
          message: text,
          metadata,
        });
      if (!isLogged) return;
      exchange.services.log({
        level: level === 2 ? "error" : "info",
        msg: "trace",
        requestId: exchange.requestId,
        source,
        text,
        ...properties,
      });
    };
  },
});

/** Index of the least severity that the log takes: that of the most talkative diagnostic. */
function loggedFrom(diagnostics: ApiDiagnostics | null): number {
  if (diagnostics === null || diagnostics.each.length === 0) return SEVERITIES.indexOf("information");
  let from: number = SEVERITIES.length;
  for (const { verbosity } of diagnostics.each) from = Math.min(from, SEVERITIES.indexOf(verbosity));
  return from;
}

/** A message that cannot be worked out says so itself. */
function spoken(value: Value<string> | undefined, exchange: Exchange): string {
  if (value === undefined) return "";
  try {
    return value(exchange.context);
  } catch (error) {
    return `(${error instanceof Error ? error.message : String(error)})`;
  }
}
