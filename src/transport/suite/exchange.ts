/** Requests and responses: every way a message can be framed, one after the other on one connection. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Abort } from "../../base/abort.ts";
import type { BodySource, Client, ClientRequest, Incoming, Server } from "../transport.ts";
import { type Adapter, collect, CountingSink, echo, HandSource, HOST, pairs, text } from "./adapter.ts";
import { converse, RawClient, turn, until } from "./raw.ts";

/** `length` bytes of an endless text that differs by `seed`, from `at` on. */
function pattern(seed: number, at: number, length: number): Buffer {
  const text = PATTERNS[seed]!;
  const from = at % PERIOD;
  return text.subarray(from, from + length);
}

const PERIOD = 65_521;
const PATTERNS = [0, 1, 2, 3, 4].map((seed) => {
  const one = Buffer.from(Array.from({ length: PERIOD }, (_, i) => (i * (2 * seed + 1) + (i >> 8)) & 255));
  return Buffer.concat([one, one, one]);
});

export function exchangeSuite(adapter: Adapter): void {
  let server: Server;
  let client: Client;
  let onRequest: (incoming: Incoming) => void = echo;
  beforeAll(async () => {
    server = await adapter.createServer({
      host: HOST,
      port: 0,
      onRequest: (incoming) => onRequest(incoming),
    });
    client = adapter.createClient();
  });
  afterAll(async () => {
    await client.close();
    await server.close();
  });

  function request(method: string, target: string, body: ClientRequest["body"] = null): ClientRequest {
    const rawHeaders = ["Host", "h"];
    return {
      method,
      scheme: "http",
      host: HOST,
      port: server.port,
      target,
      rawHeaders,
      body,
      abort: new Abort(),
    };
  }

  /** A source that pushes `chunks` as fast as the sink takes them. */
  function source(chunks: string[], length: number | undefined, trailers?: string[]): BodySource {
    const hand = new HandSource(length);
    let next = 0;
    const push = () => {
      while (next < chunks.length) if (!hand.sink!.write(Buffer.from(chunks[next++]!))) return;
      hand.sink!.end(trailers);
    };
    hand.resume = push;
    void hand.started.then(push);
    return hand;
  }

  describe("requests", () => {
    const big = "0123456789abcdef".repeat(20_000);
    const bodies: [string, () => ClientRequest["body"], string][] = [
      ["no body", () => null, ""],
      ["an empty body", () => new Uint8Array(0), ""],
      ["bytes", () => Buffer.from("hello"), "hello"],
      ["many bytes", () => Buffer.from(big), big],
      ["a source of known length", () => source(["hel", "lo"], 5), "hello"],
      ["a source of unknown length", () => source(["hel", "", "lo"], undefined), "hello"],
      [
        "a large source",
        () => source(Array(50).fill(big.slice(0, 10_000)), undefined),
        big.slice(0, 10_000).repeat(50),
      ],
      ["a source that is empty", () => source([], 0), ""],
      ["a source of unknown length that is empty", () => source([], undefined), ""],
    ];
    for (const method of ["GET", "POST", "DELETE", "PURGE"]) {
      test.each(bodies)(`${method} with %s`, async (_name, body, seen) => {
        onRequest = echo;
        const response = await client.send(request(method, "/a?b", body()));
        expect(response.status).toBe(200);
        expect(await text(response.body)).toBe(`${method} /a?b ${seen}`);
      });
    }

    test("trailers travel both ways", async () => {
      onRequest = (incoming) => {
        void collect(incoming.body).then(({ trailers }) => {
          const sink = incoming.reply.head(200, "", [], () => {});
          sink.write(Buffer.from("x"));
          sink.end([...trailers!, "Content-Length", "1"]);
        });
      };
      const response = await client.send(request("POST", "/", source(["a"], undefined, ["Checksum", "b"])));
      const { bytes, trailers } = await collect(response.body);
      expect([bytes.toString(), pairs(trailers!)]).toEqual(["x", ["Checksum: b"]]);
    });

    test("headers keep their order, case and duplicates, and octets beyond ASCII", async () => {
      let seen: string[] = [];
      onRequest = (incoming) => {
        seen = incoming.rawHeaders;
        incoming.reply.send(200, "Fine €", ["X-b", "1", "X-A", "caf\xe9", "x-b", "2", "Date", "never"], null);
      };
      const asked = request("GET", "/");
      const rawHeaders = ["Host", "h", "b", "1", "A", "\xe9", "B", "2", "c", "€"];
      const response = await client.send({ ...asked, rawHeaders });
      expect(pairs(seen)).toEqual(["Host: h", "b: 1", "A: \xe9", "B: 2", "c: \xe2\x82\xac"]);
      expect(response.reason).toBe("Fine \xe2\x82\xac");
      expect(pairs(response.rawHeaders)).toEqual([
        "X-b: 1",
        "X-A: caf\xe9",
        "x-b: 2",
        "Date: never",
        "Content-Length: 0",
      ]);
    });

    test.each([
      ["a line break in a value", { rawHeaders: ["Host", "h", "A", "b\r\nC: d"] }],
      ["NUL in a value", { rawHeaders: ["Host", "h", "A", "\0"] }],
      ["a space in a name", { rawHeaders: ["Host", "h", "A B", "c"] }],
      ["an empty name", { rawHeaders: ["Host", "h", "", "c"] }],
      ["no Host", { rawHeaders: [] }],
      ["two Hosts", { rawHeaders: ["Host", "h", "host", "i"] }],
      ["a space in the target", { target: "/a b" }],
      ["a line break in the target", { target: "/a\r\nHost: x" }],
      ["a line break in the method", { method: "GET\r\n" }],
    ])("%s is not sent", async (_name, part) => {
      await expect(client.send({ ...request("GET", "/"), ...part })).rejects.toMatchObject({
        code: "invalid_message",
      });
    });

    test("a body that breaks its promise of a length is not taken for whole", async () => {
      const sinks: CountingSink[] = [];
      onRequest = (incoming) => {
        const sink = new CountingSink();
        sinks.push(sink);
        incoming.body!.start(sink);
      };
      await expect(client.send(request("POST", "/", source(["abc"], 5)))).rejects.toMatchObject({
        code: "invalid_message",
      });
      await expect(client.send(request("POST", "/", source(["abc", "defg"], 5)))).rejects.toMatchObject({
        code: "invalid_message",
      });
      await until(() => server.active === 0);
      expect(sinks.every((sink) => !sink.ended && sink.error?.code === "client_disconnected")).toBe(true);
    });
  });

  describe("responses", () => {
    test.each([
      [200, "Content-Length: 2", "hi"],
      [204, null, ""],
      [304, null, ""],
      [404, "Content-Length: 2", "hi"],
    ])("send %i", async (status, length, body) => {
      onRequest = ({ reply }) => reply.send(status, "", [], Buffer.from("hi"));
      const answer = await converse(server.port, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
      const [head, sent] = answer.split("\r\n\r\n");
      expect(sent).toBe(body);
      if (length === null) expect(head).not.toContain("Content-Length: 2\r\n\r\nhi");
      else expect(head).toContain(length);
      if (status === 204) expect(head).not.toContain("Content-Length");
    });

    test("HEAD gets the length and no body, however it is answered", async () => {
      const replies: ((incoming: Incoming) => void)[] = [
        ({ reply }) => reply.send(200, "", [], Buffer.from("hello")),
        ({ reply }) => reply.send(200, "", ["Content-Length", "5"], null),
        ({ reply }) => {
          const sink = reply.head(200, "", ["Content-Length", "5"], () => {});
          sink.write(Buffer.from("hello"));
          sink.end();
        },
      ];
      let all = "";
      onRequest = (incoming) => (incoming.method === "HEAD" ? replies.shift()!(incoming) : echo(incoming));
      const head = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
      all = await converse(
        server.port,
        `${head.repeat(3)}GET /end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
      );
      expect(all.match(/Content-Length: 5\r\n/g)).toHaveLength(3);
      expect(all).not.toContain("hello");
      expect(all.endsWith("GET /end ")).toBe(true);
    });

    test("a streamed answer is chunked in 1.1 and ends with the connection in 1.0", async () => {
      onRequest = ({ reply }) => {
        const sink = reply.head(200, "", [], () => {});
        sink.write(Buffer.from("hel"));
        sink.write(new Uint8Array(0));
        sink.write(Buffer.from("lo"));
        sink.end(["A", "b"]);
      };
      const modern = await converse(server.port, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
      expect(modern.split("\r\n\r\n").slice(1).join("\r\n\r\n")).toBe(
        "3\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\n",
      );
      const old = await converse(server.port, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      expect(old).toContain("Connection: close");
      expect(old).not.toContain("Transfer-Encoding");
      expect(old.endsWith("\r\n\r\nhello")).toBe(true);
    });

    test("1.0 keeps the connection when both sides can", async () => {
      onRequest = echo;
      const get = "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
      const answer = await converse(server.port, `${get}GET /b HTTP/1.0\r\n\r\n`);
      expect(answer.match(/Connection: [\w-]+/g)).toEqual(["Connection: keep-alive", "Connection: close"]);
    });

    test.each([
      ["shorter than its length", ["Content-Length", "9"], "hello"],
      ["longer than its length", ["Content-Length", "3"], "hel"],
    ])("a body %s ends the connection", async (_name, headers, seen) => {
      onRequest = ({ reply }) => {
        const sink = reply.head(200, "", headers, () => {});
        sink.write(Buffer.from("hello"));
        sink.end();
      };
      const answer = await converse(server.port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(2));
      expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(answer.split("\r\n\r\n")[1]).toBe(seen);
    });

    test("a failed body is visibly cut short", async () => {
      const finished: boolean[] = [];
      onRequest = ({ reply }) => {
        reply.onFinish((complete) => finished.push(complete));
        const sink = reply.head(200, "", [], () => {});
        sink.write(Buffer.from("hello"));
        sink.fail(new Error("gone") as never);
      };
      const answer = await converse(server.port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      expect(answer.endsWith("5\r\nhello\r\n")).toBe(true);
      const response = await client.send(request("GET", "/"));
      await expect(collect(response.body)).rejects.toMatchObject({ code: "upstream_closed" });
      expect(finished).toEqual([false, false]);
    });

    test.each([
      ["a line break in a value", 200, "", ["A", "b\r\nC: d"]],
      ["a line break in the reason", 200, "a\r\nb", []],
      ["a name that is no token", 200, "", ["a b", "c"]],
      ["a Content-Length that is no number", 200, "", ["Content-Length", "x"]],
      ["no status", 20, "", []],
      ["an interim status", 103, "", []],
      ["a switch of protocols", 101, "", []],
    ])("%s throws, and another answer can still be given", async (_name, status, reason, headers) => {
      onRequest = ({ reply }) => {
        expect(() => reply.send(status, reason, headers, null)).toThrow(
          expect.objectContaining({ code: "invalid_message" }),
        );
        expect(() => reply.head(status, reason, headers, () => {})).toThrow();
        expect(reply.started).toBe(false);
        reply.send(500, "", [], null);
      };
      const response = await client.send(request("GET", "/"));
      expect(response.status).toBe(500);
    });
  });

  describe("connections", () => {
    test("are used again, one request at a time", async () => {
      const ports = new Set<number>();
      onRequest = (incoming) => {
        ports.add(incoming.remotePort);
        echo(incoming);
      };
      const fresh = adapter.createClient();
      for (let i = 0; i < 20; i++)
        await text((await fresh.send(request("POST", "/", Buffer.from("x")))).body);
      expect(ports.size).toBe(1);
      const both = await Promise.all([fresh.send(request("GET", "/")), fresh.send(request("GET", "/"))]);
      expect(ports.size).toBe(2);
      for (const response of both) await text(response.body);
      await fresh.close();
      await expect(fresh.send(request("GET", "/"))).rejects.toMatchObject({ code: "aborted" });
    });

    test("pipelined requests are answered in order, however long each takes", async () => {
      const waiting: Incoming[] = [];
      onRequest = (incoming) => void waiting.push(incoming);
      const raw = new RawClient(server.port);
      const gets = Array.from({ length: 10 }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: h\r\n\r\n`).join("");
      raw.send(gets);
      for (let i = 0; i < 10; i++) {
        await until(() => waiting.length > i);
        await turn();
        expect(waiting).toHaveLength(i + 1);
        waiting[i]!.reply.send(200, "", ["X-Target", waiting[i]!.target], null);
      }
      await raw.until("X-Target: /9");
      expect(raw.received.match(/X-Target: \/\d/g)!.join("")).toBe(
        [...Array(10).keys()].map((i) => `X-Target: /${i}`).join(""),
      );
      raw.destroy();
    });

    test("thousands of pipelined requests answered at once do not pile up on the stack", async () => {
      onRequest = ({ reply }) => reply.send(200, "", [], null);
      const gets = "GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(5000);
      const answer = await converse(
        server.port,
        `${gets}GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
      );
      expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(5001);
    });

    test("a small body that nobody reads is passed over, a large one ends the connection after the answer", async () => {
      onRequest = ({ reply }) => reply.send(401, "", [], Buffer.from("no"));
      const post = (bytes: number) =>
        `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${bytes}\r\n\r\n${"x".repeat(bytes)}`;
      const close = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
      const small = await converse(server.port, post(1000) + post(50_000) + close);
      expect(small.match(/HTTP\/1\.1 401/g)).toHaveLength(3);
      const large = await converse(server.port, post(5_000_000) + close);
      expect(large.match(/HTTP\/1\.1 401/g)).toHaveLength(1);
      expect(large).toContain("Connection: close");
      expect(large.endsWith("no")).toBe(true);
    });

    test("100 Continue is said when the body is wanted, and not otherwise", async () => {
      const post = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
      let take!: () => void;
      onRequest = (incoming) => (take = () => echo(incoming));
      const raw = new RawClient(server.port);
      raw.send(post);
      await until(() => take !== undefined);
      await turn();
      expect(raw.received).toBe("");
      take();
      expect(await raw.until("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
      raw.send("hi");
      await raw.until("POST / hi");
      raw.destroy();

      onRequest = ({ reply }) => reply.send(401, "", [], null);
      const refused = await converse(server.port, post);
      expect(refused).toMatch(/^HTTP\/1\.1 401/);
      expect(refused).toContain("Connection: close");
    });

    test("a client waits for 100 Continue, and no longer than it was told to", async () => {
      onRequest = echo;
      const patient = await client.send({
        ...request("POST", "/", Buffer.from("hi")),
        continueTimeoutMs: 60_000,
      });
      expect(await text(patient.body)).toBe("POST / hi");
      onRequest = ({ reply }) => reply.send(401, "", [], null);
      const body = new HandSource(5);
      const refused = await client.send({ ...request("POST", "/", body), continueTimeoutMs: 60_000 });
      expect([refused.status, body.sink, body.cancelled]).toEqual([401, null, true]);
    });

    test("a drain lets what is under way finish and closes what is idle", async () => {
      const waiting: Incoming[] = [];
      const own = await adapter.createServer({
        host: HOST,
        port: 0,
        onRequest: (incoming) => void waiting.push(incoming),
      });
      const idle = new RawClient(own.port);
      const busy = new RawClient(own.port);
      busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      await until(() => waiting.length === 1);
      expect(own.active).toBe(1);
      const drained = own.drain();
      expect(await idle.closed).toBe("");
      waiting[0]!.reply.send(200, "", [], null);
      expect(await busy.closed).toContain("Connection: close");
      await drained;
      expect(own.active).toBe(0);
    });
  });

  describe("backpressure", () => {
    test("a caller that does not read stops the writer, and starts it again", async () => {
      let written = 0;
      let blocked = false;
      let finish!: () => void;
      onRequest = ({ reply }) => {
        const chunk = Buffer.alloc(16 * 1024);
        const fill = () => {
          while (written < 64 * 1024 * 1024) {
            written += chunk.length;
            if (!sink.write(chunk)) {
              blocked = true;
              return;
            }
          }
          sink.end();
        };
        finish = () => (written = 64 * 1024 * 1024);
        const sink = reply.head(200, "", [], fill);
        fill();
      };
      const raw = new RawClient(server.port);
      raw.socket.pause();
      raw.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      await until(() => blocked);
      for (let i = 0; i < 50; i++) await turn();
      const stuck = written;
      expect(stuck).toBeLessThan(32 * 1024 * 1024);
      raw.socket.resume();
      await until(() => written > stuck + 1024 * 1024);
      finish();
      await raw.until("\r\n0\r\n\r\n");
      raw.destroy();
    });

    test("a consumer without room stops the caller, and the rest comes when it has some", async () => {
      const sink = new CountingSink();
      sink.open = false;
      let incoming!: Incoming;
      onRequest = (each) => {
        incoming = each;
        each.body!.start(sink);
      };
      const size = 9 * 1024 * 1024;
      const raw = new RawClient(server.port);
      raw.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${size}\r\n\r\n`);
      raw.socket.write(Buffer.alloc(size));
      await until(() => sink.taken > 0);
      for (let i = 0; i < 50; i++) await turn();
      expect(sink.taken).toBeLessThanOrEqual(64 * 1024);
      sink.open = true;
      incoming.body!.resume();
      await until(() => sink.ended);
      expect(sink.taken).toBe(size);
      incoming.reply.send(200, "", [], null);
      await raw.until("200 OK");
      raw.destroy();
    });

    test.each([
      ["chunked", undefined],
      ["of known length", 12 * 1024 * 1024],
    ])("what passes through to slow readers arrives byte for byte, %s", async (_name, length) => {
      const size = 12 * 1024 * 1024;
      const seeds = [1, 2];
      let produced = 0;
      onRequest = (incoming) => {
        const { method, target, reply, abort } = incoming;
        if (method === "POST") {
          const headers = length === undefined ? [] : ["Content-Length", String(length)];
          const fill = () => {
            while (at < size) {
              const chunk = pattern(
                Number(target.slice(1)),
                at,
                Math.min(1 + ((at * 7) % 50_000), size - at),
              );
              at += chunk.length;
              produced += chunk.length;
              if (!sink.write(chunk)) return;
            }
            sink.end();
          };
          let at = 0;
          const sink = reply.head(200, "", headers, fill);
          fill();
          return;
        }
        void client.send({ ...request("POST", target), abort }).then((response) => {
          const sink = reply.head(200, "", response.rawHeaders, () => response.body!.resume());
          response.body!.start(sink);
        });
      };
      const stalled = async () => {
        for (let before = -1; before !== produced;) {
          before = produced;
          for (let i = 0; i < 20; i++) await turn();
        }
      };
      const readers = seeds.map(async (seed) => {
        const response = await client.send(request("GET", `/${seed}`));
        let at = 0;
        let wrong = -1;
        let pauseAt = 1;
        await new Promise<void>((resolve, reject) => {
          response.body!.start({
            write: (chunk) => {
              if (wrong < 0 && !pattern(seed, at, chunk.length).equals(chunk)) wrong = at;
              at += chunk.length;
              // Every few megabytes it pauses until nobody on the way can move any more.
              if (at < pauseAt) return true;
              pauseAt += 4 * 1024 * 1024;
              void stalled().then(() => response.body!.resume());
              return false;
            },
            end: () => resolve(),
            fail: reject,
          });
        });
        return [at, wrong];
      });
      expect(await Promise.all(readers)).toEqual(seeds.map(() => [size, -1]));
    });

    test("a response nobody takes stops the upstream", async () => {
      let written = 0;
      onRequest = ({ reply, abort }) => {
        const chunk = Buffer.alloc(64 * 1024);
        const fill = () => {
          while (!abort.aborted) {
            written += chunk.length;
            if (!sink.write(chunk)) return;
          }
        };
        const sink = reply.head(200, "", [], fill);
        fill();
      };
      const response = await client.send(request("GET", "/"));
      const sink = new CountingSink();
      sink.open = false;
      response.body!.start(sink);
      await until(() => sink.taken > 0);
      for (let i = 0; i < 50; i++) await turn();
      const stuck = written;
      for (let i = 0; i < 50; i++) await turn();
      expect(sink.taken).toBeLessThanOrEqual(64 * 1024);
      expect(written).toBe(stuck);
      response.body!.cancel();
      await until(() => server.active === 0);
    });

    test("an upstream that does not read stops the body's source", async () => {
      let upstream!: Incoming;
      onRequest = (incoming) => (upstream = incoming);
      const body = new HandSource();
      const asked = request("POST", "/", body);
      const sent = client.send(asked);
      const sink = await body.started;
      let written = 0;
      const chunk = Buffer.alloc(64 * 1024);
      while (written < 64 * 1024 * 1024) {
        written += chunk.length;
        if (!sink.write(chunk)) {
          const before = body.resumed;
          for (let i = 0; i < 50 && body.resumed === before; i++) await turn();
          if (body.resumed === before) break;
        }
      }
      expect(written).toBeLessThan(32 * 1024 * 1024);
      asked.abort.abort("client");
      await expect(sent).rejects.toMatchObject({ code: "aborted" });
      expect(body.cancelled).toBe(true);
      upstream.body!.cancel();
      await until(() => server.active === 0);
    });
  });
}
