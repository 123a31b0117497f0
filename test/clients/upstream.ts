/**
 * A provider that answers with what the test lays before it: status, headers and body octet for octet, the body in pieces
 * whose borders fall where no reader would like them. What it was asked is kept.
 */
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { brotliCompressSync, gzipSync } from "node:zlib";

/** One answer as it is on the wire. */
export interface Fixture {
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** The connection breaks after the body instead of ending it. */
  readonly breaks?: true;
}

export interface Asked {
  readonly method: string;
  /** As on the wire. */
  readonly target: string;
  /** Names in lower case; lines of one name joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Upstream {
  readonly url: string;
  readonly port: number;
  readonly asked: Asked[];
  /** What every request gets. */
  answer: Fixture | ((asked: Asked) => Fixture);
  close(): Promise<void>;
}

export async function startUpstream(): Promise<Upstream> {
  const server: Server = createServer({ noDelay: true }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("error", () => {});
    response.on("error", () => {});
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const asked: Asked = {
        method: request.method ?? "",
        target: request.url ?? "",
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks),
      };
      upstream.asked.push(asked);
      const { answer } = upstream;
      const fixture = typeof answer === "function" ? answer(asked) : answer;
      const { status = 200, headers, body, breaks } = fixture;
      response.writeHead(status, headers);
      for (const piece of pieces(Buffer.from(body))) {
        response.write(piece);
        await setImmediate();
      }
      if (breaks === true) response.socket?.destroy();
      else response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const upstream: Upstream = {
    url: `http://127.0.0.1:${port}`,
    port,
    asked: [],
    answer: { status: 500, headers: {}, body: "nothing was laid before the upstream" },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return upstream;
}

/** Primes, so that borders fall inside of frames, lines, escapes and characters. */
const SIZES = [1, 2, 3, 5, 7, 61, 11, 13, 127, 17, 19, 251];
/** Longer bodies continue in pieces of this size, and end in one of what is left. */
const LATER = 4099;
const MOST = 200;

function* pieces(body: Buffer): Generator<Buffer> {
  let at = 0;
  for (let i = 0; at < body.length; i++) {
    const size = i < 40 ? SIZES[i % SIZES.length]! : i < MOST ? LATER : body.length;
    yield body.subarray(at, at + size);
    at += size;
  }
}

/** The same answer, compressed as providers do for whoever accepts it. */
export function compressed(fixture: Fixture, coding: "gzip" | "br"): Fixture {
  const body = Buffer.from(fixture.body);
  return {
    ...fixture,
    headers: { ...fixture.headers, "content-encoding": coding },
    body: coding === "gzip" ? gzipSync(body) : brotliCompressSync(body),
  };
}

export function json(value: unknown, more: Omit<Partial<Fixture>, "body"> = {}): Fixture {
  return {
    status: more.status,
    headers: { "content-type": "application/json", ...more.headers },
    body: JSON.stringify(value),
  };
}

/** Server-sent events: `[name, data]`; without a name only data. Data that is text goes out as it is. */
export function sse(
  events: readonly (readonly [string | null, unknown])[],
  headers: Readonly<Record<string, string>> = {},
): Fixture {
  return {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", ...headers },
    body: events
      .map(([name, data]) => {
        const text = typeof data === "string" ? data : JSON.stringify(data);
        return `${name === null ? "" : `event: ${name}\n`}data: ${text}\n\n`;
      })
      .join(""),
  };
}

/** Events whose name is the `type` of their data. */
export function typedSse(events: readonly { readonly type: string }[]): Fixture {
  return sse(events.map((event) => [event.type, event]));
}
