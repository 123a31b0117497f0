import { GatewayError } from "../../gateway/errors.ts";
import { RequestMessage } from "../../gateway/message.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { decodeOnce } from "../../gateway/url.ts";

/** Sets, adds, keeps or removes a query parameter of the URL that is called. */
export const setQueryParameter = definePolicy({
  element: "set-query-parameter",
  summary: "Adds, replaces, keeps or deletes a query parameter of the URL that is called.",
  sections: ["inbound", "backend"],
  shape: {
    attributes: {
      name: {
        type: "string",
        expression: true,
        required: true,
        format: { pattern: /\S/, expected: "a name" },
        doc: "Parameter name; case does not matter for the match.",
      },
      "exists-action": {
        type: "string",
        expression: true,
        default: "override",
        oneOf: ["override", "skip", "append", "delete"],
        doc: "What to do when the parameter is there already.",
      },
    },
    children: {
      value: {
        text: { type: "nullable-string", expression: true },
        doc: "One value; several repeat the parameter.",
      },
    },
  },
  check: ({ attributes, children }, report) => {
    const action = attributes["exists-action"];
    if (action.isConstant && action.constant!.toLowerCase() !== "delete" && children.value.length === 0) {
      report("at least one <value> is needed unless exists-action is delete");
    }
  },
  prepare: ({ attributes, children }) => {
    const { name, "exists-action": action } = attributes;
    return (exchange, message) => {
      const request = message instanceof RequestMessage ? message : exchange.request;
      const parameter = name(exchange.context);
      if (parameter === "") {
        throw invalid("The name of the query parameter is empty.");
      }
      const pairs = request.query === "" ? [] : request.query.split("&");
      const wanted = parameter.toLowerCase();
      const has = pairs.some((pair) => nameOf(pair) === wanted);
      const how = action(exchange.context).toLowerCase();
      if (!ACTIONS.has(how))
        throw invalid(`exists-action is override, skip, append or delete, not "${how}".`);
      if (how === "skip" && has) return;
      const kept = how === "append" ? pairs : pairs.filter((pair) => nameOf(pair) !== wanted);
      if (how !== "delete") {
        for (const child of children.value) {
          const value = child.text === undefined ? "" : child.text(exchange.context);
          if (value !== null)
            kept.push(`${encodeName(parameter)}=${encodeURIComponent(value.toWellFormed())}`);
        }
      }
      request.setQuery(kept.join("&"));
    };
  },
});

const ACTIONS = new Set(["override", "skip", "append", "delete"]);

/** `$` stays: it may (RFC 3986 §3.4), and OData servers know `$format` and its kin by it. */
function encodeName(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replaceAll("%24", "$");
}

function invalid(message: string): GatewayError {
  return new GatewayError({
    source: "set-query-parameter",
    reason: "InvalidQueryParameter",
    message,
    status: 500,
  });
}

function nameOf(pair: string): string {
  const raw = pair.split("=", 1)[0]!.replaceAll("+", " ");
  return (decodeOnce(raw) ?? raw).toLowerCase();
}
