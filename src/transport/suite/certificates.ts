/**
 * Certificates for tests, made when the tests run: no key lies in the repository and no other program is needed.
 * X.509 v3 in DER (RFC 5280 §4.1), as much of it as TLS looks at: names, validity, key, alternative names, CA.
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";

export interface Identity {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
  readonly der: Buffer;
  /** SHA-256 of the DER, hex. */
  readonly sha256: string;
  /** SHA-1 of the DER, hex. */
  readonly sha1: string;
}

export interface IdentityOptions {
  readonly name: string;
  /** Absent: signed with its own key. */
  readonly issuer?: Authority;
  readonly dnsNames?: readonly string[];
  /** IPv4. */
  readonly addresses?: readonly string[];
  /** Ended a day ago. */
  readonly expired?: boolean;
}

export interface Authority extends Identity {
  readonly name: string;
  readonly privateKey: KeyObject;
}

export function makeAuthority(name: string): Authority {
  const { identity, privateKey } = issue({ name }, true);
  return { ...identity, name, privateKey };
}

export function makeIdentity(options: IdentityOptions): Identity {
  return issue(options, false).identity;
}

/** A PKCS#12 file (RFC 7292) without encryption or MAC: the key, its certificate and those that issued it. */
export function makePfx(own: Identity, ...issuers: readonly Identity[]): Buffer {
  const data = (content: Buffer): Buffer =>
    sequence(oid("2a864886f70d010701"), tlv(0xa0, tlv(0x04, content)));
  const bag = (kind: string, value: Buffer): Buffer =>
    sequence(oid(`2a864886f70d010c0a01${kind}`), tlv(0xa0, value));
  const certificates = [...issuers, own].map(({ der }) =>
    bag("03", sequence(oid("2a864886f70d01091601"), tlv(0xa0, tlv(0x04, der)))),
  );
  const key = bag("01", createPrivateKey(own.key).export({ type: "pkcs8", format: "der" }));
  return sequence(integer(Buffer.from([3])), data(sequence(data(sequence(...certificates, key)))));
}

const DAY_MS = 86_400_000;

function issue(
  options: IdentityOptions,
  isAuthority: boolean,
): { identity: Identity; privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { issuer } = options;
  const now = Date.now();
  const until = options.expired ? now - DAY_MS : now + DAY_MS;
  const algorithm = sequence(oid("2a8648ce3d040302")); // ecdsa-with-SHA256
  const extensions: Buffer[] = [];
  if (isAuthority) extensions.push(extension("551d13", true, sequence(tlv(0x01, Buffer.from([0xff])))));
  const names = [
    ...(options.dnsNames ?? []).map((name) => tlv(0x82, Buffer.from(name, "ascii"))),
    ...(options.addresses ?? []).map((address) => tlv(0x87, Buffer.from(address.split(".").map(Number)))),
  ];
  if (names.length > 0) extensions.push(extension("551d11", false, sequence(...names)));

  const body = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer?.name ?? options.name),
    sequence(time(now - 2 * DAY_MS), time(until)),
    distinguishedName(options.name),
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", body, issuer?.privateKey ?? privateKey);
  const der = sequence(body, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const identity = {
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${der.toString("base64").replace(/(.{64})/g, "$1\n")}\n-----END CERTIFICATE-----\n`,
    der,
    sha256: createHash("sha256").update(der).digest("hex"),
    sha1: createHash("sha1").update(der).digest("hex"),
  };
  return { identity, privateKey };
}

function tlv(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}

function sequence(...parts: Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function integer(value: Buffer): Buffer {
  return tlv(0x02, value);
}

function oid(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, "hex"));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(tlv(0x31, sequence(oid("550403"), tlv(0x0c, Buffer.from(commonName)))));
}

function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]/g, "").slice(0, 14);
  return tlv(0x18, Buffer.from(`${text}Z`));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [tlv(0x01, Buffer.from([0xff]))] : []), tlv(0x04, value));
}
