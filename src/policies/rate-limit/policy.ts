import type { WindowClaim } from "../../counters/counters.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import {
  type OnStoreFailure,
  RATE_ATTRIBUTES,
  type RateNames,
  STORE_FAILURE,
  rateExceeded,
  rateNames,
  sayRate,
  takeOrElse,
} from "../../gateway/limits.ts";
import { definePolicy } from "../../gateway/policy.ts";

const LIMIT = {
  calls: { type: "int", required: true, min: 0, doc: "Calls allowed per window." },
  "renewal-period": {
    type: "int",
    required: true,
    min: 1,
    max: 300,
    doc: "Length of the sliding window in seconds.",
  },
} as const;
const TARGET = {
  id: { type: "string", doc: "Identifier; wins over name." },
  name: { type: "string", doc: "Display name." },
  ...LIMIT,
} as const;

interface Level {
  readonly calls: number;
  readonly windowMs: number;
  /** Ends the counter's key: two policies in branches of one `choose` may have windows of different lengths. */
  readonly suffix: string;
}
interface NamedLevel extends Level {
  readonly id: string | undefined;
  readonly name: string | undefined;
}
interface Rules extends Level {
  readonly apis: readonly (NamedLevel & { readonly operations: readonly NamedLevel[] })[];
  readonly names: RateNames;
  readonly onFailure: OnStoreFailure;
  /** Begins the keys of this policy's counters. */
  readonly prefix: string;
}

/**
 * Limits the calls of each subscription within a sliding window, and of an API or operation of it. Every level counts on
 * its own; a call is counted only when all let it pass. Without a subscription key it does nothing. When the shared
 * counter store does not answer, `on-store-failure` decides.
 */
export const rateLimit = definePolicy({
  element: "rate-limit",
  summary: "Limits how often a subscription may call within a sliding window; answers 429 beyond it.",
  sections: ["inbound"],
  scopes: ["product", "api", "operation"],
  once: "document",
  shape: {
    attributes: { ...LIMIT, ...RATE_ATTRIBUTES, "on-store-failure": STORE_FAILURE },
    children: {
      api: {
        doc: "A limit of its own for one API.",
        attributes: TARGET,
        children: { operation: { doc: "A limit of its own for one operation.", attributes: TARGET } },
      },
    },
  },
  check: ({ children }, report) => {
    for (const api of children.api) {
      if (unnamed(api.attributes)) report("<api> needs an id or a name", { child: "api" });
      if (api.children.operation.some(({ attributes }) => unnamed(attributes))) {
        report("<operation> needs an id or a name", { child: "api" });
      }
    }
  },
  prepare: ({ attributes, children }, site) => {
    const rules: Rules = {
      ...windowOf(attributes),
      names: rateNames(attributes),
      onFailure: attributes["on-store-failure"] as OnStoreFailure,
      prefix: `r ${site.scopeId} `,
      apis: children.api.map((api) => ({
        ...level(api.attributes),
        operations: api.children.operation.map(({ attributes: own }) => level(own)),
      })),
    };
    return (exchange) => run(rules, exchange);
  },
});

function unnamed({
  id,
  name,
}: {
  readonly id: string | undefined;
  readonly name: string | undefined;
}): boolean {
  return id === undefined && name === undefined;
}

function level(attributes: {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly calls: number;
  readonly "renewal-period": number;
}): NamedLevel {
  return {
    id: attributes.id?.toLowerCase(),
    name: attributes.name?.toLowerCase(),
    ...windowOf(attributes),
  };
}

function windowOf(attributes: { readonly calls: number; readonly "renewal-period": number }): Level {
  const windowMs = attributes["renewal-period"] * 1000;
  return { calls: attributes.calls, windowMs, suffix: ` ${windowMs}` };
}

function fits(target: NamedLevel, entity: { readonly id: string; readonly name: string }): boolean {
  return target.id !== undefined
    ? target.id === entity.id.toLowerCase()
    : target.name === entity.name.toLowerCase();
}

function run(rules: Rules, exchange: Exchange): void | Promise<void> {
  const { subscription, services } = exchange;
  if (subscription === null) return;
  const claims = claimsOf(rules, exchange, subscription.id);
  const { windows, alone } = services.counters;
  const now = services.clock.monotonic();
  return takeOrElse(
    exchange,
    "rate-limit",
    { shared: windows, alone: alone.windows, onFailure: rules.onFailure },
    claims,
    now,
    (answer) => {
      if (answer.state === "refused")
        throw rateExceeded(exchange, "rate-limit", rules.names, rules.calls, answer.retryAfterMs);
      sayRate(exchange, rules.names, answer.remaining, rules.calls);
    },
  );
}

/** The policy's own counter, then the API's and the operation's where they are named. */
function claimsOf(rules: Rules, { api, operation }: Exchange, subscriptionId: string): WindowClaim[] {
  const key = rules.prefix + subscriptionId;
  const claims = [claimOf(key, rules)];
  if (api === null || rules.apis.length === 0) return claims;
  const ofApi = rules.apis.find((one) => fits(one, api));
  if (ofApi === undefined) return claims;
  const apiKey = `${key} ${api.id}`;
  claims.push(claimOf(apiKey, ofApi));
  const ofOperation = operation === null ? undefined : ofApi.operations.find((one) => fits(one, operation));
  if (ofOperation !== undefined) claims.push(claimOf(`${apiKey} ${operation!.id}`, ofOperation));
  return claims;
}

function claimOf(key: string, { calls, windowMs, suffix }: Level): WindowClaim {
  return { key: key + suffix, limit: calls, cost: 1, windowMs };
}
