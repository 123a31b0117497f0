import { type Answer, type WindowClaim, type Windows, needOf } from "./counters.ts";
import { SlidingWindow } from "./sliding-window.ts";

/**
 * Windows of this process. Exact under any concurrency, because a check is one synchronous step. Keys whose window has
 * emptied are swept away two per check; beyond `maxKeys` the oldest key is forgotten.
 */
export class MemoryWindows implements Windows {
  readonly #windows = new Map<string, SlidingWindow>();
  readonly #maxKeys: number;
  #sweep: Iterator<[string, SlidingWindow]> | null = null;

  constructor(maxKeys = 1_000_000) {
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#windows.size;
  }

  take(claims: readonly WindowClaim[], now: number): Answer {
    this.#sweepSome(now);
    let refused = -1;
    let waitMs = 0;
    for (let i = 0; i < claims.length; i++) {
      const claim = claims[i]!;
      const window = this.#windows.get(claim.key);
      window?.expire(now);
      const excess = (window?.used ?? 0) + needOf(claim) - claim.limit;
      if (excess <= 0) continue;
      const ms = window === undefined ? claim.windowMs : window.msUntilFree(excess, now);
      if (refused >= 0 && ms <= waitMs) continue;
      refused = i;
      waitMs = ms;
    }
    if (refused >= 0) return { state: "refused", claim: refused, retryAfterMs: waitMs };
    let remaining = Infinity;
    for (const claim of claims) {
      const used = claim.cost > 0 ? this.#push(claim, now) : (this.#windows.get(claim.key)?.used ?? 0);
      remaining = Math.min(remaining, Math.max(0, claim.limit - used));
    }
    return { state: "taken", remaining };
  }

  add(claim: WindowClaim, now: number): void {
    this.#windows.get(claim.key)?.expire(now);
    this.#push(claim, now);
  }

  #push(claim: WindowClaim, now: number): number {
    const { key, windowMs, cost } = claim;
    let window = this.#windows.get(key);
    // A key whose window has got another length begins anew: configuration changed.
    if (window === undefined || window.windowMs !== windowMs) {
      if (window === undefined && this.#windows.size >= this.#maxKeys) this.#forgetOldest();
      window = new SlidingWindow(windowMs);
      this.#windows.set(key, window);
    }
    window.push(now, cost);
    return window.used;
  }

  #forgetOldest(): void {
    const oldest = this.#windows.keys().next();
    if (oldest.done !== true) this.#windows.delete(oldest.value);
  }

  #sweepSome(now: number): void {
    for (let i = 0; i < 2; i++) {
      this.#sweep ??= this.#windows.entries();
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = null;
        return;
      }
      const [key, window] = next.value;
      if (window.expire(now)) this.#windows.delete(key);
    }
  }
}
