/** The trace of one request, for whoever holds the right to it. Exchanges without one pay a null check per step. */
import type { Step } from "../compiler/policy.ts";
import type { Exchange } from "./exchange.ts";

export interface Trace {
  /** A remark of a policy or expression. */
  message(source: string, text: string): void;
  /** A step begins. @returns a token for `end` */
  begin(step: Step, exchange: Exchange): unknown;
  /** The step ended, or failed with `error`. */
  end(token: unknown, exchange: Exchange, error: unknown): void;
}
