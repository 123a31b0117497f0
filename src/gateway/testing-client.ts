/** For tests: bodies that flow as told, and a client that records what it got. */
import { Abort } from "../base/abort.ts";
import { HeaderList } from "../base/headers.ts";
import type {
  BodySink,
  BodySource,
  Incoming,
  Reply,
  TransportError,
  Tunnel,
} from "../transport/transport.ts";

/** A source that hands out `chunks`, as fast as the sink takes them, then ends or fails. */
export class ChunkSource implements BodySource {
  readonly length: number | undefined;
  cancelled = false;
  started = false;
  readonly #chunks: readonly Uint8Array[];
  readonly #failure: TransportError | null;
  #sink: BodySink | null = null;
  #at = 0;

  /** @param length what Content-Length said; default: unknown */
  constructor(
    chunks: readonly (Uint8Array | string)[],
    options: { length?: number; failure?: TransportError } = {},
  ) {
    this.#chunks = chunks.map((chunk) => (typeof chunk === "string" ? encoder.encode(chunk) : chunk));
    this.length = options.length;
    this.#failure = options.failure ?? null;
  }

  start(sink: BodySink): void {
    this.started = true;
    this.#sink = sink;
    this.#flow();
  }

  resume(): void {
    this.#flow();
  }

  cancel(): void {
    this.cancelled = true;
  }

  #flow(): void {
    const sink = this.#sink!;
    while (!this.cancelled && this.#at < this.#chunks.length)
      if (!sink.write(this.#chunks[this.#at++]!)) return;
    if (this.cancelled || this.#at > this.#chunks.length) return;
    this.#at = Infinity;
    if (this.#failure === null) sink.end();
    else sink.fail(this.#failure);
  }
}

const encoder = new TextEncoder();

/** What the client got. */
export class RecordedReply implements Reply {
  started = false;
  status = 0;
  reason = "";
  headers = new HeaderList();
  body = "";
  streamed = false;
  finished = false;
  failure: TransportError | null = null;
  trailers: string[] | undefined;
  /** The sink answers `false` until the test calls `drain`. */
  slow = false;
  drain: () => void = () => {};
  #listeners: ((complete: boolean) => void)[] = [];

  send(status: number, reason: string, rawHeaders: string[], body: Uint8Array | null): void {
    this.#head(status, reason, rawHeaders);
    this.body = body === null ? "" : decoder.decode(body);
    this.#finish(true);
  }

  head(status: number, reason: string, rawHeaders: string[], onDrain: () => void): BodySink {
    this.#head(status, reason, rawHeaders);
    this.streamed = true;
    this.drain = onDrain;
    return {
      write: (chunk) => {
        this.body += decoder.decode(chunk);
        return !this.slow;
      },
      end: (trailers) => {
        this.trailers = trailers;
        this.#finish(true);
      },
      fail: (error) => {
        this.failure = error;
        this.#finish(false);
      },
    };
  }

  upgrade(_status: number, _reason: string, _rawHeaders: string[]): Tunnel {
    throw new Error("this reply cannot be upgraded");
  }

  onFinish(listener: (complete: boolean) => void): void {
    if (this.finished) listener(true);
    else this.#listeners.push(listener);
  }

  #head(status: number, reason: string, rawHeaders: string[]): void {
    if (this.started) throw new Error("the head was sent twice");
    this.started = true;
    this.status = status;
    this.reason = reason;
    this.headers = new HeaderList(rawHeaders);
  }

  #finish(complete: boolean): void {
    this.finished = true;
    for (const listener of this.#listeners) listener(complete);
  }
}

const decoder = new TextDecoder();

export interface RequestFields {
  readonly method?: string;
  /** Default `/`. */
  readonly target?: string;
  /** Flat; a Host is added when there is none. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array | BodySource;
  readonly remoteAddress?: string;
  readonly encrypted?: boolean;
  readonly upgrade?: boolean;
  /** DER of the client's certificate. */
  readonly certificate?: Uint8Array;
}

export interface TestIncoming extends Incoming {
  readonly reply: RecordedReply;
}

export function incomingOf(fields: RequestFields = {}): TestIncoming {
  const rawHeaders = [...(fields.headers ?? [])];
  if (new HeaderList(rawHeaders).get("host") === null) rawHeaders.unshift("Host", "gateway.example");
  const { body } = fields;
  const source =
    typeof body === "string" || body instanceof Uint8Array
      ? new ChunkSource([body], { length: body.length })
      : body;
  return {
    method: fields.method ?? "GET",
    target: fields.target ?? "/",
    rawHeaders,
    httpVersion: "1.1",
    remoteAddress: fields.remoteAddress ?? "203.0.113.7",
    remotePort: 50_000,
    encrypted: fields.encrypted ?? false,
    clientCertificate: () => fields.certificate ?? null,
    body: source ?? null,
    limitBody: () => {},
    upgrade: fields.upgrade ?? false,
    reply: new RecordedReply(),
    abort: new Abort(),
    refusal: null,
  };
}
