/**
 * WebSocket frames (RFC 6455 §5) of one direction, read as they pass, and the two that the gateway itself sends into a
 * session: a text and a close. Nothing is buffered but the message under way.
 *
 * `permessage-deflate` (RFC 7692) is undone where it was negotiated. Its context is the last 32 KiB of what was decoded:
 * given to zlib as a dictionary, each message is decoded at once and no stream object lives as long as the session.
 */
import { constants, inflateRawSync } from "node:zlib";

/** A longer message is read over and counted (`reliability.md` A3). */
export const MOST_MESSAGE_BYTES = 1024 * 1024;
const MOST_FRAGMENTS = 1024;
const WINDOW_BYTES = 32 * 1024;
const DEFLATE_TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const CONTROL = 8;

export interface FrameReaderOptions {
  /** permessage-deflate was negotiated for this direction. */
  readonly deflate: boolean;
  /** … and each message is compressed on its own (`server_no_context_takeover` or the client's). */
  readonly noContext: boolean;
  /** Binary messages are texts, too. */
  readonly binary?: boolean;
  /** Octets of a message, as it came and decoded; absent: `MOST_MESSAGE_BYTES`, in `MOST_FRAGMENTS` at most. */
  readonly mostBytes?: number;
}

/**
 * @param text   a whole message
 * @param octets the same, lent for the call
 */
export type TakeMessageText = (text: string, octets: Uint8Array, isBinary: boolean) => void;

export class FrameReader {
  readonly #take: TakeMessageText;
  readonly #options: FrameReaderOptions;
  /** Octets of a frame head that has not come whole; 14 at most. */
  readonly #head = Buffer.alloc(14);
  #headLength = 0;
  /** Octets of the payload still to come. */
  #remaining = 0;
  #inPayload = false;
  #opcode = 0;
  #final = false;
  #masked = false;
  readonly #mask = new Uint8Array(4);
  #maskAt = 0;
  /** Opcode of the message under way; 0 between messages. */
  #message = 0;
  #compressed = false;
  #fragments = 0;
  #kept: Buffer = EMPTY;
  #keptLength = 0;
  #keeps = false;
  #window: Buffer = EMPTY;
  #broken = false;
  #closed = false;
  #skipped = 0;
  #frames = 0;
  readonly #mostBytes: number;
  readonly #mostFragments: number;

  constructor(take: TakeMessageText, options: FrameReaderOptions = PLAIN) {
    this.#take = take;
    this.#options = options;
    this.#mostBytes = options.mostBytes ?? MOST_MESSAGE_BYTES;
    this.#mostFragments = options.mostBytes === undefined ? MOST_FRAGMENTS : Number.POSITIVE_INFINITY;
  }

  /** Messages that were too long, or could not be decoded. */
  get skipped(): number {
    return this.#skipped;
  }

  /** What came is no sequence of frames: nothing more is read. */
  get broken(): boolean {
    return this.#broken;
  }

  /** A close frame has passed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** No frame and no message is under way: a frame of one's own may be sent here. */
  get atBoundary(): boolean {
    return !this.#inPayload && this.#headLength === 0 && this.#message === 0;
  }

  /** @param chunk borrowed: nothing of it is kept */
  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.#broken;) at = this.readFrame(chunk, at);
  }

  /** Reads on to the end of a frame, or of the chunk. @returns where that is */
  readFrame(chunk: Uint8Array, from: number): number {
    const frames = this.#frames;
    let at = from;
    while (at < chunk.length && !this.#broken && this.#frames === frames) {
      at = this.#inPayload ? this.#readPayload(chunk, at) : this.#readHead(chunk, at);
    }
    return at;
  }

  #readHead(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length) {
      this.#head[this.#headLength++] = chunk[at++]!;
      if (this.#headLength >= 2 && this.#headLength === headLength(this.#head[1]!)) {
        this.#beginFrame();
        break;
      }
    }
    return at;
  }

  #beginFrame(): void {
    const head = this.#head;
    const short = head[1]! & 0x7f;
    const length =
      short < 126 ? short : short === 126 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
    this.#headLength = 0;
    this.#final = (head[0]! & 0x80) !== 0;
    this.#opcode = head[0]! & 0x0f;
    this.#masked = (head[1]! & 0x80) !== 0;
    const maskStart = short < 126 ? 2 : short === 126 ? 4 : 10;
    for (let i = 0; i < 4; i++) this.#mask[i] = this.#masked ? head[maskStart + i]! : 0;
    this.#maskAt = 0;
    if (!this.#isSound(head[0]!, length)) {
      this.#broken = true;
      this.#kept = EMPTY;
      return;
    }
    this.#remaining = length;
    this.#inPayload = true;
    if (this.#opcode < CONTROL) this.#beginData(head[0]!);
    if (length === 0) this.#endFrame();
  }

  /** What no endpoint would send: then these are no frames, and lengths mean nothing. */
  #isSound(first: number, length: number): boolean {
    const opcode = this.#opcode;
    if (!Number.isSafeInteger(length)) return false;
    if (opcode > BINARY && (opcode < CLOSE || opcode > 10)) return false;
    if (opcode >= CONTROL) return this.#final && length <= 125 && (first & 0x70) === 0;
    if ((first & 0x30) !== 0) return false;
    if ((first & 0x40) !== 0 && (!this.#options.deflate || opcode === CONTINUATION)) return false;
    return opcode === CONTINUATION ? this.#message !== 0 : this.#message === 0;
  }

  #beginData(first: number): void {
    if (this.#opcode !== CONTINUATION) {
      this.#message = this.#opcode;
      this.#compressed = (first & 0x40) !== 0;
      this.#fragments = 0;
      this.#keptLength = 0;
      // Messages that nobody reads still move the window of a shared context.
      this.#keeps = this.#isRead || (this.#compressed && !this.#options.noContext);
    }
    this.#fragments++;
    if (this.#fragments > this.#mostFragments || this.#keptLength + this.#remaining > this.#mostBytes) {
      this.#drop();
    }
  }

  get #isRead(): boolean {
    return this.#message === TEXT || (this.#message === BINARY && this.#options.binary === true);
  }

  #drop(): void {
    this.#keeps = false;
    this.#kept = EMPTY;
    this.#keptLength = 0;
  }

  #readPayload(chunk: Uint8Array, from: number): number {
    const length = Math.min(this.#remaining, chunk.length - from);
    if (this.#opcode < CONTROL && this.#keeps) this.#keep(chunk, from, length);
    this.#maskAt = (this.#maskAt + length) & 3;
    this.#remaining -= length;
    if (this.#remaining === 0) this.#endFrame();
    return from + length;
  }

  #keep(chunk: Uint8Array, from: number, length: number): void {
    const needed = this.#keptLength + length;
    if (this.#kept.length < needed) {
      const size = Math.max(needed, Math.min(needed + this.#remaining, this.#kept.length * 2), 512);
      const grown = Buffer.allocUnsafe(size);
      this.#kept.copy(grown, 0, 0, this.#keptLength);
      this.#kept = grown;
    }
    const kept = this.#kept;
    kept.set(chunk.subarray(from, from + length), this.#keptLength);
    if (this.#masked) {
      for (let i = 0; i < length; i++) {
        const at = this.#keptLength + i;
        kept[at] = kept[at]! ^ this.#mask[(this.#maskAt + i) & 3]!;
      }
    }
    this.#keptLength = needed;
  }

  #endFrame(): void {
    this.#inPayload = false;
    this.#frames++;
    if (this.#opcode === CLOSE) this.#closed = true;
    if (this.#opcode >= CONTROL || !this.#final) return;
    const isRead = this.#isRead;
    const isBinary = this.#message === BINARY;
    const keeps = this.#keeps;
    this.#message = 0;
    this.#keeps = false;
    if (!keeps) {
      if (isRead || this.#compressed) this.#missed();
      return;
    }
    const octets = this.#kept.subarray(0, this.#keptLength);
    const text = this.#compressed ? this.#inflate(octets) : octets;
    if (isRead && text !== null) this.#take(text.toString("utf8"), text, isBinary);
    if (this.#kept.length > 64 * 1024) this.#kept = EMPTY;
  }

  /** A compressed message that was not decoded leaves a shared context unknown: later ones cannot be read either. */
  #missed(): void {
    this.#skipped++;
    if (this.#compressed && !this.#options.noContext) this.#broken = true;
  }

  #inflate(octets: Buffer): Buffer | null {
    try {
      const text = inflateRawSync(Buffer.concat([octets, DEFLATE_TAIL]), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: this.#mostBytes,
        ...(this.#window.length > 0 ? { dictionary: this.#window } : null),
      });
      if (!this.#options.noContext) this.#window = lastOctets(this.#window, text);
      return text;
    } catch {
      this.#missed();
      return null;
    }
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
const PLAIN: FrameReaderOptions = { deflate: false, noContext: false };

/** Octets of a frame's head, told by the second one. */
function headLength(second: number): number {
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + ((second & 0x80) !== 0 ? 4 : 0);
}

function lastOctets(window: Buffer, text: Buffer): Buffer {
  if (text.length >= WINDOW_BYTES) return Buffer.from(text.subarray(text.length - WINDOW_BYTES));
  const before = window.subarray(Math.max(0, window.length + text.length - WINDOW_BYTES));
  return Buffer.concat([before, text]);
}

/**
 * How each direction is compressed, from the handshake's answer (`Sec-WebSocket-Extensions`).
 *
 * @param extensions null when none were negotiated
 */
export function compressionOf(
  extensions: string | null,
): Readonly<Record<"client" | "server", FrameReaderOptions>> {
  const offer = /(?:^|,)\s*permessage-deflate\s*((?:;[^,]*)?)/i.exec(extensions ?? "");
  if (offer === null) return { client: PLAIN, server: PLAIN };
  const parameters = offer[1]!.toLowerCase();
  return {
    client: { deflate: true, noContext: parameters.includes("client_no_context_takeover") },
    server: { deflate: true, noContext: parameters.includes("server_no_context_takeover") },
  };
}

/**
 * One text message in one frame.
 *
 * @param mask four random octets when a client sends (towards the backend); null when a server does
 */
export function textFrame(text: string, mask: Uint8Array | null): Buffer {
  return frame(TEXT, Buffer.from(text), mask);
}

/** @param code 1000–4999  @param reason cut to the 123 octets that fit */
export function closeFrame(code: number, reason: string, mask: Uint8Array | null): Buffer {
  let words = Buffer.from(reason);
  for (let length = reason.length; words.length > 123; length--) words = Buffer.from(reason.slice(0, length));
  const payload = Buffer.allocUnsafe(2 + words.length);
  payload.writeUInt16BE(code, 0);
  words.copy(payload, 2);
  return frame(CLOSE, payload, mask);
}

function frame(opcode: number, payload: Buffer, mask: Uint8Array | null): Buffer {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const start = 2 + extra + (mask === null ? 0 : 4);
  const whole = Buffer.allocUnsafe(start + length);
  whole[0] = 0x80 | opcode;
  whole[1] = (mask === null ? 0 : 0x80) | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) whole.writeUInt16BE(length, 2);
  if (extra === 8) whole.writeBigUInt64BE(BigInt(length), 2);
  payload.copy(whole, start);
  if (mask !== null) {
    whole.set(mask.subarray(0, 4), start - 4);
    for (let i = 0; i < length; i++) whole[start + i] = whole[start + i]! ^ mask[i & 3]!;
  }
  return whole;
}
