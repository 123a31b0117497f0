/**
 * The one parser of server-sent events (WHATWG HTML §9.2.6): lines end in LF, CR or CRLF; a BOM at the start is no
 * content; `:` begins a comment; `data` lines of one event are joined with LF; a blank line ends the event.
 *
 * Octets are pushed as they pass. Whole lines are read where they lie; only the unfinished rest of a chunk is copied.
 * Two things differ from a browser, because what a reader misses here is money: an event that lacks its final blank
 * line when the stream ends is handed out all the same, and `id` and `retry` are read over.
 */
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/** An event that is larger is read over and counted (`reliability.md` A3). */
export const MOST_EVENT_BYTES = 1024 * 1024;
/** Lines of `data` above this go to the reader of large ones, if there is one. */
export const LARGE_LINE_BYTES = 256 * 1024;

/** @param event the last `event` field; null without one  @param data at least one `data` line was there */
export type TakeEvent = (event: string | null, data: string) => void;

/** Reads what is too large to be held: the octets of one long `data` line, as they come. */
export interface LargeData {
  write(octets: Uint8Array): void;
  end(event: string | null): void;
}

export class SseReader {
  readonly #take: TakeEvent;
  readonly #large: LargeData | null;
  /** A line above this is not held. */
  readonly #longLine: number;
  /** Octets of a line whose end has not come. */
  #held: Buffer = EMPTY;
  #heldLength = 0;
  /** What becomes of the rest of a long line; null: the line is not long. */
  #rest: "large" | "nowhere" | null = null;
  #data: string | null = null;
  #event: string | null = null;
  /** Octets of the event so far, line ends and long lines left out. */
  #eventBytes = 0;
  #oversized = false;
  /** `large` has read something of this event. */
  #largeBegun = false;
  #afterCr = false;
  #atStart = true;
  #skipped = 0;

  constructor(take: TakeEvent, large: LargeData | null = null) {
    this.#take = take;
    this.#large = large;
    this.#longLine = large === null ? MOST_EVENT_BYTES : LARGE_LINE_BYTES;
  }

  /** Events that were too large to be read. */
  get skipped(): number {
    return this.#skipped;
  }

  /** @param chunk borrowed: nothing of it is kept */
  write(chunk: Uint8Array): void {
    const octets = asBuffer(chunk);
    const length = octets.length;
    if (length === 0) return;
    let at = 0;
    if (this.#afterCr) {
      this.#afterCr = false;
      if (octets[0] === LF) at = 1;
    }
    // Each is searched for once and then only behind where it was found: a chunk is scanned twice, whatever is in it.
    let lf = octets.indexOf(LF, at);
    let cr = octets.indexOf(CR, at);
    while (at < length) {
      if (lf >= 0 && lf < at) lf = octets.indexOf(LF, at);
      if (cr >= 0 && cr < at) cr = octets.indexOf(CR, at);
      const end = cr >= 0 && (lf < 0 || cr < lf) ? cr : lf;
      if (end < 0) {
        this.#hold(octets, at, length);
        return;
      }
      if (this.#heldLength === 0 && this.#rest === null) this.#line(octets, at, end);
      else this.#lineAcross(octets, at, end);
      at = end + 1;
      if (end === cr) {
        if (at === length) this.#afterCr = true;
        else if (octets[at] === LF) at++;
      }
    }
  }

  /** The stream is over: what is unfinished is read as if it were whole. */
  end(): void {
    if (this.#heldLength > 0 || this.#rest !== null) this.#lineAcross(EMPTY, 0, 0);
    this.#dispatch();
    this.#held = EMPTY;
  }

  #hold(octets: Buffer, from: number, to: number): void {
    if (this.#rest !== null) {
      if (this.#rest === "large") this.#large!.write(octets.subarray(from, to));
      return;
    }
    if (this.#heldLength + to - from > this.#longLine) {
      const most = from + this.#longLine - this.#heldLength;
      this.#append(octets, from, most);
      const held = this.#held.subarray(0, this.#heldLength);
      this.#held = EMPTY;
      this.#heldLength = 0;
      this.#startLong(held, 0, held.length);
      this.#hold(octets, most, to);
      return;
    }
    this.#append(octets, from, to);
  }

  #append(octets: Buffer, from: number, to: number): void {
    const length = this.#heldLength + to - from;
    if (this.#held.length < length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#held.length * 2, 256));
      this.#held.copy(grown, 0, 0, this.#heldLength);
      this.#held = grown;
    }
    octets.copy(this.#held, this.#heldLength, from, to);
    this.#heldLength = length;
  }

  /** The end of a line that began in an earlier chunk. */
  #lineAcross(octets: Buffer, from: number, to: number): void {
    if (to > from) this.#hold(octets, from, to);
    if (this.#rest !== null) {
      this.#rest = null;
      return;
    }
    const length = this.#heldLength;
    this.#heldLength = 0;
    this.#line(this.#held, 0, length);
    if (this.#held.length > 4096) this.#held = EMPTY;
  }

  /** One line without its end. */
  #line(octets: Buffer, from: number, to: number): void {
    if (to - from > this.#longLine) {
      this.#startLong(octets, from, to);
      this.#rest = null;
      return;
    }
    from = this.#afterMark(octets, from, to);
    if (from === to) {
      this.#dispatch();
      return;
    }
    this.#eventBytes += to - from;
    if (this.#eventBytes > MOST_EVENT_BYTES) this.#oversized = true;
    if (this.#oversized) return;
    if (isField(octets, from, to, DATA)) {
      const piece = octets.toString("utf8", valueStart(octets, from + 4, to), to);
      this.#data = this.#data === null ? piece : `${this.#data}\n${piece}`;
    } else if (isField(octets, from, to, EVENT)) {
      this.#event = octets.toString("utf8", valueStart(octets, from + 5, to), to);
    }
  }

  /** A line of which more than can be held has come: data is for `large`; anything else is of no use to anybody. */
  #startLong(octets: Buffer, from: number, to: number): void {
    from = this.#afterMark(octets, from, to);
    this.#rest = "nowhere";
    if (!isField(octets, from, to, DATA)) return;
    if (this.#large === null || this.#largeBegun || this.#data !== null) {
      this.#oversized = true;
      return;
    }
    this.#rest = "large";
    this.#largeBegun = true;
    this.#large.write(octets.subarray(valueStart(octets, from + 4, to), to));
  }

  /** The position behind a byte order mark, if the stream begins here. */
  #afterMark(octets: Buffer, from: number, to: number): number {
    if (!this.#atStart) return from;
    this.#atStart = false;
    const marked =
      to - from >= 3 && octets[from] === 0xef && octets[from + 1] === 0xbb && octets[from + 2] === 0xbf;
    return marked ? from + 3 : from;
  }

  #dispatch(): void {
    const data = this.#data;
    const event = this.#event;
    const large = this.#largeBegun;
    const oversized = this.#oversized;
    this.#data = null;
    this.#event = null;
    this.#eventBytes = 0;
    this.#largeBegun = false;
    this.#oversized = false;
    if (large) this.#large!.end(event === "" ? null : event);
    else if (oversized) this.#skipped++;
    else if (data !== null) this.#take(event === "" ? null : event, data);
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
const DATA = Buffer.from("data");
const EVENT = Buffer.from("event");

/** `name`, `name:` or `name: …` between the two positions. */
function isField(octets: Buffer, from: number, to: number, name: Buffer): boolean {
  const length = name.length;
  if (to - from < length) return false;
  for (let i = 0; i < length; i++) if (octets[from + i] !== name[i]) return false;
  return to - from === length || octets[from + length] === COLON;
}

/** Where the value of a field begins: behind the colon and one space. */
function valueStart(octets: Buffer, afterName: number, to: number): number {
  if (afterName >= to) return to;
  return octets[afterName + 1] === SPACE && afterName + 1 < to ? afterName + 2 : afterName + 1;
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
