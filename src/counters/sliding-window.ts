/**
 * What was counted within the last `windowMs`, as a log of (time, cost).
 *
 * The log is exact for its first 128 entries. Beyond them the window is cut into 128 slices, and what falls into the
 * slice of the newest entry is merged into it under the later time. So an entry leaves up to 1/128 of the window too
 * late, never too early: no window ever holds more than was allowed, and a busy key costs at most 4 KiB.
 */
const EXACT_ENTRIES = 128;
const SLICES = 128;

export class SlidingWindow {
  readonly windowMs: number;
  /** Sum of the log. */
  used = 0;
  /** Flat: time, cost, time, cost, … in order of time; those before `#head` have left. */
  readonly #log: number[] = [];
  #head = 0;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  /** Forgets what has left the window at `now`. @returns whether nothing is left */
  expire(now: number): boolean {
    const log = this.#log;
    const gone = now - this.windowMs;
    let head = this.#head;
    while (head < log.length && log[head]! <= gone) {
      this.used -= log[head + 1]!;
      head += 2;
    }
    this.#head = head;
    if (head === log.length) {
      log.length = 0;
      this.#head = 0;
      return true;
    }
    // Moving costs as much as what is moved: wait until half of the array is waste.
    if (head >= 64 && head * 2 >= log.length) {
      log.copyWithin(0, head);
      log.length -= head;
      this.#head = 0;
    }
    return false;
  }

  /** Counts `cost` at `now`; the caller has called `expire`. */
  push(now: number, cost: number): void {
    if (cost <= 0) return;
    const log = this.#log;
    const last = log.length - 2;
    const at = last >= this.#head && log[last]! > now ? log[last]! : now;
    this.used += cost;
    if (last >= this.#head && (log[last] === at || this.#isCrowded(log[last]!, at))) {
      log[last] = at;
      log[last + 1]! += cost;
    } else log.push(at, cost);
  }

  #isCrowded(last: number, now: number): boolean {
    if (this.#log.length - this.#head < EXACT_ENTRIES * 2) return false;
    const sliceMs = this.windowMs / SLICES;
    return Math.floor(last / sliceMs) === Math.floor(now / sliceMs);
  }

  /** Ms until `excess` of what is counted has left; all of it at most. */
  msUntilFree(excess: number, now: number): number {
    const log = this.#log;
    let free = 0;
    for (let i = this.#head; i < log.length; i += 2) {
      free += log[i + 1]!;
      if (free >= excess) return log[i]! + this.windowMs - now;
    }
    return log.length > this.#head ? log[log.length - 2]! + this.windowMs - now : this.windowMs;
  }
}
