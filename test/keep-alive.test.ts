/** upstreams close idle connections whenever they like, and no client notices. */
import { type Server, type Socket, createServer } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { until } from "./hang-up.ts";

/** What the upstream does with a connection after its answer. */
let afterwards: (socket: Socket) => void;
const open = new Set<Socket>();
let upstream: Server;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = createServer({ noDelay: true }, (socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
      if (!text.endsWith("body") && !(text.startsWith("GET") && text.endsWith("\r\n\r\n"))) return;
      text = "";
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      afterwards(socket);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(upstream.address() as { port: number }).port}`;
  const breaker = { rules: [{ failureCondition: { count: 1, interval: "PT1M" }, tripDuration: "PT1H" }] };
  gateway = await testGateway({
    ...api("api", undefined, ["POST /*", "GET /*"], {
      policy: policy({ inbound: `<set-backend-service backend-id="one" />` }),
    }),
    "backends/one/backendInformation.json": {
      properties: { url, protocol: "http", circuitBreaker: breaker },
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await new Promise((resolve) => upstream.close(resolve));
});

async function call(method: string): Promise<number> {
  const reply = await fetch(`${gateway.url}/api/x`, { method, body: method === "POST" ? "body" : undefined });
  await reply.arrayBuffer();
  return reply.status;
}

it.each<[string, (socket: Socket) => void]>([
  ["a FIN", (socket) => socket.end()],
  ["a reset", (socket) => socket.resetAndDestroy()],
])("R-25 %s while idle: the next POST goes out on another connection", async (_how, close) => {
  afterwards = (socket) => void setImmediate(close, socket);
  for (let i = 0; i < 200; i++) {
    expect(await call("POST")).toBe(200);
    await until(() => open.size === 0);
  }
});

it("R-25 closing that crosses a GET on its way: sent again", async () => {
  let turn = 0;
  afterwards = (socket) => {
    let left = turn++ % 6;
    const wait = (): void => void (left-- > 0 ? setImmediate(wait) : socket.end());
    wait();
  };
  for (let i = 0; i < 500; i++) expect(await call("GET")).toBe(200);
});

it("R-25 closing that crosses a POST may fail it, but never trips a breaker", async () => {
  let turn = 0;
  afterwards = (socket) => {
    let left = turn++ % 6;
    const wait = (): void => void (left-- > 0 ? setImmediate(wait) : socket.end());
    wait();
  };
  for (let i = 0; i < 500; i++) expect(await call("POST")).not.toBe(503);
});
