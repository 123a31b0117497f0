import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryWindows } from "./memory-windows.ts";
import { SlidingWindow } from "./sliding-window.ts";

/** The definition, as slow as it is plain. */
class Plain {
  readonly taken: { at: number; cost: number }[] = [];
  used(now: number, windowMs: number): number {
    return this.taken.filter(({ at }) => at > now - windowMs).reduce((sum, { cost }) => sum + cost, 0);
  }
}

const steps = fc.array(
  fc.record({ wait: fc.integer({ min: 0, max: 400 }), cost: fc.integer({ min: 0, max: 4 }) }),
  { maxLength: 120 },
);

test("says what the definition says, and waits as long as it says", () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 20 }), (given, limit) => {
      const windows = new MemoryWindows();
      const plain = new Plain();
      let now = 0;
      for (const { wait, cost } of given) {
        now += wait;
        const claim = { key: "k", limit, cost, windowMs: 1000 };
        const answer = windows.take([claim], now);
        const used = plain.used(now, 1000);
        const fits = used + Math.max(cost, 1) <= limit;
        expect(answer.state).toBe(fits ? "taken" : "refused");
        if (fits && cost > 0) plain.taken.push({ at: now, cost });
        if (answer.state === "taken") expect(answer.remaining).toBe(limit - used - cost);
        if (answer.state !== "refused" || Math.max(cost, 1) > limit) continue;
        // Not a millisecond too long, not one too short.
        const later = now + answer.retryAfterMs!;
        expect(plain.used(later, 1000) + Math.max(cost, 1)).toBeLessThanOrEqual(limit);
        expect(plain.used(later - 1, 1000) + Math.max(cost, 1)).toBeGreaterThan(limit);
      }
    }),
    { numRuns: 300 },
  );
});

test("a crowded window counts at least what is in it, and at most 1/128 of it too long", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 300, maxLength: 1500 }), (waits) => {
      const window = new SlidingWindow(1280);
      const plain = new Plain();
      let now = 0;
      for (const wait of waits) {
        now += wait;
        window.expire(now);
        window.push(now, 1);
        plain.taken.push({ at: now, cost: 1 });
        expect(window.used).toBeGreaterThanOrEqual(plain.used(now, 1280));
        expect(window.used).toBeLessThanOrEqual(plain.used(now, 1280 + 10));
      }
      expect(window.expire(now + 1280)).toBe(true);
      expect(window.used).toBe(0);
    }),
    { numRuns: 30 },
  );
});
