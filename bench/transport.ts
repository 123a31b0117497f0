/**
 * CPU per proxied request of the transport alone: server → client → an upstream that does next to nothing. A POST with 1 kB
 * each way over kept connections; next to it the same proxy for callers of HTTP/2 (as many streams at once, on two
 * connections), and one on `node:http` + `undici`. Prints µs of the proxy's
 * own process and the ratio; run it on a quiet machine. `node bench/transport.ts [requests] [connections]`
 */
import { type ChildProcess, fork } from "node:child_process";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { Pool } from "undici";
import { createClient, createServer } from "../src/transport/node/index.ts";

const HOST = "127.0.0.1";
const BODY = Buffer.alloc(1024, "x");
const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n\r\n${BODY.toString()}`,
);

const role = process.env.BENCH_ROLE;
if (role === "upstream") runUpstream();
else if (role === "ours") void runOurs(Number(process.env.BENCH_UPSTREAM));
else if (role === "undici") runUndici(Number(process.env.BENCH_UPSTREAM));
else await main();

async function main(): Promise<void> {
  const requests = Number(process.argv[2] ?? 40_000);
  const connections = Number(process.argv[3] ?? 16);
  const upstream = await start("upstream", 0);
  const results = new Map<string, number[]>([
    ["ours", []],
    ["http/2", []],
    ["undici", []],
  ]);
  for (let round = 0; round < 4; round++) {
    for (const [name, micros] of results) {
      const proxy = await start(name === "http/2" ? "ours" : name, upstream.port);
      const press = name === "http/2" ? loadHttp2 : load;
      await press(proxy.port, requests / 4, connections); // warm
      const before = await cpu(proxy.child);
      await press(proxy.port, requests, connections);
      const after = await cpu(proxy.child);
      if (round > 0) micros.push((after - before) / requests);
      proxy.child.kill();
    }
  }
  upstream.child.kill();
  for (const [name, micros] of results) {
    console.log(`${name.padEnd(8)} ${micros.map((each) => each.toFixed(1)).join("  ")}  µs/request`);
  }
  const [ours, second, theirs] = [...results.values()].map((each) => Math.min(...each));
  console.log(`ratio http/2 / http/1.1: ${(second! / ours!).toFixed(2)}`);
  console.log(`ratio ours / node:http + undici: ${(ours! / theirs!).toFixed(2)}`);
}

function start(name: string, upstreamPort: number): Promise<{ child: ChildProcess; port: number }> {
  const env = { ...process.env, BENCH_ROLE: name, BENCH_UPSTREAM: String(upstreamPort) };
  const child = fork(import.meta.filename, { env });
  return new Promise((resolve) => child.once("message", (port) => resolve({ child, port: port as number })));
}

function cpu(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("message", (micros) => resolve(micros as number));
    child.send("cpu");
  });
}

function ready(port: number): void {
  process.send!(port);
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send!(user + system);
  });
}

function load(port: number, requests: number, connections: number): Promise<void> {
  const request = Buffer.from(
    `POST /openai/deployments/gpt/chat/completions?api-version=1 HTTP/1.1\r\nHost: gateway.test\r\nAccept: */*\r\n` +
      `User-Agent: bench/1.0\r\nContent-Type: application/json\r\napi-key: 0123456789abcdef\r\nContent-Length: 1024\r\n\r\n${BODY.toString()}`,
  );
  let left = requests;
  return new Promise((resolve) => {
    let open = connections;
    for (let i = 0; i < connections; i++) {
      const socket = net.connect({ port, host: HOST, noDelay: true });
      let text = "";
      const next = () => {
        if (left-- > 0) socket.write(request);
        else {
          socket.destroy();
          if (--open === 0) resolve();
        }
      };
      socket.on("connect", next);
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        const head = text.indexOf("\r\n\r\n");
        if (head < 0 || text.length < head + 4 + 1024) return;
        text = "";
        next();
      });
    }
  });
}

async function loadHttp2(port: number, requests: number, streams: number): Promise<void> {
  const fields = {
    ":method": "POST",
    ":path": "/openai/deployments/gpt/chat/completions?api-version=1",
    ":authority": "gateway.test",
    accept: "*/*",
    "user-agent": "bench/1.0",
    "content-type": "application/json",
    "api-key": "0123456789abcdef",
    "content-length": 1024,
  };
  const sessions = [0, 1].map(() => http2.connect(`http://${HOST}:${port}`));
  let left = requests;
  const worker = async (session: http2.ClientHttp2Session): Promise<void> => {
    while (left-- > 0) {
      const stream = session.request(fields);
      stream.end(BODY);
      stream.resume();
      await new Promise((resolve) => stream.once("close", resolve));
    }
  };
  await Promise.all(Array.from({ length: streams }, (_, i) => worker(sessions[i % 2]!)));
  for (const session of sessions) session.close();
}

function runUpstream(): void {
  const server = net.createServer({ noDelay: true }, (socket) => {
    let got = 0;
    let want = 0;
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      if (want === 0) want = chunk.indexOf("\r\n\r\n") + 4 + 1024;
      got += chunk.length;
      if (got < want) return;
      got = want = 0;
      socket.write(ANSWER);
    });
  });
  server.listen(0, HOST, () => ready((server.address() as net.AddressInfo).port));
}

async function runOurs(upstreamPort: number): Promise<void> {
  const client = createClient();
  const server = await createServer({
    host: HOST,
    port: 0,
    onRequest: (incoming) => {
      const { method, target, rawHeaders, body, abort, reply } = incoming;
      client
        .send({ method, scheme: "http", host: HOST, port: upstreamPort, target, rawHeaders, body, abort })
        .then(
          (response) => {
            const source = response.body!;
            const length = ["Content-Length", String(source.length)];
            const sink = reply.head(
              response.status,
              response.reason,
              [...response.rawHeaders, ...length],
              () => source.resume(),
            );
            source.start(sink);
          },
          () => reply.send(502, "", [], null),
        );
    },
  });
  ready(server.port);
}

function runUndici(upstreamPort: number): void {
  const pool = new Pool(`http://${HOST}:${upstreamPort}`, { connections: 64, pipelining: 1 });
  const server = http.createServer((request, response) => {
    const headers: string[] = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2)
      headers.push(request.rawHeaders[i]!, request.rawHeaders[i + 1]!);
    pool.dispatch(
      { path: request.url!, method: request.method as "POST", headers, body: request },
      {
        onRequestStart: () => {},
        onResponseStart: (controller, status) => {
          const raw = controller.rawHeaders as Buffer[];
          const out: string[] = [];
          for (const each of raw) out.push(each.toString("latin1"));
          response.writeHead(status, out);
        },
        onResponseData: (controller, chunk) => {
          if (!response.write(chunk)) {
            controller.pause();
            response.once("drain", () => controller.resume());
          }
        },
        onResponseEnd: () => void response.end(),
        onResponseError: () => response.destroy(),
      },
    );
  });
  server.listen(0, HOST, () => ready((server.address() as net.AddressInfo).port));
}
