/**
 * How many tokens a provider still grants, as its answers say: `x-ratelimit-remaining-tokens` with its reset (OpenAI, Azure
 * and those who follow them), or the least of `anthropic-ratelimit-*tokens-remaining`. What is not known, or is older
 * than its reset, counts as a full allowance. Requests under way have not been charged yet when an answer reports, so each
 * of them is taken to cost what the last ones did. Time is an argument: ms of a clock that never steps back.
 */
import type { HeaderList } from "../../base/headers.ts";

/** Providers count in minutes; what says no reset is believed as long. */
const WINDOW_MS = 60_000;
/** A reset that is further away is not believed to the end: allowances grow back all the time. */
const LONGEST_MS = 24 * 3_600_000;
const ANTHROPIC = ["tokens", "input-tokens", "output-tokens"] as const;

export class Allowance {
  #remaining = Infinity;
  #limit = Infinity;
  #until = -Infinity;
  /** Tokens that one request cost lately. */
  #cost = 0;

  /**
   * @param nowMs since the epoch, for resets that are dates
   */
  read(headers: HeaderList, now: number, nowMs: number): void {
    const found = openAi(headers, nowMs) ?? anthropic(headers, nowMs);
    if (found === null) return;
    const spent = now < this.#until ? this.#remaining - found.remaining : NaN;
    if (spent > 0) this.#cost = this.#cost === 0 ? spent : this.#cost + (spent - this.#cost) / 4;
    this.#remaining = found.remaining;
    this.#limit = found.limit;
    this.#until = now + Math.max(0, Math.min(found.resetMs, LONGEST_MS));
  }

  /** Tokens that one more request would find. @param inFlight requests that are not reported yet */
  left(now: number, inFlight: number): number {
    const remaining = now < this.#until ? this.#remaining : this.#limit;
    return remaining - inFlight * this.#cost;
  }

  /** As reported; null while nothing is known. */
  remaining(now: number): number | null {
    const remaining = now < this.#until ? this.#remaining : this.#limit;
    return Number.isFinite(remaining) ? remaining : null;
  }
}

interface Reported {
  readonly remaining: number;
  /** Infinity when it is not said. */
  readonly limit: number;
  readonly resetMs: number;
}

function openAi(headers: HeaderList, nowMs: number): Reported | null {
  const remaining = count(headers.get("x-ratelimit-remaining-tokens"));
  if (remaining === null) return null;
  return {
    remaining,
    limit: count(headers.get("x-ratelimit-limit-tokens")) ?? Infinity,
    resetMs: resetMs(headers.get("x-ratelimit-reset-tokens"), nowMs),
  };
}

/** There are several allowances; the one that is nearest to its end decides. */
function anthropic(headers: HeaderList, nowMs: number): Reported | null {
  let least: Reported | null = null;
  for (const kind of ANTHROPIC) {
    const remaining = count(headers.get(`anthropic-ratelimit-${kind}-remaining`));
    if (remaining === null || (least !== null && least.remaining <= remaining)) continue;
    const limit = count(headers.get(`anthropic-ratelimit-${kind}-limit`)) ?? Infinity;
    least = { remaining, limit, resetMs: resetMs(headers.get(`anthropic-ratelimit-${kind}-reset`), nowMs) };
  }
  return least;
}

function count(text: string | null): number | null {
  return text !== null && /^\s*-?\d{1,15}\s*$/.test(text) ? Math.max(0, Number(text)) : null;
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const LONGEST_TEXT = 64;

/** `6m0s`, `1.5s`, `20ms` (OpenAI), seconds (Azure), or a date (Anthropic). */
export function resetMs(text: string | null, nowMs: number): number {
  const trimmed = text === null || text.length > LONGEST_TEXT ? "" : text.trim();
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1000;
  if (/^(?:\d+(?:\.\d+)?(?:ms|h|m|s))+$/.test(trimmed)) {
    let sum = 0;
    for (const [, number, unit] of trimmed.matchAll(/([\d.]+)(ms|h|m|s)/g))
      sum += Number(number) * UNIT_MS[unit!]!;
    return sum;
  }
  const date = /^\d{4}-\d{2}-\d{2}T/.test(trimmed) ? Date.parse(trimmed) : NaN;
  return Number.isNaN(date) ? WINDOW_MS : date - nowMs;
}
