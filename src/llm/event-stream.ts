/**
 * The binary event stream of AWS (`application/vnd.amazon.eventstream`), read as it passes.
 *
 * ```
 * total length u32 | headers length u32 | CRC of these 8 octets u32 | headers | payload | CRC of all before u32
 * ```
 *
 * A header is: name length u8, name, type u8, value. All numbers are big-endian; both CRCs are CRC-32 of ISO-HDLC.
 * With a broken prelude nobody can tell where the next message begins, so reading ends; with a broken message CRC only
 * that message is lost. Source: Smithy, "Amazon Event Stream" (`smithy.io/2.0/aws/amazon-eventstream.html`).
 */
import { crc32 } from "node:zlib";

/** What the format allows at most; a longer one is no message. */
const LONGEST_MESSAGE = 16 * 1024 * 1024;
/** Longer messages pass unread: no event of a model is that long, and what is not kept costs no memory. */
const LONGEST_KEPT = 1024 * 1024;
const PRELUDE = 12;
const OVERHEAD = PRELUDE + 4;

/**
 * @param event `:event-type`; of an exception its `:exception-type`, of an error its `:error-code`; null without one
 * @param payload borrowed: valid until the call returns. Of an error that has none, `{"message": …}` made from its headers
 * @param messageType `:message-type`: `event`, `exception` or `error`; null without one
 */
export type TakeMessage = (event: string | null, payload: Uint8Array, messageType: string | null) => void;

/** Takes chunks cut anywhere; each is borrowed for the call. Never throws, whatever arrives. */
export class EventStreamReader {
  readonly #take: TakeMessage;
  /** The message under way, as far as it is there; kept from one message to the next. */
  #buffer = new Uint8Array(PRELUDE);
  #have = 0;
  /** Length of the message under way; 0 until its prelude is whole. */
  #length = 0;
  /** Octets still to come of a message that is not kept. */
  #skip = 0;
  #broken = false;

  constructor(take: TakeMessage) {
    this.#take = take;
  }

  write(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.#broken) {
      if (this.#skip > 0) at += this.#pass(chunk.length - at);
      else if (this.#have > 0 || chunk.length - at < PRELUDE) at += this.#collect(chunk, at);
      else at += this.#begin(chunk, at);
    }
  }

  /** What is under way is no whole message: it is dropped. */
  end(): void {
    this.#broken = true;
    this.#buffer = new Uint8Array(0);
  }

  #pass(available: number): number {
    const passed = Math.min(this.#skip, available);
    this.#skip -= passed;
    return passed;
  }

  /** A message begins in `chunk`, its prelude is there; most are there whole and need no copy. */
  #begin(chunk: Uint8Array, at: number): number {
    const length = messageLength(chunk, at);
    if (length === 0) {
      this.#broken = true;
      return 0;
    }
    if (length > LONGEST_KEPT) {
      this.#skip = length;
      return 0;
    }
    if (chunk.length - at < length) return this.#collect(chunk, at);
    takeMessage(chunk.subarray(at, at + length), this.#take);
    return length;
  }

  /** Copies what the message under way still needs. */
  #collect(chunk: Uint8Array, at: number): number {
    const wanted = (this.#length === 0 ? PRELUDE : this.#length) - this.#have;
    const copied = Math.min(wanted, chunk.length - at);
    this.#buffer.set(chunk.subarray(at, at + copied), this.#have);
    this.#have += copied;
    if (copied === wanted) this.#collected();
    return copied;
  }

  #collected(): void {
    if (this.#length > 0) {
      const message = this.#buffer.subarray(0, this.#length);
      this.#have = 0;
      this.#length = 0;
      takeMessage(message, this.#take);
      return;
    }
    const length = messageLength(this.#buffer, 0);
    if (length === 0) this.#broken = true;
    else if (length > LONGEST_KEPT) {
      this.#skip = length - PRELUDE;
      this.#have = 0;
    } else {
      this.#length = length;
      this.#makeRoom(length);
    }
  }

  #makeRoom(length: number): void {
    if (this.#buffer.length >= length) return;
    const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#have));
    this.#buffer = larger;
  }
}

/** Length of the message whose prelude is at `at`; 0 when it is no prelude. */
function messageLength(bytes: Uint8Array, at: number): number {
  const length = u32(bytes, at);
  if (length < OVERHEAD || length > LONGEST_MESSAGE || u32(bytes, at + 4) > length - OVERHEAD) return 0;
  return crc32(bytes.subarray(at, at + 8)) === u32(bytes, at + 8) ? length : 0;
}

/** @param message a whole one, its prelude proven */
function takeMessage(message: Uint8Array, take: TakeMessage): void {
  const end = message.length - 4;
  if (crc32(message.subarray(0, end)) !== u32(message, end)) return;
  const payloadAt = PRELUDE + u32(message, 4);
  const headers = readHeaders(message, PRELUDE, payloadAt);
  if (headers === null) return;
  const event = headers.eventType ?? headers.exceptionType ?? headers.errorCode;
  let payload = message.subarray(payloadAt, end);
  if (payload.length === 0 && headers.errorMessage !== null) {
    payload = Buffer.from(JSON.stringify({ message: headers.errorMessage }));
  }
  take(event, payload, headers.messageType);
}

interface KnownHeaders {
  messageType: string | null;
  eventType: string | null;
  exceptionType: string | null;
  errorCode: string | null;
  errorMessage: string | null;
}

const KNOWN: Readonly<Record<string, keyof KnownHeaders>> = {
  ":message-type": "messageType",
  ":event-type": "eventType",
  ":exception-type": "exceptionType",
  ":error-code": "errorCode",
  ":error-message": "errorMessage",
};
const STRING = 7;
const BINARY = 6;
/** Octets of a value by its type: true, false, byte, short, integer, long, (binary, string), timestamp, uuid. */
const VALUE_LENGTHS = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16];

/** @returns null when the headers don't fit their room or have a type that nobody knows */
function readHeaders(message: Uint8Array, from: number, to: number): KnownHeaders | null {
  const found: KnownHeaders = {
    messageType: null,
    eventType: null,
    exceptionType: null,
    errorCode: null,
    errorMessage: null,
  };
  let at = from;
  while (at < to) {
    const nameEnd = at + 1 + message[at]!;
    if (nameEnd >= to) return null;
    const type = message[nameEnd]!;
    let valueAt = nameEnd + 1;
    let length = VALUE_LENGTHS[type];
    if (length === undefined) return null;
    if (type === STRING || type === BINARY) {
      if (valueAt + 2 > to) return null;
      length = (message[valueAt]! << 8) | message[valueAt + 1]!;
      valueAt += 2;
    }
    if (valueAt + length > to) return null;
    if (type === STRING && message[at + 1] === 0x3a) {
      const known = KNOWN[text(message, at + 1, nameEnd)];
      if (known !== undefined) found[known] = text(message, valueAt, valueAt + length);
    }
    at = valueAt + length;
  }
  return found;
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

const utf8 = new TextDecoder();

function text(bytes: Uint8Array, from: number, to: number): string {
  return utf8.decode(bytes.subarray(from, to));
}

/**
 * Writes one message.
 *
 * @param headers strings only; names up to 255, values up to 32,767 octets
 */
export function eventStreamMessage(
  headers: Readonly<Record<string, string>>,
  payload: Uint8Array,
): Uint8Array {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => stringHeader(name, value)));
  const message = Buffer.alloc(OVERHEAD + head.length + payload.length);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(head.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  message.set(head, PRELUDE);
  message.set(payload, PRELUDE + head.length);
  message.writeUInt32BE(crc32(message.subarray(0, message.length - 4)), message.length - 4);
  return message;
}

function stringHeader(name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name);
  const valueBytes = Buffer.from(value);
  const length = valueBytes.length;
  return Buffer.concat([
    Buffer.from([nameBytes.length]),
    nameBytes,
    Buffer.from([STRING, length >> 8, length & 0xff]),
    valueBytes,
  ]);
}
