/**
 * Decodes `Transfer-Encoding: chunked` (RFC 9112 §7.1), one state per place in the grammar, so it may be fed at any
 * split. Sizes are plain hexadecimal digits directly followed by CRLF or an extension; extensions are checked
 * and dropped (§7.1.1), whitespace around them is refused.
 */
import { BAD, BlockScanner, isTokenChar, isTrailerName, MORE, readFields } from "./fields.ts";

/** Takes what the decoder finds. */
export interface ChunkTarget {
  push(chunk: Uint8Array): void;
}

const SIZE_START = 0;
const SIZE = 1;
const SIZE_LF = 2;
const EXT_NAME_START = 3;
const EXT_NAME = 4;
const EXT_VALUE_START = 5;
const EXT_VALUE = 6;
const EXT_QUOTED = 7;
const EXT_ESCAPE = 8;
const EXT_AFTER_QUOTE = 9;
const DATA = 10;
const DATA_CR = 11;
const DATA_LF = 12;
const TRAILERS = 13;
const DONE = 14;

const CR = 13;
const LF = 10;
const SEMICOLON = 59;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

/** 13 hexadecimal digits are 52 bits: exact in a number, more than any body. */
const MAX_SIZE_DIGITS = 13;
/** Bytes of extensions in one whole body; more is somebody burning our time (CVE-2024-22019). */
const MAX_EXTENSION_BYTES = 4096;
const MAX_TRAILER_BYTES = 16 * 1024;
const MAX_TRAILER_LINES = 100;

export class ChunkedDecoder {
  done = false;
  /** What is wrong with the body; set once, then nothing more is decoded. */
  fault: string | null = null;
  /** Flat list, once `done`; undefined when the section is empty. */
  trailers: string[] | undefined;

  #state = SIZE_START;
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #scanner: BlockScanner | null = null;
  #trailerBytes: Uint8Array | null = null;

  /**
   * Decodes from `at` on, handing data to `target` as views into `bytes`.
   * @returns where it stopped: the end of `bytes`, or just behind the body when `done`
   */
  feed(bytes: Uint8Array, at: number, target: ChunkTarget): number {
    const end = bytes.length;
    while (at < end && this.fault === null && !this.done) {
      if (this.#state === DATA) {
        const upTo = Math.min(end, at + this.#size);
        this.#size -= upTo - at;
        if (this.#size === 0) this.#state = DATA_CR;
        target.push(at === 0 && upTo === end ? bytes : bytes.subarray(at, upTo));
        at = upTo;
      } else if (this.#state === TRAILERS) at = this.#feedTrailers(bytes, at);
      else this.#step(bytes[at++]!);
    }
    return at;
  }

  #step(c: number): void {
    switch (this.#state) {
      case SIZE_START:
      case SIZE: {
        const digit = hexDigit(c);
        if (digit >= 0) {
          if (++this.#digits > MAX_SIZE_DIGITS) this.fault = "a chunk size that is too long";
          this.#size = this.#size * 16 + digit;
          this.#state = SIZE;
        } else if (this.#state === SIZE_START) this.fault = "a chunk size that is not a number";
        else this.#afterSize(c, "a chunk size that is not a number");
        return;
      }
      case SIZE_LF:
        if (c !== LF) this.fault = "CR without LF after a chunk size";
        else if (this.#size > 0) this.#state = DATA;
        else this.#state = TRAILERS;
        return;
      case DATA_CR:
        if (c !== CR) this.fault = "chunk data that is longer than its size";
        else this.#state = DATA_LF;
        return;
      case DATA_LF:
        if (c !== LF) this.fault = "chunk data that does not end with CRLF";
        else {
          this.#state = SIZE_START;
          this.#digits = 0;
        }
        return;
      default:
        this.#extension(c);
    }
  }

  #afterSize(c: number, fault: string): void {
    if (c === CR) this.#state = SIZE_LF;
    else if (c === SEMICOLON) this.#state = EXT_NAME_START;
    else this.fault = fault;
  }

  #extension(c: number): void {
    if (++this.#extensionBytes > MAX_EXTENSION_BYTES) {
      this.fault = "chunk extensions that are too long";
      return;
    }
    const fault = "a malformed chunk extension";
    switch (this.#state) {
      case EXT_NAME_START:
      case EXT_VALUE_START:
        if (isTokenChar(c)) this.#state++;
        else if (c === QUOTE && this.#state === EXT_VALUE_START) this.#state = EXT_QUOTED;
        else this.fault = fault;
        return;
      case EXT_NAME:
        if (c === EQUALS) this.#state = EXT_VALUE_START;
        else if (!isTokenChar(c)) this.#afterSize(c, fault);
        return;
      case EXT_VALUE:
        if (!isTokenChar(c)) this.#afterSize(c, fault);
        return;
      case EXT_QUOTED:
        if (c === QUOTE) this.#state = EXT_AFTER_QUOTE;
        else if (c === BACKSLASH) this.#state = EXT_ESCAPE;
        else if (isControl(c)) this.fault = fault;
        return;
      case EXT_ESCAPE:
        if (isControl(c)) this.fault = fault;
        else this.#state = EXT_QUOTED;
        return;
      default:
        this.#afterSize(c, fault);
    }
  }

  #feedTrailers(bytes: Uint8Array, at: number): number {
    const before = this.#trailerBytes === null ? 0 : this.#trailerBytes.length;
    const section =
      before === 0 ? bytes.subarray(at) : Buffer.concat([this.#trailerBytes!, bytes.subarray(at)]);
    const scanner = (this.#scanner ??= new BlockScanner());
    const length = scanner.scan(section);
    if (length === BAD) this.fault = `${scanner.fault} in the trailers`;
    else if (
      Math.max(length, length === MORE ? section.length : 0) > MAX_TRAILER_BYTES ||
      scanner.lines > MAX_TRAILER_LINES
    ) {
      this.fault = "trailers that are too large";
    } else if (length === MORE) this.#trailerBytes = before === 0 ? Buffer.from(section) : section;
    else {
      this.#finish(section.subarray(0, length));
      return at + length - before;
    }
    return bytes.length;
  }

  #finish(section: Uint8Array): void {
    if (section.length > 2) {
      const raw: string[] = [];
      const text = Buffer.from(section.buffer, section.byteOffset, section.length).toString("latin1");
      this.fault = readFields(text, 0, raw);
      for (let i = 0; i < raw.length; i += 2) {
        if (!isTrailerName(raw[i]!)) this.fault = `${raw[i]} in the trailers`;
      }
      this.trailers = raw;
    }
    if (this.fault === null) {
      this.done = true;
      this.#state = DONE;
    }
  }
}

function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  if (c >= 97 && c <= 102) return c - 87;
  if (c >= 65 && c <= 70) return c - 55;
  return -1;
}

function isControl(c: number): boolean {
  return (c < 32 && c !== 9) || c === 127;
}
