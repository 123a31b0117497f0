/** The trace of one request, for whoever holds the right to it. Exchanges without one pay a null check per step. */
import type { Step } from "../compiler/policy.ts";
import type { Exchange } from "./exchange.ts";

/** What is known of a step besides its place: plain values that JSON can hold. */
export type TraceFacts = Readonly<Record<string, unknown>>;

export interface Trace {
  /**
   * A remark of a policy or expression; part of the step of that name when one is under way.
   *
   * @param more what else is to be told with it, where it is no such part
   */
  message(source: string, text: string, more?: TraceFacts): void;
  /** What the step of the policy `source` decided or did: a branch, a backend. Later facts of the same name win. */
  detail(source: string, facts: TraceFacts): void;
  /** The exchange failed: `lastError` says with what. */
  failed(exchange: Exchange): void;
  /** A step begins. @returns a token for `end` */
  begin(step: Step, exchange: Exchange): unknown;
  /** The step ended, or failed with `error`. */
  end(token: unknown, exchange: Exchange, error: unknown): void;
}
