/** The `proxy` of a backend: requests to it go through an HTTP proxy, as those of the policy of that name do. */
import { type Server, type Socket, createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Files, type TestGateway, api, policy, testGateway } from "./gateway.ts";

let proxy: Server;
let gateway: TestGateway;
const heads: string[] = [];
const open = new Set<Socket>();
beforeAll(async () => {
  proxy = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    socket.on("data", (data) => {
      heads.push(data.toString("latin1"));
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nvia");
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
});
beforeEach(() => void (heads.length = 0));
afterEach(() => gateway.close());
afterAll(async () => {
  for (const socket of open) socket.destroy();
  await new Promise((resolve) => proxy.close(resolve));
});

const address = (): string => `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;

const files = (proxySettings: object, inbound = ""): Files => ({
  ...api("api", undefined, ["GET /*"], {
    policy: policy({ inbound: `<set-backend-service backend-id="one" />${inbound}` }),
  }),
  "namedValues/proxy-password/namedValueInformation.json": {
    properties: { displayName: "proxy-password", secret: true, value: "sésame" },
  },
  "backends/one/backendInformation.json": {
    properties: { url: "http://models.test:8123/v1", protocol: "http", proxy: proxySettings },
  },
});

async function call(): Promise<string> {
  return (await fetch(`${gateway.url}/api/x?a=1`)).text();
}

describe("the proxy of a backend", () => {
  it("gets the whole URL, and who sends it", async () => {
    gateway = await testGateway(files({ url: address(), username: "me", password: "{{proxy-password}}" }));
    expect(await call()).toBe("via");
    expect(heads[0]).toMatch(/^GET http:\/\/models\.test:8123\/v1\/x\?a=1 HTTP\/1\.1\r\n/);
    const sent = /\r\nProxy-Authorization: Basic (\S+)\r\n/i.exec(heads[0]!)![1]!;
    expect(Buffer.from(sent, "base64").toString()).toBe("me:sésame");
  });

  it("without a name there are no credentials", async () => {
    gateway = await testGateway(files({ url: address() }));
    await call();
    expect(heads[0]).not.toMatch(/proxy-authorization/i);
  });

  it("gives way to the policy's", async () => {
    gateway = await testGateway(
      files({ url: "http://127.0.0.1:9" }, `<proxy url="${address()}" username="policy" />`),
    );
    expect(await call()).toBe("via");
    expect(heads[0]).toContain(Buffer.from("policy:").toString("base64"));
  });

  it.each(["https://proxy.example:3128", "proxy.example:3128", "http://proxy.example/path", "socks5://a"])(
    "%s is none that we can use",
    async (url) => {
      gateway = await testGateway(files({ url: address() }));
      gateway.write(
        "backends/one/backendInformation.json",
        JSON.stringify({ properties: { url: "http://models.test", protocol: "http", proxy: { url } } }),
      );
      expect((await gateway.reload()).map(({ code }) => code)).toContain("HG5508");
    },
  );
});
