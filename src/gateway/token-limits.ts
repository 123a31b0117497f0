/**
 * `llm-token-limit` and its other name: the whole policy but for its element's name (`ai-policies.md` §1).
 *
 * Inbound it reserves, when the call has ended it settles (`model-call.ts` says what is charged). Several instances in one
 * exchange that share a counter check it each against its own limit and count the call once.
 */
import type { AttributeShape, PolicyDefinition, Value } from "../compiler/policy.ts";
import type { CalendarUnit } from "../counters/calendar-period.ts";
import type { Hold, HoldClaim, Moment, Reserved } from "../counters/holds.ts";
import type { Settlement } from "../llm/settlement.ts";
import { GatewayError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { type OnStoreFailure, STORE_FAILURE, counterKey, storeUnavailable } from "./limits.ts";
import { type ModelCall, modelCallOf } from "./model-call.ts";
import { definePolicy } from "./policy.ts";
import { type Expected, type Level, type ReserveMode, claimFor } from "./token-claims.ts";
import { numberInvalid, periodInvalid, tokenLimitExceeded, tokenQuotaExceeded } from "./token-errors.ts";

const PERIODS = ["Hourly", "Daily", "Weekly", "Monthly", "Yearly"] as const;
const UNITS: Readonly<Record<string, CalendarUnit>> = {
  hourly: "hour",
  daily: "day",
  weekly: "week",
  monthly: "month",
  yearly: "year",
};
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

interface Rules {
  readonly source: string;
  readonly key: Value<string | null>;
  readonly perMinute: Value<string> | undefined;
  readonly quota: Value<string> | undefined;
  readonly period: Value<string> | undefined;
  readonly estimates: boolean;
  readonly reserve: ReserveMode;
  readonly algorithm: "sliding" | "bucket";
  readonly weekStart: number;
  readonly onFailure: OnStoreFailure;
  readonly retryHeader: string;
  readonly retryVariable: string | undefined;
  readonly remaining: Named;
  readonly remainingQuota: Named;
  readonly consumed: Named;
  /** Somebody wants the numbers of the answer in its headers or in outbound. */
  readonly tells: boolean;
}

interface Named {
  readonly header: string | undefined;
  readonly variable: string | undefined;
}

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
      const rules: Rules = {
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

function run(rules: Rules, exchange: Exchange): void | Promise<void> {
  const call = modelCallOf(exchange);
  return call instanceof Promise
    ? call.then((found) => limit(rules, exchange, found))
    : limit(rules, exchange, call);
}

function limit(rules: Rules, exchange: Exchange, call: ModelCall | null): void | Promise<void> {
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

/** The limits as this request's expressions give them, quota first: waiting a minute helps nobody who has none left. */
function levelsOf(rules: Rules, exchange: Exchange): Level[] {
  const { context } = exchange;
  const levels: Level[] = [];
  if (rules.quota !== undefined && rules.period !== undefined) {
    const period = rules.period(context);
    const unit = UNITS[period.trim().toLowerCase()];
    if (unit === undefined) throw periodInvalid(rules.source, period);
    const limit = numberOf(rules, "token-quota", rules.quota(context));
    levels.push({ what: "quota", limit, unit, weekStart: unit === "week" ? rules.weekStart : 1 });
  }
  if (rules.perMinute !== undefined) {
    const limit = numberOf(rules, "tokens-per-minute", rules.perMinute(context));
    levels.push({ what: "rate", limit, algorithm: rules.algorithm });
  }
  return levels;
}

function numberOf(rules: Rules, attribute: string, text: string): number {
  const number = text.trim() === "" ? NaN : Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw numberInvalid(rules.source, attribute, text);
  return number;
}

/** An instance that has let its exchange in. */
export interface CountedTokens {
  /** What it holds on a counter for the exchange; null: it does not count there. */
  holdsOn(key: string): number | null;
}

const NOT_COUNTED: Hold = { amounts: [], settle: () => null };

/** One instance of the policy in one exchange. */
class LimitedCall implements CountedTokens {
  readonly #rules: Rules;
  readonly #exchange: Exchange;
  readonly #call: ModelCall;
  readonly #key: string;
  readonly #levels: readonly Level[];
  #claims: readonly HoldClaim[] = [];
  #hold: Hold | null = null;
  /** Used and held per level: by others, then with what this call takes of it. */
  #taken: readonly number[] = [];
  /** The estimate, then what is charged. */
  #tokens = 0;
  #isSettled = false;

  constructor(rules: Rules, exchange: Exchange, call: ModelCall) {
    this.#rules = rules;
    this.#exchange = exchange;
    this.#call = call;
    this.#key = counterKey(rules.source, rules.key(exchange.context));
    this.#levels = levelsOf(rules, exchange);
  }

  /** @param prompt tokens by our own count @throws GatewayError when a limit is exceeded */
  begin(prompt: number, estimates: boolean): void | Promise<void> {
    const shown = estimates ? prompt : 0;
    const { outputBound: bound } = this.#call.request;
    const expected = { mode: this.#rules.reserve, prompt, estimates, bound, ...this.#outputs };
    return this.#reserve(expected, (answer) => {
      if (answer.state === "refused") throw this.#refuse(answer, estimates);
      this.#noteTaken(answer);
      this.#tokens = shown;
      this.#taken = answer.before.map((before) => before + shown);
      this.#setVariables();
      this.#call.onSettled((settlement) => this.#settle(settlement));
      if (!this.#rules.tells) return;
      this.#call.settleBeforeOutbound = true;
      this.#exchange.onReply(() => this.#setHeaders());
    });
  }

  holdsOn(key: string): number | null {
    const at = this.#claims.findIndex((claim) => claim.key === key && claim.own === null);
    return at < 0 ? null : (this.#hold?.amounts[at] ?? 0);
  }

  get #outputs(): { readonly usual: number; readonly most: number } {
    const { outputs } = this.#exchange.services.counters;
    const { model } = this.#call;
    return { usual: outputs.usual(model), most: outputs.most(model) };
  }

  get #now(): Moment {
    const { clock } = this.#exchange.services;
    return { monotonicMs: clock.monotonic(), epochMs: clock.now() };
  }

  #claimsFor(expected: Expected): readonly HoldClaim[] {
    const limits = this.#exchange.tokenLimits;
    const ownOn = (key: string): number | null => {
      if (limits !== null) {
        for (const other of limits) {
          const own = other === this ? null : other.holdsOn(key);
          if (own !== null) return own;
        }
      }
      return null;
    };
    return this.#levels.map((level) => claimFor(level, this.#key, expected, ownOn));
  }

  /** @param then may throw what ends the exchange */
  #reserve<T>(
    expected: Expected,
    then: (answer: Exclude<Reserved, { readonly state: "unknown" }>) => T,
  ): T | Promise<T> {
    const { counters } = this.#exchange.services;
    const now = this.#now;
    const claims = this.#claimsFor(expected);
    this.#claims = claims;
    const decide = (answer: Reserved): T => {
      if (answer.state !== "unknown") return then(answer);
      const { source, onFailure } = this.#rules;
      this.#exchange.remark(source, `The counter store does not answer; on-store-failure is ${onFailure}.`);
      if (onFailure === "deny") throw storeUnavailable(source);
      if (onFailure === "allow") {
        return then({ state: "taken", before: claims.map(() => 0), hold: NOT_COUNTED });
      }
      return then(counters.alone.tokens.reserve(claims, now) as Exclude<Reserved, { state: "unknown" }>);
    };
    const answer = counters.tokens.reserve(claims, now);
    return answer instanceof Promise ? answer.then(decide) : decide(answer);
  }

  #noteTaken(answer: Reserved & { readonly state: "taken" }): void {
    this.#hold = answer.hold;
    const limits = (this.#exchange.tokenLimits ??= []);
    if (!limits.includes(this)) limits.push(this);
    if (this.#exchange.tracing) {
      const said = this.#levels.map(
        ({ what, limit }, i) =>
          `${what} ${limit}: ${Math.ceil(answer.before[i]!)} used or held, ${answer.hold.amounts[i] ?? 0} held for this call`,
      );
      this.#exchange.remark(this.#rules.source, `Let in. ${said.join("; ")}.`);
    }
  }

  #refuse(answer: Reserved & { readonly state: "refused" }, estimates: boolean): Error {
    const level = this.#levels[answer.claim]!;
    const { source, retryHeader, retryVariable } = this.#rules;
    const { variables } = this.#exchange;
    const seconds = answer.retryAfterMs === null ? null : Math.max(1, Math.ceil(answer.retryAfterMs / 1000));
    if (retryVariable !== undefined && seconds !== null) variables.set(retryVariable, seconds);
    const names = level.what === "rate" ? this.#rules.remaining : this.#rules.remainingQuota;
    const left = Math.max(0, Math.floor(level.limit - answer.before));
    if (names.variable !== undefined) variables.set(names.variable, left);
    if (names.header !== undefined) {
      const name = names.header;
      this.#exchange.onReply(() => this.#exchange.response?.headers.set(name, String(left)));
    }
    if (level.what === "rate") return tokenLimitExceeded(source, retryHeader, seconds);
    return tokenQuotaExceeded(source, retryHeader, seconds, estimates && answer.before < level.limit);
  }

  #settle(settlement: Settlement): void {
    const hold = this.#hold;
    if (hold === null) return;
    this.#hold = null;
    const charged = settlement.prompt + settlement.completion;
    const before = this.#taken.map((taken) => taken - this.#tokens);
    this.#taken = hold.settle(charged, this.#now) ?? before.map((taken) => taken + charged);
    this.#tokens = charged;
    this.#isSettled = true;
    this.#setVariables();
    this.#learn(settlement);
  }

  /** Only whole answers say how much a model writes, and each says it once. */
  #learn({ completion }: Settlement): void {
    const { ending, model } = this.#call;
    if (completion <= 0 || (ending !== "finished" && ending !== "incomplete")) return;
    if (this.#claims.every(({ own }) => own !== null)) return;
    this.#exchange.services.counters.outputs.learn(model, completion);
  }

  // ── What authors and callers see (§1.4) ─────────────────────────────────────────────────────────────────────────

  #leftOf(what: Level["what"]): number | null {
    const at = this.#levels.findIndex((level) => level.what === what);
    return at < 0 ? null : Math.max(0, Math.floor(this.#levels[at]!.limit - this.#taken[at]!));
  }

  #setVariables(): void {
    if (!this.#rules.tells) return;
    const { remaining, remainingQuota, consumed } = this.#rules;
    const { variables } = this.#exchange;
    const set = (name: string | undefined, value: number | null): void => {
      if (name !== undefined && value !== null) variables.set(name, value);
    };
    set(consumed.variable, this.#tokens);
    set(remaining.variable, this.#leftOf("rate"));
    set(remainingQuota.variable, this.#leftOf("quota"));
  }

  /** Before the head goes out. A stream's numbers are not known by then: it says what is left after reserving. */
  #setHeaders(): void {
    const headers = this.#exchange.response?.headers;
    if (headers === undefined) return;
    const { remaining, remainingQuota, consumed } = this.#rules;
    const set = (name: string | undefined, value: number | null): void => {
      if (name !== undefined && value !== null) headers.set(name, String(value));
    };
    set(remaining.header, this.#leftOf("rate"));
    set(remainingQuota.header, this.#leftOf("quota"));
    if (this.#isSettled) set(consumed.header, this.#tokens);
  }

  // ── Sessions: many responses over one WebSocket ─────────────────────────────────────────────────────────────────

  /** Asked when it opens and before each response; each response is settled on its own. */
  openSession(): void | Promise<void> {
    const nothing = { prompt: 0, estimates: false, bound: null };
    const ask = { mode: "none", usual: 0, most: 0, ...nothing } as const;
    return this.#reserve(ask, (answer) => {
      if (answer.state === "refused") throw this.#refuse(answer, false);
      this.#noteTaken(answer);
      this.#taken = answer.before;
      this.#release();
      this.#setVariables();
      const mode = this.#rules.reserve;
      this.#call.guardSession(() => this.#mayRespond({ mode, ...nothing, ...this.#outputs }));
      this.#call.onSettled((settlement) => this.#settleResponse(settlement));
      this.#exchange.onEnd(() => this.#release());
    });
  }

  /** @returns why not; never throws */
  #mayRespond(expected: Expected): string | null | Promise<string | null> {
    this.#release();
    const why = (error: unknown): string =>
      error instanceof GatewayError ? error.clientMessage : "Token limits cannot be checked.";
    try {
      const reason = this.#reserve(expected, (answer) => {
        if (answer.state === "refused") return this.#refuse(answer, false).message;
        this.#noteTaken(answer);
        return null;
      });
      return reason instanceof Promise ? reason.catch(why) : reason;
    } catch (error) {
      return why(error);
    }
  }

  #release(): void {
    this.#hold?.settle(0, this.#now);
    this.#hold = null;
  }

  #settleResponse(settlement: Settlement): void {
    const charged = settlement.prompt + settlement.completion;
    if (this.#hold !== null) this.#hold.settle(charged, this.#now);
    else {
      const counting = this.#claims.filter(({ own }) => own === null);
      this.#exchange.services.counters.tokens.count(counting, charged, this.#now);
    }
    this.#hold = null;
    this.#learn(settlement);
  }
}
