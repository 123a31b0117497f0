/** names that change, that are not there, that lead nowhere, and a resolver that takes its time. */
import { type ChildProcess, spawn } from "node:child_process";
import { type IncomingMessage, type Server, createServer } from "node:http";
import { type AddressInfo, type Socket, connect, createServer as createTcpServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeLookup } from "../src/transport/node/client-lookup.ts";
import { readSettings } from "../src/settings.ts";
import { type DnsServer, startDns } from "./dns-server.ts";
import { type TestGateway, api, testGateway } from "./gateway.ts";
import { until } from "./hang-up.ts";

let dns: DnsServer;
let gateway: TestGateway;
const servers = new Set<Server>();
beforeAll(async () => void (dns = await startDns(() => [])));
beforeEach(() => void (dns.asked.length = 0));
afterEach(async () => {
  await gateway?.close();
  for (const server of servers) await closed(server);
});
afterAll(() => dns.close());

/** Answers with its own address. */
function upstream(address: string, port = 0): Promise<Server> {
  const server = createServer({ noDelay: true }, (request: IncomingMessage, response) => {
    request.resume();
    request.on("end", () => response.end(address));
  });
  servers.add(server);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => resolve(server));
  });
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function closed(server: Server): Promise<void> {
  servers.delete(server);
  server.closeAllConnections();
  return new Promise((resolve) => void server.close(() => resolve()));
}

async function start(port: number, policy?: string): Promise<void> {
  gateway = await testGateway(
    {
      ...api("api", `http://models.test:${port}`, ["GET /*", "POST /*"], { policy }),
      ...api("slow", `http://slow.test:${port}`, ["GET /*"], { policy }),
    },
    { dnsServers: [dns.address] },
  );
}

const get = async (path = "/api/x"): Promise<{ status: number; text: string }> => {
  const reply = await fetch(gateway.url + path);
  return { status: reply.status, text: await reply.text() };
};
const post = async (): Promise<string> =>
  (await fetch(`${gateway.url}/api/x`, { method: "POST", body: "hello" })).text();

describe("R-28 DNS", () => {
  it("a name that moves every second takes its requests along, and none fails", async () => {
    const addresses = ["127.0.0.1", "127.0.0.2"];
    let server = await upstream(addresses[0]!);
    const port = portOf(server);
    await start(port);
    let turn = 0;
    dns.answer = (_name, type) => (type === "A" ? [addresses[turn % 2]!] : []);
    for (turn = 0; turn < 10; turn++) {
      const here = addresses[turn % 2]!;
      expect([await post(), (await get()).text]).toEqual([here, here]);
      await closed(server);
      server = await upstream(addresses[(turn + 1) % 2]!, port);
    }
  });

  it("a name that does not exist is said to be so, and is asked for again by the next request", async () => {
    const server = await upstream("127.0.0.1");
    await start(portOf(server));
    dns.answer = () => "NXDOMAIN";
    expect((await get()).status).toBe(500);
    await until(() => gateway.exchanges.length === 1);
    expect(gateway.exchanges[0]!.lastError).toMatchObject({
      source: "forward-request",
      reason: "BackendConnectionFailure",
    });
    expect(gateway.exchanges[0]!.error).toMatchObject({ code: "dns_failed" });
    expect(gateway.exchanges[0]!.error!.message).toMatch(/ENOTFOUND models\.test/);
    dns.answer = (_name, type) => (type === "A" ? ["127.0.0.1"] : []);
    expect(await get()).toEqual({ status: 200, text: "127.0.0.1" });
  });

  it("a server that fails is no address", async () => {
    await start(9);
    dns.answer = () => "SERVFAIL";
    expect((await get()).status).toBe(500);
    await until(() => gateway.exchanges.length === 1);
    expect(gateway.exchanges[0]!.error).toMatchObject({ code: "dns_failed" });
  });

  it("one that never answers for AAAA is not waited for", async () => {
    const server = await upstream("127.0.0.1");
    await start(portOf(server));
    dns.answer = (_name, type) => (type === "A" ? ["127.0.0.1"] : null);
    expect(await get()).toEqual({ status: 200, text: "127.0.0.1" });
    expect(dns.asked.toSorted()).toEqual(["models.test A", "models.test AAAA"]);
  });

  it("a resolver that hangs on one name holds up no other, and is asked once for any number of requests", async () => {
    const server = await upstream("127.0.0.1");
    await start(
      portOf(server),
      `<policies><inbound /><backend><forward-request deadline="0.3" /></backend><outbound /><on-error /></policies>`,
    );
    dns.answer = (name, type) => (name === "slow.test" ? null : type === "A" ? ["127.0.0.1"] : []);
    const slow = Promise.all(Array.from({ length: 50 }, () => get("/slow/x")));
    await until(() => dns.asked.includes("slow.test A"));
    expect(new Set(await Promise.all(Array.from({ length: 50 }, async () => (await get()).text)))).toEqual(
      new Set(["127.0.0.1"]),
    );
    expect(new Set((await slow).map(({ status }) => status))).toEqual(new Set([500]));
    expect(dns.asked.filter((query) => query === "slow.test A").length).toBeLessThanOrEqual(2);
    expect(gateway.exchanges.some(({ error }) => error?.code === "deadline_exceeded")).toBe(true);
  });
});

/** A listener whose queue is full: what else wants to connect gets no answer at all, as behind a dropping firewall. */
async function blackhole(host: string, port: number): Promise<() => Promise<void>> {
  const code = `require("net").createServer().listen({ host: ${JSON.stringify(host)}, port: ${port}, backlog: 1 }, () => {
    console.log("listening");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  })`;
  const child: ChildProcess = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve) => void child.stdout!.once("data", () => resolve()));
  const fillers: Socket[] = [];
  let connected = 0;
  for (let i = 0; i < 8; i++) {
    const socket = connect(port, host, () => connected++);
    socket.on("error", () => {});
    fillers.push(socket);
  }
  // A queue of one holds two; the others hang.
  await until(() => connected >= 2);
  return async () => {
    for (const socket of fillers) socket.destroy();
    const gone = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
    child.kill("SIGKILL");
    await gone;
  };
}

const hasIpv6 = await new Promise<boolean>((resolve) => {
  const probe = createTcpServer();
  probe.once("error", () => resolve(false));
  probe.listen(0, "::1", () => probe.close(() => resolve(true)));
});

describe("R-28 happy eyeballs", () => {
  it.each([
    ["AAAA", "::1", hasIpv6],
    ["A", "127.0.0.3", true],
  ] as const)(
    "an %s record (%s) that leads nowhere delays a connection, no more",
    async (type, address, possible) => {
      // Some machines have no IPv6 at all.
      if (!possible) return;
      const server = await upstream("127.0.0.1");
      const port = portOf(server);
      const end = await blackhole(address, port);
      try {
        await start(port);
        dns.answer = (_name, asked) =>
          asked === "A"
            ? type === "A"
              ? [address, "127.0.0.1"]
              : ["127.0.0.1"]
            : type === "AAAA"
              ? [address]
              : [];
        expect(await get()).toEqual({ status: 200, text: "127.0.0.1" });
        expect(gateway.exchanges.length).toBeLessThanOrEqual(1);
      } finally {
        await end();
      }
    },
  );
});

describe("servers that are given", () => {
  const addresses = (host: string): Promise<unknown> =>
    new Promise((resolve) =>
      makeLookup([dns.address])(host, { all: true }, (error, found) => resolve(error?.code ?? found)),
    );

  it("IPv6 comes first", async () => {
    dns.answer = (_name, type) => (type === "A" ? ["127.0.0.1"] : ["::1"]);
    expect(await addresses("both.test")).toEqual([
      { address: "::1", family: 6 },
      { address: "127.0.0.1", family: 4 },
    ]);
  });

  it("are not asked for this machine", async () => {
    expect(await addresses("localhost")).toEqual([
      { address: "127.0.0.1", family: 4 },
      { address: "::1", family: 6 },
    ]);
    expect(dns.asked).toEqual([]);
  });

  it("a name without addresses has none", async () => {
    dns.answer = () => [];
    expect(await addresses("empty.test")).toBe("ENODATA");
  });

  it.each([
    ["10.0.0.10", ["10.0.0.10"]],
    ["10.0.0.10:5353, [fd00::1]:53 fd00::2", ["10.0.0.10:5353", "[fd00::1]:53", "fd00::2"]],
    ["", []],
  ])("HEADGATE_DNS_SERVERS=%j", (text, expected) => {
    expect(readSettings({}, { HEADGATE_DNS_SERVERS: text }).dnsServers).toEqual(expected);
  });

  it.each(["dns.example", "10.0.0", "10.0.0.1:99999", "[fd00::1", "::1:x"])("%j is refused", (text) => {
    expect(() => readSettings({}, { HEADGATE_DNS_SERVERS: text })).toThrow(
      "HEADGATE_DNS_SERVERS takes addresses",
    );
  });
});
