/** HTTP/2 by hand (RFC 9113 §4, RFC 7541): frames as no library would send them, over a plain socket. */
import net, { type Socket } from "node:net";

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;
export const ACK = 1;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = NOTHING): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const NOTHING = Buffer.alloc(0);

/** Every field a literal without indexing, no Huffman coding. */
export function hpack(fields: readonly (readonly [string, string])[]): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of fields) parts.push(Buffer.of(0), text(name), text(value));
  return Buffer.concat(parts);
}

function text(string: string): Buffer {
  const bytes = Buffer.from(string, "latin1");
  const length = [];
  if (bytes.length < 127) length.push(bytes.length);
  else {
    let rest = bytes.length - 127;
    length.push(127);
    for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

export const SETTINGS = frame(TYPE.settings, 0, 0);

/** HEADERS of a request to `/`, with `more` behind its pseudo-fields. */
export function request(
  stream: number,
  more: readonly (readonly [string, string])[] = [],
  flags = END_STREAM | END_HEADERS,
): Buffer {
  return frame(TYPE.headers, flags, stream, hpack([...PSEUDO, ...more]));
}

export const PSEUDO: readonly (readonly [string, string])[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "h"],
];

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export class RawHttp2 {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  /** Resolves once the peer has closed its side, or the connection has gone. */
  readonly closed: Promise<void>;
  #rest: Buffer = NOTHING;
  #waiting: (() => void)[] = [];

  constructor(port: number) {
    this.socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("error", () => {});
    this.socket.on("data", (chunk) => this.#read(chunk));
    this.closed = new Promise((resolve) => {
      this.socket.on("close", () => {
        resolve();
        this.#wake();
      });
    });
  }

  send(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The first frame that fits, now or later; rejects when the connection closes without. */
  async until(what: string, fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found !== undefined) return found;
      if (this.socket.closed) throw new Error(`closed without ${what}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The error code of the stream's RST_STREAM. */
  async reset(stream: number): Promise<number> {
    const found = await this.until(
      `RST_STREAM of ${stream}`,
      (each) => each.type === TYPE.reset && each.stream === stream,
    );
    return found.payload.readUInt32BE();
  }

  /** The error code of the first GOAWAY that has one. */
  async goaway(): Promise<number> {
    const code = (each: Frame) => each.payload.readUInt32BE(4);
    return code(await this.until("GOAWAY", (each) => each.type === TYPE.goaway && code(each) !== 0));
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 9) {
      const end = 9 + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) break;
      const [type, flags] = [this.#rest[3]!, this.#rest[4]!];
      const stream = this.#rest.readUInt32BE(5);
      this.frames.push({ type, flags, stream, payload: Buffer.from(this.#rest.subarray(9, end)) });
      this.#rest = this.#rest.subarray(end);
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
