/**
 * The keys that a policy names itself: secrets, certificates, RSA numbers. Imported once; only secrets that are
 * expressions are made for each request, and certificates once for each set of them, since a plan outlives its snapshot.
 */
import { X509Certificate, createPrivateKey } from "node:crypto";
import type { Value } from "../compiler/policy.ts";
import type { HostContext } from "../compiler/runtime/host.ts";
import { openCertificate } from "../gateway/certificate.ts";
import type { Exchange } from "../gateway/exchange.ts";
import type { Certificate, CertificateIndex } from "../gateway/snapshot.ts";
import { type DecryptionKey, decryptionSecret } from "./decrypt.ts";
import { type VerificationKey, certificateKey, readBase64, rsaKey, secretKey } from "./keys.ts";

/** A `key` element. */
export type WrittenKey =
  | { readonly kind: "secret"; readonly id: string | null; readonly text: Value<string> }
  | { readonly kind: "certificate"; readonly id: string | null; readonly certificateId: string }
  | { readonly kind: "rsa"; readonly id: string | null; readonly n: string; readonly e: string };

/** Keys as they are for one request. */
export interface Shelf<K> {
  readonly keys: readonly K[];
  /** No two different lists share it; null when the next request may have others. */
  readonly name: string | null;
}

type FromCertificate<K> = (certificate: Certificate, id: string | null) => K | null;
type FromText<K> = (bytes: Uint8Array, id: string | null) => K | null;

let shelves = 0;

/** @returns a function that gives the keys for a request */
function makeShelf<K>(
  written: readonly WrittenKey[],
  fromText: FromText<K>,
  fromCertificate: FromCertificate<K>,
  fromRsa: (n: string, e: string, id: string | null) => K | null,
): (exchange: Exchange) => Shelf<K> {
  const importKey = (
    key: WrittenKey,
    certificates: CertificateIndex,
    context: HostContext | null,
  ): K | null => {
    if (key.kind === "rsa") return fromRsa(key.n, key.e, key.id);
    if (key.kind === "certificate") {
      const certificate = certificates.byId.get(key.certificateId.toLowerCase());
      return certificate === undefined ? null : fromCertificate(certificate, key.id);
    }
    const text = key.text.isConstant ? key.text.constant! : context === null ? null : key.text(context);
    const bytes = text === null ? null : readBase64(text);
    return bytes === null ? null : fromText(bytes, key.id);
  };
  const importAll = (certificates: CertificateIndex, context: HostContext | null): K[] =>
    written.map((key) => importKey(key, certificates, context)).filter((key) => key !== null);

  const changes = written.some((key) => key.kind === "secret" && !key.text.isConstant);
  if (changes)
    return (exchange) => ({ keys: importAll(exchange.snapshot.certificates, exchange.context), name: null });
  const known = new WeakMap<CertificateIndex, Shelf<K>>();
  const needsCertificates = written.some(({ kind }) => kind === "certificate");
  const fixed = needsCertificates
    ? null
    : { keys: importAll(NO_CERTIFICATES, null), name: String(++shelves) };
  return ({ snapshot: { certificates } }) => {
    if (fixed !== null) return fixed;
    let shelf = known.get(certificates);
    if (shelf === undefined)
      known.set(certificates, (shelf = { keys: importAll(certificates, null), name: String(++shelves) }));
    return shelf;
  };
}

const NO_CERTIFICATES: CertificateIndex = { byId: new Map(), byThumbprint: new Map() };

/** For `issuer-signing-keys`. */
export function signingShelf(written: readonly WrittenKey[]): (exchange: Exchange) => Shelf<VerificationKey> {
  return makeShelf(written, secretKey, ({ der }, id) => certificateKey(der, id), rsaKey);
}

/** For `decryption-keys`. An RSA public key opens nothing. */
export function decryptionShelf(
  written: readonly WrittenKey[],
): (exchange: Exchange) => Shelf<DecryptionKey> {
  return makeShelf(written, decryptionSecret, privateKeyOf, () => null);
}

function privateKeyOf({ client, der }: Certificate, id: string | null): DecryptionKey | null {
  const pem = client === null ? undefined : "key" in client ? client : openedClient(client);
  if (pem === undefined) return null;
  return { id: id ?? thumbprintOf(der), key: createPrivateKey(pem.key) };
}

function openedClient({
  pfx,
  passphrase,
}: {
  readonly pfx: Uint8Array;
  readonly passphrase?: string;
}): { readonly key: string } | undefined {
  const opened = openCertificate(pfx, passphrase ?? "");
  return typeof opened !== "string" && opened.client !== null && "key" in opened.client
    ? opened.client
    : undefined;
}

/** What issuers put into the `kid` of a token that they encrypt for a certificate. */
function thumbprintOf(der: Uint8Array): string {
  return new X509Certificate(der).fingerprint.replaceAll(":", "").toUpperCase();
}
