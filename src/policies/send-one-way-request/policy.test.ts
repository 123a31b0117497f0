import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { api, policy, testGateway } from "../../../test/gateway.ts";
import { computedValue } from "../../compiler/expression.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import {
  type TestExchange,
  type Written,
  exchangeOf,
  policyStep,
  servicesOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { createClient } from "../../transport/node/index.ts";
import { setBody } from "../set-body/policy.ts";
import { setMethod } from "../set-method/policy.ts";
import { sendOneWayRequest } from "./policy.ts";

let upstream: Server;
let url = "";
let seen: string[] = [];
let closed = 0;
/** Answers the request for `/late`. */
let late = (): void => {};

beforeAll(async () => {
  upstream = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => seen.push(`${request.method} ${request.url} ${body}`));
    request.socket.once("close", () => closed++);
    if (request.url === "/late") late = () => response.end("ok");
    else if (request.url === "/stream") response.write("endless");
    else if (request.url !== "/silent") response.end("ok");
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

function newExchange(): TestExchange {
  seen = [];
  closed = 0;
  return exchangeOf({ method: "POST", body: "caller" }, snapshotOf(), servicesOf({ client: createClient() }));
}

function run(exchange: Exchange, path: string, written: Written = {}): Promise<unknown> {
  const children = { "set-url": [{ text: path.startsWith("/") ? url + path : path }] };
  const step = policyStep(sendOneWayRequest, { children, ...written });
  return step.run(exchange, null) as Promise<unknown>;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

test("what is sent is evaluated before it goes on", async () => {
  const exchange = newExchange();
  exchange.variables.set("v", "before");
  const body = computedValue((context) => String(context.variables.get("v")), 0);
  const steps = [
    policyStep(setMethod, { text: "PUT" }),
    policyStep(setBody, { text: body }, { inMessage: true }),
  ];
  await run(exchange, "/a", { steps });
  exchange.variables.set("v", "after");
  await until(() => seen.length === 1);
  expect(seen).toEqual(["PUT /a before"]);
  await until(() => exchange.services.clock.waits.length === 0);
  expect(exchange.services.logged).toEqual([]);
});

test("the caller's hang-up does not stop it, its own time does, and that is logged", async () => {
  const exchange = newExchange();
  await run(exchange, "/silent", { attributes: { timeout: 5 } });
  exchange.abort.abort("client");
  await until(() => seen.length === 1);
  expect(closed).toBe(0);
  exchange.services.clock.advance(5_000);
  await until(() => closed === 1 && exchange.services.logged.length > 0);
  expect(exchange.services.logged).toEqual([
    {
      level: "warn",
      msg: "send-one-way-request failed",
      requestId: exchange.requestId,
      url: `${url}/silent`,
      error: "there was no complete answer within 5 s",
    },
  ]);
});

test("an answer that never ends is not read", async () => {
  const exchange = newExchange();
  await run(exchange, "/stream");
  await until(() => closed === 1);
  expect(exchange.services.logged).toEqual([]);
});

test.each<[string, string, Written, RegExp]>([
  ["a metadata address", "http://169.254.169.254/", {}, /not allowed/],
  ["no URL", () => "nowhere", {}, /not an absolute/],
  [
    "an expression that fails",
    () => {
      throw new Error("null reference");
    },
    {},
    /null reference/,
  ],
  ["a mode that is none", "http://127.0.0.1:1/", { attributes: { mode: () => "x" } }, /mode is new or copy/],
] as [string, string, Written, RegExp][])(
  "%s is logged and fails nothing",
  async (_name, target, written, expected) => {
    const exchange = newExchange();
    const step = policyStep(sendOneWayRequest, { children: { "set-url": [{ text: target }] }, ...written });
    await expect(step.run(exchange, null)).resolves.toBeUndefined();
    await until(() => exchange.services.logged.length > 0);
    expect(exchange.services.logged[0]!["error"]).toMatch(expected);
  },
);

test("no more than a thousand are on their way", async () => {
  const exchange = newExchange();
  // A client that keeps everybody waiting.
  const waiting: ((error: Error) => void)[] = [];
  Object.assign(exchange.services, {
    client: { send: () => new Promise((_resolve, reject) => waiting.push(reject)) },
  });
  for (let i = 0; i < 1_002; i++) await run(exchange, "/a");
  expect(waiting).toHaveLength(1_000);
  expect(exchange.services.logged.map(({ error }) => error)).toEqual(
    Array(2).fill("it was dropped: 1000 requests with 0 bytes are on their way already"),
  );
  waiting[0]!(new Error("gone"));
  await until(() => exchange.services.logged.length === 3);
  await run(exchange, "/a");
  expect(waiting).toHaveLength(1_001);
});

test("nor more than 64 MiB of bodies", async () => {
  const exchange = newExchange();
  let sent = 0;
  Object.assign(exchange.services, { client: { send: () => new Promise(() => sent++) } });
  const steps = [
    policyStep(
      setBody,
      { text: computedValue(() => new Uint8Array(10 * 1024 * 1024), 0) },
      { inMessage: true },
    ),
  ];
  for (let i = 0; i < 8; i++) await run(exchange, "/a", { steps });
  expect(sent).toBe(6);
  expect(exchange.services.logged).toHaveLength(2);
});

test("a shutdown waits for what is on its way", async () => {
  newExchange();
  const inbound = `<send-one-way-request><set-url>${url}/late</set-url></send-one-way-request><return-response />`;
  const gateway = await testGateway(api("a", undefined, ["GET /x"], { policy: policy({ inbound }) }));
  const response = await fetch(`${gateway.url}/a/x`, { headers: { Connection: "close" } });
  expect(response.status).toBe(200);
  await until(() => seen.length === 1);
  const events: string[] = [];
  const drained = gateway.drain(60_000).then(() => events.push("drained"));
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  events.push("answered");
  late();
  await drained;
  expect(events).toEqual(["answered", "drained"]);
  await gateway.close();
});
