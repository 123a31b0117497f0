/** TLS on both sides: what is accepted, what is refused and why, and certificates that change while it runs. */
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Abort } from "../../base/abort.ts";
import type { Client, ClientRequest, ClientTls, Incoming, Server } from "../transport.ts";
import { type Adapter, echo, HOST, text } from "./adapter.ts";
import { makeAuthority, makeIdentity } from "./certificates.ts";
import { RawClient, until } from "./raw.ts";

export function tlsSuite(adapter: Adapter): void {
  const authority = makeAuthority("Test CA");
  const good = makeIdentity({ name: "good", issuer: authority, dnsNames: ["localhost"], addresses: [HOST] });
  const other = makeIdentity({ name: "other", issuer: authority, dnsNames: ["other.test"] });
  const expired = makeIdentity({ name: "expired", issuer: authority, addresses: [HOST], expired: true });
  const stranger = makeIdentity({ name: "stranger", addresses: [HOST] });
  const caller = makeIdentity({ name: "caller", issuer: authority });
  const trusting: ClientTls = { validateChain: true, validateName: true, ca: [authority.cert] };
  const blind: ClientTls = { validateChain: false, validateName: false };

  let client: Client;
  let server: Server;
  let onRequest: (incoming: Incoming) => void = echo;
  beforeAll(async () => {
    client = adapter.createClient();
    server = await adapter.createServer({
      host: HOST,
      port: 0,
      tls: { ...good, requestClientCertificate: true },
      onRequest: (incoming) => onRequest(incoming),
    });
  });
  afterAll(async () => {
    await client.close();
    await server.close();
  });

  function request(port: number, settings: ClientTls | undefined, host = HOST): ClientRequest {
    const rawHeaders = ["Host", "h"];
    const base = { method: "GET", scheme: "https", target: "/", body: null } as const;
    return { ...base, host, port, rawHeaders, abort: new Abort(), tls: settings };
  }

  describe("tls", () => {
    test("carries requests, one after the other on one connection", async () => {
      const ports = new Set<number>();
      onRequest = (incoming) => {
        ports.add(incoming.remotePort);
        expect([incoming.encrypted, incoming.remoteAddress, incoming.clientCertificate()]).toEqual([
          true,
          HOST,
          null,
        ]);
        echo(incoming);
      };
      for (let i = 0; i < 5; i++) {
        // Equal settings in another object are the same settings.
        const response = await client.send(request(server.port, { ...trusting }));
        expect(await text(response.body)).toBe("GET / ");
      }
      expect(ports.size).toBe(1);
    });

    test("shows the caller's certificate, whoever signed it", async () => {
      for (const identity of [caller, stranger]) {
        let seen: Uint8Array | null = null;
        onRequest = (incoming) => {
          seen = incoming.clientCertificate();
          echo(incoming);
        };
        const response = await client.send(request(server.port, { ...trusting, certificate: identity }));
        await text(response.body);
        expect(Buffer.from(seen!).equals(identity.der)).toBe(true);
      }
    });

    const withIssuer = ({ key, cert }: typeof good): typeof good => ({
      ...good,
      key,
      cert: cert + authority.cert,
    });
    const forger = { ...makeAuthority("Test CA"), name: authority.name };
    const identities = {
      good,
      other,
      expired,
      stranger,
      chained: withIssuer(good),
      chainedExpired: withIssuer(expired),
      forged: withIssuer(makeIdentity({ name: "good", issuer: forger, addresses: [HOST] })),
    };
    const named = (name: string, issuer: string | null = null): ClientTls["x509Names"] => [{ name, issuer }];
    test.each<[keyof typeof identities, string, ClientTls | undefined, string | null]>([
      ["good", "a trusted chain and name", trusting, null],
      ["good", "no trust in its issuer", undefined, "not trusted"],
      ["good", "no questions", blind, null],
      ["other", "another name", trusting, "does not match"],
      ["other", "another name, not asked for", { ...trusting, validateName: false }, null],
      ["other", "the name it is asked for", { ...trusting, serverName: "other.test" }, null],
      ["expired", "the end of its time", trusting, "CERT_HAS_EXPIRED"],
      ["stranger", "no issuer", trusting, "SELF_SIGNED"],
      ["stranger", "no issuer, not asked for", { ...trusting, validateChain: false }, null],
      ["stranger", "its own SHA-256 thumbprint", { ...trusting, thumbprints: [stranger.sha256] }, null],
      [
        "stranger",
        "its SHA-1 thumbprint with colons",
        { ...trusting, thumbprints: [stranger.sha1.replace(/(..)(?=.)/g, "$1:")] },
        null,
      ],
      ["good", "another's thumbprint", { ...trusting, thumbprints: [stranger.sha256] }, "thumbprint"],
      ["good", "its name, from a trusted issuer", { ...trusting, x509Names: named("good") }, null],
      [
        "good",
        "its name, from an unknown issuer",
        { ...blind, x509Names: named("good") },
        "none of the accepted names",
      ],
      ["chained", "its name and issuer", { ...blind, x509Names: named("Good", authority.sha1) }, null],
      [
        "chained",
        "its name, and one issuer of two",
        { ...blind, x509Names: named("good", `${stranger.sha256}, ${authority.sha256}`) },
        null,
      ],
      [
        "chained",
        "another name",
        { ...trusting, x509Names: named("other", authority.sha1) },
        "none of the accepted names",
      ],
      [
        "chained",
        "another issuer",
        { ...trusting, x509Names: named("good", stranger.sha1) },
        "none of the accepted names",
      ],
      [
        "forged",
        "the issuer's certificate, but not its signature",
        { ...blind, x509Names: named("good", authority.sha1) },
        "none of the accepted names",
      ],
      [
        "chainedExpired",
        "its name and issuer, but too late",
        { ...blind, x509Names: named("expired", authority.sha1) },
        "none of the accepted names",
      ],
      [
        "stranger",
        "another name, but its thumbprint",
        { ...blind, x509Names: named("good"), thumbprints: [stranger.sha1] },
        null,
      ],
      [
        "good",
        "a client key that does not fit",
        { ...trusting, certificate: { key: other.key, cert: caller.cert } },
        "TLS settings",
      ],
      [
        "good",
        "a client certificate that is none",
        { ...trusting, certificate: { pfx: Buffer.from("x") } },
        "TLS settings",
      ],
    ])("%s certificate, %s", async (name, _why, settings, refusal) => {
      const own = await adapter.createServer({ host: HOST, port: 0, tls: identities[name], onRequest: echo });
      const sent = client.send(request(own.port, settings));
      if (refusal === null) expect(await text((await sent).body)).toBe("GET / ");
      else {
        const error = await sent.then(
          () => null,
          (reason: unknown) => reason,
        );
        expect(error).toMatchObject({
          code: "tls_failed",
          nothingSent: true,
          message: expect.stringContaining(refusal),
        });
      }
      await own.close();
    });

    test("a new certificate serves new connections, the old ones go on", async () => {
      onRequest = echo;
      const own = await adapter.createServer({ host: HOST, port: 0, tls: good, onRequest: echo });
      const open = tls.connect({ port: own.port, host: HOST, rejectUnauthorized: false });
      await new Promise((resolve) => open.once("secureConnect", resolve));
      own.setTls(stranger);
      const fresh = tls.connect({ port: own.port, host: HOST, rejectUnauthorized: false });
      await new Promise((resolve) => fresh.once("secureConnect", resolve));
      expect(fresh.getPeerCertificate().raw.equals(stranger.der)).toBe(true);
      let answer = "";
      open.on("data", (chunk: Buffer) => (answer += chunk.toString()));
      open.write("GET /old HTTP/1.1\r\nHost: h\r\n\r\n");
      await until(() => answer.endsWith("GET /old "));
      open.destroy();
      fresh.destroy();
      expect(() => own.setTls({ key: good.key, cert: other.cert })).toThrow();
      await own.close();
    });

    test("who does not speak TLS harms nobody", async () => {
      onRequest = echo;
      const raw = new RawClient(server.port);
      raw.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      await raw.closed;
      const response = await client.send(request(server.port, trusting));
      expect(await text(response.body)).toBe("GET / ");
    });

    test("an upstream that does not speak TLS: tls_failed; one that says nothing: tls_timeout", async () => {
      const plain = await adapter.createServer({ host: HOST, port: 0, onRequest: echo });
      await expect(client.send(request(plain.port, blind))).rejects.toMatchObject({
        code: "tls_failed",
        nothingSent: true,
      });
      const { createServer } = await import("node:net");
      const mute = createServer(() => {}).listen(0, HOST);
      await new Promise((resolve) => mute.once("listening", resolve));
      const { port } = mute.address() as { port: number };
      const sent = client.send({ ...request(port, blind), timeouts: { tlsMs: 20 } });
      await expect(sent).rejects.toMatchObject({ code: "tls_timeout", nothingSent: true });
      mute.close();
      await plain.close();
    });

    test("a caller that hangs up is noticed here, too", async () => {
      let incoming: Incoming | null = null;
      onRequest = (each) => (incoming = each);
      for (const hangUp of ["end", "destroy"] as const) {
        incoming = null;
        const raw = tls.connect({ port: server.port, host: HOST, rejectUnauthorized: false });
        raw.on("error", () => {});
        raw.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        await until(() => incoming !== null);
        raw[hangUp]();
        await until(() => incoming!.abort.aborted && server.active === 0);
      }
    });
  });
}
