/** What the shared suite needs of an adapter, and the parts that its tests are made of. */
import type {
  BodySink,
  BodySource,
  Client,
  Incoming,
  Server,
  ServerOptions,
  TransportError,
} from "../transport.ts";

export interface Adapter {
  readonly name: string;
  createServer(options: ServerOptions): Promise<Server>;
  createClient(): Client;
}

export const HOST = "127.0.0.1";

/** What became of a body. */
export interface Collected {
  readonly bytes: Buffer;
  readonly trailers: string[] | undefined;
}

/** Takes a body whole. */
export function collect(source: BodySource | null): Promise<Collected> {
  if (source === null) return Promise.resolve({ bytes: Buffer.alloc(0), trailers: undefined });
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    source.start({
      write: (chunk) => {
        chunks.push(chunk);
        return true;
      },
      end: (trailers) => resolve({ bytes: Buffer.concat(chunks), trailers }),
      fail: reject,
    });
  });
}

/** The body as text. */
export async function text(source: BodySource | null): Promise<string> {
  return (await collect(source)).bytes.toString("latin1");
}

/** A body that the test pushes by hand. */
export class HandSource implements BodySource {
  readonly length: number | undefined;
  sink: BodySink | null = null;
  resumed = 0;
  cancelled = false;
  readonly started: Promise<BodySink>;
  #start!: (sink: BodySink) => void;

  constructor(length?: number) {
    this.length = length;
    this.started = new Promise((resolve) => (this.#start = resolve));
  }

  start(sink: BodySink): void {
    this.sink = sink;
    this.#start(sink);
  }

  resume(): void {
    this.resumed++;
  }

  cancel(): void {
    this.cancelled = true;
  }
}

/** A sink that counts what it is given and has room only when told so. */
export class CountingSink implements BodySink {
  taken = 0;
  ended = false;
  error: TransportError | null = null;
  open = true;

  write(chunk: Uint8Array): boolean {
    this.taken += chunk.length;
    return this.open;
  }

  end(): void {
    this.ended = true;
  }

  fail(error: TransportError): void {
    this.error = error;
  }
}

/** Answers with what it was asked: `METHOD target body trailers`. */
export function echo(incoming: Incoming): void {
  const { method, target, reply } = incoming;
  collect(incoming.body).then(
    ({ bytes, trailers }) => {
      const tail = trailers === undefined ? "" : ` ${pairs(trailers).join(" ")}`;
      reply.send(
        200,
        "",
        ["Content-Type", "text/plain"],
        Buffer.from(`${method} ${target} ${bytes.toString("latin1")}${tail}`, "latin1"),
      );
    },
    () => {},
  );
}

/** `["A", "b"]` → `["A: b"]` */
export function pairs(raw: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < raw.length; i += 2) lines.push(`${raw[i]}: ${raw[i + 1]}`);
  return lines;
}
