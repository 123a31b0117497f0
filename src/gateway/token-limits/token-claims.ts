/**
 * What a token limit asks of the counters for one call: which counters, how much must fit, how much is held. The decision and
 * its reasons: `docs/decisions/0009-token-reservations.md`.
 */
import type { CalendarUnit } from "../../counters/calendar-period.ts";
import type { HoldClaim } from "../../counters/holds.ts";

/**
 * - `auto`: prompt and output bound must fit where both are known beforehand (the prompt is estimated, a bound is stated, both
 *   are within the limit at all); else a call that is alone is let in as documented, and calls at the same time
 *   must fit with what they are expected to cost.
 * - `full`: prompt and output must fit, always; without a bound, what the model usually writes.
 * - `prompt`: the prompt must fit, nothing is held for the answer.
 * - `none`: nothing is held, exactly as the original.
 */
export type ReserveMode = "auto" | "full" | "prompt" | "none";

/** One limit of a policy, as far as the request decides it. */
export type Level =
  | { readonly what: "rate"; readonly limit: number; readonly algorithm: "sliding" | "bucket" }
  | {
      readonly what: "quota";
      readonly limit: number;
      readonly unit: CalendarUnit;
      readonly weekStart: number;
    };

export interface Expected {
  readonly mode: ReserveMode;
  /** The prompt by our own count; 0 when nobody wants it counted. */
  readonly prompt: number;
  /** The author wants the prompt counted before the call, or a stream does. */
  readonly estimates: boolean;
  /** Most completion tokens there can be; null = not stated. */
  readonly bound: number | null;
  /** What the model usually writes, and what it hardly exceeds. */
  readonly usual: number;
  readonly most: number;
}

const MINUTE_MS = 60_000;

/** @param own what the same call holds on this counter already, null for nothing */
export function claimFor(
  level: Level,
  counterKey: string,
  expected: Expected,
  ownOn: (key: string) => number | null,
): HoldClaim {
  const { limit } = level;
  const need = needOf(expected, limit);
  const cost = costOf(expected, limit, need);
  const key = keyOf(level, counterKey);
  const base = { key, limit, need, cost, own: ownOn(key) };
  if (level.what === "quota")
    return { ...base, kind: "period", unit: level.unit, weekStart: level.weekStart };
  return level.algorithm === "bucket"
    ? { ...base, kind: "bucket", fillMs: MINUTE_MS }
    : { ...base, kind: "window", windowMs: MINUTE_MS };
}

/** One counter per key and kind, whatever limits it is held against. Buckets of different sizes refill differently. */
function keyOf(level: Level, counterKey: string): string {
  if (level.what === "quota") return `tq ${level.unit} ${level.weekStart} ${counterKey}`;
  return level.algorithm === "bucket" ? `tb ${level.limit} ${counterKey}` : `tr ${counterKey}`;
}

function needOf(expected: Expected, limit: number): number {
  const { mode, prompt, estimates, bound, usual } = expected;
  if (mode === "prompt") return prompt;
  if (mode === "full") {
    // A guess alone refuses nobody for good: what is guessed beyond the limit is cut off.
    return bound !== null ? prompt + bound : Math.max(prompt, Math.min(prompt + usual, limit));
  }
  if (isStrict(expected, limit)) return prompt + bound!;
  return estimates ? prompt : 0;
}

function costOf(expected: Expected, limit: number, need: number): number {
  const { mode, prompt, bound, usual, most } = expected;
  if (mode === "none") return 0;
  if (mode !== "auto" || isStrict(expected, limit)) return need;
  // Bounds are often stated far above what is used: one that is never nearly reached is none.
  return prompt + (bound === null ? usual : Math.min(bound, most));
}

function isStrict({ mode, prompt, estimates, bound }: Expected, limit: number): boolean {
  return mode === "auto" && estimates && bound !== null && prompt + bound <= limit;
}
