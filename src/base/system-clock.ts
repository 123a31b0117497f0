import type { Clock } from "./clock.ts";

/** The machine's clocks, given by `main.ts`, which alone may ask for them. */
export function systemClock(now: () => number, monotonic: () => number): Clock {
  return {
    now,
    monotonic,
    after(ms, callback) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  };
}
