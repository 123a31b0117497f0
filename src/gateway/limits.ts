/**
 * What rate limits and quotas have in common: asking the counters, the answer when the store is silent, refusals, headers
 * and variables, and counting what is known only once the response exists.
 */
import { hash } from "node:crypto";
import type { AttributeShape, Needs, Value } from "../compiler/policy.ts";
import type { Answer, Counters, QuotaClaim, SyncCounters, WindowClaim } from "../counters/counters.ts";
import { GatewayError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";

/** `reliability.md` A2: what a limit does while a shared store does not answer. */
export type OnStoreFailure = "local" | "deny" | "allow";

export const STORE_FAILURE: AttributeShape & { readonly type: "string"; readonly default: string } = {
  type: "string",
  oneOf: ["local", "deny", "allow"],
  default: "local",
  doc: "While the shared counter store does not answer: local = this node's share of the limit, deny = 503, allow = no limit.",
};

type Decided = Exclude<Answer, { readonly state: "unknown" }>;

/**
 * Takes the claims, or does what `onFailure` says when the shared store is silent.
 *
 * @param then  gets the decision; what it throws is the policy's error
 * @returns a promise only when the store had to be asked
 */
export function takeOrElse<C extends WindowClaim | QuotaClaim>(
  exchange: Exchange,
  source: string,
  counters: {
    readonly shared: Counters<C>;
    readonly alone: SyncCounters<C>;
    readonly onFailure: OnStoreFailure;
  },
  claims: readonly C[],
  now: number,
  then: (answer: Decided) => void,
): void | Promise<void> {
  const decide = (answer: Answer): void => {
    if (answer.state !== "unknown") return then(answer);
    exchange.services.counters.unanswered.count++;
    exchange.remark(source, `The counter store does not answer; on-store-failure is ${counters.onFailure}.`);
    if (counters.onFailure === "deny") throw storeUnavailable(source);
    if (counters.onFailure === "allow")
      return then({ state: "taken", remaining: Math.min(...claims.map(({ limit }) => limit)) });
    then(counters.alone.take(claims, now) as Decided);
  };
  const answer = counters.shared.take(claims, now);
  return answer instanceof Promise ? answer.then(decide) : decide(answer);
}

export function storeUnavailable(source: string): GatewayError {
  return new GatewayError({
    source,
    reason: "CounterStoreUnavailable",
    message: "The counter store does not answer.",
    clientMessage: "Service Unavailable",
    status: 503,
    headers: ["Retry-After", "1"],
    code: "counter_store_unavailable",
    own: true,
  });
}

// ── Keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const LONGEST_KEY = 200;

/**
 * An author's key as part of a counter's key: short, whatever a caller sends.
 *
 * @throws GatewayError for null and empty keys (`policies.md` 22)
 */
export function counterKey(source: string, key: string | null): string {
  if (key === null || key === "") {
    throw new GatewayError({
      source,
      reason: "CounterKeyEmpty",
      message: "The counter-key is null or empty.",
      status: 500,
      code: "counter_key_empty",
    });
  }
  return key.length <= LONGEST_KEY ? key : `#${hash("sha256", key, "base64url")}`;
}

/** Whether this exchange counts `key` for the first time. */
export function countsFirst(exchange: Exchange, key: string): boolean {
  const counted = (exchange.countedKeys ??= new Set());
  if (counted.has(key)) return false;
  counted.add(key);
  return true;
}

// ── What callers and authors see ──────────────────────────────────────────────────────────────────────────────────

export interface RateNames {
  readonly retryHeader: string;
  readonly retryVariable: string | undefined;
  readonly remainingHeader: string | undefined;
  readonly remainingVariable: string | undefined;
  readonly totalHeader: string | undefined;
}

export const RATE_ATTRIBUTES = {
  "retry-after-header-name": {
    type: "string",
    default: "Retry-After",
    doc: "Response header with the seconds to wait.",
  },
  "retry-after-variable-name": {
    type: "string",
    doc: "Variable with the seconds to wait, set when the limit is exceeded.",
  },
  "remaining-calls-header-name": { type: "string", doc: "Response header with the calls that are left." },
  "remaining-calls-variable-name": { type: "string", doc: "Variable with the calls that are left." },
  "total-calls-header-name": { type: "string", doc: "Response header with the value of calls." },
} as const satisfies Record<string, AttributeShape>;

export function rateNames(attributes: {
  readonly [K in keyof typeof RATE_ATTRIBUTES]: string | undefined;
}): RateNames {
  return {
    retryHeader: attributes["retry-after-header-name"] ?? "Retry-After",
    retryVariable: attributes["retry-after-variable-name"],
    remainingHeader: attributes["remaining-calls-header-name"],
    remainingVariable: attributes["remaining-calls-variable-name"],
    totalHeader: attributes["total-calls-header-name"],
  };
}

/** Sets variables and headers after a check. Headers go onto the final response, whatever produces it. */
export function sayRate(exchange: Exchange, names: RateNames, remaining: number, total: number): void {
  if (names.remainingVariable !== undefined) exchange.variables.set(names.remainingVariable, remaining);
  const { remainingHeader, totalHeader } = names;
  if (remainingHeader === undefined && totalHeader === undefined) return;
  exchange.onReply(() => {
    const headers = exchange.response?.headers;
    if (remainingHeader !== undefined) headers?.set(remainingHeader, String(remaining));
    if (totalHeader !== undefined) headers?.set(totalHeader, String(total));
  });
}

/** 429 (`policies-document.md` §6.5). */
export function rateExceeded(
  exchange: Exchange,
  source: string,
  names: RateNames,
  total: number,
  retryAfterMs: number | null,
): GatewayError {
  const seconds = Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1000));
  if (names.retryVariable !== undefined) exchange.variables.set(names.retryVariable, seconds);
  sayRate(exchange, names, 0, total);
  return new GatewayError({
    source,
    reason: "RateLimitExceeded",
    message: "Rate limit is exceeded",
    clientMessage: `Rate limit is exceeded. Try again in ${seconds} seconds.`,
    status: 429,
    headers: [names.retryHeader, String(seconds)],
    code: "rate_limit_exceeded",
  });
}

/** 403 (`policies-document.md` §6.5). @param retryAfterMs null: the period never ends */
export function quotaExceeded(
  source: string,
  what: "calls" | "bandwidth",
  retryAfterMs: number | null,
): GatewayError {
  const out = what === "calls" ? "Out of call volume quota." : "Out of bandwidth quota.";
  const seconds = retryAfterMs === null ? null : Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new GatewayError({
    source,
    reason: "QuotaExceeded",
    message: seconds === null ? out : `${out} Quota will be replenished in ${timeSpan(seconds)}.`,
    status: 403,
    headers: seconds === null ? [] : ["Retry-After", String(seconds)],
    code: "quota_exceeded",
  });
}

/** `hh:mm:ss` or `d.hh:mm:ss`, as .NET prints a TimeSpan. */
export function timeSpan(seconds: number): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  const days = Math.floor(seconds / 86_400);
  const rest = seconds % 86_400;
  const time = `${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
  return days === 0 ? time : `${days}.${time}`;
}

// ── Counting afterwards ───────────────────────────────────────────────────────────────────────────────────────────

export interface Deferred {
  readonly condition: Value<boolean> | undefined;
  readonly count: Value<number> | undefined;
}

/**
 * What an exchange counts, asked once its response exists: 0 when the condition is false or fails (a call that never got
 * a response fails those that look at it), 1 when the count fails.
 */
export function amountOf(exchange: Exchange, source: string, deferred: Deferred): number {
  const { condition, count } = deferred;
  try {
    if (condition !== undefined && !condition(exchange.context)) return 0;
  } catch (error) {
    exchange.remark(source, `increment-condition failed, nothing is counted: ${String(error)}`);
    return 0;
  }
  if (count === undefined) return 1;
  try {
    return Math.max(0, Math.trunc(count(exchange.context)) || 0);
  } catch (error) {
    exchange.remark(source, `increment-count failed, the call counts once: ${String(error)}`);
    return 1;
  }
}

export function needsOf(deferred: Deferred): Needs {
  return (deferred.condition?.needs ?? 0) | (deferred.count?.needs ?? 0);
}

/** Counts the octets of the request's body as they pass. @returns asked at the end of the exchange */
export function requestOctets(exchange: Exchange): () => number {
  const { body } = exchange.request;
  if (body === null) return () => 0;
  const known = body.length;
  if (known !== undefined) return () => known;
  let passed = 0;
  body.tap((next) => ({
    write: (chunk) => {
      passed += chunk.length;
      return next.write(chunk);
    },
    end: (trailers) => next.end(trailers),
    fail: (error) => next.fail(error),
    borrows: next.borrows,
  }));
  return () => (body.buffered ? (body.length ?? 0) : passed);
}
