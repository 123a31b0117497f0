/**
 * The chain from a client's certificate to an authority that is trusted (RFC 5280 §6.1, without name constraints and
 * policies). Trusted are the authorities of the machine, and those among the gateway's own `certificates` that are
 * self-signed authorities; the other authorities there serve as links. What the client sent besides is not seen.
 */
import type { CertificateIndex } from "../../gateway/snapshot.ts";
import { trustedRoots } from "../../compiler/runtime/library/crypto-certificate.ts";
import { type ClientCertificate, authorityDepth, mayBeUsedFor, readCertificate } from "./certificate.ts";
import { isIssuedBy } from "./identity.ts";

const LONGEST = 8;
const KEY_CERT_SIGN = 5;
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const ANY_PURPOSE = "2.5.29.37.0";
/** MD5 and SHA-1: anybody can make another certificate with the same signature. */
const BROKEN_SIGNATURES = new Set([
  "1.2.840.113549.1.1.2",
  "1.2.840.113549.1.1.4",
  "1.2.840.113549.1.1.5",
  "1.2.840.10045.4.1",
  "1.2.840.10040.4.3",
]);

/** Authorities by the DER of their subject. */
interface Authorities {
  readonly bySubject: ReadonlyMap<string, readonly ClientCertificate[]>;
  /** Fingerprints. */
  readonly trusted: ReadonlySet<string>;
}

const known = new WeakMap<CertificateIndex, Authorities>();
let machine: readonly ClientCertificate[] | null = null;

function authoritiesOf(certificates: CertificateIndex): Authorities {
  let found = known.get(certificates);
  if (found === undefined) known.set(certificates, (found = collect(certificates)));
  return found;
}

function collect(certificates: CertificateIndex): Authorities {
  const roots = (machine ??= readAll(trustedRoots().map(({ raw }) => raw)));
  const own = readAll([...certificates.byId.values()].map(({ der }) => der)).filter(
    (one) => authorityDepth(one) !== null,
  );
  const bySubject = new Map<string, ClientCertificate[]>();
  for (const one of [...own, ...roots]) {
    const name = one.subjectKey;
    bySubject.set(name, [...(bySubject.get(name) ?? []), one]);
  }
  const trusted = [...roots, ...own.filter((one) => isIssuedBy(one, one))];
  return { bySubject, trusted: new Set(trusted.map(({ fingerprint }) => fingerprint)) };
}

function readAll(ders: readonly Uint8Array[]): ClientCertificate[] {
  return ders.map(readCertificate).filter((one) => one !== null);
}

/** The authority that signed `certificate`, trusted or not; null when it is not known. */
export function issuerOf(
  certificate: ClientCertificate,
  certificates: CertificateIndex,
): ClientCertificate | null {
  const candidates = authoritiesOf(certificates).bySubject.get(certificate.issuerKey) ?? [];
  return candidates.find((one) => isIssuedBy(certificate, one)) ?? null;
}

/** The chain, the client's certificate first and the trusted authority last; or why there is none. */
export function buildChain(
  certificate: ClientCertificate,
  certificates: CertificateIndex,
  nowMs: number,
): ClientCertificate[] | string {
  const purposes = certificate.native.keyUsage as readonly string[] | undefined;
  if (purposes !== undefined && !purposes.includes(CLIENT_AUTH) && !purposes.includes(ANY_PURPOSE)) {
    return "it is not meant for client authentication";
  }
  const authorities = authoritiesOf(certificates);
  return extend([certificate], authorities, nowMs) ?? "it does not lead to a trusted authority";
}

/** Depth first: several authorities may have one name. */
function extend(
  chain: ClientCertificate[],
  authorities: Authorities,
  nowMs: number,
): ClientCertificate[] | null {
  const last = chain.at(-1)!;
  if (authorities.trusted.has(last.fingerprint)) return chain;
  if (chain.length >= LONGEST || BROKEN_SIGNATURES.has(last.signatureAlgorithm)) return null;
  for (const issuer of authorities.bySubject.get(last.issuerKey) ?? []) {
    const depth = authorityDepth(issuer);
    // Roots of the first version say nothing of themselves; being trusted is enough.
    const isAuthority =
      depth !== null ? depth >= chain.length - 1 : authorities.trusted.has(issuer.fingerprint);
    const isCurrent = issuer.notBeforeMs <= nowMs && nowMs <= issuer.notAfterMs;
    if (
      !isAuthority ||
      !isCurrent ||
      chain.includes(issuer) ||
      !mayBeUsedFor(issuer, KEY_CERT_SIGN) ||
      !isIssuedBy(last, issuer)
    )
      continue;
    const found = extend([...chain, issuer], authorities, nowMs);
    if (found !== null) return found;
  }
  return null;
}
