/** How long `retry` waits before its k-th retry (`policies.md` 3). */
export interface Waits {
  readonly intervalMs: number;
  readonly deltaMs: number | null;
  readonly maxIntervalMs: number | null;
  readonly firstFast: boolean;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * @param turn 1 for the first retry
 * @returns ms
 */
export function waitBeforeRetry(turn: number, waits: Waits): number {
  const { intervalMs, deltaMs, maxIntervalMs, firstFast, random } = waits;
  if (firstFast && turn === 1) return 0;
  if (deltaMs === null) return maxIntervalMs === null ? intervalMs : Math.min(intervalMs, maxIntervalMs);
  if (maxIntervalMs === null) return intervalMs + (turn - 1) * deltaMs;
  const spread = deltaMs * (0.8 + 0.4 * random());
  return Math.min(maxIntervalMs, intervalMs + (2 ** (turn - 1) - 1) * spread);
}
