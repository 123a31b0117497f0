import { Abort } from "../../base/abort.ts";
import type { Step } from "../../compiler/policy.ts";
import { branchOf } from "../../gateway/branch.ts";
import { ClientGone, GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { Message } from "../../gateway/message.ts";
import { runSteps } from "../../gateway/pipeline.ts";
import { definePolicy, type Outcome } from "../../gateway/policy.ts";

const CHILDREN = ["send-request", "cache-lookup-value", "choose"];

/**
 * Runs its policies at the same time. `all`: goes on when every one is done; the first error ends the others and
 * fails. `any`: goes on when the first has succeeded, and fails only when all have failed. Whatever is still running
 * then is stopped. A response from inside a `choose` ends the request, as everywhere.
 */
export const wait = definePolicy({
  element: "wait",
  summary: "Runs the policies inside at the same time and waits for all of them, or for the first.",
  sections: ["inbound", "backend", "outbound"],
  shape: {
    attributes: {
      for: {
        type: "string",
        expression: true,
        oneOf: ["all", "any"],
        default: "all",
        doc: "all of them, or any one.",
      },
    },
    policies: "section",
  },
  check: ({ steps }, report) => {
    for (const { site } of steps) {
      if (CHILDREN.includes(site.element)) continue;
      report(
        `<${site.element}> cannot stand in <wait>: only ${CHILDREN.join(", ")} can`,
        { child: site.element },
        "put it into a <choose>",
      );
    }
  },
  prepare: ({ attributes, steps }) => {
    const lines = steps.map((step) => [step]);
    return (exchange, message) => {
      const mode = attributes.for(exchange.context).trim().toLowerCase();
      if (mode !== "all" && mode !== "any") throw invalid(mode);
      return together(lines, mode === "any", exchange, message);
    };
  },
});

function together(
  lines: readonly (readonly Step[])[],
  any: boolean,
  exchange: Exchange,
  message: Message | null,
): Outcome | Promise<Outcome> {
  const stop = new Abort();
  const branch = branchOf(exchange, stop);
  const running: Promise<Outcome>[] = [];
  let failure: unknown;
  const abandon = (): void => {
    stop.abort("other");
    for (const line of running) line.catch(() => {});
  };
  for (const line of lines) {
    let outcome: Outcome | Promise<Outcome>;
    try {
      outcome = runSteps(line, branch, message);
    } catch (error) {
      failure ??= error;
      if (any && !(error instanceof ClientGone)) continue;
      abandon();
      throw error;
    }
    if (outcome instanceof Promise) running.push(outcome);
    else if (any || outcome !== undefined) {
      abandon();
      return outcome;
    }
  }
  if (running.length > 0) return settle(running, any, exchange, stop, failure);
  if (failure !== undefined) throw failure;
}

/** @param failure what went wrong before anything had to wait */
function settle(
  running: readonly Promise<Outcome>[],
  any: boolean,
  exchange: Exchange,
  stop: Abort,
  failure: unknown,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const forget = exchange.abort.onAbort((reason) => stop.abort(reason));
    let left = running.length;
    const end = (how: () => void): void => {
      left = 0;
      forget();
      stop.abort("other");
      how();
    };
    for (const line of running) {
      line.then(
        (outcome) => {
          if (left === 0) return;
          left--;
          if (any || outcome !== undefined || left === 0) end(() => resolve(outcome));
        },
        (error: unknown) => {
          if (left === 0) return;
          left--;
          failure ??= error;
          if (!any || error instanceof ClientGone) end(() => reject(error as Error));
          else if (left === 0) end(() => reject(failure as Error));
        },
      );
    }
  });
}

function invalid(mode: string): GatewayError {
  return new GatewayError({
    source: "wait",
    reason: "InvalidMode",
    message: `It waits for all or any, not "${mode}".`,
    status: 500,
  });
}
