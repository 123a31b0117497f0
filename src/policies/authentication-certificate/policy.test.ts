import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestGateway, api, policy, testGateway } from "../../../test/gateway.ts";
import { PFX_LEGACY, PFX_MODERN } from "../../compiler/runtime/library/crypto.fixtures.ts";
import type { Certificate } from "../../gateway/snapshot.ts";
import {
  type Written,
  exchangeOf,
  mistakesOf,
  policyStep,
  servicesOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import { createServer } from "../../transport/node/index.ts";
import { makeAuthority, makeIdentity, makePfx } from "../../transport/suite/certificates.ts";
import type { ClientRequest, Server } from "../../transport/transport.ts";
import { sendRequest } from "../send-request/policy.ts";
import { authenticationCertificate } from "./policy.ts";

const PRINT = "0123456789ABCDEF0123456789ABCDEF01234567";
const known: Certificate = {
  id: "mine",
  thumbprint: PRINT,
  der: new Uint8Array(1),
  client: { key: "k", cert: "c" },
};
const keyless: Certificate = { ...known, id: "public", client: null };
const certificates = {
  byId: new Map([known, keyless].map((certificate) => [certificate.id, certificate])),
  byThumbprint: new Map([[PRINT, known]]),
};
const authority = makeAuthority("issuer");
const mine = makeIdentity({ name: "mine", issuer: authority });
const thumbprint = mine.sha1.toUpperCase().replace(/..(?=.)/g, "$&:");
const pfx = makePfx(mine, authority);
const fromFile = {
  key: mine.key,
  cert: [mine, authority].map(({ der }) => new X509Certificate(der).toString()).join(""),
};

test.each<[string, Written["attributes"], unknown]>([
  ["by id", { "certificate-id": "mine" }, known.client],
  ["case does not matter", { "certificate-id": () => "MINE" }, known.client],
  ["by a whole resource id", { "certificate-id": () => "/certificates/mine" }, known.client],
  ["by thumbprint", { thumbprint: PRINT }, known.client],
  [
    "in lower case with spaces and the mark that a copy from Windows brings",
    { thumbprint: () => `\u200e${PRINT.toLowerCase().replace(/../g, "$& ")}` },
    known.client,
  ],
  ["by octets", { body: () => pfx }, fromFile],
  [
    "by octets of an old format",
    { body: () => Buffer.from(PFX_LEGACY, "base64"), password: "secret" },
    { key: expect.any(String), cert: expect.any(String) },
  ],
])("%s", (_name, attributes, expected) => {
  const exchange = exchangeOf({}, snapshotOf({ certificates }));
  policyStep(authenticationCertificate, { attributes }).run(exchange, null);
  expect(exchange.request.clientCertificate).toEqual(expected);
});

test.each<[string, Written["attributes"], string]>([
  ["unknown id", { "certificate-id": () => "other" }, "CertificateNotFound"],
  ["unknown thumbprint", { thumbprint: () => "00" }, "CertificateNotFound"],
  ["no private key", { "certificate-id": "public" }, "CertificateInvalid"],
  ["text for octets", { body: () => "text" }, "CertificateInvalid"],
  ["nothing for octets", { body: () => null }, "CertificateInvalid"],
  ["no octets", { body: () => new Uint8Array(0) }, "CertificateInvalid"],
  ["octets of something else", { body: () => mine.der }, "CertificateInvalid"],
  [
    "a wrong password",
    { body: () => Buffer.from(PFX_MODERN, "base64"), password: "guess" },
    "CertificateInvalid",
  ],
])("%s: 500", (_name, attributes, reason) => {
  const step = policyStep(authenticationCertificate, { attributes });
  const exchange = exchangeOf({}, snapshotOf({ certificates }));
  expect(() => step.run(exchange, null)).toThrow(
    expect.objectContaining({ source: "authentication-certificate", reason, status: 500 }),
  );
});

test.each<[Written["attributes"], readonly string[]]>([
  [{ thumbprint: PRINT }, []],
  [{ body: () => pfx, password: "x" }, []],
  [{}, ["one of thumbprint, certificate-id and body is required"]],
  [{ thumbprint: PRINT, "certificate-id": "mine" }, ["thumbprint and certificate-id cannot stand together"]],
  [{ body: "text" }, ["body takes an expression that gives byte[]"]],
  [{ "certificate-id": "mine", password: "x" }, ["password belongs to body"]],
])("mistakes of %j", (attributes, expected) => {
  expect(mistakesOf(authenticationCertificate, { attributes })).toEqual(expected);
});

test("inside send-request it is that request's, over TLS settings that are otherwise the usual ones", async () => {
  const sent: ClientRequest[] = [];
  const client = {
    send: (request: ClientRequest) => Promise.reject(sent.push(request)),
    close: () => Promise.resolve(),
  };
  const exchange = exchangeOf({}, snapshotOf({ certificates }), servicesOf({ client }));
  const inner = policyStep(authenticationCertificate, { attributes: { "certificate-id": "mine" } });
  const step = policyStep(sendRequest, {
    children: { "set-url": [{ text: "https://a.example" }] },
    steps: [inner],
  });
  for (let i = 0; i < 2; i++) await (step.run(exchange, null) as Promise<void>).catch(() => {});
  expect(sent[0]!.tls).toEqual({ validateChain: true, validateName: true, certificate: known.client });
  // The transport pools by identity.
  expect(sent[1]!.tls).toBe(sent[0]!.tls);
  expect(exchange.request.clientCertificate).toBeNull();
});

// ── Over the wire ─────────────────────────────────────────────────────────────────────────────────────────────────

describe("through a gateway", () => {
  let upstream: Server;
  let gateway: TestGateway;

  beforeAll(async () => {
    upstream = await createServer({
      host: "127.0.0.1",
      port: 0,
      tls: { ...makeIdentity({ name: "upstream" }), requestClientCertificate: true },
      onRequest: (incoming) => {
        const der = incoming.clientCertificate();
        incoming.reply.send(
          200,
          "",
          [],
          Buffer.from(der === null ? "nobody" : new X509Certificate(der).fingerprint),
        );
      },
    });
    const presenting = (attributes: string): { policy: string } => ({
      policy: policy({
        inbound: `<set-backend-service backend-id="tls" /><authentication-certificate ${attributes} />`,
      }),
    });
    gateway = await testGateway({
      "namedValues/secret/namedValueInformation.json": {
        properties: { displayName: "secret", value: "secret", secret: true },
      },
      "certificates/modern/certificateInformation.json": {
        properties: { data: PFX_MODERN, password: "{{secret}}" },
      },
      "certificates/mine/certificateInformation.json": { properties: { data: pfx.toString("base64") } },
      "backends/tls/backendInformation.json": {
        properties: {
          url: `https://127.0.0.1:${upstream.port}`,
          protocol: "http",
          tls: { validateCertificateChain: false, validateCertificateName: false },
        },
      },
      ...api("by-id", undefined, ["GET /x"], presenting('certificate-id="mine"')),
      ...api(
        "by-thumbprint",
        undefined,
        ["GET /x"],
        presenting(`thumbprint="${thumbprint.toLowerCase().replaceAll(":", " ")}"`),
      ),
      ...api(
        "by-body",
        undefined,
        ["GET /x"],
        presenting(`body="@(Convert.FromBase64String("${pfx.toString("base64")}"))"`),
      ),
      ...api("too-weak", undefined, ["GET /x"], presenting('certificate-id="modern"')),
      ...api("shown", undefined, ["GET /x"], {
        policy: policy({
          inbound: `<return-response><set-body>@(context.Deployment.Certificates["${mine.sha1.toUpperCase()}"].Subject + " " + context.Deployment.Certificates["mine"].Thumbprint)</set-body></return-response>`,
        }),
      }),
      ...api("without", undefined, ["GET /x"], {
        policy: policy({ inbound: `<set-backend-service backend-id="tls" />` }),
      }),
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  test.each([
    ["by-id", 200, thumbprint],
    // The same origin, and not the connection that the certificate opened.
    ["without", 200, "nobody"],
    ["by-thumbprint", 200, thumbprint],
    ["by-body", 200, thumbprint],
    ["shown", 200, `CN=mine ${mine.sha1.toUpperCase()}`],
    // 1024 bits of RSA: TLS libraries do not take them any more.
    ["too-weak", 500, /Internal server error/],
  ])("%s", async (path, status, expected) => {
    const response = await fetch(`${gateway.url}/${path}/x`);
    const body = await response.text();
    if (typeof expected === "string") expect(body).toBe(expected);
    else expect(body).toMatch(expected);
    expect(response.status).toBe(status);
  });

  test.each<[string, string, object, RegExp]>([
    ["an id that does not exist", 'certificate-id="modren"', {}, /HG4006 .*certificate `modren`/],
    ["a thumbprint that does not exist", `thumbprint="${PRINT}"`, {}, /HG4006 .*certificate thumbprint/],
    [
      "a wrong password",
      'certificate-id="modern"',
      { data: PFX_MODERN, password: "guess" },
      /HG5504 .*`modern` cannot be opened: the password is wrong/,
    ],
    ["data that is no file", 'certificate-id="modern"', { data: "AAAA" }, /HG5504 .*not the base64/],
  ])("refused when saved: %s", async (_name, attributes, properties, expected) => {
    const files = {
      "certificates/modern/certificateInformation.json": {
        properties: { data: PFX_MODERN, password: "secret", ...properties },
      },
      ...api("a", "http://127.0.0.1:1", ["GET /x"], {
        policy: policy({ inbound: `<authentication-certificate ${attributes} />` }),
      }),
    };
    const problems = await testGateway(files).then(
      () => [],
      (error: { problems: { code: string; message: string }[] }) =>
        error.problems.map(({ code, message }) => `${code} ${message}`),
    );
    expect(problems.join("\n")).toMatch(expected);
  });
});
