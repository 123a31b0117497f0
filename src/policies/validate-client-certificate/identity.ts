/** `identity` elements: a certificate is one of them when everything that the element says is so. */
import type { CertificateIndex } from "../../gateway/snapshot.ts";
import { type ClientCertificate, plainHex, readCertificate } from "./certificate.ts";
import { type DistinguishedName, hasCommonName, parseName, sameName } from "./distinguished-name.ts";

export interface WrittenIdentity {
  readonly thumbprint?: string;
  readonly "serial-number"?: string;
  readonly "common-name"?: string;
  readonly subject?: string;
  readonly "dns-name"?: string;
  readonly "issuer-subject"?: string;
  readonly "issuer-thumbprint"?: string;
  readonly "issuer-certificate-id"?: string;
}

/** What one attribute asks. `issuer` is the certificate that signed, where it is known. */
type Test = (
  certificate: ClientCertificate,
  issuer: ClientCertificate | null,
  certificates: CertificateIndex,
) => boolean;

/** An identity without attributes fits nobody: what is meant by it cannot be known. */
export function prepareIdentity(written: WrittenIdentity): Test {
  const tests = testsOf(written);
  return (certificate, issuer, certificates) =>
    tests.length > 0 && tests.every((test) => test(certificate, issuer, certificates));
}

function testsOf(written: WrittenIdentity): Test[] {
  const tests: Test[] = [];
  const add = (text: string | undefined, make: (text: string) => Test): void => {
    if (text !== undefined) tests.push(make(text));
  };
  add(written.thumbprint, (text) => (certificate) => isThumbprint(certificate, text));
  add(written["serial-number"], (text) => {
    const serial = plainHex(text);
    return (certificate) => serial !== "" && certificate.serial === serial;
  });
  add(
    written["common-name"],
    (text) =>
      ({ subject }) =>
        hasCommonName(subject, text),
  );
  add(
    written["dns-name"],
    (text) =>
      ({ dnsNames }) =>
        dnsNames.includes(text.toLowerCase()),
  );
  add(written.subject, (text) => named(text, ({ subject }) => subject));
  add(written["issuer-subject"], (text) => named(text, ({ issuer }) => issuer));
  add(
    written["issuer-thumbprint"],
    (text) => (_certificate, issuer) => issuer !== null && isThumbprint(issuer, text),
  );
  add(written["issuer-certificate-id"], (id) => (certificate, _issuer, certificates) => {
    const der = certificates.byId.get(id.toLowerCase())?.der;
    const issuer = der === undefined ? null : readOnce(der);
    return issuer !== null && isIssuedBy(certificate, issuer);
  });
  return tests;
}

const known = new WeakMap<Uint8Array, ClientCertificate | null>();

/** Octets of the configuration do not change. */
function readOnce(der: Uint8Array): ClientCertificate | null {
  let certificate = known.get(der);
  if (certificate === undefined) known.set(der, (certificate = readCertificate(der)));
  return certificate;
}

function named(text: string, of: (certificate: ClientCertificate) => DistinguishedName): Test {
  const wanted = parseName(text);
  return (certificate) => wanted !== null && sameName(of(certificate), wanted);
}

/** SHA-1, or SHA-256 when there are that many digits. */
function isThumbprint(certificate: ClientCertificate, text: string): boolean {
  const wanted = text.replace(/[^0-9a-f]/gi, "").toLowerCase();
  return wanted.length === 64 ? certificate.fingerprint === wanted : certificate.thumbprint === wanted;
}

/** Remembered for each pair: a signature costs more than all else that a request asks of a certificate. */
export function isIssuedBy(certificate: ClientCertificate, issuer: ClientCertificate): boolean {
  let answers = issued.get(certificate);
  if (answers === undefined) issued.set(certificate, (answers = new WeakMap()));
  let answer = answers.get(issuer);
  if (answer === undefined) answers.set(issuer, (answer = checkIssued(certificate, issuer)));
  return answer;
}

const issued = new WeakMap<ClientCertificate, WeakMap<ClientCertificate, boolean>>();

function checkIssued(certificate: ClientCertificate, issuer: ClientCertificate): boolean {
  try {
    return (
      certificate.native.checkIssued(issuer.native) && certificate.native.verify(issuer.native.publicKey)
    );
  } catch {
    // A key of a kind that Node cannot use.
    return false;
  }
}
