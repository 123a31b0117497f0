/**
 * One token limit in one exchange: what it reserves, what it tells authors and callers, what it settles
 * (`ai-policies.md` §1.4).
 */
import type { Value } from "../../compiler/policy.ts";
import type { CalendarUnit } from "../../counters/calendar-period.ts";
import type { Hold, HoldClaim, Moment, Reserved } from "../../counters/holds.ts";
import type { Settlement } from "../../llm/settlement.ts";
import { GatewayError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";
import { type OnStoreFailure, counterKey, storeUnavailable } from "../limits.ts";
import type { ChargeLater } from "../models/later-answers.ts";
import type { ModelCall } from "../models/model-call.ts";
import { type Expected, type Level, type ReserveMode, claimFor } from "./token-claims.ts";
import { numberInvalid, periodInvalid, tokenLimitExceeded, tokenQuotaExceeded } from "./token-errors.ts";

const UNITS: Readonly<Record<string, CalendarUnit>> = {
  hourly: "hour",
  daily: "day",
  weekly: "week",
  monthly: "month",
  yearly: "year",
};

/** The policy's attributes, ready to be asked. */
export interface TokenRules {
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

export interface Named {
  readonly header: string | undefined;
  readonly variable: string | undefined;
}

/** The limits as this request's expressions give them, quota first: waiting a minute helps nobody who has none left. */
function levelsOf(rules: TokenRules, exchange: Exchange): Level[] {
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

function numberOf(rules: TokenRules, attribute: string, text: string): number {
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
export class LimitedCall implements CountedTokens {
  readonly #rules: TokenRules;
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

  constructor(rules: TokenRules, exchange: Exchange, call: ModelCall) {
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
      counters.unanswered.count++;
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
    if (this.#call.awaits) this.#call.onReportedLater(countingLater(this.#claims));
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

/** Holds the claims and nothing else of the call. */
function countingLater(claims: readonly HoldClaim[]): ChargeLater {
  const counting = claims.filter(({ own }) => own === null);
  return (_usage, tokens, { services: { counters, clock } }) => {
    if (tokens === 0 || counting.length === 0) return;
    counters.tokens.count(counting, tokens, { monotonicMs: clock.monotonic(), epochMs: clock.now() });
  };
}
