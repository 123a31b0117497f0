/**
 * Records on their way to a sink that may be slow or down (`reliability.md` A2). Adding one is an append: it never waits,
 * never throws and never grows past its bounds; when there is no room the oldest record that is not being sent is given
 * up and counted. One batch is under way at a time; what failed is tried again, later and later.
 *
 *     added = sent + dropped + waiting      always, exactly
 */
import type { Clock } from "../base/clock.ts";

/** What came of sending a batch. `refused` will never be taken, so it is not tried again. */
export type Sent =
  | { readonly kind: "done" }
  | {
      readonly kind: "retry" | "refused";
      readonly why: string;
      /** The sink does not want to be asked earlier. */
      readonly afterMs?: number;
    }
  /** Some were taken; the others by their index in the batch, ascending. */
  | {
      readonly kind: "partial";
      readonly why: string;
      readonly again: readonly number[];
      readonly refused: number;
      readonly afterMs?: number;
    };

export interface DeliveryOptions<T> {
  /** Who it goes to, for the log. */
  readonly name: string;
  /** Sends a batch. A rejection counts as `retry`. */
  readonly send: (batch: readonly T[]) => Promise<Sent>;
  /** How many of the first `waiting` records go together; at least 1. Default 1. */
  readonly batch?: (waiting: readonly T[]) => number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly report: Report;
  readonly mostRecords?: number;
  readonly mostBytes?: number;
}

/** Writes a line to the gateway's own log. */
export type Report = (record: Readonly<Record<string, unknown>>) => void;

const MOST_RECORDS = 10_000;
const MOST_BYTES = 64 * 1024 * 1024;
/** Records that a batch is chosen from. */
const WINDOW = 256;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** However long a sink asks to be left alone. */
const LONGEST_WISH_MS = 600_000;
/** Losses are told at most this often. */
const REPORT_EVERY_MS = 60_000;

export class Delivery<T> {
  readonly #options: DeliveryOptions<T>;
  readonly #mostRecords: number;
  readonly #mostBytes: number;
  #records: T[] = [];
  #sizes: number[] = [];
  /** Index of the oldest record; what is before it is gone. */
  #head = 0;
  #bytes = 0;
  /** Of the oldest, how many are under way. */
  #underWay = 0;
  #failures = 0;
  #unsaid = 0;
  #lastSaidMs = -Infinity;
  #cancelPause: (() => void) | null = null;
  #idle: (() => void)[] = [];
  #closed = false;
  #added = 0;
  #sent = 0;
  #dropped = 0;

  constructor(options: DeliveryOptions<T>) {
    this.#options = options;
    this.#mostRecords = options.mostRecords ?? MOST_RECORDS;
    this.#mostBytes = options.mostBytes ?? MOST_BYTES;
  }

  get added(): number {
    return this.#added;
  }
  get sent(): number {
    return this.#sent;
  }
  /** Given up: no room, refused, or closed before they went. */
  get dropped(): number {
    return this.#dropped;
  }
  get waiting(): number {
    return this.#records.length - this.#head;
  }
  /** The last batch could not be sent. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** @param sizeBytes about what it takes */
  add(record: T, sizeBytes: number): void {
    this.#added++;
    if (this.#closed || sizeBytes > this.#mostBytes || !this.#makeRoom(sizeBytes)) {
      this.#drop(1);
      return;
    }
    this.#records.push(record);
    this.#sizes.push(sizeBytes);
    this.#bytes += sizeBytes;
    if (this.#underWay === 0 && this.#cancelPause === null) void this.#sendOn();
  }

  /** Resolves when nothing is waiting, or the delivery was closed. A pause after a failure is cut short once. */
  flush(): Promise<void> {
    if (this.waiting === 0 || this.#closed) return Promise.resolve();
    const done = new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#endPause();
    return done;
  }

  /** Gives up what is still waiting. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelPause?.();
    this.#cancelPause = null;
    const left = this.waiting - this.#underWay;
    if (left > 0) this.#remove(this.#head + this.#underWay, left);
    this.#drop(left);
    this.#tellIdle();
  }

  #makeRoom(sizeBytes: number): boolean {
    while (this.waiting >= this.#mostRecords || this.#bytes + sizeBytes > this.#mostBytes) {
      const oldest = this.#head + this.#underWay;
      if (oldest >= this.#records.length) return false;
      this.#remove(oldest, 1);
      this.#drop(1);
    }
    return true;
  }

  /** Takes `count` records out from index `at`, which is where those under way end. */
  #remove(at: number, count: number): void {
    for (let i = at; i < at + count; i++) this.#bytes -= this.#sizes[i]!;
    // Those under way move up by as many places; there are few.
    for (let i = at - 1; i >= this.#head; i--) {
      this.#records[i + count] = this.#records[i]!;
      this.#sizes[i + count] = this.#sizes[i]!;
    }
    for (let i = this.#head; i < this.#head + count; i++) (this.#records as unknown[])[i] = undefined;
    this.#head += count;
    if (this.#head > 1_000 && this.#head * 2 > this.#records.length) {
      this.#records = this.#records.slice(this.#head);
      this.#sizes = this.#sizes.slice(this.#head);
      this.#head = 0;
    }
  }

  async #sendOn(): Promise<void> {
    while (this.waiting > 0 && !this.#closed) {
      const window = this.#records.slice(this.#head, this.#head + WINDOW);
      const count = Math.max(1, Math.min(window.length, this.#options.batch?.(window) ?? 1));
      this.#underWay = count;
      const outcome = await this.#try(window.slice(0, count));
      this.#underWay = 0;
      if (outcome.kind === "retry") {
        this.#failed(outcome.why, outcome.afterMs);
        return;
      }
      if (outcome.kind === "partial") {
        if (this.#settlePart(count, outcome)) continue;
        return;
      }
      this.#remove(this.#head, count);
      if (outcome.kind === "done") this.#succeeded(count);
      else this.#drop(count, outcome.why);
    }
    if (this.waiting === 0) this.#tellIdle();
  }

  /** @returns false when some have to be tried again, later */
  #settlePart(count: number, { again, refused, why, afterMs }: Extract<Sent, { kind: "partial" }>): boolean {
    const end = this.#head + count;
    // What goes again moves to the end of the batch; what stood there is over.
    for (let i = again.length - 1, to = end - 1; i >= 0; i--, to--) {
      const from = this.#head + again[i]!;
      const [record, size] = [this.#records[to]!, this.#sizes[to]!];
      this.#records[to] = this.#records[from]!;
      this.#sizes[to] = this.#sizes[from]!;
      this.#records[from] = record;
      this.#sizes[from] = size;
    }
    this.#remove(this.#head, count - again.length);
    this.#sent += count - again.length - refused;
    this.#drop(refused, why);
    if (again.length === 0) return true;
    this.#failed(why, afterMs);
    return false;
  }

  async #try(batch: readonly T[]): Promise<Sent> {
    try {
      return await this.#options.send(batch);
    } catch (error) {
      return { kind: "retry", why: error instanceof Error ? error.message : String(error) };
    }
  }

  #succeeded(count: number): void {
    this.#sent += count;
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#options.report({
      level: "info",
      msg: "sink works again",
      sink: this.#options.name,
      waiting: this.waiting,
    });
  }

  #failed(why: string, afterMs = 0): void {
    this.#failures++;
    if (this.#closed) {
      const left = this.waiting;
      this.#remove(this.#head, left);
      this.#drop(left);
      return;
    }
    if (this.#failures === 1) {
      this.#options.report({
        level: "warn",
        msg: "sink cannot be reached",
        sink: this.#options.name,
        error: why,
        waiting: this.waiting,
      });
    }
    const { clock, random } = this.#options;
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures - 1, 10));
    const pause = Math.max(longest * (0.5 + random() / 2), Math.min(afterMs, LONGEST_WISH_MS));
    this.#cancelPause = clock.after(pause, () => this.#resume());
  }

  #resume(): void {
    this.#cancelPause = null;
    void this.#sendOn();
  }

  #endPause(): void {
    if (this.#cancelPause === null) return;
    this.#cancelPause();
    this.#resume();
  }

  #drop(count: number, why = "there was no room"): void {
    if (count === 0) return;
    this.#dropped += count;
    this.#unsaid += count;
    const now = this.#options.clock.monotonic();
    if (now - this.#lastSaidMs < REPORT_EVERY_MS) return;
    this.#lastSaidMs = now;
    this.#options.report({
      level: "warn",
      msg: "records dropped",
      sink: this.#options.name,
      count: this.#unsaid,
      total: this.#dropped,
      error: why,
    });
    this.#unsaid = 0;
  }

  #tellIdle(): void {
    for (const done of this.#idle.splice(0)) done();
  }
}
