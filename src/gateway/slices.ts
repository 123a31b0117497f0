/**
 * Work on a whole body that takes longer than anybody else should wait: done in slices of a few milliseconds, between which
 * the event loop turns. What is done within the first slice costs no promise.
 */
import { beginEvaluation, monotonicMs, workMs } from "../compiler/runtime/budget.ts";
import { BudgetError } from "../compiler/runtime/errors.ts";
import { BODY_LIMITS } from "./body-limits.ts";

const SLICE_MS = 5;

/**
 * Runs `steps` to their end, with the runtime's budget for bodies in all.
 *
 * @param steps each a millisecond or two long; the budget is theirs anew in each slice, as others evaluate in between
 * @throws what a step throws, or BudgetError; rejects with it once it has begun to wait
 */
export function runInSlices<T>(steps: Generator<void, T>): T | Promise<T> {
  const slice = nextSlice(steps, 0);
  return slice.result.done === true ? slice.result.value : goOn(steps, slice.tookMs);
}

async function goOn<T>(steps: Generator<void, T>, tookMs: number): Promise<T> {
  let spentMs = tookMs;
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    const slice = nextSlice(steps, spentMs);
    if (slice.result.done === true) return slice.result.value;
    spentMs += slice.tookMs;
  }
}

function nextSlice<T>(
  steps: Generator<void, T>,
  spentMs: number,
): { readonly result: IteratorResult<void, T>; readonly tookMs: number } {
  if (spentMs > BODY_LIMITS.timeMs) {
    steps.return(undefined as T);
    throw new BudgetError("time", `The expression took longer than ${BODY_LIMITS.timeMs} ms.`);
  }
  beginEvaluation(BODY_LIMITS);
  const start = monotonicMs();
  const workAtStart = workMs();
  for (;;) {
    const result = steps.next();
    if (result.done === true || monotonicMs() - start >= SLICE_MS)
      return { result, tookMs: workMs() - workAtStart };
  }
}
