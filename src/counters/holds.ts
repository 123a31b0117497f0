/**
 * Counting what is known only afterwards: tokens. A call *holds* what it may cost while it is under way and *settles* what
 * it did cost at its end, so that calls at the same time cannot together pass a limit that each of them fits alone.
 *
 *     reserve ──▶ taken: held ──▶ settle(cost): given back, counted     (settle(0): given back)
 *        └─────▶ refused: nothing held
 *
 * What is held counts against the limit for as long as it is held. What is settled counts from the moment of settling, in
 * a window for its length, in a period only if that is still the one in which the call was let in.
 *
 * A call that is *alone* on its key is let in as the original lets calls in: by what it is sure to need (`need`), and it
 * may overshoot. Calls that come while others are under way must fit whole (`cost`), and so must those on a key that was
 * `crowded` a minute ago or less: whoever calls one after the other sees the documented behaviour, whoever calls
 * in parallel cannot overshoot. Reasons: `docs/decisions/0009-token-reservations.md`.
 *
 * `holds.suite.ts` says what every adapter does.
 */
import type { CalendarUnit } from "./calendar-period.ts";

interface BaseHoldClaim {
  readonly key: string;
  readonly limit: number;
  /** What must fit even for a call that is alone; 0: any room will do. Integer ≥ 0. */
  readonly need: number;
  /** What the call is expected to cost in the end; that much is held, or what there is room for. 0: nothing is held. */
  readonly cost: number;
  /**
   * What the same call holds on this key through an earlier claim. It is not in its own way, and nothing more
   * is held or counted. null: there is none.
   */
  readonly own: number | null;
}

/** A trailing window. */
export interface WindowHoldClaim extends BaseHoldClaim {
  readonly kind: "window";
  readonly windowMs: number;
}

/** A token bucket that holds `limit` when full and fills from empty in `fillMs`. Settling may take it below nothing. */
export interface BucketHoldClaim extends BaseHoldClaim {
  readonly kind: "bucket";
  readonly fillMs: number;
}

/** A period of the UTC calendar. */
export interface PeriodHoldClaim extends BaseHoldClaim {
  readonly kind: "period";
  readonly unit: CalendarUnit;
  /** 0 = Sunday, 1 = Monday, … */
  readonly weekStart: number;
}

export type HoldClaim = WindowHoldClaim | BucketHoldClaim | PeriodHoldClaim;

/** Two clocks: windows and buckets need differences, periods the calendar. A shared store uses its own instead. */
export interface Moment {
  /** Never steps back. */
  readonly monotonicMs: number;
  /** Since the epoch. */
  readonly epochMs: number;
}

export interface Hold {
  /** What is held, per claim. */
  readonly amounts: readonly number[];
  /**
   * Gives back what is held and counts what it cost; only the first call does anything. Never throws: a store that does not
   * answer counts later, or its holds end by themselves.
   *
   * @param cost integer ≥ 0
   * @returns used and held per claim afterwards; null when a store would have to be asked
   */
  settle(cost: number, now: Moment): readonly number[] | null;
}

export type Reserved =
  /** `before`: used and held by others, per claim. */
  | { readonly state: "taken"; readonly before: readonly number[]; readonly hold: Hold }
  /**
   * Nothing is held. `claim`: index of the first one in the way; `before`: used and held there; `retryAfterMs`: until it may
   * fit, null = never.
   */
  | {
      readonly state: "refused";
      readonly claim: number;
      readonly before: number;
      readonly retryAfterMs: number | null;
    }
  | { readonly state: "unknown" };

export interface Holds {
  /**
   * Holds all claims if each fits, else none.
   *
   * @throws never; an unreachable store answers `unknown`
   */
  reserve(claims: readonly HoldClaim[], now: Moment): Reserved | Promise<Reserved>;
  /** Counts what nobody held, whatever the limits say. Never throws. */
  count(claims: readonly HoldClaim[], cost: number, now: Moment): void;
}

/** Holds as a gateway has them. */
export interface TokenCounters extends Holds {
  /** Tokens that calls of this node hold, on all keys. */
  readonly heldTokens: number;
  /** Holds of this node that are not settled. */
  readonly underWay: number;
}

/** Holds that answer at once. */
export interface SyncHolds extends Holds {
  reserve(claims: readonly HoldClaim[], now: Moment): Reserved;
}

/** For as long after calls met on a key, calls must fit whole. */
export const CROWDED_MS = 60_000;

/** What to say when only calls under way are in the way: any of them may end now. */
export const HELD_WAIT_MS = 1000;

/** What must be free for the claim. */
export function roomNeeded(claim: HoldClaim, others: boolean, crowded: boolean): number {
  const whole = Math.max(claim.need, claim.cost);
  // One that is larger than the limit would never come in: it waits until it is alone.
  return others || (crowded && whole <= claim.limit) ? whole : claim.need;
}

/** `taken`: used and held by others. */
export function fits(claim: HoldClaim, taken: number, needed: number): boolean {
  return needed > 0 ? taken + needed <= claim.limit : taken < claim.limit;
}

/** What is held of a claim that fits. */
export function amountHeld(claim: HoldClaim, taken: number): number {
  if (claim.cost <= 0 || claim.own !== null) return 0;
  return Math.max(claim.need, Math.min(claim.cost, claim.limit - Math.ceil(taken)));
}
