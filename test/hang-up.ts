/**
 * A client that hangs up, in every phase of a request: shared by the test (does it reach the upstream at all?) and by
 * `bench/hang-ups.ts` (how fast, a thousand times).
 */
import { type Server, type Socket, connect, createServer } from "node:net";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";

export type Phase = "uploading" | "waiting" | "streaming" | "retry pause" | "policy's own request" | "queued";
export const PHASES: readonly Phase[] = [
  "uploading",
  "waiting",
  "streaming",
  "retry pause",
  "policy's own request",
  "queued",
];

/** An upstream on a raw socket that does what the path says, and tells when its connections close. */
export class Upstream {
  readonly port: number;
  readonly #server: Server;
  readonly open = new Set<Socket>();
  /** Requests whose head arrived. */
  seen = 0;
  /** Where the last of them arrived; others may lie idle. */
  latest: Socket | null = null;
  #waiters: (() => void)[] = [];

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static start(): Promise<Upstream> {
    return new Promise((resolve) => {
      const server = createServer({ noDelay: true });
      server.listen(0, "127.0.0.1", () => {
        const upstream = new Upstream(server, (server.address() as { port: number }).port);
        server.on("connection", (socket) => upstream.#serve(socket));
        resolve(upstream);
      });
    });
  }

  #serve(socket: Socket): void {
    this.open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      this.open.delete(socket);
      this.#changed();
    });
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      const path = text.split(" ", 2)[1] ?? "";
      text = "";
      this.seen++;
      this.latest = socket;
      this.#changed();
      if (path.endsWith("/stream")) {
        socket.write(
          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n",
        );
      } else if (path.endsWith("/fail")) socket.write("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    });
  }

  #changed(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  /** Resolves when `condition` holds; it is asked whenever something happens here. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export async function hangUpGateway(upstream: Upstream): Promise<TestGateway> {
  const url = `http://127.0.0.1:${upstream.port}`;
  return testGateway({
    ...api("plain", url, ["POST /wait", "POST /stream"]),
    ...api("asking", url, ["POST /x"], {
      policy: policy({
        inbound: `<send-request response-variable-name="answer" ignore-error="true"><set-url>${url}/wait</set-url></send-request>`,
      }),
    }),
    ...api("retrying", url, ["POST /fail"], {
      policy: policy({
        backend: `<retry condition="@(context.Response.StatusCode == 503)" count="50" interval="60"><forward-request buffer-request-body="true" /></retry>`,
      }),
    }),
  });
}

const REQUESTS: Readonly<Record<Phase, { path: string; body: string; length: number }>> = {
  uploading: { path: "/plain/wait", body: "half", length: 8 },
  waiting: { path: "/plain/wait", body: "", length: 0 },
  streaming: { path: "/plain/stream", body: "", length: 0 },
  "retry pause": { path: "/retrying/fail", body: "", length: 0 },
  "policy's own request": { path: "/asking/x", body: "", length: 0 },
  queued: { path: "/plain/wait", body: "", length: 0 },
};

/**
 * Sends a request, waits until it is in its phase, hangs up (`end` = FIN, `reset` = RST), and waits until the
 * upstream's connection is closed and the exchange over.
 *
 * @returns ms from the hang-up to the upstream's close (for phases that hold a connection then)
 */
export async function hangUp(
  gateway: TestGateway,
  upstream: Upstream,
  phase: Phase,
  how: "end" | "reset",
  now: () => number,
): Promise<number> {
  const { path, body, length } = REQUESTS[phase];
  const seen = upstream.seen;
  const client = connect({ port: gateway.port, host: "127.0.0.1", noDelay: true });
  client.on("error", () => {});
  const gotData = new Promise<void>((resolve) => client.once("data", () => resolve()));
  const request = `POST ${path} HTTP/1.1\r\nHost: test\r\nContent-Length: ${length}\r\n\r\n${body}`;
  // Queued: a second request waits on the same connection behind one that is not answered yet.
  client.write(phase === "queued" ? request + request : request);
  await upstream.until(() => upstream.seen > seen);
  if (phase === "streaming") await gotData;
  // In a retry's pause the connection is idle in the pool already; what must end is the exchange itself.
  if (phase === "retry pause") await until(() => gateway.inFlight === 1 && upstream.seen > seen);
  const started = now();
  if (how === "end") client.end();
  else client.resetAndDestroy();
  if (phase === "retry pause") await until(() => gateway.inFlight === 0);
  else await upstream.until(() => !upstream.open.has(upstream.latest!));
  const took = now() - started;
  client.destroy();
  await until(() => gateway.inFlight === 0);
  return took;
}

/** Looks again each turn of the event loop: no clock is involved. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
