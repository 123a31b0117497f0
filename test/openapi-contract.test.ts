/** What an OpenAPI document says of messages, held against real ones: schemas written in place, references, ranges of codes. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";

const json = (schema: object): object => ({ "application/json": { schema } });
const ORDERS = { type: "array", items: { $ref: "#/components/schemas/Order" } };
const SPECIFICATION = {
  openapi: "3.0.1",
  info: { title: "orders", version: "1" },
  paths: {
    "/orders": {
      get: {
        operationId: "list",
        parameters: [
          { name: "limit", in: "query", schema: { type: "integer", maximum: 10 } },
          { name: "ids", in: "query", explode: false, schema: { type: "array", items: { type: "integer" } } },
        ],
        responses: { 200: { description: "ok", content: json(ORDERS) }, "4XX": { description: "yours" } },
      },
      post: {
        operationId: "add",
        requestBody: { required: true, content: json(ORDERS) },
        responses: { 200: { description: "ok" }, default: { description: "not ok" } },
      },
    },
    "/orders/{id}": {
      get: {
        operationId: "one",
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "string", format: "uuid" } }],
        responses: { 200: { description: "ok", content: json({ $ref: "#/components/schemas/Order" }) } },
      },
    },
  },
  components: { schemas: { Order: { type: "object", properties: { n: { type: "integer", example: 7 } } } } },
};
const CHECKS = policy({
  inbound: `<choose><when condition="@(context.Request.Headers.ContainsKey(&quot;Mock&quot;))"><mock-response /></when></choose>
    <validate-parameters specified-parameter-action="prevent" unspecified-parameter-action="ignore" />
    <validate-content unspecified-content-type-action="prevent" max-size="1000" size-exceeded-action="prevent">
      <content type="application/json" validate-as="json" action="prevent" /></validate-content>`,
  outbound: '<validate-status-code unspecified-status-code-action="prevent" />',
});

/** Answers with the status that the caller names. */
const upstream = createServer((request, response) => {
  response.writeHead(Number(request.headers["status"] ?? 200)).end();
});
let gateway: TestGateway;
beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const serviceUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  gateway = await testGateway({
    ...api("a", serviceUrl, [], { policy: CHECKS }),
    "apis/a/specification.json": SPECIFICATION,
  });
});
afterAll(async () => {
  await gateway.close();
  upstream.close();
});

const ID = "11111111-2222-4333-8444-555555555555";
const post = (body: string): RequestInit => ({
  method: "POST",
  body,
  headers: { "Content-Type": "application/json" },
});
const answered = (status: number, init: RequestInit = {}): RequestInit => ({
  ...init,
  headers: { ...(init.headers as object), status: String(status) },
});

test.each<[string, string, RequestInit, number]>([
  ["a parameter within its bounds", "/orders?limit=10", {}, 200],
  ["one beyond", "/orders?limit=11", {}, 400],
  ["a list", "/orders?ids=1,2", {}, 200],
  ["a list with a wrong item", "/orders?ids=1,b", {}, 400],
  ["a path parameter of a format", `/orders/${ID}`, {}, 200],
  ["one of another", "/orders/7", {}, 400],
  ["a body whose schema refers to another", "/orders", post('[{"n":1}]'), 200],
  ["a wrong one", "/orders", post('[{"n":"x"}]'), 400],
  ["a code of a range", "/orders", answered(404), 404],
  ["a code of none", "/orders", answered(503), 502],
  ["any code, by default", "/orders", answered(503, post("[]")), 503],
  ["a body that is needed", "/orders", { method: "POST" }, 400],
])("%s", async (_name, path, init, expected) => {
  expect((await fetch(`${gateway.url}/a${path}`, init)).status).toBe(expected);
});

test.each<[string, unknown]>([
  ["/orders", [{ n: 7 }]],
  [`/orders/${ID}`, { n: 7 }],
])("a sample of %s is made of what its schema refers to", async (path, expected) => {
  const answer = await fetch(`${gateway.url}/a${path}`, { headers: { Mock: "1" } });
  expect(await answer.json()).toEqual(expected);
});
