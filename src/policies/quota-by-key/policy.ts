import type { Value } from "../../compiler/policy.ts";
import type { QuotaClaim } from "../../counters/counters.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import {
  type Deferred,
  type OnStoreFailure,
  STORE_FAILURE,
  amountOf,
  counterKey,
  countsFirst,
  needsOf,
  quotaExceeded,
  requestOctets,
  takeOrElse,
} from "../../gateway/limits.ts";
import { definePolicy } from "../../gateway/policy.ts";
import { FIRST_PERIOD_MS, periodMsOf, periodStartOf } from "../../gateway/quota-period.ts";

interface Rules extends Deferred {
  readonly calls: number | undefined;
  readonly bandwidth: number | undefined;
  readonly periodMs: number;
  readonly anchorMs: number;
  readonly key: Value<string | null>;
  readonly onFailure: OnStoreFailure;
}

/**
 * Limits the calls or the bandwidth that share a key per period. One counter per key and period for the whole gateway,
 * counted once per request. Without a condition or count, calls count when they are let in; else when the response is
 * final. Octets count at the end. When the shared counter store does not answer, `on-store-failure` decides.
 */
export const quotaByKey = definePolicy({
  element: "quota-by-key",
  summary: "Limits calls or bandwidth that share a key per renewal period; answers 403 beyond it.",
  sections: ["inbound"],
  shape: {
    attributes: {
      calls: { type: "int", min: 0, doc: "Calls allowed per period." },
      bandwidth: { type: "int", min: 0, doc: "Kilobytes of request and response bodies allowed per period." },
      "counter-key": {
        type: "nullable-string",
        expression: true,
        required: true,
        doc: "Calls with the same key are counted together.",
      },
      "renewal-period": {
        type: "string",
        required: true,
        doc: "Seconds, 300 or more, or an ISO 8601 duration; 0 = never renews.",
      },
      "increment-condition": {
        type: "bool",
        expression: true,
        doc: "Count the call only if true; asked when the response exists.",
      },
      "increment-count": {
        type: "int",
        expression: true,
        min: 0,
        doc: "How much the call counts; asked when the response exists. Default 1.",
      },
      "first-period-start": {
        type: "string",
        doc: "yyyy-MM-ddTHH:mm:ssZ; periods begin at this moment and every renewal-period after it.",
      },
      "on-store-failure": STORE_FAILURE,
    },
  },
  check: ({ attributes }, report) => {
    if (attributes.calls === undefined && attributes.bandwidth === undefined)
      report("calls or bandwidth must be given");
    const period = attributes["renewal-period"];
    const periodMs = periodMsOf(period);
    if (periodMs === null || (periodMs > 0 && periodMs < 300_000)) {
      const hint = "write 300 seconds or more, a duration such as P30D, or 0 for a quota that never renews";
      report(`"${period}" is no renewal-period`, { attribute: "renewal-period" }, hint);
    }
    const start = attributes["first-period-start"];
    if (start !== undefined && periodStartOf(start) === null) {
      report(
        `"${start}" is no moment`,
        { attribute: "first-period-start" },
        "write it as 2026-01-31T00:00:00Z",
      );
    }
  },
  prepare: ({ attributes }) => {
    const start = attributes["first-period-start"];
    const rules: Rules = {
      calls: attributes.calls,
      bandwidth: attributes.bandwidth,
      periodMs: periodMsOf(attributes["renewal-period"]) ?? 0,
      anchorMs: start === undefined ? FIRST_PERIOD_MS : (periodStartOf(start) ?? FIRST_PERIOD_MS),
      key: attributes["counter-key"],
      condition: attributes["increment-condition"],
      count: attributes["increment-count"],
      onFailure: attributes["on-store-failure"] as OnStoreFailure,
    };
    return (exchange) => run(rules, exchange);
  },
});

function run(rules: Rules, exchange: Exchange): void | Promise<void> {
  const { services } = exchange;
  const { periodMs, anchorMs } = rules;
  const key = `b ${periodMs} ${anchorMs} ${counterKey("quota-by-key", rules.key(exchange.context))}`;
  const callsKey = `${key} calls`;
  const isCounted = exchange.countedKeys?.has(callsKey) === true;
  const afterwards = rules.condition !== undefined || rules.count !== undefined;
  const claims: QuotaClaim[] = [];
  if (rules.calls !== undefined) {
    const own = isCounted && !afterwards ? 1 : 0;
    claims.push({
      key: callsKey,
      limit: rules.calls + own,
      cost: afterwards || isCounted ? 0 : 1,
      anchorMs,
      periodMs,
    });
  }
  if (rules.bandwidth !== undefined) {
    claims.push({ key: `${key} octets`, limit: rules.bandwidth * 1024, cost: 0, anchorMs, periodMs });
  }
  const { quotas, alone } = services.counters;
  const counters = { shared: quotas, alone: alone.quotas, onFailure: rules.onFailure };
  return takeOrElse(exchange, "quota-by-key", counters, claims, services.clock.now(), (answer) => {
    if (answer.state === "refused") {
      throw quotaExceeded(
        "quota-by-key",
        claims[answer.claim]!.key === callsKey ? "calls" : "bandwidth",
        answer.retryAfterMs,
      );
    }
    if (!afterwards && rules.calls !== undefined) countsFirst(exchange, callsKey);
    if (afterwards || rules.bandwidth !== undefined)
      countLater(rules, exchange, claims, callsKey, afterwards);
  });
}

/** Calls with a condition or count when the response is final; octets at the end, under the same condition. */
function countLater(
  rules: Rules,
  exchange: Exchange,
  claims: readonly QuotaClaim[],
  callsKey: string,
  afterwards: boolean,
): void {
  const { counters, clock } = exchange.services;
  const sent = rules.bandwidth === undefined ? null : requestOctets(exchange);
  let amount = 1;
  if (afterwards) {
    const settle = (): void => {
      amount = amountOf(exchange, "quota-by-key", rules);
      const calls = claims.find(({ key }) => key === callsKey);
      if (calls !== undefined && amount > 0 && countsFirst(exchange, callsKey)) {
        counters.quotas.add({ ...calls, cost: amount }, clock.now());
      }
    };
    exchange.onReply(settle, needsOf(rules));
  }
  if (sent === null) return;
  exchange.onEnd(() => {
    const octets = claims.find(({ key }) => key !== callsKey)!;
    if (amount === 0 || !countsFirst(exchange, octets.key)) return;
    counters.quotas.add({ ...octets, cost: sent() + exchange.bytesSent }, clock.now());
  });
}
