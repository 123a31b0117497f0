/** A client against upstreams that are scripted byte by byte: odd ones, broken ones, and ones that close too early. */
import net, { type AddressInfo, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Abort } from "../../base/abort.ts";
import type { Client, ClientRequest, ClientTimeouts } from "../transport.ts";
import { type Adapter, collect, HandSource, HOST, pairs, text } from "./adapter.ts";
import { turn, until } from "./raw.ts";

export function clientSuite(adapter: Adapter): void {
  let client: Client;
  let upstream: net.Server;
  let port = 0;
  let sockets = new Set<Socket>();
  /** Called for each connection. */
  let onConnection: (socket: Socket, count: number) => void = () => {};
  let connections = 0;

  beforeAll(async () => {
    upstream = net.createServer({ allowHalfOpen: true }, (socket) => {
      const current = sockets;
      current.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => current.delete(socket));
      onConnection(socket, ++connections);
    });
    await new Promise<void>((resolve) => upstream.listen(0, HOST, resolve));
    port = (upstream.address() as AddressInfo).port;
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    upstream.close();
  });

  function request(part: Partial<ClientRequest> = {}): ClientRequest {
    const base = { method: "GET", scheme: "http", host: HOST, port, target: "/", body: null } as const;
    return { ...base, rawHeaders: ["Host", "h"], abort: new Abort(), ...part };
  }

  /** Every request on every connection gets the next of `answers`; `null` closes, a number of pieces writes slowly. */
  function script(answers: (string | null)[], split = 0): void {
    connections = 0;
    for (const socket of sockets) socket.destroy();
    sockets = new Set();
    client = adapter.createClient();
    const left = [...answers];
    onConnection = (socket) => {
      socket.on("data", () => {
        const answer = left.shift();
        if (answer === undefined) return;
        if (answer === null) socket.destroy();
        else void write(socket, answer, split);
      });
      socket.on("end", () => socket.end());
    };
  }

  async function write(socket: Socket, answer: string, split: number): Promise<void> {
    const close = answer.endsWith("<FIN>");
    const bytes = close ? answer.slice(0, -5) : answer;
    if (split === 0) socket.write(bytes, "latin1");
    for (let at = 0; split > 0 && at < bytes.length && !socket.destroyed; at += split) {
      socket.write(bytes.slice(at, at + split), "latin1");
      await turn();
    }
    if (close) socket.end();
  }

  const OK = "HTTP/1.1 200 OK\r\n";

  describe("responses of all sorts", () => {
    test.each<[string, string, number, string | null]>([
      ["Content-Length", `${OK}Content-Length: 5\r\n\r\nhello`, 200, "hello"],
      ["Content-Length: 0", `${OK}Content-Length: 0\r\n\r\n`, 200, null],
      ["equal Content-Lengths", `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, 200, "hello"],
      [
        "chunks",
        `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n`,
        200,
        "hello world",
      ],
      [
        "chunks and trailers",
        `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n`,
        200,
        "x A: b",
      ],
      ["no length: to the end of the connection", `${OK}\r\nhello<FIN>`, 200, "hello"],
      ["HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello<FIN>", 200, "hello"],
      ["no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", 200, "hi"],
      ["an empty reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi", 200, "hi"],
      ["an unknown status", "HTTP/1.1 799 Odd\r\nContent-Length: 2\r\n\r\nhi", 799, "hi"],
      ["204", "HTTP/1.1 204 No Content\r\n\r\n", 204, null],
      ["204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, null],
      ["304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, null],
      [
        "interim responses first",
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}Content-Length: 2\r\n\r\nhi`,
        200,
        "hi",
      ],
    ])("%s", async (_name, answer, status, body) => {
      for (const split of [0, 1]) {
        script([answer], split);
        const response = await client.send(request());
        expect(response.status).toBe(status);
        if (body === null) expect(response.body).toBe(null);
        else {
          const { bytes, trailers } = await collect(response.body);
          expect([bytes.toString(), ...(trailers === undefined ? [] : pairs(trailers))].join(" ")).toBe(body);
        }
        await client.close();
      }
    });

    test("HEAD has a length and no body", async () => {
      script([`${OK}Content-Length: 5\r\n\r\n`, `${OK}Content-Length: 2\r\n\r\nhi`]);
      const response = await client.send(request({ method: "HEAD" }));
      expect([response.body, ...pairs(response.rawHeaders)]).toEqual([null, "Content-Length: 5"]);
      expect(await text((await client.send(request())).body)).toBe("hi");
      expect(connections).toBe(1);
    });

    test.each([
      ["no HTTP at all", "SSH-2.0-x\r\n\r\n"],
      ["HTTP/2", "HTTP/2.0 200 OK\r\n\r\n"],
      ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
      ["LF alone", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"],
      ["a folded header", `${OK}A: b\r\n c\r\nContent-Length: 0\r\n\r\n`],
      ["a space before the colon", `${OK}Content-Length : 0\r\n\r\n`],
      ["NUL in a header", `${OK}A: \0\r\nContent-Length: 0\r\n\r\n`],
      ["different Content-Lengths", `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nhi`],
      ["a Content-Length that is no number", `${OK}Content-Length: +2\r\n\r\nhi`],
      ["Content-Length and chunks", `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
      ["an unknown coding", `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
      [
        "two Transfer-Encodings",
        `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      ],
      ["chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
      ["101 unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"],
      ["endless interim responses", "HTTP/1.1 100 Continue\r\n\r\n".repeat(40)],
      ["a head without end", `${OK}${`A: ${"b".repeat(1000)}\r\n`.repeat(80)}`],
    ])("%s: upstream_protocol", async (_name, answer) => {
      script([answer]);
      await expect(client.send(request())).rejects.toMatchObject({
        code: "upstream_protocol",
        nothingSent: false,
      });
      await until(() => sockets.size === 0);
    });

    test.each([
      ["before its head", "<FIN>", null],
      ["in its head", `${OK}Conte<FIN>`, null],
      ["in a body with a length", `${OK}Content-Length: 9\r\n\r\nhello<FIN>`, "upstream_closed"],
      ["in a chunk", `${OK}Transfer-Encoding: chunked\r\n\r\n9\r\nhello<FIN>`, "upstream_closed"],
      ["between chunks", `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n<FIN>`, "upstream_closed"],
      ["with a broken chunk", `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello!!\r\n`, "upstream_protocol"],
    ])("a response that breaks off %s", async (_name, answer, inBody) => {
      for (const split of [0, 1]) {
        script([answer], split);
        const sent = client.send(request());
        if (inBody === null) await expect(sent).rejects.toMatchObject({ code: "upstream_closed" });
        else await expect(collect((await sent).body)).rejects.toMatchObject({ code: inBody });
        await until(() => sockets.size === 0);
      }
    });

    test("bytes behind a response never become the next one's", async () => {
      script([
        `${OK}Content-Length: 2\r\n\r\nhi${OK}Content-Length: 4\r\n\r\nevil`,
        `${OK}Content-Length: 4\r\n\r\ngood`,
      ]);
      expect(await text((await client.send(request())).body)).toBe("hi");
      expect(await text((await client.send(request())).body)).toBe("good");
      expect(connections).toBe(2);
    });

    test("bytes that come while nobody asks end the connection", async () => {
      script([`${OK}Content-Length: 2\r\n\r\nhi`, `${OK}Content-Length: 4\r\n\r\ngood`]);
      expect(await text((await client.send(request())).body)).toBe("hi");
      for (const socket of sockets) socket.write(`${OK}Content-Length: 4\r\n\r\nevil`);
      await until(() => sockets.size === 0);
      expect(await text((await client.send(request())).body)).toBe("good");
    });

    test.each([
      ["Connection: close", `${OK}Connection: close\r\nContent-Length: 2\r\n\r\nhi`, 2],
      ["HTTP/1.0 without keep-alive", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 2],
      [
        "HTTP/1.0 with keep-alive",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
        1,
      ],
      ["a keep-alive of a second", `${OK}Keep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nhi`, 2],
      ["a keep-alive of a minute", `${OK}Keep-Alive: timeout=60, max=9\r\nContent-Length: 2\r\n\r\nhi`, 1],
    ])("%s: %#", async (_name, answer, expected) => {
      script([answer, answer]);
      await text((await client.send(request())).body);
      await text((await client.send(request())).body);
      expect(connections).toBe(expected);
    });
  });

  describe("failures", () => {
    test("nobody listens: connect_failed", async () => {
      const closed = net.createServer().listen(0, HOST);
      await new Promise((resolve) => closed.once("listening", resolve));
      const dead = (closed.address() as AddressInfo).port;
      await new Promise((resolve) => closed.close(resolve));
      script([]);
      await expect(client.send(request({ port: dead }))).rejects.toMatchObject({
        code: "connect_failed",
        nothingSent: true,
      });
    });

    test("a name that cannot be: dns_failed", async () => {
      script([]);
      // Labels have at most 63 octets: the resolver says no without asking anybody.
      const host = `${"x".repeat(70)}.invalid`;
      await expect(client.send(request({ host }))).rejects.toMatchObject({
        code: "dns_failed",
        nothingSent: true,
      });
    });

    test.each<[string, string, Partial<ClientTimeouts>, string, boolean]>([
      ["no head in time", "", { headersMs: 20 }, "headers_timeout", false],
      ["half a head in time", "HTTP/1.1 200", { headersMs: 20 }, "headers_timeout", false],
      [
        "only interim responses",
        "HTTP/1.1 103 Early Hints\r\n\r\n",
        { headersMs: 20 },
        "headers_timeout",
        false,
      ],
      [
        "a body with a length that stalls",
        `${OK}Content-Length: 9\r\n\r\nhello`,
        { idleMs: 20 },
        "idle_timeout",
        true,
      ],
      ["chunks that stall", `${OK}Transfer-Encoding: chunked\r\n\r\n`, { idleMs: 20 }, "idle_timeout", true],
      ["a body without length that stalls", `${OK}\r\nhello`, { idleMs: 20 }, "idle_timeout", true],
    ])("%s", async (_name, answer, timeouts, code, inBody) => {
      script([answer]);
      const sent = client.send(request({ timeouts }));
      if (inBody) await expect(collect((await sent).body)).rejects.toMatchObject({ code });
      else await expect(sent).rejects.toMatchObject({ code });
      await until(() => sockets.size === 0);
    });

    test("a consumer without room is not the upstream's fault", async () => {
      const half = `${OK}Content-Length: 10\r\n\r\nhello`;
      script([half, half]);
      const response = await client.send(request({ timeouts: { idleMs: 30 } }));
      const [first] = sockets;
      let failed = false;
      let ended = false;
      response.body!.start({ write: () => false, end: () => (ended = true), fail: () => (failed = true) });
      // Another response with room, begun later, runs out of the same time.
      const other = await client.send(request({ timeouts: { idleMs: 40 } }));
      await expect(collect(other.body)).rejects.toMatchObject({ code: "idle_timeout" });
      expect([failed, ended]).toEqual([false, false]);
      first!.write("world");
      await until(() => {
        response.body!.resume();
        return ended;
      });
    });

    test("an idle connection is closed in time", async () => {
      script([`${OK}Content-Length: 2\r\n\r\nhi`]);
      await text((await client.send(request({ timeouts: { keepAliveMs: 20 } }))).body);
      await until(() => sockets.size === 0);
    });
  });

  describe("a connection that dies as it is used again", () => {
    const hi = `${OK}Content-Length: 2\r\n\r\nhi`;

    test.each<[string, Partial<ClientRequest>, string]>([
      ["GET is sent once more", { method: "GET" }, "hi"],
      ["PUT with its bytes at hand, too", { method: "PUT", body: Buffer.from("x") }, "hi"],
      ["POST is not: it may have been done", { method: "POST", body: Buffer.from("x") }, "upstream_closed"],
    ])("%s", async (_name, part, outcome) => {
      script([hi, null, hi]);
      await text((await client.send(request())).body);
      const sent = client.send(request(part)).then(
        (response) => text(response.body),
        (error) => error.code as string,
      );
      expect(await sent).toBe(outcome);
    });

    test("a body that streams cannot be sent twice", async () => {
      script([hi, null, hi]);
      await text((await client.send(request())).body);
      const body = new HandSource(1);
      const sent = client.send(request({ method: "PUT", body }));
      (await body.started).write(Buffer.from("x"));
      await expect(sent).rejects.toMatchObject({ code: "upstream_closed" });
    });

    test("it is tried once, not for ever", async () => {
      script([hi, null, null, hi]);
      await text((await client.send(request())).body);
      await expect(client.send(request())).rejects.toMatchObject({ code: "upstream_closed" });
    });

    test("a new connection that dies is no race", async () => {
      script([null, hi]);
      await expect(client.send(request())).rejects.toMatchObject({ code: "upstream_closed" });
    });

    test("one that was closed while it lay idle is passed over", async () => {
      script([hi, hi]);
      await text((await client.send(request())).body);
      for (const socket of sockets) socket.end();
      await until(() => sockets.size === 0);
      const response = await client.send(request({ method: "POST", body: Buffer.from("x") }));
      expect(await text(response.body)).toBe("hi");
      expect(connections).toBe(2);
    });
  });
}
