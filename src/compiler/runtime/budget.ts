/**
 * Fuel, time, depth and memory of one evaluation (`expressions.md` §6). Evaluation is synchronous and never nests,
 * so the budget is module state: one decrement per loop turn or call.
 */
import { BudgetError } from "./errors.ts";

export interface Limits {
  readonly steps: number;
  readonly timeMs: number;
  readonly depth: number;
  /** UTF-16 units. */
  readonly stringLength: number;
  readonly collectionSize: number;
  /** Octets of one byte array. */
  readonly byteArraySize: number;
}

export const DEFAULT_LIMITS: Limits = {
  steps: 1_000_000,
  timeMs: 50,
  depth: 128,
  stringLength: 16 * 1024 * 1024,
  collectionSize: 1_000_000,
  byteArraySize: 16 * 1024 * 1024,
};

/** Steps between two looks at the clock, at most; fewer where steps turn out to be slow ones. */
const CLOCK_EVERY = 1024;
/** Steps before the first look, so that a short expression never pays for one. */
const FIRST_LOOK = 128;
/** An interval that took longer than this was too long. */
const LONG_INTERVAL_MS = 1;

let standard: Limits = DEFAULT_LIMITS;
let limits: Limits = DEFAULT_LIMITS;
let clock: () => number = () => 0;
let work: () => number = clock;
let left = 0;
let untilClock = 0;
let interval = FIRST_LOOK;
let lastLook = 0;
let deadline = 0;
/** Of the work clock, when the evaluation first looked. */
let workAtStart = 0;
let depth = 0;

/**
 * Sets the limits for evaluations to come.
 *
 * @param now   the monotonic clock, ms
 * @param spent a clock that runs while this thread does, ms: where the processor is shared or throttled, a thread may stand
 *   still for longer than an expression has, and that is not the expression's fault
 */
export function configureBudget(
  now: () => number,
  changed: Limits = DEFAULT_LIMITS,
  spent: () => number = now,
): void {
  clock = now;
  work = spent;
  standard = limits = changed;
}

/** The budget's monotonic clock, ms: for what has a time limit of its own (a pattern's timeout). */
export function monotonicMs(): number {
  return clock();
}

/** The clock that runs while this thread does, ms: for work that is done in slices. */
export function workMs(): number {
  return work();
}

/**
 * Starts an evaluation: a full budget. The clock is first read when the first 128 steps are used up.
 *
 * @param own other limits than the expressions', for a policy that reads a whole body with the runtime's parsers
 */
export function beginEvaluation(own: Limits = standard): void {
  limits = own;
  left = limits.steps;
  interval = untilClock = FIRST_LOOK;
  deadline = 0;
  depth = 0;
}

/** Pays for `count` loop turns, calls or elements. */
export function spend(count = 1): void {
  left -= count;
  untilClock -= count;
  if (untilClock <= 0) lookAtClock();
}

/**
 * Brings the next look at the clock nearer by as much as `count` steps would, without counting them: for one step
 * that takes as long as many, such as a search in a long text.
 */
export function hasten(count: number): void {
  untilClock -= count;
  if (untilClock <= 0) lookAtClock();
}

function lookAtClock(): void {
  if (left < 0) throw new BudgetError("steps", `The expression took more than ${limits.steps} steps.`);
  const now = clock();
  if (deadline === 0) {
    deadline = now + limits.timeMs;
    workAtStart = work();
    lastLook = 0;
  }
  if (now > deadline) {
    const rest = limits.timeMs - (work() - workAtStart);
    if (!(rest > 0)) throw new BudgetError("time", `The expression took longer than ${limits.timeMs} ms.`);
    deadline = now + rest;
  }
  // Steps are seldom alike: a turn that formats numbers or reads a body takes as long as a thousand others.
  if (lastLook !== 0 && now - lastLook > LONG_INTERVAL_MS) interval = Math.max(8, interval >> 2);
  else interval = Math.min(CLOCK_EVERY, interval << 1);
  lastLook = now;
  untilClock = Math.min(interval, left + 1);
}

/** Enters a local function or lambda; pair with `leave` in `finally`. */
export function enter(): void {
  if (++depth > limits.depth) throw new BudgetError("depth", `Calls are nested deeper than ${limits.depth}.`);
  spend();
}

export function leave(): void {
  depth--;
}

/** Checks a text's length before it is built. Long texts also cost steps. */
export function checkLength(length: number): void {
  if (length > limits.stringLength) {
    throw new BudgetError("memory", `A text would be longer than ${limits.stringLength} characters.`);
  }
  if (length > 4096) spend(length >>> 12);
}

/** Checks a text that grows piece by piece, `added` just now; pays for the piece only. */
export function checkGrowth(length: number, added: number): void {
  if (length > limits.stringLength) checkLength(length);
  if (added > 4096) spend(added >>> 12);
}

/** Pays for a loop of our own over the units of a text or the octets of an array. */
export function spendUnits(count: number): void {
  if (count > 64) spend(count >>> 6);
}

/** How many elements a collection may hold. */
export function sizeLimit(): number {
  return limits.collectionSize;
}

/** Checks a collection's size before it grows. */
export function checkSize(size: number): void {
  if (size > limits.collectionSize) {
    throw new BudgetError("memory", `A collection would hold more than ${limits.collectionSize} elements.`);
  }
}

export function checkBytes(size: number): void {
  if (size > limits.byteArraySize) {
    throw new BudgetError("memory", `A byte array would be larger than ${limits.byteArraySize} octets.`);
  }
  if (size > 4096) spend(size >>> 12);
}
