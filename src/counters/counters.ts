/**
 * Counting with limits: sliding windows (rate limits) and fixed periods (quotas). In memory, on disk, or shared between
 * nodes through Redis; `counters.suite.ts` says what every adapter does.
 *
 * A check is one step: either every claim fits and all of them are counted, or none is. An adapter that has the answer
 * at hand gives it at once; only one that must ask somebody answers with a promise.
 */
import type { SyncHolds, TokenCounters } from "./holds.ts";
import type { OutputSizes } from "./output-sizes.ts";

interface BaseClaim {
  readonly key: string;
  readonly limit: number;
  /** What is counted when all claims fit, integer ≥ 0. 0 only asks: it fits while less than `limit` is used. */
  readonly cost: number;
}

/** A trailing window: at no time do more than `limit` lie within the last `windowMs`. */
export interface WindowClaim extends BaseClaim {
  readonly windowMs: number;
}

/** A period of fixed length; the k-th begins at `anchorMs + k · periodMs`. */
export interface QuotaClaim extends BaseClaim {
  /** Ms since the epoch. */
  readonly anchorMs: number;
  /** 0 = one period that never ends. */
  readonly periodMs: number;
}

export type Answer =
  /** `remaining`: the least that any claim has left, never negative. */
  | { readonly state: "taken"; readonly remaining: number }
  /**
   * Nothing was counted. `claim`: index of the one that is longest in the way; `retryAfterMs`: until it would fit,
   * null = never.
   */
  | { readonly state: "refused"; readonly claim: number; readonly retryAfterMs: number | null }
  /** The store did not answer in time; what then is the policy's decision. */
  | { readonly state: "unknown" };

export interface Counters<C extends WindowClaim | QuotaClaim> {
  /**
   * Counts all claims if each fits, else none.
   *
   * @param now  ms from the caller's clock: for windows one that never steps back (only differences mean something), for
   *             quotas since the epoch. A shared store uses its own clock instead.
   * @throws never; an unreachable store answers `unknown`
   */
  take(claims: readonly C[], now: number): Answer | Promise<Answer>;
  /**
   * Counts `claim.cost` whatever the limit says: what turns out afterwards (a response's status, its length).
   *
   * @throws never; a store that cannot be reached counts it when it can, or not at all
   */
  add(claim: C, now: number): void;
}

export type Windows = Counters<WindowClaim>;
export type Quotas = Counters<QuotaClaim>;

/** Counters that answer at once. */
export interface SyncCounters<C extends WindowClaim | QuotaClaim> extends Counters<C> {
  take(claims: readonly C[], now: number): Answer;
}

/** What the gateway counts with. */
export interface CounterStores {
  readonly windows: Windows;
  readonly quotas: Quotas;
  /** Tokens: held while a call is under way, settled at its end. */
  readonly tokens: TokenCounters;
  /** Asked when a shared store answers `unknown`: this node's share of the limits, at once. */
  readonly alone: {
    readonly windows: SyncCounters<WindowClaim>;
    readonly quotas: SyncCounters<QuotaClaim>;
    readonly tokens: SyncHolds;
  };
  /** What models are expected to write. */
  readonly outputs: OutputSizes;
  /** How often limits got no answer from a shared store. */
  readonly unanswered: { count: number };
}

/** What a claim needs to be free: asking needs room for one. */
export function needOf(claim: BaseClaim): number {
  return claim.cost > 0 ? claim.cost : 1;
}
