/** Credentials of a backend that cannot be used, and those that look as if they could not. */
import { afterEach, expect, test } from "vitest";
import { type TestGateway, api, testGateway } from "./gateway.ts";
import { type StandIn, standIn } from "./stand-in.ts";

let upstream: StandIn | null = null;
let gateway: TestGateway | null = null;
afterEach(async () => {
  await gateway?.close();
  await upstream?.close();
  gateway = upstream = null;
});

async function sent(credentials: object, value: string): Promise<StandIn["headers"]> {
  upstream = await standIn("model");
  gateway = await testGateway({
    ...api("api", undefined, ["GET /x"], { properties: { backendId: "one" } }),
    "backends/one/backendInformation.json": {
      properties: { url: upstream.url, protocol: "http", credentials },
    },
    "namedValues/key/namedValueInformation.json": { properties: { displayName: "key", secret: true, value } },
  });
  await (await fetch(`${gateway.url}/api/x`)).text();
  return upstream.headers;
}

test.each<[string, object, string]>([
  ["a line end inside", { header: { "api-key": ["{{key}}"] } }, "a\nx-evil: b"],
  ["the like in a scheme", { authorization: { scheme: "Bearer", parameter: "{{key}}" } }, "a\r\nb"],
  ["a name that is none", { header: { "api key": ["{{key}}"] } }, "a"],
])("headers are refused before a request has them: %s", async (_what, credentials, value) => {
  await expect(sent(credentials, value)).rejects.toThrow(/configuration has/i);
});

test("a line end behind a secret is no part of it", async () => {
  const headers = await sent(
    {
      header: { "api-key": ["{{key}}"], accept: "one" },
      authorization: { scheme: "Bearer", parameter: "{{key}}" },
    },
    "secret\n",
  );
  expect(headers).toMatchObject({ "api-key": "secret", accept: "one", authorization: "Bearer secret" });
});
