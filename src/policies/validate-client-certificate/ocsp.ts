/** The Online Certificate Status Protocol (RFC 6960), as much as asking for one certificate needs. */
import { createHash } from "node:crypto";
import {
  type Der,
  SEQUENCE,
  children,
  derTime,
  objectId,
  readDer,
} from "../../compiler/runtime/library/der.ts";
import { type ClientCertificate, EXTENSION, URI_NAME, readCertificate } from "./certificate.ts";
import { isIssuedBy } from "./identity.ts";
import { isSigned } from "./signed.ts";

export interface OcspAnswer {
  readonly revoked: boolean;
  readonly thisUpdateMs: number;
  /** NaN when the responder always knows the latest. */
  readonly nextUpdateMs: number;
}

const OCSP = "1.3.6.1.5.5.7.48.1";
const BASIC_ANSWER = "1.3.6.1.5.5.7.48.1.1";
const OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
const SHA1 = Uint8Array.of(0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00);

/** Where to ask. */
export function responderUrls(certificate: ClientCertificate): string[] {
  const urls: string[] = [];
  for (const access of children(certificate.extension(EXTENSION.authorityAccess)) ?? []) {
    const [method, place] = children(access) ?? [];
    if (objectId(method) === OCSP && place?.tag === URI_NAME)
      urls.push(Buffer.from(place.value).toString("latin1"));
  }
  return urls.filter((url) => /^https?:\/\//i.test(url));
}

/** @param serial contents of the certificate's INTEGER */
export function ocspRequest(issuer: ClientCertificate, serial: Uint8Array): Uint8Array {
  return sequence(sequence(sequence(sequence(certificateId(issuer, serial)))));
}

/** SHA-1 only names the authority here; nothing rests on it. */
function certificateId(issuer: ClientCertificate, serial: Uint8Array): Uint8Array {
  const hash = (bytes: Uint8Array): Uint8Array => wrap(0x04, createHash("sha1").update(bytes).digest());
  return sequence(SHA1, hash(issuer.subjectDer), hash(issuer.keyBits), wrap(0x02, serial));
}

/** @returns the answer, or what is wrong with it */
export function readOcspAnswer(
  bytes: Uint8Array,
  issuer: ClientCertificate,
  serial: Uint8Array,
  nowMs: number,
): OcspAnswer | string {
  const [status, wrapper] = children(readDer(bytes)) ?? [];
  if (status?.tag !== 0x0a || status.value[0] !== 0) return "the responder has no answer";
  const [type, octets] = children(children(wrapper)?.[0]) ?? [];
  if (objectId(type) !== BASIC_ANSWER || octets === undefined) return "it is not an OCSP answer";
  const [body, algorithm, signature, certificates] = children(readDer(octets.value)) ?? [];
  if (body === undefined || signature === undefined) return "it is not an OCSP answer";
  const signer = [issuer, ...delegates(certificates, issuer, nowMs)].find((one) =>
    isSigned(body.whole, algorithm, signature, one.native.publicKey),
  );
  if (signer === undefined) return "its signature is wrong";
  const answers = children((children(body) ?? []).findLast(({ tag }) => tag === SEQUENCE)) ?? [];
  const wanted = Buffer.from(certificateId(issuer, serial));
  const found = answers.find((answer) => sameId(children(answer)?.[0], wanted));
  const [, state, from, to] = children(found) ?? [];
  if (state === undefined || from === undefined) return "it says nothing of this certificate";
  const nextUpdateMs = to?.tag === 0xa0 ? derTime(children(to)?.[0] ?? from) : NaN;
  if (state.tag === 0x80) return { revoked: false, thisUpdateMs: derTime(from), nextUpdateMs };
  if (state.tag === 0xa1) return { revoked: true, thisUpdateMs: derTime(from), nextUpdateMs };
  return "the responder does not know this certificate";
}

/** Compared by its parts: the parameters of the hash may be left out. */
function sameId(given: Der | undefined, wanted: Buffer): boolean {
  const [a, b] = [children(given), children(readDer(wanted))];
  if (a === null || b === null || a.length !== 4) return false;
  const sameHash = objectId(children(a[0])?.[0]) === objectId(children(b[0])?.[0]);
  return sameHash && [1, 2, 3].every((i) => Buffer.from(a[i]!.whole).equals(b[i]!.whole));
}

/** Certificates that the authority itself made for signing answers (RFC 6960 §4.2.2.2). */
function delegates(
  certificates: Der | undefined,
  issuer: ClientCertificate,
  nowMs: number,
): ClientCertificate[] {
  return (children(children(certificates)?.[0]) ?? [])
    .slice(0, 5)
    .map((der) => readCertificate(der.whole))
    .filter((one) => one !== null)
    .filter((one) => (one.native.keyUsage as readonly string[] | undefined)?.includes(OCSP_SIGNING) === true)
    .filter((one) => one.notBeforeMs <= nowMs && nowMs <= one.notAfterMs && isIssuedBy(one, issuer));
}

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return wrap(SEQUENCE, Buffer.concat(parts));
}

function wrap(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from(head), content]);
}
