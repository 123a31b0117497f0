/** What must survive the way through the whole gateway: WebSockets, trailers, encodings, sizes, TLS, odd bodies. */
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type Server, createServer, request } from "node:http";
import { request as secureRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";

let upstream: Server;
let sockets: WebSocketServer;
let gateway: TestGateway;
const lastSeen: { method?: string; url?: string; headers?: NodeJS.Dict<string | string[]>; body?: Buffer } =
  {};

beforeAll(async () => {
  upstream = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      Object.assign(lastSeen, {
        method: incoming.method,
        url: incoming.url,
        headers: incoming.headers,
        body: Buffer.concat(chunks),
      });
      answer(incoming.url ?? "", Buffer.concat(chunks), response);
    });
    incoming.on("error", () => {});
  });
  sockets = new WebSocketServer({ server: upstream, handleProtocols: () => "chat.v1" });
  sockets.on("connection", (socket, incoming) => {
    socket.send(`hello ${incoming.url}`);
    socket.on("message", (data, binary) => socket.send(data, { binary }));
    socket.on("close", () => {});
  });
  const port = await new Promise<number>((resolve) =>
    upstream.listen(0, "127.0.0.1", () => resolve((upstream.address() as { port: number }).port)),
  );
  const url = `http://127.0.0.1:${port}`;
  gateway = await testGateway({
    ...api("echo", url, ["POST /*", "GET /*", "HEAD /*"]),
    ...api("reading", url, ["GET /*", "POST /*"], {
      policy: policy({
        outbound: `<set-header name="x-length" exists-action="override"><value>@(context.Response.Body.As<string>(preserveContent: true).Length.ToString())</value></set-header>`,
      }),
    }),
    ...api("writing", url, ["GET /*"], {
      policy: policy({ outbound: `<set-body>@(context.Response.Body.As<string>().ToUpper())</set-body>` }),
    }),
    ...api("live", `ws://127.0.0.1:${port}`, [], { properties: { type: "websocket", protocols: ["ws"] } }),
  });
});
afterAll(async () => {
  await gateway.close();
  sockets.close();
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});

/** Ends an answer that the upstream has begun. */
let goOn = (): void => {};

function answer(url: string, body: Buffer, response: import("node:http").ServerResponse): void {
  if (url.startsWith("/gzip")) {
    response
      .writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" })
      .end(gzipSync("hello, zipped world"));
  } else if (url.startsWith("/trailers")) {
    response.writeHead(200, { "content-type": "text/plain", trailer: "x-sum" });
    response.write("part one, ");
    response.addTrailers({ "x-sum": "42" });
    response.end("part two");
  } else if (url.startsWith("/pieces")) {
    response.writeHead(200, { "content-type": "text/plain" });
    response.write("a");
    setImmediate(() => response.end("b"));
  } else if (url.endsWith(":streamGenerateContent")) {
    response.writeHead(200, { "content-type": "application/json" });
    response.write("[{}");
    goOn = () => void response.end("]");
  } else if (url.startsWith("/none")) response.writeHead(204).end();
  else if (url.startsWith("/cookies"))
    response
      .writeHead(200, [
        ["Set-Cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["X-Odd", "é"],
      ] as never)
      .end("ok");
  else if (url.startsWith("/break")) {
    response.writeHead(200, { "content-length": "1000" });
    response.write("half");
    setImmediate(() => response.destroy());
  } else response.writeHead(200, { "content-type": "application/octet-stream" }).end(body);
}

describe("bodies", () => {
  it.each([0, 1, 65_535, 65_536, 1_000_003, 9_000_000])("%i octets come back as they went", async (size) => {
    const body = randomBytes(size);
    const reply = await fetch(`${gateway.url}/echo/x`, { method: "POST", body });
    const back = Buffer.from(await reply.arrayBuffer());
    expect(createHash("sha256").update(back).digest("hex")).toBe(
      createHash("sha256").update(body).digest("hex"),
    );
  });

  it("chunks of a plain answer are gathered, as buffer-response says by default", async () => {
    const chunks = await new Promise<string[]>((resolve, reject) =>
      request(`${gateway.url}/echo/pieces`, (reply) => {
        const seen: string[] = [];
        reply.on("data", (chunk: Buffer) => seen.push(chunk.toString()));
        reply.on("end", () => resolve(seen));
      })
        .on("error", reject)
        .end(),
    );
    expect(chunks).toEqual(["ab"]);
  });

  it("an answer of a model is not gathered, whatever it calls itself", async () => {
    const model = `${gateway.url}/echo/v1beta/models/gemini-3-pro:streamGenerateContent`;
    const reader = (await fetch(model, { method: "POST", body: "{}" })).body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe("[{}");
    goOn();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe("]");
  });

  it("more than the limit is refused with 413 and leaves one line that says so", async () => {
    const before = gateway.exchanges.length;
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = request(
        `${gateway.url}/echo/x`,
        { method: "POST", headers: { "content-length": 11 * 1024 * 1024 } },
        (reply) => {
          reply.resume();
          resolve(reply.statusCode);
          outgoing.destroy();
        },
      );
      outgoing.on("error", reject);
      outgoing.write("x");
    });
    expect(status).toBe(413);
    while (gateway.exchanges.length === before) await new Promise((resolve) => setImmediate(resolve));
    const { accessLine } = await import("../src/gateway/observing/access-record.ts");
    expect(JSON.parse(accessLine(gateway.exchanges.at(-1)!))).toMatchObject({
      status: 413,
      code: "body_too_large",
    });
  });

  it("a compressed answer passes untouched, is read decompressed, and is sent plain when rewritten", async () => {
    const raw = await new Promise<{ coding?: string; size: number }>((resolve) =>
      request(`${gateway.url}/echo/gzip`, (reply) => {
        let size = 0;
        reply.on("data", (chunk: Buffer) => (size += chunk.length));
        reply.on("end", () => resolve({ coding: reply.headers["content-encoding"], size }));
      }).end(),
    );
    expect(raw).toEqual({ coding: "gzip", size: gzipSync("hello, zipped world").length });
    const read = await fetch(`${gateway.url}/reading/gzip`);
    expect([read.headers.get("x-length"), await read.text()]).toEqual(["19", "hello, zipped world"]);
    const rewritten = await fetch(`${gateway.url}/writing/gzip`);
    expect([rewritten.headers.get("content-encoding"), await rewritten.text()]).toEqual([
      null,
      "HELLO, ZIPPED WORLD",
    ]);
  });

  it("an answer that breaks off is cut for the client too, not ended as if whole", async () => {
    const reply = await fetch(`${gateway.url}/echo/break`);
    await expect(reply.text()).rejects.toThrow();
  });
});

describe("messages", () => {
  it("trailers come through", async () => {
    const trailers = await new Promise((resolve) =>
      request(`${gateway.url}/echo/trailers`, (reply) =>
        reply.resume().on("end", () => resolve(reply.trailers)),
      ).end(),
    );
    expect(trailers).toEqual({ "x-sum": "42" });
  });

  it("repeated headers stay repeated, in order", async () => {
    const reply = await fetch(`${gateway.url}/echo/cookies`);
    expect(reply.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  it.each([
    ["GET", "/none", 204],
    ["HEAD", "/x", 200],
  ])("%s %s has no body", async (method, path, status) => {
    const reply = await fetch(`${gateway.url}/echo${path}`, { method });
    expect([reply.status, await reply.text()]).toEqual([status, ""]);
  });

  it("the query goes on byte for byte, the caller is named, hop-by-hop fields stay behind", async () => {
    await new Promise<void>((resolve) =>
      request(
        `${gateway.url}/echo/a%2Fb/c?x=%41&&y=&x=2`,
        {
          headers: {
            connection: "x-private, keep-alive",
            "x-private": "1",
            te: "trailers",
            "x-forwarded-for": "198.51.100.7",
          },
        },
        (reply) => reply.resume().on("end", resolve),
      ).end(),
    );
    expect(lastSeen.url).toBe("/a%2Fb/c?x=%41&&y=&x=2");
    expect(lastSeen.headers).toMatchObject({ "x-forwarded-for": "198.51.100.7, 127.0.0.1" });
    expect(lastSeen.headers).not.toHaveProperty("x-private");
    expect(lastSeen.headers).not.toHaveProperty("te");
  });
});

describe("WebSockets", () => {
  const open = (path: string): Promise<{ socket: WebSocket; first: string }> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${gateway.url.replace("http", "ws")}${path}`, ["chat.v1"]);
      socket.once("message", (data) => resolve({ socket, first: String(data) }));
      socket.on("error", reject);
    });

  it("text, binary and large frames go both ways; path, query and sub-protocol are kept", async () => {
    const { socket, first } = await open("/live/room/1?who=me");
    expect(first).toBe("hello /room/1?who=me");
    expect(socket.protocol).toBe("chat.v1");
    for (const message of [Buffer.from("text"), randomBytes(70_000), randomBytes(900_000)]) {
      socket.send(message, { binary: true });
      const back = await new Promise<Buffer>((resolve) =>
        socket.once("message", (data: Buffer) => resolve(data)),
      );
      expect(back.equals(message)).toBe(true);
    }
    socket.close(4001, "enough");
    const code = await new Promise((resolve) => socket.once("close", resolve));
    expect(code).toBe(4001);
  });

  it("a client that vanishes takes the backend's connection with it", async () => {
    const { socket } = await open("/live/x");
    const peer = [...sockets.clients].at(-1)!;
    const closed = new Promise((resolve) => peer.once("close", resolve));
    socket.terminate();
    await closed;
  });

  it("plain HTTP on a WebSocket API, and a handshake on an HTTP API, are 404", async () => {
    expect((await fetch(`${gateway.url}/live/x`)).status).toBe(404);
    await expect(open("/echo/x")).rejects.toThrow("404");
  });
});

describe("TLS", () => {
  it("the listener speaks TLS when it is given a certificate", async () => {
    const folder = mkdtempSync(join(tmpdir(), "headgate-tls-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        key,
        "-out",
        cert,
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
      ],
      { stdio: "ignore" },
    );
    const tls = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
    rmSync(folder, { recursive: true });
    const secure = await testGateway(
      api("a", undefined, ["GET /x"], {
        policy: policy({
          inbound: `<return-response><set-body>@(context.Request.OriginalUrl.Scheme)</set-body></return-response>`,
        }),
      }),
      { tls },
    );
    const text = await new Promise<string>((resolve, reject) =>
      secureRequest(`${secure.url}/a/x`, { rejectUnauthorized: false }, (reply) => {
        let body = "";
        reply.on("data", (chunk: Buffer) => (body += chunk.toString()));
        reply.on("end", () => resolve(body));
      })
        .on("error", reject)
        .end(),
    );
    expect(text).toBe("https");
    await secure.close();
  });
});
