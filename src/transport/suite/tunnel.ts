/** Upgrades: after 101 the connection is bytes both ways, through a server and a client of the adapter. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type BodySink,
  type Client,
  type Incoming,
  type Server,
  type Tunnel,
  TransportError,
} from "../transport.ts";
import { type Adapter, HOST, pairs } from "./adapter.ts";
import { RawClient, until } from "./raw.ts";

const UPGRADE = "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCH = ["Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Accept", "x"];

export function tunnelSuite(adapter: Adapter): void {
  let upstream: Server;
  let gateway: Server;
  let client: Client;
  let onUpstream: (incoming: Incoming) => void = () => {};
  let tunnels: Tunnel[] = [];

  beforeAll(async () => {
    client = adapter.createClient();
    upstream = await adapter.createServer({
      host: HOST,
      port: 0,
      onRequest: (incoming) => onUpstream(incoming),
    });
    gateway = await adapter.createServer({ host: HOST, port: 0, onRequest: proxy });
  });
  afterAll(async () => {
    await client.close();
    await gateway.close();
    await upstream.close();
  });

  function proxy(incoming: Incoming): void {
    const { method, target, abort, upgrade, reply } = incoming;
    const rawHeaders = upgrade
      ? ["Host", "u", "Connection", "Upgrade", "Upgrade", "websocket"]
      : ["Host", "u"];
    const base = { scheme: "http", host: HOST, port: upstream.port, body: null } as const;
    client.send({ ...base, method, target, rawHeaders, abort, upgrade }).then(
      (response) => {
        if (response.tunnel === null) {
          const sink = reply.head(response.status, "", response.rawHeaders, () => response.body?.resume());
          if (response.body === null) sink.end();
          else response.body.start(sink);
          return;
        }
        const near = reply.upgrade(response.status, response.reason, response.rawHeaders);
        tunnels = [near, response.tunnel];
        join(near, response.tunnel);
        join(response.tunnel, near);
      },
      () => {},
    );
  }

  function join(from: Tunnel, to: Tunnel): void {
    from.source.start(to.sink(() => from.source.resume()));
  }

  /** Answers with what it gets, in capitals, and ends when its peer does. */
  function shout(incoming: Incoming): void {
    const tunnel = incoming.reply.upgrade(101, "Switching Protocols", SWITCH);
    const sink: BodySink = tunnel.sink(() => tunnel.source.resume());
    tunnel.source.start({
      write: (chunk) =>
        sink.write(Buffer.from(Buffer.from(chunk).toString("latin1").toUpperCase(), "latin1")),
      end: () => {
        sink.write(Buffer.from("bye"));
        sink.end();
      },
      fail: () => {},
    });
  }

  describe("tunnels", () => {
    test("carry bytes both ways and end one direction at a time", async () => {
      onUpstream = shout;
      const raw = new RawClient(gateway.port);
      raw.send(UPGRADE);
      const head = await raw.until("\r\n\r\n");
      expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
      for (const line of pairs(SWITCH)) expect(head).toContain(line);
      expect(head).not.toContain("Content-Length");
      raw.send("hello");
      await raw.until("HELLO");
      expect([gateway.active, upstream.active]).toEqual([1, 1]);
      raw.socket.end("last");
      expect((await raw.closed).endsWith("HELLOLASTbye")).toBe(true);
      await until(() => gateway.active === 0 && upstream.active === 0);
    });

    test("bytes that come early are not lost", async () => {
      onUpstream = shout;
      const raw = new RawClient(gateway.port);
      raw.send(`${UPGRADE}early`);
      await raw.until("EARLY");
      raw.destroy();
      await until(() => gateway.active === 0 && upstream.active === 0);
    });

    test("a megabyte passes whole under backpressure", async () => {
      onUpstream = shout;
      const raw = new RawClient(gateway.port);
      raw.send(UPGRADE);
      await raw.until("\r\n\r\n");
      const before = raw.received.length;
      raw.socket.end(Buffer.alloc(4 * 1024 * 1024, "a"));
      expect((await raw.closed).length - before).toBe(4 * 1024 * 1024 + 3);
    });

    test.each([
      ["FIN and silence", (raw: RawClient) => raw.socket.destroy()],
      ["RST", (raw: RawClient) => raw.socket.resetAndDestroy()],
      ["a close from our side", () => tunnels.forEach((tunnel) => tunnel.close())],
    ])("%s closes both ends", async (_name, hangUp) => {
      onUpstream = shout;
      const raw = new RawClient(gateway.port);
      raw.send(UPGRADE);
      await raw.until("\r\n\r\n");
      hangUp(raw);
      await until(() => gateway.active === 0 && upstream.active === 0);
      raw.destroy();
    });

    test("an upstream that declines is answered as usual", async () => {
      onUpstream = ({ reply }) => reply.send(403, "", [], Buffer.from("no"));
      const raw = new RawClient(gateway.port);
      raw.send(UPGRADE);
      await raw.until("no");
      expect(raw.received).toMatch(/^HTTP\/1\.1 403/);
      raw.destroy();
    });

    test("only who was asked can switch", async () => {
      let thrown: unknown;
      onUpstream = ({ reply }) => {
        try {
          reply.upgrade(101, "", SWITCH);
        } catch (error) {
          thrown = error;
        }
        reply.send(200, "", [], null);
      };
      const raw = new RawClient(gateway.port);
      raw.send("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n");
      await raw.until("200 OK");
      expect(thrown).toBeInstanceOf(TransportError);
      raw.destroy();
    });
  });
}
