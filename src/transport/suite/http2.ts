/** HTTP/2 to upstreams: asked for by ALPN or known before, and HTTP/1.1 where it is not spoken. */
import http2, { type Http2SecureServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Abort } from "../../base/abort.ts";
import type { Client, ClientRequest } from "../transport.ts";
import { type Adapter, collect, CountingSink, echo, HandSource, HOST, pairs, text } from "./adapter.ts";
import { makeAuthority, makeIdentity } from "./certificates.ts";
import { turn, until } from "./raw.ts";

type Headers = Record<string, string | string[] | undefined>;

export function http2Suite(adapter: Adapter): void {
  const authority = makeAuthority("Test CA");
  const identity = makeIdentity({ name: "h2", issuer: authority, addresses: [HOST] });
  const tls = { validateChain: true, validateName: true, ca: [authority.cert] };
  let secure: Http2SecureServer;
  let plain: Http2Server;
  let client: Client;
  let onStream: (stream: ServerHttp2Stream, headers: Headers) => void = echoStream;
  let sessions = 0;
  let streams = 0;

  function echoStream(stream: ServerHttp2Stream, headers: Headers): void {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      stream.respond({ ":status": 200, "x-a": ["1", "2"] });
      stream.end(`${headers[":method"]} ${headers[":path"]} ${Buffer.concat(chunks).toString()}`);
    });
  }

  function watch(server: Http2Server | Http2SecureServer): void {
    server.on("session", () => sessions++);
    server.on("sessionError", () => {});
    server.on("stream", (stream: ServerHttp2Stream, headers: Headers) => {
      streams++;
      stream.on("error", () => {});
      stream.on("close", () => streams--);
      onStream(stream, headers);
    });
  }

  beforeAll(async () => {
    client = adapter.createClient();
    secure = http2.createSecureServer(identity);
    plain = http2.createServer();
    for (const server of [secure, plain]) {
      watch(server);
      await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
    }
  });
  afterAll(async () => {
    await client.close();
    secure.close();
    plain.close();
  });

  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

  function request(part: Partial<ClientRequest> = {}): ClientRequest {
    const base = {
      method: "GET",
      scheme: "https",
      host: HOST,
      port: portOf(secure),
      target: "/a?b",
      body: null,
    } as const;
    return { ...base, rawHeaders: ["Host", "h"], abort: new Abort(), tls, httpVersion: "2", ...part };
  }

  describe("http/2", () => {
    test.each<[string, Partial<ClientRequest>]>([
      ["by ALPN", {}],
      ["by ALPN, if it is spoken", { httpVersion: "2or1" }],
      ["by prior knowledge", { scheme: "http" }],
    ])("%s", async (_name, part) => {
      onStream = echoStream;
      const own = part.scheme === "http" ? { ...part, port: portOf(plain) } : part;
      const response = await client.send(request(own));
      expect([response.status, response.httpVersion]).toEqual([200, "2"]);
      expect(pairs(response.rawHeaders).slice(0, 2)).toEqual(["x-a: 1", "x-a: 2"]);
      expect(await text(response.body)).toBe("GET /a?b ");
    });

    test.each<[string, Partial<ClientRequest>]>([
      ["2or1", { httpVersion: "2or1" }],
      ["2or1 without TLS", { httpVersion: "2or1", scheme: "http" }],
    ])("%s falls back to HTTP/1.1", async (_name, part) => {
      const own = part.scheme === "http" ? {} : { tls: identity };
      const old = await adapter.createServer({ host: HOST, port: 0, onRequest: echo, http2: false, ...own });
      const response = await client.send(request({ ...part, port: old.port }));
      expect([response.httpVersion, await text(response.body)]).toEqual(["1.1", "GET /a?b "]);
      await old.close();
    });

    test("an upstream without HTTP/2 that must have it fails", async () => {
      const old = await adapter.createServer({
        host: HOST,
        port: 0,
        onRequest: echo,
        http2: false,
        tls: identity,
      });
      const sent = client.send(request({ port: old.port }));
      await expect(sent).rejects.toMatchObject({
        nothingSent: true,
        code: expect.stringMatching(/upstream_protocol|tls_failed/),
      });
      await old.close();
    });

    test("requests share a connection, also those that come while it opens", async () => {
      onStream = echoStream;
      const fresh = adapter.createClient();
      sessions = 0;
      const bodies = await Promise.all(
        Array.from({ length: 30 }, async (_, i) => {
          const response = await fresh.send(
            request({ method: "POST", target: `/${i}`, body: Buffer.from("x".repeat(i)) }),
          );
          return text(response.body);
        }),
      );
      expect(bodies).toEqual(Array.from({ length: 30 }, (_, i) => `POST /${i} ${"x".repeat(i)}`));
      expect(sessions).toBe(1);
      await fresh.close();
    });

    test("bodies stream up and trailers travel both ways", async () => {
      onStream = (stream) => {
        let trailers = "";
        stream.on("trailers", (headers: Headers) => (trailers = String(headers["checksum"])));
        stream.resume();
        stream.on("end", () => {
          stream.respond({ ":status": 200 }, { waitForTrailers: true });
          stream.on("wantTrailers", () => stream.sendTrailers({ seen: trailers }));
          stream.end("x");
        });
      };
      const body = new HandSource();
      const sent = client.send(request({ method: "POST", body }));
      const sink = await body.started;
      sink.write(Buffer.from("a"));
      sink.end(["Checksum", "b"]);
      const { bytes, trailers } = await collect((await sent).body);
      expect([bytes.toString(), pairs(trailers!)]).toEqual(["x", ["seen: b"]]);
      const without = new HandSource(1);
      const again = client.send(request({ method: "POST", body: without }));
      (await without.started).write(Buffer.from("a"));
      without.sink!.end();
      expect(await text((await again).body)).toBe("x");
    });

    test("a response nobody takes stops the upstream, and no other stream", async () => {
      let written = 0;
      onStream = (stream, headers) => {
        if (headers[":path"] === "/quick") {
          echoStream(stream, headers);
          return;
        }
        stream.respond({ ":status": 200 });
        const chunk = Buffer.alloc(16 * 1024);
        const fill = () => {
          while (!stream.destroyed && stream.write(chunk)) written += chunk.length;
          written += chunk.length;
        };
        stream.on("drain", fill);
        fill();
      };
      const response = await client.send(request());
      const sink = new CountingSink();
      sink.open = false;
      response.body!.start(sink);
      await until(() => sink.taken > 0);
      for (let i = 0; i < 50; i++) await turn();
      const stuck = written;
      const quick = await client.send(request({ target: "/quick" }));
      expect(await text(quick.body)).toBe("GET /quick ");
      expect(written).toBe(stuck);
      expect(sink.taken).toBeLessThan(256 * 1024);
      response.body!.cancel();
      await until(() => streams === 0);
    });

    test.each([
      ["before the response", () => {}],
      [
        "in the response",
        (stream: ServerHttp2Stream) => {
          stream.respond({ ":status": 200 });
          stream.write("tick");
        },
      ],
    ])("an abort %s resets the stream", async (_name, act) => {
      onStream = act;
      const abort = new Abort();
      const sent = client.send(request({ abort }));
      const failed = sent.then(
        (response) => collect(response.body),
        (error) => Promise.reject(error),
      );
      await until(() => streams === 1);
      for (let i = 0; i < 10; i++) await turn();
      abort.abort("client");
      await expect(failed).rejects.toMatchObject({ code: "aborted" });
      await until(() => streams === 0);
    });

    test.each<[string, (stream: ServerHttp2Stream) => void, Partial<ClientRequest>, string]>([
      [
        "a reset before the response",
        (stream) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR),
        {},
        "upstream_closed",
      ],
      ["a lost connection", (stream) => stream.session!.destroy(), {}, "upstream_closed"],
      ["no response in time", () => {}, { timeouts: { headersMs: 20 } }, "headers_timeout"],
      [
        "a response that stalls",
        (stream) => stream.respond({ ":status": 200 }),
        { timeouts: { idleMs: 20 } },
        "idle_timeout",
      ],
      [
        "a response that breaks off",
        (stream) => {
          stream.respond({ ":status": 200 });
          stream.write("tick", () => setImmediate(() => stream.session?.destroy()));
        },
        {},
        "upstream_closed",
      ],
    ])("%s: %#", async (_name, act, part, code) => {
      onStream = act;
      const outcome = client.send(request(part)).then((response) => collect(response.body));
      await expect(outcome).rejects.toMatchObject({ code });
      await until(() => streams === 0);
    });

    test("a refused stream was not processed and is sent again", async () => {
      let refused = 0;
      onStream = (stream, headers) => {
        if (refused++ === 0) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
        else echoStream(stream, headers);
      };
      const response = await client.send(request({ method: "POST", body: Buffer.from("x") }));
      expect(await text(response.body)).toBe("POST /a?b x");
    });

    test("HEAD and 204 have no body", async () => {
      onStream = (stream, headers) => {
        const head = headers[":method"] === "HEAD";
        stream.respond(head ? { ":status": 200, "content-length": "5" } : { ":status": 204 }, {
          endStream: true,
        });
      };
      for (const method of ["HEAD", "GET"]) expect((await client.send(request({ method }))).body).toBe(null);
      await until(() => streams === 0);
    });
  });
}
