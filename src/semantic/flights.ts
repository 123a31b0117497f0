/**
 * Single flight: of requests with the same key the first one flies, the others wait for what it brings. One that brings
 * nothing (it failed, its client hung up) lets the next of them fly.
 */
import type { Abort } from "../base/abort.ts";

export class Flight {
  readonly #waiting = new Set<(payload: Uint8Array | null) => void>();
  readonly #landed: (flight: Flight) => void;
  #over = false;

  constructor(landed: (flight: Flight) => void) {
    this.#landed = landed;
  }

  /** Who waits, for whoever looks. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** What the first one brought; null when it brought nothing, or `abort` came first. */
  wait(abort: Abort): Promise<Uint8Array | null> {
    return new Promise((resolve) => {
      const take = (payload: Uint8Array | null): void => {
        forget();
        this.#waiting.delete(take);
        resolve(payload);
      };
      const forget = abort.onAbort(() => take(null));
      this.#waiting.add(take);
    });
  }

  /** The first call counts. @param payload null: nothing that could be given to others */
  land(payload: Uint8Array | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#landed(this);
    for (const take of this.#waiting) take(payload);
  }
}

export class Flights {
  readonly #flights = new Map<string, Flight>();

  /** The flight under way for `key`; null when there is none. */
  join(key: string): Flight | null {
    return this.#flights.get(key) ?? null;
  }

  /** @returns null when somebody else has begun meanwhile */
  begin(key: string): Flight | null {
    if (this.#flights.has(key)) return null;
    const flight = new Flight(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  get size(): number {
    return this.#flights.size;
  }
}
