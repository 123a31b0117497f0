import type { QuotaClaim } from "../../counters/counters.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import {
  type OnStoreFailure,
  STORE_FAILURE,
  quotaExceeded,
  requestOctets,
  takeOrElse,
} from "../../gateway/limits.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { periodMsOf } from "../../gateway/quota-period.ts";

const AMOUNTS = {
  calls: { type: "int", min: 0, doc: "Calls allowed per period." },
  bandwidth: { type: "int", min: 0, doc: "Kilobytes of request and response bodies allowed per period." },
} as const;
const TARGET = {
  id: { type: "string", doc: "Identifier; wins over name." },
  name: { type: "string", doc: "Display name." },
  ...AMOUNTS,
  "renewal-period": { type: "string", doc: "As that of the quota, whose period is the default." },
} as const;

interface Level {
  readonly calls: number | undefined;
  readonly bandwidth: number | undefined;
  readonly periodMs: number;
}
interface NamedLevel extends Level {
  readonly id: string | undefined;
  readonly name: string | undefined;
}
interface Rules extends Level {
  readonly apis: readonly (NamedLevel & { readonly operations: readonly NamedLevel[] })[];
  readonly onFailure: OnStoreFailure;
  readonly prefix: string;
}

/**
 * Limits the calls or the bandwidth of each subscription per period, counted from the subscription's start. Calls count
 * when they are let in; octets at the end, so the call that crosses the limit completes. Without a subscription key it does
 * nothing. When the shared counter store does not answer, `on-store-failure` decides.
 */
export const quota = definePolicy({
  element: "quota",
  summary: "Limits calls or bandwidth of a subscription per renewal period; answers 403 beyond it.",
  sections: ["inbound"],
  scopes: ["product"],
  once: "document",
  shape: {
    attributes: {
      ...AMOUNTS,
      "renewal-period": {
        type: "string",
        required: true,
        doc: "Seconds, or an ISO 8601 duration such as P30D; 0 = never renews.",
      },
      "on-store-failure": STORE_FAILURE,
    },
    children: {
      api: {
        doc: "A quota of its own for one API.",
        attributes: TARGET,
        children: { operation: { doc: "A quota of its own for one operation.", attributes: TARGET } },
      },
    },
  },
  check: ({ attributes, children }, report) => {
    const judge = (given: Written, child?: string): void => {
      const at = child === undefined ? undefined : { child: "api" };
      if (given.calls === undefined && given.bandwidth === undefined)
        report("calls or bandwidth must be given", at);
      const period = given["renewal-period"];
      if (period !== undefined && periodMsOf(period) === null) {
        report(
          `"${period}" is no renewal-period`,
          at ?? { attribute: "renewal-period" },
          "write seconds, or a duration such as P30D",
        );
      }
      if (child !== undefined && given.id === undefined && given.name === undefined)
        report(`<${child}> needs an id or a name`, at);
    };
    judge(attributes);
    for (const api of children.api) {
      judge(api.attributes, "api");
      for (const operation of api.children.operation) judge(operation.attributes, "operation");
    }
  },
  prepare: ({ attributes, children }, site) => {
    const periodMs = periodMsOf(attributes["renewal-period"]) ?? 0;
    const rules: Rules = {
      calls: attributes.calls,
      bandwidth: attributes.bandwidth,
      periodMs,
      apis: children.api.map((api) => ({
        ...level(api.attributes, periodMs),
        operations: api.children.operation.map(({ attributes: own }) => level(own, periodMs)),
      })),
      onFailure: attributes["on-store-failure"] as OnStoreFailure,
      prefix: `q ${site.scopeId} `,
    };
    return (exchange) => run(rules, exchange);
  },
});

interface Written {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly calls: number | undefined;
  readonly bandwidth: number | undefined;
  readonly "renewal-period": string | undefined;
}

function level(given: Written, inheritedMs: number): NamedLevel {
  return {
    id: given.id?.toLowerCase(),
    name: given.name?.toLowerCase(),
    calls: given.calls,
    bandwidth: given.bandwidth,
    periodMs:
      given["renewal-period"] === undefined
        ? inheritedMs
        : (periodMsOf(given["renewal-period"]) ?? inheritedMs),
  };
}

function fits(target: NamedLevel, entity: { readonly id: string; readonly name: string }): boolean {
  return target.id !== undefined
    ? target.id === entity.id.toLowerCase()
    : target.name === entity.name.toLowerCase();
}

function run(rules: Rules, exchange: Exchange): void | Promise<void> {
  const { services } = exchange;
  if (exchange.subscription === null) return;
  const claims = claimsOf(rules, exchange, exchange.subscription);
  const { quotas, alone } = services.counters;
  const counters = { shared: quotas, alone: alone.quotas, onFailure: rules.onFailure };
  return takeOrElse(exchange, "quota", counters, claims, services.clock.now(), (answer) => {
    if (answer.state === "refused") {
      throw quotaExceeded(
        "quota",
        claims[answer.claim]!.cost === 1 ? "calls" : "bandwidth",
        answer.retryAfterMs,
      );
    }
    const measured = claims.filter(({ cost }) => cost === 0);
    if (measured.length === 0) return;
    const sent = requestOctets(exchange);
    exchange.onEnd(() => {
      const cost = sent() + exchange.bytesSent;
      for (const claim of measured) quotas.add({ ...claim, cost }, services.clock.now());
    });
  });
}

function claimsOf(
  rules: Rules,
  { api, operation }: Exchange,
  subscription: NonNullable<Exchange["subscription"]>,
): QuotaClaim[] {
  const anchorMs = subscription.startMs ?? subscription.createdMs;
  const claims: QuotaClaim[] = [];
  const add = (key: string, { calls, bandwidth, periodMs }: Level): void => {
    if (calls !== undefined)
      claims.push({ key: `${key} calls ${periodMs}`, limit: calls, cost: 1, anchorMs, periodMs });
    if (bandwidth !== undefined)
      claims.push({ key: `${key} octets ${periodMs}`, limit: bandwidth * 1024, cost: 0, anchorMs, periodMs });
  };
  const key = rules.prefix + subscription.id;
  add(key, rules);
  const ofApi = api === null ? undefined : rules.apis.find((one) => fits(one, api));
  if (ofApi === undefined) return claims;
  add(`${key} ${api!.id}`, ofApi);
  const ofOperation = operation === null ? undefined : ofApi.operations.find((one) => fits(one, operation));
  if (ofOperation !== undefined) add(`${key} ${api!.id} ${operation!.id}`, ofOperation);
  return claims;
}
