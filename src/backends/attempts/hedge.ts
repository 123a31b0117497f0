/**
 * `pool.hedge`, ours: when a member has not sent the first byte of an answer after `afterMs`, a second one is asked. The
 * first good answer is the answer; the other attempt is called off, its place given back. A hedge is a retry to the budget
 * of the whole gateway, so that slow backends are not asked twice as often by everybody just then. There are never more
 * than two, never for a request whose body cannot be sent again, and nothing begins after the first byte.
 *
 * An answer that refuses (429, 5xx, …) does not win while the other one is still awaited. `exchange.attempts` ends with the
 * attempt that stands.
 */
import type { Exchange } from "../../gateway/exchange.ts";
import type { ResponseMessage } from "../../gateway/message.ts";
import type { HedgeRule } from "../../gateway/snapshot.ts";
import type { Backends } from "../backends.ts";
import { Leg } from "./leg.ts";

type Send = (leg: Leg) => Promise<ResponseMessage>;

/** @param send one attempt, which picks a member by itself and resolves when the first byte of its answer is there */
export function sendHedged(
  exchange: Exchange,
  rule: HedgeRule,
  backends: Backends,
  send: Send,
): Promise<ResponseMessage> {
  return new Promise((resolve, reject) =>
    new Race(exchange, rule, backends, send, (leg, { response, failure }) => {
      stands(exchange, leg);
      if (response === null) reject(failure as Error);
      else resolve(response);
    }).begin(),
  );
}

interface Outcome {
  readonly response: ResponseMessage | null;
  readonly failure: unknown;
}

class Race {
  readonly #exchange: Exchange;
  readonly #rule: HedgeRule;
  readonly #backends: Backends;
  readonly #send: Send;
  readonly #finish: (leg: Leg, outcome: Outcome) => void;
  /** Under way. */
  readonly #running = new Set<Leg>();
  /** Came first, but is no good. */
  #held: { readonly leg: Leg; readonly outcome: Outcome } | null = null;
  #stopTimer: (() => void) | null = null;
  #over = false;

  constructor(
    exchange: Exchange,
    rule: HedgeRule,
    backends: Backends,
    send: Send,
    finish: (leg: Leg, outcome: Outcome) => void,
  ) {
    this.#exchange = exchange;
    this.#rule = rule;
    this.#backends = backends;
    this.#send = send;
    this.#finish = finish;
  }

  begin(): void {
    const { clock } = this.#exchange.services;
    this.#run(() => (this.#stopTimer = clock.after(this.#rule.afterMs, () => this.#hedge())));
  }

  #run(onSent: (() => void) | null): void {
    const leg = new Leg(this.#exchange.abort, onSent);
    this.#running.add(leg);
    this.#send(leg).then(
      (response) => this.#done(leg, { response, failure: null }),
      (failure: unknown) => this.#done(leg, { response: null, failure }),
    );
  }

  #hedge(): void {
    const { abort, request, attempts } = this.#exchange;
    if (this.#over || abort.aborted) return;
    if (!this.#backends.hasOther(request.target!.entity!, attempts) || !this.#backends.mayRetry()) return;
    this.#exchange.remark(
      "forward-request",
      `no byte after ${this.#rule.afterMs} ms: another member is asked`,
    );
    this.#run(null);
  }

  #done(leg: Leg, outcome: Outcome): void {
    this.#running.delete(leg);
    if (this.#over) {
      outcome.response?.body?.discard();
      return;
    }
    if (this.#running.size > 0 && !isGood(outcome)) {
      this.#held = { leg, outcome };
      return;
    }
    this.#over = true;
    this.#stopTimer?.();
    for (const other of this.#running) other.lose();
    const held = this.#held;
    if (held !== null && outcome.response === null && held.outcome.response !== null) {
      this.#finish(held.leg, held.outcome);
      return;
    }
    held?.outcome.response?.body?.discard();
    this.#finish(leg, outcome);
  }
}

function isGood({ response }: Outcome): boolean {
  if (response === null) return false;
  const { statusCode } = response;
  return statusCode < 500 && statusCode !== 429 && statusCode !== 408 && statusCode !== 425;
}

/** Whoever looks at the last attempt sees the one that counts. */
function stands({ attempts }: Exchange, { attempt }: Leg): void {
  const at = attempt === null ? -1 : attempts.indexOf(attempt);
  if (at >= 0) attempts.push(...attempts.splice(at, 1));
}
