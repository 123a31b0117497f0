/**
 * X509Certificate2 from octets: DER, PEM or PKCS#12. Nothing here reads files, stores or the network; the roots that
 * `Verify` trusts are given by the process.
 */
import { type KeyObject, X509Certificate, createHash } from "node:crypto";
import { checkBytes, spend } from "../budget.ts";
import { type Members, defineType } from "../define.ts";
import { argumentError, argumentNull } from "../errors.ts";
import { environment } from "../environment.ts";
import type { Type } from "../type.ts";
import { type EnumValue, type NetObject, TYPE, enumValue, hashOf, typeNamed } from "../values.ts";
import { HASHES, cryptographic, plainBytes } from "./crypto-hash.ts";
import { RsaKey } from "./crypto-rsa.ts";
import { toLocal, utcFromUnixMs } from "./datetime.ts";
import { type Der, SEQUENCE, children, derText, derTime, objectId, readDer } from "./der.ts";
import { openPfx } from "./pkcs12.ts";

const NAMESPACE = "System.Security.Cryptography.X509Certificates";

let givenRoots: () => readonly string[] = () => [];
let trusted: readonly X509Certificate[] | null = null;

/**
 * Certificates (PEM) that `Verify()` and `VerifyNoRevocation()` trust: usually those of the machine. Asked for when a
 * policy first verifies one: reading a hundred and fifty certificates is not what a start should wait for.
 */
export function setTrustedRoots(roots: () => readonly string[]): void {
  givenRoots = roots;
  trusted = null;
}

export function trustedRoots(): readonly X509Certificate[] {
  return (trusted ??= givenRoots().map((pem) => new X509Certificate(pem)));
}

/** The parts of a certificate's DER that Node does not give in .NET's form. */
interface Fields {
  readonly serial: Uint8Array;
  readonly signatureId: string;
  readonly issuer: Der;
  readonly subject: Der;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly version: number;
  readonly keyInfo: Der;
}

export class Certificate implements NetObject {
  readonly native: X509Certificate;
  readonly privateKey: KeyObject | null;
  readonly friendlyName: string;
  readonly der: Uint8Array;
  #fields: Fields | null = null;

  constructor(native: X509Certificate, privateKey: KeyObject | null = null, friendlyName = "") {
    this.native = native;
    this.privateKey = privateKey;
    this.friendlyName = friendlyName;
    this.der = plainBytes(native.raw);
  }
  get [TYPE](): Type {
    return typeNamed(`${NAMESPACE}.X509Certificate2`);
  }
  get fields(): Fields {
    return (this.#fields ??= readFields(this.der));
  }
  /** Upper-case hexadecimal SHA-1. */
  get thumbprint(): string {
    return hex(createHash("sha1").update(this.der).digest());
  }
  netToString(): string {
    const { fields } = this;
    const time = (ms: number): string => toLocal(utcFromUnixMs(ms)).netToString();
    return [
      "[Subject]",
      `  ${nameText(fields.subject)}`,
      "",
      "[Issuer]",
      `  ${nameText(fields.issuer)}`,
      "",
      "[Serial Number]",
      `  ${hex(fields.serial)}`,
      "",
      "[Not Before]",
      `  ${time(fields.notBeforeMs)}`,
      "",
      "[Not After]",
      `  ${time(fields.notAfterMs)}`,
      "",
      "[Thumbprint]",
      `  ${this.thumbprint}`,
      "",
    ].join(environment().newLine);
  }
  /** Issuer and serial number decide. */
  netEquals(other: unknown): boolean {
    return (
      other instanceof Certificate &&
      hex(other.fields.serial) === hex(this.fields.serial) &&
      nameText(other.fields.issuer) === nameText(this.fields.issuer)
    );
  }
  netHashCode(): number {
    return hashOf(this.thumbprint);
  }
  dispose(): void {}
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join("");
}

const unreadable = (): Error => cryptographic("Cannot find the requested object.");

function readFields(der: Uint8Array): Fields {
  const body = children(children(readDer(der))?.[0]);
  if (body === null || body[0] === undefined) throw unreadable();
  const versioned = body[0].tag === 0xa0;
  const [serial, signature, issuer, validity, subject, keyInfo] = versioned ? body.slice(1) : body;
  const [from, to] = children(validity) ?? [];
  if (
    serial === undefined ||
    issuer === undefined ||
    subject === undefined ||
    keyInfo === undefined ||
    from === undefined ||
    to === undefined
  ) {
    throw unreadable();
  }
  return {
    serial: serial.value,
    signatureId: objectId(children(signature)?.[0]),
    issuer,
    subject,
    notBeforeMs: derTime(from),
    notAfterMs: derTime(to),
    version: versioned ? (children(body[0])?.[0]?.value[0] ?? 0) + 1 : 1,
    keyInfo,
  };
}

// ── Distinguished names ─────────────────────────────────────────────────────────────────────────────────────────────

const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.4", "SN"],
  ["2.5.4.5", "SERIALNUMBER"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "S"],
  ["2.5.4.9", "STREET"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["2.5.4.12", "T"],
  ["2.5.4.42", "G"],
  ["2.5.4.43", "I"],
  ["1.2.840.113549.1.9.1", "E"],
  ["0.9.2342.19200300.100.1.25", "DC"],
]);

/** Attributes from the most specific to the least, as .NET prints them. */
function attributesOf(name: Der): { id: string; text: string }[][] {
  return (children(name) ?? [])
    .map((set) =>
      (children(set) ?? []).map((attribute) => {
        const [id, value] = children(attribute) ?? [];
        return { id: objectId(id), text: value === undefined ? "" : derText(value) };
      }),
    )
    .toReversed();
}

function nameText(name: Der): string {
  return attributesOf(name)
    .map((set) =>
      set.map(({ id, text }) => `${ATTRIBUTES.get(id) ?? `OID.${id}`}=${quoted(text)}`).join(" + "),
    )
    .join(", ");
}

function quoted(text: string): string {
  if (text !== "" && !/^\s|\s$|[,+="\n<>#;]/.test(text)) return text;
  return `"${text.replaceAll('"', '""')}"`;
}

function firstAttribute(name: Der, id: string): string {
  for (const set of attributesOf(name))
    for (const attribute of set) if (attribute.id === id) return attribute.text;
  return "";
}

/** `GetNameInfo`: 0 simple, 1 e-mail, 2 UPN, 3 DNS, 4 DNS from the alternatives, 5 URL. */
function nameInfo(certificate: Certificate, type: EnumValue, forIssuer: boolean): string {
  const name = forIssuer ? certificate.fields.issuer : certificate.fields.subject;
  const alternatives = forIssuer ? "" : (certificate.native.subjectAltName ?? "");
  const alternative = (kind: string): string =>
    new RegExp(`(?:^|, )${kind}:([^,]*)`).exec(alternatives)?.[1] ?? "";
  switch (type.number) {
    case 0:
      for (const id of ["2.5.4.3", "2.5.4.11", "2.5.4.10", "1.2.840.113549.1.9.1"]) {
        const found = firstAttribute(name, id);
        if (found !== "") return found;
      }
      return attributesOf(name)[0]?.[0]?.text ?? "";
    case 1:
      return alternative("email") || firstAttribute(name, "1.2.840.113549.1.9.1");
    case 3:
      return alternative("DNS") || firstAttribute(name, "2.5.4.3");
    case 4:
      return alternative("DNS");
    case 5:
      return alternative("URI");
    default:
      return "";
  }
}

// ── Making and checking ─────────────────────────────────────────────────────────────────────────────────────────────

/** From DER, as hosts keep it. @throws CryptographicException */
export function certificateFromDer(der: Uint8Array): Certificate {
  try {
    return new Certificate(new X509Certificate(der));
  } catch {
    throw unreadable();
  }
}

/** DER, PEM or PKCS#12. */
function certificateFrom(bytes: Uint8Array | null, password: string | null): Certificate {
  if (bytes === null) throw argumentNull("rawData");
  if (bytes.length === 0) throw argumentError("Array cannot be empty or null.", "rawData");
  checkBytes(bytes.length);
  spend(1000);
  const first = children(readDer(bytes));
  // A PFX starts with a version number, a certificate with the sequence to be signed.
  if (first === null || first[0]?.tag === SEQUENCE) return certificateFromDer(bytes);
  const opened = openPfx(bytes, password ?? "");
  if (opened === "password") throw cryptographic("The specified network password is not correct.");
  if (opened === "format") throw unreadable();
  return new Certificate(opened.certificate, opened.privateKey, opened.friendlyName);
}

/** A chain to a trusted root, every link within its time. Intermediates are not fetched. */
function isTrusted(certificate: Certificate): boolean {
  spend(1000 + trustedRoots().length);
  const { notBeforeMs, notAfterMs } = certificate.fields;
  const now = environment().now();
  if (now < notBeforeMs || now > notAfterMs) return false;
  return trustedRoots().some((root) => {
    if (root.fingerprint256 === certificate.native.fingerprint256) return true;
    return certificate.native.checkIssued(root) && certificate.native.verify(root.publicKey);
  });
}

function certHash(certificate: Certificate, native: string): Uint8Array {
  return plainBytes(createHash(native).update(certificate.der).digest());
}

function nativeHash(name: { text: string | null }): string {
  const found = HASHES.find((hash) => hash.name === name.text?.toUpperCase());
  if (found === undefined) throw cryptographic(`'${name.text ?? ""}' is not a known hash algorithm.`);
  return found.native;
}

function keyBits(certificate: Certificate): Uint8Array {
  // A BIT STRING's first octet counts unused bits.
  return plainBytes((children(certificate.fields.keyInfo)?.[1]?.value ?? new Uint8Array(1)).subarray(1));
}

function rsaOf(certificate: Certificate | null, isPrivate: boolean): RsaKey | null {
  if (certificate === null) throw argumentNull("certificate");
  const { publicKey } = certificate.native;
  if (publicKey.asymmetricKeyType !== "rsa" || (isPrivate && certificate.privateKey === null)) return null;
  return new RsaKey("RSACng", publicKey, isPrivate ? certificate.privateKey : null);
}

/** A distinguished name. */
class DistinguishedName implements NetObject {
  readonly der: Der;
  constructor(der: Der) {
    this.der = der;
  }
  get [TYPE](): Type {
    return typeNamed(`${NAMESPACE}.X500DistinguishedName`);
  }
}

/** The key of a certificate, as .NET's PublicKey shows it. */
class PublicKey implements NetObject {
  readonly certificate: Certificate;
  constructor(certificate: Certificate) {
    this.certificate = certificate;
  }
  get [TYPE](): Type {
    return typeNamed(`${NAMESPACE}.PublicKey`);
  }
}

/** An object identifier with its usual name. */
class Oid implements NetObject {
  readonly value: string;
  constructor(value: string) {
    this.value = value;
  }
  get [TYPE](): Type {
    return typeNamed("System.Security.Cryptography.Oid");
  }
}

const OID_NAMES: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.1.1.1", "RSA"],
  ["1.2.840.113549.1.1.4", "md5RSA"],
  ["1.2.840.113549.1.1.5", "sha1RSA"],
  ["1.2.840.113549.1.1.10", "RSASSA-PSS"],
  ["1.2.840.113549.1.1.11", "sha256RSA"],
  ["1.2.840.113549.1.1.12", "sha384RSA"],
  ["1.2.840.113549.1.1.13", "sha512RSA"],
  ["1.2.840.10045.2.1", "ECC"],
  ["1.2.840.10045.4.3.2", "sha256ECDSA"],
  ["1.2.840.10045.4.3.3", "sha384ECDSA"],
  ["1.2.840.10045.4.3.4", "sha512ECDSA"],
]);

const time = (ms: number) => toLocal(utcFromUnixMs(ms));

defineType(
  `enum ${NAMESPACE}.X509ContentType`,
  {},
  {
    values: {
      Unknown: 0,
      Cert: 1,
      SerializedCert: 2,
      Pfx: 3,
      Pkcs12: 3,
      SerializedStore: 4,
      Pkcs7: 5,
      Authenticode: 6,
    },
  },
);
defineType(
  `enum ${NAMESPACE}.X509NameType`,
  {},
  {
    values: { SimpleName: 0, EmailName: 1, UpnName: 2, DnsName: 3, DnsFromAlternativeName: 4, UrlName: 5 },
  },
);
defineType("class System.Security.Cryptography.Oid", {
  "string Value { get; }": (oid: Oid) => oid.value,
  "string FriendlyName { get; }": (oid: Oid) => OID_NAMES.get(oid.value) ?? null,
});
defineType(`class ${NAMESPACE}.X500DistinguishedName`, {
  "string Name { get; }": (name: DistinguishedName) => nameText(name.der),
});
defineType(`class ${NAMESPACE}.PublicKey`, {
  "Oid Oid { get; }": (key: PublicKey) =>
    new Oid(objectId(children(children(key.certificate.fields.keyInfo)?.[0])?.[0])),
  "AsymmetricAlgorithm Key { get; }": (key: PublicKey) => rsaOf(key.certificate, false),
});

const certificateMembers: Members = {
  "X509Certificate(byte[] data)": (bytes: Uint8Array | null) => certificateFrom(bytes, null),
  "X509Certificate(byte[] rawData, string password)": certificateFrom,
  "string Subject { get; }": (certificate: Certificate) => nameText(certificate.fields.subject),
  "string Issuer { get; }": (certificate: Certificate) => nameText(certificate.fields.issuer),
  "byte[] GetCertHash()": (certificate: Certificate) => certHash(certificate, "sha1"),
  "byte[] GetCertHash(HashAlgorithmName hashAlgorithm)": (
    certificate: Certificate,
    name: { text: string | null },
  ) => certHash(certificate, nativeHash(name)),
  "string GetCertHashString()": (certificate: Certificate) => certificate.thumbprint,
  "string GetCertHashString(HashAlgorithmName hashAlgorithm)": (
    certificate: Certificate,
    name: { text: string | null },
  ) => hex(certHash(certificate, nativeHash(name))),
  "byte[] GetRawCertData()": (certificate: Certificate) => plainBytes(certificate.der),
  "string GetRawCertDataString()": (certificate: Certificate) => hex(certificate.der),
  "byte[] GetSerialNumber()": (certificate: Certificate) =>
    plainBytes(certificate.fields.serial).toReversed(),
  "string GetSerialNumberString()": (certificate: Certificate) => hex(certificate.fields.serial),
  "byte[] GetPublicKey()": keyBits,
  "string GetPublicKeyString()": (certificate: Certificate) => hex(keyBits(certificate)),
  "string GetEffectiveDateString()": (certificate: Certificate) =>
    time(certificate.fields.notBeforeMs).netToString(),
  "string GetExpirationDateString()": (certificate: Certificate) =>
    time(certificate.fields.notAfterMs).netToString(),
  "string GetFormat()": () => "X509",
  "string GetKeyAlgorithm()": (certificate: Certificate) =>
    objectId(children(children(certificate.fields.keyInfo)?.[0])?.[0]),
  "byte[] Export(X509ContentType contentType)": (certificate: Certificate, type: EnumValue) => {
    if (type.number !== 1) throw cryptographic("Only X509ContentType.Cert can be exported.");
    return plainBytes(certificate.der);
  },
  "bool Equals(object obj)": (a: Certificate, b: unknown) => a.netEquals(b),
  "bool Equals(X509Certificate other)": (a: Certificate, b: unknown) => a.netEquals(b),
  "int GetHashCode()": (certificate: Certificate) => certificate.netHashCode(),
  "string ToString()": (certificate: Certificate) => certificate.netToString(),
  "void Dispose()": () => undefined,
};
defineType(`class ${NAMESPACE}.X509Certificate : System.IDisposable`, certificateMembers);

defineType(`class ${NAMESPACE}.X509Certificate2 : ${NAMESPACE}.X509Certificate`, {
  "X509Certificate2(byte[] rawData)": (bytes: Uint8Array | null) => certificateFrom(bytes, null),
  "X509Certificate2(byte[] rawData, string password)": certificateFrom,
  "static X509ContentType GetCertContentType(byte[] rawData)": (bytes: Uint8Array | null) => {
    if (bytes === null) throw argumentNull("rawData");
    const first = children(readDer(bytes))?.[0];
    const isPfx = first !== undefined && first.tag !== SEQUENCE;
    if (!isPfx) certificateFromDer(bytes);
    return enumValue(typeNamed(`${NAMESPACE}.X509ContentType`).definition, isPfx ? 3 : 1);
  },
  "string Thumbprint { get; }": (certificate: Certificate) => certificate.thumbprint,
  "string SerialNumber { get; }": (certificate: Certificate) => hex(certificate.fields.serial),
  "DateTime NotBefore { get; }": (certificate: Certificate) => time(certificate.fields.notBeforeMs),
  "DateTime NotAfter { get; }": (certificate: Certificate) => time(certificate.fields.notAfterMs),
  "bool HasPrivateKey { get; }": (certificate: Certificate) => certificate.privateKey !== null,
  "byte[] RawData { get; }": (certificate: Certificate) => plainBytes(certificate.der),
  "int Version { get; }": (certificate: Certificate) => certificate.fields.version,
  "string FriendlyName { get; }": (certificate: Certificate) => certificate.friendlyName,
  "X500DistinguishedName SubjectName { get; }": (certificate: Certificate) =>
    new DistinguishedName(certificate.fields.subject),
  "X500DistinguishedName IssuerName { get; }": (certificate: Certificate) =>
    new DistinguishedName(certificate.fields.issuer),
  "Oid SignatureAlgorithm { get; }": (certificate: Certificate) => new Oid(certificate.fields.signatureId),
  "PublicKey PublicKey { get; }": (certificate: Certificate) => new PublicKey(certificate),
  "AsymmetricAlgorithm PrivateKey { get; }": (certificate: Certificate) => rsaOf(certificate, true),
  "string GetNameInfo(X509NameType nameType, bool forIssuer)": nameInfo,
  "bool Verify()": isTrusted,
});

defineType(`static ${NAMESPACE}.RSACertificateExtensions`, {
  "static RSA GetRSAPublicKey(this X509Certificate2 certificate)": (certificate: Certificate | null) =>
    rsaOf(certificate, false),
  "static RSA GetRSAPrivateKey(this X509Certificate2 certificate)": (certificate: Certificate | null) =>
    rsaOf(certificate, true),
});
defineType(
  "static Gateway.CertificateExtensions",
  {
    "static bool VerifyNoRevocation(this X509Certificate2 certificate)": (
      certificate: Certificate | null,
    ) => {
      if (certificate === null) throw argumentNull("certificate");
      return isTrusted(certificate);
    },
  },
  { nameable: false },
);
