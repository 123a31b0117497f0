import net, { type AddressInfo, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestGateway, api, policy, testGateway } from "../../../test/gateway.ts";
import { type Written, exchangeOf, mistakesOf, policyStep } from "../../gateway/testing.ts";
import { proxy } from "./policy.ts";

test.each<[Written["attributes"], object]>([
  [{ url: "http://p.example:3128" }, { host: "p.example", port: 3128, authorization: null }],
  [{ url: " HTTP://P.example/ " }, { host: "p.example", port: 80, authorization: null }],
  [{ url: "http://[::1]:1" }, { host: "::1", port: 1, authorization: null }],
  [
    { url: () => "http://p:1", username: "me", password: () => "é" },
    { host: "p", port: 1, authorization: "Basic bWU6w6k=" },
  ],
  [
    { url: "http://p:1", username: "me" },
    { host: "p", port: 1, authorization: "Basic bWU6" },
  ],
])("%j", (attributes, expected) => {
  const exchange = exchangeOf();
  policyStep(proxy, { attributes }).run(exchange, null);
  expect(exchange.request.proxy).toEqual(expected);
});

test.each<[Written["attributes"], readonly string[]]>([
  [{ url: "http://p:1", username: "a", password: "b" }, []],
  [{ url: () => "nonsense" }, []],
  [{ url: "https://p:1" }, ['"https://p:1" is not the URL of a proxy']],
  [{ url: "p:1" }, ['"p:1" is not the URL of a proxy']],
  [{ url: "http://p:1/path" }, ['"http://p:1/path" is not the URL of a proxy']],
  [{ url: "http://p:1", password: "b" }, ["password needs a username"]],
])("mistakes of %j", (attributes, expected) => {
  expect(mistakesOf(proxy, { attributes })).toEqual(expected);
});

test("an expression that gives no proxy fails", () => {
  const step = policyStep(proxy, { attributes: { url: () => "p:1" } });
  expect(() => step.run(exchangeOf(), null)).toThrow(
    expect.objectContaining({ source: "proxy", status: 500 }),
  );
});

describe("through a gateway", () => {
  let server: Server;
  let gateway: TestGateway;
  let lines: string[] = [];

  beforeAll(async () => {
    server = net.createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (data) => {
        lines.push(data.toString().split("\r\n", 1)[0]!);
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nvia");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const through = `<proxy url="http://127.0.0.1:${(server.address() as AddressInfo).port}" />`;
    const direct = `<send-request ignore-error="true"><set-url>http://127.0.0.1:1/own</set-url></send-request>`;
    const nested = `<send-request><set-url>http://127.0.0.1:1/own</set-url>${through}</send-request>`;
    gateway = await testGateway({
      ...api("forwarded", "http://backend.invalid/base", ["GET /x"], {
        policy: policy({ inbound: through + direct }),
      }),
      ...api("own", undefined, ["GET /x"], { policy: policy({ inbound: `${nested}<return-response />` }) }),
    });
  });
  afterAll(async () => {
    await gateway.close();
    server.close();
  });

  test.each([
    [
      "the forwarded request goes through it, a send-request beside it does not",
      "forwarded",
      "GET http://backend.invalid:80/base/x HTTP/1.1",
    ],
    ["nested in send-request it is that one's", "own", "GET http://127.0.0.1:1/own HTTP/1.1"],
  ])("%s", async (_name, path, expected) => {
    lines = [];
    const response = await fetch(`${gateway.url}/${path}/x`);
    expect(response.status).toBe(200);
    expect(lines).toEqual([expected]);
  });
});
