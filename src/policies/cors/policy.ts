import type { Value } from "../../compiler/policy.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { ResponseMessage } from "../../gateway/message.ts";
import { definePolicy, type Run } from "../../gateway/policy.ts";

interface Rules {
  readonly origins: ReadonlySet<string>;
  readonly anyOrigin: boolean;
  /** Upper case; null = all. */
  readonly methods: readonly Value<string>[];
  readonly headers: readonly string[];
  readonly exposed: readonly string[];
  readonly credentials: Value<boolean>;
  readonly maxAge: Value<number> | undefined;
  readonly terminate: Value<boolean>;
}

/** Lets browsers of other origins in, and answers their preflights. */
export const cors = definePolicy({
  element: "cors",
  summary: "Adds cross-origin resource sharing: answers preflights and puts the CORS headers on responses.",
  sections: ["inbound"],
  once: "section",
  shape: {
    attributes: {
      "allow-credentials": {
        type: "bool",
        expression: true,
        default: false,
        doc: "Let browsers send credentials.",
      },
      "terminate-unmatched-request": {
        type: "bool",
        expression: true,
        default: true,
        doc: "Answer requests of other origins with an empty 200.",
      },
    },
    children: {
      "allowed-origins": {
        min: 1,
        max: 1,
        children: {
          origin: { min: 1, text: { type: "string", required: true }, doc: "* or scheme, host and port." },
        },
      },
      "allowed-methods": {
        max: 1,
        attributes: {
          "preflight-result-max-age": {
            type: "int",
            expression: true,
            min: 0,
            doc: "Seconds a browser may remember; default 0.",
          },
        },
        children: { method: { min: 1, text: { type: "string", expression: true, required: true } } },
      },
      "allowed-headers": {
        max: 1,
        children: { header: { min: 1, text: { type: "string", required: true } } },
      },
      "expose-headers": {
        max: 1,
        children: { header: { min: 1, text: { type: "string", required: true } } },
      },
    },
  },
  check: ({ attributes, children }, report) => {
    for (const [index, { text }] of (children["allowed-origins"][0]?.children.origin ?? []).entries()) {
      const place = { child: "allowed-origins/origin", index, value: true };
      if (text !== "*" && normaliseOrigin(text) === null) {
        report(
          `"${text}" is not an origin`,
          place,
          "write scheme, host and port, as in https://app.example:8443, or *",
        );
      }
      if (text === "*" && attributes["allow-credentials"].constant === true) {
        const hint = "name the origins; with * the credentials header is not sent";
        report("browsers send no credentials where every origin is allowed", place, hint, "warning");
      }
    }
  },
  prepare: ({ attributes, children }): Run => {
    const origins = (children["allowed-origins"][0]?.children.origin ?? []).map(({ text }) => text);
    const rules: Rules = {
      origins: new Set(origins.map(normaliseOrigin).filter((origin) => origin !== null)),
      anyOrigin: origins.includes("*"),
      methods: (children["allowed-methods"][0]?.children.method ?? []).map(({ text }) => text),
      headers: (children["allowed-headers"][0]?.children.header ?? []).map(({ text }) => text),
      exposed: (children["expose-headers"][0]?.children.header ?? []).map(({ text }) => text),
      credentials: attributes["allow-credentials"],
      maxAge: children["allowed-methods"][0]?.attributes["preflight-result-max-age"],
      terminate: attributes["terminate-unmatched-request"],
    };
    return (exchange) => run(rules, exchange);
  },
});

function run(rules: Rules, exchange: Exchange): ResponseMessage | undefined {
  const origin = exchange.request.headers.get("origin");
  // Of several, in wider and narrower scopes, the first that lets the origin in is the one that counts.
  if (origin === null || exchange.corsHeaders !== null) return undefined;
  if (!rules.anyOrigin && !rules.origins.has(normaliseOrigin(origin) ?? "")) {
    return rules.terminate(exchange.context) ? new ResponseMessage(200) : undefined;
  }
  const credentials = rules.credentials(exchange.context) && !rules.anyOrigin;
  const headers = ["Access-Control-Allow-Origin", rules.anyOrigin && !credentials ? "*" : origin];
  if (!rules.anyOrigin) headers.push("Vary", "Origin");
  if (credentials) headers.push("Access-Control-Allow-Credentials", "true");
  exchange.corsHeaders = headers;
  if (!exchange.isPreflight) {
    if (rules.exposed.length > 0) headers.push("Access-Control-Expose-Headers", rules.exposed.join(","));
    return undefined;
  }
  addPreflight(headers, rules, exchange);
  return new ResponseMessage(200);
}

/** What a browser asked for is answered with what is allowed; it refuses by itself what is missing. */
function addPreflight(headers: string[], rules: Rules, exchange: Exchange): void {
  const { request, context } = exchange;
  const methods =
    rules.methods.length === 0
      ? ["GET", "POST"]
      : rules.methods.map((method) => method(context).toUpperCase());
  const askedMethod = request.headers.get("access-control-request-method") ?? "";
  headers.push("Access-Control-Allow-Methods", methods.includes("*") ? askedMethod : methods.join(","));
  const askedHeaders = request.headers.getAll("access-control-request-headers")?.join(",") ?? "";
  const allowed = rules.headers.includes("*") ? askedHeaders : rules.headers.join(",");
  if (allowed !== "") headers.push("Access-Control-Allow-Headers", allowed);
  // Without the header browsers remember for some seconds of their own choice.
  headers.push("Access-Control-Max-Age", String(rules.maxAge?.(context) ?? 0));
}

/** Lower case, without default port and trailing slash; null when it is no origin. */
function normaliseOrigin(text: string): string | null {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@\s]+)\/?$/i.exec(text.trim());
  if (match === null) return text.trim() === "null" ? "null" : null;
  const scheme = match[1]!.toLowerCase();
  const host = match[2]!.toLowerCase();
  const standard = scheme === "https" ? ":443" : scheme === "http" ? ":80" : null;
  return `${scheme}://${standard !== null && host.endsWith(standard) ? host.slice(0, -standard.length) : host}`;
}
