/** Event streams through the whole gateway: byte for byte, and honest about their end. */
import { type IncomingMessage, request } from "node:http";
import { type Server, type Socket, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";

/** What the upstream does with its connection once it has read a request. */
let serve: (socket: Socket) => void;
let upstream: Server;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      if (data.includes("\r\n\r\n")) serve(socket);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(upstream.address() as { port: number }).port}`;
  const breaker = {
    rules: [
      {
        failureCondition: { count: 1000, interval: "PT1M", errorReasons: ["Server errors"] },
        tripDuration: "PT1M",
      },
    ],
  };
  gateway = await testGateway({
    ...api("plain", url, ["GET /*"]),
    ...api("pooled", undefined, ["GET /*"], {
      policy: policy({ inbound: `<set-backend-service backend-id="pool" />` }),
    }),
    "backends/pool/backendInformation.json": {
      properties: { type: "Pool", pool: { services: [{ id: "/backends/one" }] } },
    },
    "backends/one/backendInformation.json": {
      properties: { url: `${url}/one`, protocol: "http", circuitBreaker: breaker },
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await new Promise((resolve) => upstream.close(resolve));
});

const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

function frame(chunk: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]);
}

interface Got {
  readonly reply: IncomingMessage;
  readonly bytes: Buffer;
  /** False: the connection broke before the message was complete. */
  readonly complete: boolean;
}

/** @param onBytes told how many have come, first when the head is there */
function get(path: string, onBytes: (count: number) => void = () => {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asking = request(
      `${gateway.url}${path}`,
      { headers: { "accept-encoding": "gzip, br" } },
      (reply) => {
        const chunks: Buffer[] = [];
        let count = 0;
        onBytes(0);
        reply.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          onBytes((count += chunk.length));
        });
        reply.on("error", () => {});
        reply.on("close", () => resolve({ reply, bytes: Buffer.concat(chunks), complete: reply.complete }));
      },
    );
    asking.on("error", reject);
    asking.end();
  });
}

const EVENTS = ["data: one\n\n", ": ping\n\n", 'data: {"b":2}\n\n', "data: half of"].map((text) =>
  Buffer.from(text),
);

describe.each(["plain", "pooled"])("R-08 an upstream that dies mid-stream (%s)", (name) => {
  const endings: [string, (socket: Socket) => void][] = [
    ["a reset", (socket) => socket.resetAndDestroy()],
    ["an early end", (socket) => socket.end()],
    ["broken framing", (socket) => socket.write("no length\r\n")],
  ];
  const cases = endings.flatMap(([how, end]) => [0, 1, 2, 3, 4].map((k) => [how, k, end] as const));

  it.each(cases)(
    "%s after %i chunks: the same bytes, then one error event and no [DONE]",
    async (_how, k, end) => {
      const sent = Buffer.concat(EVENTS.slice(0, k));
      let socket!: Socket;
      serve = (one) => {
        socket = one;
        one.write(HEAD);
        for (const chunk of EVENTS.slice(0, k)) one.write(frame(chunk));
      };
      let ended = false;
      const { bytes, complete } = await get(`/${name}/x`, (count) => {
        if (count < sent.length || ended) return;
        ended = true;
        end(socket);
      });
      expectBrokenOff({ bytes, complete }, sent);
    },
  );

  it.each([1, 40, 400])("%i octets short of the length that it announced: no less", async (missing) => {
    const body = "data: one\n\ndata: [DO";
    const head = `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: ${body.length + missing}\r\n\r\n`;
    serve = (socket) => void socket.end(head + body);
    expectBrokenOff(await get(`/${name}/x`), Buffer.from(body));
  });
});

function expectBrokenOff({ bytes, complete }: Pick<Got, "bytes" | "complete">, sent: Buffer): void {
  expect(complete).toBe(true);
  expect(bytes.subarray(0, sent.length).equals(sent)).toBe(true);
  const added = /^\n\ndata: (.+)\nevent: error\n\n$/.exec(bytes.subarray(sent.length).toString());
  const { requestId, brokenOff } = gateway.exchanges.at(-1)!;
  const code = expect.stringMatching(/^upstream_/) as string;
  expect(JSON.parse(added![1]!)).toEqual({
    error: { code, message: expect.any(String) as string, requestId },
  });
  expect(brokenOff).toMatchObject({ code });
}

describe.each(["plain", "pooled"])("R-31 an event stream passes byte for byte (%s)", (name) => {
  const DOCUMENT = Buffer.from(
    "\uFEFF: hello\n\ndata: a\r\n\r\nevent: x\rdata: ü€🙂\r\rid: 1\ndata:\ndata: two\n\n:\n\n\0\r\n\n\rretry: 5\n\ndata: [DONE]\n\n",
  );

  async function through(slices: readonly Uint8Array[]): Promise<Got> {
    serve = (socket) => {
      socket.write(HEAD);
      for (const slice of slices) socket.write(frame(slice));
      socket.write("0\r\n\r\n");
    };
    return get(`/${name}/x`);
  }

  it("cut at every byte", async () => {
    for (let at = 1; at < DOCUMENT.length; at++) {
      const { bytes } = await through([DOCUMENT.subarray(0, at), DOCUMENT.subarray(at)]);
      expect(bytes.equals(DOCUMENT)).toBe(true);
    }
  });

  it("byte by byte", async () => {
    const { bytes, complete, reply } = await through([...DOCUMENT].map((byte) => Uint8Array.of(byte)));
    expect([complete, bytes.equals(DOCUMENT)]).toEqual([true, true]);
    expect(reply.headers["content-encoding"]).toBeUndefined();
  });

  it("with an event of a megabyte", async () => {
    const big = Buffer.concat([Buffer.from("data: "), Buffer.alloc(1024 * 1024, "x"), Buffer.from("\n\n")]);
    const slices = Array.from({ length: Math.ceil(big.length / 10_007) }, (_none, i) =>
      big.subarray(i * 10_007, (i + 1) * 10_007),
    );
    const { bytes } = await through(slices);
    expect(bytes.equals(big)).toBe(true);
  });

  it("each chunk at once: the next is sent only when the last has come", async () => {
    let socket!: Socket;
    const parts = Array.from({ length: 50 }, (_none, i) => Buffer.from(`data: ${i}\n\n`));
    let next = 0;
    let due = 0;
    serve = (one) => {
      socket = one;
      one.write(HEAD);
    };
    const { bytes } = await get(`/${name}/x`, (count) => {
      if (count < due) return;
      const part = parts[next++];
      if (part === undefined) return void socket.write("0\r\n\r\n");
      due += part.length;
      socket.write(frame(part));
    });
    expect(bytes.equals(Buffer.concat(parts))).toBe(true);
  });
});
