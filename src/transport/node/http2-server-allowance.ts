/**
 * How much of something a connection may do: `burst` at once, and `perSecond` for as long as it likes. HTTP/2 has
 * frames that cost their sender next to nothing and us some work (RST_STREAM, PING, SETTINGS); no single one is wrong,
 * only their number is.
 */
export class Allowance {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #at = 0;

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
  }

  /**
   * @param now milliseconds on a clock that only goes forward
   * @returns   false: that was one too many
   */
  take(now: number): boolean {
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
