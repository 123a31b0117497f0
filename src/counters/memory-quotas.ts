import { type Answer, type QuotaClaim, type Quotas, needOf } from "./counters.ts";
import { type Period, periodAt, stillCounts } from "./fixed-period.ts";
import type { PeriodTotals } from "./meters.ts";

interface Count {
  startMs: number;
  endMs: number;
  used: number;
}

/** Quotas of this process, forgotten with it. Periods that are over are swept away two per check. */
export class MemoryQuotas implements Quotas, PeriodTotals {
  readonly #counts = new Map<string, Count>();
  readonly #maxKeys: number;
  #sweep: Iterator<[string, Count]> | null = null;

  constructor(maxKeys = 1_000_000) {
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#counts.size;
  }

  take(claims: readonly QuotaClaim[], now: number): Answer {
    this.#sweepSome(now);
    const refused = refusalOf(claims, now, (claim, period) => this.usedIn(claim.key, period));
    if (refused !== null) return refused;
    let remaining = Infinity;
    for (const claim of claims)
      remaining = Math.min(remaining, Math.max(0, claim.limit - this.#count(claim, now)));
    return { state: "taken", remaining };
  }

  add(claim: QuotaClaim, now: number): void {
    this.#count(claim, now);
  }

  /** What is counted of `key` in `period`. */
  usedIn(key: string, period: Period): number {
    const count = this.#counts.get(key);
    return count !== undefined && stillCounts(count.startMs, period) ? count.used : 0;
  }

  /** Replaces what is counted by what a shared store says. */
  set(key: string, period: Period, used: number): void {
    if (!this.#counts.has(key) && this.#counts.size >= this.#maxKeys) this.#forgetOldest();
    this.#counts.set(key, { ...period, used });
  }

  totalOf(key: string): { readonly startMs: number; readonly used: number } | null {
    return this.#counts.get(key) ?? null;
  }

  addTo(key: string, period: Period, cost: number): void {
    const count = this.#counts.get(key);
    if (count !== undefined && count.startMs > period.startMs) return;
    if (count !== undefined && count.startMs === period.startMs) count.used += cost;
    else this.set(key, period, cost);
  }

  forget(key: string): void {
    this.#counts.delete(key);
  }

  #count(claim: QuotaClaim, now: number): number {
    const period = periodAt(claim.anchorMs, claim.periodMs, now);
    const count = this.#counts.get(claim.key);
    if (count !== undefined && stillCounts(count.startMs, period)) return (count.used += claim.cost);
    if (claim.cost > 0) this.set(claim.key, period, claim.cost);
    return claim.cost;
  }

  #forgetOldest(): void {
    const oldest = this.#counts.keys().next();
    if (oldest.done !== true) this.#counts.delete(oldest.value);
  }

  #sweepSome(now: number): void {
    for (let i = 0; i < 2; i++) {
      this.#sweep ??= this.#counts.entries();
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = null;
        return;
      }
      const [key, count] = next.value;
      if (count.endMs <= now) this.#counts.delete(key);
    }
  }
}

/** The refusal of claims that do not all fit, the longest wait first; null when they do. */
export function refusalOf(
  claims: readonly QuotaClaim[],
  now: number,
  usedIn: (claim: QuotaClaim, period: Period) => number,
): Answer | null {
  let refused = -1;
  let endMs = -Infinity;
  for (let i = 0; i < claims.length; i++) {
    const claim = claims[i]!;
    const period = periodAt(claim.anchorMs, claim.periodMs, now);
    if (usedIn(claim, period) + needOf(claim) <= claim.limit || period.endMs <= endMs) continue;
    refused = i;
    endMs = period.endMs;
  }
  if (refused < 0) return null;
  return { state: "refused", claim: refused, retryAfterMs: endMs === Infinity ? null : endMs - now };
}
