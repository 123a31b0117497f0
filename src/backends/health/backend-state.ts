/**
 * What a backend has been through lately. It belongs to the backend's id, URL and breaker rule, not to a snapshot: it
 * survives every change of the configuration that leaves those alone.
 */
import type { BackendEntity } from "../../gateway/snapshot.ts";
import type { Allowance } from "./allowance.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { Latencies } from "./latencies.ts";
import { Load } from "./load.ts";

/** Outcomes that are kept for whoever looks. */
const LAST_OUTCOMES = 10;

export class BackendState {
  readonly id: string;
  readonly breaker: CircuitBreaker | null;
  readonly load = new Load();
  readonly latencies = new Latencies();
  /** Of providers that say how many tokens they still grant; null while no pool asks. */
  allowance: Allowance | null = null;
  /** Attempts that were answered or failed. */
  attempts = 0;
  failures = 0;
  /** Statuses and error codes, the latest last. */
  readonly lastOutcomes: (number | string)[] = [];

  /** @param fullReset the breaker has no half-open state */
  constructor(entity: BackendEntity, fullReset: boolean) {
    this.id = entity.id;
    this.breaker = entity.breaker === null ? null : new CircuitBreaker(entity.breaker, fullReset);
  }

  note(outcome: number | string, failed: boolean): void {
    this.attempts++;
    if (failed) this.failures++;
    if (this.lastOutcomes.push(outcome) > LAST_OUTCOMES) this.lastOutcomes.shift();
  }
}
