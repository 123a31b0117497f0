import type { Step, Value } from "../../compiler/policy.ts";
import { ClientGone, GatewayError } from "../../gateway/errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { Message } from "../../gateway/message.ts";
import {
  builtInResponse,
  ensureBodies,
  lastErrorOf,
  runSteps,
  toGatewayError,
} from "../../gateway/pipeline.ts";
import { ALL_SECTIONS, definePolicy, type Outcome } from "../../gateway/policy.ts";
import { waitBeforeRetry } from "./schedule.ts";

const MOST_RETRIES = 50;
const LONGEST_PAUSE_MS = 0x7fffffff;

interface Retry {
  readonly condition: Value<boolean>;
  readonly count: Value<number>;
  readonly interval: Value<number>;
  readonly maxInterval: Value<number> | undefined;
  readonly delta: Value<number> | undefined;
  readonly firstFast: Value<boolean>;
  readonly steps: readonly Step[];
}

/** Runs its policies once, then again while the condition holds, at most `count` more times. */
export const retry = definePolicy({
  element: "retry",
  summary: "Runs the policies inside once, then again while the condition is true, at most count more times.",
  sections: ALL_SECTIONS,
  buffersItself: true,
  shape: {
    attributes: {
      condition: { type: "bool", expression: true, required: true, doc: "true = try again." },
      count: { type: "int", expression: true, required: true, min: 1, max: 50, doc: "Number of retries." },
      interval: { type: "number", expression: true, required: true, min: 0, doc: "Seconds between tries." },
      "max-interval": {
        type: "number",
        expression: true,
        min: 0,
        doc: "Seconds; upper end of an exponential wait.",
      },
      delta: { type: "number", expression: true, min: 0, doc: "Seconds added to each wait." },
      "first-fast-retry": {
        type: "bool",
        expression: true,
        default: false,
        doc: "The first retry waits for nothing.",
      },
    },
    policies: "section",
  },
  prepare: ({ attributes, steps }) => {
    const settings: Retry = {
      condition: attributes.condition,
      count: attributes.count,
      interval: attributes.interval,
      maxInterval: attributes["max-interval"],
      delta: attributes.delta,
      firstFast: attributes["first-fast-retry"],
      steps,
    };
    return (exchange, message) => run(settings, exchange, message);
  },
});

/** Each attempt is asynchronous by nature (it sends something), so this is one plain async story. */
async function run(settings: Retry, exchange: Exchange, message: Message | null): Promise<Outcome> {
  for (let attempt = 0; ; attempt++) {
    let held: GatewayError | null = null;
    const sent = exchange.attempts.length;
    try {
      const outcome = await runSteps(settings.steps, exchange, message);
      if (outcome !== undefined) return outcome;
    } catch (error) {
      if (error instanceof ClientGone) throw error;
      held = toGatewayError(error, "retry");
    }
    if (exchange.abort.aborted) throw new ClientGone();
    const count = Math.max(1, Math.min(MOST_RETRIES, Math.trunc(settings.count(exchange.context))));
    const more = await wantsMore(settings, exchange, held);
    if (!more || attempt >= count || !withinBudget(exchange, sent)) {
      if (exchange.traced !== null)
        exchange.traced.detail("retry", { decision: decisionOf(more, attempt + 1, held) });
      if (held !== null) throw held;
      return;
    }
    const waitingMs = waitMs(settings, exchange, attempt + 1);
    if (exchange.deadlineMs !== null && exchange.elapsedMs() + waitingMs > exchange.deadlineMs - 1) {
      exchange.remark("retry", "No further attempt: the deadline of forward-request would be over.");
      if (held !== null) throw held;
      return;
    }
    if (exchange.traced !== null)
      exchange.remark("retry", `retry ${attempt + 1} of ${count} after ${Math.round(waitingMs)} ms`);
    await pause(exchange, waitingMs);
  }
}

/** For the trace: why it is over. */
function decisionOf(more: boolean, tries: number, held: GatewayError | null): string {
  const end = more ? "the condition still holds, no retries are left" : "the condition does not hold";
  return `${tries} ${tries === 1 ? "try" : "tries"}: ${end}${held === null ? "" : `; fails with ${held.reason}`}`;
}

/**
 * Whether the gateway as a whole may send once more; if not, retries have run out. What counts is only a request to a
 * backend that failed: asking again until something is ready is no storm.
 *
 * @param sent attempts of the exchange before this turn
 */
function withinBudget(exchange: Exchange, sent: number): boolean {
  const last = exchange.attempts.length > sent ? exchange.attempts.at(-1)! : null;
  if (last === null || (last.status !== null && !isRefusal(last.status))) return true;
  if (exchange.services.mayRetry()) return true;
  exchange.remark("retry", "No further attempt: too much of the gateway's traffic are retries already.");
  return false;
}

function isRefusal(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

/** Asks the condition with the held error in sight. One that fails while an error is held counts as "no". */
async function wantsMore(settings: Retry, exchange: Exchange, held: GatewayError | null): Promise<boolean> {
  const before = exchange.lastError;
  const { response } = exchange;
  if (held !== null) {
    exchange.lastError = lastErrorOf(held, exchange);
    if (held.showsResponse) exchange.response = builtInResponse(held, exchange.requestId);
  }
  try {
    const waiting = ensureBodies(exchange, settings.condition.needs);
    if (waiting !== undefined) await waiting;
    return settings.condition(exchange.context);
  } catch (error) {
    if (held === null) throw error;
    return false;
  } finally {
    exchange.lastError = before;
    if (held?.showsResponse === true) exchange.response = response;
  }
}

function waitMs(settings: Retry, exchange: Exchange, turn: number): number {
  const { context } = exchange;
  return waitBeforeRetry(turn, {
    intervalMs: settings.interval(context) * 1000,
    deltaMs: settings.delta === undefined ? null : settings.delta(context) * 1000,
    maxIntervalMs: settings.maxInterval === undefined ? null : settings.maxInterval(context) * 1000,
    firstFast: settings.firstFast(context),
    random: exchange.services.random,
  });
}

/** Waits without holding anything; a client that hangs up ends it at once. */
function pause(exchange: Exchange, ms: number): Promise<void> {
  // Timers take no more than this, and fire at once for anything else.
  const wait = ms > 0 ? Math.min(ms, LONGEST_PAUSE_MS) : 0;
  return new Promise((resolve, reject) => {
    let forget = (): void => {};
    const cancel = exchange.services.clock.after(wait, () => {
      forget();
      resolve();
    });
    forget = exchange.abort.onAbort(() => {
      cancel();
      reject(new ClientGone());
    });
  });
}
