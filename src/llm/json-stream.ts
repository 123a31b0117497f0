/**
 * Reads JSON as it passes, in bounded memory: one document, several one after another (NDJSON), or a top-level array whose
 * elements are handed out one by one. What nobody needs is read over without being built: values under the keys the
 * caller names, what lies beyond the bounds, everything after the first mistake.
 *
 * A recursive parser cannot stop in the middle of a chunk, so the stack is explicit: containers that are open, and the
 * key under which each will be put when it closes. Strings are cut out raw and decoded at once; the loops that matter
 * (inside strings, inside what is read over) look at one octet at a time and do nothing else.
 */
import { decodeString, isTokenOctet, tokenValue } from "./json-scalars.ts";
import { JsonSkipper } from "./json-skipper.ts";

const MOST_DEPTH = 128;
/** Values in one document that are built; further ones inside arrays are read over (`reliability.md` A3: 50k keys). */
const MOST_VALUES = 50_000;
const MOST_KEY_BYTES = 1024;
const MOST_BRIEF_BYTES = 1024;
const MOST_TOKEN_BYTES = 64;

export interface JsonStreamOptions {
  /** Keys whose values are read over and become null: `embedding`, or `audio.data` for `data` inside `audio`. */
  readonly drop: ReadonlySet<string>;
  /** Keys of which a string is cut after its first 1,024 octets: pictures in one place, words in another. */
  readonly brief?: ReadonlySet<string>;
  /** Octets of strings that are kept per document; what is beyond is cut off. */
  readonly keepBytes: number;
  /** Keys whose values count only when whole: half a `usage` or half a `model` would be wrong. */
  readonly whole: ReadonlySet<string>;
}

/** What the parser waits for. */
const VALUE = 0;
const FIRST_ELEMENT = 1;
const FIRST_KEY = 2;
const KEY = 3;
const COLON = 4;
const COMMA = 5;
const IN_STRING = 6;
const IN_TOKEN = 7;
const SKIPPING = 8;
const BROKEN = 9;

type JsonObject = Record<string, unknown>;
type Container = JsonObject | unknown[];

export class JsonStream {
  readonly #take: (value: unknown, whole: boolean) => void;
  readonly #drop: ReadonlySet<string>;
  readonly #dropInside = new Set<string>();
  readonly #options: JsonStreamOptions;
  #state = VALUE;
  /** Open containers, outermost first; the marker STREAMED for a top-level array. */
  readonly #stack: Container[] = [];
  /** The key of each open container in its parent; null inside arrays. */
  readonly #keys: (string | null)[] = [];
  #key: string | null = null;
  #arrays = 0;
  #values = 0;
  #room: number;
  /** Raw octets of an unfinished string or token. */
  #raw: Buffer = EMPTY;
  #rawLength = 0;
  #rawCut = false;
  #stringIsKey = false;
  #stringEscaped = false;
  #escape = false;
  readonly #skipper = new JsonSkipper();
  /** What is read over ends with the container on top of the stack. */
  #closesSkipping = false;
  #ended = false;

  /** @param take whole documents or elements; at the end perhaps one that is not whole */
  constructor(take: (value: unknown, whole: boolean) => void, options: JsonStreamOptions) {
    this.#take = take;
    this.#options = options;
    this.#drop = options.drop;
    for (const name of options.drop) {
      const dot = name.indexOf(".");
      if (dot > 0) this.#dropInside.add(name.slice(dot + 1));
    }
    this.#room = options.keepBytes;
  }

  /** @param chunk borrowed: nothing of it is kept */
  write(chunk: Uint8Array): void {
    const octets = Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < octets.length) {
      switch (this.#state) {
        case IN_STRING:
          at = this.#inString(octets, at);
          break;
        case IN_TOKEN:
          at = this.#inToken(octets, at);
          break;
        case SKIPPING:
          at = this.#skip(octets, at);
          break;
        case BROKEN:
          return;
        default: {
          const octet = octets[at++]!;
          if (octet !== 0x20 && octet !== 0x0a && octet !== 0x0d && octet !== 0x09) {
            if (!this.#between(octet)) at = this.#startToken(octets, at - 1);
          }
        }
      }
    }
  }

  /** No more will come: a document that is not whole is handed out as far as it was read. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#state === IN_TOKEN && this.#stack.length === 0) this.#finishToken();
    this.#breakOff();
  }

  /** @returns false when a number or literal starts here */
  #between(octet: number): boolean {
    switch (this.#state) {
      case COLON:
        if (octet !== 0x3a) return this.#breakOff();
        this.#state = VALUE;
        return this.#isTooMany() || this.#isDropped() ? this.#startSkipping() : true;
      case COMMA:
        return this.#afterValue(octet);
      case FIRST_KEY:
        if (octet === 0x7d) return this.#close();
        return octet === 0x22 ? this.#startString(true) : this.#breakOff();
      case KEY:
        return octet === 0x22 ? this.#startString(true) : this.#breakOff();
      case FIRST_ELEMENT:
        if (octet === 0x5d) return this.#close();
        break;
    }
    if (octet === 0x22) return this.#startString(false);
    if (octet === 0x7b) return this.#open(Object.create(null) as JsonObject, FIRST_KEY);
    if (octet === 0x5b) return this.#open(this.#stack.length === 0 ? STREAMED : [], FIRST_ELEMENT);
    if (octet === 0x2d || (octet >= 0x30 && octet <= 0x39)) return false;
    if (octet === 0x74 || octet === 0x66 || octet === 0x6e) return false;
    return this.#breakOff();
  }

  #afterValue(octet: number): boolean {
    const container = this.#stack.at(-1);
    if (Array.isArray(container)) {
      if (octet === 0x5d) return this.#close();
      if (octet !== 0x2c) return this.#breakOff();
      this.#state = VALUE;
      if (container !== STREAMED && this.#values > MOST_VALUES) {
        this.#startSkippingRest();
      }
      return true;
    }
    if (octet === 0x7d) return this.#close();
    if (octet !== 0x2c) return this.#breakOff();
    this.#state = KEY;
    return true;
  }

  #open(container: Container, next: number): true {
    if (this.#stack.length >= MOST_DEPTH) return this.#breakOff();
    if (this.#isTooMany()) {
      this.#stack.push(SKIPPED);
      this.#keys.push(this.#key);
      return this.#startSkippingRest();
    }
    this.#values++;
    this.#stack.push(container);
    this.#keys.push(this.#key);
    if (Array.isArray(container) && container !== STREAMED) this.#arrays++;
    this.#key = null;
    this.#state = next;
    return true;
  }

  #close(): true {
    const container = this.#stack.pop()!;
    this.#key = this.#keys.pop()!;
    if (container === STREAMED) {
      this.#reset();
      this.#state = VALUE;
      return true;
    }
    if (container === SKIPPED) {
      this.#afterAttach();
      return true;
    }
    if (Array.isArray(container)) this.#arrays--;
    this.#attach(container);
    return true;
  }

  #attach(value: unknown): void {
    const parent = this.#stack.at(-1);
    if (parent === undefined || parent === STREAMED) {
      this.#reset();
      this.#afterAttach();
      this.#take(value, true);
      return;
    }
    put(parent, this.#key, value);
    this.#afterAttach();
  }

  #afterAttach(): void {
    this.#key = null;
    this.#state = this.#stack.length === 0 ? VALUE : COMMA;
  }

  #reset(): void {
    this.#values = 0;
    this.#arrays = 0;
    this.#room = this.#options.keepBytes;
  }

  /** Members of objects that lie in no array (where usage stands) have room of their own. */
  #isTooMany(): boolean {
    return this.#values >= (this.#arrays > 0 ? MOST_VALUES : 2 * MOST_VALUES);
  }

  /** That there was something is kept: its key stays, with null. */
  #isDropped(): boolean {
    const key = this.#key!;
    if (!this.#drop.has(key)) {
      if (!this.#dropInside.has(key)) return false;
      const parent = this.#keys.at(-1);
      if (typeof parent !== "string" || !this.#drop.has(`${parent}.${key}`)) return false;
    }
    put(this.#stack.at(-1)!, key, null);
    this.#values++;
    return true;
  }

  // Strings.

  #startString(isKey: boolean): true {
    this.#state = IN_STRING;
    this.#stringIsKey = isKey;
    this.#stringEscaped = false;
    this.#escape = false;
    this.#rawLength = 0;
    this.#rawCut = false;
    return true;
  }

  #inString(octets: Buffer, from: number): number {
    const length = octets.length;
    let at = from;
    if (this.#escape) {
      this.#escape = false;
      at++;
    }
    while (at < length) {
      const octet = octets[at]!;
      if (octet === 0x22) break;
      if (octet === 0x5c) {
        this.#stringEscaped = true;
        if (at + 1 === length) {
          this.#escape = true;
          at++;
          break;
        }
        at++;
      }
      at++;
    }
    if (at >= length) {
      this.#keepRaw(octets, from, length);
      return length;
    }
    if (this.#rawLength === 0 && !this.#rawCut && at - from <= this.#mostRaw()) {
      this.#finishString(octets, from, at);
    } else {
      this.#keepRaw(octets, from, at);
      this.#finishString(this.#raw, 0, this.#rawLength);
    }
    if (this.#raw.length > 4096) this.#raw = EMPTY;
    return at + 1;
  }

  #mostRaw(): number {
    if (this.#stringIsKey) return MOST_KEY_BYTES;
    const isBrief = this.#key !== null && this.#options.brief?.has(this.#key) === true;
    return isBrief ? Math.min(MOST_BRIEF_BYTES, this.#room) : this.#room;
  }

  #keepRaw(octets: Buffer, from: number, to: number): void {
    const most = this.#mostRaw();
    if (this.#rawLength + to - from > most) {
      to = from + Math.max(0, most - this.#rawLength);
      this.#rawCut = true;
    }
    const length = this.#rawLength + to - from;
    if (this.#raw.length < length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#raw.length * 2, 256));
      this.#raw.copy(grown, 0, 0, this.#rawLength);
      this.#raw = grown;
    }
    octets.copy(this.#raw, this.#rawLength, from, to);
    this.#rawLength = length;
  }

  #finishString(octets: Buffer, from: number, to: number): void {
    const cut = this.#rawCut;
    this.#rawLength = 0;
    this.#rawCut = false;
    if (this.#stringIsKey) {
      this.#state = COLON;
      this.#key = cut ? "" : decodeString(octets, from, to, this.#stringEscaped, false);
      if (this.#key === null) this.#breakOff();
      return;
    }
    const text = decodeString(octets, from, to, this.#stringEscaped, cut);
    if (text === null) {
      this.#breakOff();
      return;
    }
    this.#room -= to - from;
    this.#values++;
    this.#attach(text);
  }

  // Numbers and literals.

  /** @returns the position behind what was read */
  #startToken(octets: Buffer, from: number): number {
    this.#state = IN_TOKEN;
    this.#rawLength = 0;
    return this.#inToken(octets, from);
  }

  #inToken(octets: Buffer, from: number): number {
    let at = from;
    while (at < octets.length && isTokenOctet(octets[at]!)) at++;
    if (this.#rawLength + at - from > MOST_TOKEN_BYTES) {
      this.#breakOff();
      return at;
    }
    if (at < octets.length && this.#rawLength === 0) {
      this.#takeToken(octets.toString("latin1", from, at));
      return at;
    }
    if (this.#raw.length < MOST_TOKEN_BYTES) this.#raw = Buffer.allocUnsafe(256);
    octets.copy(this.#raw, this.#rawLength, from, at);
    this.#rawLength += at - from;
    if (at < octets.length) this.#finishToken();
    return at;
  }

  #finishToken(): void {
    const token = this.#raw.toString("latin1", 0, this.#rawLength);
    this.#rawLength = 0;
    this.#takeToken(token);
  }

  #takeToken(token: string): void {
    const value = tokenValue(token);
    if (value === undefined) {
      this.#breakOff();
      return;
    }
    this.#values++;
    this.#attach(value);
  }

  // What is read over.

  /** Reads over the value that follows. */
  #startSkipping(): true {
    this.#state = SKIPPING;
    this.#skipper.beginValue();
    this.#closesSkipping = false;
    return true;
  }

  /** Reads over the rest of the container on top of the stack. */
  #startSkippingRest(): true {
    this.#state = SKIPPING;
    this.#skipper.beginRest();
    this.#closesSkipping = true;
    return true;
  }

  #skip(octets: Buffer, from: number): number {
    const at = this.#skipper.read(octets, from);
    if (!this.#skipper.done) return at;
    if (this.#closesSkipping) this.#close();
    else this.#afterAttach();
    return at;
  }

  /** A mistake, or the end: what is open is closed and handed out, and nothing more is read. */
  #breakOff(): true {
    if (this.#state === BROKEN) return true;
    const { whole } = this.#options;
    const inText = this.#state === IN_STRING && !this.#stringIsKey && !whole.has(this.#key ?? "");
    this.#state = BROKEN;
    let value: unknown;
    let has = false;
    let key = this.#key;
    if (inText) {
      const text = decodeString(this.#raw, 0, this.#rawLength, this.#stringEscaped, true);
      if (text !== null && text !== "") {
        value = text;
        has = true;
      }
    }
    while (this.#stack.length > 0) {
      const container = this.#stack.pop()!;
      if (container === STREAMED) break;
      if (has && container !== SKIPPED) put(container, key, value);
      key = this.#keys.pop()!;
      value = container;
      has = container !== SKIPPED && !whole.has(key ?? "");
    }
    this.#stack.length = 0;
    this.#keys.length = 0;
    this.#raw = EMPTY;
    this.#rawLength = 0;
    if (has) this.#take(value, false);
    return true;
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
const STREAMED: unknown[] = [];
const SKIPPED: unknown[] = [];

function put(container: Container, key: string | null, value: unknown): void {
  if (Array.isArray(container)) container.push(value);
  else container[key!] = value;
}
