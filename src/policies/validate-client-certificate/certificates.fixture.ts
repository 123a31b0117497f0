/** Certificates, revocation lists and OCSP answers for tests, written in DER here and signed with `node:crypto`. */
import { type KeyObject, createHash, generateKeyPairSync, sign } from "node:crypto";

const OIDS: Record<string, string> = {
  CN: "2.5.4.3",
  C: "2.5.4.6",
  O: "2.5.4.10",
  OU: "2.5.4.11",
  E: "1.2.840.113549.1.9.1",
  DC: "0.9.2342.19200300.100.1.25",
};

export interface Fields {
  /** The most general first: `["C", "DE"], ["CN", "x"]`. */
  readonly subject: readonly (readonly [string, string])[];
  readonly issuer?: Made;
  readonly serial?: string;
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** null: no authority; else how many may follow. */
  readonly depth?: number | null;
  readonly purposes?: readonly string[];
  readonly dns?: readonly string[];
  readonly list?: string;
  readonly responder?: string;
  /** First octet of KeyUsage. */
  readonly usage?: number;
  readonly hash?: "sha1" | "sha256";
}

export interface Made {
  readonly der: Buffer;
  readonly name: Buffer;
  readonly serial: Buffer;
  readonly keyBits: Buffer;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Around `FakeClock`'s time. */
export const BEGIN = Date.UTC(2023, 0, 1);
export const END = Date.UTC(2025, 0, 1);

export function certificate(fields: Fields): Made {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const name = nameDer(fields.subject);
  const serial = Buffer.from(fields.serial ?? "01", "hex");
  const algorithm = seq(oid(fields.hash === "sha1" ? "1.2.840.10045.4.1" : "1.2.840.10045.4.3.2"));
  const body = seq(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    fields.issuer?.name ?? name,
    seq(time(fields.notBefore ?? BEGIN), time(fields.notAfter ?? END)),
    name,
    spki,
    tlv(0xa3, seq(...extensions(fields))),
  );
  const signature = sign(fields.hash ?? "sha256", body, (fields.issuer ?? { privateKey }).privateKey);
  return {
    der: seq(body, algorithm, bits(signature)),
    name,
    serial,
    keyBits: spki.subarray(-65),
    publicKey,
    privateKey,
  };
}

function extensions({ depth = null, purposes, dns, list, responder, usage }: Fields): Buffer[] {
  const all: Buffer[] = [];
  const add = (id: string, value: Buffer): void => void all.push(seq(oid(id), tlv(0x04, value)));
  if (depth !== null)
    add(
      "2.5.29.19",
      seq(tlv(0x01, Buffer.from([0xff])), ...(depth === Infinity ? [] : [integer(Buffer.from([depth]))])),
    );
  if (usage !== undefined) add("2.5.29.15", tlv(0x03, Buffer.from([0, usage])));
  if (purposes !== undefined) add("2.5.29.37", seq(...purposes.map(oid)));
  if (dns !== undefined) add("2.5.29.17", seq(...dns.map((one) => tlv(0x82, Buffer.from(one)))));
  if (list !== undefined) add("2.5.29.31", seq(seq(tlv(0xa0, tlv(0xa0, uri(list))))));
  if (responder !== undefined) add("1.3.6.1.5.5.7.1.1", seq(seq(oid("1.3.6.1.5.5.7.48.1"), uri(responder))));
  return all;
}

export interface ListFields {
  readonly issuer: Made;
  readonly serials?: readonly Buffer[];
  readonly signer?: Made;
  readonly from?: number;
  readonly to?: number;
  /** Contents of the issuing distribution point. */
  readonly point?: readonly Buffer[];
  readonly delta?: boolean;
}

export function revocationList({
  issuer,
  serials = [],
  signer = issuer,
  from = BEGIN,
  to = END,
  point,
  delta,
}: ListFields): Buffer {
  const algorithm = seq(oid("1.2.840.10045.4.3.2"));
  const critical = (id: string, value: Buffer): Buffer =>
    seq(oid(id), tlv(0x01, Buffer.from([0xff])), tlv(0x04, value));
  const more = [
    ...(point === undefined ? [] : [critical("2.5.29.28", seq(...point))]),
    ...(delta === true ? [critical("2.5.29.27", integer(Buffer.from([1])))] : []),
  ];
  const body = seq(
    integer(Buffer.from([1])),
    algorithm,
    issuer.name,
    time(from),
    time(to),
    ...(serials.length === 0 ? [] : [seq(...serials.map((serial) => seq(integer(serial), time(BEGIN))))]),
    ...(more.length === 0 ? [] : [tlv(0xa0, seq(...more))]),
  );
  return seq(body, algorithm, bits(sign("sha256", body, signer.privateKey)));
}

export interface AnswerFields {
  readonly issuer: Made;
  readonly about: Made;
  readonly state: "good" | "revoked" | "unknown";
  readonly signer?: Made;
  readonly delegate?: Made;
  readonly from?: number;
  readonly to?: number;
}

export function ocspAnswer({
  issuer,
  about,
  state,
  signer = issuer,
  delegate,
  from = BEGIN,
  to = END,
}: AnswerFields): Buffer {
  const algorithm = seq(oid("1.2.840.10045.4.3.2"));
  const hash = (bytes: Buffer): Buffer => tlv(0x04, createHash("sha1").update(bytes).digest());
  const id = seq(seq(oid("1.3.14.3.2.26")), hash(issuer.name), hash(issuer.keyBits), integer(about.serial));
  const status = { good: tlv(0x80), revoked: tlv(0xa1, generalTime(BEGIN)), unknown: tlv(0x82) }[state];
  const body = seq(
    tlv(0xa1, issuer.name),
    generalTime(from),
    seq(seq(id, status, generalTime(from), tlv(0xa0, generalTime(to)))),
  );
  const certificates = delegate === undefined ? [] : [tlv(0xa0, seq(delegate.der))];
  const basic = seq(
    body,
    algorithm,
    bits(sign("sha256", body, (delegate ?? signer).privateKey)),
    ...certificates,
  );
  return seq(tlv(0x0a, Buffer.from([0])), tlv(0xa0, seq(oid("1.3.6.1.5.5.7.48.1.1"), tlv(0x04, basic))));
}

// ── DER ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

export const uri = (text: string): Buffer => tlv(0x86, Buffer.from(text));
const seq = (...parts: readonly Buffer[]): Buffer => tlv(0x30, ...parts);
const integer = (bytes: Buffer): Buffer => tlv(0x02, bytes);
const bits = (bytes: Buffer): Buffer => tlv(0x03, Buffer.from([0]), bytes);
const text = (ms: number): string => new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "");
const time = (ms: number): Buffer => tlv(0x17, Buffer.from(text(ms).slice(2)));
const generalTime = (ms: number): Buffer => tlv(0x18, Buffer.from(text(ms)));

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const octets = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    octets.push(...groups);
  }
  return tlv(0x06, Buffer.from(octets));
}

function nameDer(attributes: Fields["subject"]): Buffer {
  return seq(
    ...attributes.map(([type, value]) => tlv(0x31, seq(oid(OIDS[type]!), tlv(0x0c, Buffer.from(value))))),
  );
}
