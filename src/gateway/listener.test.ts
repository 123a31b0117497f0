import { expect, test } from "vitest";
import { parseRange } from "../base/addresses.ts";
import type { Plan, Step } from "../compiler/policy.ts";
import { answerHealth } from "./health.ts";
import { createGateway } from "./listener.ts";
import { ResponseMessage } from "./message.ts";
import type { Exchange } from "./exchange.ts";
import type { Snapshot } from "./snapshot.ts";
import {
  NO_PLAN,
  REQUEST_ID,
  type RequestFields,
  type TestIncoming,
  apiOf,
  incomingOf,
  productOf,
  responseOf,
  servicesOf,
  snapshotOf,
  stepOf,
  subscriptionOf,
} from "./testing.ts";

/** Answers with what it knows of the request. */
const describe: Step = stepOf(({ api, operation, product, subscription, request }) => {
  const { host, path, queryString } = request.url;
  return responseOf(
    200,
    `${api?.id} ${operation?.id} ${product?.id} ${subscription?.id} ${host}${path}${queryString}`,
  );
});
const says = (text: string): Plan => ({
  ...NO_PLAN,
  inbound: [describe],
  onError: [stepOf((exchange) => void exchange.response!.headers.set("X-Handled", text))],
});

const open = productOf("open", ["o"], { subscriptionRequired: false });
const gold = productOf("gold", ["k"]);
const goldPlan: Plan = { ...NO_PLAN, inbound: [stepOf(() => responseOf(200, "gold plan"))] };
const cors = stepOf(
  (exchange) => {
    exchange.corsHeaders = ["Access-Control-Allow-Origin", "https://a"];
    return new ResponseMessage(200);
  },
  { element: "cors" },
);

const failing = stepOf(() => {
  throw new Error("cors");
});

const snapshot: Snapshot = snapshotOf({
  globalPlan: says("global"),
  subscriptions: [
    subscriptionOf("gold", { kind: "product", product: gold }),
    subscriptionOf("off", { kind: "product", product: gold }, { state: "suspended" }),
  ],
  apis: [
    apiOf({
      path: "a",
      serviceUrl: "https://backend.example/base",
      plan: says("a"),
      operations: [
        { template: "/x", plan: says("x") },
        { id: "all", template: "/{*path}", plan: says("all") },
      ],
    }),
    apiOf({
      id: "a;rev=2",
      path: "a",
      revision: "2",
      isCurrentRevision: false,
      operations: [{ template: "/x", plan: says("rev 2") }],
    }),
    apiOf({
      path: "k",
      subscriptionRequired: true,
      plan: says("k"),
      operations: [{ template: "/x", plan: says("x"), productPlans: new Map([["gold", goldPlan]]) }],
    }),
    apiOf({
      path: "bearer",
      id: "k2",
      rootId: "k",
      subscriptionRequired: true,
      bearerKey: true,
      operations: [{ template: "/x", plan: says("x") }],
    }),
    apiOf({
      path: "named",
      id: "k3",
      rootId: "k",
      subscriptionRequired: true,
      subscriptionKeyParameterNames: { header: "api-key", query: "k" },
      operations: ["GET /x"],
    }),
    apiOf({
      path: "o",
      subscriptionRequired: true,
      openProduct: open,
      operations: [{ template: "/x", plan: says("x") }],
    }),
    apiOf({ path: "c", subscriptionRequired: true, operations: [{ template: "/x", cors: [cors] }] }),
    apiOf({
      path: "p",
      operations: [{ method: "OPTIONS", template: "/*", plan: says("pass") }],
      cors: [cors],
    }),
    apiOf({
      path: "v",
      version: "v1",
      versionSet: { id: "s", scheme: "Header", parameter: "X-V" },
      operations: ["GET /x"],
    }),
    apiOf({ path: "broken", cors: [failing] }),
  ],
});

function gatewayOf(config: Snapshot | null = snapshot) {
  const services = servicesOf();
  const done: Exchange[] = [];
  const gateway = createGateway({
    services,
    newRequestId: () => REQUEST_ID,
    onDone: (exchange) => void done.push(exchange),
    health: (incoming, path) =>
      answerHealth(incoming, path, () => ({ ready: config !== null, draining: false, degraded: [] })),
  });
  if (config !== null) gateway.swap(config);
  return { gateway, services, done };
}

async function call(
  url: string,
  headers: readonly string[] = [],
  fields: RequestFields = {},
): Promise<TestIncoming> {
  const [method, target] = url.includes(" ") ? (url.split(" ") as [string, string]) : ["GET", url];
  const incoming = incomingOf({ ...fields, method, target, headers });
  const { gateway } = gatewayOf();
  gateway.onRequest(incoming);
  while (!incoming.reply.finished) await new Promise((resolve) => setImmediate(resolve));
  return incoming;
}

const NOT_FOUND = '404 { "statusCode": 404, "message": "Resource not found" }';
const MISSING = /^401 .* missing subscription key/;
const INVALID = /^401 .* invalid subscription key/;
const KEY = "Ocp-Apim-Subscription-Key";

/** The vectors of `routing.md` §11 that concern the way to the plan. */
test.each<[number, string, readonly string[], string | RegExp]>([
  [1, "POST /a/x", [], NOT_FOUND],
  [6, "/k/x?subscription-key=gold-1", [KEY, "wrong"], INVALID],
  [7, "/named/x", [KEY, "gold-1"], MISSING],
  [8, "/bearer/x", ["Authorization", "Bearer gold-1"], "200 k2 GET /x gold gold gateway.example/x"],
  [9, "/k/x", [KEY, "off-1"], INVALID],
  [10, "/o/x", [KEY, "bogus"], "200 o GET /x open undefined gateway.example/x"],
  [11, "/a/x", [KEY, "bogus"], "200 a GET /x undefined undefined backend.example/base/x"],
  [12, "/c/x", [KEY, "gold-1"], INVALID],
  [13, "/a;rev=2/x", [], "200 a;rev=2 GET /x undefined undefined gateway.example/x"],
  [14, "/v/x", [], NOT_FOUND],
  [16, "/a/a/b/c?x=1", [], "200 a all undefined undefined backend.example/base/a/b/c?x=1"],
  [17, "OPTIONS /c/x", ["Origin", "https://a", "Access-Control-Request-Method", "GET"], "200 "],
  [
    18,
    "OPTIONS /p/x",
    ["Origin", "https://a", "Access-Control-Request-Method", "GET"],
    "200 p OPTIONS /* undefined undefined gateway.example/x",
  ],
  [20, "/k/x", [], MISSING],
])("vector %d: %s %j", async (_number, url, headers, expected) => {
  const { reply } = await call(url, headers);
  const shown = `${reply.status} ${reply.body}`;
  if (typeof expected === "string") expect(shown).toBe(expected);
  else expect(shown).toMatch(expected);
  if (reply.status >= 400) expect(reply.headers.get("content-type")).toBe("application/json");
});

test("vector 17: the preflight's answer carries the headers of cors", async () => {
  const { reply } = await call("OPTIONS /c/x", [
    "Origin",
    "https://a",
    "Access-Control-Request-Method",
    "GET",
  ]);
  expect(reply.headers.raw).toEqual(["Access-Control-Allow-Origin", "https://a"]);
});

test("a product's own plan runs for its keys", async () => {
  expect((await call("/k/x", [KEY, "gold-1"])).reply.body).toBe("gold plan");
});

/** Whose on-error runs. */
test.each<[string, string]>([
  ["/nowhere", "global"],
  ["POST /a/x", "a"],
  ["/k/x", "k"],
  ["/k/none", "k"],
  ["/a/%2e%2e/x", "global"],
])("%s is handled by %s", async (url, expected) => {
  expect((await call(url)).reply.headers.get("x-handled")).toBe(expected);
});

test("vector 20: the challenge", async () => {
  const { reply } = await call("/named/x", ["Host", "gw:8080"]);
  expect(reply.headers.get("www-authenticate")).toBe(
    'AzureApiManagementKey realm="https://gw:8080/named",name="api-key",type="header"',
  );
});

test("a target that hides something is refused with a body of our own", async () => {
  const { reply } = await call("/a%zz");
  expect(reply.status).toBe(400);
  expect(reply.body).toBe(
    `{ "statusCode": 400, "message": "The request target is not acceptable: invalid escapes, backslashes, control characters or hidden dot segments.", "code": "bad_target", "requestId": "${REQUEST_ID}" }`,
  );
});

test("a cors policy that fails on a preflight is an error like any other", async () => {
  const { reply } = await call("OPTIONS /broken/", [
    "Origin",
    "https://a",
    "Access-Control-Request-Method",
    "GET",
  ]);
  expect(reply).toMatchObject({
    status: 500,
    body: `{ "statusCode": 500, "message": "Internal server error", "activityId": "${REQUEST_ID}" }`,
  });
});

test("health is answered before anything; without a configuration the rest is 503", () => {
  const { gateway } = gatewayOf(null);
  const get = (target: string): string => {
    const incoming = incomingOf({ target });
    gateway.onRequest(incoming);
    return `${incoming.reply.status} ${incoming.reply.body}`;
  };
  expect(get("/livez")).toBe('200 {"status":"ok"}');
  expect(get("/readyz")).toBe('503 {"status":"starting"}');
  expect(get("/status-0123456789abcdef")).toBe('503 {"status":"starting"}');
  expect(get("/a/x")).toBe('503 { "statusCode": 503, "message": "Service Unavailable" }');
});

test("an exchange is over once, also when its client is gone", async () => {
  const { gateway, done } = gatewayOf();
  const gone = incomingOf({ target: "/a/x" });
  gone.abort.abort("client");
  gateway.onRequest(gone);
  expect(gone.reply.started).toBe(false);
  expect({ done: done.length, inFlight: gateway.inFlight }).toEqual({ done: 1, inFlight: 0 });
});

test("a reply that fails half-way is over once too", async () => {
  const { gateway, done, services } = gatewayOf();
  const incoming = incomingOf({ target: "/a/x" });
  incoming.reply.send = () => {
    throw new Error("the adapter refused");
  };
  gateway.onRequest(incoming);
  await new Promise((resolve) => setImmediate(resolve));
  expect({ bugs: services.bugs.length, done: done.length, inFlight: gateway.inFlight }).toEqual({
    bugs: 1,
    done: 1,
    inFlight: 0,
  });
});

test("a request finishes on the snapshot it began with", async () => {
  const { gateway } = gatewayOf(
    snapshotOf({
      apis: [
        apiOf({
          path: "",
          operations: [
            {
              template: "/",
              plan: {
                ...NO_PLAN,
                inbound: [
                  stepOf(() => Promise.resolve()),
                  stepOf((exchange) => responseOf(200, String(exchange.snapshot.options.fallThrough))),
                ],
              },
            },
          ],
        }),
      ],
    }),
  );
  const incoming = incomingOf();
  gateway.onRequest(incoming);
  gateway.swap(snapshotOf({ options: { fallThrough: true } }));
  while (!incoming.reply.finished) await new Promise((resolve) => setImmediate(resolve));
  expect(incoming.reply.body).toBe("false");
});

test("behind a trusted proxy the caller is who it says", () => {
  const who = stepOf(({ request }) =>
    responseOf(200, `${request.ipAddress} ${request.originalUrl.scheme} ${request.originalUrl.port}`),
  );
  const trusting = snapshotOf({
    apis: [apiOf({ path: "who", operations: [{ template: "/", plan: { ...NO_PLAN, inbound: [who] } }] })],
    options: { trustedProxies: [parseRange("127.0.0.1")!] },
  });
  const headers = ["X-Forwarded-For", "1.1.1.1, 192.0.2.7", "X-Forwarded-Proto", "https"];
  const seen = ["127.0.0.1", "192.0.2.9"].map((remoteAddress) => {
    const incoming = incomingOf({ target: "/who", headers, remoteAddress });
    gatewayOf(trusting).gateway.onRequest(incoming);
    return incoming.reply.body;
  });
  expect(seen).toEqual(["192.0.2.7 https 443", "192.0.2.9 http 80"]);
});
