/** The period of a quota that `now` lies in. */
export interface Period {
  /** Ms since the epoch. */
  readonly startMs: number;
  /** Infinity for a quota that never renews. */
  readonly endMs: number;
}

export function periodAt(anchorMs: number, periodMs: number, now: number): Period {
  if (periodMs <= 0) return { startMs: anchorMs, endMs: Infinity };
  const startMs = anchorMs + Math.floor((now - anchorMs) / periodMs) * periodMs;
  return { startMs, endMs: startMs + periodMs };
}

/**
 * Whether what was counted in the period that began at `countedStartMs` still counts in `period`. A clock that steps back
 * over a boundary by less than a period stays in the newer one, so that nothing is counted twice or forgotten; a larger
 * step begins anew, so that nobody is locked out until it catches up (`reliability.md` R-14).
 */
export function stillCounts(countedStartMs: number, period: Period): boolean {
  if (countedStartMs === period.startMs) return true;
  return countedStartMs > period.startMs && countedStartMs <= period.endMs;
}
