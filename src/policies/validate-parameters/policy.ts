import type { Value } from "../../compiler/policy.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { ParameterRule } from "../../gateway/snapshot.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { ACTIONS, type Action, type Finding, actionOf, prevents, settle } from "../../validation/findings.ts";
import { headersOfMessage } from "../../validation/headers.ts";
import { type ParameterType, checkParameter, missing, unspecified } from "../../validation/parameters.ts";

const ELEMENT = "validate-parameters";

const PARAMETER = {
  attributes: {
    name: { type: "string", required: true, doc: "Name of the parameter." },
    action: {
      type: "string",
      expression: true,
      required: true,
      oneOf: ACTIONS,
      doc: "What to do about this one.",
    },
  },
  doc: "Overrides the actions for one parameter.",
} as const;

const SPECIFIED = {
  type: "string",
  expression: true,
  oneOf: ACTIONS,
  doc: "For described parameters with wrong values.",
} as const;
const UNSPECIFIED = {
  type: "string",
  expression: true,
  oneOf: ACTIONS,
  doc: "For parameters that are not described.",
} as const;

const GROUP = {
  attributes: { "specified-parameter-action": SPECIFIED, "unspecified-parameter-action": UNSPECIFIED },
  children: { parameter: PARAMETER },
  max: 1,
} as const;

interface Overrides {
  readonly specified: Value<string> | undefined;
  readonly unspecified: Value<string> | undefined;
  readonly byName: ReadonlyMap<string, Value<string>>;
}

/** Given values by key; `name` as written. */
type Given = Map<string, { readonly name: string; readonly lines: readonly string[] }>;

/** Holds headers, query and path of the request against what the operation describes. */
export const validateParameters = definePolicy({
  element: ELEMENT,
  summary: "Checks the request's headers, query and path parameters against the operation's description.",
  sections: ["inbound"],
  once: "section",
  shape: {
    attributes: {
      "specified-parameter-action": { ...SPECIFIED, required: true },
      "unspecified-parameter-action": { ...UNSPECIFIED, required: true },
      "errors-variable-name": { type: "string", doc: "Variable for what was found." },
    },
    children: {
      headers: { ...GROUP, doc: "Overrides for headers." },
      query: { ...GROUP, doc: "Overrides for query parameters." },
      path: {
        attributes: { "specified-parameter-action": SPECIFIED },
        children: { parameter: PARAMETER },
        max: 1,
        doc: "Overrides for path parameters.",
      },
    },
  },
  prepare: ({ attributes, children }) => {
    const variable = attributes["errors-variable-name"];
    const root = {
      specified: attributes["specified-parameter-action"],
      unspecified: attributes["unspecified-parameter-action"],
    };
    const [headersGiven, queryGiven, pathGiven] = [children.headers[0], children.query[0], children.path[0]];
    const headers = overridesOf(headersGiven?.attributes, headersGiven?.children.parameter, (name) =>
      name.toLowerCase(),
    );
    const query = overridesOf(queryGiven?.attributes, queryGiven?.children.parameter, (name) => name);
    const path = overridesOf(pathGiven?.attributes, pathGiven?.children.parameter, (name) =>
      name.toLowerCase(),
    );
    return (exchange) => {
      const { operation, context } = exchange;
      if (operation === null) return;
      const { contract } = operation;
      const findings: Finding[] = [];
      const check = (
        type: ParameterType,
        rules: readonly ParameterRule[],
        given: Given,
        overrides: Overrides,
        keyOf: (name: string) => string,
      ): void => {
        // What prevents ends it: later groups are not looked at.
        if (prevents(findings)) return;
        const specified = actionOf((overrides.specified ?? root.specified)(context), ELEMENT);
        const others = actionOf((overrides.unspecified ?? root.unspecified)(context), ELEMENT);
        const actionFor = (key: string, otherwise: Action): Action => {
          const own = overrides.byName.get(key);
          return own === undefined ? otherwise : actionOf(own(context), ELEMENT);
        };
        for (const rule of rules) {
          const key = keyOf(rule.name);
          const values = given.get(key);
          given.delete(key);
          const action = actionFor(key, specified);
          if (action === "ignore") continue;
          const found =
            values !== undefined
              ? checkParameter(rule, type, values.lines, action, exchange.snapshot.schemas)
              : rule.required
                ? missing(type, rule.name, action)
                : null;
          if (found !== null) findings.push(found);
        }
        if (type === "PathParameter") return;
        for (const [key, { name }] of given) {
          const action = actionFor(key, others);
          if (action !== "ignore") findings.push(unspecified(type, name, action));
        }
      };
      check("RequestHeader", contract.headers, headersOf(exchange), headers, lower);
      check("QueryParameter", contract.query, queryOf(exchange), query, same);
      check("PathParameter", contract.path, pathOf(exchange), path, lower);
      settle(exchange, ELEMENT, "request", variable, findings);
    };
  },
});

const lower = (name: string): string => name.toLowerCase();
const same = (name: string): string => name;

function overridesOf(
  attributes:
    | {
        readonly "specified-parameter-action"?: Value<string>;
        readonly "unspecified-parameter-action"?: Value<string>;
      }
    | undefined,
  parameters:
    | readonly { readonly attributes: { readonly name: string; readonly action: Value<string> } }[]
    | undefined,
  keyOf: (name: string) => string,
): Overrides {
  return {
    specified: attributes?.["specified-parameter-action"],
    unspecified: attributes?.["unspecified-parameter-action"],
    byName: new Map((parameters ?? []).map(({ attributes: { name, action } }) => [keyOf(name), action])),
  };
}

/** The gateway's own parameters (the subscription key, the version) need no description. */
function headersOf(exchange: Exchange): Given {
  const given = headersOfMessage(exchange.request.headers);
  const { api } = exchange;
  if (api !== null) given.delete(api.subscriptionKeyParameterNames.header.toLowerCase());
  if (api?.versionSet?.scheme === "Header") given.delete(api.versionSet.parameter.toLowerCase());
  return given;
}

function queryOf(exchange: Exchange): Given {
  const given = new Map<string, { name: string; lines: string[] }>();
  for (const pair of exchange.request.query.split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = decoded(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? "" : decoded(pair.slice(at + 1));
    const known = given.get(name);
    if (known === undefined) given.set(name, { name, lines: [value] });
    else known.lines.push(value);
  }
  const { api } = exchange;
  if (api !== null) given.delete(api.subscriptionKeyParameterNames.query);
  if (api?.versionSet?.scheme === "Query") given.delete(api.versionSet.parameter);
  return given;
}

function pathOf(exchange: Exchange): Given {
  const given: Given = new Map();
  for (const [name, value] of exchange.request.matchedParameters)
    given.set(name.toLowerCase(), { name, lines: [value] });
  return given;
}

/** As written when its escapes are wrong. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
