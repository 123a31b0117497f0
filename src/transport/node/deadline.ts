/**
 * A timer that is moved far more often than it fires. Moving it later, or off, only stores a number; the one
 * `setTimeout` behind it looks at that number when it fires and sleeps on. So a keep-alive connection pays nothing
 * per request for its timers, and they are exact to a millisecond or two (undici's are to half a second).
 */
export class Deadline {
  #at = Infinity;
  #armedFor = Infinity;
  #timer: NodeJS.Timeout | null = null;
  readonly #expired: () => void;

  constructor(expired: () => void) {
    this.#expired = expired;
  }

  /** Fires `ms` from now, in place of whatever was set; 0 = never. */
  set(ms: number): void {
    if (ms <= 0) {
      this.#at = Infinity;
      return;
    }
    this.#at = performance.now() + ms;
    if (this.#at < this.#armedFor) this.#arm(ms);
  }

  clear(): void {
    this.#at = Infinity;
  }

  /** The end of its life: nothing stays behind in the event loop. */
  stop(): void {
    this.#at = Infinity;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#armedFor = Infinity;
  }

  #arm(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    // setTimeout takes 31 bits; a longer wait is re-armed when it fires.
    this.#timer = setTimeout(fire, Math.min(Math.ceil(ms), 0x7fffffff), this);
    this.#timer.unref();
    this.#armedFor = this.#at;
  }

  /** For the timer only. */
  fired(): void {
    this.#timer = null;
    this.#armedFor = Infinity;
    if (this.#at === Infinity) return;
    const left = this.#at - performance.now();
    if (left > 1) {
      this.#arm(left);
      return;
    }
    this.#at = Infinity;
    this.#expired();
  }
}

function fire(deadline: Deadline): void {
  deadline.fired();
}
