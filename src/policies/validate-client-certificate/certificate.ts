/** What the policy reads of an X.509 certificate (RFC 5280 §4.1), from its DER; the rest is Node's own reader. */
import { X509Certificate } from "node:crypto";
import {
  type Der,
  children,
  derText,
  derTime,
  objectId,
  readDer,
} from "../../compiler/runtime/library/der.ts";
import { type DistinguishedName, readName } from "./distinguished-name.ts";

export interface ClientCertificate {
  readonly native: X509Certificate;
  /** Hex, lower case, without leading zeros. */
  readonly serial: string;
  readonly serialOctets: Uint8Array;
  /** SHA-1 of the whole, hex, lower case. */
  readonly thumbprint: string;
  /** SHA-256 of the whole, hex, lower case. */
  readonly fingerprint: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** DER of the subject. */
  readonly subjectDer: Uint8Array;
  /** The same names as keys of maps. */
  readonly subjectKey: string;
  readonly issuerKey: string;
  /** Ms since the epoch; NaN when unreadable. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly signatureAlgorithm: string;
  readonly dnsNames: readonly string[];
  /** Octets of the public key, for OCSP. */
  readonly keyBits: Uint8Array;
  /** What an extension holds, by object id. */
  extension(id: string): Der | null;
}

export const EXTENSION = {
  keyUsage: "2.5.29.15",
  alternativeNames: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  distributionPoints: "2.5.29.31",
  authorityAccess: "1.3.6.1.5.5.7.1.1",
} as const;

/** Tag of a `dNSName` among alternative names, and of a URI. */
const DNS_NAME = 0x82;
export const URI_NAME = 0x86;

/** Null when it is no certificate. */
export function readCertificate(der: Uint8Array): ClientCertificate | null {
  let native: X509Certificate;
  try {
    native = new X509Certificate(der);
  } catch {
    return null;
  }
  const body = children(children(readDer(native.raw))?.[0]);
  if (body === null) return null;
  const [serial, signature, issuer, validity, subject, keyInfo, ...rest] =
    body[0]?.tag === 0xa0 ? body.slice(1) : body;
  const [from, to] = children(validity) ?? [];
  const names = [readName(subject), readName(issuer)] as const;
  if (
    serial === undefined ||
    from === undefined ||
    to === undefined ||
    names[0] === null ||
    names[1] === null
  )
    return null;
  const extensions = readExtensions(rest.find(({ tag }) => tag === 0xa3));
  const alternatives = children(extensions.get(EXTENSION.alternativeNames)) ?? [];
  return {
    native,
    serialOctets: serial.value,
    serial: plainHex(Buffer.from(serial.value).toString("hex")),
    thumbprint: native.fingerprint.replaceAll(":", "").toLowerCase(),
    fingerprint: native.fingerprint256.replaceAll(":", "").toLowerCase(),
    subject: names[0],
    issuer: names[1],
    subjectDer: subject!.whole,
    subjectKey: Buffer.from(subject!.whole).toString("latin1"),
    issuerKey: Buffer.from(issuer!.whole).toString("latin1"),
    notBeforeMs: derTime(from),
    notAfterMs: derTime(to),
    signatureAlgorithm: objectId(children(signature)?.[0]),
    dnsNames: alternatives.filter(({ tag }) => tag === DNS_NAME).map((name) => derText(name).toLowerCase()),
    // A BIT STRING's first octet counts unused bits.
    keyBits: (children(keyInfo)?.[1]?.value ?? new Uint8Array(1)).subarray(1),
    extension: (id) => extensions.get(id) ?? null,
  };
}

function readExtensions(wrapper: Der | undefined): ReadonlyMap<string, Der> {
  const found = new Map<string, Der>();
  for (const extension of children(children(wrapper)?.[0]) ?? []) {
    const parts = children(extension);
    const content = parts === null ? null : readDer(parts.at(-1)?.value ?? new Uint8Array());
    const id = objectId(parts?.[0]);
    if (content !== null && id !== "" && !found.has(id)) found.set(id, content);
  }
  return found;
}

/** Hex as authors write it (`01:AB cd`) → lower case, no separators, no leading zeros. */
export function plainHex(text: string): string {
  return text
    .replace(/[^0-9a-f]/gi, "")
    .toLowerCase()
    .replace(/^0+(?=.)/, "");
}

/** Depth of certificate authorities that may follow below; Infinity without a limit; null when it is none. */
export function authorityDepth(certificate: ClientCertificate): number | null {
  const parts = children(certificate.extension(EXTENSION.basicConstraints));
  if (parts?.[0]?.tag !== 0x01 || parts[0].value[0] === 0) return null;
  const limit = parts[1];
  return limit === undefined ? Infinity : limit.value.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** Whether KeyUsage is absent or has this bit (0 = digitalSignature, 5 = keyCertSign, 6 = cRLSign). */
export function mayBeUsedFor(certificate: ClientCertificate, bit: number): boolean {
  const usage = certificate.extension(EXTENSION.keyUsage);
  return usage === null || ((usage.value[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0;
}
