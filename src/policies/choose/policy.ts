import { ensureBodies, runSteps } from "../../gateway/pipeline.ts";
import { ALL_SECTIONS, definePolicy, type Outcome } from "../../gateway/policy.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { Message } from "../../gateway/message.ts";
import type { Step, Value } from "../../compiler/policy.ts";

interface Branch {
  readonly condition: Value<boolean>;
  readonly steps: readonly Step[];
}

/** Runs the policies of the first `when` whose condition holds, else those of `otherwise`. */
export const choose = definePolicy({
  element: "choose",
  summary: "Runs the policies of the first <when> whose condition is true, otherwise those of <otherwise>.",
  sections: ALL_SECTIONS,
  // A later condition may never be asked, so bodies are fetched condition by condition.
  buffersItself: true,
  shape: {
    children: {
      when: {
        min: 1,
        attributes: { condition: { type: "bool", expression: true, required: true, doc: "true or false." } },
        policies: "section",
      },
      otherwise: { max: 1, policies: "section" },
    },
  },
  prepare: ({ children }) => {
    const branches: Branch[] = children.when.map((when) => ({
      condition: when.attributes.condition,
      steps: when.steps,
    }));
    const otherwise = children.otherwise[0]?.steps ?? [];
    return (exchange, message) => decide(branches, otherwise, exchange, message, 0);
  },
});

function decide(
  branches: readonly Branch[],
  otherwise: readonly Step[],
  exchange: Exchange,
  message: Message | null,
  from: number,
): Outcome | Promise<Outcome> {
  for (let i = from; i < branches.length; i++) {
    const { condition, steps } = branches[i]!;
    if (condition.needs !== 0) {
      const waiting = ensureBodies(exchange, condition.needs);
      if (waiting !== undefined) return waiting.then(() => decide(branches, otherwise, exchange, message, i));
    }
    if (condition(exchange.context)) {
      if (exchange.traced !== null)
        exchange.traced.detail("choose", { decision: `when[${i + 1}] of ${branches.length}` });
      return runSteps(steps, exchange, message);
    }
  }
  if (exchange.traced !== null)
    exchange.traced.detail("choose", { decision: otherwise.length > 0 ? "otherwise" : "no condition held" });
  return runSteps(otherwise, exchange, message);
}
