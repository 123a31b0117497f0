/** How long work on the configuration may hold up traffic at a stretch. */
const SLICE_MS = 8;

/**
 * Makes a function to call inside long loops: it answers a promise, once the slice is used up, that
 * lets everything else run first. Mostly it answers nothing and costs a look at the clock.
 */
export function breather(): () => Promise<void> | undefined {
  let until = performance.now() + SLICE_MS;
  return () => {
    if (performance.now() < until) return undefined;
    return new Promise((resume) =>
      setImmediate(() => {
        until = performance.now() + SLICE_MS;
        resume();
      }),
    );
  };
}
