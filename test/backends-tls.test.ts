/** certificates that change while they serve, upstreams whose own are wrong, and handshakes that go astray. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { followTls } from "../src/cli/tls-files.ts";
import { makeAuthority, makeIdentity } from "../src/transport/suite/certificates.ts";
import { type Files, type TestGateway, api, policy, testGateway } from "./gateway.ts";
import { until } from "./hang-up.ts";

const authority = makeAuthority("Test CA");
const good = makeIdentity({ name: "good", issuer: authority, addresses: ["127.0.0.1"] });
const renewed = makeIdentity({ name: "renewed", issuer: authority, addresses: ["127.0.0.1"] });
const otherName = makeIdentity({ name: "other", issuer: authority, dnsNames: ["other.test"] });
const expired = makeIdentity({
  name: "expired",
  issuer: authority,
  addresses: ["127.0.0.1"],
  expired: true,
});
const stranger = makeIdentity({ name: "stranger", addresses: ["127.0.0.1"] });

const roots = tls.getCACertificates("default");
beforeAll(() => tls.setDefaultCACertificates([...roots, authority.cert]));
afterAll(() => tls.setDefaultCACertificates(roots));

let gateway: TestGateway;
const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  await gateway?.close();
  for (const end of ends.splice(0)) await end();
});

/** An upstream on TLS that says "fine"; each connection serves one request. */
async function upstream(options: tls.TlsOptions): Promise<number> {
  const server = tls.createServer(options, (socket) => {
    socket.on("error", () => {});
    socket.once("data", () =>
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfine"),
    );
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  ends.push(() => new Promise((resolve) => void server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

const says = (onError = ""): string =>
  policy({
    inbound: `<set-backend-service backend-id="one" />`,
    onError,
  });

const configured = (port: number, tlsSettings: object | undefined, onError?: string): Files => ({
  ...api("api", undefined, ["GET /*"], { policy: says(onError) }),
  "backends/one/backendInformation.json": {
    properties: { url: `https://127.0.0.1:${port}`, protocol: "http", tls: tlsSettings },
  },
});

describe("R-29 an upstream's certificate", () => {
  const REASON = `<set-header name="x-reason" exists-action="override"><value>@(context.LastError.Reason + ": " + context.LastError.Message)</value></set-header>`;

  it.each<[string, tls.TlsOptions, object | undefined, RegExp]>([
    ["has expired", expired, undefined, /the certificate is not trusted: .*(?:CERT_HAS_EXPIRED|expired)/],
    ["is for another name", otherName, undefined, /IP: 127\.0\.0\.1 is not in the cert's list/],
    ["is signed by nobody known", stranger, undefined, /not trusted: .*SELF_SIGNED/],
    [
      "is not the one that was named",
      good,
      { serverCertificateThumbprints: [stranger.sha1] },
      /none of the accepted thumbprints/,
    ],
    [
      "has none of the names that are accepted",
      good,
      { serverX509Names: [{ name: "other", issuerCertificateThumbprint: authority.sha1 }] },
      /none of the accepted names and issuers/,
    ],
  ])(
    "that %s: the answer is ours, the reason in LastError and the log",
    async (_name, identity, settings, reason) => {
      gateway = await testGateway(configured(await upstream(identity), settings, REASON));
      const reply = await fetch(`${gateway.url}/api/x`);
      expect(reply.status).toBe(500);
      // Not a word of the reason to the caller.
      expect(await reply.text()).toMatch(
        /^\{ "statusCode": 500, "message": "Internal server error", "activityId": "[\w-]+" \}$/,
      );
      expect(reply.headers.get("x-reason")).toMatch(/^BackendConnectionFailure: /);
      expect(reply.headers.get("x-reason")).toMatch(reason);
      await until(() => gateway.log.some(({ msg }) => msg === "request"));
      const line = gateway.log.find(({ msg }) => msg === "request")!;
      expect(line).toMatchObject({ status: 500, code: "tls_failed", reason: "BackendConnectionFailure" });
      expect(JSON.stringify(line)).toMatch(reason);
    },
  );

  it.each<[string, tls.TlsOptions, object | undefined]>([
    ["right", good, undefined],
    ["expired, where the chain is not looked at", expired, { validateCertificateChain: false }],
    ["for another name, where that is not looked at", otherName, { validateCertificateName: false }],
    ["named, whoever signed it", stranger, { serverCertificateThumbprints: [stranger.sha256] }],
    [
      "of a name and an issuer that are accepted",
      { ...otherName, cert: otherName.cert + authority.cert },
      { serverX509Names: [{ name: "other", issuerCertificateThumbprint: authority.sha1 }] },
    ],
  ])("that is %s is taken", async (_name, identity, settings) => {
    gateway = await testGateway(configured(await upstream(identity), settings));
    const reply = await fetch(`${gateway.url}/api/x`);
    expect([reply.status, await reply.text()]).toEqual([200, "fine"]);
  });

  it.each<[string, object | undefined, number]>([
    ["where nothing is said of it", undefined, 200],
    ["where only the chain is spoken of", { validateCertificateChain: true }, 200],
    ["unless a backend wants it looked at", { validateCertificateName: true }, 500],
  ])(
    "compat.tlsHostnameValidation: that is for another name is taken %s",
    async (_where, settings, status) => {
      const port = await upstream(otherName);
      gateway = await testGateway(configured(port, settings), { compat: { tlsHostnameValidation: true } });
      expect((await fetch(`${gateway.url}/api/x`)).status).toBe(status);
    },
  );

  it("forwarding.gatewayStatusCodes: 502 instead of 500", async () => {
    const port = await upstream(stranger);
    gateway = await testGateway(configured(port, undefined), { gateway: { gatewayStatusCodes: true } });
    const reply = await fetch(`${gateway.url}/api/x`);
    expect([reply.status, await reply.text()]).toEqual([
      502,
      expect.stringMatching(/^\{ "statusCode": 502, "message": "Bad Gateway"/),
    ]);
  });

  it.each<[string, tls.TlsOptions]>([
    [
      "throws while it looks for its certificate",
      {
        ...good,
        SNICallback: () => {
          throw new Error("no such name");
        },
      },
    ],
    ["has none", { ...good, SNICallback: (_name, done) => done(new Error("no such name")) }],
    ["speaks an old TLS only", { ...good, minVersion: "TLSv1.1", maxVersion: "TLSv1.1" }],
  ])("an upstream that %s fails its request and nothing else", async (_name, options) => {
    const port = await upstream(options);
    gateway = await testGateway({
      ...configured(port, { validateCertificateName: false }),
      // Only a name is sent along (RFC 6066 §3).
      "backends/one/backendInformation.json": {
        properties: {
          url: `https://localhost:${port}`,
          protocol: "http",
          tls: { validateCertificateName: false },
        },
      },
    });
    expect((await fetch(`${gateway.url}/api/x`)).status).toBe(500);
    await until(() => gateway.exchanges.length === 1);
    expect(gateway.exchanges[0]!.error).toMatchObject({ code: "tls_failed" });
    expect((await fetch(`${gateway.url}/nowhere`)).status).toBe(404);
  });
});

interface Seen {
  readonly status: number;
  readonly certificate: string;
}

/** @param agent keeps connections or does not */
function call(agent: Agent | false): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const asking = httpsRequest(
      { host: "127.0.0.1", port: gateway.port, path: "/mock/x", ca: authority.cert, agent },
      (reply) => {
        const { subject } = (reply.socket as tls.TLSSocket).getPeerCertificate();
        reply.resume();
        reply.on("end", () => resolve({ status: reply.statusCode!, certificate: String(subject.CN) }));
      },
    );
    asking.on("error", reject);
    asking.end();
  });
}

describe("R-29 our own certificate", () => {
  const mock = (): Files =>
    api("mock", undefined, ["GET /*"], {
      policy: policy({ inbound: "<return-response><set-status code='204' /></return-response>" }),
    });

  it("is replaced live: no request fails, connections go on, new ones see the new one", async () => {
    gateway = await testGateway(mock(), { tls: good });
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    ends.push(() => agent.destroy());
    const seen: Seen[] = [];
    for (let turn = 0; turn < 10; turn++) {
      const under = Array.from({ length: 20 }, (_none, i) => call(i % 2 === 0 ? agent : false));
      gateway.setTls(turn % 2 === 0 ? renewed : good);
      seen.push(...(await Promise.all(under)));
      expect((await call(false)).certificate).toBe(turn % 2 === 0 ? "renewed" : "good");
    }
    expect(new Set(seen.map(({ status }) => status))).toEqual(new Set([204]));
  });

  it("one that cannot be used is refused, and the old one goes on", async () => {
    gateway = await testGateway(mock(), { tls: good });
    expect(() => gateway.setTls({ key: good.key, cert: renewed.cert })).toThrow();
    expect(await call(false)).toEqual({ status: 204, certificate: "good" });
  });

  it("is followed where its files change, as soon as both fit", async () => {
    const folder = mkdtempSync(join(tmpdir(), "headgate-tls-"));
    ends.push(() => rmSync(folder, { recursive: true }));
    const files = { tlsKeyFile: join(folder, "key"), tlsCertFile: join(folder, "cert") };
    writeFileSync(files.tlsKeyFile, good.key);
    writeFileSync(files.tlsCertFile, good.cert);
    gateway = await testGateway(mock(), { tls: good });
    const said: string[] = [];
    ends.push(
      followTls({ ...files, tlsClientCertificates: false }, gateway, (line) => void said.push(line), 10),
    );
    writeFileSync(files.tlsKeyFile, renewed.key);
    await until(() => said.length === 1);
    expect((await call(false)).certificate).toBe("good");
    writeFileSync(files.tlsCertFile, renewed.cert);
    await until(() => said.length === 2);
    expect((await call(false)).certificate).toBe("renewed");
    expect(said).toEqual([
      expect.stringMatching(/^the TLS certificate cannot be renewed yet: /),
      "the TLS certificate was renewed",
    ]);
  });

  it.each([
    ["a name that nobody has", "nowhere.example"],
    ["a name that is none", "..%00\u{7f}"],
    ["a long one", `${"a".repeat(60)}.`.repeat(4)],
  ])("is shown for %s, too, and no handshake ends the process", async (_name, servername) => {
    gateway = await testGateway(mock(), { tls: good });
    await new Promise<void>((resolve) => {
      const socket = tls.connect({
        host: "127.0.0.1",
        port: gateway.port,
        servername,
        rejectUnauthorized: false,
      });
      socket.on("error", () => resolve());
      socket.on("secureConnect", () => {
        socket.destroy();
        resolve();
      });
    });
    expect((await call(false)).status).toBe(204);
  });

  it("what is no handshake at all is dropped", async () => {
    gateway = await testGateway(mock(), { tls: good });
    const reply = fetch(`http://127.0.0.1:${gateway.port}/mock/x`);
    await expect(reply).rejects.toThrow();
    expect((await call(false)).status).toBe(204);
  });
});
