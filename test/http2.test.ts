/** HTTP/2 callers through the whole gateway: what they share is a connection, and nothing else. */
import { execFile } from "node:child_process";
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { type Server, type Socket, createServer } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeIdentity } from "../src/transport/suite/certificates.ts";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";

const CANCEL = 8;
const EVENTS = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const identity = makeIdentity({ name: "gateway", addresses: ["127.0.0.1"] });
const curl = await promisify(execFile)("curl", ["--version"]).then(
  ({ stdout }) => stdout.includes("HTTP2"),
  () => false,
);

/** The upstream's side of each request, by target. */
const asked = new Map<string, Socket>();
let upstream: Server;

beforeAll(async () => {
  upstream = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const target = /^\w+ (\S+) HTTP/.exec(data.toString("latin1"))?.[1];
      if (target !== undefined) asked.set(target, socket);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
});
beforeEach(() => asked.clear());
afterAll(() => new Promise((resolve) => upstream.close(resolve)));

const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

describe.each(["http", "https"] as const)("over %s", (scheme) => {
  let gateway: TestGateway;
  let session: ClientHttp2Session;

  beforeAll(async () => {
    const url = `http://127.0.0.1:${(upstream.address() as { port: number }).port}`;
    gateway = await testGateway(
      {
        ...api("plain", url, ["GET /*", "POST /*"]),
        ...api("own", url, ["POST /*"], {
          policy: policy({
            inbound: `<return-response><set-status code="201" /><set-header name="connection"><value>close</value></set-header><set-body>@(context.Request.Headers.GetValueOrDefault("host", "none") + " " + context.Request.Body.As<string>())</set-body></return-response>`,
          }),
        }),
      },
      { tls: scheme === "http" ? null : identity },
    );
    session = http2.connect(gateway.url, { rejectUnauthorized: false });
    session.on("error", () => {});
  });
  afterAll(async () => {
    session.destroy();
    await gateway.close();
  });

  interface Got {
    readonly stream: ClientHttp2Stream;
    status: number;
    text: string;
    /** How it ended; null: not yet. */
    code: number | null;
  }

  function ask(path: string, body?: string | Buffer): Got {
    const method = body === undefined ? "GET" : "POST";
    const stream = session.request({ ":path": path, ":method": method }, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    const got: Got = { stream, status: 0, text: "", code: null };
    stream.on("response", (headers) => (got.status = Number(headers[":status"])));
    stream.on("data", (data: Buffer) => (got.text += data.toString()));
    stream.on("error", () => {});
    stream.on("close", () => (got.code = stream.rstCode));
    return got;
  }

  const line = (path: string) => gateway.log.find((each) => each["path"] === path);
  const soon = { timeout: 10_000, interval: 2 };

  it("policies see the authority as Host, and the log says what was spoken", async () => {
    const got = ask("/own/x", "hello");
    await expect.poll(() => got.code, soon).toBe(0);
    expect([got.status, got.text]).toEqual([201, `${new URL(gateway.url).host} hello`]);
    await expect.poll(() => line("/own/x"), soon).toMatchObject({ http_version: "2", status: 201 });
  });

  it("20 event streams on one connection: one that is dropped ends its upstream's work, the others go on", async () => {
    const paths = Array.from({ length: 20 }, (_, i) => `/plain/events-${i}`);
    const answers = paths.map((path) => ask(path));
    const sockets = paths.map((path) => () => asked.get(path.slice(6))!);
    await expect.poll(() => sockets.every((socket) => socket() !== undefined), soon).toBe(true);
    expect(gateway.inFlight).toBe(20);
    for (const socket of sockets) socket().write(EVENTS + chunk("data: 1\n\n"));
    await expect.poll(() => answers.every(({ text }) => text === "data: 1\n\n"), soon).toBe(true);
    let hungUp = false;
    sockets[7]!().once("close", () => (hungUp = true));
    answers[7]!.stream.close(CANCEL);
    await expect.poll(() => hungUp, soon).toBe(true);
    await expect.poll(() => line(paths[7]!), soon).toMatchObject({ status: 499, http_version: "2" });
    expect(gateway.inFlight).toBe(19);
    const others = answers.filter((_, i) => i !== 7);
    for (const socket of sockets)
      if (!socket().destroyed) socket().write(`${chunk("data: [DONE]\n\n")}0\r\n\r\n`);
    await expect.poll(() => others.every(({ code }) => code === 0), soon).toBe(true);
    expect(new Set(others.map(({ text }) => text))).toEqual(new Set(["data: 1\n\ndata: [DONE]\n\n"]));
    await expect.poll(() => gateway.inFlight, soon).toBe(0);
  });

  it("a stream that nobody reads holds up its own upstream and no other stream", async () => {
    const slow = ask("/plain/slow");
    await expect.poll(() => asked.has("/slow"), soon).toBe(true);
    const socket = asked.get("/slow")!;
    slow.stream.pause();
    const size = 16 * 1024 * 1024;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size, "x"));
    await expect.poll(() => slow.status, soon).toBe(200);
    for (let i = 0; i < 5; i++) {
      const quick = ask("/own/quick", `${i}`);
      await expect.poll(() => quick.code, soon).toBe(0);
      expect(quick.text.endsWith(` ${i}`)).toBe(true);
    }
    expect(socket.writableLength).toBeGreaterThan(0);
    slow.stream.resume();
    await expect.poll(() => slow.code, soon).toBe(0);
    expect(slow.text.length).toBe(size);
  });

  it("an upstream that breaks off resets its stream", async () => {
    const got = ask("/plain/broken");
    await expect.poll(() => asked.has("/broken"), soon).toBe(true);
    asked.get("/broken")!.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    await expect.poll(() => got.code, soon).toBeGreaterThan(0);
  });

  it.skipIf(!curl)("curl", async () => {
    const how = scheme === "http" ? "--http2-prior-knowledge" : "--http2";
    const args = ["-sk", how, "-w", " %{http_version}", "--data", "hello", `${gateway.url}/own/curl`];
    const { stdout } = await promisify(execFile)("curl", args);
    expect(stdout).toBe(`${new URL(gateway.url).host} hello 2`);
  });
});
