/**
 * What slow clients cost in memory: 200 readers at 1 KB/s against an upstream that is as fast as it can be.
 *
 * Usage: node bench/slow-readers.ts [SECONDS], default 20. Prints how far the gateway's resident memory rose.
 */
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { Bench, printed, residentBytes } from "./harness.ts";

const READERS = 200;
const seconds = Number(process.argv[2] ?? 20);
const bench = new Bench();

/** Answers with 100 MB as fast as the reader takes it. */
const upstream = createServer((socket) => {
  const block = Buffer.alloc(64 * 1024, "x");
  socket.on("error", () => socket.destroy());
  socket.once("data", () => {
    socket.write(
      "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    const pump = (): void => {
      while (
        !socket.destroyed &&
        socket.write(`${block.length.toString(16)}\r\n`) &&
        socket.write(block) &&
        socket.write("\r\n")
      );
      if (!socket.destroyed) socket.once("drain", pump);
    };
    pump();
  });
});
await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
const { port } = upstream.address() as { port: number };
bench.file(
  "config/apis/a/apiInformation.json",
  JSON.stringify({
    properties: {
      displayName: "a",
      path: "a",
      protocols: ["http"],
      subscriptionRequired: false,
      serviceUrl: `http://127.0.0.1:${port}`,
    },
  }),
);
bench.file(
  "config/apis/a/operations/get/operationInformation.json",
  JSON.stringify({ properties: { displayName: "get", method: "GET", urlTemplate: "/*" } }),
);
const child = bench.start(
  process.execPath,
  [
    ...(process.env["BENCH_NODE_FLAGS"] ?? "").split(" ").filter((flag) => flag !== ""),
    join(import.meta.dirname, "..", "bin", "headgate.js"),
    "up",
    "--json",
    "--port",
    "0",
    "--access-log",
    "off",
    "--config",
    join(bench.folder, "config"),
    "--data",
    join(bench.folder, "data"),
  ],
  { HEADGATE_DEMO_MODEL: "off" },
);
try {
  const [, url] = await printed(child, /"gateway":"([^"]+)"/);
  const gatewayPort = Number(new URL(url!).port);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const before = residentBytes(child.pid!);
  const clients = Array.from({ length: READERS }, () => {
    const socket = connect({ port: gatewayPort, host: "127.0.0.1" });
    socket.pause();
    socket.write("GET /a/x HTTP/1.1\r\nHost: bench\r\n\r\n");
    const timer = setInterval(() => socket.read(1024), 1000);
    socket.on("close", () => clearInterval(timer));
    socket.on("error", () => {});
    return socket;
  });
  let most = 0;
  for (let i = 0; i < seconds; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    most = Math.max(most, residentBytes(child.pid!) - before);
  }
  const mb = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
  console.log(
    `${READERS} readers at 1 KB/s for ${seconds} s: memory rose by at most ${mb(most)} MB from ${mb(before)} MB`,
  );
  for (const client of clients) client.destroy();
} finally {
  bench.close();
  upstream.close();
}
process.exit(0);
