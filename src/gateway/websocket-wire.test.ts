/** WebSocket APIs over real sockets, with somebody else's client and server (`routing.md` §7.4). */
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backendsOf } from "../backends/testing.ts";
import { forward } from "../backends/forward.ts";
import { forwardRequest } from "../policies/forward-request/policy.ts";
import { setHeader } from "../policies/set-header/policy.ts";
import { createClient, createServer } from "../transport/node/index.ts";
import type { Client, Server } from "../transport/transport.ts";
import { createGateway } from "./listener.ts";
import {
  NO_PLAN,
  REQUEST_ID,
  apiOf,
  policyStep,
  servicesOf,
  snapshotOf,
  stepOf,
  subscriptionOf,
} from "./testing.ts";

let backend: WebSocketServer;
let server: Server;
let client: Client;
const backends = backendsOf(servicesOf());
const seen: { url: string; headers: Record<string, unknown> }[] = [];
const gateway = createGateway({
  services: { ...servicesOf(), forward: (exchange, options) => forward(exchange, options, client, backends) },
  newRequestId: () => REQUEST_ID,
  onDone: () => {},
  health: () => false,
});

beforeAll(async () => {
  backend = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => backend.once("listening", resolve));
  backend.on("connection", (socket, request) => {
    seen.push({ url: request.url!, headers: request.headers });
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on("close", () => {});
    if (request.url!.includes("bye")) socket.close(4001, "bye");
  });
  client = createClient();
  const { port } = backend.address() as AddressInfo;
  const forwarding = [policyStep(forwardRequest, {}, { section: "backend" })];
  const named = policyStep(setHeader, {
    attributes: { name: "X-Policy" },
    children: { value: [{ text: "1" }] },
  });
  const host = policyStep(setHeader, {
    attributes: { name: "Host" },
    children: { value: [{ text: "ignored.example" }] },
  });
  const failing = stepOf((exchange) => {
    if (exchange.request.query.includes("fail")) throw new Error("after the backend agreed");
  });
  const operation = {
    template: "/*",
    plan: { ...NO_PLAN, inbound: [named, host], backend: forwarding, outbound: [failing] },
  };
  gateway.swap(
    snapshotOf({
      subscriptions: [subscriptionOf("all", { kind: "all" })],
      apis: [
        apiOf({
          path: "ws",
          type: "websocket",
          subscriptionRequired: true,
          serviceUrl: `ws://127.0.0.1:${port}/base`,
          operations: [operation],
        }),
        apiOf({ path: "nobody", type: "websocket", serviceUrl: "ws://127.0.0.1:9", operations: [operation] }),
      ],
    }),
  );
  server = await createServer({ host: "127.0.0.1", port: 0, onRequest: gateway.onRequest });
});

afterAll(async () => {
  await server.close();
  await client.close();
  for (const socket of backend.clients) socket.terminate();
  await new Promise((resolve) => backend.close(resolve));
});

function connect(path: string, protocols: string[] = []): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${server.port}${path}`, protocols);
}

const opened = (socket: WebSocket): Promise<unknown> =>
  new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
const message = (socket: WebSocket): Promise<string> =>
  new Promise((resolve) => socket.once("message", (data) => resolve(String(data))));
const closed = (socket: WebSocket): Promise<string> =>
  new Promise((resolve) => socket.once("close", (code, reason) => resolve(`${code} ${String(reason)}`)));
const refused = (socket: WebSocket): Promise<string> =>
  new Promise((resolve) => {
    socket.on("error", () => {});
    socket.once("unexpected-response", (_request, response) => {
      let body = "";
      response.on("data", (part) => (body += String(part)));
      response.on("end", () => resolve(`${response.statusCode} ${body}`));
    });
  });

test("frames pass both ways; path, query, sub-protocol and policies' headers reach the backend", async () => {
  const socket = connect("/ws/some/path?a=1&subscription-key=all-1", ["realtime", "other"]);
  await opened(socket);
  expect(socket.protocol).toBe("realtime");
  const answer = message(socket);
  socket.send("hello");
  expect(await answer).toBe("hello");
  const big = "x".repeat(300_000);
  const bigAnswer = message(socket);
  socket.send(big);
  expect(await bigAnswer).toBe(big);
  expect(seen.at(-1)).toMatchObject({
    url: "/base/some/path?a=1&subscription-key=all-1",
    headers: { "x-policy": "1", host: `127.0.0.1:${(backend.address() as AddressInfo).port}` },
  });
  const end = closed(socket);
  socket.close(4000, "done");
  expect(await end).toBe("4000 done");
});

test("the backend's close code reaches the client", async () => {
  const socket = connect("/ws/bye?subscription-key=all-1");
  expect(await closed(socket)).toBe("4001 bye");
});

test.each<[string, string, RegExp]>([
  ["without a key", "/ws/x", /^401 .*missing subscription key/],
  ["an unknown path", "/other", /^404 .*Resource not found/],
  ["a backend that is down", "/nobody/x", /^500 .*Internal server error/],
  ["an error after the backend agreed", "/ws/x?fail&subscription-key=all-1", /^500 .*Internal server error/],
])("%s: an ordinary answer instead of the upgrade", async (_name, path, expected) => {
  expect(await refused(connect(path))).toMatch(expected);
});

test("when all is closed nothing is under way", async () => {
  while (gateway.inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(gateway.inFlight).toBe(0);
});
