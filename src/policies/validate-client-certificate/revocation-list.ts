/** Certificate revocation lists (RFC 5280 §5): read, checked, and asked for a serial number without unpacking them. */
import type { KeyObject } from "node:crypto";
import {
  type Der,
  SEQUENCE,
  children,
  derTime,
  objectId,
  readDer,
} from "../../compiler/runtime/library/der.ts";
import { type ClientCertificate, EXTENSION, URI_NAME, authorityDepth, mayBeUsedFor } from "./certificate.ts";
import { isSigned } from "./signed.ts";

export interface RevocationList {
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Whether this certificate would be in it, were it revoked: an authority may publish several lists. */
  covers(certificate: ClientCertificate): boolean;
  has(certificate: ClientCertificate): boolean;
}

const CRL_SIGN = 6;
const ISSUING_POINT = "2.5.29.28";
const DELTA = "2.5.29.27";

/** Where lists for this certificate are published: http URLs. */
export function listUrls(certificate: ClientCertificate): string[] {
  const urls: string[] = [];
  for (const point of children(certificate.extension(EXTENSION.distributionPoints)) ?? []) {
    // distributionPoint [0] → fullName [0] → names. A list by another issuer (cRLIssuer [2]) is not supported.
    const parts = children(point) ?? [];
    if (parts.some(({ tag }) => tag === 0xa2)) continue;
    const names =
      children(children(parts.find(({ tag }) => tag === 0xa0))?.find(({ tag }) => tag === 0xa0)) ?? [];
    for (const { tag, value } of names)
      if (tag === URI_NAME) urls.push(Buffer.from(value).toString("latin1"));
  }
  return urls.filter((url) => /^https?:\/\//i.test(url));
}

/** @returns the list, or what is wrong with it */
export function readList(bytes: Uint8Array, issuer: ClientCertificate): RevocationList | string {
  const [body, algorithm, signature] = children(readDer(bytes)) ?? [];
  const parts = children(body);
  if (body === undefined || signature === undefined || parts === null) return "it is not a revocation list";
  const [, issuerName, from, to, ...rest] = parts[0]?.tag === 0x02 ? parts.slice(1) : parts;
  if (issuerName === undefined || from === undefined || to === undefined)
    return "it is not a revocation list";
  if (!Buffer.from(issuerName.whole).equals(issuer.subjectDer)) return "it is another authority's";
  if (!mayBeUsedFor(issuer, CRL_SIGN)) return "the authority may not sign lists";
  if (!isSigned(body.whole, algorithm, signature, issuer.native.publicKey as KeyObject))
    return "its signature is wrong";
  const extensions = rest.find(({ tag }) => tag === 0xa0);
  const scope = readScope(extensions);
  if (scope === null) return "it is only a part of a list";
  const entries = rest.find(({ tag }) => tag === SEQUENCE)?.value ?? new Uint8Array();
  const known = new Map<string, boolean>();
  return {
    thisUpdateMs: derTime(from),
    nextUpdateMs: derTime(to),
    covers: (certificate) => {
      if (authorityDepth(certificate) === null ? !scope.users : !scope.authorities) return false;
      return scope.urls === null || listUrls(certificate).some((url) => scope.urls!.includes(url));
    },
    has: ({ serialOctets: serial }) => {
      const key = Buffer.from(serial).toString("latin1");
      let found = known.get(key);
      if (found === undefined) {
        if (known.size >= 10_000) known.clear();
        known.set(key, (found = hasEntry(entries, serial)));
      }
      return found;
    },
  };
}

/** What the issuing distribution point (RFC 5280 §5.2.5) limits the list to. */
interface ListScope {
  readonly users: boolean;
  readonly authorities: boolean;
  /** It is for certificates that name one of these places; null: for all. */
  readonly urls: readonly string[] | null;
}

/** Null for a delta, for some reasons only, for another authority's certificates, and for what is not understood. */
function readScope(extensions: Der | undefined): ListScope | null {
  let scope: ListScope | null = { users: true, authorities: true, urls: null };
  for (const extension of children(children(extensions)?.[0]) ?? []) {
    const parts = children(extension) ?? [];
    const id = objectId(parts[0]);
    if (id === DELTA) return null;
    if (id === ISSUING_POINT) scope = readPoint(children(readDer(parts.at(-1)!.value)) ?? []);
    // Three parts: critical.
    else if (parts.length === 3 && parts[1]!.value[0] !== 0 && !KNOWN_EXTENSIONS.has(id)) return null;
    if (scope === null) return null;
  }
  return scope;
}

const KNOWN_EXTENSIONS = new Set(["2.5.29.20", "2.5.29.35"]);

function readPoint(parts: readonly Der[]): ListScope | null {
  // onlySomeReasons [3], indirectCRL [4], onlyContainsAttributeCerts [5]
  if (parts.some(({ tag }) => tag === 0x83 || tag === 0x84 || tag === 0x85)) return null;
  const place = parts.find(({ tag }) => tag === 0xa0);
  const names =
    place === undefined ? null : (children(children(place)?.find(({ tag }) => tag === 0xa0)) ?? []);
  return {
    users: !parts.some(({ tag }) => tag === 0x82),
    authorities: !parts.some(({ tag }) => tag === 0x81),
    urls:
      names === null
        ? null
        : names
            .filter(({ tag }) => tag === URI_NAME)
            .map(({ value }) => Buffer.from(value).toString("latin1")),
  };
}

/** Walks the entries, each a sequence that begins with the serial number. Lists may have a hundred thousand. */
function hasEntry(entries: Uint8Array, serial: Uint8Array): boolean {
  let at = 0;
  while (at + 4 <= entries.length) {
    if (entries[at] !== SEQUENCE) return true;
    let length = entries[at + 1]!;
    let start = at + 2;
    if (length > 0x80) {
      const count = length & 0x7f;
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + (entries[start++] ?? NaN);
    }
    if (entries[start] !== 0x02 || !(start + length <= entries.length)) return true;
    if (entries[start + 1] === serial.length && startsWith(entries, start + 2, serial)) return true;
    at = start + length;
  }
  // What cannot be read may hold any number.
  return at !== entries.length;
}

function startsWith(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
