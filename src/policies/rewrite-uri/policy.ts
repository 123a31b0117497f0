import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { decodeOnce } from "../../gateway/url.ts";
import { compileTemplate } from "../../gateway/template.ts";

/** Replaces the operation part of the URL that is called. */
export const rewriteUri = definePolicy({
  element: "rewrite-uri",
  summary:
    "Replaces path and query below the backend's base URL; {name} stands for a parameter of the operation's template.",
  sections: ["inbound"],
  shape: {
    attributes: {
      template: {
        type: "string",
        expression: true,
        required: true,
        doc: "New path, optionally with ?query.",
      },
      "copy-unmatched-params": {
        type: "bool",
        expression: true,
        default: true,
        doc: "Copy query parameters of the request that are not part of the operation's template.",
      },
    },
  },
  check: ({ attributes }, report, site) => {
    const template = attributes.template.constant;
    if (template !== undefined && /^\w+:\/\//.test(template)) {
      const hint = "the host is chosen with set-backend-service base-url";
      report(
        "a rewrite template is a path, and this is a whole URL",
        { attribute: "template", value: true },
        hint,
      );
      return;
    }
    if (template === undefined || site.operationTemplate === null) return;
    const operation = compileTemplate(site.operationTemplate);
    if (typeof operation === "string") return;
    const known = new Set(operation.names.map((name) => name.toLowerCase()));
    for (const name of new Set(tokensOf(template))) {
      if (known.has(name.toLowerCase())) continue;
      report(
        "Only parameters specified in the original URL template can be used in the rewrite template",
        { attribute: "template", value: true },
        known.size === 0
          ? "the operation's template has no parameters"
          : `parameters: ${operation.names.join(", ")}`,
      );
    }
  },
  prepare: ({ attributes }) => {
    const { template, "copy-unmatched-params": copyUnmatched } = attributes;
    return (exchange) => rewrite(exchange, template(exchange.context), copyUnmatched(exchange.context));
  },
});

function tokensOf(template: string): string[] {
  return [...template.matchAll(/\{\*?([^{}]+)\}/g)].map((match) => match[1]!);
}

function rewrite(exchange: Exchange, template: string, copyUnmatched: boolean): void {
  const at = template.indexOf("?");
  const pathTemplate = at < 0 ? template : template.slice(0, at);
  const queryTemplate = at < 0 ? "" : template.slice(at + 1);
  const path = expand(exchange, pathTemplate, false);
  const query = queryTemplate === "" ? "" : expand(exchange, queryTemplate, true);
  exchange.request.setPath(path.startsWith("/") ? path : `/${path}`);
  exchange.request.setQuery(copyUnmatched ? withUnmatched(exchange, query) : query);
}

/** Path values go in as they were received; query values too, as they were never decoded. */
function expand(exchange: Exchange, template: string, inQuery: boolean): string {
  const { rawParameters } = exchange.request;
  const text = template.replace(/\{(\*?)([^{}]+)\}/g, (_token, _star: string, name: string) => {
    const value = rawParameters.get(name);
    if (value === undefined) {
      throw failure(
        "Only parameters specified in the original URL template can be used in the rewrite template",
      );
    }
    return inQuery ? value.replaceAll("&", "%26").replaceAll("#", "%23") : value;
  });
  if (/[\0-\x1f\x7f]/.test(text)) throw failure("The rewritten URL contains a control character.");
  // What is not URL text yet (spaces, letters beyond ASCII) is encoded; existing escapes stay.
  return text
    .replace(/[^!-~]+|["<>\\^`{|}]/g, (odd) => encodeURIComponent(odd.toWellFormed()))
    .replaceAll("#", "%23");
}

/** Parameters of the template win over copied ones of the same name; matched ones are dropped unless used. */
function withUnmatched(exchange: Exchange, query: string): string {
  const taken = new Set(query === "" ? [] : query.split("&").map(nameOf));
  const template = exchange.operation?.urlTemplate ?? "";
  const at = template.indexOf("?");
  if (at >= 0) for (const pair of template.slice(at + 1).split("&")) taken.add(nameOf(pair));
  const copied =
    exchange.request.query === ""
      ? []
      : exchange.request.query.split("&").filter((pair) => !taken.has(nameOf(pair)));
  return [...(query === "" ? [] : [query]), ...copied].join("&");
}

function nameOf(pair: string): string {
  const raw = pair.split("=", 1)[0]!;
  return (decodeOnce(raw) ?? raw).toLowerCase();
}

function failure(message: string): GatewayError {
  return new GatewayError({ source: "rewrite-uri", reason: "RewriteTemplateInvalid", message, status: 500 });
}
