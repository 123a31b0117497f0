/** Tells breakers and outliers what happened to a backend, and the log what became of them. */
import type { BackendState } from "./backend-state.ts";
import type { Transition } from "./circuit-breaker.ts";
import type { Outlier } from "./outliers.ts";

/** Where it is told, and what time it is. */
export interface Surroundings {
  readonly monotonic: () => number;
  /** Ms since the epoch, for `Retry-After` as a date. */
  readonly now: () => number;
  readonly log: (record: Readonly<Record<string, unknown>>) => void;
}

export function tellBreaker(
  { id, breaker }: BackendState,
  transition: Transition,
  outcome: number | string,
  now: number,
  { log }: Surroundings,
): void {
  if (transition === null || breaker === null) return;
  const rule = breaker.rule.name;
  if (transition === "closed") log({ level: "info", msg: "circuit breaker closed", backend: id, rule });
  else {
    const tripMs = Math.round(breaker.openUntil - now);
    log({ level: "warn", msg: "circuit breaker opened", backend: id, rule, outcome, tripMs });
  }
}

export function tellOutlier(
  { id }: BackendState,
  outlier: Outlier | null,
  broken: boolean,
  outcome: number | string,
  now: number,
  { log }: Surroundings,
): void {
  if (outlier === null || !outlier.record(broken, now)) return;
  const ejectedMs = Math.round(outlier.until - now);
  log({ level: "warn", msg: "pool member ejected", backend: id, outcome, ejectedMs });
}
