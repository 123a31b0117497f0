/** The last times to the head of an answer, for percentiles. Recording one is a write into a ring. */
const KEPT = 256;

export class Latencies {
  #ring: Float32Array | null = null;
  #next = 0;
  #count = 0;

  add(ms: number): void {
    this.#ring ??= new Float32Array(KEPT);
    this.#ring[this.#next] = ms;
    this.#next = (this.#next + 1) % KEPT;
    if (this.#count < KEPT) this.#count++;
  }

  /** Of the last ones, by nearest rank. @param percent 0-100 @returns null when there are none */
  percentile(percent: number): number | null {
    if (this.#ring === null) return null;
    const sorted = this.#ring.slice(0, this.#count).sort();
    return sorted[Math.max(0, Math.ceil((percent / 100) * this.#count) - 1)]!;
  }
}
