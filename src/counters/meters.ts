/** What has been used, in three ways of forgetting: a trailing window, a bucket that refills, a period of the calendar. */
import { type Period, stillCounts } from "./fixed-period.ts";
import type { HoldClaim, Moment } from "./holds.ts";
import { SlidingWindow } from "./sliding-window.ts";

export interface Meter {
  readonly kind: HoldClaim["kind"];
  usedAt(now: Moment): number;
  /** Ms until `excess` of what `usedAt` said last is free. */
  msUntilFree(excess: number, now: Moment): number;
  count(cost: number, now: Moment): void;
  /** Nothing would be lost if it were forgotten. */
  isIdle(now: Moment): boolean;
}

export class WindowMeter implements Meter {
  readonly kind = "window";
  readonly window: SlidingWindow;

  constructor(windowMs: number) {
    this.window = new SlidingWindow(windowMs);
  }

  usedAt({ monotonicMs }: Moment): number {
    this.window.expire(monotonicMs);
    return this.window.used;
  }

  msUntilFree(excess: number, { monotonicMs }: Moment): number {
    return this.window.msUntilFree(excess, monotonicMs);
  }

  count(cost: number, { monotonicMs }: Moment): void {
    this.window.expire(monotonicMs);
    this.window.push(monotonicMs, cost);
  }

  isIdle({ monotonicMs }: Moment): boolean {
    return this.window.expire(monotonicMs);
  }
}

/**
 * A bucket, by what has been taken out of it: 0 = full, more than `limit` = overdrawn. It runs full at an even pace, so an
 * overdrawn bucket takes as much longer as it was overdrawn (`ai-policies.md` §1.3).
 */
export class BucketMeter implements Meter {
  readonly kind = "bucket";
  readonly limit: number;
  readonly fillMs: number;
  #taken = 0;
  #atMs: number;

  constructor(limit: number, fillMs: number, now: Moment) {
    this.limit = limit;
    this.fillMs = fillMs;
    this.#atMs = now.monotonicMs;
  }

  usedAt({ monotonicMs }: Moment): number {
    const passedMs = Math.max(0, monotonicMs - this.#atMs);
    this.#taken = Math.max(0, this.#taken - (passedMs * this.limit) / this.fillMs);
    this.#atMs = monotonicMs;
    return this.#taken;
  }

  msUntilFree(excess: number): number {
    return this.limit > 0 ? (excess * this.fillMs) / this.limit : this.fillMs;
  }

  count(cost: number, now: Moment): void {
    this.#taken = this.usedAt(now) + cost;
  }

  isIdle(now: Moment): boolean {
    return this.usedAt(now) === 0;
  }
}

/** Where the totals of periods are kept: in memory, on disk. */
export interface PeriodTotals {
  /** What is counted of `key`, and in the period that began when; null for nothing. */
  totalOf(key: string): { readonly startMs: number; readonly used: number } | null;
  /** Counts in exactly this period; once a newer one has begun, not at all. */
  addTo(key: string, period: Period, cost: number): void;
  forget(key: string): void;
}

export class PeriodMeter implements Meter {
  readonly kind = "period";
  readonly period: Period;
  readonly #totals: PeriodTotals;
  readonly #key: string;

  constructor(totals: PeriodTotals, key: string, period: Period) {
    const counted = totals.totalOf(key);
    if (counted === null || counted.startMs <= period.startMs) this.period = period;
    // The clock has stepped back: by a little, and the newer period goes on, or by much, and counting begins anew.
    else if (stillCounts(counted.startMs, period)) this.period = periodFrom(counted.startMs, period);
    else {
      totals.forget(key);
      this.period = period;
    }
    this.#totals = totals;
    this.#key = key;
  }

  usedAt(): number {
    const counted = this.#totals.totalOf(this.#key);
    return counted !== null && counted.startMs === this.period.startMs ? counted.used : 0;
  }

  msUntilFree(_excess: number, { epochMs }: Moment): number {
    return this.period.endMs - epochMs;
  }

  count(cost: number): void {
    this.#totals.addTo(this.#key, this.period, cost);
  }

  isIdle({ epochMs }: Moment): boolean {
    return this.period.endMs <= epochMs;
  }
}

/** As long as its neighbour; a month more or less makes no difference while the clock is wrong. */
function periodFrom(startMs: number, like: Period): Period {
  return { startMs, endMs: startMs + (like.endMs - like.startMs) };
}
