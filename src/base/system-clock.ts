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

/** What this thread has worked so far, ms; runtimes that do not know count what passes. */
export function threadTimeMs(): number {
  if (process.threadCpuUsage === undefined) return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
