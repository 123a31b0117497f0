/** Limits and timers of a server, each with its own status and code (`reliability.md` A3). */
import { describe, expect, test } from "vitest";
import type { Incoming, Refusal, Server, ServerLimits } from "../transport.ts";
import { type Adapter, CountingSink, echo, HOST } from "./adapter.ts";
import { converse, RawClient, until } from "./raw.ts";

export function limitsSuite(adapter: Adapter): void {
  interface Trial {
    readonly server: Server;
    readonly refusals: Refusal[];
    readonly seen: Incoming[];
  }

  async function withServer(
    limits: Partial<ServerLimits>,
    onRequest: (incoming: Incoming) => void,
    run: (trial: Trial) => Promise<void>,
  ): Promise<void> {
    const refusals: Refusal[] = [];
    const seen: Incoming[] = [];
    const server = await adapter.createServer({
      host: HOST,
      port: 0,
      limits,
      onRequest: (incoming) => {
        seen.push(incoming);
        onRequest(incoming);
      },
      onRefused: (refusal) => refusals.push(refusal),
    });
    try {
      await run({ server, refusals, seen });
      await until(() => server.active === 0);
    } finally {
      await server.close();
    }
  }

  const small = { headerBytes: 200, headerCount: 5, targetBytes: 40, bodyBytes: 10 };
  const post = (length: number) =>
    `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`;
  const chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";

  describe("limits", () => {
    test.each([
      [
        "a target at the limit",
        `GET /${"a".repeat(39)} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
        200,
        "",
      ],
      ["a target beyond it", `GET /${"a".repeat(40)} HTTP/1.1\r\nHost: h\r\n\r\n`, 414, "target_too_long"],
      ["a target without end", `GET /${"a".repeat(500)}`, 414, "target_too_long"],
      [
        "headers at the limit",
        `GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nA: ${"b".repeat(165)}\r\n\r\n`,
        200,
        "",
      ],
      [
        "headers beyond it",
        `GET / HTTP/1.1\r\nHost: h\r\nA: ${"b".repeat(200)}\r\n\r\n`,
        431,
        "header_too_large",
      ],
      ["a header without end", `GET / HTTP/1.1\r\nHost: h\r\nA: ${"b".repeat(500)}`, 431, "header_too_large"],
      [
        "as many headers as allowed",
        `GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${"A: b\r\n".repeat(3)}\r\n`,
        200,
        "",
      ],
      [
        "one header too many",
        `GET / HTTP/1.1\r\nHost: h\r\n${"A: b\r\n".repeat(5)}\r\n`,
        431,
        "too_many_headers",
      ],
      ["headers without end", `GET / HTTP/1.1\r\n${"A: b\r\n".repeat(20)}`, 431, "too_many_headers"],
    ])("%s: %i", async (_name, bytes, status, code) => {
      for (const size of [0, 1]) {
        await withServer(small, echo, async ({ server, refusals, seen }) => {
          expect(await converse(server.port, bytes, size)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
          expect(refusals.map((refusal) => refusal.code)).toEqual(code === "" ? [] : [code]);
          expect(seen).toHaveLength(code === "" ? 1 : 0);
        });
      }
    });

    test.each([
      ["a body at the limit", `${post(10)}0123456789`, 200, undefined],
      ["a body beyond it", post(11), 413, undefined],
      ["chunks at the limit", `${chunked}5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n`, 200, undefined],
      ["chunks beyond it", `${chunked}5\r\n01234\r\n6\r\n56789a\r\n0\r\n\r\n`, 413, undefined],
      ["a limit raised for one request", `${post(11)}0123456789a`, 200, 11],
      ["a limit raised too little", post(12), 413, 11],
      ["a limit lowered", post(10), 413, 9],
      ["chunks and a limit raised", `${chunked}b\r\n0123456789a\r\n0\r\n\r\n`, 200, 11],
      ["chunks and a limit lowered", `${chunked}a\r\n0123456789\r\n0\r\n\r\n`, 413, 9],
    ])("%s: %i", async (_name, bytes, status, limit) => {
      const onRequest = (incoming: Incoming) => {
        if (limit !== undefined) incoming.limitBody(limit);
        echo(incoming);
      };
      for (const size of [0, 1]) {
        await withServer(small, onRequest, async ({ server, refusals, seen }) => {
          const answer = await converse(server.port, bytes, size);
          expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
          expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
          expect(refusals.map((refusal) => refusal.code)).toEqual(status === 200 ? [] : ["body_too_large"]);
          if (status !== 200) expect(seen[0]!.abort.reason).toBe("client");
        });
      }
    });

    test("a body beyond the limit fails its consumer, and an answer that has begun is cut", async () => {
      const sink = new CountingSink();
      const onRequest = (incoming: Incoming) => {
        incoming.body!.start(sink);
        incoming.reply.head(200, "", [], () => {}).write(Buffer.from("begun"));
      };
      await withServer(small, onRequest, async ({ server }) => {
        const raw = new RawClient(server.port);
        raw.send(chunked);
        await raw.until("begun");
        raw.send("b\r\n0123456789a\r\n");
        expect((await raw.closed).endsWith("5\r\nbegun\r\n")).toBe(true);
        expect(sink.error?.code).toBe("body_too_large");
      });
    });
  });

  describe("timers", () => {
    test("a head that does not come to its end: 408", async () => {
      await withServer({ headerTimeoutMs: 20 }, echo, async ({ server, refusals, seen }) => {
        expect(await converse(server.port, "GET / HTTP/1.1\r\nHo")).toMatch(/^HTTP\/1\.1 408 /);
        expect([refusals[0]!.code, seen.length]).toEqual(["client_header_timeout", 0]);
      });
    });

    test("a head that trickles does not win time with every byte", async () => {
      await withServer({ headerTimeoutMs: 60 }, echo, async ({ server, refusals }) => {
        const raw = new RawClient(server.port);
        raw.send("GET / HTTP/1.1\r\nA: ");
        while (refusals.length === 0) {
          raw.send("b");
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        expect(await raw.closed).toMatch(/^HTTP\/1\.1 408 /);
      });
    });

    test("a body that stalls: 408, and its consumer is told", async () => {
      const sink = new CountingSink();
      const take = (incoming: Incoming) => incoming.body!.start(sink);
      await withServer({ bodyIdleTimeoutMs: 20 }, take, async ({ server, refusals, seen }) => {
        expect(await converse(server.port, `${post(10)}0123`)).toMatch(/^HTTP\/1\.1 408 /);
        expect([refusals[0]!.code, sink.error?.code, sink.taken]).toEqual([
          "client_body_timeout",
          "client_body_timeout",
          4,
        ]);
        expect(seen[0]!.abort.reason).toBe("client");
      });
    });

    test("a caller that stops reading is let go", async () => {
      let finished: boolean | null = null;
      const pour = ({ reply, abort }: Incoming) => {
        reply.onFinish((complete) => (finished = complete));
        const chunk = Buffer.alloc(64 * 1024);
        const fill = () => {
          while (!abort.aborted && sink.write(chunk));
        };
        const sink = reply.head(200, "", [], fill);
        fill();
      };
      await withServer({ writeStallTimeoutMs: 40 }, pour, async ({ server, seen }) => {
        const raw = new RawClient(server.port);
        raw.socket.pause();
        raw.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        await until(() => finished !== null);
        expect([finished, seen[0]!.abort.reason]).toEqual([false, "client"]);
        raw.destroy();
      });
    });

    test("a connection that nobody uses is closed without a word", async () => {
      await withServer({ keepAliveTimeoutMs: 20 }, echo, async ({ server, refusals }) => {
        expect(await converse(server.port, "")).toBe("");
        const answer = await converse(server.port, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
        expect(answer.endsWith("GET /a ")).toBe(true);
        expect(refusals).toEqual([]);
      });
    });
  });
}
