/** A client that goes through HTTP proxies, and one that may not go everywhere. */
import net, { type AddressInfo, type Server as NetServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Abort } from "../../base/abort.ts";
import type { Client, ClientRequest, Server } from "../transport.ts";
import { type Adapter, HOST, echo, text } from "./adapter.ts";
import { makeAuthority, makeIdentity } from "./certificates.ts";

export function proxySuite(adapter: Adapter): void {
  const authority = makeAuthority("proxy suite");
  const identity = makeIdentity({ name: "origin", issuer: authority, addresses: [HOST] });
  const tls = { validateChain: true, validateName: true, ca: [authority.cert] };
  let plain: Server;
  let secure: Server;
  let proxy: NetServer;
  let client: Client;
  /** Heads that the proxy got. */
  let heads: string[] = [];
  let onConnect: (socket: Socket, origin: string) => void = tunnel;
  const open = new Set<Socket>();

  beforeAll(async () => {
    plain = await adapter.createServer({ host: HOST, port: 0, onRequest: echo });
    secure = await adapter.createServer({ host: HOST, port: 0, onRequest: echo, tls: identity });
    proxy = net.createServer((socket) => {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => open.delete(socket));
      socket.on("data", function first(data) {
        const head = data.toString("latin1");
        heads.push(head);
        if (!head.startsWith("CONNECT ")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nvia");
        else {
          socket.off("data", first);
          onConnect(socket, head.split(" ")[1]!);
        }
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, HOST, resolve));
    client = adapter.createClient();
  });
  afterAll(async () => {
    await client.close();
    for (const socket of open) socket.destroy();
    proxy.close();
    await plain.close();
    await secure.close();
  });

  function tunnel(socket: Socket, origin: string): void {
    const [host, port] = origin.split(":");
    const to = net.connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(to).pipe(socket);
    });
    open.add(to);
    to.on("error", () => {});
    to.on("close", () => open.delete(to));
  }

  function send(part: Partial<ClientRequest>): Promise<string> {
    const request: ClientRequest = {
      method: "GET",
      scheme: "http",
      host: HOST,
      port: plain.port,
      target: "/a?b",
      rawHeaders: ["Host", "origin"],
      body: null,
      abort: new Abort(),
      ...part,
    };
    return client.send(request).then(
      async (response) => `${response.status} ${await text(response.body)}`,
      (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
    );
  }

  const through = (authorization: string | null = null) => ({
    host: HOST,
    port: (proxy.address() as AddressInfo).port,
    authorization,
  });

  describe("through a proxy", () => {
    test("http by the whole URL as target, with credentials", async () => {
      heads = [];
      expect(await send({ proxy: through("Basic eDp5") })).toBe("200 via");
      const [line, ...fields] = heads[0]!.split("\r\n");
      expect(line).toBe(`GET http://${HOST}:${plain.port}/a?b HTTP/1.1`);
      expect(fields).toEqual(["Host: origin", "Proxy-Authorization: Basic eDp5", "", ""]);
    });

    test("https by a tunnel that is kept, and the origin's own certificate is what counts", async () => {
      heads = [];
      onConnect = tunnel;
      const part = { scheme: "https" as const, port: secure.port, tls, proxy: through("Basic eDp5") };
      expect(await send({ ...part, method: "POST", body: Buffer.from("hello") })).toBe("200 POST /a?b hello");
      expect(await send(part)).toBe("200 GET /a?b ");
      const origin = `${HOST}:${secure.port}`;
      expect(heads).toEqual([
        `CONNECT ${origin} HTTP/1.1\r\nHost: ${origin}\r\nProxy-Authorization: Basic eDp5\r\n\r\n`,
      ]);
      expect(await send({ ...part, tls: { validateChain: true, validateName: true } })).toMatch(
        /^tls_failed/,
      );
    });

    test("HTTP/2 through a tunnel", async () => {
      onConnect = tunnel;
      expect(
        await send({ scheme: "https", port: secure.port, tls, proxy: through(), httpVersion: "2or1" }),
      ).toBe("200 GET /a?b ");
    });

    test.each<[string, (socket: Socket) => void, RegExp]>([
      [
        "a refusal",
        (socket) => socket.write("HTTP/1.1 407 Login first\r\nContent-Length: 0\r\n\r\n"),
        /^connect_failed: .*407 Login first/,
      ],
      ["no HTTP", (socket) => socket.write("SSH-2.0-x\n"), /^connect_failed: .*not HTTP/],
      ["a malformed head", (socket) => socket.write("HTTP/9 200\r\n\r\n"), /^connect_failed: .*status line/],
      [
        "data before its time",
        (socket) => socket.write("HTTP/1.1 200 OK\r\n\r\nsurprise"),
        /^connect_failed: .*before/,
      ],
      [
        "an endless head",
        (socket) => socket.write(`HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(4000)}`),
        /^connect_failed: .*not HTTP/,
      ],
      ["a goodbye", (socket) => socket.end(), /^connect_failed: .*without an answer/],
      ["a reset", (socket) => socket.resetAndDestroy(), /^connect_failed/],
    ])("a proxy that answers CONNECT with %s", async (_name, answer, expected) => {
      onConnect = answer;
      expect(await send({ scheme: "https", port: secure.port, tls, proxy: through(_name) })).toMatch(
        expected,
      );
    });

    test("a proxy that says nothing is given up, by time and by abort", async () => {
      onConnect = () => {};
      const part = { scheme: "https" as const, port: secure.port, tls, proxy: through("silent") };
      expect(await send({ ...part, timeouts: { connectMs: 50 } })).toMatch(/^connect_timeout/);
      const abort = new Abort();
      onConnect = () => abort.abort("client");
      expect(await send({ ...part, abort })).toMatch(/^aborted/);
    });

    test.each<[string, Partial<ClientRequest>]>([
      ["an origin", { host: "a\r\nb", scheme: "https", proxy: { host: HOST, port: 1, authorization: null } }],
      ["credentials", { proxy: { host: HOST, port: 1, authorization: "a\r\nb: c" } }],
    ])("a line break in %s is refused", async (_name, part) => {
      expect(await send(part)).toMatch(/^invalid_message/);
    });
  });

  describe("with addresses that are refused", () => {
    const loopback = (address: string): boolean => address === "::1" || address.startsWith("127.");

    test.each([HOST, "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost"])("%s", async (host) => {
      expect(await send({ host, refuse: loopback })).toBe(
        `address_refused: connections to ${host} are not allowed`,
      );
    });

    test("the address that is connected to is asked for, not the name", async () => {
      const asked: string[] = [];
      const refuse = (address: string): boolean => asked.push(address) < 0;
      expect(await send({ host: "127.1", refuse })).toBe("200 GET /a?b ");
      expect(asked).toEqual([HOST]);
    });

    test("a connection of others is not used", async () => {
      expect(await send({})).toBe("200 GET /a?b ");
      expect(await send({ refuse: loopback })).toMatch(/^address_refused/);
    });

    test("a proxy's address, too", async () => {
      expect(await send({ host: "192.0.2.1", proxy: through(), refuse: loopback })).toMatch(
        /^address_refused/,
      );
      expect(
        await send({ host: "192.0.2.1", proxy: { ...through(), host: "127.1" }, refuse: loopback }),
      ).toMatch(/^address_refused/);
    });
  });
}
