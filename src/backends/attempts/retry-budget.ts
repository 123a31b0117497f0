/**
 * How much trying again the whole gateway allows itself: in any ten seconds, one retry for five requests and a hundred
 * besides (20 % + 10/s, as linkerd has it). A retry that fails makes a storm worse exactly when its backends are least
 * able to bear one; a fixed number of tries per request multiplies traffic, a share of the traffic cannot
 * (`reliability.md` R-10). Time is an argument: ms of a clock that never steps back.
 */
const SECONDS = 10;
const SHARE = 0.2;
const PER_SECOND = 10;

export class RetryBudget {
  /** A ring of seconds. */
  readonly #requests = new Float64Array(SECONDS);
  readonly #retries = new Float64Array(SECONDS);
  #requestSum = 0;
  #retrySum = 0;
  /** Number of the youngest second. */
  #latest = 0;
  #refused = 0;

  /** How many retries it did not allow. */
  get refused(): number {
    return this.#refused;
  }

  /** A request was sent for the first time. */
  deposit(now: number): void {
    this.#requests[this.#advance(now)]!++;
    this.#requestSum++;
  }

  /** Takes a retry from the budget, if there is one left. */
  withdraw(now: number): boolean {
    const slot = this.#advance(now);
    if (this.#retrySum + 1 > this.#requestSum * SHARE + PER_SECOND * SECONDS) {
      this.#refused++;
      return false;
    }
    this.#retries[slot]!++;
    this.#retrySum++;
    return true;
  }

  /** Forgets the seconds that have become too old. @returns the index of the present one */
  #advance(now: number): number {
    const latest = Math.floor(now / 1000);
    const steps = Math.min(SECONDS, latest - this.#latest);
    for (let i = 1; i <= steps; i++) {
      const slot = (this.#latest + i) % SECONDS;
      this.#requestSum -= this.#requests[slot]!;
      this.#retrySum -= this.#retries[slot]!;
      this.#requests[slot] = 0;
      this.#retries[slot] = 0;
    }
    this.#latest = Math.max(this.#latest, latest);
    return this.#latest % SECONDS;
  }
}
