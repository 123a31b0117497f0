import type { Value } from "../../compiler/policy.ts";
import { GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import {
  type Deferred,
  type OnStoreFailure,
  RATE_ATTRIBUTES,
  type RateNames,
  STORE_FAILURE,
  amountOf,
  counterKey,
  countsFirst,
  needsOf,
  rateExceeded,
  rateNames,
  sayRate,
  takeOrElse,
} from "../../gateway/limits.ts";
import { definePolicy } from "../../gateway/policy.ts";

interface Rules extends Deferred {
  readonly calls: Value<number>;
  readonly period: Value<number>;
  readonly key: Value<string | null>;
  /** Counted once the response exists. */
  readonly afterwards: boolean;
  readonly names: RateNames;
  readonly onFailure: OnStoreFailure;
}

/**
 * Limits the calls that share a key within a sliding window. One counter per key and window length for the whole gateway,
 * counted once per request however many policies name it. The check happens in place; a condition or count is asked when
 * the response is final. When the shared counter store does not answer, `on-store-failure` decides.
 */
export const rateLimitByKey = definePolicy({
  element: "rate-limit-by-key",
  summary:
    "Limits how often calls with the same key may come within a sliding window; answers 429 beyond it.",
  sections: ["inbound"],
  shape: {
    attributes: {
      calls: { type: "int", expression: true, required: true, min: 0, doc: "Calls allowed per window." },
      "renewal-period": {
        type: "int",
        expression: true,
        required: true,
        min: 1,
        max: 300,
        doc: "Length of the sliding window in seconds.",
      },
      "counter-key": {
        type: "nullable-string",
        expression: true,
        required: true,
        doc: "Calls with the same key are counted together.",
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
      "increment-after-response": {
        type: "bool",
        default: false,
        doc: "Count when the response exists, not at once.",
      },
      ...RATE_ATTRIBUTES,
      "on-store-failure": STORE_FAILURE,
    },
  },
  prepare: ({ attributes }) => {
    const condition = attributes["increment-condition"];
    const count = attributes["increment-count"];
    const rules: Rules = {
      calls: attributes.calls,
      period: attributes["renewal-period"],
      key: attributes["counter-key"],
      condition,
      count,
      afterwards: condition !== undefined || count !== undefined || attributes["increment-after-response"],
      names: rateNames(attributes),
      onFailure: attributes["on-store-failure"] as OnStoreFailure,
    };
    return (exchange) => run(rules, exchange);
  },
});

function run(rules: Rules, exchange: Exchange): void | Promise<void> {
  const { context, services } = exchange;
  const calls = Math.max(0, rules.calls(context));
  const windowMs = windowOf(rules.period(context));
  const key = `k ${windowMs} ${counterKey("rate-limit-by-key", rules.key(context))}`;
  const isCounted = exchange.countedKeys?.has(key) === true;
  // What this call has counted already is not in its own way.
  const own = isCounted && !rules.afterwards ? 1 : 0;
  const claim = { key, limit: calls + own, cost: rules.afterwards || isCounted ? 0 : 1, windowMs };
  const { windows, alone } = services.counters;
  const counters = { shared: windows, alone: alone.windows, onFailure: rules.onFailure };
  return takeOrElse(
    exchange,
    "rate-limit-by-key",
    counters,
    [claim],
    services.clock.monotonic(),
    (answer) => {
      if (answer.state === "refused")
        throw rateExceeded(exchange, "rate-limit-by-key", rules.names, calls, answer.retryAfterMs);
      sayRate(exchange, rules.names, answer.remaining - own, calls);
      if (!rules.afterwards) countsFirst(exchange, key);
      else exchange.onReply(() => countLater(rules, exchange, key, windowMs), needsOf(rules));
    },
  );
}

function countLater(rules: Rules, exchange: Exchange, key: string, windowMs: number): void {
  const { counters, clock } = exchange.services;
  const cost = amountOf(exchange, "rate-limit-by-key", rules);
  if (cost === 0 || !countsFirst(exchange, key)) return;
  counters.windows.add({ key, limit: 0, cost, windowMs }, clock.monotonic());
}

/** @throws GatewayError for a period that an expression made and that is not 1 to 300 seconds */
function windowOf(seconds: number): number {
  if (seconds >= 1 && seconds <= 300) return seconds * 1000;
  throw new GatewayError({
    source: "rate-limit-by-key",
    reason: "RenewalPeriodInvalid",
    message: `The renewal-period is ${seconds}; it must be from 1 to 300 seconds.`,
    status: 500,
    code: "renewal_period_invalid",
  });
}
