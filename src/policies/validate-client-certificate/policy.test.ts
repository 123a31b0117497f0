import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  type TestServices,
  type Written,
  exchangeOf,
  mistakesOf,
  policyStep,
  servicesOf,
  snapshotOf,
} from "../../gateway/testing.ts";
import type { Certificate } from "../../gateway/snapshot.ts";
import { answering, type Provider, startProvider } from "../../tokens/provider.fixture.ts";
import { createClient } from "../../transport/node/index.ts";
import {
  BEGIN,
  END,
  type Fields,
  type Made,
  certificate,
  ocspAnswer,
  revocationList,
  tlv,
  uri,
} from "./certificates.fixture.ts";
import { validateClientCertificate } from "./policy.ts";

/** `FakeClock`'s. */
const NOW = 1_700_000_000_000;
const ROOT = [
  ["C", "DE"],
  ["O", "Contoso, Inc."],
  ["CN", "Root"],
] as const;
const root = certificate({ subject: ROOT, depth: Infinity });
const link = certificate({ subject: [["CN", "Link"]], issuer: root, serial: "02", depth: 0 });
const stranger = certificate({ subject: ROOT, depth: Infinity });
const CLIENT = [
  ["C", "DE"],
  ["O", "Contoso, Inc."],
  ["OU", "A"],
  ["CN", "client.example"],
] as const;
const leaf = (more: Partial<Fields> = {}): Made =>
  certificate({ subject: CLIENT, issuer: root, serial: "0abc01", ...more });
const client = leaf({ dns: ["a.example", "B.example"] });

const thumbprint = (one: Made, hash = "sha1"): string => createHash(hash).update(one.der).digest("hex");

function snapshotWith(certificates: Readonly<Record<string, Made>>) {
  const all = Object.entries(certificates).map(([id, one]): Certificate => ({
    id,
    thumbprint: thumbprint(one).toUpperCase(),
    der: one.der,
    client: null,
  }));
  return snapshotOf({
    certificates: {
      byId: new Map(all.map((one) => [one.id, one])),
      byThumbprint: new Map(all.map((one) => [one.thumbprint, one])),
    },
  });
}

const trusting = snapshotWith({ root, link });

/** `ok`, or what `LastError` says. */
async function judge(
  one: Made | Uint8Array | null,
  written: Written,
  snapshot = trusting,
  services: TestServices = servicesOf(),
): Promise<string> {
  const der = one === null ? undefined : "der" in one ? one.der : one;
  try {
    await policyStep(validateClientCertificate, written).run(
      exchangeOf({ certificate: der }, snapshot, services),
      null,
    );
    return "ok";
  } catch (error) {
    return (error as Error).message.replace("The client certificate is not valid: ", "");
  }
}

const offline = { "validate-revocation": false };
const only = (name: string): Record<string, boolean> => ({
  ...offline,
  "validate-trust": false,
  "validate-not-before": false,
  "validate-not-after": false,
  [name]: true,
});

const trusted = (
  name: string,
  one: Made | Uint8Array | null,
  expected: string,
): [string, Made | Uint8Array | null, Record<string, boolean>, string] => [name, one, offline, expected];
const NO_CHAIN = "it does not lead to a trusted authority.";

test.each<[string, Made | Uint8Array | null, Record<string, boolean>, string]>([
  trusted("good", client, "ok"),
  trusted("none", null, "none was presented."),
  trusted("no certificate", new Uint8Array([1, 2, 3]), "it cannot be read."),
  trusted("by way of another authority", leaf({ issuer: link }), "ok"),
  trusted("an authority that has the right name only", leaf({ issuer: stranger }), NO_CHAIN),
  trusted("self-signed", certificate({ subject: CLIENT }), NO_CHAIN),
  trusted(
    "self-signed, calling itself an authority",
    certificate({ subject: CLIENT, depth: Infinity }),
    NO_CHAIN,
  ),
  trusted("the trusted authority itself", root, "ok"),
  trusted("for clients", leaf({ purposes: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"] }), "ok"),
  trusted(
    "for servers only",
    leaf({ purposes: ["1.3.6.1.5.5.7.3.1"] }),
    "it is not meant for client authentication.",
  ),
  trusted("signed with SHA-1", leaf({ hash: "sha1" }), NO_CHAIN),
  ["another's, trust not asked", leaf({ issuer: stranger }), only("validate-not-after"), "ok"],
  ["not yet", leaf({ notBefore: NOW + 1000 }), only("validate-not-before"), "its time has not begun."],
  ["just now", leaf({ notBefore: NOW }), only("validate-not-before"), "ok"],
  ["not yet, not asked", leaf({ notBefore: NOW + 1000 }), only("validate-not-after"), "ok"],
  ["over", leaf({ notAfter: NOW - 1000 }), only("validate-not-after"), "its time is over."],
  ["to this second", leaf({ notAfter: NOW }), only("validate-not-after"), "ok"],
  ["over, not asked", leaf({ notAfter: NOW - 1000 }), only("validate-not-before"), "ok"],
  ["revocation, nowhere to ask", client, {}, "it does not say where its revocation status can be found."],
  [
    "revocation, issuer not known",
    leaf({ issuer: stranger }),
    only("validate-revocation"),
    "its revocation status could not be found: its issuer is not known.",
  ],
])("%s", async (_name, one, attributes, expected) => {
  expect(await judge(one, { attributes })).toBe(expected);
});

test.each<[string, Fields]>([
  ["is none", { subject: [["CN", "Link"]], issuer: root }],
  ["may not sign certificates", { subject: [["CN", "Link"]], issuer: root, depth: Infinity, usage: 0x82 }],
  ["is over", { subject: [["CN", "Link"]], issuer: root, depth: Infinity, notAfter: NOW - 1000 }],
  ["has not begun", { subject: [["CN", "Link"]], issuer: root, depth: Infinity, notBefore: NOW + 1000 }],
])("an authority on the way that %s breaks the chain", async (_name, fields) => {
  const way = certificate(fields);
  expect(await judge(leaf({ issuer: way }), { attributes: offline }, snapshotWith({ root, way }))).toBe(
    NO_CHAIN,
  );
});

test("an authority's limit on authorities below it is kept", async () => {
  const below = certificate({ subject: [["CN", "Below"]], issuer: link, depth: Infinity });
  expect(
    await judge(leaf({ issuer: below }), { attributes: offline }, snapshotWith({ root, link, below })),
  ).toBe(NO_CHAIN);
  const wide = certificate({ subject: [["CN", "Wide"]], issuer: root, depth: 1 });
  const second = certificate({ subject: [["CN", "Second"]], issuer: wide, depth: 0 });
  expect(
    await judge(leaf({ issuer: second }), { attributes: offline }, snapshotWith({ root, wide, second })),
  ).toBe("ok");
});

const EXACT = 'CN=client.example, OU=A, O="Contoso, Inc.", C=DE';

test.each<[string, Record<string, string>[], boolean]>([
  ["thumbprint", [{ thumbprint: thumbprint(client) }], true],
  [
    "thumbprint as tools show it",
    [
      {
        thumbprint: `\u200e${thumbprint(client)
          .toUpperCase()
          .replace(/..(?=.)/g, "$&:")}`,
      },
    ],
    true,
  ],
  ["thumbprint by SHA-256", [{ thumbprint: thumbprint(client, "sha256") }], true],
  ["another thumbprint", [{ thumbprint: thumbprint(root) }], false],
  ["serial number", [{ "serial-number": "ABC01" }], true],
  ["serial number with colons and zeros", [{ "serial-number": "00:0a:bc:01" }], true],
  ["another serial number", [{ "serial-number": "abc0" }], false],
  ["common name", [{ "common-name": "CLIENT.example" }], true],
  ["a part of the common name", [{ "common-name": "client" }], false],
  ["subject", [{ subject: EXACT }], true],
  ["subject from the other end", [{ subject: 'C=DE,O="Contoso, Inc.",OU=A,CN=client.example' }], true],
  [
    "subject with other spaces, case and escapes",
    [{ subject: "cn = Client.Example ;ou=a;  o=contoso\\,  inc.; c=de" }],
    true,
  ],
  [
    "subject by object ids",
    [{ subject: 'OID.2.5.4.3=client.example, 2.5.4.11=A, O="Contoso, Inc.", C=DE' }],
    true,
  ],
  ["subject in mixed order", [{ subject: 'OU=A, CN=client.example, O="Contoso, Inc.", C=DE' }], false],
  ["subject without a part", [{ subject: 'CN=client.example, O="Contoso, Inc.", C=DE' }], false],
  ["subject with a part more", [{ subject: `${EXACT}, L=Berlin` }], false],
  ["subject that is none", [{ subject: "client.example" }], false],
  ["dns name", [{ "dns-name": "b.EXAMPLE" }], true],
  ["another dns name", [{ "dns-name": "c.example" }], false],
  ["the common name is no dns name", [{ "dns-name": "client.example" }], false],
  ["issuer subject", [{ "issuer-subject": 'CN=Root, O="Contoso, Inc.", C=DE' }], true],
  ["another issuer subject", [{ "issuer-subject": "CN=Root" }], false],
  ["issuer thumbprint", [{ "issuer-thumbprint": thumbprint(root) }], true],
  ["another issuer thumbprint", [{ "issuer-thumbprint": thumbprint(stranger) }], false],
  ["issuer by certificate", [{ "issuer-certificate-id": "ROOT" }], true],
  ["another issuer by certificate", [{ "issuer-certificate-id": "link" }], false],
  ["an issuer that is not there", [{ "issuer-certificate-id": "gone" }], false],
  ["all attributes of one", [{ "common-name": "client.example", "serial-number": "abc01" }], true],
  ["not all attributes of one", [{ "common-name": "client.example", "serial-number": "abc02" }], false],
  ["one of several", [{ thumbprint: thumbprint(root) }, { "common-name": "client.example" }], true],
  ["none of several", [{ thumbprint: thumbprint(root) }, { "common-name": "x" }], false],
  ["no attributes", [{}], false],
])("identities: %s", async (_name, identities, fits) => {
  const children = {
    identities: [{ children: { identity: identities.map((attributes) => ({ attributes })) } }],
  };
  expect(await judge(client, { attributes: offline, children })).toBe(
    fits ? "ok" : "it is none of the identities listed.",
  );
});

test("an empty list of identities asks for nothing", async () => {
  expect(
    await judge(client, { attributes: offline, children: { identities: [{ children: { identity: [] } }] } }),
  ).toBe("ok");
});

test("what the caller reads, and going on all the same", async () => {
  const exchange = exchangeOf();
  const run = (attributes: object): unknown =>
    policyStep(validateClientCertificate, { attributes: { ...attributes } }).run(exchange, null);
  expect(() => run({})).toThrow(
    expect.objectContaining({
      source: "validate-client-certificate",
      reason: "ClientCertificateInvalid",
      status: 401,
      clientMessage: "Invalid client certificate",
    }),
  );
  expect(run({ "ignore-error": true })).toBeUndefined();
});

// ── Revocation ────────────────────────────────────────────────────────────────────────────────────────────────────

const outgoing = createClient();
let authority: Provider;

beforeAll(async () => {
  authority = await startProvider();
});
beforeEach(() => {
  authority.answers.clear();
  authority.asked.length = 0;
});
afterAll(async () => {
  await outgoing.close();
  await authority.close();
});

const NOT_FOUND = "its revocation status could not be found: ";
const listed = (): Made => leaf({ list: `${authority.url}/list` });

test.each<[string, () => [client: Made, list: Uint8Array | null], string]>([
  [
    "not in the list",
    () => [
      listed(),
      revocationList({ issuer: root, serials: [Buffer.from("0abc02", "hex"), Buffer.from("0a", "hex")] }),
    ],
    "ok",
  ],
  [
    "in the list",
    () => [
      listed(),
      revocationList({ issuer: root, serials: [Buffer.from("0abc02", "hex"), Buffer.from("0abc01", "hex")] }),
    ],
    "it was revoked.",
  ],
  ["an empty list", () => [listed(), revocationList({ issuer: root })], "ok"],
  [
    "a list by somebody else",
    () => [listed(), revocationList({ issuer: root, signer: stranger })],
    "its signature is wrong.",
  ],
  [
    "another authority's list",
    () => [listed(), revocationList({ issuer: link })],
    "it is another authority's.",
  ],
  ["a list of yesterday", () => [listed(), revocationList({ issuer: root, to: NOW })], "it is not of today."],
  [
    "a list of tomorrow",
    () => [listed(), revocationList({ issuer: root, from: NOW + 1000 })],
    "it is not of today.",
  ],
  [
    "a delta",
    () => [listed(), revocationList({ issuer: root, delta: true })],
    "it is only a part of a list.",
  ],
  [
    "a list of authorities",
    () => [listed(), revocationList({ issuer: root, point: [tlv(0x82, Buffer.from([0xff]))] })],
    "the list is not about it.",
  ],
  [
    "a list of clients",
    () => [listed(), revocationList({ issuer: root, point: [tlv(0x81, Buffer.from([0xff]))] })],
    "ok",
  ],
  [
    "a list for some reasons",
    () => [listed(), revocationList({ issuer: root, point: [tlv(0x83, Buffer.from([0, 1]))] })],
    "it is only a part of a list.",
  ],
  [
    "a list for its place",
    () => [
      listed(),
      revocationList({ issuer: root, point: [tlv(0xa0, tlv(0xa0, uri(`${authority.url}/list`)))] }),
    ],
    "ok",
  ],
  [
    "a list for another place",
    () => [
      listed(),
      revocationList({ issuer: root, point: [tlv(0xa0, tlv(0xa0, uri(`${authority.url}/other`)))] }),
    ],
    "the list is not about it.",
  ],
  ["nonsense", () => [listed(), Buffer.from("<html>")], "it is not a revocation list."],
  ["not there", () => [listed(), null], "it answered 404."],
  [
    "at a metadata service",
    () => [leaf({ list: "http://169.254.169.254/list" }), null],
    "connections to 169.254.169.254 are not allowed.",
  ],
  [
    "not at a web address",
    () => [leaf({ list: "ldap://ldap.example/cn=list" }), null],
    "it does not say where its revocation status can be found.",
  ],
])("revocation lists: %s", async (_name, make, expected) => {
  const [one, list] = make();
  if (list !== null) authority.answers.set("/list", (_request, response) => void response.end(list));
  const said = await judge(one, {}, trusting, servicesOf({ client: outgoing }));
  if (expected === "ok" || expected.startsWith("it was") || expected.startsWith("it does not say"))
    expect(said).toBe(expected);
  else expect([said.startsWith(NOT_FOUND), said.endsWith(expected), said]).toEqual([true, true, said]);
});

test.each<[string, (about: Made) => Uint8Array | null, string]>([
  ["good", (about) => ocspAnswer({ issuer: root, about, state: "good" }), "ok"],
  ["revoked", (about) => ocspAnswer({ issuer: root, about, state: "revoked" }), "it was revoked."],
  [
    "unknown",
    (about) => ocspAnswer({ issuer: root, about, state: "unknown" }),
    "the responder does not know this certificate.",
  ],
  [
    "about another",
    () => ocspAnswer({ issuer: root, about: link, state: "good" }),
    "it says nothing of this certificate.",
  ],
  [
    "by somebody else",
    (about) => ocspAnswer({ issuer: root, about, state: "good", signer: stranger }),
    "its signature is wrong.",
  ],
  [
    "by a delegate",
    (about) =>
      ocspAnswer({ issuer: root, about, state: "good", delegate: leaf({ purposes: ["1.3.6.1.5.5.7.3.9"] }) }),
    "ok",
  ],
  [
    "by one that is no delegate",
    (about) => ocspAnswer({ issuer: root, about, state: "good", delegate: leaf() }),
    "its signature is wrong.",
  ],
  [
    "by another's delegate",
    (about) =>
      ocspAnswer({
        issuer: root,
        about,
        state: "good",
        delegate: leaf({ issuer: stranger, purposes: ["1.3.6.1.5.5.7.3.9"] }),
      }),
    "its signature is wrong.",
  ],
  [
    "by a delegate of the past",
    (about) =>
      ocspAnswer({
        issuer: root,
        about,
        state: "good",
        delegate: leaf({ notAfter: NOW - 1000, purposes: ["1.3.6.1.5.5.7.3.9"] }),
      }),
    "its signature is wrong.",
  ],
  [
    "of yesterday",
    (about) => ocspAnswer({ issuer: root, about, state: "good", from: NOW - 1000, to: NOW }),
    "the answer is not of today.",
  ],
  ["long ago", (about) => ocspAnswer({ issuer: root, about, state: "good", from: BEGIN, to: END }), "ok"],
  ["no answer", () => tlv(0x30, tlv(0x0a, Buffer.from([6]))), "the responder has no answer."],
  ["nonsense", () => Buffer.from("?"), "the responder has no answer."],
  ["not there", () => null, "it answered 404."],
])("OCSP: %s", async (_name, make, expected) => {
  const one = leaf({ responder: `${authority.url}/ocsp` });
  const answer = make(one);
  if (answer !== null) authority.answers.set("/ocsp", (_request, response) => void response.end(answer));
  const said = await judge(one, {}, trusting, servicesOf({ client: outgoing }));
  expect(said === expected || (said.startsWith(NOT_FOUND) && said.endsWith(expected)) ? expected : said).toBe(
    expected,
  );
});

test("authorities on the way may be revoked, too", async () => {
  const way = certificate({
    subject: [["CN", "Way"]],
    issuer: root,
    serial: "77",
    depth: 0,
    list: `${authority.url}/list`,
  });
  const one = leaf({ issuer: way, responder: `${authority.url}/ocsp` });
  const answer = ocspAnswer({ issuer: way, about: one, state: "good" });
  authority.answers.set("/ocsp", (_request, response) => void response.end(answer));
  const list = revocationList({ issuer: root, serials: [Buffer.from("77", "hex")] });
  authority.answers.set("/list", (_request, response) => void response.end(list));
  expect(await judge(one, {}, snapshotWith({ root, way }), servicesOf({ client: outgoing }))).toBe(
    "it was revoked.",
  );
});

test("a list is fetched once, and again when its time is over; a failure is asked again after a minute", async () => {
  const services = servicesOf({ client: outgoing });
  const one = listed();
  const ask = (): Promise<string> => judge(one, {}, trusting, services);
  authority.answers.set("/list", answering(500, ""));
  expect((await Promise.all([ask(), ask(), ask()])).every((said) => said.startsWith(NOT_FOUND))).toBe(true);
  expect(await ask()).toContain("it answered 500");
  expect(authority.asked.length).toBe(1);
  services.clock.advance(60_000);
  const first = revocationList({ issuer: root, to: NOW + 3_600_000 });
  authority.answers.set("/list", (_request, response) => void response.end(first));
  expect(await Promise.all([ask(), ask(), ask()])).toEqual(["ok", "ok", "ok"]);
  expect(authority.asked.length).toBe(2);
  services.clock.advance(3_600_000 - 60_000 - 1);
  expect(await ask()).toBe("ok");
  const second = revocationList({ issuer: root, serials: [one.serial] });
  authority.answers.set("/list", (_request, response) => void response.end(second));
  services.clock.advance(1);
  expect(await ask()).toBe("it was revoked.");
  expect(authority.asked.length).toBe(3);
});

// ── When it is saved ──────────────────────────────────────────────────────────────────────────────────────────────

test.each<[string, Record<string, string>, string[]]>([
  ["nothing wrong", { thumbprint: thumbprint(root), subject: EXACT }, []],
  ["no attribute", {}, ["an identity needs at least one attribute"]],
  [
    "two ways to the issuer",
    { "issuer-certificate-id": "root", "issuer-thumbprint": thumbprint(root) },
    ["issuer-certificate-id and issuer-thumbprint exclude each other"],
  ],
  ["no name", { subject: "client" }, ['"client" is not a distinguished name']],
  ["an unknown kind of name", { "issuer-subject": "XX=a" }, ['"XX=a" is not a distinguished name']],
  ["an open quote", { subject: 'CN="a' }, ['"CN="a" is not a distinguished name']],
  ["no thumbprint", { thumbprint: "abc" }, ['"abc" is not a thumbprint']],
  ["no serial number", { "serial-number": "12x" }, ['"12x" is not a serial number']],
  ["to be filled in", { thumbprint: "{{thumbprint}}" }, []],
])("said when it is saved: %s", (_name, attributes, expected) => {
  expect(
    mistakesOf(validateClientCertificate, {
      children: { identities: [{ children: { identity: [{ attributes }] } }] },
    }),
  ).toEqual(expected);
});
