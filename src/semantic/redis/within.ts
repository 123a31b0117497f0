import type { Clock } from "../../base/clock.ts";

/** What `promise` brings, or `otherwise` when it takes longer; it goes on in any case, and its late failure is nobody's. */
export function within<T, U>(clock: Clock, ms: number, promise: Promise<T>, otherwise: U): Promise<T | U> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => resolve(otherwise));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
