/**
 * HTTP/2 from callers: what HTTP/1.1 callers get, they get, each stream for itself. In clear and with TLS. Of the other
 * suites it repeats what is not about the octets of HTTP/1.1. Left out, as HTTP/2 has nothing like it: framing and its
 * splits (`http2-server-frames.ts` in its place), pipelining, 1.0, reason phrases, upgrades and tunnels.
 */
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from "node:http2";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Abort } from "../../base/abort.ts";
import type {
  BodySink,
  Client,
  ClientRequest,
  Incoming,
  Refusal,
  Server,
  ServerLimits,
} from "../transport.ts";
import { type Adapter, collect, CountingSink, echo, HandSource, HOST, pairs, text } from "./adapter.ts";
import { makeIdentity } from "./certificates.ts";
import { turn, until } from "./raw.ts";

/** What came of one stream. */
interface Answer {
  readonly status: number;
  readonly headers: string[];
  readonly body: string;
  readonly trailers: string[];
  /** The code it ended with; 0 = well. */
  readonly code: number;
}

const INTERNAL_ERROR = 2;
const CANCEL = 8;

export function http2ServerSuite(adapter: Adapter): void {
  const identity = makeIdentity({ name: "h2", addresses: [HOST] });
  const caller = makeIdentity({ name: "caller" });

  describe.each(["http", "https"] as const)("http/2 from callers over %s", (scheme) => {
    let server: Server;
    let client: Client;
    let session: ClientHttp2Session;
    let onRequest: (incoming: Incoming) => void = echo;
    const secured = scheme === "https" ? { tls: { ...identity, requestClientCertificate: true } } : {};

    beforeAll(async () => {
      client = adapter.createClient();
      server = await adapter.createServer({
        host: HOST,
        port: 0,
        ...secured,
        onRequest: (incoming) => onRequest(incoming),
      });
      session = connect(server.port);
    });
    afterAll(async () => {
      session.destroy();
      await client.close();
      await server.close();
    });

    function connect(port: number): ClientHttp2Session {
      const made = http2.connect(`${scheme}://${HOST}:${port}`, {
        rejectUnauthorized: false,
        key: caller.key,
        cert: caller.cert,
      });
      made.on("error", () => {});
      return made;
    }

    /** @param body undefined: the head is all of it; null: the test writes it */
    function ask(
      fields: OutgoingHttpHeaders,
      body?: Uint8Array | string | null,
      over = session,
    ): ClientHttp2Stream {
      const stream = over.request(fields, { endStream: body === undefined });
      stream.on("error", () => {});
      if (body !== undefined && body !== null) stream.end(body);
      return stream;
    }

    function answer(stream: ClientHttp2Stream): Promise<Answer> {
      return new Promise((resolve) => {
        const chunks: Buffer[] = [];
        let headers: string[] = [];
        let trailers: string[] = [];
        const list = (raw: unknown) => pairs((raw ?? []) as string[]);
        stream.on("response", (_headers, _flags, ...rest) => (headers = list(rest[0])));
        stream.on("trailers", (_headers, _flags, ...rest) => (trailers = list(rest[0])));
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("close", () => {
          const status = Number(headers.find((each) => each.startsWith(":status"))?.slice(9) ?? 0);
          const fields = headers.filter((each) => !each.startsWith(":"));
          resolve({
            status,
            headers: fields,
            body: Buffer.concat(chunks).toString(),
            trailers,
            code: stream.rstCode,
          });
        });
      });
    }

    const post = { ":method": "POST", ":path": "/a?b" };

    function request(part: Partial<ClientRequest> = {}): ClientRequest {
      return {
        method: "POST",
        scheme,
        host: HOST,
        port: server.port,
        target: "/a?b",
        rawHeaders: ["Host", "h"],
        body: null,
        abort: new Abort(),
        httpVersion: "2",
        tls: { validateChain: false, validateName: false },
        ...part,
      };
    }

    describe("requests", () => {
      const big = "0123456789abcdef".repeat(100_000);
      test.each<[string, Uint8Array | null, string]>([
        ["no body", null, ""],
        ["an empty body", new Uint8Array(0), ""],
        ["bytes", Buffer.from("hello"), "hello"],
        ["many bytes", Buffer.from(big), big],
      ])("with %s", async (_name, body, seen) => {
        onRequest = echo;
        const response = await client.send(request({ body }));
        expect([response.status, response.httpVersion]).toEqual([200, "2"]);
        expect((await text(response.body)) === `POST /a?b ${seen}`).toBe(true);
      });

      test("an end without octets that comes before anybody asks for the body", async () => {
        const stream = session.request(post, { endStream: false });
        const ended = new Promise<string>((resolve) => {
          onRequest = (incoming) => {
            stream.end();
            // A round trip on the same connection: what was sent before has arrived.
            session.ping(() => {
              void collect(incoming.body).then(({ bytes }) => {
                incoming.reply.send(200, "", [], null);
                resolve(`${bytes.length} octets`);
              });
            });
          };
        });
        expect(await ended).toBe("0 octets");
        stream.resume();
      });

      test("a body of unknown length, and trailers both ways", async () => {
        onRequest = (incoming) => {
          void collect(incoming.body).then(({ bytes, trailers }) => {
            const sink = incoming.reply.head(200, "", [], () => {});
            sink.write(bytes);
            sink.end([...trailers!, "Content-Length", "1", "Proxy-Connection", "a", "HTTP2-Settings", "b"]);
          });
        };
        const body = new HandSource();
        const sent = client.send(request({ body }));
        const sink = await body.started;
        sink.write(Buffer.from("hel"));
        sink.write(Buffer.from("lo"));
        sink.end(["Checksum", "b"]);
        const { bytes, trailers } = await collect((await sent).body);
        expect([bytes.toString(), pairs(trailers!)]).toEqual(["hello", ["checksum: b"]]);
      });

      test("show what they are", async () => {
        let seen!: Incoming;
        onRequest = (incoming) => {
          seen = incoming;
          echo(incoming);
        };
        const fields = { "x-b": "1", cookie: ["a=1", "b=2"], a: ["caf\xe9", "2"], te: "trailers" };
        const { status } = await answer(ask({ ":path": "/x?y", ":authority": "H.test:81", ...fields }));
        expect(status).toBe(200);
        expect(pairs(seen.rawHeaders)).toEqual([
          "host: H.test:81",
          "x-b: 1",
          "a: caf\xe9",
          "a: 2",
          "te: trailers",
          "cookie: a=1; b=2",
        ]);
        const { method, target, httpVersion, remoteAddress, encrypted, upgrade, body } = seen;
        expect({ method, target, httpVersion, remoteAddress, encrypted, upgrade, body }).toEqual({
          method: "GET",
          target: "/x?y",
          httpVersion: "2",
          remoteAddress: HOST,
          encrypted: scheme === "https",
          upgrade: false,
          body: null,
        });
        expect(seen.remotePort).toBe(session.socket?.localPort);
        const certificate = seen.clientCertificate();
        if (scheme === "http") expect(certificate).toBe(null);
        else expect(Buffer.from(certificate!).equals(caller.der)).toBe(true);
        expect(() => seen.reply.upgrade(101, "", [])).toThrow();
      });

      test("are many at once on one connection", async () => {
        const ports = new Set<number>();
        const waiting: Incoming[] = [];
        onRequest = (incoming) => {
          ports.add(incoming.remotePort);
          waiting.push(incoming);
        };
        const answers = Array.from({ length: 50 }, (_, i) =>
          answer(ask({ ...post, ":path": `/${i}` }, `${i}`)),
        );
        await until(() => waiting.length === 50);
        expect([server.active, ports.size]).toEqual([50, 1]);
        for (const incoming of waiting.toReversed()) echo(incoming);
        expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(
          Array.from({ length: 50 }, (_, i) => `POST /${i} ${i}`),
        );
        await until(() => server.active === 0);
      });

      test("100 is said when the body is wanted, and not otherwise", async () => {
        let taken!: Incoming;
        onRequest = (incoming) => (taken = incoming);
        let continued = false;
        const stream = ask({ ...post, expect: "100-continue", "content-length": 2 }, null);
        stream.on("continue", () => {
          continued = true;
          stream.end("hi");
        });
        const got = answer(stream);
        await until(() => taken !== undefined);
        for (let i = 0; i < 5; i++) await turn();
        expect(continued).toBe(false);
        echo(taken);
        expect((await got).body).toBe("POST /a?b hi");
      });
    });

    describe("answers", () => {
      test.each([
        [200, "2", "hi"],
        [204, undefined, ""],
        [205, undefined, ""],
        [304, "2", ""],
        [404, "2", "hi"],
        [599, "2", "hi"],
      ])("send %i", async (status, length, body) => {
        onRequest = ({ reply }) => reply.send(status, "", [], Buffer.from("hi"));
        const got = await answer(ask(post));
        expect([got.status, got.body, got.code]).toEqual([status, body, 0]);
        expect(got.headers.find((each) => each.startsWith("content-length"))?.slice(16)).toBe(length);
        expect(got.headers.filter((each) => each.startsWith("date: "))).toHaveLength(1);
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
        for (const reply of replies) {
          let finished: boolean | null = null;
          onRequest = (incoming) => {
            incoming.reply.onFinish((complete) => (finished = complete));
            reply(incoming);
          };
          const got = await answer(ask({ ":method": "HEAD" }));
          expect([got.status, got.body, got.code]).toEqual([200, "", 0]);
          expect(got.headers).toContain("content-length: 5");
          await until(() => finished === true && server.active === 0);
        }
      });

      test("carry no field of a connection, and the others as they were", async () => {
        const raw =
          "Connection close X-b 1 Keep-Alive a Transfer-Encoding chunked Upgrade h3 Proxy-Connection a X-A caf\xe9 x-b 2 Content-Type a Content-Type b Date never";
        onRequest = ({ reply }) => reply.send(200, "Fine", raw.split(" "), null);
        expect((await answer(ask(post))).headers).toEqual([
          "x-b: 1",
          "x-b: 2",
          "x-a: caf\xe9",
          "content-type: a",
          "content-type: b",
          "date: never",
          "content-length: 0",
        ]);
      });

      test.each([
        ["a line break in a value", 200, "", ["A", "b\r\nC: d"]],
        ["a line break in the reason", 200, "a\r\nb", []],
        ["a name that is no token", 200, "", ["a b", "c"]],
        ["a pseudo-field", 200, "", [":path", "c"]],
        ["a Content-Length that is no number", 200, "", ["Content-Length", "x"]],
        ["no status", 20, "", []],
        ["an interim status", 103, "", []],
        ["a switch of protocols", 101, "", []],
        ["a status beyond HTTP/2's", 600, "", []],
      ])("%s throws, and another answer can still be given", async (_name, status, reason, headers) => {
        onRequest = ({ reply }) => {
          const refused = expect.objectContaining({ code: "invalid_message" });
          expect(() => reply.send(status, reason, headers, null)).toThrow(refused);
          expect(() => reply.head(status, reason, headers, () => {})).toThrow(refused);
          expect(reply.started).toBe(false);
          reply.send(500, "", [], null);
        };
        expect((await answer(ask(post))).status).toBe(500);
      });

      test.each<[string, string[], (sink: BodySink) => void]>([
        ["that fails", [], (sink) => sink.fail(new Error("gone") as never)],
        ["shorter than its length", ["Content-Length", "9"], (sink) => sink.end()],
      ])("a body %s is visibly cut short", async (_name, headers, end) => {
        let finished: boolean | null = null;
        onRequest = ({ reply }) => {
          reply.onFinish((complete) => (finished = complete));
          const sink = reply.head(200, "", headers, () => {});
          sink.write(Buffer.from("hello"));
          end(sink);
        };
        expect((await answer(ask(post))).code).toBe(INTERNAL_ERROR);
        expect(finished).toBe(false);
      });

      test("a body longer than its length is cut there", async () => {
        onRequest = ({ reply }) => {
          const sink = reply.head(200, "", ["Content-Length", "3"], () => {});
          sink.write(Buffer.from("hello"));
          sink.write(Buffer.from("hello"));
          sink.end();
        };
        const got = await answer(ask(post));
        expect([got.body, got.code]).toEqual(["hel", 0]);
      });

      test("chunks are copied when they are written", async () => {
        onRequest = ({ reply }) => {
          const sink = reply.head(200, "", [], () => {});
          const chunk = Buffer.from("hello");
          sink.write(chunk);
          chunk.fill("x");
          sink.end();
        };
        expect((await answer(ask(post))).body).toBe("hello");
      });

      test.each([1_000, 50_000, 5_000_000])(
        "a body of %i that nobody reads does not harm the answer",
        async (size) => {
          let finished: boolean | null = null;
          onRequest = ({ reply }) => {
            reply.onFinish((complete) => (finished = complete));
            reply.send(401, "", [], Buffer.from("no"));
          };
          const got = await answer(ask(post, Buffer.alloc(size)));
          expect([got.status, got.body, got.code, finished]).toEqual([401, "no", 0, true]);
        },
      );
    });

    describe("a caller that hangs up", () => {
      const phases: [string, Uint8Array | string | null | undefined, (incoming: Incoming) => void][] = [
        ["waiting", undefined, () => {}],
        ["waiting, its body unread", "hello", () => {}],
        ["waiting, a large body unread", Buffer.alloc(1_000_000), () => {}],
        ["uploading", null, ({ body }) => body!.start(new CountingSink())],
        [
          "getting an answer",
          undefined,
          ({ reply }) => reply.head(200, "", [], () => {}).write(Buffer.from("x")),
        ],
        [
          "not reading its answer",
          undefined,
          ({ reply }) => reply.head(200, "", [], () => {}).write(Buffer.alloc(1_000_000)),
        ],
      ];
      const ways: [string, (stream: ClientHttp2Stream, over: ClientHttp2Session) => void][] = [
        ["RST_STREAM", (stream) => stream.close(CANCEL)],
        ["RST_STREAM of no error", (stream) => stream.close(0)],
        ["GOAWAY of an error", (_stream, over) => over.goaway(INTERNAL_ERROR)],
        ["the end of its session", (_stream, over) => over.destroy()],
        // Node hides the socket's own methods behind the session.
        ["FIN", (_stream, over) => net(over).end()],
        ["the end of its socket", (_stream, over) => net(over).destroy()],
      ];
      for (const [phase, body, act] of phases) {
        // Node's client holds back a reset of no error until it has sent its body.
        const possible = ways.filter(([name]) => !(phase.includes("large") && name.endsWith("no error")));
        test.each(possible)(`while ${phase}, by %s`, async (_name, hangUp) => {
          let seen: Incoming | null = null;
          const finished: boolean[] = [];
          onRequest = (incoming) => {
            seen = incoming;
            incoming.reply.onFinish((complete) => finished.push(complete));
            act(incoming);
          };
          const over = connect(server.port);
          const stream = ask({ ...post, ":path": "/gone" }, body, over);
          await until(() => seen !== null);
          hangUp(stream, over);
          await until(() => seen!.abort.aborted && server.active === 0);
          expect([seen!.abort.reason, finished]).toEqual(["client", [false]]);
          if (phase === "uploading") {
            const other = new CountingSink();
            expect(() => seen!.body!.start(other)).toThrow();
          }
          // What is written to a caller that has gone is nobody's error.
          seen!.reply.send(200, "", [], Buffer.from("late"));
          over.destroy();
        });
      }

      test("in the middle of a body is told to its consumer", async () => {
        const sink = new CountingSink();
        onRequest = (incoming) => incoming.body!.start(sink);
        const over = connect(server.port);
        ask(post, null, over).write("hello");
        await until(() => sink.taken === 5);
        // Node's client would end a stream before it resets it.
        net(over).destroy();
        await until(() => sink.error !== null && server.active === 0);
        expect([sink.error!.code, sink.ended]).toEqual(["client_disconnected", false]);
      });

      test("while it waits for the answer to HEAD", async () => {
        let seen: Incoming | null = null;
        const finished: boolean[] = [];
        onRequest = (incoming) => {
          seen = incoming;
          incoming.reply.onFinish((complete) => finished.push(complete));
        };
        const stream = ask({ ":method": "HEAD" });
        await until(() => seen !== null);
        stream.close(CANCEL);
        await until(() => seen!.abort.aborted && server.active === 0);
        seen!.reply.send(200, "", [], null);
        expect(finished).toEqual([false]);
      });

      test("before it is answered harms nobody, however the answer comes", async () => {
        onRequest = ({ reply }) => void setImmediate(() => reply.send(200, "", [], Buffer.from("late")));
        for (const method of ["GET", "HEAD"]) {
          for (let i = 0; i < 20; i++) {
            const stream = ask({ ":method": method });
            setImmediate(() => stream.close(CANCEL));
            await new Promise((resolve) => stream.once("close", resolve));
          }
        }
        await until(() => server.active === 0);
      });

      test("leaves the other streams of its connection alone", async () => {
        const waiting: Incoming[] = [];
        onRequest = (incoming) => void waiting.push(incoming);
        const streams = Array.from({ length: 5 }, () => ask(post));
        const answers = streams.map(answer);
        await until(() => waiting.length === 5);
        streams[2]!.close(CANCEL);
        await until(() => waiting[2]!.abort.aborted);
        expect(waiting.map(({ abort }) => abort.aborted)).toEqual([false, false, true, false, false]);
        for (const { reply } of waiting) reply.send(200, "", [], Buffer.from("ok"));
        expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(["ok", "ok", "", "ok", "ok"]);
      });
    });

    describe("backpressure", () => {
      test("a stream that is not read stops its writer, and no other", async () => {
        let written = 0;
        let blocked = false;
        const size = 8 * 1024 * 1024;
        onRequest = (incoming) => {
          if (incoming.target !== "/slow") {
            echo(incoming);
            return;
          }
          const chunk = Buffer.alloc(16 * 1024);
          const fill = () => {
            while (written < size) {
              written += chunk.length;
              if (!sink.write(chunk)) {
                blocked = true;
                return;
              }
            }
            sink.end();
          };
          const sink = incoming.reply.head(200, "", [], fill);
          fill();
        };
        const slow = ask({ ":path": "/slow" });
        slow.pause();
        await until(() => blocked);
        for (let i = 0; i < 10; i++) expect((await answer(ask(post, `${i}`))).body).toBe(`POST /a?b ${i}`);
        expect(written).toBeLessThan(1024 * 1024);
        const whole = answer(slow);
        slow.resume();
        const got = await whole;
        expect([got.body.length, got.code]).toEqual([size, 0]);
      });

      test("a consumer without room stops its caller, and no other", async () => {
        const sink = new CountingSink();
        sink.open = false;
        let slow!: Incoming;
        onRequest = (incoming) => {
          if (incoming.target !== "/slow") {
            echo(incoming);
            return;
          }
          slow = incoming;
          incoming.body!.start(sink);
        };
        // Node's client refuses answers while it has more than 10 MB to send.
        const size = 4 * 1024 * 1024;
        const stream = ask({ ...post, ":path": "/slow" }, Buffer.alloc(size));
        await until(() => sink.taken > 0);
        for (let i = 0; i < 10; i++) {
          const large = "x".repeat(200_000);
          const got = await answer(ask(post, large));
          expect([got.status, got.code, got.body.length]).toEqual([200, 0, large.length + 10]);
        }
        expect(sink.taken).toBeLessThanOrEqual(64 * 1024);
        sink.open = true;
        slow.body!.resume();
        await until(() => sink.ended);
        expect(sink.taken).toBe(size);
        slow.reply.send(200, "", [], null);
        expect((await answer(stream)).status).toBe(200);
      });
    });

    describe("limits", () => {
      const small = { headerBytes: 200, headerCount: 5, targetBytes: 40, bodyBytes: 10 };

      async function withServer(
        limits: Partial<ServerLimits>,
        act: (incoming: Incoming) => void,
        run: (over: ClientHttp2Session, seen: Incoming[], refusals: Refusal[], own: Server) => Promise<void>,
      ): Promise<void> {
        const refusals: Refusal[] = [];
        const seen: Incoming[] = [];
        const own = await adapter.createServer({
          host: HOST,
          port: 0,
          limits,
          ...secured,
          onRequest: (incoming) => {
            seen.push(incoming);
            act(incoming);
          },
          onRefused: (refusal) => refusals.push(refusal),
        });
        const over = connect(own.port);
        try {
          await run(over, seen, refusals, own);
          await until(() => own.active === 0);
        } finally {
          over.destroy();
          await own.close();
        }
      }

      const get = (fields: OutgoingHttpHeaders): OutgoingHttpHeaders => ({ ":authority": "h", ...fields });
      test.each<[string, OutgoingHttpHeaders, number, string]>([
        ["a target at the limit", get({ ":path": `/${"a".repeat(39)}` }), 200, ""],
        ["a target beyond it", get({ ":path": `/${"a".repeat(40)}` }), 414, "target_too_long"],
        ["headers at the limit", get({ a: "b".repeat(200 - 9 - 5) }), 200, ""],
        ["headers beyond it", get({ a: "b".repeat(200 - 9 - 4) }), 431, "header_too_large"],
        ["as many headers as allowed", get({ a: ["1", "2", "3", "4"] }), 200, ""],
        ["one header too many", get({ a: ["1", "2", "3", "4", "5"] }), 431, "too_many_headers"],
        [
          "a Host that is the authority",
          get({ host: "H:80" }),
          scheme === "http" ? 200 : 400,
          scheme === "http" ? "" : "bad_framing",
        ],
        ["a Host that is not", get({ host: "i" }), 400, "bad_framing"],
        ["a malformed authority", get({ ":authority": "h,i" }), 400, "bad_framing"],
        ["a fragment in the target", get({ ":path": "/a#b" }), 400, "bad_framing"],
        ["* with OPTIONS", get({ ":method": "OPTIONS", ":path": "*" }), 200, ""],
        ["an expectation nobody knows", get({ expect: "a" }), 417, "unsupported_expectation"],
        ["CONNECT", { ":method": "CONNECT", ":authority": "h:80" }, 405, "connect_not_allowed"],
      ])("%s", async (_name, fields, status, code) => {
        await withServer(small, echo, async (over, seen, refusals) => {
          const got = await answer(ask(fields, undefined, over));
          expect([got.status, got.code]).toEqual([status, 0]);
          expect(refusals.map((refusal) => refusal.code)).toEqual(code === "" ? [] : [code]);
          expect(seen).toHaveLength(code === "" ? 1 : 0);
          expect(got.headers.some((each) => each.startsWith("allow: "))).toBe(status === 405);
          if (code !== "") {
            const { requestId } = refusals[0]!;
            expect(JSON.parse(got.body)).toMatchObject({ statusCode: status, code, requestId });
          }
        });
      });

      test.each<[string, number, boolean, number | undefined, number]>([
        ["a body at the limit", 10, true, undefined, 200],
        ["a body beyond it", 11, true, undefined, 413],
        ["a body of unknown length at the limit", 10, false, undefined, 200],
        ["a body of unknown length beyond it", 11, false, undefined, 413],
        ["a limit raised for one request", 11, true, 11, 200],
        ["a limit lowered for one request", 10, false, 9, 413],
        ["a body far beyond it", 3_000_000, false, undefined, 413],
      ])("%s", async (_name, size, announced, limit, status) => {
        const act = (incoming: Incoming) => {
          if (limit !== undefined) incoming.limitBody(limit);
          echo(incoming);
        };
        await withServer(small, act, async (over, seen, refusals) => {
          const fields = { ...post, ...(announced ? { "content-length": size } : {}) };
          const got = await answer(ask(fields, Buffer.alloc(size), over));
          expect([got.status, got.code]).toEqual([status, 0]);
          expect(refusals.map((refusal) => refusal.code)).toEqual(status === 200 ? [] : ["body_too_large"]);
          if (status !== 200) {
            expect([seen[0]!.abort.reason, seen[0]!.reply.started]).toEqual(["client", true]);
            expect(seen[0]!.refusal).toBe(refusals[0]);
          }
        });
      });

      test("a body that stalls: 408, and its consumer is told", async () => {
        const sink = new CountingSink();
        const take = (incoming: Incoming) => incoming.body!.start(sink);
        await withServer({ bodyIdleTimeoutMs: 20 }, take, async (over, seen, refusals) => {
          const stream = ask(post, null, over);
          stream.write("0123");
          expect((await answer(stream)).status).toBe(408);
          expect([refusals[0]!.code, sink.error?.code, sink.taken]).toEqual([
            "client_body_timeout",
            "client_body_timeout",
            4,
          ]);
          expect(seen[0]!.abort.reason).toBe("client");
        });
      });

      test("a body beyond the limit behind an answer that has begun cuts it", async () => {
        const sink = new CountingSink();
        const act = (incoming: Incoming) => {
          incoming.body!.start(sink);
          incoming.reply.head(200, "", [], () => {}).write(Buffer.from("begun"));
        };
        await withServer(small, act, async (over, seen) => {
          const stream = ask(post, null, over);
          stream.once("data", () => stream.write("0123456789a"));
          expect((await answer(stream)).code).toBe(CANCEL);
          expect([sink.error?.code, seen[0]!.abort.reason]).toEqual(["body_too_large", "client"]);
        });
      });

      test("a caller that stops reading one stream loses that one", async () => {
        let finished: boolean | null = null;
        const pour = (incoming: Incoming) => {
          if (incoming.target !== "/slow") {
            echo(incoming);
            return;
          }
          const { reply, abort } = incoming;
          reply.onFinish((complete) => (finished = complete));
          const chunk = Buffer.alloc(64 * 1024);
          const fill = () => {
            while (!abort.aborted && sink.write(chunk));
          };
          const sink = reply.head(200, "", [], fill);
          fill();
        };
        await withServer({ writeStallTimeoutMs: 40 }, pour, async (over, seen) => {
          const slow = ask({ ":path": "/slow" }, undefined, over);
          slow.pause();
          await until(() => finished !== null);
          expect([finished, seen[0]!.abort.reason]).toEqual([false, "client"]);
          expect((await answer(ask(post, "x", over))).body).toBe("POST /a?b x");
        });
      });

      test("a connection that nobody uses is closed, one in use is not", async () => {
        let open!: Incoming;
        await withServer(
          { keepAliveTimeoutMs: 30 },
          (incoming) => (open = incoming),
          async (over, _seen, _refusals, own) => {
            const idle = connect(own.port);
            const closed = new Promise((resolve) => idle.once("close", resolve));
            const got = answer(ask(post, undefined, over));
            await closed;
            await until(() => open !== undefined);
            open.reply.send(200, "", [], null);
            expect((await got).status).toBe(200);
            await new Promise((resolve) => over.once("close", resolve));
          },
        );
      });

      test("a drain lets streams end that are under way, and closes what is idle", async () => {
        const waiting: Incoming[] = [];
        await withServer(
          {},
          (incoming) => void waiting.push(incoming),
          async (over, _seen, _refusals, own) => {
            const idle = connect(own.port);
            const idleGone = new Promise((resolve) => idle.once("close", resolve));
            await new Promise((resolve) => idle.once("remoteSettings", resolve));
            const before = answer(ask(post, undefined, over));
            await until(() => waiting.length === 1);
            const drained = own.drain();
            await idleGone;
            expect(own.active).toBe(1);
            await until(() => over.closed);
            for (const { reply } of waiting) reply.send(200, "", [], Buffer.from("ok"));
            expect((await before).body).toBe("ok");
            await drained;
            expect(own.active).toBe(0);
          },
        );
      });
    });
  });

  describe("http/2 by ALPN", () => {
    test.each<[string, string[] | undefined, boolean | undefined, string | false]>([
      ["both", ["http/1.1", "h2"], undefined, "h2"],
      ["HTTP/1.1 alone", ["http/1.1"], undefined, "http/1.1"],
      ["nothing", undefined, undefined, false],
      ["both, of a server without HTTP/2", ["h2", "http/1.1"], false, "http/1.1"],
    ])("asked for %s", async (_name, protocols, speaks, chosen) => {
      const server = await adapter.createServer({
        host: HOST,
        port: 0,
        tls: identity,
        http2: speaks,
        onRequest: echo,
      });
      const socket = tls.connect({
        port: server.port,
        host: HOST,
        rejectUnauthorized: false,
        ALPNProtocols: protocols,
      });
      await new Promise((resolve) => socket.once("secureConnect", resolve));
      expect(socket.alpnProtocol).toBe(chosen);
      let answer = "";
      socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
      socket.write(
        chosen === "h2" ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" : "GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
      );
      // A SETTINGS frame comes first from a server of HTTP/2.
      await until(() => (chosen === "h2" ? answer.charCodeAt(3) === 4 : answer.endsWith("GET /a ")));
      socket.destroy();
      await server.close();
    });
  });
}

/** The socket below a session. */
function net(session: ClientHttp2Session): { end(): void; destroy(): void } {
  const key = Object.getOwnPropertySymbols(session).find((each) => each.description === "socket")!;
  return (session as unknown as Record<symbol, { end(): void; destroy(): void }>)[key]!;
}
