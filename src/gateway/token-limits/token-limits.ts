/**
 * `llm-token-limit` and its other name: the whole policy but for its element's name (`ai-policies.md` §1).
 *
 * Inbound it reserves, when the call has ended it settles (`models/model-call.ts` says what is charged). Several instances in one
 * exchange that share a counter check it each against its own limit and count the call once.
 */
import type { AttributeShape, PolicyDefinition } from "../../compiler/policy.ts";
import type { Exchange } from "../exchange.ts";
import { LimitedCall, type Named, type TokenRules } from "./limited-call.ts";
import { type OnStoreFailure, STORE_FAILURE } from "../limits.ts";
import { modelCallOf } from "../models/find-model-call.ts";
import type { ModelCall } from "../models/model-call.ts";
import { definePolicy } from "../policy.ts";
import type { ReserveMode } from "./token-claims.ts";

const PERIODS = ["Hourly", "Daily", "Weekly", "Monthly", "Yearly"] as const;
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

const HEADER = { pattern: /^[!#$%&'*+.^_`|~\w-]+$/, expected: "a header name" } as const;
const header = (doc: string) => ({ type: "string", format: HEADER, doc }) as const;
const variable = (doc: string) => ({ type: "string", doc }) as const;

const ATTRIBUTES = {
  "counter-key": {
    type: "nullable-string",
    expression: true,
    required: true,
    doc: "Calls with the same key are counted together.",
  },
  "tokens-per-minute": {
    type: "string",
    expression: true,
    format: { pattern: /^\d{1,15}$/, expected: "a whole number, 0 or more" },
    doc: "Prompt and completion tokens allowed per minute.",
  },
  "token-quota": {
    type: "string",
    expression: true,
    format: { pattern: /^0*[1-9]\d{0,14}$/, expected: "a whole number, 1 or more" },
    doc: "Prompt and completion tokens allowed per period.",
  },
  "token-quota-period": {
    type: "string",
    expression: true,
    oneOf: PERIODS,
    doc: "The period of token-quota; periods begin where the UTC calendar says.",
  },
  "estimate-prompt-tokens": {
    type: "bool",
    default: false,
    doc: "Count the prompt before the call, and refuse it when it does not fit. Streams are always counted so.",
  },
  "retry-after-header-name": {
    ...header("Response header with the seconds to wait."),
    default: "Retry-After",
  },
  "retry-after-variable-name": variable("Variable with the seconds to wait, set when a limit is exceeded."),
  "remaining-tokens-header-name": header("Response header with the tokens that are left in the minute."),
  "remaining-tokens-variable-name": variable("Variable with the tokens that are left in the minute."),
  "remaining-quota-tokens-header-name": header(
    "Response header with the tokens that are left in the period.",
  ),
  "remaining-quota-tokens-variable-name": variable("Variable with the tokens that are left in the period."),
  "tokens-consumed-header-name": header("Response header with the tokens of the call; streams have none."),
  "tokens-consumed-variable-name": variable(
    "Variable with the tokens of the call: the estimate, and once it is known the truth.",
  ),
  reserve: {
    type: "string",
    oneOf: ["auto", "full", "prompt", "none"],
    default: "auto",
    doc: "What is held while a call is under way: prompt and output (full), the prompt, nothing (none); auto = full where both are known, else what the call is expected to cost, and a call that is alone is let in as documented.",
  },
  algorithm: {
    type: "string",
    oneOf: ["sliding", "bucket"],
    default: "sliding",
    doc: "How the minute is counted: a sliding window, or a bucket that refills evenly and may be overdrawn.",
  },
  "week-starts-on": { type: "string", oneOf: DAYS, default: "Monday", doc: "First day of weekly quotas." },
  "on-store-failure": STORE_FAILURE,
} as const satisfies Record<string, AttributeShape>;

export function defineTokenLimit(element: string, summary: string): PolicyDefinition {
  return definePolicy({
    element,
    summary,
    sections: ["inbound"],
    shape: { attributes: ATTRIBUTES },
    check: ({ attributes }, report) => {
      const quota = attributes["token-quota"];
      const period = attributes["token-quota-period"];
      if (attributes["tokens-per-minute"] === undefined && quota === undefined && period === undefined) {
        report("tokens-per-minute, or token-quota and token-quota-period, must be given");
      } else if ((quota === undefined) !== (period === undefined)) {
        const [given, other] =
          quota === undefined ? ["token-quota-period", "token-quota"] : ["token-quota", "token-quota-period"];
        report(`${given} needs ${other}`, { attribute: given });
      }
    },
    prepare: ({ attributes }) => {
      const named = (name: "remaining-tokens" | "remaining-quota-tokens" | "tokens-consumed"): Named => ({
        header: attributes[`${name}-header-name`],
        variable: attributes[`${name}-variable-name`],
      });
      const [remaining, remainingQuota, consumed] = [
        named("remaining-tokens"),
        named("remaining-quota-tokens"),
        named("tokens-consumed"),
      ];
      const rules: TokenRules = {
        source: element,
        key: attributes["counter-key"],
        perMinute: attributes["tokens-per-minute"],
        quota: attributes["token-quota"],
        period: attributes["token-quota-period"],
        estimates: attributes["estimate-prompt-tokens"],
        reserve: attributes.reserve as ReserveMode,
        algorithm: attributes.algorithm as "sliding" | "bucket",
        weekStart: DAYS.indexOf(attributes["week-starts-on"] as (typeof DAYS)[number]),
        onFailure: attributes["on-store-failure"] as OnStoreFailure,
        retryHeader: attributes["retry-after-header-name"],
        retryVariable: attributes["retry-after-variable-name"],
        remaining,
        remainingQuota,
        consumed,
        tells: [remaining, remainingQuota, consumed].some((it) => (it.header ?? it.variable) !== undefined),
      };
      return (exchange) => run(rules, exchange);
    },
  });
}

function run(rules: TokenRules, exchange: Exchange): void | Promise<void> {
  const call = modelCallOf(exchange);
  return call instanceof Promise
    ? call.then((found) => limit(rules, exchange, found))
    : limit(rules, exchange, call);
}

function limit(rules: TokenRules, exchange: Exchange, call: ModelCall | null): void | Promise<void> {
  if (call === null) {
    exchange.remark(rules.source, "This is no request to a model: nothing is limited.");
    return;
  }
  const limited = new LimitedCall(rules, exchange, call);
  if (call.isSession) return limited.openSession();
  const { reserve } = rules;
  const estimates = rules.estimates || reserve === "full" || reserve === "prompt" || call.request.stream;
  if (reserve === "none" && !estimates) return limited.begin(0, false);
  const prompt = call.countPrompt();
  return prompt instanceof Promise
    ? prompt.then((tokens) => limited.begin(tokens, estimates))
    : limited.begin(prompt, estimates);
}
