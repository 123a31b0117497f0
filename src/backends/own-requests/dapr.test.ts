import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { PolicyDefinition } from "../../compiler/policy.ts";
import {
  type Written,
  exchangeOf,
  mistakesOf,
  policyStep,
  servicesOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { ResponseMessage } from "../../gateway/message.ts";
import { parseTarget } from "../../gateway/url.ts";
import { invokeDaprBinding } from "../../policies/invoke-dapr-binding/policy.ts";
import { publishToDapr } from "../../policies/publish-to-dapr/policy.ts";
import { setBackendService } from "../../policies/set-backend-service/policy.ts";
import { createClient } from "../../transport/node/index.ts";
import { readDapr } from "./dapr.ts";

/** A sidecar that notes what it is asked and answers as told. */
let sidecar: Server;
let url = "";
let seen: string[] = [];
let status = 204;
const client = createClient();
beforeAll(async () => {
  sidecar = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen.push(
        `${request.method} ${request.url} ${request.headers["content-type"]} ${request.headers["dapr-api-token"] ?? "-"} ${body}`,
      );
      response
        .writeHead(status, { "Content-Type": "application/json" })
        .end(status === 204 ? undefined : '{"errorCode":"ERR"}');
    });
  });
  await new Promise<void>((resolve) => sidecar.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(sidecar.address() as AddressInfo).port}`;
});
beforeEach(() => {
  seen = [];
  status = 204;
});
afterAll(async () => {
  await client.close();
  sidecar.closeAllConnections();
  sidecar.close();
});

function exchangeWith(base = url) {
  // The sidecar is asked although policies may not reach this machine.
  const options = {
    dapr: { target: parseTarget(base)!, token: "dapr-token" },
    egress: { allow: [], loopback: false },
  };
  return exchangeOf(
    { method: "POST", body: '{"who":"me"}', headers: ["Content-Type", "application/json"] },
    snapshotOf({ options }),
    servicesOf({ client }),
  );
}

async function run(policy: PolicyDefinition, written: Written, exchange = exchangeWith()) {
  await policyStep(policy, written).run(exchange, null);
  return exchange;
}

test.each<[string, PolicyDefinition, Written, string]>([
  [
    "a topic",
    publishToDapr,
    { attributes: { "pubsub-name": "orders", topic: "new" }, text: () => '{"a":1}' },
    'POST /v1.0/publish/orders/new application/json dapr-token {"a":1}',
  ],
  [
    "both in topic",
    publishToDapr,
    { attributes: { topic: "orders/new" }, text: "x" },
    "POST /v1.0/publish/orders/new application/json dapr-token x",
  ],
  [
    "what a caller gave stays in its place",
    publishToDapr,
    { attributes: { "pubsub-name": "a b", topic: () => "../x?y" }, text: "x" },
    "POST /v1.0/publish/a%20b/%2E%2E/x%3Fy application/json dapr-token x",
  ],
  [
    "a template",
    publishToDapr,
    {
      attributes: { topic: "p/t", template: "Liquid", "content-type": "text/plain" },
      text: "hi {{body.who}}",
    },
    "POST /v1.0/publish/p/t text/plain dapr-token hi me",
  ],
  [
    "nothing",
    publishToDapr,
    { attributes: { topic: "p/t" } },
    "POST /v1.0/publish/p/t application/json dapr-token ",
  ],
  [
    "a binding",
    invokeDaprBinding,
    {
      attributes: { name: "my binding", operation: "create" },
      children: {
        metadata: [
          {
            children: {
              item: [
                { attributes: { key: "ttl" }, text: "60" },
                { attributes: { key: "x" }, text: () => "y" },
              ],
            },
          },
        ],
        data: [{ text: () => '{"a":1}' }],
      },
    },
    'POST /v1.0/bindings/my%20binding application/json dapr-token {"operation":"create","metadata":{"ttl":"60","x":"y"},"data":{"a":1}}',
  ],
  [
    "data that is no JSON",
    invokeDaprBinding,
    { attributes: { name: "b" }, children: { data: [{ text: "hello" }] } },
    'POST /v1.0/bindings/b application/json dapr-token {"data":"hello"}',
  ],
  [
    "data that shall be no JSON",
    invokeDaprBinding,
    { attributes: { name: "b", "content-type": "text/plain" }, children: { data: [{ text: "1" }] } },
    'POST /v1.0/bindings/b application/json dapr-token {"data":"1"}',
  ],
])("%s", async (_name, policy, written, request) => {
  await run(policy, written);
  expect(seen).toEqual([request]);
});

describe("what Dapr answers", () => {
  test("is in the variable, body in memory", async () => {
    status = 200;
    const exchange = await run(publishToDapr, {
      attributes: { topic: "p/t", "response-variable-name": "r" },
    });
    const response = exchange.variables.get("r") as ResponseMessage;
    expect([response.statusCode, response.body?.buffered]).toEqual([200, true]);
  });

  test.each<[string, number, string, object]>([
    [
      "says no",
      500,
      "",
      {
        source: "publish-to-dapr",
        reason: "DaprRequestFailed",
        message: 'Dapr answered 500 to /publish/p/t: {"errorCode":"ERR"}',
      },
    ],
    [
      "is not there",
      204,
      "http://127.0.0.1:9",
      { source: "publish-to-dapr", reason: "BackendConnectionFailure" },
    ],
  ])("one that %s", async (_name, answer, base, failure) => {
    status = answer;
    const written = (ignoreError: boolean): Written => ({
      attributes: { topic: "p/t", "ignore-error": ignoreError, "response-variable-name": "r" },
    });
    const exchange = exchangeWith(base === "" ? url : base);
    await expect(run(publishToDapr, written(false), exchange)).rejects.toMatchObject({
      ...failure,
      status: 500,
    });
    await run(publishToDapr, written(true), exchange);
    expect(exchange.variables.get("r")).toBeNull();
  });

  test("an expression that fails is ignored like Dapr's own failures, with ignore-error", async () => {
    const topic = (): never => {
      throw new Error("no topic");
    };
    await expect(run(publishToDapr, { attributes: { topic } })).rejects.toThrow("no topic");
    await run(publishToDapr, { attributes: { topic, "ignore-error": true } });
  });
});

test.each<[Written["attributes"] & object, string]>([
  [{ "dapr-app-id": "echo", "dapr-method": "say/hi" }, "/v1.0/invoke/echo/method/say/hi?q=1"],
  [
    { "dapr-app-id": () => "echo", "dapr-method": "hi", "dapr-namespace": "prod" },
    "/v1.0/invoke/echo.prod/method/hi?q=1",
  ],
  [{ "dapr-app-id": "../x", "dapr-method": "/a b" }, "/v1.0/invoke/..%2Fx/method/a%20b?q=1"],
])("set-backend-service %j", async (attributes, target) => {
  const exchange = exchangeWith();
  exchange.request.setPath("/orders/7");
  exchange.request.setQuery("q=1");
  await run(setBackendService, { attributes: { "backend-id": "dapr", ...attributes } }, exchange);
  const { path, queryString } = exchange.request.url;
  expect(path + queryString).toBe(target);
  expect(exchange.request.headers.get("dapr-api-token")).toBe("dapr-token");
});

test.each<[PolicyDefinition, Written, string[]]>([
  [
    setBackendService,
    { attributes: { "backend-id": "dapr", "dapr-app-id": "a" } },
    ["dapr-app-id and dapr-method go together"],
  ],
  [
    setBackendService,
    { attributes: { "backend-id": "own", "dapr-app-id": "a", "dapr-method": "m" } },
    ['backend-id must be "dapr" for dapr-app-id and dapr-method'],
  ],
  [setBackendService, { attributes: { "backend-id": "dapr", "dapr-app-id": "a", "dapr-method": "m" } }, []],
  [
    publishToDapr,
    { attributes: { topic: "t" } },
    ["nothing says which pub/sub component the topic belongs to"],
  ],
  [
    publishToDapr,
    { attributes: { topic: "p/t", template: "Liquid" }, text: () => "x" },
    ["a Liquid template cannot be an expression"],
  ],
])("mistakes", (policy, written, said) => {
  expect(mistakesOf(policy, written)).toEqual(said);
});

test.each<[Record<string, string>, string, string | null]>([
  [{}, "localhost:3500", null],
  [{ DAPR_HTTP_PORT: "3600", DAPR_API_TOKEN: "t" }, "localhost:3600", "t"],
  [{ DAPR_HTTP_ENDPOINT: "https://dapr.example" }, "dapr.example", null],
])("the sidecar is where %j says", (environment, authority, token) => {
  const options = readDapr(environment);
  expect([options.target.authority, options.token]).toEqual([authority, token]);
});

test("a port that is none is said", () => {
  expect(() => readDapr({ DAPR_HTTP_PORT: "x" })).toThrow("make no URL");
});
