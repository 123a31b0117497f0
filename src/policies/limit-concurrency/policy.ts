import { GatewayError } from "../../gateway/errors.ts";
import { runSteps } from "../../gateway/pipeline.ts";
import { ALL_SECTIONS, definePolicy, type Outcome } from "../../gateway/policy.ts";
import type { Services } from "../../gateway/services.ts";

/** How many are inside, by key: of each gateway process, across policies and snapshots. */
const inside = new WeakMap<Services, Map<string, number>>();

/**
 * Lets at most `max-count` exchanges at a time into its policies, per key; the next is refused with 429, at once.
 * Policies that share a key share the count; each compares it with its own maximum.
 *
 * A slot is held while the policies inside run, and given back in every ending: success, error, hang-up. A
 * forward-request inside has run when the answer's head is here, so a body that streams on holds no slot
 * (`policies.md` 25).
 */
export const limitConcurrency = definePolicy({
  element: "limit-concurrency",
  summary: "Lets only so many requests at a time run the policies inside; one more is refused with 429.",
  sections: ALL_SECTIONS,
  shape: {
    attributes: {
      key: { type: "string", expression: true, required: true, doc: "What is counted separately." },
      "max-count": { type: "int", required: true, min: 1, doc: "Requests inside at the same time." },
    },
    policies: "section",
  },
  prepare: ({ attributes, steps }) => {
    const { key: keyOf, "max-count": most } = attributes;
    return (exchange, message) => {
      const leave = enter(exchange.services, keyOf(exchange.context), most);
      let outcome: Outcome | Promise<Outcome>;
      try {
        outcome = runSteps(steps, exchange, message);
      } catch (error) {
        leave();
        throw error;
      }
      if (outcome instanceof Promise) return outcome.finally(leave);
      leave();
      return outcome;
    };
  },
});

/** @returns gives the slot back */
function enter(services: Services, key: string, most: number): () => void {
  let counts = inside.get(services);
  if (counts === undefined) inside.set(services, (counts = new Map()));
  const all = counts;
  const before = all.get(key) ?? 0;
  if (before >= most) {
    throw new GatewayError({
      source: "limit-concurrency",
      reason: "ConcurrencyLimitExceeded",
      message: "Too many requests.",
      status: 429,
      code: "concurrency_limit_exceeded",
    });
  }
  all.set(key, before + 1);
  return () => {
    const left = all.get(key)! - 1;
    if (left === 0) all.delete(key);
    else all.set(key, left);
  };
}
