/**
 * Long computations in slices: between two of them the event loop goes round, and however many computations wait, only
 * one has its slice per turn. So the loop is held for one slice at a time, not for one per waiting request.
 */

/** Does a slice of its work; true once there is no more. A throw ends it. */
export type Sliced = () => boolean;

interface Waiting {
  readonly step: Sliced;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

const waiting: Waiting[] = [];
let first = 0;

/** Runs `step` once per turn of the event loop, in turn with the others, until it is true. */
export function inSlices(step: Sliced): Promise<void> {
  return new Promise((done, failed) => {
    waiting.push({ step, done, failed });
    if (waiting.length - first === 1) setImmediate(turn);
  });
}

function turn(): void {
  const task = waiting[first++]!;
  if (first === waiting.length || first > 1000) {
    waiting.splice(0, first);
    first = 0;
  }
  try {
    if (task.step()) task.done();
    else waiting.push(task);
  } catch (error) {
    task.failed(error);
  }
  if (waiting.length > first) setImmediate(turn);
}
